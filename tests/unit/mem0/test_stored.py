"""Whatever Mem0 answers, reading it gives a value or a typed error."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentic_memory.backends.mem0_cloud.rebuilding import known
from agentic_memory.backends.mem0_cloud.stored import Stored, instant, stored
from agentic_memory.backends.mem0_cloud.writing import Taught, call_metadata, taught_in, turn_of
from agentic_memory.engine.extract.rules import RuleExtractor
from agentic_memory.errors import MemoryServiceUnavailable
from tests.unit.extract.calls import dialogue

ANA = "+15550100001"
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
fields = ("id", "memory", "text", "user_id", "run_id", "session_id", "metadata", "score", "created_at", "updated_at")
held = ("type", "record", "conversation_id", "started_at", "timestamp", "call", "facts", "turns", "forgotten", "edited", "digest", "event", "agent_id")
metadata = st.dictionaries(st.sampled_from(held), anything | st.sampled_from(["factual", "call", "turns"]), max_size=8)
memories = st.fixed_dictionaries({"id": st.text(min_size=1, max_size=5), "memory": st.text(max_size=40)}, optional={"metadata": metadata | anything, **dict.fromkeys(fields[3:6], anything), "score": anything, "created_at": anything})


@given(anything)
def test_reading_any_json_gives_memories_or_a_typed_error(value: Any) -> None:
    try:
        found = list(stored(value, ANA))
    except MemoryServiceUnavailable:
        return
    assert all(isinstance(m, Stored) and m.id for m in found)


@given(st.lists(memories | anything, max_size=6))
def test_compiling_any_memories_gives_a_caller_or_nobody(value: list[Any]) -> None:
    found = known("default", ANA, stored({"results": value}, ANA))
    if found is not None:
        assert found.records.caller.caller_id == ANA
        assert found.records.caller.brief is not None
        assert found.records.caller.call_count == len(found.records.calls)


def test_a_memory_of_somebody_else_is_never_read() -> None:
    value = {"results": [{"id": "1", "memory": "x", "user_id": "+15550100002"}, {"id": "2", "memory": "y", "user_id": ANA}]}
    assert [m.id for m in stored(value, ANA)] == ["2"]


@pytest.mark.parametrize(
    ("given_", "seconds"),
    [
        ("2026-07-10T06:13:12-07:00", 1_783_689_192.0), ("2026-07-10T13:13:12Z", 1_783_689_192.0), ("2026-07-10T13:13:12", 1_783_689_192.0),
        (1_783_689_192, 1_783_689_192.0), ("yesterday", 0.0), (None, 0.0), (True, 0.0), (10**400, 0.0), (float("nan"), 0.0),
    ],
)  # fmt: skip
def test_timestamps_in_any_form(given_: object, seconds: float) -> None:
    assert instant(given_) == seconds


def test_a_calls_record_is_read_as_it_was_written() -> None:
    call = dialogue("A: Who is it?", "C: My name is Ana. I prefer email updates.", summary="Ana introduced herself.")
    whole = Taught(call, RuleExtractor().extract(call), {"mem_1": 5.0}, digest="d", event="e")
    read = taught_in(call_metadata(whole))
    assert read is not None
    assert (read.facts, read.forgotten, read.digest, read.event) == (whole.facts, {"mem_1": 5.0}, "d", "e")
    assert read.call.summary == call.summary


@pytest.mark.parametrize("turns", [None, [], {"x": 1}, {"": [1]}, "turns", {"2d711642b726": [1, 2]}])
def test_a_turn_that_nobody_names_is_none(turns: object) -> None:
    assert turn_of({"turns": turns}, "x") is None


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("User's name is Stefan", "Stefan"), ("Name is María José.", "María José"), ("The caller's name is Ana", "Ana"),
        ("User prefers email", ""), ("User's daughter's name is Anna", ""), ("User's name is None", ""),
    ],
)  # fmt: skip
def test_names_that_other_software_left(text: str, name: str) -> None:
    found = known("default", ANA, [Stored("1", text, metadata={"conversation_id": "c1"})])
    assert found is not None
    brief = found.records.caller.brief
    assert brief is not None
    assert brief.caller_name == name
