"""Our verifier held against the official client's `construct_event`, its clock frozen."""

from collections.abc import Callable
from typing import Any

import pytest
from elevenlabs import webhooks_custom
from elevenlabs.core.api_error import ApiError

from agentic_memory.platforms.elevenlabs.signature import sign, verify
from tests.unit.elevenlabs.payloads import AFTER_CALL, body

NOW = 1_790_000_000
SECRET = "wsec_peer"
Accepts = Callable[[Any, str], bool]


class FrozenTime:
    def time(self) -> float:
        return float(NOW)


@pytest.fixture
def sdk_accepts(monkeypatch: pytest.MonkeyPatch) -> Accepts:
    monkeypatch.setattr(webhooks_custom, "time", FrozenTime())

    def accepts(raw: Any, header: str) -> bool:
        client = object.__new__(webhooks_custom.WebhooksClient)
        try:
            client.construct_event(raw, header, SECRET)
        except ApiError:
            return False
        return True

    return accepts


def we_accept(raw: bytes, header: str) -> bool:
    return verify(raw, header, [SECRET], NOW).ok


@pytest.mark.parametrize("name", AFTER_CALL)
def test_the_client_accepts_what_we_sign(name: str, sdk_accepts: Accepts) -> None:
    raw = body(name)
    assert sdk_accepts(raw.decode(), sign(raw, SECRET, NOW))


@pytest.mark.parametrize("age", [0, 60, 1799, 1800, 1801, 86_400, -200])
def test_both_agree_on_age(age: int, sdk_accepts: Accepts) -> None:
    raw = body("audio")
    header = sign(raw, SECRET, NOW - age)
    assert sdk_accepts(raw.decode(), header) == we_accept(raw, header)


@pytest.mark.parametrize("change", [str.upper, lambda h: h[:-1] + "x", lambda h: ",".join(h.split(",")[::-1]), lambda h: h.split(",")[0], lambda h: ""])
def test_both_agree_on_changed_headers(change: Callable[[str], str], sdk_accepts: Accepts) -> None:
    raw = body("audio")
    header = change(sign(raw, SECRET, NOW))
    assert sdk_accepts(raw.decode(), header) == we_accept(raw, header)


def test_we_refuse_the_far_future_and_it_does_not(sdk_accepts: Accepts) -> None:
    raw = body("audio")
    header = sign(raw, SECRET, NOW + 11 * 86_400)
    assert sdk_accepts(raw.decode(), header)
    assert not we_accept(raw, header)


def test_we_take_bytes_and_it_never_matches_them(sdk_accepts: Accepts) -> None:
    raw = body("audio")
    header = sign(raw, SECRET, NOW)
    assert not sdk_accepts(raw, header)
    assert we_accept(raw, header)


def test_we_bear_spaces_and_it_does_not(sdk_accepts: Accepts) -> None:
    raw = body("audio")
    header = sign(raw, SECRET, NOW).replace(",", ", ")
    assert not sdk_accepts(raw.decode(), header)
    assert we_accept(raw, header)


def test_we_look_at_every_signature_and_it_at_the_last(sdk_accepts: Accepts) -> None:
    raw = body("audio")
    header = sign(raw, SECRET, NOW) + ",v0=00"
    assert not sdk_accepts(raw.decode(), header)
    assert we_accept(raw, header)


def test_it_crashes_on_a_timestamp_that_is_no_number(sdk_accepts: Accepts) -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        sdk_accepts("{}", "t=soon,v0=00")
    assert verify(b"{}", "t=soon,v0=00", [SECRET], NOW).reason == "malformed"
