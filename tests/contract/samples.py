"""A caller's records and deliveries, made up."""

import hashlib
from collections.abc import Sequence

from agentic_memory.domain.briefing import Brief
from agentic_memory.domain.call import Call, CollectedValue, Role, Turn, TurnKind
from agentic_memory.domain.caller import Caller, CallerName, Direction, IdentityHints, NameSource
from agentic_memory.domain.delivery import Envelope, NewDelivery, Quarantined
from agentic_memory.domain.memory import Category, Change, Evidence, Memory
from agentic_memory.domain.records import CallerCommit, CallRecord, Vectors

TENANT = "default"
ANA = "+15550100001"
BEN = "+15550100002"
MODEL = "words-1"


def caller(caller_id: str = ANA, *, tenant: str = TENANT, name: str = "Ana", revision: int = 0, last: float = 100.0) -> Caller:
    return Caller(
        tenant=tenant,
        caller_id=caller_id,
        name=CallerName(name, NameSource.ANSWER, 100.0, "conv_1") if name else None,
        language="es",
        first_call_at=100.0,
        last_call_at=last,
        call_count=1,
        revision=revision,
        brief=Brief(caller_name=name, memory_count=1, context="Knows María José"),
    )


def turns(*texts: str) -> tuple[Turn, ...]:
    roles = (Role.AGENT, Role.CALLER)
    return tuple(Turn(i, roles[i % 2], text, i * 2.5) for i, text in enumerate(texts))


def call(
    conversation_id: str = "conv_1",
    *,
    tenant: str = TENANT,
    caller_id: str = ANA,
    at: float = 100.0,
    said: Sequence[str] = ("Who is there?", "Ana, about the piano"),
    raw_key: str | None = None,
) -> Call:
    return Call(
        tenant=tenant,
        conversation_id=conversation_id,
        platform="elevenlabs",
        started_at=at,
        caller_id=caller_id,
        agent_id="agent_1",
        direction=Direction.INBOUND,
        duration=61.5,
        language="es",
        title="The piano",
        summary="Ana asked about the piano",
        turns=turns(*said),
        collected=(CollectedValue("happy", False), CollectedValue("score", 4), CollectedValue("w", 0.5)),
        hints=IdentityHints(Direction.INBOUND, external_number=caller_id),
        analysis={"criteria": {"polite": ["yes", None, 1]}},
        raw_key=raw_key,
    )


def silent_call(conversation_id: str = "conv_1") -> Call:
    heading = call(conversation_id, said=())
    silence = (Turn(0, Role.AGENT, "{}", 0.0, TurnKind.TOOL), Turn(1, Role.CALLER, "", None, TurnKind.SILENT, True))
    return Call(heading.tenant, conversation_id, heading.platform, 1.0, heading.caller_id, turns=silence)


def vectors(count: int, model_id: str = MODEL) -> Vectors:
    return Vectors(model_id, 4, count, bytes(range(count * 8)))


def memory(memory_id: str = "m1", text: str = "User plays the piano", *, at: float = 100.0, conversation_id: str = "conv_1") -> Memory:
    return Memory(
        id=memory_id,
        text=text,
        category=Category.PROFILE,
        evidence=(Evidence(conversation_id, 1, "about the piano", 2.5), Evidence(conversation_id, field="summary")),
        created_at=at,
        importance=0.0,
        metadata={"source": {"by": "hand"}},
    )


def change(memory_id: str = "m1", *, at: float = 100.0, action: str = "created", text: str = "User plays the piano") -> Change:
    return Change(memory_id, action, at, "call", "conv_1", None, text)


def whole_commit(caller_id: str = ANA, *, tenant: str = TENANT, revision: int = 0) -> CallerCommit:
    """One call of two turns, embedded in five pieces, and one embedded memory."""
    return CallerCommit(
        caller=caller(caller_id, tenant=tenant, revision=revision),
        put_call=CallRecord(call(f"conv_{caller_id}", tenant=tenant, caller_id=caller_id), vectors(5)),
        put_memories=(memory(conversation_id=f"conv_{caller_id}"),),
        put_vectors={"m1": vectors(1)},
        changes=(change(),),
    )


def delivery(
    name: str = "one", *, tenant: str = TENANT, at: float = 10.0, body: bytes | None = None, conversation_id: str | None = "conv_1"
) -> NewDelivery:
    content = f'{{"conversation_id": "{conversation_id}", "name": "{name}"}}'.encode() if body is None else body
    return NewDelivery(
        tenant=tenant,
        platform="elevenlabs",
        dedupe_key=hashlib.sha256(name.encode()).hexdigest(),
        body=content,
        received_at=at,
        envelope=Envelope("post_call_transcription", conversation_id, 1_795_000_000),
    )


def refused(body: bytes, *, at: float = 10.0) -> Quarantined:
    return Quarantined(hashlib.sha256(body).hexdigest(), "elevenlabs", body, "t=1,v0=00", at)
