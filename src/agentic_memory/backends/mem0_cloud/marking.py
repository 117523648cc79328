"""Which records say what holds no longer: marked where they lie, so that a search needs no second request."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from agentic_memory.backends.mem0_cloud.stored import Stored
from agentic_memory.backends.mem0_cloud.writing import EDIT, FACT, INFERRED, TURNS, turn_of
from agentic_memory.domain.memory import FOREIGN, Memory
from agentic_memory.domain.wording import comparable

MARK = "superseded"
"""The key in a record's metadata: true, or false where something was restored."""


@dataclass(frozen=True, slots=True)
class Ended:
    """What holds no longer, and by which records that is said."""

    memories: frozenset[str]
    """Ids."""
    said: frozenset[tuple[str, str]]
    """Conversation id and words, comparable."""
    turns: frozenset[tuple[str, int]]
    """Conversation id and turn, each evidence of ended facts alone."""

    def has(self, record: Stored) -> bool:
        """Whether this record says nothing that still holds."""
        if record.record == EDIT:
            return record.metadata.get("memory_id") in self.memories
        if record.record in (INFERRED, FACT):
            return (record.conversation_id, comparable(record.text)) in self.said
        turn = turn_of(record.metadata, record.text) if record.record == TURNS else None
        return turn is not None and (record.conversation_id, turn[0]) in self.turns

    def is_told_wrongly_by(self, record: Stored) -> bool:
        """Whether this record's mark says otherwise."""
        return (record.metadata.get(MARK) is True) != self.has(record)


def ended(memories: Iterable[Memory]) -> Ended:
    """What has ended among a caller's memories. What others' software left is not ours to mark."""
    ours = [m for m in memories if FOREIGN not in m.metadata]
    past, current = [m for m in ours if not m.is_current], [m for m in ours if m.is_current]
    return Ended(
        memories=frozenset(m.id for m in past),
        said=frozenset(_said(past)) - frozenset(_said(current)),
        turns=frozenset(_turns(past)) - frozenset(_turns(current)),
    )


def is_superseded(record: Stored) -> bool:
    """Whether a search's result holds no longer: by our mark, or as Mem0 itself says."""
    return record.replaced_by is not None or record.metadata.get(MARK) is True


def _said(memories: Iterable[Memory]) -> Iterator[tuple[str, str]]:
    for memory in memories:
        claims = memory.metadata.get("claims")
        texts = [c.get("text", "") for c in claims if isinstance(c, dict)] if isinstance(claims, list) else []
        for evidence, text in zip(memory.evidence, texts, strict=False):
            yield evidence.conversation_id, comparable(str(text))


def _turns(memories: Iterable[Memory]) -> Iterator[tuple[str, int]]:
    return ((e.conversation_id, e.turn) for m in memories for e in m.evidence if e.turn is not None)
