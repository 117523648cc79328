"""Notes of who a conversation is with: many to one flush, and none later than what follows it."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from agentic_memory.backends.sqlite import notes as notes_module
from agentic_memory.backends.sqlite import writer as writer_module
from agentic_memory.backends.sqlite.database import Database
from agentic_memory.backends.sqlite.records import SqliteRecords
from agentic_memory.backends.sqlite.writer import Writer
from agentic_memory.errors import StorageUnavailable
from tests.contract.samples import ANA, TENANT


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What has time has so much of it that no test sees its end."""
    monkeypatch.setattr(writer_module, "COMPANY_SECONDS", 1000.0)


class Traced:
    """A writer, and the statements that it ran."""

    def __init__(self) -> None:
        self.ran: list[str] = []
        self._connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self._connection.set_trace_callback(self.ran.append)
        self.writer = Writer(self._connection, 0.1)

    def close(self) -> None:
        self.writer.close()
        self._connection.close()

    def saying(self, word: str):
        return lambda connection: connection.execute(f"SELECT '{word}'").fetchone()[0]

    @property
    def told(self) -> list[str]:
        return [line.removeprefix("SELECT ") for line in self.ran if line.startswith(("SELECT", "COMMIT"))]


@pytest.fixture
def traced() -> Iterator[Traced]:
    traced = Traced()
    yield traced
    traced.close()


@pytest.mark.usefixtures("patient")
def test_what_has_time_is_flushed_with_the_next_write_and_before_it(traced: Traced) -> None:
    early = [traced.writer.submit(traced.saying(word), has_time=True) for word in "ab"]
    assert traced.writer.submit(traced.saying("c")).result(10) == "c"
    assert [future.result(0) for future in early] == ["a", "b"]
    assert traced.told == ["'a'", "'b'", "'c'", "COMMIT"]


def test_what_has_time_is_flushed_alone_when_nothing_comes(traced: Traced) -> None:
    assert traced.writer.submit(traced.saying("a"), has_time=True).result(10) == "a"
    assert traced.writer.submit(traced.saying("b"), has_time=True).result(10) == "b"
    assert traced.told == ["'a'", "COMMIT", "'b'", "COMMIT"]


@pytest.mark.usefixtures("patient")
def test_what_has_time_can_be_hurried(traced: Traced) -> None:
    waits = traced.writer.submit(traced.saying("a"), has_time=True)
    traced.writer.hurry()
    assert waits.result(10) == "a"


@pytest.mark.usefixtures("patient")
def test_closing_flushes_what_has_time(traced: Traced) -> None:
    waits = traced.writer.submit(traced.saying("a"), has_time=True)
    traced.writer.close()
    assert waits.result(0) == "a"


@pytest.mark.usefixtures("patient")
def test_a_write_alone_comes_after_what_has_time(traced: Traced) -> None:
    waits = traced.writer.submit(traced.saying("a"), has_time=True)
    traced.writer.submit(traced.saying("b"), alone=True).result(10)
    assert waits.result(0) == "a"
    assert traced.told == ["'a'", "COMMIT", "'b'"]


@pytest.mark.usefixtures("patient")
def test_a_later_write_makes_a_note_durable_for_other_processes(path: Path, records: SqliteRecords) -> None:
    records.note_person(TENANT, "conv_1", ANA, 10.0)
    records.end_conversation(TENANT, "conv_2")
    other = Database(path)
    try:
        assert SqliteRecords(other).person_of(TENANT, "conv_1") == ANA
    finally:
        other.close()


@pytest.mark.usefixtures("patient")
def test_a_note_is_read_at_once_and_erased_with_its_caller(records: SqliteRecords) -> None:
    records.note_person(TENANT, "conv_1", ANA, 10.0)
    assert records.traces(TENANT, ANA).conversation_ids == ("conv_1",)
    records.note_person(TENANT, "conv_2", ANA, 10.0)
    assert records.active_since(TENANT, ANA, 10.0)
    records.note_person(TENANT, "conv_3", ANA, 10.0)
    assert records.erase(TENANT, ANA)
    assert records.traces(TENANT, ANA).conversation_ids == ()


@pytest.mark.usefixtures("patient")
def test_notes_that_cannot_be_written_are_told(
    path: Path, database: Database, records: SqliteRecords, caplog: pytest.LogCaptureFixture
) -> None:
    lock = sqlite3.connect(path, isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    records.note_person(TENANT, "conv_1", ANA, 10.0)
    records.note_person(TENANT, "conv_2", ANA, 10.0)
    assert records.person_of(TENANT, "conv_1") is None
    lock.execute("ROLLBACK")
    lock.close()
    told = [record for record in caplog.records if record.getMessage() == "ring_not_noted"]
    assert [record.fields for record in told] == [{"cause": "StorageLocked", "notes": 2}]
    records.note_person(TENANT, "conv_1", ANA, 10.0)
    assert records.person_of(TENANT, "conv_1") == ANA


@pytest.mark.usefixtures("patient")
def test_notes_that_wait_are_bounded(records: SqliteRecords, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notes_module, "MOST_NOTES", 2)
    for n in range(2):
        records.note_person(TENANT, f"conv_{n}", ANA, 10.0)
    with pytest.raises(StorageUnavailable):
        records.note_person(TENANT, "conv_2", ANA, 10.0)


def test_a_closed_store_takes_no_note(database: Database, records: SqliteRecords) -> None:
    database.close()
    for _ in range(2):
        with pytest.raises(StorageUnavailable):
            records.note_person(TENANT, "conv_1", ANA, 10.0)
