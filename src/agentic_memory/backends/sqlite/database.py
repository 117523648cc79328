"""The SQLite file: opening, migrating, reading, writing in groups, leaving no byte behind."""

import os
import sqlite3
from collections import deque
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from threading import Lock

from agentic_memory.backends.sqlite.failures import translated
from agentic_memory.backends.sqlite.statements import migrations, split, statements
from agentic_memory.backends.sqlite.worker_lock import WorkerLock
from agentic_memory.backends.sqlite.writer import Closure, T, Writer
from agentic_memory.errors import StorageError, StorageLocked, StorageUnavailable

CACHE_KIB = 16_384
"""Page cache of one connection."""
PING_SECONDS = 2.0
"""A health check must not wait as long as a delivery may."""
WAL_LIMIT = 64_000_000
"""Bytes to which the write-ahead log shrinks after a burst."""
CONNECTION: dict[str, object] = {
    "cache_size": -CACHE_KIB,
    "temp_store": "MEMORY",
    "foreign_keys": "ON",
    "synchronous": "FULL",
    "secure_delete": "ON",
    "journal_size_limit": WAL_LIMIT,
}
"""What every connection is set to."""


class Database:
    """One SQLite file that holds records and inbox, safe to use from any number of threads.

    Writes are closures handed to one writer thread and committed in groups (see `Writer`); they are
    durable when `write` returns. Reads run on connections of their own and see the last commit: they
    never wait for the writer. Everything raises StorageError in one of its kinds.
    """

    def __init__(self, path: str | os.PathLike[str], busy_timeout: float = 5.0) -> None:
        """Open or make the file and bring its schema up to date.

        `busy_timeout`: seconds to wait for a lock that another process holds. Raises StorageError.
        """
        self.path = Path(path)
        self.worker_lock = WorkerLock(self.path.with_name(self.path.name + "-workers"))
        self._busy_timeout = busy_timeout
        self._sql = statements("database")
        self._idle: deque[sqlite3.Connection] = deque()
        self._closed = False
        self._glances = Lock()
        self._glancing: sqlite3.Connection | None = None
        connection = self._open_for_writing()
        self._writer = Writer(connection, busy_timeout)
        self._writing = connection

    def write(self, closure: Closure[T]) -> T:
        """Run a closure in a transaction and return its result once that is durable.

        What the closure raises is raised here, and nothing of it is kept.
        """
        return self._writer.submit(closure).result()

    def submit(self, closure: Closure[T], *, has_time: bool = False) -> "Future[T]":
        """Like `write`, without waiting: the future resolves once the closure's work is durable.

        With `has_time` it is flushed together with what comes next, before it, or after a moment alone.
        """
        return self._writer.submit(closure, has_time=has_time)

    def hurry(self) -> None:
        """Have what was given time flushed now."""
        self._writer.hurry()

    def read(self, closure: Closure[T]) -> T:
        """Run a closure of one statement on a connection that only reads."""
        connection = self._reader()
        try:
            return closure(connection)
        except (sqlite3.Error, UnicodeEncodeError) as error:
            raise translated(error, self._busy_timeout) from error
        finally:
            self._idle.append(connection)
            if self._closed:
                self._close_readers()

    def glance(self, closure: Closure[T]) -> T:
        """Run a closure of one small statement without waiting for any lock, or raise StorageLocked.

        For an event loop: what is in the system's memory takes microseconds.
        """
        if not self._glances.acquire(blocking=False):
            raise StorageLocked(seconds=0)
        try:
            return closure(self._glancing_connection())
        except (sqlite3.Error, UnicodeEncodeError) as error:
            raise translated(error, 0.0) from error
        finally:
            self._glances.release()

    def snapshot(self, closure: Closure[T]) -> T:
        """Run a closure of several statements that all see the same commit."""

        def in_transaction(connection: sqlite3.Connection) -> T:
            connection.execute("BEGIN")
            try:
                return closure(connection)
            finally:
                connection.execute("ROLLBACK")

        return self.read(in_transaction)

    def ping(self) -> None:
        """Commit a write that changes nothing. Raises StorageError, in two seconds at the latest."""
        ping = self.submit(lambda connection: connection.execute(self._sql["ping"]).rowcount)
        try:
            ping.result(PING_SECONDS)
        except TimeoutError:
            raise StorageLocked(seconds=PING_SECONDS) from None

    def integrity(self) -> str:
        """`ok`, or the first damage that SQLite finds."""
        row = self.read(lambda connection: connection.execute("PRAGMA quick_check(1)").fetchone())
        return str(row[0])

    def will_scrub(self, connection: sqlite3.Connection) -> None:
        """Within a write that erases: mark that its traces are still to be scrubbed, should we be cut short."""
        connection.execute(self._sql["set_scrub_due"], (1,))

    def scrub(self) -> None:
        """Leave no byte of what was erased in any file. Raises StorageLocked while somebody reads on.

        `secure_delete` blanks what is deleted, but not the copies that stay in the unused part of a page
        when SQLite moves rows to its neighbour. After an erasure the file is therefore rebuilt, which
        takes as long as writing it anew; writes wait meanwhile, reads do not. Without one only the
        write-ahead log is emptied.
        """
        self._writer.submit(self._scrub, alone=True).result()

    def close(self) -> None:
        """Finish what is queued, move the write-ahead log into the file, end the thread. Idempotent."""
        self._closed = True
        self.worker_lock.close()
        self._writer.close()
        self._close_readers()
        with self._glances:
            if self._glancing is not None:
                self._glancing.close()
        self._writing.close()  # closing the last connection empties the write-ahead log

    @property
    def largest_batch(self) -> int:
        """How many closures the fullest transaction has held so far."""
        return self._writer.largest_batch

    def _open_for_writing(self) -> sqlite3.Connection:
        try:
            _create(self.path)
            connection = self._connect()
        except OSError as error:
            raise StorageUnavailable(reason=error.strerror or str(error)) from error
        except sqlite3.Error as error:
            raise translated(error, self._busy_timeout) from error
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            _migrate(connection)
        except (sqlite3.Error, StorageError) as error:
            connection.close()
            raise translated(error, self._busy_timeout) from error
        return connection

    def _glancing_connection(self) -> sqlite3.Connection:
        if self._closed:
            raise StorageUnavailable(reason="it has been closed")
        if self._glancing is None:
            self._glancing = self._open_for_reading(busy_timeout=0)
        return self._glancing

    def _reader(self) -> sqlite3.Connection:
        """An idle connection, or a new one: there are as many as there were readers at one time."""
        if self._closed:
            raise StorageUnavailable(reason="it has been closed")
        try:
            return self._idle.pop()
        except IndexError:
            return self._open_for_reading()

    def _open_for_reading(self, **settings: object) -> sqlite3.Connection:
        try:
            return self._connect(**settings, query_only="ON")
        except sqlite3.Error as error:
            raise translated(error, self._busy_timeout) from error

    def _close_readers(self) -> None:
        """Close what is idle; a connection in use is closed by whoever brings it back."""
        while self._idle:
            with suppress(IndexError):
                self._idle.pop().close()

    def _connect(self, **settings: object) -> sqlite3.Connection:
        """A connection that many threads use, one at a time, with explicit transactions; `settings` beside ours."""
        connection = sqlite3.connect(
            self.path,
            timeout=self._busy_timeout,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=256,
        )
        try:
            for setting, value in (CONNECTION | settings).items():
                connection.execute(f"PRAGMA {setting} = {value}")
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _scrub(self, connection: sqlite3.Connection) -> None:
        due = connection.execute(self._sql["scrub_due"]).fetchone()[0]
        if due:
            # Its copy of the file may be larger than memory.
            connection.execute("PRAGMA temp_store = FILE")
            try:
                connection.execute("VACUUM")
            finally:
                connection.execute("PRAGMA temp_store = MEMORY")
        busy = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        if busy:
            raise StorageLocked(seconds=f"{self._busy_timeout:g}")
        if due:
            connection.execute(self._sql["set_scrub_due"], (0,))


def _create(path: Path) -> None:
    """Make the folder and an empty file that only its owner reads; SQLite's other files follow its mode."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    # Only a new file is opened here: closing one that is in use would drop SQLite's locks on it.
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))


def _migrate(connection: sqlite3.Connection) -> None:
    """Run the migrations that this file has not seen, in one transaction."""
    scripts = migrations()
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version > len(scripts):
            raise StorageError(reason=f"its schema {version} is newer than this program's {len(scripts)}")
        for script in scripts[version:]:
            for statement in split(script):
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(scripts)}")
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
