"""Callers for the tests of recall, made by hand."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from agentic_memory.domain.call import Call, Role, Turn, TurnKind
from agentic_memory.domain.caller import Caller, CallerName, NameSource
from agentic_memory.domain.memory import Category, Evidence, Memory
from agentic_memory.domain.records import CallerRecords, CallRecord, Vectors
from agentic_memory.engine.recall import call_texts, pack
from agentic_memory.ports import Said

MAY, JUNE = 1777800000.0, 1780500000.0  # 3 May and 3 June 2026
NOW = 1781000000.0
MODEL = "letters@1"
Embed = Callable[[Sequence[str]], NDArray[np.float32]]


def letters(texts: Sequence[str]) -> NDArray[np.float32]:
    """A stand-in for a model: how often each letter occurs, to unit length."""
    rows = np.zeros((len(texts), 26), dtype=np.float32)
    for i, text in enumerate(texts):
        for letter in text.lower():
            if "a" <= letter <= "z":
                rows[i, ord(letter) - 97] += 1
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)


def call(conversation_id: str, at: float, *lines: str, language: str | None = None) -> Call:
    """A call from lines such as "caller: hello", "agent: hi", "tool: {}"."""
    turns = []
    for i, line in enumerate(lines):
        who, text = line.split(": ", 1)
        kind = TurnKind.TOOL if who == "tool" else TurnKind.SPOKEN
        turns.append(Turn(i, Role.CALLER if who == "caller" else Role.AGENT, text, 5.0 * i, kind))
    return Call("default", conversation_id, "test", at, caller_id="+15550100001", agent_name="Robin", language=language, turns=tuple(turns))


def fact(
    memory_id: str, text: str, conversation_id: str, turn: int | None, at: float = MAY, *,
    superseded_by: str | None = None, expires_at: float | None = None, field: str | None = None,
) -> Memory:
    """A fact learnt from a turn, or from a field when there is no turn."""
    evidence = Evidence(conversation_id, turn, None if turn is None else text, field=field)
    return Memory(memory_id, text, Category.OTHER, (evidence,), at, superseded_by=superseded_by, expires_at=expires_at)


def records(
    *calls: Call, memories: Sequence[Memory] = (), name: str | None = "Ana Torres", embed: Embed | None = letters, model: str = MODEL
) -> CallerRecords:
    """A caller's records, embedded unless `embed` is None."""
    known = CallerName(name, NameSource.ANSWER, MAY, calls[0].conversation_id) if name and calls else None

    def packed(texts: Sequence[Said]) -> Vectors | None:
        return pack(embed([f"{t.before} {t.text}" for t in texts]), model) if embed and texts else None

    vectors = {m.id: packed([Said(m.text)]) for m in memories}
    return CallerRecords(
        Caller("default", "+15550100001", known, revision=1),
        tuple(CallRecord(c, packed(call_texts(c))) for c in calls),
        tuple(memories),
        {k: v for k, v in vectors.items() if v is not None},
    )
