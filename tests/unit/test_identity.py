import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentic_memory.domain.caller import Direction, IdentityHints
from agentic_memory.domain.initiation import Ring
from agentic_memory.engine.identity import PhoneBook

OURS, ANA, BEN, CY = "+15550199001", "+15550100001", "+15550100002", "+15550100003"
BOOK = PhoneBook((OURS,))
IN, OUT = Direction.INBOUND, Direction.OUTBOUND


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (ANA, ANA),
        (f"  {ANA}\n", ANA),
        ("+1 (555) 010-0001", ANA),
        ("+1.555.010.0001", ANA),
        ("(+1) 555 010 0001", ANA),
        ("15550100001", ANA),
        ("0015550100001", ANA),
        ("00 1 555 010 0001", ANA),
        ("sip:+15550100001@trunk.example.com;user=phone", ANA),
        ('"Ana" <sip:%2B15550100001@trunk.example.com>', ANA),
        ("SIPS:15550100001@trunk.example.com", ANA),
        ("tel:+1-555-010-0001;phone-context=x", ANA),
        ("whatsapp:+15550100001", ANA),
        ("\u202a+15550100001\u202c", ANA),
        ("+1\u00a0555\u00a00100001", ANA),
        ("\uff0b\uff11\uff15\uff15\uff15\uff10\uff11\uff10\uff10\uff10\uff10\uff11", ANA),
        ("+\u0661\u0665\u0665\u0665\u0660\u0661\u0660\u0660\u0660\u0660\u0661", ANA),
        ("+44 (0)20 7946 0001", "+442079460001"),
        ("+33 1 99 00 00 01", "+33199000001"),
    ],
)
def test_numbers_have_one_form(raw: str, expected: str) -> None:
    assert BOOK.normalise(raw) == expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("crm-42", "crm-42"),
        (" user_01HZX ", "user_01HZX"),
        ("ana@example.com", "ana@example.com"),
        ("sip:ana@example.com", "sip:ana@example.com"),
        ("agent 15550100001", "agent 15550100001"),
        ("2001", "2001"),
        ("+1555", "+1555"),
        ("(555) 010-0001", "(555) 010-0001"),
        ("José", "José"),
        ("anonymous-fox-17", "anonymous-fox-17"),
        ("x" * 256, "x" * 256),
    ],
)
def test_what_is_no_number_stays_as_given(raw: str, expected: str) -> None:
    assert BOOK.normalise(raw) == expected


@pytest.mark.parametrize(
    "raw",
    [
        *[None, "", "  ", "anonymous", "ANONYMOUS", " Anonymous ", "an on ymous", "unknown", "Unknown Caller", "restricted", "private", "Private Number", "unavailable", "withheld", "None", "null", "N/A", "undefined", "No Caller ID", "out-of-area", "blocked"],
        *["+266696687", "266696687", "+7378742833", "+2562533", "+8656696", "+86282452253", "+464", "464", "0086282452253", "sip:266696687@x.example"],
        *["sip:anonymous@anonymous.invalid", '"Anonymous" <sip:anonymous@anonymous.invalid>', "anonymous@10.0.0.1", "SIP:Restricted@trunk.example.com", "tel:anonymous"],
        *["<REDACTED>", "[redacted]", "{{system__caller_id}}", "+1555***0001", "0", "+0", "0000000000", "-", "+", "?"],
        *["x" * 257, "+1555\x000100001", "a\nb", "\ud800", "\u2028"],
    ],
)
def test_nobody(raw: str | None) -> None:
    assert BOOK.normalise(raw) is None


@pytest.mark.parametrize(
    ("raw", "region", "expected"),
    [
        ("(555) 010-0001", "US", ANA),
        ("5550100001", "us", ANA),
        ("15550100001", "US", ANA),
        ("011 44 20 7946 0001", "US", "+442079460001"),
        ("020 7946 0001", "GB", "+442079460001"),
        ("+15550100001", "GB", ANA),
        ("493023125001", "US", "+493023125001"),
    ],
)
def test_the_default_region_completes_a_number(raw: str, region: str, expected: str) -> None:
    assert PhoneBook(default_region=region).normalise(raw) == expected


@settings(deadline=None)
@given(st.text(max_size=40) | st.text(alphabet="+0123456789 ()-.:;@sipteland<>*", max_size=24), st.sampled_from(["", "US", "DE", "XX"]))
def test_total_and_stable(raw: str, region: str) -> None:
    book = PhoneBook((OURS,), region)
    once = book.normalise(raw)
    if once is not None:
        once.encode()
        assert once == once.strip() != ""
        assert len(once) <= 256
        assert book.normalise(once) == once


def test_own_numbers_in_any_form() -> None:
    book = PhoneBook(("1 555 019 9001", "+1 555 019 9002", "anonymous"), "US")
    assert book.is_own("+15550199001")
    assert book.is_own("+15550199002")
    assert not book.is_own(ANA)
    assert not book.is_own(None)


