"""Facts from what the platform reported of a call: its data collection and its summary."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from agentic_memory.domain.call import Call, CollectedValue
from agentic_memory.domain.caller import NameSource
from agentic_memory.domain.memory import Category, Evidence, Fact
from agentic_memory.domain.naming import reported_name
from agentic_memory.domain.neutral import commands
from agentic_memory.domain.sensitivity import is_secret, is_secret_field, masked, sensitivity
from agentic_memory.domain.wording import comparable, email_word, one_line, plain, word_set
from agentic_memory.engine.extract.contact import email_in
from agentic_memory.engine.extract.cues import CHANNELS, channel
from agentic_memory.engine.extract.language import language_of, language_tag

MAX_SUMMARY = 300
MAX_VALUE = 200

_EMPTY = word_set(
    "|none|null|nil|undefined|unknown|unspecified|n/a|na|-|nan|not provided|not given|not specified|not mentioned|"
    "not available|not collected|not stated|not applicable|no value|empty|tbd|[]|{}|ninguno|ninguna|nulo|"
    "desconocido|no especificado|no proporcionado|no mencionado|no disponible",
    "|",
)
_PREFIXES = word_set("user users user's caller callers customer customers client clients usuario cliente contact's")
_PASSING = word_set("consent session comfort rating score satisfaction sentiment mood emotion emotional tone attitude animo sentimiento test agent call timestamp outcome")


@dataclass(frozen=True, slots=True)
class Field:
    """A data-collection field that is known by its name: what slot it fills, and how it reads."""

    slot: str
    category: Category
    template: str
    read: Callable[[str], str | None] = plain


_NO_MATTER = frozenset({"either", "any", "no preference", "no preferences", "both", "sin preferencia", "cualquiera"})
_BY = {"e mail": "email", "text message": "text message", "call": "phone", "llamada": "phone", "texto": "text message"}


def _contact(value: str) -> str | None:
    words = email_word(comparable(value))
    return None if words in _NO_MATTER else _BY.get(words) or channel(words)


NAME = Field("name", Category.NAME, "User's name is {}", reported_name)
_EMAIL = Field("email", Category.CONTACT, "User's email address is {}", email_in)
_PHONE = Field("phone", Category.CONTACT, "User's phone number is {}")
_PREFERRED = Field("preferred_contact", Category.PREFERENCE, "User prefers {}", _contact)
_LANGUAGE = Field("language", Category.PREFERENCE, "User's language is {}")
_ADDRESS = Field("address", Category.PLACE, "User's address is {}")
_CITY = Field("city", Category.PLACE, "User's city is {}")
_BIRTHDAY = Field("birthday", Category.DATE, "User's birthday is {}")
_COMPANY = Field("company", Category.PROFILE, "User's company is {}")
_JOB = Field("occupation", Category.PROFILE, "User's occupation is {}")

FIELDS: dict[str, Field] = {
    id_: field
    for field, ids in (
        (NAME, "name|full name|fullname|caller name|complete name|display name|nombre|nombre completo|real name"),
        (_EMAIL, "email|email address|mail|e mail|contact email|correo|correo electronico|new email|new email address"),
        (_PHONE, "phone|phone number|telephone|callback|callback number|callback phone|mobile|mobile number|"
                 "cell|cell phone|contact number|contact phone|telefono|numero de telefono|movil|celular"),
        (_PREFERRED, "preferred contact|contact preference|preferred channel|preferred contact method|contact method|"
                     "preferred communication|communication preference|preferred method of contact|"
                     "preferred contact channel|channel preference|contacto preferido|canal preferido"),
        (_LANGUAGE, "language|preferred language|spoken language|language preference|idioma|idioma preferido"),
        (_ADDRESS, "address|home address|street address|postal address|mailing address|direccion|domicilio"),
        (_CITY, "city|town|home city|ciudad|home town|city of residence"),
        (_BIRTHDAY, "birthday|birthdate|birth date|date of birth|dob|fecha de nacimiento|cumpleanos"),
        (_COMPANY, "company|company name|employer|organization|organisation|empresa|compania"),
        (_JOB, "occupation|job|job title|profession|ocupacion|profesion|trabajo"),
    )
    for id_ in ids.split("|")
}  # fmt: skip
_GIVEN = frozenset({"first name", "given name", "firstname", "primer nombre", "nombre de pila"})
_FAMILY = frozenset({"last name", "family name", "surname", "lastname", "apellido", "apellidos"})


def reported_facts(call: Call) -> Iterator[Fact]:
    """Data collection in its order, the name joined from its parts, then the summary."""
    given = [(c, readable_id(c.field), _text(c)) for c in call.collected]
    filled = [(c, words, text) for c, words, text in given if text and _may_be_kept(words, text)]
    yield from _joined_name(filled, call)
    for collected, words, text in filled:
        if words not in _GIVEN | _FAMILY:
            yield from _collected(collected, words, text, call)
    yield from _summary(call)


def readable_id(field: str) -> str:
    """A data-collection id as words: "callerName" and "user_caller-name" as "caller name" and so on."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", plain(field))
    words = re.sub(r"[\W_]+", " ", spaced).strip().lower().split()
    if len(words) > 1 and words[0] in _PREFIXES:
        words = words[1:]
    return one_line(" ".join(words), 60)


