"""Say whether this machine is ready to deploy, and whether a deployed stack or a server has its keys.

    python scripts/validate_env.py
    python scripts/validate_env.py --url http://127.0.0.1:8000
    python scripts/validate_env.py --stack elevenlabs-agentic-memory-stack
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

from system import Checks, arguments, aws, system

from agentic_memory.settings import SettingsError, read

ROOT = Path(__file__).parents[1]


def machine(checks: Checks) -> None:
    """The tools, the template, the settings of this folder."""
    for tool, way in {"aws": "install the AWS command line", "sam": "install the SAM command line"}.items():
        checks(f"{tool} is installed", shutil.which(tool) is not None, way if shutil.which(tool) is None else "")
    python = shutil.which("python3.13") is not None
    checks("Python 3.13 precompiles the layer", True, "" if python else "not there: cold starts take longer, nothing else")
    wheels = list((ROOT / "layer" / "dist").glob("*.whl"))
    checks("our package is in layer/dist", len(wheels) == 1, "" if wheels else "run `make layer`")
    try:
        read()
        checks("settings of this folder can be read", True)
    except SettingsError as error:
        checks("settings of this folder can be read", False, error.message)


def account(checks: Checks) -> None:
    """Whether the command line is signed in."""
    if shutil.which("aws") is None:
        return
    command = ["aws", "sts", "get-caller-identity", "--output", "json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    checks("the AWS account answers", done.returncode == 0, "" if done.returncode == 0 else "sign in first")


def stack(name: str, checks: Checks) -> None:
    """The stack's state and its keys; never a key's value."""
    query = ("--query", "Stacks[0].StackStatus", "--output", "json")
    status = json.loads(aws("cloudformation", "describe-stacks", "--stack-name", name, *query))
    checks(f"{name} stands", status.endswith("_COMPLETE") and "ROLLBACK" not in status, status)
    parser = arguments("")
    for path, key in system(parser.parse_args(["--stack", name])).keys.items():
        checks(f"there is a key for {path}", len(key) >= 8, f"{len(key)} characters")


def server(url: str, checks: Checks) -> None:
    """What a server says of itself, and whether its keys are known here; never a key's value."""
    asked = system(arguments("").parse_args(["--url", url]))
    answer = asked.ready()
    checks.status(f"{url} serves", answer, 200)
    parts = answer.value.get("checks")
    for part, state in (parts if isinstance(parts, dict) else {}).items():
        checks(f"  {part}", state == "ok", str(state))
    for path, key in asked.keys.items():
        checks(f"there is a key for {path}", len(key) >= 8, f"{len(key)} characters")


def main() -> None:
    """Check this machine, or the stack or server that is named."""
    given = arguments(__doc__ or "").parse_args()
    checks = Checks()
    if given.stack:
        stack(given.stack, checks)
    elif given.url:
        server(given.url, checks)
    else:
        machine(checks)
        account(checks)
    checks.end()


if __name__ == "__main__":
    sys.exit(main())
