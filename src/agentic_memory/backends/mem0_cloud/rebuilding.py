"""What Mem0 has of one caller, compiled into what we know of them. Pure: the same records give the same caller."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from agentic_memory.backends.mem0_cloud.stored import Stored
from agentic_memory.backends.mem0_cloud.writing import (
    EDIT,
    FACT,
    INFERRED,
    OUTLINE,
    TURNS,
    Taught,
    taught_in,
)
from agentic_memory.domain.briefing import compile_brief
from agentic_memory.domain.call import Call
from agentic_memory.domain.caller import Caller, NameSource
from agentic_memory.domain.conflict import NAME_SLOT, after, headed, reconcile, resettle
from agentic_memory.domain.memory import FOREIGN, Category, Evidence, Memory, MemoryKind
from agentic_memory.domain.naming import reported_name
from agentic_memory.domain.records import CallerRecords, CallRecord
from agentic_memory.domain.sensitivity import sensitivity
from agentic_memory.domain.wording import one_line

_NAME = re.compile(r"^(?:(?:the )?(?:user|caller|customer)(?:'s)? )?(?:full )?name is (?P<name>.+?)\.?$", re.IGNORECASE)
_SUBJECT = r"^(?:the )?(?:user|caller|customer|\w+) "
_CATEGORIES = (
    (Category.DISLIKE, re.compile(_SUBJECT + r"(?:dislikes|hates|does(?: not|n't) (?:like|want|prefer))\b", re.IGNORECASE)),
    (Category.PREFERENCE, re.compile(_SUBJECT + r"(?:prefers|likes|loves|enjoys)\b", re.IGNORECASE)),
    (Category.INTENT, re.compile(_SUBJECT + r"(?:wants|needs|plans|intends|would like|is (?:planning|looking|trying))\b", re.IGNORECASE)),
)


@dataclass(frozen=True, slots=True)
class Known:
    """All that is known of one caller."""

    records: CallerRecords
    """Calls are headings, without turns."""
    taught: Mapping[str, Taught]
    """By conversation id: the calls that we recorded."""
    foreign: Mapping[str, Stored]
    """By memory id: the memories that are Mem0's own records."""


def known(tenant: str, caller_id: str, held: Iterable[Stored]) -> Known | None:
    """The caller of these records, brief and all; None where there are none."""
    records = sorted(held, key=lambda m: (m.at, m.id))
    taught = _calls_taught(records)
    foreign = [m for m in records if _is_foreign(m, taught)]
    calls = [replace(t.call, tenant=tenant, caller_id=caller_id) for t in taught.values()]
    calls += _foreign_calls(tenant, caller_id, [m for m in foreign if m.conversation_id not in taught])
    if not calls and not foreign:
        return None
    calls.sort(key=lambda c: (c.started_at, c.conversation_id))
    memories = _memories(taught, foreign, calls)
    caller = headed(Caller(tenant, caller_id), calls, memories)
    caller = replace(caller, brief=compile_brief(caller, calls, memories))
    whole = CallerRecords(caller, tuple(CallRecord(call) for call in calls), memories)
    return Known(whole, taught, {m.id: m for m in foreign})


def _calls_taught(records: Sequence[Stored]) -> dict[str, Taught]:
    """By conversation; of two records of one, which a crash may leave, the later."""
    found = ((m.conversation_id, taught_in(m.metadata)) for m in records)
    return {conversation: taught for conversation, taught in found if taught is not None}


def _is_foreign(memory: Stored, taught: Mapping[str, Taught]) -> bool:
    """Whether it is a memory of its own, not the shadow of a call that we recorded."""
    if memory.record in (EDIT, TURNS, OUTLINE) or taught_in(memory.metadata) is not None:
        return False
    return not (memory.record in (INFERRED, FACT) and memory.conversation_id in taught)


def _foreign_calls(tenant: str, caller_id: str, foreign: Sequence[Stored]) -> list[Call]:
    """The conversations that others' memories name, each with what they say of it."""
    named = sorted((m for m in foreign if m.conversation_id), key=lambda m: m.conversation_id)
    return [
        _foreign_call(tenant, caller_id, conversation, list(memories))
        for conversation, memories in groupby(named, key=lambda m: m.conversation_id)
    ]


def _foreign_call(tenant: str, caller_id: str, conversation: str, memories: Sequence[Stored]) -> Call:
    at = min(m.at for m in memories)
    agent = next((m.metadata["agent_id"] for m in memories if isinstance(m.metadata.get("agent_id"), str)), None)
    factual = [m.text for m in memories if m.kind != MemoryKind.SEMANTIC]
    told = one_line(factual[0], 300) if len(factual) == 1 and not _NAME.match(factual[0]) else None
    return Call(tenant, conversation, FOREIGN, at, caller_id, agent_id=agent, summary=told)


def _memories(
    taught: Mapping[str, Taught], foreign: Sequence[Stored], calls: Sequence[Call]
) -> tuple[Memory, ...]:
    """Every call's facts reconciled in the order of time, over what an operator set by hand."""
    forgotten: dict[str, float] = {}
    edited: dict[str, Memory] = {}
    for each in taught.values():
        for memory_id, at in each.forgotten.items():
            forgotten[memory_id] = max(at, forgotten.get(memory_id, at))
        edited.update((memory.id, memory) for memory in each.edited)
    memories: tuple[Memory, ...] = (*edited.values(), *(_foreign_memory(m) for m in foreign))
    for call in calls:
        facts = taught[call.conversation_id].facts if call.conversation_id in taught else ()
        if facts:
            memories = after(memories, reconcile(memories, facts, call, forgotten))
    memories = after(memories, resettle(memories, calls[-1].started_at if calls else 0.0))
    spoken = {m.id for m in foreign if m.kind == MemoryKind.SEMANTIC}
    memories = tuple(replace(m, kind=MemoryKind.SEMANTIC) if m.id in spoken else m for m in memories)
    replaced = {m.id: m.replaced_by for m in foreign if m.replaced_by}
    return tuple(replace(m, superseded_by=replaced[m.id]) if m.id in replaced else m for m in memories)


def _foreign_memory(memory: Stored) -> Memory:
    """A memory as others' software left it: its words say what it is about."""
    name = _named(memory.text)
    category = Category.NAME if name else _category(memory.text)
    evidence = Evidence(memory.conversation_id, field=FOREIGN)
    return Memory(
        id=memory.id,
        text=memory.text,
        category=category,
        evidence=(evidence,),
        created_at=memory.at,
        valid_from=memory.at,
        kind=MemoryKind.SEMANTIC if memory.kind == MemoryKind.SEMANTIC else MemoryKind.FACTUAL,
        slot=NAME_SLOT if name else None,
        value=name,
        importance=0.9 if name else 0.5,
        strength=int(NameSource.SUMMARY) if name else 0,
        sensitivity=sensitivity(memory.text),
        metadata={FOREIGN: dict(memory.metadata)},
    )


def _named(text: str) -> str | None:
    found = _NAME.match(text.strip())
    return reported_name(found["name"]) if found else None


def _category(text: str) -> Category:
    return next((category for category, cue in _CATEGORIES if cue.match(text.strip())), Category.OTHER)
