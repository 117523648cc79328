"""The record store as plain dictionaries."""

import threading
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from agentic_memory.domain.call import Call
from agentic_memory.domain.caller import Caller, CallerPage
from agentic_memory.domain.memory import Change, Memory
from agentic_memory.domain.records import (
    CallerCommit,
    CallerRecords,
    CallRecord,
    Hold,
    StoreCounts,
    Traces,
    Vectors,
)
from agentic_memory.errors import InvalidField, RevisionConflict

Who = tuple[str, str]
"""Tenant and caller id."""


@dataclass(slots=True)
class _Shelf:
    """What is kept of one caller."""

    caller: Caller
    calls: dict[str, CallRecord] = field(default_factory=dict)
    memories: dict[str, Memory] = field(default_factory=dict)
    vectors: dict[str, Vectors] = field(default_factory=dict)
    history: list[Change] = field(default_factory=list)


@dataclass(slots=True)
class _Conversation:
    caller_id: str | None = None
    noted_at: float = 0.0
    ended: bool = False


class InMemoryRecords:
    """The reference RecordStore: nothing outlives the process."""

    def __init__(self) -> None:
        """An empty store."""
        self._lock = threading.RLock()
        self._shelves: dict[Who, _Shelf] = {}
        self._conversations: dict[tuple[str, str], _Conversation] = {}
        self._archive_notes: set[tuple[str, str, str | None, str | None]] = set()
        self._audio: dict[tuple[str, str], set[str]] = {}
        self._erasures = 0

    def caller(self, tenant: str, caller_id: str) -> Caller | None:
        """See RecordStore.caller."""
        with self._lock:
            shelf = self._shelves.get((tenant, caller_id))
            return shelf.caller if shelf else None

    def load(self, tenant: str, caller_id: str, *, with_calls: bool = True) -> CallerRecords | None:
        """See RecordStore.load."""
        with self._lock:
            shelf = self._shelves.get((tenant, caller_id))
            if shelf is None:
                return None
            calls = sorted(
                shelf.calls.values(), key=lambda r: (r.call.started_at, r.call.conversation_id)
            )
            memories = tuple(sorted(shelf.memories.values(), key=lambda m: (m.created_at, m.id)))
            if with_calls:
                return CallerRecords(shelf.caller, tuple(calls), memories, dict(shelf.vectors))
            headings = tuple(CallRecord(replace(record.call, turns=())) for record in calls)
            return CallerRecords(shelf.caller, headings, memories)

    def commit(self, commit: CallerCommit) -> Caller:
        """See RecordStore.commit."""
        who = (commit.caller.tenant, commit.caller.caller_id)
        with self._lock:
            shelf = self._shelves.get(who)
            found = shelf.caller.revision if shelf else 0
            if found != commit.caller.revision:
                raise RevisionConflict(expected=commit.caller.revision, found=found)
            if shelf is None:
                shelf = self._shelves[who] = _Shelf(commit.caller)
            shelf.caller = replace(commit.caller, revision=found + 1)
            self._apply(commit, shelf)
            return shelf.caller

    def put_call_vectors(self, tenant: str, caller_id: str, records: CallerRecords) -> None:
        """See RecordStore.put_call_vectors."""
        with self._lock:
            shelf = self._shelves.get((tenant, caller_id))
            if shelf is None:
                return
            for record in records.calls:
                kept = shelf.calls.get(record.call.conversation_id)
                if record.vectors and kept and _spoken(kept.call) == _spoken(record.call):
                    shelf.calls[record.call.conversation_id] = CallRecord(kept.call, record.vectors)
            for memory in records.memories:
                same = shelf.memories.get(memory.id)
                if same and same.text == memory.text and memory.id in records.memory_vectors:
                    shelf.vectors[memory.id] = records.memory_vectors[memory.id]
            shelf.caller = replace(shelf.caller, revision=shelf.caller.revision + 1)

    def stale(self, model_id: str, limit: int) -> list[Who]:
        """See RecordStore.stale."""
        with self._lock:
            found = [who for who, shelf in self._shelves.items() if _is_stale(shelf, model_id)]
            return found[:limit]

    def callers(
        self, tenant: str, *, query: str = "", limit: int = 50, cursor: str | None = None
    ) -> CallerPage:
        """See RecordStore.callers."""
        with self._lock:
            callers = [shelf.caller for (of, _), shelf in self._shelves.items() if of == tenant]
        found = [c for c in callers if query.casefold() in _searchable(c)]
        found.sort(key=lambda c: (c.last_call_at, c.caller_id), reverse=True)
        if cursor is not None:
            after = _position(cursor)
            found = [c for c in found if (c.last_call_at, c.caller_id) < after]
        page = tuple(found[:limit])
        more = len(found) > limit
        return CallerPage(page, f"{page[-1].last_call_at!r}/{page[-1].caller_id}" if more else None)

    def call(self, tenant: str, caller_id: str, conversation_id: str) -> Call | None:
        """See RecordStore.call."""
        with self._lock:
            shelf = self._shelves.get((tenant, caller_id))
            record = shelf.calls.get(conversation_id) if shelf else None
            return record.call if record else None

    def history(self, tenant: str, caller_id: str, memory_id: str | None = None) -> tuple[Change, ...]:
        """See RecordStore.history."""
        with self._lock:
            shelf = self._shelves.get((tenant, caller_id))
            changes = shelf.history if shelf else []
            found = [c for c in changes if memory_id is None or c.memory_id == memory_id]
            return tuple(sorted(found, key=lambda c: c.at))

    def note_person(self, tenant: str, conversation_id: str, caller_id: str, at: float) -> None:
        """See RecordStore.note_person."""
        with self._lock:
            noted = self._conversations.setdefault((tenant, conversation_id), _Conversation())
            if noted.caller_id is None:
                noted.caller_id, noted.noted_at = caller_id, at

    def person_of(self, tenant: str, conversation_id: str) -> str | None:
        """See RecordStore.person_of."""
        with self._lock:
            noted = self._conversations.get((tenant, conversation_id))
            return noted.caller_id if noted else None

    def active_since(self, tenant: str, caller_id: str, since: float) -> bool:
        """See RecordStore.active_since."""
        with self._lock:
            return any(
                noted.caller_id == caller_id and noted.noted_at >= since and not noted.ended
                for (of, _), noted in self._conversations.items()
                if of == tenant
            )

    def end_conversation(self, tenant: str, conversation_id: str) -> None:
        """See RecordStore.end_conversation."""
        with self._lock:
            self._conversations.setdefault((tenant, conversation_id), _Conversation()).ended = True

    def note_archived(
        self,
        tenant: str,
        key: str,
        caller_id: str | None,
        conversation_id: str | None,
        *,
        ended: bool = False,
        hold: Hold | None = None,
    ) -> None:
        """See RecordStore.note_archived. The inbox is elsewhere: whoever holds a lease is not known."""
        with self._lock:
            self._archive_notes.add((tenant, key, caller_id, conversation_id))
            if ended and conversation_id:
                self.end_conversation(tenant, conversation_id)

    def attach_audio(
        self, tenant: str, conversation_id: str, key: str, hold: Hold | None = None
    ) -> None:
        """See RecordStore.attach_audio."""
        with self._lock:
            self._audio.setdefault((tenant, conversation_id), set()).add(key)
            for (of, _), shelf in self._shelves.items():
                if of == tenant and conversation_id in shelf.calls:
                    record = shelf.calls[conversation_id]
                    shelf.calls[conversation_id] = self._with_audio(tenant, record)

    def traces(self, tenant: str, caller_id: str) -> Traces:
        """See RecordStore.traces."""
        with self._lock:
            shelf = self._shelves.get((tenant, caller_id))
            calls = [record.call for record in shelf.calls.values()] if shelf else []
            conversations = {call.conversation_id for call in calls}
            conversations |= {
                conversation
                for (of, conversation), noted in self._conversations.items()
                if of == tenant and noted.caller_id == caller_id
            }
            notes = [n[1:] for n in self._archive_notes if n[0] == tenant]
            conversations |= {about for _, person, about in notes if person == caller_id and about}
            keys = {
                key
                for key, person, about in notes
                if person == caller_id or (not person and about in conversations)
            }
            keys |= {key for call in calls for key in (call.raw_key, call.audio_key) if key}
            keys |= {key for c in conversations for key in self._audio.get((tenant, c), ())}
            return Traces(tuple(sorted(conversations)), tuple(sorted(keys)))

    def erase(
        self, tenant: str, caller_id: str, deleted: Collection[str] | None = None
    ) -> bool:
        """See RecordStore.erase."""
        with self._lock:
            traces = self.traces(tenant, caller_id)
            shelf = self._shelves.pop((tenant, caller_id), None)
            if deleted is not None and not set(traces.archive_keys) <= set(deleted):
                self._keep_keys(tenant, caller_id, shelf)
                self._erasures += shelf is not None
                return True
            for conversation in traces.conversation_ids:
                self._conversations.pop((tenant, conversation), None)
                self._audio.pop((tenant, conversation), None)
            self._archive_notes = {
                n for n in self._archive_notes if n[0] != tenant or n[1] not in traces.archive_keys
            }
            found = bool(shelf or traces.conversation_ids or traces.archive_keys)
            self._erasures += found
            return found

    def scrub(self) -> None:
        """See RecordStore.scrub. There are no files."""

    def erasures(self) -> int:
        """See RecordStore.erasures."""
        return self._erasures

    def counts(self, model_id: str) -> StoreCounts:
        """See RecordStore.counts."""
        with self._lock:
            shelves = self._shelves.values()
            return StoreCounts(
                callers=len(shelves),
                calls=sum(len(shelf.calls) for shelf in shelves),
                memories=sum(len(shelf.memories) for shelf in shelves),
                stale_vectors=sum(_is_stale(shelf, model_id) for shelf in shelves),
            )

    def ping(self) -> None:
        """See RecordStore.ping."""

    def _keep_keys(self, tenant: str, caller_id: str, shelf: _Shelf | None) -> None:
        """What calls that go have told of where objects lie, as notes."""
        for record in shelf.calls.values() if shelf else ():
            for key in filter(None, (record.call.raw_key, record.call.audio_key)):
                self._archive_notes.add((tenant, key, caller_id, record.call.conversation_id))

    def _apply(self, commit: CallerCommit, shelf: _Shelf) -> None:
        for memory_id in commit.drop_memories:
            shelf.memories.pop(memory_id, None)
            shelf.vectors.pop(memory_id, None)
        if commit.put_call is not None:
            record = self._with_audio(commit.caller.tenant, commit.put_call)
            shelf.calls[record.call.conversation_id] = record
        _put_memories(shelf, commit.put_memories, commit.put_vectors)
        shelf.history.extend(commit.changes)

    def _with_audio(self, tenant: str, record: CallRecord) -> CallRecord:
        """The record with the last key of the recordings noted for its conversation."""
        keys = self._audio.get((tenant, record.call.conversation_id))
        return replace(record, call=replace(record.call, audio_key=max(keys))) if keys else record


