"""The tools of `make test-aws`, each in an environment of its own, and what they are run on."""

import json
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
TEMPLATE = ROOT / "template.yaml"
CLOSED = {"AWS_DEFAULT_REGION": "eu-central-1", "SAM_CLI_TELEMETRY": "0", "PATH": "/usr/bin:/bin", "HOME": "/tmp"}

Template = dict[str, Any]


def tool(environment: str, name: str) -> Path:
    """A tool's program."""
    path = ROOT / f".venv-{environment}" / "bin" / name
    assert path.exists(), f"{path.name} is missing: run `make test-aws`, which makes its environment"
    return path


def run(environment: str, name: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run a tool, with no credentials and no network needed."""
    command = [tool(environment, name), *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, env=CLOSED, capture_output=True, text=True, check=False)


@cache
def _translated(bucket: str) -> str:
    done = run("aws", "python", ROOT / "tests" / "aws" / "translate.py", TEMPLATE, bucket)
    assert done.returncode == 0, done.stderr
    return done.stdout


def translated(bucket: str = "code") -> Template:
    """The template as CloudFormation sees it."""
    return json.loads(_translated(bucket))
