"""Who the person is: telephone numbers made one form, and the one right answer out of many hints."""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

from agentic_memory.domain.caller import Direction, IdentityHints
from agentic_memory.domain.initiation import Ring

MAX_ID_CHARS = 256

WITHHELD_WORDS = frozenset({
    "anonymous", "anonymouscaller", "asserted", "blocked", "callerunknown", "false", "hidden", "na",
    "nan", "nil", "nocallerid", "nocallinglineid", "none", "nonumber", "notavailable", "notprovided",
    "null", "outofarea", "private", "privatecaller", "privatenumber", "redacted", "restricted", "true",
    "unassigned", "unavailable", "undefined", "unknown", "unknowncaller", "unknownnumber", "withheld",
    "withheldnumber",
})
"""What stands in the place of a number, letters and digits alone."""

_KEYPAD = str.maketrans("abcdefghijklmnopqrstuvwxyz", "22233344455566677778889999")
_SPELLED = ("anonymous", "restricted", "blocked", "unknown", "unavailable", "private", "withheld")
WITHHELD_NUMBERS = frozenset({word.translate(_KEYPAD) for word in _SPELLED} | {"464"})
"""Twilio spells the reason on the keypad in place of a number: +266696687 is ANONYMOUS."""

_CLEAN = re.compile(r"\+[1-9][0-9]{7,14}")
_NUMBER = re.compile(r"\(?\+?[0-9(][0-9 ()./\-]*")
_UNSTORABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029]")
_SHARED = re.compile(r"\{\{|[*\u2022]{2}")
"""`{{a_variable}}` that nobody filled in and `+1555***0001`: the same for several people."""
_SCHEMES = ("sip:", "sips:", "tel:", "whatsapp:", "callto:")


class PhoneBook:
    """Normalises numbers, and knows which ones are our own."""

    def __init__(self, own_numbers: tuple[str, ...] = (), default_region: str = "") -> None:
        """`default_region`: two-letter country of numbers without a country code; empty: none."""
        self._region = default_region.strip().upper()
        self._own = frozenset(n for raw in own_numbers if (n := self.normalise(raw)) is not None)

    def normalise(self, raw: str | None) -> str | None:
        """The caller id that `raw` stands for: E.164, or what is no number as given; None for nobody.

        A number is one when its length is possible: whether it is assigned does not matter. Nobody are
        withheld and placeholder values, and what cannot be an id: over 256 characters, control
        characters. The same person's id normalised again is itself.
        """
        if raw is None:
            return None
        if _CLEAN.fullmatch(raw):
            return None if raw[1:] in WITHHELD_NUMBERS else raw
        return self._normalised(raw, self._region)

    def is_own(self, caller_id: str | None) -> bool:
        """Whether a normalised id is one of our own numbers."""
        return caller_id in self._own

    def person_at_ring(self, ring: Ring) -> str | None:
        """The person in a ring: `called_number` where `caller_id` is our own number (outbound)."""
        caller = self._international(ring.caller_id) if ring.call_sid == "" else self.normalise(ring.caller_id)
        if not self.is_own(caller):
            return caller
        called = self.normalise(ring.called_number)
        return None if self.is_own(called) else called

    def person(self, hints: IdentityHints, remembered: str | None) -> str | None:
        """The person of a finished call: what the ring noted, else the strongest hint; None for nobody.

        Our own numbers are never the person, nor is our side of this very call: where OWN_NUMBERS is not
        set, a ring of an outbound call was noted for our number, and the payload mends it. A phone call whose number was withheld is only given to a
        hint that is a real number: any weaker name (a constant user id, say) might be shared by all
        callers who withhold theirs.
        """
        ours = self._own | {self.normalise(hints.agent_number), None}
        strong = (self.normalise(remembered), self.normalise(hints.external_number))
        for candidate in strong:
            if candidate not in ours:
                return candidate
        is_withheld = hints.external_number is not None
        for candidate in self._weaker(hints):
            if candidate not in ours and (_is_e164(candidate) or not is_withheld):
                return candidate
        return None

    def _weaker(self, hints: IdentityHints) -> Iterator[str | None]:
        """What each further hint stands for, the strongest first."""
        yield self._international(hints.messaging_id)
        yield self.normalise(hints.user_id)
        yield self.normalise(hints.own_caller_id)
        yield self._by_system_variables(hints)
        yield self.normalise(hints.legacy_number)
        yield self.normalise(hints.bridge_number)

    def _by_system_variables(self, hints: IdentityHints) -> str | None:
        """`system__caller_id`; on outbound calls that is our number, and the person was called."""
        caller = self.normalise(hints.system_caller_id)
        outbound = hints.direction is Direction.OUTBOUND
        if outbound or (hints.direction is Direction.UNKNOWN and self.is_own(caller)):
            return self.normalise(hints.system_called_number)
        return caller

    def _international(self, raw: str | None) -> str | None:
        """Messaging ids are whole numbers without their `+`: the default region is none of theirs."""
        return None if raw is None else self._normalised(raw, "")

    def _normalised(self, raw: str, region: str) -> str | None:
        text = raw.strip()
        if not 0 < len(text) <= MAX_ID_CHARS or _UNSTORABLE.search(text):
            return None
        bare = _bare(text)
        if _is_nobody(bare):
            return None
        found = _e164(bare, region) or text
        return None if found.removeprefix("+") in WITHHELD_NUMBERS else found


