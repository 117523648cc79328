"""Help is readable, complete and quick; errors are one sentence with an exit code."""

import io
import json
import subprocess
import sys

import click
import pytest

from agentic_memory import __version__
from agentic_memory.errors import NotFound, SettingsError, StorageLocked
from agentic_memory.interfaces.cli import SECTIONS, main
from agentic_memory.interfaces.cli.group import Commands, write_what_can_be_written
from agentic_memory.interfaces.cli.terminal import console
from tests.unit.cli.conftest import Run

COMMANDS = [str(c.name) for commands in SECTIONS.values() for c in commands]
HEAVY = {"agentic_memory.bootstrap", "numpy", "rich", "uvicorn", "sqlite3", "phonenumbers", "http"}


def test_the_fourteen_commands_are_there() -> None:
    assert sorted(COMMANDS) == sorted(
        ["serve", "worker", "demo", "call", "search", "callers", "memories", "export", "forget", "replay", "dead-letters", "quarantine", "check", "migrate"]
    )


def test_help_lists_every_command_whole(run: Run) -> None:
    shown = run("--help").stdout
    assert all(f"\n  {name} " in shown for name in COMMANDS)
    assert all(heading in shown for heading in SECTIONS)
    assert "..." not in shown.partition("Options:")[2]


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_explains_itself(run: Run, name: str) -> None:
    done = run(name, "--help")
    assert done.exit_code == 0
    assert name == "demo" or f"\n    agentic-memory {name}" in done.stdout.replace("WORKER=off ", "")


def test_help_loads_nothing_heavy() -> None:
    program = (
        "import sys, json\n"
        "from agentic_memory.interfaces.cli import main\n"
        "main(['--help'], standalone_mode=False)\n"
        "print(json.dumps(list(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    assert not HEAVY & loaded


def test_the_version_is_the_packages(run: Run) -> None:
    assert run("--version").stdout == f"agentic-memory {__version__}\n"


def test_unknown_commands_are_wrong_usage(run: Run) -> None:
    done = run("sevre")
    assert done.exit_code == 2
    assert "serve" in done.stderr


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (SettingsError(name="PORT", problem="'x' is not a whole number", example=8000), 2, "PORT: 'x'"),
        (StorageLocked(seconds=5), 1, "locked by another process"),
        (NotFound(what="Memory"), 1, "Memory not found"),
        (PermissionError(13, "Permission denied", "memory.jsonl"), 1, "Permission denied: memory.jsonl"),
    ],
)
def test_errors_are_one_sentence(run: Run, error: Exception, code: int, words: str) -> None:
    from click.testing import CliRunner

    @click.command()
    def fails() -> None:
        raise error

    done = CliRunner().invoke(Commands(sections={"All": (fails,)}), ["fails"])
    assert done.exit_code == code
    assert done.stderr.startswith("Error: ")
    assert words in done.stderr
    assert "Traceback" not in done.output
    assert done.stdout == ""


def test_a_wrong_setting_stops_every_command(run: Run) -> None:
    done = run("callers", PORT="http")
    assert done.exit_code == 2
    assert done.stderr == "Error: PORT: 'http' is not a whole number. Example: PORT=8000\n"


def test_main_is_the_entry_point() -> None:
    assert isinstance(main, click.Group)


def test_a_terminal_with_fewer_letters_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding="ascii"))
    write_what_can_be_written()
    console().print("Lucía ─ Stefan")
    sys.stdout.flush()
    assert written.getvalue() == b"Luc?a ? Stefan\n"
