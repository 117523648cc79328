import re
from collections.abc import Iterator

import pytest

from agentic_memory import errors
from agentic_memory.errors import AgenticMemoryError, InvalidField, SettingsError, TooLarge
from agentic_memory.interfaces.problems import problem, status_of

LINE = re.compile(r"^([│├└─ ]*)([A-Z]\w+)(.*)$", re.MULTILINE)
FIELD = re.compile(r"\{(\w+)\}")


def family(kind: type[AgenticMemoryError] = AgenticMemoryError) -> Iterator[type[AgenticMemoryError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from family(child)


def drawn() -> dict[str, tuple[str | None, str]]:
    """Name -> (parent, remark), as the tree at the top of errors.py draws it."""
    found: dict[str, tuple[str | None, str]] = {}
    path: list[str] = []
    tree = (errors.__doc__ or "").split("\n\n")[1]
    for branch, name, remark in LINE.findall(tree):
        depth = len(branch) // 4
        path[depth:] = [name]
        found[name] = (path[depth - 1] if depth else None, remark.strip())
    return found


ALL = list(family())


def test_the_tree_that_is_drawn_is_the_tree_that_is() -> None:
    real = {
        kind.__name__: None if kind is AgenticMemoryError else kind.__bases__[0].__name__
        for kind in ALL
    }
    assert {name: parent for name, (parent, _) in drawn().items()} == real


def test_what_the_drawing_says_of_retries_is_so() -> None:
    for kind in ALL:
        remark = drawn()[kind.__name__][1]
        if "not retryable" in remark:
            assert not kind.retryable, kind
        elif "retryable" in remark:
            assert kind.retryable, kind


def test_what_the_drawing_says_of_statuses_is_so() -> None:
    for kind in ALL:
        status = re.search(r"\b[45]\d\d\b", drawn()[kind.__name__][1])
        if status:
            assert status_of(kind()) == int(status[0]), kind


@pytest.mark.parametrize("kind", ALL, ids=lambda k: k.__name__)
def test_a_docstring_is_the_message(kind: type[AgenticMemoryError]) -> None:
    fields = {name: f"<<{name}>>" for name in FIELD.findall(kind.__doc__ or "")}
    error = kind(**fields)
    assert error.message
    assert "\n" not in error.message
    assert not FIELD.search(error.message)
    assert all(value in error.message for value in fields.values())
    assert str(error) == error.message


def test_a_field_that_was_forgotten_does_not_break_the_message() -> None:
    assert InvalidField(field="limit").message == "Invalid limit: expected <expected>"


def test_a_value_with_braces_is_left_alone() -> None:
    error = SettingsError(name="PORT", problem="'{x}' is not a whole number", example="8000")
    assert error.message == "PORT: '{x}' is not a whole number. Example: PORT=8000"


def test_fields_are_kept() -> None:
    assert TooLarge(limit=10).fields == {"limit": 10}


@pytest.mark.parametrize("kind", ALL, ids=lambda k: k.__name__)
def test_an_answer_tells_no_more_than_a_client_may_know(kind: type[AgenticMemoryError]) -> None:
    fields = dict.fromkeys(FIELD.findall(kind.__doc__ or ""), "hidden-detail")
    answer = problem(kind(**fields))
    assert answer.content_type == "application/json"
    assert answer.body.startswith(b'{"error":"')
    if not kind.public:
        assert b"hidden-detail" not in answer.body
        assert answer.status in {500, 503}
