"""The brief: what an agent is told about a caller when the phone rings, compiled at hang-up."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from agentic_memory.domain.memory import Category, Memory, Sensitivity
from agentic_memory.domain.neutral import fence, neutral
from agentic_memory.domain.preference import preference_aloud
from agentic_memory.domain.retention import is_expired
from agentic_memory.domain.sensitivity import masked, sensitivity

if TYPE_CHECKING:
    from agentic_memory.domain.call import Call
    from agentic_memory.domain.caller import Caller

CONTEXT_LIMIT = 1200
"""Characters of a brief's context, about 300 tokens."""
SUMMARY_LIMIT = 200
NAME_LIMIT = 60
NEW_CALLER_CONTEXT = "CALLER CONTEXT: New caller, no previous interactions."

_STATEMENT_LIMIT = 100
_ITEM_LIMIT = 160
_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
_SENTENCE_END = re.compile(r"(?<=[.!?…])[\"'\u201d\u2019)]*\s+(?=[\"'\u201c\u2018(¿¡]*[^\W\d_a-z])")
_ABBREVIATION = re.compile(r"(?:\b(?:mr|mrs|ms|dr|prof|st|sr|sra|dra|ud|uds|no|vs|etc|approx)|\b\w)\.$", re.IGNORECASE)
_MOODS = frozenset({"sentiment", "mood", "emotion", "emotional", "tone", "attitude", "animo", "sentimiento"})
_PREFERENCES = (Category.PREFERENCE, Category.DISLIKE)
_OPEN = (Category.PROMISE, Category.INTENT)
# A slot with a line of its own, and summaries, which stand with their calls.
_NO_FACTS = (*_PREFERENCES, *_OPEN, Category.NAME, Category.SUMMARY)


@dataclass(frozen=True, slots=True)
class Brief:
    """All that `/client-data` needs of a caller, ready to be said."""

    caller_name: str = ""
    """The display name, whole, as known; empty if unknown. A greeting says the given name of it."""
    memory_count: int = 0
    memory_summary: str = ""
    """The most recent or most important memory, one line."""
    context: str = ""
    """The memory block: plain text of at most about 300 tokens, fenced and already neutral."""
    greeting_preference: str = ""
    """A preference that may be said aloud: "email updates"; empty if there is none."""
    last_call_at: float = 0.0
    language: str = ""
    """BCP 47 primary tag, empty if unknown."""
    greeting_preference_language: str = ""
    """Primary tag of the preference's own words."""


def compile_brief(caller: "Caller", calls: "Sequence[Call]", memories: Sequence[Memory]) -> Brief:
    """The brief of one caller. Pure: the same records, in any order, give the same brief.

    `calls` need their headings only. Memories that are superseded, or had expired by the last call,
    are left out. Sensitive ones may stand in the context, for the agent to know; they are never the
    preference of a greeting, and the summary only where there is nothing else.
    """
    name = neutral(caller.name.text, NAME_LIMIT) if caller.name else ""
    newest_first = sorted(calls, key=lambda c: (c.started_at, c.conversation_id), reverse=True)
    current = [m for m in memories if m.is_current and not is_expired(m, caller.last_call_at) and not _is_mood(m)]
    preference = preference_aloud(current, name)
    summary = _memory_summary(name, newest_first, current)
    return Brief(
        caller_name=name,
        memory_count=caller.call_count,
        memory_summary=summary,
        context=_context(caller, name, newest_first, current),
        greeting_preference=preference.phrase if preference else "",
        last_call_at=caller.last_call_at,
        language=primary_tag(caller.language or ""),
        greeting_preference_language=preference.language if preference else "",
    )


def context_header(count: int) -> str:
    """The first line of the memory block."""
    if count < 1:
        return NEW_CALLER_CONTEXT
    noun = "interaction" if count == 1 else "interactions"
    return f"CALLER CONTEXT: This caller has {count} previous {noun}"


def in_words(at: float) -> str:
    """The UTC day of a time: "3 May 2026"; empty for no time and for what no calendar holds."""
    if not 0 < at < 32503680000:  # the year 3000
        return ""
    day = datetime.fromtimestamp(at, UTC)
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


@lru_cache(256)
def primary_tag(language: str) -> str:
    """`es` of `es-MX`, `es_419` or `ES`; empty where it is no language tag."""
    tag = re.split("[-_]", language.strip().lower(), maxsplit=1)[0]
    return tag if re.fullmatch("[a-z]{2,3}", tag) else ""


def first_sentence(text: str) -> str:
    """The first sentence of one line of text, its end mark included."""
    for end in _SENTENCE_END.finditer(text):
        sentence = text[: end.end()].rstrip()
        if not _ABBREVIATION.search(sentence):
            return sentence
    return text


def _is_mood(memory: Memory) -> bool:
    """Whether a memory is of how the caller felt in one call: nothing to tell in the next."""
    return memory.category is Category.OTHER and not _MOODS.isdisjoint((memory.slot or "").split("_"))


def _weight(memory: Memory) -> tuple[bool, float, float, str]:
    """What is told first: the important, then the new; sensitive facts last."""
    ordinary = memory.sensitivity is not Sensitivity.SENSITIVE
    return ordinary, memory.importance, memory.created_at, memory.id


