"""What goes wrong with the file, caused for real: what is raised, what is kept, what goes on after."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from agentic_memory.backends.sqlite.database import Database
from agentic_memory.backends.sqlite.inbox import SqliteInbox
from agentic_memory.backends.sqlite.records import SqliteRecords
from agentic_memory.domain.call import CollectedValue
from agentic_memory.domain.delivery import Envelope, NewDelivery
from agentic_memory.domain.records import CallerCommit, CallRecord
from agentic_memory.errors import (
    InvalidField,
    MalformedPayload,
    StorageCorrupt,
    StorageError,
    StorageFull,
    StorageLocked,
    StorageUnavailable,
)
from tests.contract.samples import ANA, TENANT, call, caller, delivery, vectors, whole_commit


@contextmanager
def full_disk(database: Database) -> Iterator[None]:
    """The file may not grow within: SQLite itself answers that the disk is full."""
    pages = database.read(lambda c: c.execute("PRAGMA page_count").fetchone()[0])
    database.write(lambda c: c.execute(f"PRAGMA max_page_count = {pages}").fetchone())
    yield
    database.write(lambda c: c.execute("PRAGMA max_page_count = 4294967294").fetchone())


def test_a_full_disk_refuses_and_recovers(database: Database, inbox: SqliteInbox, records: SqliteRecords) -> None:
    kept = inbox.submit(delivery("kept")).result(10)
    with full_disk(database):
        refused = [inbox.submit(delivery(f"d{n}", body=b"x" * 100_000)) for n in range(10)]
        for future in refused:
            error = future.exception(10)
            assert isinstance(error, StorageFull)
            assert error.retryable
        assert inbox.counts().pending == 1
        assert [d.id for d in inbox.claim(10, 100.0, 0.0)] == [kept.id]
        with pytest.raises(StorageFull):
            records.commit(CallerCommit(caller(), CallRecord(call(said=["x" * 100_000]))))
        assert records.caller(TENANT, ANA) is None
    assert not inbox.submit(delivery("d1", body=b"x" * 100_000)).result(10).duplicate
    assert database.integrity() == "ok"


def open_files() -> set[Path]:
    """What this process has open, where the system tells."""
    folder = Path("/proc/self/fd")
    return {link.resolve() for link in folder.iterdir()} if folder.exists() else set()


FULL = """
import resource, sys
from agentic_memory.backends.archive.local_folder import LocalArchive
from agentic_memory.backends.sqlite.database import Database
from agentic_memory.backends.sqlite.inbox import SqliteInbox
from agentic_memory.errors import ArchiveUnavailable, StorageError
from tests.contract.samples import delivery

folder = sys.argv[1]
database = Database(folder + "/memory.db")
inbox, archive = SqliteInbox(database), LocalArchive(folder + "/archive")
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, hard))
acknowledged, refused = [], 0
for number in range(60):
    try:
        inbox.submit(delivery(f"d{number}", body=b"x" * 20_000)).result(10)
        acknowledged.append(number)
    except StorageError as error:
        assert error.retryable, error
        refused += 1
try:
    archive.put("audio/large", b"x" * 500_000)
except ArchiveUnavailable as error:
    assert not archive.exists("audio/large"), error
else:
    raise SystemExit("the archive took what does not fit")
