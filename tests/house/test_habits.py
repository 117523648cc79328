"""Habits that a reader may rely on: one reader of the environment, no print, no clock, no mocks."""

import ast
import re

from tests.house.source import calls, modules, texts

ENVIRONMENT = {"os.environ", "os.getenv", "os.putenv", "environ", "getenv"}
CLOCKS = {"time.time", "time.monotonic", "time.perf_counter", "datetime.now", "datetime.utcnow", "date.today"}
ONLY_READER = "agentic_memory/settings.py"
CLOCKMAKER = "agentic_memory/bootstrap.py"


def test_only_the_settings_read_the_environment() -> None:
    found = [
        f"{path}:{node.lineno}"
        for path, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute | ast.Name) and ast.unparse(node) in ENVIRONMENT
    ]
    assert [place.split(":")[0] for place in found] == [ONLY_READER] * len(found), found
    assert found


def test_nothing_prints_but_the_command_line() -> None:
    printing = [w for w, call in calls() if ast.unparse(call.func) in {"print", "sys.stdout.write"}]
    outside = [w for w in printing if "/interfaces/cli" not in w]
    assert not outside, outside


def test_only_the_bootstrap_makes_a_clock() -> None:
    reading = [w for w, call in calls() if ast.unparse(call.func) in CLOCKS]
    outside = [w for w in reading if not w.startswith(CLOCKMAKER) and "/interfaces/cli" not in w]
    assert not outside, outside


def test_no_work_is_done_at_import() -> None:
    """No file, client or logger is touched by a module's own statements."""
    busy = {"open", "logging.basicConfig", "sqlite3.connect", "threading.Thread", "Path.cwd"}
    found = [
        f"{path}:{node.lineno} {ast.unparse(node.func)}"
        for path, tree in modules().items()
        for statement in tree.body
        if isinstance(statement, ast.Expr | ast.Assign | ast.AnnAssign)
        for node in ast.walk(statement)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in busy
    ]
    assert not found, found


def test_fakes_are_written_by_hand() -> None:
    mocking = re.compile(r"^\s*(?:from|import)\s+(?:unittest\.mock|mock|pytest_mock)\b", re.MULTILINE)
    found = [path for path, text in texts().items() if path.endswith(".py") and mocking.search(text)]
    assert not found, found


def test_ignored_errors_give_their_reason() -> None:
    """A blind `except` is allowed where its line says why."""
    bare = [
        f"{path}:{number}"
        for path, text in texts().items()
        if path.startswith("src/")
        for number, line in enumerate(text.splitlines(), 1)
        if "noqa: BLE001" in line and len(line.split("BLE001", 1)[1].strip()) < 20
    ]
    assert not bare, bare
