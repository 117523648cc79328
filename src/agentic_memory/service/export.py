"""What is remembered as plain values: one JSON object a caller, the same in the API and the command."""

from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec

from agentic_memory.domain.call import Call
from agentic_memory.domain.caller import Caller
from agentic_memory.domain.memory import Change, Evidence, Memory
from agentic_memory.domain.records import CallerRecords
from agentic_memory.service.replay import LookedAt

Value = dict[str, object]

BOOKKEEPING = frozenset({"claims"})
"""Keys of a memory's metadata that only settling reads: what they hold is told as evidence and history."""


def quarantined_value(one: LookedAt) -> Value:
    """A body in quarantine, without the body."""
    return {
        "id": one.item.id,
        "platform": one.item.platform,
        "received_at": timestamp(one.item.received_at),
        "size": len(one.item.body),
        "reason": one.reason or None,
    }


def timestamp(at: float | None) -> str | None:
    """RFC 3339 in UTC, to the second."""
    if at is None:
        return None
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def caller_value(caller: Caller) -> Value:
    """A caller's heading."""
    return {
        "caller_id": caller.caller_id,
        "name": caller.name.text if caller.name else None,
        "language": caller.language,
        "first_call_at": timestamp(caller.first_call_at),
        "last_call_at": timestamp(caller.last_call_at),
        "call_count": caller.call_count,
        "revision": caller.revision,
    }


def caller_with_brief(caller: Caller) -> Value:
    """A caller with the brief that the next ring will tell."""
    brief = caller.brief
    told: Value | None = None
    if brief is not None:
        told = {
            "caller_name": brief.caller_name,
            "memory_count": brief.memory_count,
            "memory_summary": brief.memory_summary,
            "memory_context": brief.context,
            "language": brief.language,
            "last_call_at": timestamp(brief.last_call_at),
        }
    return {**caller_value(caller), "brief": told}


def evidence_value(evidence: Evidence) -> Value:
    """What a memory rests on."""
    return {
        "conversation_id": evidence.conversation_id,
        "turn": evidence.turn,
        "quote": evidence.quote,
        "offset": evidence.offset,
        "field": evidence.field,
    }


def memory_value(memory: Memory) -> Value:
    """A memory with its evidence and validity, as a reader wants it: `migrate` moves the records themselves."""
    return {
        "id": memory.id,
        "kind": str(memory.kind),
        "category": str(memory.category),
        "text": memory.text,
        "slot": memory.slot,
        "value": memory.value,
        "language": memory.language,
        "importance": round(memory.importance, 3),
        "sensitivity": str(memory.sensitivity),
        "created_at": timestamp(memory.created_at),
        "valid_from": timestamp(memory.valid_from),
        "valid_until": timestamp(memory.valid_until),
        "superseded_by": memory.superseded_by,
        "expires_at": timestamp(memory.expires_at),
        "version": memory.version,
        "evidence": [evidence_value(e) for e in memory.evidence],
        "metadata": {key: told for key, told in memory.metadata.items() if key not in BOOKKEEPING},
    }


def change_value(change: Change) -> Value:
    """One line of a memory's history."""
    return {
        "memory_id": change.memory_id,
        "action": change.action,
        "at": timestamp(change.at),
        "actor": change.actor,
        "conversation_id": change.conversation_id,
        "old_text": change.old_text,
        "new_text": change.new_text,
    }


def call_value(call: Call, *, with_turns: bool) -> Value:
    """A call; its turns where asked for."""
    value: Value = {
        "conversation_id": call.conversation_id,
        "platform": call.platform,
        "agent_id": call.agent_id,
        "agent_name": call.agent_name,
        "direction": str(call.direction),
        "started_at": timestamp(call.started_at),
        "duration": call.duration,
        "status": call.status,
        "result": call.result,
        "language": call.language,
        "title": call.title,
        "summary": call.summary,
        "raw_key": call.raw_key,
        "audio_key": call.audio_key,
    }
    if with_turns:
        value["collected"] = {c.field: c.value for c in call.collected}
        value["analysis"] = dict(call.analysis)
        value["turns"] = [
            {
                "index": t.index,
                "role": str(t.role),
                "text": t.text,
                "offset": t.offset,
                "kind": str(t.kind),
                "interrupted": t.interrupted,
            }
            for t in call.turns
        ]
    return value


def records_value(records: CallerRecords) -> Value:
    """One caller whole: what a line of an export holds. Vectors are left out: they can be made anew."""
    return {
        **caller_with_brief(records.caller),
        "memories": [memory_value(m) for m in records.memories],
        "calls": [call_value(r.call, with_turns=True) for r in records.calls],
    }


def json_lines(everything: Iterator[CallerRecords]) -> Iterator[bytes]:
    """JSON Lines, a caller a line."""
    for records in everything:
        yield msgspec.json.encode(records_value(records)) + b"\n"
