"""One writer for many threads: what shares a transaction, and what does not share its fate."""

import sqlite3
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import pytest

from agentic_memory.backends.sqlite.database import Database
from agentic_memory.backends.sqlite.inbox import SqliteInbox
from agentic_memory.backends.sqlite.records import SqliteRecords
from agentic_memory.backends.sqlite.writer import MAX_BATCH
from agentic_memory.errors import RevisionConflict, StorageError, StorageUnavailable
from tests.contract.samples import ANA, TENANT, delivery, whole_commit


@contextmanager
def busy_writer(database: Database) -> Iterator[None]:
    """While within, closures gather; at the end they run in one transaction."""
    started, finish = Event(), Event()

    def hold(connection: sqlite3.Connection) -> None:
        started.set()
        assert finish.wait(10)

    held = database.submit(hold)
    assert started.wait(10)
    try:
        yield
    finally:
        finish.set()
        held.result(10)


def noting(name: str):
    def note(connection: sqlite3.Connection) -> str:
        connection.execute("INSERT INTO tallies VALUES (?, 1)", (name,))
        return name

    return note


def noted(database: Database) -> set[str]:
    rows = database.read(lambda c: c.execute("SELECT name FROM tallies WHERE name LIKE 'note%'").fetchall())
    return {name for (name,) in rows}


def test_what_gathers_is_committed_together(database: Database) -> None:
    with busy_writer(database):
        futures = [database.submit(noting(f"note{n}")) for n in range(20)]
    assert [future.result(10) for future in futures] == [f"note{n}" for n in range(20)]
    assert database.largest_batch == 20
    assert len(noted(database)) == 20


def test_a_group_is_bounded(database: Database) -> None:
    with busy_writer(database):
        futures = [database.submit(noting(f"note{n}")) for n in range(MAX_BATCH + 10)]
    wait(futures, 10)
    assert database.largest_batch == MAX_BATCH
    assert len(noted(database)) == MAX_BATCH + 10


class OddError(Exception):
    pass


@pytest.mark.parametrize("error", [OddError, RevisionConflict, KeyError, SystemExit, GeneratorExit])
def test_a_closure_that_raises_is_undone_alone(database: Database, error: type[BaseException]) -> None:
    def fail(connection: sqlite3.Connection) -> None:
        noting("note-of-failure")(connection)
        raise error

    with busy_writer(database):
        before = database.submit(noting("note-before"))
        failing = database.submit(fail)
        after = database.submit(noting("note-after"))
    assert (before.result(10), after.result(10)) == ("note-before", "note-after")
    assert isinstance(failing.exception(10), error)
    assert database.largest_batch == 3
    assert noted(database) == {"note-before", "note-after"}


def test_a_statement_that_fails_is_undone_alone(database: Database) -> None:
    with busy_writer(database):
        first = database.submit(noting("note"))
        twice = database.submit(noting("note"))
        wrong = database.submit(lambda c: c.execute("SELECT nonsense"))
        last = database.submit(noting("note-last"))
    assert (first.result(10), last.result(10)) == ("note", "note-last")
    assert isinstance(twice.exception(10), StorageError)
    assert isinstance(wrong.exception(10), StorageError)
    assert noted(database) == {"note", "note-last"}


def test_a_commit_that_fails_fails_them_all_and_the_next_goes_on(database: Database) -> None:
    def orphan(connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA defer_foreign_keys = ON")  # checked when the group commits
        connection.execute("INSERT INTO bodies VALUES (999, x'00')")

    with busy_writer(database):
        futures: list[Future[object]] = [
            database.submit(noting("note-before")), database.submit(orphan), database.submit(noting("note-after"))
        ]  # fmt: skip
    assert all(isinstance(future.exception(10), StorageError) for future in futures)
    assert len({id(future.exception()) for future in futures}) == 3
    assert noted(database) == set()
    assert database.write(noting("note")) == "note"


def test_a_future_resolves_after_the_commit(database: Database, path: Path) -> None:
    def seen_by_others(future: "Future[str]") -> None:
        other = sqlite3.connect(path)
        found.append(other.execute("SELECT value FROM tallies WHERE name = 'note'").fetchone())
        other.close()

    found: list[object] = []
    with busy_writer(database):
        future = database.submit(noting("note"))
        future.add_done_callback(seen_by_others)
        assert not future.done()
    database.ping()
    assert found == [(1,)]


def test_one_who_stops_waiting_cancels_nothing(database: Database) -> None:
    with busy_writer(database):
        future = database.submit(noting("note"))
        assert not future.cancel()
    assert future.result(10) == "note"
    assert noted(database) == {"note"}


def test_many_threads_share_few_commits(database: Database, inbox: SqliteInbox) -> None:
    with ThreadPoolExecutor(32) as pool:
        receipts = list(pool.map(lambda n: inbox.submit(delivery(f"d{n}")).result(30), range(600)))
    assert len({receipt.id for receipt in receipts}) == 600
    assert inbox.counts().pending == 600
    assert database.largest_batch > 1


def test_readers_do_not_wait_for_the_writer(database: Database, records: SqliteRecords) -> None:
    records.commit(whole_commit())
    with busy_writer(database):
        database.submit(lambda c: c.execute("DELETE FROM callers"))
        found = records.load(TENANT, ANA)
    assert found is not None
    assert len(found.calls) == 1


def test_a_reader_sees_one_commit_and_not_half_of_the_next(records: SqliteRecords) -> None:
    def read() -> None:
        while not stop.is_set():
            found = records.load(TENANT, ANA)
            counts = records.counts("words-1")
            assert found is None or len(found.calls) == len(found.memories) == 1
            assert counts.calls == counts.memories

    stop = Event()
    with ThreadPoolExecutor(2) as pool:
        readers = [pool.submit(read) for _ in range(2)]
        for _ in range(20):
            records.commit(whole_commit())
            records._database.write(_emptied)
        stop.set()
        for reader in readers:
            reader.result(10)


def _emptied(connection: sqlite3.Connection) -> None:
    for table in ("callers", "calls", "memories"):
        connection.execute(f"DELETE FROM {table}")


def test_closing_finishes_what_is_queued(path: Path) -> None:
    database = Database(path)
    inbox = SqliteInbox(database)
    futures = [inbox.submit(delivery(f"d{n}")) for n in range(300)]
    database.close()
    assert all(future.done() and not future.exception() for future in futures)
    assert not path.with_name("memory.db-wal").exists()
    again = Database(path)
    assert SqliteInbox(again).counts().pending == 300
    again.close()


def test_a_closed_database_says_so(path: Path) -> None:
    database = Database(path)
    inbox = SqliteInbox(database)
    inbox.counts()
    database.close()
    database.close()
    with pytest.raises(StorageUnavailable, match="closed"):
        inbox.submit(delivery())
    with pytest.raises(StorageUnavailable, match="closed"):
        inbox.counts()
    with pytest.raises(StorageUnavailable, match="closed"):
        inbox.ping()


def test_closing_lets_a_reader_finish(path: Path) -> None:
    database = Database(path)
    started, finish = Event(), Event()

    def slow(connection: sqlite3.Connection) -> int:
        started.set()
        assert finish.wait(10)
        return int(connection.execute("SELECT count(*) FROM quarantine").fetchone()[0])

    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(database.read, slow)
        assert started.wait(10)
        database.close()
        finish.set()
        assert reading.result(10) == 0
    assert not path.with_name("memory.db-wal").exists()