@pytest.mark.parametrize(
    ("ring", "person"),
    [
        (Ring(ANA, OURS, call_sid="CA"), ANA),
        (Ring(OURS, BEN, call_sid="CA"), BEN),
        (Ring(OURS), None),
        (Ring(OURS, OURS), None),
        (Ring(OURS, "anonymous"), None),
        (Ring("", OURS), None),
        (Ring("Anonymous", OURS), None),
        (Ring("15550100001", "109900000000", call_sid=""), ANA),
        (Ring("web-user-77"), "web-user-77"),
    ],
)
def test_the_person_at_the_ring(ring: Ring, person: str | None) -> None:
    assert BOOK.person_at_ring(ring) == person


def test_a_messaging_id_is_international_whatever_the_region() -> None:
    book = PhoneBook(default_region="DE")
    assert book.person_at_ring(Ring("15550100001", "1099", call_sid="")) == ANA
    assert book.person(IdentityHints(messaging_id="15550100001"), None) == ANA


@pytest.mark.parametrize(
    ("hints", "remembered", "person"),
    [
        (IdentityHints(IN, external_number=BEN), ANA, ANA),
        (IdentityHints(IN, external_number=ANA, user_id="crm-42"), None, ANA),
        (IdentityHints(IN, external_number=ANA, own_caller_id=BEN, system_caller_id=CY), None, ANA),
        (IdentityHints(messaging_id="15550100001", user_id="crm-42"), None, ANA),
        (IdentityHints(user_id="crm-42", own_caller_id=ANA), None, "crm-42"),
        (IdentityHints(own_caller_id=ANA, system_caller_id=BEN), None, ANA),
        (IdentityHints(IN, system_caller_id=ANA, legacy_number=BEN), None, ANA),
        (IdentityHints(OUT, system_caller_id=CY, system_called_number=ANA), None, ANA),
        (IdentityHints(OUT, system_caller_id=CY), None, None),
        (IdentityHints(system_caller_id=OURS, system_called_number=ANA), None, ANA),
        (IdentityHints(system_caller_id=ANA, system_called_number=OURS), None, ANA),
        (IdentityHints(legacy_number=ANA, bridge_number=BEN), None, ANA),
        (IdentityHints(bridge_number="15550100001"), None, ANA),
        (IdentityHints(user_id="None", own_caller_id="", system_caller_id="unknown", legacy_number="null"), None, None),
        (IdentityHints(), None, None),
    ],
)
def test_the_order_of_hints(hints: IdentityHints, remembered: str | None, person: str | None) -> None:
    assert BOOK.person(hints, remembered) == person


@pytest.mark.parametrize(
    ("hints", "remembered", "person"),
    [
        (IdentityHints(IN, external_number=OURS, user_id=ANA), None, ANA),
        (IdentityHints(OUT, external_number=ANA), OURS, ANA),
        (IdentityHints(IN, system_caller_id=OURS), None, None),
        (IdentityHints(legacy_number=OURS), None, None),
        (IdentityHints(OUT, external_number=ANA, agent_number=CY), CY, ANA),
        (IdentityHints(IN, system_caller_id=CY, agent_number=CY), None, None),
    ],
)
def test_our_own_side_is_never_the_person(hints: IdentityHints, remembered: str | None, person: str | None) -> None:
    assert BOOK.person(hints, remembered) == person


@pytest.mark.parametrize("withheld", ["", "anonymous", "Restricted", "+266696687", "sip:anonymous@anonymous.invalid"])
def test_a_withheld_call_is_nobodys_unless_a_number_is_known(withheld: str) -> None:
    shared = {"user_id": "widget", "legacy_number": "desk", "bridge_number": "2001"}
    assert BOOK.person(IdentityHints(IN, external_number=withheld, system_caller_id=withheld, **shared), None) is None
    assert BOOK.person(IdentityHints(IN, external_number=withheld, system_caller_id=OURS, agent_number=OURS), None) is None
    assert PhoneBook().person(IdentityHints(IN, external_number=withheld, system_caller_id=CY, agent_number=CY), None) is None
    assert PhoneBook().person(IdentityHints(IN, external_number=withheld, system_called_number=CY), None) is None
    assert BOOK.person(IdentityHints(IN, external_number=withheld, user_id=ANA), None) == ANA
    assert BOOK.person(IdentityHints(IN, external_number=withheld), ANA) == ANA


HINT = st.none() | st.sampled_from([OURS, ANA, BEN, "crm-42", "anonymous", "", "15550199001", "sip:+15550199001@x"]) | st.text(max_size=10)
HINTS = st.builds(IdentityHints, st.sampled_from(Direction), *[HINT] * 9)


@settings(deadline=None)
@given(HINTS, HINT)
def test_no_hints_make_our_number_a_person(hints: IdentityHints, remembered: str | None) -> None:
    person = BOOK.person(hints, remembered)
    assert person != OURS
    assert person is None or BOOK.normalise(person) == person


def test_clean_numbers_need_no_metadata() -> None:
    code = (
        "import sys; from agentic_memory.engine.identity import PhoneBook;"
        f"b = PhoneBook(({OURS!r},)); assert b.normalise({ANA!r}) == {ANA!r}; assert 'phonenumbers' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
