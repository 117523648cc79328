"""Email addresses and telephone numbers, as they are written and as they are spelled out."""

import re

from agentic_memory.domain.wording import plain, straight

_ADDRESS = re.compile(r"(?<![\w@.+-])[\w.+-]{1,64}@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,4}(?![\w@-])", re.IGNORECASE)
_SPOKEN = re.compile(
    r"(?P<local>[\w+-]+(?:(?:\s+(?:dot|punto|underscore|guion bajo|guión bajo|dash|hyphen|guion|guión|plus)\s+|\.)[\w+-]+){0,4})"
    r"\s+(?:at|arroba)\s+"
    r"(?P<domain>[a-z0-9-]+(?:(?:\s+(?:dot|punto)\s+|\.)[a-z0-9-]+){1,3})(?!\w)",
    re.IGNORECASE,
)
_SIGNS = (
    (re.compile(r"\s+(?:dot|punto)\s+", re.IGNORECASE), "."),
    (re.compile(r"\s+(?:underscore|gui[oó]n bajo)\s+", re.IGNORECASE), "_"),
    (re.compile(r"\s+(?:dash|hyphen|gui[oó]n)\s+", re.IGNORECASE), "-"),
    (re.compile(r"\s+plus\s+", re.IGNORECASE), "+"),
)
_DIGITS = {
    "zero": "0", "oh": "0", "o": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6",
    "seven": "7", "eight": "8", "nine": "9", "cero": "0", "uno": "1", "dos": "2", "tres": "3", "cuatro": "4",
    "cinco": "5", "seis": "6", "siete": "7", "ocho": "8", "nueve": "9",
}  # fmt: skip
_TIMES = {"double": 2, "triple": 3, "doble": 2}
_OWN_EMAIL = re.compile(
    r"\b(?:my (?:new |current |best |personal |work )?e[- ]?mail(?: address)?(?: is|'s)|"
    r"(?:you can )?(?:e[- ]?mail|reach|contact) me (?:at|on)|"
    r"mi (?:nuevo )?(?:correo(?: electr[oó]nico)?|e-?mail|direcci[oó]n de correo)(?: electr[oó]nico)? (?:es|ahora es))\s*:?\s*",
    re.IGNORECASE,
)
_OWN_PHONE = re.compile(
    r"\b(?:my (?:new |current |cell |mobile |home |work |best )?(?:phone |telephone |cell |cell phone |mobile |contact |callback )?"
    r"(?:number|phone|mobile|cell)(?: is|'s)|(?:you can )?(?:call|reach|ring|text) me (?:back )?(?:at|on)|"
    r"mi (?:nuevo )?(?:n[uú]mero(?: de (?:tel[eé]fono|m[oó]vil))?|tel[eé]fono|m[oó]vil|celular) (?:es|ahora es)( el)?)\s*:?\s*",
    re.IGNORECASE,
)


def email_in(text: str) -> str | None:
    """The one email address in `text`, written or spelled ("omar at example dot com"); None for none or several."""
    written = _ADDRESS.findall(text)
    if written:
        return str(written[0]).lower().rstrip(".-") if len(written) == 1 else None
    spoken = _SPOKEN.search(straight(plain(text)))
    if not spoken:
        return None
    local, domain = spoken["local"], spoken["domain"]
    for pattern, sign in _SIGNS:
        local, domain = pattern.sub(sign, local), pattern.sub(sign, domain)
    return f"{local}@{domain}".lower() if re.search(r"\.[a-z]{2,}$", domain, re.IGNORECASE) else None


def phone_in(text: str) -> str | None:
    """The telephone number that `text` begins with: digits, written or said one by one; None for fewer than 7."""
    digits, times = "", 1
    for word in re.findall(r"\+|\d+|[^\W\d_]+", text):
        if word == "+" or word.lower() in {"plus", "más"}:
            digits += "" if digits else "+"
        elif word.lower() in _TIMES:
            times = _TIMES[word.lower()]
        elif word.isdigit() or word.lower() in _DIGITS:
            digits += _DIGITS.get(word.lower(), word) * times
            times = 1
        elif digits.strip("+") or word.lower() not in {"it's", "is", "es", "el", "the"}:
            break
    return digits if 7 <= len(digits.strip("+")) <= 15 and digits.strip("+").isascii() else None


def own_email(said: str) -> str | None:
    """The address that the speaker calls theirs."""
    cue = _OWN_EMAIL.search(straight(said))
    return email_in(said[cue.end() :]) if cue else None


def own_phone(said: str) -> str | None:
    """The number that the speaker calls theirs, or asks to be called at."""
    cue = _OWN_PHONE.search(straight(said))
    return phone_in(said[cue.end() :]) if cue else None
