"""What every voice platform keeps: hostile bytes and headers give a value or a typed error, never a crash."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentic_memory.domain.delivery import AudioRecorded, CallEnded, NothingToRemember
from agentic_memory.errors import PayloadError
from agentic_memory.platforms.elevenlabs.platform import ElevenLabs
from agentic_memory.platforms.elevenlabs.signature import sign
from agentic_memory.ports import Platform
from tests.wire import START, post_call

PLATFORMS: dict[str, tuple[Platform, Any, bytes]] = {
    "elevenlabs": (ElevenLabs(), sign, post_call("conv_1", turns=[("agent", "Hello"), ("user", "I am Ana")])),
}
NOW = float(START)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.sampled_from(["type", "data", "transcript", "metadata", "analysis", "conversation_id", "x"]), inner, max_size=5),
    ),
    max_leaves=12,
)
BODIES = st.one_of(st.binary(max_size=200), JSON.map(lambda value: json.dumps(value).encode()))


@pytest.fixture(params=PLATFORMS)
def wire(request: pytest.FixtureRequest) -> tuple[Platform, Any, bytes]:
    return PLATFORMS[request.param]


@pytest.mark.parametrize("name", PLATFORMS)
def test_it_says_its_name(name: str) -> None:
    assert PLATFORMS[name][0].name == name


def test_what_it_signed_is_accepted_with_any_of_the_secrets(wire: tuple[Platform, Any, bytes]) -> None:
    platform, sign_, body = wire
    header = sign_(body, "new", START)
    assert platform.verify(body, header, ["old", "new"], NOW).ok
    assert platform.verify(body, header, ["new"], NOW).reason == ""


@pytest.mark.parametrize("change", [lambda b: b + b" ", lambda b: b.replace(b": ", b":", 1), lambda b: b[:-1]])
def test_one_changed_byte_is_refused(wire: tuple[Platform, Any, bytes], change: Any) -> None:
    platform, sign_, body = wire
    check = platform.verify(change(body), sign_(body, "secret", START), ["secret"], NOW)
    assert not check.ok
    assert check.reason


def test_nothing_is_accepted_without_a_secret_or_out_of_time(wire: tuple[Platform, Any, bytes]) -> None:
    platform, sign_, body = wire
    header = sign_(body, "secret", START)
    assert not platform.verify(body, header, [], NOW).ok
    assert not platform.verify(body, sign_(body, "", START), [""], NOW).ok
    assert not platform.verify(body, header, ["secret"], NOW + 86_400).ok
    assert not platform.verify(body, header, ["secret"], NOW - 86_400).ok


def test_what_has_no_signature_cannot_be_mended(wire: tuple[Platform, Any, bytes]) -> None:
    platform, sign_, body = wire
    for header in ("", " ", "t=,v0=", "signed", sign_(body, "secret", START).partition(",")[0]):
        for secrets in ([], ["secret"]):
            check = platform.verify(body, header, secrets, NOW)
            assert not check.ok
            assert not check.mendable
    for secrets, at in (([], NOW), (["another"], NOW), (["secret"], NOW + 86_400), (["secret"], NOW - 86_400)):
        assert platform.verify(body, sign_(body, "secret", START), secrets, at).mendable


def test_a_recording_is_known_without_being_read(wire: tuple[Platform, Any, bytes]) -> None:
    platform, _, body = wire
    assert not platform.is_recording(body)
    for odd in (b"", b"{}", b"[]", b"\xff", b'{"type": 7}'):
        assert not platform.is_recording(odd)
    recording = {"type": "post_call_audio", "data": {"conversation_id": "conv_1", "full_audio": "AAAA"}}
    assert platform.is_recording(json.dumps(recording).encode())


def test_a_finished_call_is_read(wire: tuple[Platform, Any, bytes]) -> None:
    platform, _, body = wire
    (event,) = platform.parse(body, "default", NOW)
    assert isinstance(event, CallEnded)
    assert event.call.platform == platform.name
    assert event.call.tenant == "default"
    assert platform.envelope(body).conversation_id == event.call.conversation_id == "conv_1"


@pytest.mark.parametrize("name", PLATFORMS)
@settings(max_examples=150, deadline=None)
@given(body=BODIES, header=st.text(max_size=80))
def test_any_bytes_give_a_value_or_a_typed_error(name: str, body: bytes, header: str) -> None:
    platform = PLATFORMS[name][0]
    assert not platform.verify(body, header, ["secret"], NOW).ok
    platform.envelope(body)
    try:
        events = platform.parse(body, "default", NOW)
    except PayloadError:
        return
    assert events
    assert all(isinstance(event, CallEnded | AudioRecorded | NothingToRemember) for event in events)
    assert platform.parse(body, "default", NOW) == events
