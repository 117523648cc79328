"""Move what is remembered from one kind of memory to another: callers, calls, memories with metadata and times."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol, TypeVar

from agentic_memory.domain.briefing import compile_brief
from agentic_memory.domain.call import Call
from agentic_memory.domain.caller import Caller
from agentic_memory.domain.conflict import OPERATOR, after, forgotten, headed, reconcile, taught
from agentic_memory.domain.memory import FOREIGN, Change, Memory
from agentic_memory.domain.records import CallerCommit, CallerRecords, CallRecord, Moved
from agentic_memory.errors import MemoryUnavailable
from agentic_memory.ports import RecordStore

WAITS = (1.0, 5.0, 15.0, 60.0)
"""Seconds between the attempts at one caller; longer where the memory asks for it."""
T = TypeVar("T")


class Side(Protocol):
    """A memory that callers can be read from and written to, whole."""

    def callers(self, tenant: str) -> Iterator[str]:
        """The ids of all callers, each once."""

    def read(self, tenant: str, caller_id: str) -> Moved | None:
        """One caller whole; None where nothing is known of them."""

    def write(self, tenant: str, moved: Moved) -> None:
        """Add what is not there yet. Cut short at any point, it can be done again."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What was counted, here and there."""

    callers: int = 0
    calls: int = 0
    memories: int = 0
    missing_calls: int = 0
    """At the source and not at the target, counted at the end of each caller."""
    missing_memories: int = 0
    already_there: int = 0
    """Callers of whom nothing was left to move."""

    @property
    def is_complete(self) -> bool:
        """Whether everything that was read at the source was read again at the target."""
        return not (self.missing_calls or self.missing_memories)


class Migrate:
    """The use-case behind `agentic-memory migrate`. Ended and begun anew, it goes on where it was."""

    def __init__(self, source: Side, target: Side, pause: Callable[[float], object]) -> None:
        """Both may be in use meanwhile: what comes in at the source after its caller's turn stays there.

        `pause` sleeps for seconds.
        """
        self._source = source
        self._target = target
        self._pause = pause

    def __call__(self, tenant: str, done: Callable[[int], None] = lambda callers: None) -> Tally:
        """Move every caller, each verified by reading it back; `done` hears how many there were so far.

        Raises MemoryUnavailable where a memory stays away: at once before anything was moved, else after `WAITS`.
        """
        tally = Tally()
        for caller_id in self._patiently(partial(self._callers, tenant), tally):
            tally = self._patiently(partial(self._move, tenant, caller_id, tally), tally)
            done(tally.callers)
        return tally

    def _callers(self, tenant: str) -> list[str]:
        return list(self._source.callers(tenant))

    def _patiently(self, act: Callable[[], T], tally: Tally) -> T:
        """Try again what can be done again, where the memory asks for time or has worked before."""
        for wait in WAITS:
            try:
                return act()
            except MemoryUnavailable as error:
                asked = error.fields.get("retry_after")
                if not error.retryable or not (asked or tally.callers):
                    raise
                self._pause(max(wait, float(asked) if isinstance(asked, int | float) else 0.0))
        return act()

    def _move(self, tenant: str, caller_id: str, tally: Tally) -> Tally:
        moved = self._source.read(tenant, caller_id)
        if moved is None or not (moved.records.calls or moved.records.memories):
            return tally
        calls, memories = missing(moved, self._target.read(tenant, caller_id))
        was_there = not (calls or memories)
        if not was_there:
            self._target.write(tenant, moved)
            calls, memories = missing(moved, self._target.read(tenant, caller_id))
        return Tally(
            tally.callers + 1,
            tally.calls + len(moved.records.calls),
            tally.memories + len(moved.records.memories),
            tally.missing_calls + calls,
            tally.missing_memories + memories,
            tally.already_there + was_there,
        )


def missing(moved: Moved, there: Moved | None) -> tuple[int, int]:
    """How many calls and memories of `moved` are not there. A memory is known by its words and its time."""
    if there is None:
        return len(moved.records.calls), len(moved.records.memories)
    calls = {r.call.conversation_id for r in there.records.calls}
    memories = {_mark(m) for m in there.records.memories}
    return (
        sum(r.call.conversation_id not in calls for r in moved.records.calls),
        sum(_mark(m) not in memories for m in moved.records.memories),
    )


