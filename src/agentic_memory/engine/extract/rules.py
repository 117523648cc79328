"""The default extractor: rules alone, no model, no I/O, the same facts every time."""

import re
from collections.abc import Iterator

from agentic_memory.domain.call import Call, Role, Turn
from agentic_memory.domain.memory import Category, Evidence, Fact
from agentic_memory.domain.neutral import commands
from agentic_memory.domain.retracted import Kept, without_retracted
from agentic_memory.domain.sensitivity import is_secret, sensitivity
from agentic_memory.domain.wording import comparable
from agentic_memory.engine.extract import english, spanish
from agentic_memory.engine.extract.clauses import clauses, sentences
from agentic_memory.engine.extract.contact import (
    email_answered,
    own_email,
    own_phone,
    phone_in,
    usable_phone,
)
from agentic_memory.engine.extract.cues import FIGURE, Said, heard
from agentic_memory.engine.extract.language import language_of
from agentic_memory.engine.extract.names import MAX_TURN, heard_turns, own_name
from agentic_memory.engine.extract.reported import NAME, reported_facts

_ASKS_EMAIL = re.compile(r"\b(?:your|the|su|tu|el) (?:new |nuevo |best )?(?:e-?mail|correo)\b[^.!]*\?", re.IGNORECASE)
_ASKS_PHONE = re.compile(
    r"\b(?:your|su|tu|what|best) (?:new |nuevo |best |callback |contact |cell |mobile )?"
    r"(?:phone|telephone|number|tel[eé]fono|n[uú]mero de tel[eé]fono|callback number|m[oó]vil)\b[^.!]*\?",
    re.IGNORECASE,
)
_IRONY = re.compile(
    r"\byeah,? right\b|\boh,? (?:great|wonderful|fantastic|lovely|perfect)\b|\bthanks for nothing\b|\bjust what i needed\b|\bsarcas\w+"
    r"|\b(?:sí|ya),? claro\b|\bclaro,? cómo no\b|\bqué (?:maravilla|bonito),|\blo que me faltaba\b",
    re.IGNORECASE,
)
"""Marks of irony: what is liked in such a turn is not liked."""


class RuleExtractor:
    """Finds facts by what the platform reported and by what the caller said in so many words.

    Prefers missing a fact to inventing one: what was said stays searchable word by word.
    """

    def extract(self, call: Call) -> tuple[Fact, ...]:
        """Reported facts first, then the name, then what was said in the order of the turns.

        Every quote is verbatim in its turn. Nothing is learnt from a call in which no person spoke.
        """
        if not call.is_learnable:
            return ()
        return tuple(_distinct(self._facts(call)))

    def _facts(self, call: Call) -> Iterator[Fact]:
        kept = without_retracted(call.turns)
        yield from (f for f in reported_facts(call) if not _taken_back(f, kept))
        yield from _named(call, kept)
        for turn, before in heard_turns(kept.turns):
            yield from _stated(turn, before, call)


def _distinct(facts: Iterator[Fact]) -> Iterator[Fact]:
    """The facts without those that only say again what came before in the same call."""
    seen: set[tuple[str, str]] = set()
    for fact in facts:
        key = (fact.slot or fact.category.value, comparable(fact.value if fact.slot and fact.value else fact.text))
        if key not in seen:
            seen.add(key)
            yield fact


def _taken_back(fact: Fact, kept: Kept) -> bool:
    """Whether a reported value is one that the caller said and took back."""
    value = comparable(fact.value or "")
    if not fact.slot or not value or value not in comparable(kept.taken_back):
        return False
    return not any(value in comparable(t.text) for t in kept.turns if t.role is Role.CALLER)


def _named(call: Call, kept: Kept) -> Iterator[Fact]:
    named = own_name(kept.turns)
    if named:
        yield Fact(
            text=NAME.template.format(named.text), category=Category.NAME, slot="name", value=named.text,
            evidence=_evidence(named.turn, named.quote, call), language="en", importance=0.9,
            strength=int(named.source),
        )


def _stated(turn: Turn, before: str, call: Call) -> Iterator[Fact]:
    text = turn.text if len(turn.text) <= MAX_TURN else turn.text[:MAX_TURN].rpartition(" ")[0]
    secret = is_secret(text)
    facts = (*_reachable(text, turn, before, call), *_said(text, turn, call))
    ironic = bool(_IRONY.search(text))
    yield from (f for f in facts if not (ironic and f.category is Category.PREFERENCE) and not ((secret and _may_tell(f)) or commands(f.text)))


def _may_tell(fact: Fact) -> bool:
    """Whether a fact of a turn that holds a secret may hold a part of it."""
    return bool(FIGURE.search(fact.text)) or is_secret(fact.text) or is_secret(fact.evidence.quote or "")


def _said(text: str, turn: Turn, call: Call) -> Iterator[Fact]:
    for clause in clauses(text):
        for language, cues, apposed in (("en", english.CUES, english.apposed), ("es", spanish.CUES, spanish.apposed)):
            said = [*heard(cues, clause)]
            passing = apposed(clause)
            if passing and passing.text not in {s.text for s in said}:
                said.append(passing)
            for each in said:
                yield _fact(each, _evidence(turn, clause.quote, call), language)


def _reachable(text: str, turn: Turn, before: str, call: Call) -> Iterator[Fact]:
    """Email address and telephone number: called theirs, or given when asked for."""
    asks_email, asks_phone = _ASKS_EMAIL.search(before), _ASKS_PHONE.search(before)
    usable = usable_phone(text)
    for sentence in sentences(text):
        said = sentence.text
        email = own_email(said) or (email_answered(said) if asks_email else None)
        phone = own_phone(said) or (phone_in(said) if asks_phone else None)
        phone = phone if usable else None
        if not (email or phone):
            continue
        language = language_of(said, call.language)
        evidence = _evidence(turn, said, call)
        if email:
            yield _fact(Said(f"User's email address is {email}", Category.CONTACT, "email", email, 0.9), evidence, language)
        if phone:
            yield _fact(Said(f"User's phone number is {phone}", Category.CONTACT, "phone", phone, 0.9), evidence, language)


def _fact(said: Said, evidence: Evidence, language: str | None) -> Fact:
    return Fact(
        text=said.text, category=said.category, evidence=evidence, slot=said.slot, value=said.value,
        language=language, importance=said.importance, sensitivity=sensitivity(said.text),
    )


def _evidence(turn: Turn, quote: str, call: Call) -> Evidence:
    return Evidence(call.conversation_id, turn=turn.index, quote=quote, offset=turn.offset)
