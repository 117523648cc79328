"""The record store in SQLite."""

import math
import sqlite3
from collections.abc import Collection, Iterator
from typing import Any

from agentic_memory.backends.sqlite import codec
from agentic_memory.backends.sqlite.database import Database
from agentic_memory.backends.sqlite.notes import Notes
from agentic_memory.backends.sqlite.statements import statements
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
from agentic_memory.errors import LeaseLost, RevisionConflict

STALE_COUNT_LIMIT = 1000
"""`counts` counts callers with stale vectors no further than this."""

Parameters = tuple[Any, ...] | dict[str, Any]

_FROM_THE_NEWEST = (math.inf, "")


class SqliteRecords:
    """A RecordStore in one SQLite file. Its cost does not grow with the number of callers.

    Values that cannot be stored (a NaN, a lone surrogate) raise MalformedPayload before anything is
    written, so that what is stored can always be read.
    """

    def __init__(self, database: Database) -> None:
        """Keep records in `database`, which may be shared with an inbox and is closed by its owner."""
        self._database = database
        self._sql = statements("records")
        self._caller = self._sql["caller"]
        self._notes = Notes(database, self._sql["note_person"])

    def caller(self, tenant: str, caller_id: str) -> Caller | None:
        """See RecordStore.caller."""
        row = self._database.read(
            lambda connection: connection.execute(self._caller, (tenant, caller_id)).fetchone()
        )
        return codec.caller_of(row) if row else None

    def glance(self, tenant: str, caller_id: str) -> Caller | None:
        """As `caller`, for an event loop: raises StorageError instead of waiting for a lock."""
        row = self._database.glance(
            lambda connection: connection.execute(self._caller, (tenant, caller_id)).fetchone()
        )
        return codec.caller_of(row) if row else None

    def load(self, tenant: str, caller_id: str, *, with_calls: bool = True) -> CallerRecords | None:
        """See RecordStore.load."""
        who = (tenant, caller_id)
        names = ("calls", "memories") if with_calls else ("headings", "memory_texts")

        def rows(connection: sqlite3.Connection) -> list[list[codec.Row]]:
            return [connection.execute(self._sql[n], who).fetchall() for n in ("caller", *names)]

        caller, calls, memories = self._database.snapshot(rows)
        if not caller:
            return None
        if with_calls:
            return _whole(codec.caller_of(caller[0]), calls, memories)
        return CallerRecords(
            caller=codec.caller_of(caller[0]),
            calls=tuple(CallRecord(codec.heading_of(row)) for row in calls),
            memories=tuple(codec.memory_of(text) for (text,) in memories),
        )

    def commit(self, commit: CallerCommit) -> Caller:
        """See RecordStore.commit."""
        writes = tuple(self._writes(commit))
        who = (commit.caller.tenant, commit.caller.caller_id)
        expected = commit.caller.revision

        def apply(connection: sqlite3.Connection) -> Caller:
            row = connection.execute(self._sql["revision"], who).fetchone()
            found = row[0] if row else 0
            if found != expected:
                raise RevisionConflict(expected=expected, found=found)
            self._check_hold(connection, commit.hold)
            for name, parameters in writes:
                connection.execute(self._sql[name], parameters)
            return codec.caller_of(connection.execute(self._caller, who).fetchone())

        return self._database.write(apply)

    def _check_hold(self, connection: sqlite3.Connection, hold: Hold | None) -> None:
        if hold is not None:
            which = (codec.row_id(hold.delivery), hold.lease)
            if connection.execute(self._sql["held"], which).fetchone() is None:
                raise LeaseLost(delivery=hold.delivery)

    def put_call_vectors(self, tenant: str, caller_id: str, records: CallerRecords) -> None:
        """See RecordStore.put_call_vectors."""
        who = (tenant, caller_id)

        def put(connection: sqlite3.Connection) -> None:
            for record in records.calls:
                if record.vectors and self._says_the_same(connection, who, record.call):
                    parameters = (*_packed(record.vectors), *who, record.call.conversation_id)
                    connection.execute(self._sql["put_call_vectors"], parameters)
            for memory in records.memories:
                vectors = records.memory_vectors.get(memory.id)
                if vectors and self._reads_the_same(connection, who, memory):
                    put_memory_vectors = self._memory_vectors(who, memory.id, vectors)
                    connection.execute(self._sql["put_memory_vectors"], put_memory_vectors)
            connection.execute(self._sql["grow_revision"], who)

        self._database.write(put)

    def stale(self, model_id: str, limit: int) -> list[tuple[str, str]]:
        """See RecordStore.stale."""
        parameters = {"model_id": model_id, "limit": limit}
        return self._database.read(
            lambda connection: connection.execute(self._sql["stale"], parameters).fetchall()
        )

    def callers(
        self, tenant: str, *, query: str = "", limit: int = 50, cursor: str | None = None
    ) -> CallerPage:
        """See RecordStore.callers. A query reads the index until the page is full, or to its end."""
        last_call_at, caller_id = codec.cursor_of(cursor) if cursor is not None else _FROM_THE_NEWEST
        parameters = {
            "tenant": tenant,
            "query": query.casefold(),
            "last_call_at": last_call_at,
            "caller_id": caller_id,
            "limit": limit + 1,
        }
        rows = self._database.read(
            lambda connection: connection.execute(self._sql["callers_page"], parameters).fetchall()
        )
        callers = tuple(codec.caller_of(row) for row in rows[:limit])
        return CallerPage(callers, codec.cursor_text(callers[-1]) if len(rows) > limit else None)

    def call(self, tenant: str, caller_id: str, conversation_id: str) -> Call | None:
        """See RecordStore.call."""
        row = self._one("call", tenant, conversation_id, caller_id)
        return codec.call_of(row) if row else None

    def history(self, tenant: str, caller_id: str, memory_id: str | None = None) -> tuple[Change, ...]:
        """See RecordStore.history."""
        parameters = {"tenant": tenant, "caller_id": caller_id, "memory_id": memory_id}
        rows = self._database.read(
            lambda connection: connection.execute(self._sql["history"], parameters).fetchall()
        )
        return tuple(Change(*row) for row in rows)

    def note_person(self, tenant: str, conversation_id: str, caller_id: str, at: float) -> None:
        """See RecordStore.note_person. Written within a moment, with others; a failure is logged."""
        self._notes.add((tenant, conversation_id, caller_id, at))

    def person_of(self, tenant: str, conversation_id: str) -> str | None:
        """See RecordStore.person_of."""
        self._notes.settle()
        row = self._one("person_of", tenant, conversation_id)
        return row[0] if row else None

    def active_since(self, tenant: str, caller_id: str, since: float) -> bool:
        """See RecordStore.active_since."""
        self._notes.settle()
        row = self._one("active_since", tenant, caller_id, since)
        return bool(row and row[0])

    def end_conversation(self, tenant: str, conversation_id: str) -> None:
        """See RecordStore.end_conversation."""
        self._write("end_conversation", tenant, conversation_id)

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
        """See RecordStore.note_archived."""
        about = (tenant, key, caller_id or "", conversation_id or "")

        def note(connection: sqlite3.Connection) -> None:
            self._check_hold(connection, hold)
            connection.execute(self._sql["note_archived"], about)
            if ended and conversation_id:
                connection.execute(self._sql["end_conversation"], (tenant, conversation_id))

        self._database.write(note)

    def attach_audio(
        self, tenant: str, conversation_id: str, key: str, hold: Hold | None = None
    ) -> None:
        """See RecordStore.attach_audio."""

        def attach(connection: sqlite3.Connection) -> None:
            self._check_hold(connection, hold)
            connection.execute(self._sql["note_audio"], (tenant, conversation_id, key))
            which = {"tenant": tenant, "conversation_id": conversation_id}
            connection.execute(self._sql["attach_audio"], which)

        self._database.write(attach)

    def traces(self, tenant: str, caller_id: str) -> Traces:
        """See RecordStore.traces."""
        self._notes.settle()
        return self._database.snapshot(lambda connection: self._traces(connection, tenant, caller_id))

    def erase(
        self, tenant: str, caller_id: str, deleted: Collection[str] | None = None
    ) -> bool:
        """See RecordStore.erase."""
        who = {"tenant": tenant, "caller_id": caller_id}

        def erase(connection: sqlite3.Connection) -> bool:
            traces = self._traces(connection, tenant, caller_id)
            more = deleted is not None and not set(traces.archive_keys) <= set(deleted)
            if more:
                connection.execute(self._sql["keep_keys"], who)
                traces = Traces()
            gone = sum(
                connection.execute(self._sql[name], (tenant, which)).rowcount
                for name, which in _erasures(caller_id, traces)
            )
            if gone:
                connection.execute(self._sql["count_erasure"])
                self._database.will_scrub(connection)
            return more or gone > 0

        return self._database.write(erase)

    def scrub(self) -> None:
        """See RecordStore.scrub. Records and inbox share a file: asked of one, it is done for both.

        When it is cut short the rows are gone and their traces not yet: asking again finishes it.
        """
        self._database.scrub()

    def erasures(self) -> int:
        """See RecordStore.erasures."""
        row = self._one("erasures")
        return int(row[0]) if row else 0

    def counts(self, model_id: str) -> StoreCounts:
        """See RecordStore.counts. `stale_vectors` stops at STALE_COUNT_LIMIT."""
        parameters = {"model_id": model_id, "limit": STALE_COUNT_LIMIT}

        def count(connection: sqlite3.Connection) -> StoreCounts:
            tallies = dict(connection.execute(self._sql["tally"]).fetchall())
            stale = len(connection.execute(self._sql["stale"], parameters).fetchall())
            return StoreCounts(tallies["callers"], tallies["calls"], tallies["memories"], stale)

        return self._database.snapshot(count)

    def ping(self) -> None:
        """See RecordStore.ping."""
        self._one("revision", "", "")
        self._database.ping()

    def _one(self, name: str, *parameters: object) -> codec.Row | None:
        row: codec.Row | None = self._database.read(
            lambda connection: connection.execute(self._sql[name], parameters).fetchone()
        )
        return row

    def _write(self, name: str, *parameters: object) -> None:
        self._database.write(lambda connection: connection.execute(self._sql[name], parameters).rowcount)

    def _writes(self, commit: CallerCommit) -> Iterator[tuple[str, Parameters]]:
        """The statements of a commit with their parameters, in order."""
        caller = commit.caller
        who = (caller.tenant, caller.caller_id)
        yield "put_caller", codec.caller_row(caller, caller.revision + 1)
        for memory_id in commit.drop_memories:
            yield "drop_memory", (*who, memory_id)
        if commit.put_call is not None:
            yield "put_call", codec.call_row(caller, commit.put_call)
        for memory in commit.put_memories:
            yield "put_memory", codec.memory_row(caller, memory)
        for memory_id, vectors in commit.put_vectors.items():
            yield "put_memory_vectors", self._memory_vectors(who, memory_id, vectors)
        for change in commit.changes:
            yield "append_change", codec.change_row(caller, change)

    def _memory_vectors(
        self, who: tuple[str, str], memory_id: str, vectors: Vectors
    ) -> tuple[object, ...]:
        return (vectors.model_id, vectors.dimension, vectors.count, vectors.data, *who, memory_id)

    def _says_the_same(
        self, connection: sqlite3.Connection, who: tuple[str, str], call: Call
    ) -> bool:
        which = (who[0], call.conversation_id, who[1])
        row = connection.execute(self._sql["call"], which).fetchone()
        return row is not None and _spoken(codec.call_of(row)) == _spoken(call)

    def _reads_the_same(
        self, connection: sqlite3.Connection, who: tuple[str, str], memory: Memory
    ) -> bool:
        row = connection.execute(self._sql["memory"], (*who, memory.id)).fetchone()
        return row is not None and codec.memory_of(row[0]).text == memory.text

    def _traces(self, connection: sqlite3.Connection, tenant: str, caller_id: str) -> Traces:
        who = {"tenant": tenant, "caller_id": caller_id}
        found = connection.execute(self._sql["conversations_of"], who).fetchall()
        conversations = tuple(conversation_id for (conversation_id,) in found)
        keys = set(connection.execute(self._sql["keys_of_caller"], who).fetchall())
        for conversation_id in conversations:
            which = {"tenant": tenant, "conversation_id": conversation_id}
            keys.update(connection.execute(self._sql["keys_of_conversation"], which).fetchall())
        return Traces(conversations, tuple(sorted(key for (key,) in keys)))


def _whole(caller: Caller, calls: list[codec.Row], memories: list[codec.Row]) -> CallerRecords:
    kept = tuple(codec.memory_of(row[0]) for row in memories)
    return CallerRecords(
        caller=caller,
        calls=tuple(codec.call_record_of(row) for row in calls),
        memories=kept,
        memory_vectors={
            memory.id: Vectors(*row[1:]) for memory, row in zip(kept, memories, strict=True) if row[1]
        },
    )


def _packed(vectors: Vectors) -> tuple[object, ...]:
    return vectors.model_id, vectors.dimension, vectors.data


def _spoken(call: Call) -> list[str]:
    return [turn.text for turn in call.spoken_turns]


def _erasures(caller_id: str, traces: Traces) -> Iterator[tuple[str, str]]:
    """The statements that erase a caller, each with what it is about."""
    for name in ("erase_caller", "erase_calls", "erase_memories", "erase_history"):
        yield name, caller_id
    for conversation_id in traces.conversation_ids:
        yield "erase_conversation", conversation_id
        yield "erase_audio", conversation_id
    for key in traces.archive_keys:
        yield "erase_archive_notes", key
