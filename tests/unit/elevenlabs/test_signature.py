import hashlib
import hmac

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentic_memory.platforms.elevenlabs.platform import ElevenLabs
from agentic_memory.platforms.elevenlabs.signature import plausible, sign, verify

BODY = b'{"type": "post_call_transcription", "text": "caf\\u00e9"}'
NOW = 1_790_000_000
SECRET, OTHER = "wsec_first", "wsec_second"


def header(at: int = NOW, secret: str = SECRET) -> str:
    return sign(BODY, secret, at)


def test_the_digest_is_over_timestamp_dot_raw_body() -> None:
    expected = hmac.new(SECRET.encode(), f"{NOW}.".encode() + BODY, hashlib.sha256).hexdigest()
    assert header() == f"t={NOW},v0={expected}"


def test_accepts_what_was_signed() -> None:
    assert verify(BODY, header(), [SECRET], NOW).ok
    assert verify(BODY, header(), [SECRET], NOW).reason == ""


def test_signs_bytes_that_are_no_text() -> None:
    odd = b"\xff\x00\xfe"
    assert verify(odd, sign(odd, SECRET, NOW), [SECRET], NOW).ok


@pytest.mark.parametrize("rearranged", ["{v}, {t}", " {t} ,  {v} ", "{t},v1=abc,{v}", "{t},v0=00,{v}", "{v},v0=00,{t},"])
def test_order_spaces_and_further_values_do_not_matter(rearranged: str) -> None:
    t, v = header().split(",")
    assert verify(BODY, rearranged.format(t=t, v=v), [SECRET], NOW).ok


def test_any_of_several_secrets_may_have_signed() -> None:
    assert verify(BODY, header(secret=OTHER), [SECRET, OTHER], NOW).ok
    assert verify(BODY, header(secret=SECRET), [SECRET, OTHER], NOW).ok


def test_any_of_several_signatures_may_match() -> None:
    ours, theirs = header(), header(secret=OTHER).split(",")[1]
    assert verify(BODY, f"{ours},{theirs}", [OTHER], NOW).ok
    assert verify(BODY, f"{ours},{theirs}", [SECRET], NOW).ok


@pytest.mark.parametrize(
    ("age", "reason"),
    [(0, ""), (1800, ""), (1801, "stale"), (-300, ""), (-301, "future"), (-950_400, "future")],
)
def test_age(age: int, reason: str) -> None:
    assert verify(BODY, header(NOW - age), [SECRET], NOW).reason == reason


def test_tolerance_and_skew_are_given() -> None:
    assert verify(BODY, header(NOW - 2700), [SECRET], NOW, tolerance=2700).ok
    assert verify(BODY, header(NOW + 1), [SECRET], NOW, skew=0).reason == "future"
    assert ElevenLabs(tolerance=60).verify(BODY, header(NOW - 61), [SECRET], NOW).reason == "stale"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "missing"),
        ("  ", "missing"),
        ("v0=ab", "malformed"),
        (f"t={NOW}", "malformed"),
        (f"t={NOW},v0=", "malformed"),
        (f"t={NOW},t={NOW + 1},v0=ab", "malformed"),
        ("t=soon,v0=ab", "malformed"),
        ("t=-5,v0=ab", "malformed"),
        ("t=1.5,v0=ab", "malformed"),
        ("t=" + "9" * 400 + ",v0=ab", "malformed"),
        ("t=١٧٩٠٠٠٠٠٠٠,v0=ab", "malformed"),
        (f"t={NOW},v0=ab" + "," * 1_000_000, "malformed"),
        (f"t={NOW},v0=\ud800", "malformed"),
        (f"t={NOW},v0=ab", "mismatch"),
        (f"t={NOW},v0=" + "AB" * 32, "mismatch"),
    ],
)
def test_bad_headers_have_a_reason(text: str, reason: str) -> None:
    check = verify(BODY, text, [SECRET], NOW)
    assert (check.ok, check.reason) == (False, reason)


def test_a_changed_body_or_timestamp_or_secret_does_not_match() -> None:
    assert verify(BODY + b" ", header(), [SECRET], NOW).reason == "mismatch"
    assert verify(BODY, header().replace(str(NOW), str(NOW - 1)), [SECRET], NOW).reason == "mismatch"
    assert verify(BODY, header(), [OTHER], NOW).reason == "mismatch"


@pytest.mark.parametrize("secrets", [[], [""]])
def test_without_a_secret_nothing_is_accepted(secrets: list[str]) -> None:
    assert verify(BODY, sign(BODY, "", NOW), secrets, NOW).reason == "no_secret"


def test_plausible_asks_for_form_and_freshness_alone() -> None:
    assert plausible(f"t={NOW},v0=ab", NOW).ok
    assert plausible(f"t={NOW - 1801},v0=ab", NOW).reason == "stale"
    assert ElevenLabs(skew=5).plausible(f"t={NOW + 5},v0=ab", NOW) is True
    assert ElevenLabs(skew=5).plausible(f"t={NOW + 6},v0=ab", NOW) is False


def test_a_check_in_a_condition_means_what_it_says() -> None:
    assert plausible(f"t={NOW},v0=ab", NOW)
    assert not plausible("", NOW)


@settings(deadline=None)
@given(st.binary(max_size=50), st.text(max_size=80), st.lists(st.text(max_size=5), max_size=3), st.integers(0, 2**40))
def test_total_over_anything(body: bytes, text: str, secrets: list[str], now: int) -> None:
    check = verify(body, text, secrets, now)
    assert check.ok is False
    assert check.reason in {"missing", "malformed", "stale", "future", "mismatch", "no_secret"}


@settings(deadline=None)
@given(st.binary(max_size=200), st.text(min_size=1, max_size=20), st.integers(0, 10**12))
def test_what_sign_makes_verifies(body: bytes, secret: str, now: int) -> None:
    assert verify(body, sign(body, secret, now), [secret], now).ok