def _newest(memories: Iterable[Memory]) -> list[Memory]:
    return sorted(memories, key=lambda m: (m.created_at, m.importance, m.id), reverse=True)


def _memory_summary(name: str, calls: "Sequence[Call]", memories: Sequence[Memory]) -> str:
    for line in _summary_lines(name, calls, memories):
        if line:
            return line
    return ""


def _summary_lines(name: str, calls: "Sequence[Call]", memories: Sequence[Memory]) -> Iterator[str]:
    """What may stand for the caller in one line, best first."""
    last = calls[0] if calls else None
    if last is not None:
        taught = [m for m in memories if any(e.conversation_id == last.conversation_id for e in m.evidence)]
        told = _line(last.summary)
        told = told if sensitivity(told) is Sensitivity.ORDINARY and _summary_is_ordinary(taught) else ""
        yield told if _is_statement(told, name) else ""
        wants = [m for m in taught if m.category in _OPEN and m.sensitivity is not Sensitivity.SENSITIVE]
        yield _line(max(wants, key=_weight).text) if wants else ""
        yield _one_line(first_sentence(told))
    known = [m for m in memories if m.category is not Category.NAME]
    yield from (_line(m.text) for m in sorted(known, key=_weight, reverse=True))
    if last is not None:
        yield _line(last.title)
        yield f"Last call on {in_words(last.started_at)}" if in_words(last.started_at) else ""
    yield from (_line(m.text) for m in memories)


def _summary_is_ordinary(taught: Iterable[Memory]) -> bool:
    return all(
        m.sensitivity is not Sensitivity.SENSITIVE for m in taught if m.category is Category.SUMMARY
    )


def _is_statement(text: str, name: str) -> bool:
    """Whether a summary is one short sentence about the user."""
    subjects = ("user ", "caller ", "the user ", "the caller ", *([f"{name.lower()} "] if name else []))
    short = len(text) <= _STATEMENT_LIMIT and first_sentence(text) == text
    return short and text.lower().startswith(subjects)


def _line(text: str | None) -> str:
    """A text as one line without its final full stop, long enough to find the first sentence in."""
    return _one_line(neutral(masked(text or ""), SUMMARY_LIMIT))


def _one_line(text: str) -> str:
    return text.removesuffix(".") if not text.endswith("..") else text


def _context(caller: "Caller", name: str, calls: "Sequence[Call]", memories: Sequence[Memory]) -> str:
    header = context_header(caller.call_count)
    room = CONTEXT_LIMIT - len(header) - len(fence(())) - 2
    lines = list(_within(room, _sections(caller, name, calls, memories)))
    return f"{header}\n{fence(lines)}"


def _sections(
    caller: "Caller", name: str, calls: "Sequence[Call]", memories: Sequence[Memory]
) -> Iterator[tuple[str, Sequence[str]]]:
    """Label and items of each line of the block, the most needed first."""
    told = {text.casefold() for call in calls[:1] if (text := _line(call.summary))}
    yield "Name", [name] if name else []
    yield "Language", [tag] if (tag := primary_tag(caller.language or "")) else []
    yield "Known since", [since] if (since := in_words(caller.first_call_at)) else []
    yield "Last call", [_dated(call) for call in calls[:1]]
    preferences = _newest(m for m in memories if m.category in _PREFERENCES)
    yield "Preference", _texts(preferences, told, 4)
    promises = _newest(m for m in memories if m.category is Category.PROMISE)
    yield "Promised", _texts(promises, told, 4, dated=True)
    wants = _newest(m for m in memories if m.category is Category.INTENT)
    yield "Wants", _texts(wants, told, 4, dated=True)
    facts = sorted((m for m in memories if m.category not in _NO_FACTS), key=_weight, reverse=True)
    yield "Fact", _texts(facts, told, 10)
    yield "Earlier call", [_dated(call) for call in calls[1:4] if _is_news(call, told)]


def _is_news(call: "Call", told: set[str]) -> bool:
    what = _line(call.summary) or _line(call.title)
    return bool(what) and what.casefold() not in told


def _dated(call: "Call") -> str:
    what = neutral(_line(call.summary) or _line(call.title), _ITEM_LIMIT)
    return ": ".join(part for part in (in_words(call.started_at), what) if part)


def _texts(memories: Iterable[Memory], told: set[str], limit: int, *, dated: bool = False) -> list[str]:
    """The memories' texts, none twice over the whole block: `told` grows."""
    texts: list[str] = []
    for memory in memories:
        if len(texts) == limit:
            break
        text = _one_line(neutral(masked(memory.text), _ITEM_LIMIT))
        if not text or text.casefold() in told:
            continue
        told.add(text.casefold())
        day = in_words(memory.created_at) if dated else ""
        texts.append(f"{text} ({day})" if day else text)
    return texts


def _within(room: int, sections: Iterable[tuple[str, Sequence[str]]]) -> Iterator[str]:
    """One line per item; what no longer fits is left out, and what is shorter may still fit."""
    for label, items in sections:
        for item in items:
            line = neutral(f"{label}: {item}", _ITEM_LIMIT + 40)
            if item and len(line) < room:
                room -= len(line) + 1
                yield line
