"""What a cue is: a pattern that a clause must begin with, and the sentence it becomes."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from agentic_memory.domain.memory import Category
from agentic_memory.domain.sensitivity import NUMBER_WORD
from agentic_memory.engine.extract.clauses import Clause

MAX_WORDS = 24


@dataclass(frozen=True, slots=True)
class Said:
    """A fact in the words of the clause it was found in."""

    text: str
    category: Category
    slot: str | None = None
    value: str | None = None
    importance: float = 0.6


Tell = Callable[[re.Match[str], Clause], Said | None]


@dataclass(frozen=True, slots=True)
class Cue:
    """A pattern over a clause from its beginning, and what it tells."""

    pattern: re.Pattern[str]
    tell: Tell


def cue(pattern: str, tell: Tell) -> Cue:
    """A cue whose pattern must match the whole clause, whatever its capitals."""
    return Cue(re.compile(rf"(?:{pattern})[\s,.!…]*", re.IGNORECASE), tell)


def heard(cues: Sequence[Cue], clause: Clause) -> Iterator[Said]:
    """What the first matching cue makes of the clause: at most one fact."""
    for each in cues:
        match = each.pattern.fullmatch(clause.said)
        if match:
            said = each.tell(match, clause)
            if said:
                yield said
            return


def trimmed(words: str, endings: re.Pattern[str], conditions: re.Pattern[str]) -> str | None:
    """The object of a cue without politeness behind it; None when a condition hangs on it."""
    line = words.strip(" ,.;:!…")
    while True:
        shorter = endings.sub("", line).strip(" ,.;:!…")
        if shorter == line:
            break
        line = shorter
    if not line or conditions.search(line) or len(line.split()) > MAX_WORDS:
        return None
    return line


FIGURE = re.compile(rf"\d|\b(?:{NUMBER_WORD})\b", re.IGNORECASE)
"""A digit or a number in words."""
_WRITTEN_TO = re.compile(r"@|\b(?:at|dot|arroba|punto)\b", re.IGNORECASE)


def is_address(said: str) -> bool:
    """Whether it may be a street with a number, and no email address."""
    return bool(FIGURE.search(said)) and not _WRITTEN_TO.search(said)


CHANNELS = {
    "email": "email", "emails": "email", "email updates": "email", "updates by email": "email",
    "mail": "mail", "post": "mail", "letters": "mail",
    "phone": "phone", "phone calls": "phone", "calls": "phone", "the phone": "phone", "telephone": "phone",
    "a phone call": "phone", "a call": "phone", "phone updates": "phone", "to be called": "phone",
    "text": "text message", "texts": "text message", "text messages": "text message",
    "sms": "text message", "sms updates": "text message", "text updates": "text message",
    "whatsapp": "whatsapp", "whatsapp messages": "whatsapp", "whatsapp updates": "whatsapp",
    "el correo": "email", "correo": "email", "el correo electrónico": "email", "correo electrónico": "email",
    "correos": "email", "el email": "email", "por correo": "email", "por correo electrónico": "email",
    "el teléfono": "phone", "teléfono": "phone", "llamadas": "phone", "las llamadas": "phone",
    "por teléfono": "phone", "el whatsapp": "whatsapp", "por whatsapp": "whatsapp",
    "mensajes": "text message", "los mensajes": "text message", "mensajes de texto": "text message",
}  # fmt: skip
"""Ways to be reached, as they are said, with the value of the slot `preferred_contact`."""


WAYS = {
    "email": "email updates", "mail": "letters", "phone": "phone calls", "text message": "text messages",
    "whatsapp": "WhatsApp messages",
}  # fmt: skip
"""The values of `preferred_contact` in words."""


def channel(said: str) -> str | None:
    """The way to be reached that these words name, and nothing else; None for any other words."""
    words = re.sub(r"^(?:to be contacted |to get |getting |by |via |que me contacten )", "", said.casefold())
    return CHANNELS.get(words)
