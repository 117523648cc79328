"""What the README shows is what the demonstration prints."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import blocks, pages


def _plain(line: str) -> str:
    """A line without its rules, its spaces and how long things took."""
    line = re.sub(r"[─│╭╮╰╯]+", "", line)
    line = re.sub(r"[\d.,]+ ms", "... ms", line)
    return " ".join(line.split())


@pytest.mark.acceptance
def test_the_readme_shows_what_the_demo_prints(tmp_path: Path) -> None:
    command = Path(sys.executable).with_name("agentic-memory")
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    done = subprocess.run(
        [command, "demo"], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    printed = {_plain(line) for line in done.stdout.splitlines()}
    shown = blocks(pages()["README.md"], "text")[0].splitlines()
    missing = [line for line in shown if line.strip() and _plain(line) not in printed]
    assert not missing, missing