def _mark(memory: Memory) -> tuple[str, int]:
    return memory.text, int(memory.created_at)


class EngineSide:
    """Our own engine's records as a side."""

    def __init__(self, records: RecordStore) -> None:
        """The running server embeds what arrives without vectors."""
        self._records = records

    def callers(self, tenant: str) -> Iterator[str]:
        """Newest call first."""
        cursor: str | None = None
        while True:
            page = self._records.callers(tenant, limit=200, cursor=cursor)
            yield from (caller.caller_id for caller in page.callers)
            cursor = page.next_cursor
            if cursor is None:
                return

    def read(self, tenant: str, caller_id: str) -> Moved | None:
        """The records, and from their history what was deleted by hand."""
        records = self._records.load(tenant, caller_id)
        if records is None:
            return None
        return Moved(records, forgotten(self._records.history(tenant, caller_id)))

    def write(self, tenant: str, moved: Moved) -> None:
        """Calls one by one, then the memories: each call's facts are reconciled with what is there."""
        caller_id = moved.records.caller.caller_id
        here = self.read(tenant, caller_id) or Moved(CallerRecords(Caller(tenant, caller_id)))
        calls = {record.call.conversation_id: record.call for record in here.records.calls}
        caller = here.records.caller
        for record in moved.records.calls:
            call = replace(record.call, tenant=tenant, caller_id=caller_id)
            if calls.get(call.conversation_id) != call:
                calls[call.conversation_id] = call
                heading = headed(caller, in_order(calls.values()), here.records.memories)
                caller = self._records.commit(CallerCommit(heading, put_call=CallRecord(call)))
        self._records.commit(_memories_commit(caller, in_order(calls.values()), here, moved))


def in_order(calls: Iterable[Call]) -> tuple[Call, ...]:
    """Oldest first."""
    return tuple(sorted(calls, key=lambda c: (c.started_at, c.conversation_id)))


def _memories_commit(caller: Caller, calls: Sequence[Call], here: Moved, moved: Moved) -> CallerCommit:
    gone = {**here.forgotten, **moved.forgotten}
    memories = merged(here.records.memories, moved.records.memories, calls, gone)
    before = {m.id: m for m in here.records.memories}
    put = tuple(m for m in memories if before.get(m.id) != m)
    changes = [
        Change(m.id, "created", m.created_at, "call", m.evidence[0].conversation_id, None, m.text)
        for m in put
        if m.id not in before
    ]
    changes += [
        Change(memory_id, "deleted", at, OPERATOR)
        for memory_id, at in moved.forgotten.items()
        if memory_id not in here.forgotten
    ]
    heading = headed(caller, calls, memories)
    return CallerCommit(
        caller=replace(heading, brief=compile_brief(heading, calls, memories)),
        put_memories=put,
        drop_memories=tuple(set(before) - {m.id for m in memories}),
        changes=tuple(changes),
    )


def merged(
    here: Sequence[Memory], coming: Sequence[Memory], calls: Sequence[Call], gone: Mapping[str, float]
) -> tuple[Memory, ...]:
    """Both sides' memories as one: every call's facts reconciled in the order of time.

    What no call teaches (set by hand, left by other software) is taken as it is.
    """
    conversations = {call.conversation_id for call in calls}
    from_calls = [m for m in coming if FOREIGN not in m.metadata]
    as_it_is = {
        m.id: m for m in coming
        if m.metadata.get("edited") or m not in from_calls or not _taught_in(m, conversations)
    }  # fmt: skip
    memories = (*(m for m in here if m.id not in as_it_is), *as_it_is.values())
    for call in calls:
        facts = taught(from_calls, call.conversation_id)
        if facts:
            facts += taught((m for m in here if FOREIGN not in m.metadata), call.conversation_id)
            memories = after(memories, reconcile(memories, facts, call, gone))
    return memories


def _taught_in(memory: Memory, conversations: Set[str]) -> bool:
    return any(e.conversation_id in conversations for e in memory.evidence)
