"""Nobody's words, name or number goes into a log line."""

import ast
from collections.abc import Iterator

import pytest

from agentic_memory.telemetry import PERSONAL
from tests.house.source import calls

LEVELS = ("debug", "info", "warning", "error", "critical", "exception", "log")


def _log_calls() -> Iterator[tuple[str, ast.Call]]:
    for where, call in calls():
        if _is_log(call):
            yield where, call


def _is_log(call: ast.Call) -> bool:
    function = call.func
    if not isinstance(function, ast.Attribute) or function.attr not in LEVELS:
        return False
    speaker = ast.unparse(function.value).lower()
    return speaker.split(".")[-1] in {"log", "_log", "logger", "_logger"}


def _problem(call: ast.Call) -> str | None:
    """What a log call does that it must not; None when it is clean."""
    if len(call.args) != 1:
        return "an event name and keywords only"
    if not (isinstance(call.args[0], ast.Constant) and isinstance(call.args[0].value, str)):
        return "an event's name is a literal, so that it can be found and says nothing of anybody"
    for keyword in call.keywords:
        if keyword.arg is None or keyword.arg in PERSONAL:
            return f"{keyword.arg or '**'} may be personal"
        if isinstance(keyword.value, ast.Call) and ast.unparse(keyword.value.func) in {"str", "repr"} and keyword.arg != "outcome":
            return f"{keyword.arg}: a message may quote somebody; log a code"
    return None


def _call(source: str) -> ast.Call:
    node = ast.parse(source).body[0]
    assert isinstance(node, ast.Expr)
    assert isinstance(node.value, ast.Call)
    return node.value


@pytest.mark.parametrize(
    "source",
    [
        "log.info('call_remembered', caller_id=person)",
        "log.info(f'remembered {person}')",
        "log.info('remembered', **fields)",
        "log.info('remembered %s', person)",
        "log.error('failed', cause=str(error))",
    ],
)
def test_a_line_that_tells_too_much_is_seen(source: str) -> None:
    assert _is_log(_call(source))
    assert _problem(_call(source))


def test_no_log_line_may_hold_personal_data() -> None:
    lines = list(_log_calls())
    # telemetry.py itself hands events on to the standard library's logger.
    found = [
        f"{where}: {problem}"
        for where, call in lines
        if "telemetry.py" not in where and (problem := _problem(call))
    ]
    assert len(lines) > 10, "the scan finds no log lines any more"
    assert not found, "\n".join(found)