assert refused, "nothing was refused"
resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
assert archive.put("audio/large", b"x" * 500_000)
inbox.ping()
assert not inbox.submit(delivery("after")).result(10).duplicate
kept = {d.id for d in inbox.claim(1000, 1e9, 60.0)}
assert len(kept) == len(acknowledged) + 1, (len(kept), len(acknowledged))
assert database.integrity() == "ok"
database.close()
print("recovered", len(acknowledged), refused)
"""


def test_files_that_cannot_grow_refuse_and_recover(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", FULL, str(tmp_path)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("recovered")


def test_a_lock_that_another_holds_is_told_and_passes(database: Database, path: Path, inbox: SqliteInbox) -> None:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    futures = [inbox.submit(delivery(f"d{n}")) for n in range(3)]
    for future in futures:
        with pytest.raises(StorageLocked, match=r"0\.1 s"):
            future.result(10)
    assert inbox.counts().pending == 0
    other.execute("ROLLBACK")
    other.close()
    assert not inbox.submit(delivery("d0")).result(10).duplicate


def test_two_databases_of_one_file_take_turns(database: Database, path: Path, inbox: SqliteInbox) -> None:
    other = Database(path)
    theirs = SqliteInbox(other)
    inbox.submit(delivery("ours")).result(10)
    theirs.submit(delivery("theirs")).result(10)
    assert inbox.counts().pending == theirs.counts().pending == 2
    other.close()
    assert inbox.counts().pending == 2
    inbox.ping()


@pytest.mark.parametrize("content", [b"This is no database, whatever its name says" * 50, b"SQLite format 3\0" + b"\xff" * 9000])
def test_a_file_that_is_no_database(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(StorageCorrupt) as error:
        Database(path)
    assert not error.value.retryable
    assert path.resolve() not in open_files()
    assert path.read_bytes() == content


def test_a_damaged_file_is_told_and_not_made_worse(path: Path) -> None:
    database = Database(path)
    inbox = SqliteInbox(database)
    for number in range(50):
        inbox.submit(delivery(f"d{number}", body=b"x" * 20_000)).result(10)
    database.close()
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(size // 2)
        file.write(b"\xa5" * (size // 2))
    damaged = Database(path)
    assert damaged.integrity() != "ok"
    with pytest.raises(StorageCorrupt):
        SqliteInbox(damaged).claim(100, 1e9, 1.0)
    damaged.close()
    with path.open("r+b") as file:
        file.seek(8192)
        file.write(b"\xa5" * (size - 8192))
    with pytest.raises(StorageCorrupt):
        Database(path)
    assert path.stat().st_size == size


def test_a_record_that_cannot_be_read_is_corrupt(database: Database, records: SqliteRecords) -> None:
    records.commit(whole_commit())
    database.write(lambda c: c.execute("UPDATE calls SET heading = '{\"tenant\": 1}'"))
    with pytest.raises(StorageCorrupt):
        records.load(TENANT, ANA)


@pytest.mark.parametrize("where", ["file/memory.db", "folder", "/proc/none/memory.db"])
def test_a_place_that_cannot_be(tmp_path: Path, where: str) -> None:
    (tmp_path / "file").write_text("a file")
    (tmp_path / "folder").mkdir()
    with pytest.raises(StorageUnavailable) as error:
        Database(tmp_path / where)
    assert error.value.retryable


def test_a_file_that_may_not_be_written(database: Database, inbox: SqliteInbox) -> None:
    database._writer.submit(lambda c: c.execute("PRAGMA query_only = ON"), alone=True).result(10)
    with pytest.raises(StorageUnavailable, match="readonly"):
        inbox.ping()
    database._writer.submit(lambda c: c.execute("PRAGMA query_only = OFF"), alone=True).result(10)
    inbox.ping()


def test_readers_never_write(database: Database) -> None:
    with pytest.raises(StorageUnavailable, match="readonly"):
        database.read(lambda c: c.execute("DELETE FROM tallies"))


def test_a_schema_of_the_future_is_left_alone(path: Path) -> None:
    Database(path).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 999")
    connection.close()
    with pytest.raises(StorageError, match="newer"):
        Database(path)
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA user_version").fetchone() == (999,)
    connection.close()


def test_opening_again_keeps_everything(path: Path) -> None:
    first = Database(path)
    SqliteRecords(first).commit(whole_commit())
    first.close()
    second = Database(path)
    assert SqliteRecords(second).load(TENANT, ANA) is not None
    second.close()


def test_what_it_promises_of_the_file(database: Database, path: Path) -> None:
    def pragma(name: str) -> object:
        return database.write(lambda c: c.execute(f"PRAGMA {name}").fetchone()[0])

    assert pragma("journal_mode") == "wal"
    assert pragma("synchronous") == 2  # FULL
    assert pragma("secure_delete") == 1
    assert pragma("foreign_keys") == 1
    for file in path.parent.iterdir():
        assert file.stat().st_mode & 0o077 == 0, file


@pytest.mark.parametrize(
    "commit",
    [
        CallerCommit(caller(name="\ud800")),
        CallerCommit(caller(), CallRecord(call(said=["\udfff"]))),
        CallerCommit(caller(), CallRecord(call(said=["fine"], raw_key="\ud800"))),
    ],
)
def test_what_cannot_be_stored_is_refused_whole(records: SqliteRecords, commit: CallerCommit) -> None:
    with pytest.raises(MalformedPayload) as error:
        records.commit(commit)
    assert not error.value.retryable
    assert records.caller(TENANT, ANA) is None


def test_a_number_that_json_cannot_hold_is_refused_before_it_is_unreadable(records: SqliteRecords) -> None:
    odd = replace(call(), collected=(CollectedValue("n", float("nan")),))
    with pytest.raises(MalformedPayload):
        records.commit(CallerCommit(caller(), CallRecord(odd, vectors(2))))
    assert records.caller(TENANT, ANA) is None


def test_a_lone_surrogate_in_a_question_is_an_invalid_field(records: SqliteRecords) -> None:
    with pytest.raises(InvalidField):
        records.caller(TENANT, "\ud800")
    with pytest.raises(InvalidField):
        records.load(TENANT, "\ud800")
    with pytest.raises(InvalidField):
        records.note_person(TENANT, "\ud800", ANA, 1.0)


def test_an_odd_envelope_is_accepted_all_the_same(inbox: SqliteInbox) -> None:
    odd = NewDelivery(TENANT, "elevenlabs", "k", b"{}", 1.0, Envelope("\ud800", "conv\0\udfff", 10**30))
    assert not inbox.submit(odd).result(10).duplicate
    (claimed,) = inbox.claim(1, 10.0, 60.0)
    assert claimed.envelope == Envelope("?", "conv\0?", None)
    inbox.bury(claimed, 10.0, "E", "\ud800")
    assert inbox.dead_letters().letters[0].error == "?"
