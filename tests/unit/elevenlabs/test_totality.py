"""Any bytes in, events or a PayloadError out, and whatever comes out can be stored."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from agentic_memory.domain.delivery import CallEnded, NothingToRemember
from agentic_memory.engine.identity import PhoneBook
from agentic_memory.errors import PayloadError
from agentic_memory.platforms.elevenlabs.platform import ElevenLabs
from tests.unit.elevenlabs.payloads import AFTER_CALL, document

PLATFORM = ElevenLabs(max_turns=50, max_text_chars=500)
BOOK = PhoneBook(("+15550199001",))
DOCUMENTS = [document(name) for name in AFTER_CALL]
TEXTS = st.text(max_size=20) | st.sampled_from(["", "None", "user", "anonymous", "\ud800", "+15550199001", "[", "{'value': 1}", "post_call_audio"])
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | TEXTS | st.sampled_from([10**400, -(2**63), 1e308])
KEYS = st.sampled_from(["type", "data", "transcript", "metadata", "analysis", "role", "message", "value", "phone_call"]) | TEXTS
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=12)


def check(body: bytes) -> None:
    PLATFORM.envelope(body)
    try:
        events = PLATFORM.parse(body, "default", 1_790_000_000.0)
    except PayloadError as error:
        str(error).encode()
        return
    assert events
    for event in events:
        msgspec.json.encode(event)
        if isinstance(event, CallEnded):
            assert BOOK.person(event.call.hints, None) != "+15550199001"
        if isinstance(event, NothingToRemember):
            BOOK.normalise(event.person)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every (container, key) in a JSON value."""
    keys = value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in list(keys):
        yield value, key
        yield from places(value[key])


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes(body: bytes) -> None:
    check(body)


@settings(deadline=None)
@given(VALUES)
def test_any_json(value: Any) -> None:
    check(json.dumps(value).encode())


@settings(deadline=None)
@given(VALUES, st.sampled_from(["post_call_transcription", "post_call_audio", "call_initiation_failure", "post_call_transcription_otel"]))
def test_any_data_of_a_known_type(value: Any, type_: str) -> None:
    check(json.dumps({"type": type_, "event_timestamp": 5, "data": value}).encode())


@settings(deadline=None)
@given(st.data())
def test_fixtures_with_a_subtree_replaced(data: st.DataObject) -> None:
    value = copy.deepcopy(data.draw(st.sampled_from(DOCUMENTS)))
    for _ in range(data.draw(st.integers(1, 3))):
        spots = list(places(value))
        container, key = spots[data.draw(st.integers(0, len(spots) - 1))]
        container[key] = data.draw(VALUES)
    check(json.dumps(value).encode())


@settings(deadline=None)
@given(st.sampled_from(DOCUMENTS), st.data())
def test_fixtures_with_bytes_changed(value: Any, data: st.DataObject) -> None:
    body = bytearray(json.dumps(value).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    check(bytes(body))


@settings(deadline=None)
@given(st.sampled_from(DOCUMENTS), st.integers(0, 10_000))
def test_fixtures_cut_short(value: Any, length: int) -> None:
    check(json.dumps(value).encode()[:length])
