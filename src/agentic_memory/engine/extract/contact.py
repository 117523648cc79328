"""Email addresses and telephone numbers, as they are written and as they are spelled out."""

import re

from agentic_memory.domain.sensitivity import NUMBER_WORD
from agentic_memory.domain.wording import plain, straight

MAX_LOCAL = 80

_ADDRESS = re.compile(r"(?<![\w@.+-])[\w.+-]{1,64}@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,4}(?![\w@-])", re.IGNORECASE)
_SPOKEN = re.compile(
    r"(?P<local>.*?)\s+(?:at|arroba)\s+"
    r"(?P<domain>[a-z0-9-]+(?:(?:\s+(?:dot|punto)\s+|\.)[a-z0-9-]+){1,3})(?!\w)(?P<after>.*)",
    re.IGNORECASE,
)
_SIGN_WORD = r"(?:dot|punto|underscore|gui[oó]n bajo|dash|hyphen|gui[oó]n|plus)"
_PART = r"(?:[a-z0-9+_-]{2,}|[a-z0-9](?:[\s,]+[a-z0-9])+|[a-z0-9](?=\s+(?:dot|punto|underscore|gui|dash|hyphen|plus)|\.)|(?<=[\s.])[a-z0-9])"
_LOCAL = re.compile(rf"{_PART}(?:(?:\s+{_SIGN_WORD}\s+|\.){_PART}){{0,4}}", re.IGNORECASE)
"""A word, or letters said one by one, with signs between: nothing else is an address that can be trusted."""
_BEFORE = re.compile(
    r"(?:(?:it's|it is|its|that's|that is|that would be|is|yes|yeah|yep|sure|okay|ok|so|well|uh|um|of course|the address is|the email is"
    r"|my (?:new |current |work |personal )?e-?mail(?: address)?(?: is|'s)|no|now|(?:please )?use|usen|usa|mejor|es|sí|si|claro|bueno|pues|sería|mi (?:nuevo )?(?:correo|e-?mail)"
    r"(?: electr[oó]nico)? es|el correo es)\b[\s,:.]*)+",
    re.IGNORECASE,
)
_AFTER = re.compile(
    r"\s*(?:$|[,.;!?]\s|[.!?]$|(?:and|but|please|thanks|thank you|okay|ok|all|from now on|now|y|pero|por favor|gracias|todo|a partir de ahora|ahora)\b)", re.IGNORECASE
)
_NUMBER_WORDS = re.compile(rf"(?:{NUMBER_WORD}|teens?|hundred)", re.IGNORECASE)
_NOT_THEIRS = re.compile(
    r"\b(?:not|don't|no longer|never|isn't|instead|wrong|old|assistant|secretary|boss|wife|husband|son|daughter|mother|father|brother"
    r"|sister|friend|colleague|his|her|their|no (?:es|lo|la|use)|viejo|antiguo|asistente|jefe|jefa|mujer|marido|hij[oa])\b",
    re.IGNORECASE,
)
_NOT_TO_BE_USED = re.compile(
    r"\b(?:(?:don't|do not|never) (?:use|call|ring|dial|text|try)|not that|instead|wrong number|(?:is|isn't|'s) (?:my )?old|no longer"
    r"|doesn't work|disconnected|no (?:lo |la |me )?(?:use|usen|llame|llamen|marque|sirve|funciona)|en vez|ya no)\b",
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
    return _spelled(straight(plain(text)))


def _spelled(line: str) -> str | None:
    """An address said in words, where all of the words before "at" belong to it."""
    spoken = _SPOKEN.fullmatch(line)
    if not spoken or not _AFTER.match(spoken["after"]) or _SPOKEN.search(spoken["after"]):
        return None
    local, domain = spoken["local"].strip(" ,:"), spoken["domain"]
    filler = _BEFORE.match(local)
    local = local[filler.end() :] if filler else local
    if len(local) > MAX_LOCAL or not _LOCAL.fullmatch(local) or _NUMBER_WORDS.fullmatch(local):
        return None
    for pattern, sign in _SIGNS:
        local, domain = pattern.sub(sign, local), pattern.sub(sign, domain)
    local = re.sub(r"[\s,]+", "", local)
    whole = len(local) > 1 and re.search(r"\.[a-z]{2,}$", domain, re.IGNORECASE)
    return f"{local}@{domain}".lower() if whole else None


def email_answered(said: str) -> str | None:
    """The address in an answer to the question for theirs; None where it is said to be another's or no good."""
    return None if _NOT_THEIRS.search(_ADDRESS.sub(" ", straight(said))) else email_in(said)


def usable_phone(text: str) -> bool:
    """Whether nothing in a turn speaks against the number in it."""
    return not _NOT_TO_BE_USED.search(straight(text))


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
    return email_answered(said[cue.end() :]) if cue else None


def own_phone(said: str) -> str | None:
    """The number that the speaker calls theirs, or asks to be called at."""
    cue = _OWN_PHONE.search(straight(said))
    return phone_in(said[cue.end() :]) if cue else None
