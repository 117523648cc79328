"""Who conversations are with, as noted at the ring: many notes to one flush."""

import sqlite3
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from threading import Lock

from agentic_memory.backends.sqlite.database import Database
from agentic_memory.errors import AgenticMemoryError, InvalidField, StorageUnavailable
from agentic_memory.telemetry import Log

log = Log("notes")

MOST_NOTES = 10_000
"""Notes that may wait while the file cannot be written."""

Note = tuple[str, str, str, float]
"""Tenant, conversation id, caller id, time."""


class _Group:
    """Notes that share a flush."""

    def __init__(self, statement: str, first: Note) -> None:
        self.notes = [first]
        self.is_open = True
        self._statement = statement

    def write(self, connection: sqlite3.Connection) -> None:
        connection.executemany(self._statement, self.notes)

    def tell(self, written: "Future[None]") -> None:
        error = written.exception()
        if error is not None:
            cause = error.code if isinstance(error, AgenticMemoryError) else type(error).__name__
            log.warning("ring_not_noted", cause=cause, notes=len(self.notes))


class Notes:
    """Gathers notes and writes them within a moment, and before whatever is written next.

    A ring's note is wanted after hang-up: a flush of its own for each would cost more than its answer.
    """

    def __init__(self, database: Database, statement: str) -> None:
        """`statement` inserts one note."""
        self._database = database
        self._statement = statement
        self._lock = Lock()
        self._group: _Group | None = None
        self._written: Future[None] = Future()
        self._written.set_result(None)

    def add(self, note: Note) -> None:
        """Take a note without waiting. Raises InvalidField, or StorageUnavailable when too many wait."""
        try:
            "".join(note[:3]).encode()
        except UnicodeEncodeError:
            raise InvalidField(field="text", expected="Unicode without lone surrogates") from None
        with self._lock:
            group = self._group
            if group is not None and group.is_open and not self._written.done():
                if len(group.notes) >= MOST_NOTES:
                    raise StorageUnavailable(reason="too much is waiting")
                group.notes.append(note)
                return
            group = self._group = _Group(self._statement, note)
            written = self._written = self._database.submit(self._writing(group), has_time=True)
        written.add_done_callback(group.tell)

    def settle(self) -> None:
        """Wait until what was noted so far is written, or has failed."""
        with self._lock:
            written = self._written
        if not written.done():
            self._database.hurry()
            with suppress(AgenticMemoryError):
                written.result()

    def _writing(self, group: _Group) -> Callable[[sqlite3.Connection], None]:
        def write(connection: sqlite3.Connection) -> None:
            with self._lock:  # nobody adds to it any more
                group.is_open = False
            group.write(connection)

        return write