def _text(collected: CollectedValue) -> str:
    value = collected.value
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = re.sub(r"^(['\"])(.*)\1$", r"\2", one_line(str(value), MAX_VALUE)).strip()
    return "" if text.strip(" .").casefold() in _EMPTY else text


def _may_be_kept(words: str, text: str) -> bool:
    """Whether a field holds neither a secret nor what reads as a command to the agent."""
    secret = is_secret_field(words) or is_secret(text) or is_secret(f"{words}: {text}")
    return not (secret or commands(text))


def _joined_name(filled: Iterable[tuple[CollectedValue, str, str]], call: Call) -> Iterator[Fact]:
    """One name of a first and a last one, unless a field has it whole."""
    fields = list(filled)
    if any(FIELDS.get(words) is NAME and reported_name(text) for _, words, text in fields):
        return
    first = next(((c, t) for c, words, t in fields if words in _GIVEN), None)
    last = next((t for _, words, t in fields if words in _FAMILY), "")
    if first:
        yield from _typed(NAME, first[0], f"{first[1]} {last}".strip(), call)


def _collected(collected: CollectedValue, words: str, text: str, call: Call) -> Iterator[Fact]:
    known = FIELDS.get(words)
    if known:
        yield from _typed(known, collected, text, call)
    elif words:
        passing = set(words.split()) & _PASSING
        yield Fact(
            text=f"User's {words}: {text}", category=Category.OTHER, evidence=_evidence(collected, call),
            slot=words.replace(" ", "_"), value=text, language=language_of(text, call.language),
            importance=0.2 if passing else 0.5, sensitivity=sensitivity(words, text),
        )


def _typed(field: Field, collected: CollectedValue, text: str, call: Call) -> Iterator[Fact]:
    value = field.read(text)
    if not value:
        return
    shown = value
    if field is _LANGUAGE:
        value = language_tag(value) or value
    if field is _PREFERRED and value in CHANNELS.values():
        shown = f"{value} updates"
    yield Fact(
        text=email_word(field.template.format(shown)), category=field.category,
        evidence=_evidence(collected, call), slot=field.slot, value=value, language="en", importance=0.9,
        sensitivity=sensitivity(shown),
        strength=int(NameSource.DATA_COLLECTION) if field is NAME else 0,
    )


def _evidence(collected: CollectedValue, call: Call) -> Evidence:
    return Evidence(call.conversation_id, field=f"data_collection.{collected.field}")


def _summary(call: Call) -> Iterator[Fact]:
    text = one_line(masked(call.summary or ""), MAX_SUMMARY)
    if text.strip(" .").casefold() not in _EMPTY and any(c.isalnum() for c in text):
        yield Fact(
            text=text, category=Category.SUMMARY, evidence=Evidence(call.conversation_id, field="summary"),
            language=language_of(text, call.language), importance=0.5, sensitivity=sensitivity(text),
        )
