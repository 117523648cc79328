import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentic_memory.domain.delivery import Envelope, dedupe_key
from agentic_memory.platforms.elevenlabs.envelope import envelope
from tests.unit.elevenlabs.payloads import body, wire

NOTHING = Envelope()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("sip_inbound_tools", Envelope("post_call_transcription", "conv_tools", 1_790_000_130)),
        ("inbound_without_event_timestamp", Envelope("post_call_transcription", "conv_short_names", None)),
        ("audio", Envelope("post_call_audio", "conv_web", 1_790_000_140)),
        ("initiation_failure_sip", Envelope("call_initiation_failure", "conv_silent", 1_790_000_000)),
        ("otel_history", Envelope("post_call_transcription_otel", "conv_otel", 1_790_000_100)),
        ("unknown_type", Envelope("answering_machine_report", "conv_amd", 1_790_000_000)),
        ("array_of_one", Envelope("post_call_transcription", "conv_array", 1_790_000_130)),
        ("array_of_two", NOTHING),
        ("typeless", Envelope(None, "conv_legacy", None)),
        ("flat_pairs", Envelope(None, "conv_flat", None)),
        ("odd_turns", NOTHING),  # a lone surrogate is unreadable to the fast path: the body is the key
    ],
)
def test_fields(name: str, expected: Envelope) -> None:
    assert envelope(body(name)) == expected


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"null",
        b"7",
        b'"text"',
        b"[]",
        b"[1]",
        b'{"type": "a"',
        b'{"type": "a"} trailing',
        b'{"type": "a", "cost": NaN}',
        b'{"type": "\xff"}',
        b"\xef\xbb\xbf{}",
        b'{"data": ' + b"[" * 100_000,
        b'{"cost": ' + b"[" * 100_000,
        b"[" * 100_000,
        b'{"type": "a", "data": [1]}',
    ],
)
def test_odd_bodies_have_no_fields(raw: bytes) -> None:
    assert envelope(raw) == NOTHING


@pytest.mark.parametrize("odd", [None, 1.5, True, [], {}, "", " ", "a\u0000b", "\ud800", "x" * 257])
def test_odd_names_are_none_and_the_other_fields_stand(odd: object) -> None:
    raw = wire({"type": odd, "event_timestamp": 5, "data": {"conversation_id": "c"}})
    assert envelope(raw).type is None
    if odd != "\ud800":  # which makes the whole body unreadable here, not to the parser
        assert envelope(raw) == Envelope(None, "c", 5)


@pytest.mark.parametrize("odd", [None, "5", 5.0, True, -1, 2**63, 10**30, [5]])
def test_odd_timestamps_are_none(odd: object) -> None:
    assert envelope(wire({"type": "a", "event_timestamp": odd})) == Envelope("a", None, None)


def test_the_same_event_in_other_bytes_has_the_same_key() -> None:
    once = wire({"type": "a", "event_timestamp": 5, "data": {"conversation_id": "c", "cost": 1}})
    again = wire({"data": {"cost": 2, "conversation_id": "c"}, "event_timestamp": 5, "type": "a"})
    assert dedupe_key(envelope(once), once) == dedupe_key(envelope(again), again)


def test_bodies_with_a_missing_field_are_told_apart_by_their_bytes() -> None:
    one, other = body("array_of_two"), body("flat_pairs")
    assert dedupe_key(envelope(one), one) == dedupe_key(envelope(one), one)
    assert dedupe_key(envelope(one), one) != dedupe_key(envelope(other), other)


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_total_over_any_bytes(raw: bytes) -> None:
    assert isinstance(envelope(raw), Envelope)


@settings(deadline=None)
@given(st.text(alphabet='{}[]":,\\ typedatconvrsi_0123ud8', max_size=80))
def test_total_over_what_nearly_is_json(text: str) -> None:
    assert isinstance(envelope(text.encode()), Envelope)