def _is_e164(caller_id: str | None) -> bool:
    return caller_id is not None and _CLEAN.fullmatch(caller_id) is not None


def _bare(text: str) -> str:
    """What is inside `"Name" <sip:...@host;params>`, `tel:` and the like, with plain digits."""
    text = "".join(c for c in unicodedata.normalize("NFKC", text) if unicodedata.category(c) != "Cf")
    text = "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in text)
    if "<" in text and text.endswith(">"):
        text = text.rpartition("<")[2][:-1] or text
    text = text.strip()
    scheme = next((s for s in _SCHEMES if text.casefold().startswith(s)), None)
    if scheme is None:
        return text
    user = text[len(scheme) :].lstrip("/").partition(";")[0].partition("@")[0]
    return user.replace("%2B", "+").replace("%2b", "+").strip()


def _is_nobody(bare: str) -> bool:
    """Withheld, a placeholder, a masked number, an unfilled template, or nothing but zeros."""
    if _SHARED.search(bare):
        return True
    user, _, host = bare.casefold().partition("@")
    if host and (host.endswith(".invalid") or user in _SPELLED):
        bare = user
    letters = "".join(c for c in bare.casefold() if c.isalnum())
    return letters.strip("0") == "" or letters in WITHHELD_WORDS or letters in WITHHELD_NUMBERS


@lru_cache(maxsize=4096)
def _e164(bare: str, region: str) -> str | None:
    """The number in E.164, or None for what is none.

    Without a plus sign and without a region only bare digits count: they are a whole number as
    messaging ids give them. With a region, digits that are possible there belong there.
    """
    if not _NUMBER.fullmatch(bare):
        return None
    digits = "".join(c for c in bare if c.isdigit())
    if "+" in bare:
        return _possible(f"+{digits}", None)
    if digits.startswith("00"):
        return _possible(f"+{digits[2:]}", None)
    if region and (found := _possible(digits, region)):
        return found
    return _possible(f"+{digits}", None) if bare == digits else None


def _possible(text: str, region: str | None) -> str | None:
    import phonenumbers as numbers  # 20 ms and 3 MB, needed for other than clean numbers only

    try:
        number = numbers.parse(text, region)
    except numbers.NumberParseException:
        return None
    reason = numbers.is_possible_number_with_reason(number)
    if reason != numbers.ValidationResult.IS_POSSIBLE:
        return None
    return str(numbers.format_number(number, numbers.PhoneNumberFormat.E164))
