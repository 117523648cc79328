"""From a caller's items to what they say: lessons are applied in the order of their revisions."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from agentic_memory.backends.dynamodb import codec
from agentic_memory.backends.dynamodb.codec import Lesson, PackedVectors
from agentic_memory.backends.dynamodb.schema import HEADING, commit_key, data_key
from agentic_memory.backends.dynamodb.table import Row
from agentic_memory.domain.call import Call
from agentic_memory.domain.caller import Caller
from agentic_memory.domain.memory import Memory
from agentic_memory.domain.records import CallerRecords, CallRecord, Vectors

UNEMBEDDED = "-"
"""Stands among the models for what has no vectors."""

Rows = Mapping[str, Row]
"""A partition's items by sort key."""


@dataclass(slots=True)
class Held:
    """A call as it is kept."""

    call: Call
    """Without turns."""
    revision: int
    """Of the commit beside which its turns lie."""
    is_spoken: bool
    model: str = ""


@dataclass(slots=True)
class Folded:
    """One caller as of one revision, without what is long."""

    caller: Caller
    life: str
    calls: dict[str, Held] = field(default_factory=dict)
    memories: dict[str, Memory] = field(default_factory=dict)
    models: dict[str, str] = field(default_factory=dict)
    """By memory id: the model of its vectors."""
    embedded: list[int] = field(default_factory=list)
    """Revisions of the commits beside which vectors lie that may count, oldest first."""
    recordings: dict[str, set[str]] = field(default_factory=dict)
    """Archive keys by conversation id."""

    def apply(self, lesson: Lesson, revision: int) -> None:
        """Learn what one commit taught."""
        if lesson.renews:
            self._forget_vectors()
        for memory_id in lesson.dropped:
            self.memories.pop(memory_id, None)
            self.models.pop(memory_id, None)
        if lesson.call is not None:
            held = Held(lesson.call, revision, lesson.is_spoken)
            self.calls[lesson.call.conversation_id] = held
        for memory in lesson.memories:
            former = self.memories.get(memory.id)
            if former is not None and former.text != memory.text:
                self.models.pop(memory.id, None)
            self.memories[memory.id] = memory
        for conversation_id, model in lesson.call_models.items():
            if conversation_id in self.calls:
                self.calls[conversation_id].model = model
        known = {i: m for i, m in lesson.memory_models.items() if i in self.memories}
        self.models.update(known)
        if lesson.call_models or lesson.memory_models:
            self.embedded.append(revision)

    def all_models(self) -> str:
        """The models of all vectors that there should be, a line each; empty where there should be none."""
        found = {held.model for held in self.calls.values() if held.is_spoken}
        found |= {self.models.get(memory_id, "") for memory_id in self.memories}
        return "\n".join(sorted(model or UNEMBEDDED for model in found))

    def heading(self, conversation_id: str) -> Call:
        """A call without its turns; of several recordings the last key counts."""
        call = self.calls[conversation_id].call
        keys = self.recordings.get(conversation_id)
        return replace(call, audio_key=max(keys)) if keys else call

    def headings(self) -> CallerRecords:
        """The caller without turns and vectors."""
        calls = tuple(CallRecord(self.heading(c)) for c in self.calls)
        return CallerRecords(self.caller, _by_age(calls), self._memories())

    def whole(self, rows: Rows) -> CallerRecords | None:
        """The caller with turns and vectors; None where some of them are not there yet, or no more."""
        vectors = self._vectors(rows)
        turns = {c: self._content(rows, held.revision, "turns") for c, held in self.calls.items()}
        if vectors is None or None in turns.values():
            return None
        calls = (
            CallRecord(
                replace(self.heading(c), turns=codec.turns_of(content)), vectors.calls.get(c)
            )
            for c, content in turns.items()
            if content is not None
        )
        return CallerRecords(self.caller, _by_age(tuple(calls)), self._memories(), vectors.memories)

    def _forget_vectors(self) -> None:
        self.embedded.clear()
        self.models.clear()
        for held in self.calls.values():
            held.model = ""

    def _content(self, rows: Rows, revision: int, what: str) -> bytes | None:
        return codec.content_of(rows, data_key(self.life, revision, what))

    def _vectors(self, rows: Rows) -> PackedVectors | None:
        """Those that count, the latest of each; None where some are missing."""
        calls: dict[str, Vectors] = {}
        memories: dict[str, Vectors] = {}
        for revision in self.embedded:
            content = self._content(rows, revision, "vectors")
            if content is None:
                return None
            packed = codec.vectors_of(content)
            calls |= packed.calls
            memories |= packed.memories
        wanted = {c for c, held in self.calls.items() if held.model}
        return PackedVectors(
            {c: v for c, v in calls.items() if c in wanted},
            {m: v for m, v in memories.items() if m in self.models},
        )

    def _memories(self) -> tuple[Memory, ...]:
        return tuple(sorted(self.memories.values(), key=lambda m: (m.created_at, m.id)))


def fold(rows: Rows) -> Folded | None:
    """The caller of a heading that stands among the rows; None where a commit's rows are not all there.

    Rows of commits that the heading does not know yet are left out, so that what is read is what one
    revision says, whatever is written meanwhile.
    """
    heading = rows[HEADING]
    caller = codec.caller_of(heading["record"], int(heading["revision"]))
    folded = Folded(caller, str(heading["life"]), recordings=recordings(rows))
    for revision in range(1, caller.revision + 1):
        content = codec.content_of(rows, commit_key(folded.life, revision))
        if content is None:
            return None
        folded.apply(codec.lesson_of(content), revision)
    return folded


def recordings(rows: Rows) -> dict[str, set[str]]:
    """Archive keys of recordings by conversation id."""
    found: dict[str, set[str]] = {}
    for sk, row in rows.items():
        if sk.startswith("audio/"):
            found.setdefault(str(row["conversation_id"]), set()).add(str(row["key"]))
    return found


def _by_age(calls: tuple[CallRecord, ...]) -> tuple[CallRecord, ...]:
    return tuple(sorted(calls, key=lambda r: (r.call.started_at, r.call.conversation_id)))