def _put_memories(
    shelf: _Shelf, memories: Iterable[Memory], vectors: Mapping[str, Vectors]
) -> None:
    """Vectors outlive a change that leaves the text as it was."""
    for memory in memories:
        former = shelf.memories.get(memory.id)
        if former is not None and former.text != memory.text:
            shelf.vectors.pop(memory.id, None)
        shelf.memories[memory.id] = memory
    shelf.vectors.update((which, v) for which, v in vectors.items() if which in shelf.memories)


def _is_stale(shelf: _Shelf, model_id: str) -> bool:
    def lacks(vectors: Vectors | None) -> bool:
        return vectors is None or vectors.model_id != model_id

    spoken = (record for record in shelf.calls.values() if record.call.spoken_turns)
    return any(lacks(record.vectors) for record in spoken) or any(
        lacks(shelf.vectors.get(memory_id)) for memory_id in shelf.memories
    )


def _spoken(call: Call) -> list[str]:
    return [turn.text for turn in call.spoken_turns]


def _searchable(caller: Caller) -> str:
    return f"{caller.caller_id}\n{caller.name.text if caller.name else ''}".casefold()


def _position(cursor: str) -> tuple[float, str]:
    last_call_at, slash, caller_id = cursor.partition("/")
    try:
        if slash:
            return float(last_call_at), caller_id
    except ValueError:
        pass
    raise InvalidField(field="cursor", expected="a former page's next_cursor")
