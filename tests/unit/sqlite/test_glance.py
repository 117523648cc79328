"""A look from an event loop: it waits for nobody."""

import pytest

from agentic_memory.backends.sqlite.database import Database
from agentic_memory.backends.sqlite.records import SqliteRecords
from agentic_memory.errors import InvalidField, StorageError, StorageLocked, StorageUnavailable
from tests.contract.samples import ANA, BEN, TENANT, whole_commit


def test_a_glance_sees_the_last_commit(records: SqliteRecords) -> None:
    assert records.glance(TENANT, ANA) is None
    committed = records.commit(whole_commit())
    assert records.glance(TENANT, ANA) == committed == records.caller(TENANT, ANA)
    assert records.glance(TENANT, BEN) is None


def test_a_glance_waits_for_no_lock(database: Database) -> None:
    assert database.glance(lambda c: c.execute("PRAGMA busy_timeout").fetchone()[0]) == 0

    def again(_: object) -> None:
        database.glance(lambda c: c.execute("SELECT 1").fetchone())

    with pytest.raises(StorageLocked):
        database.glance(again)
    assert database.glance(lambda c: c.execute("SELECT 1").fetchone()) == (1,)


def test_a_glance_writes_nothing(database: Database) -> None:
    with pytest.raises(StorageError):
        database.glance(lambda c: c.execute("UPDATE tallies SET value = 7").rowcount)


def test_what_cannot_be_looked_at_is_told(database: Database, records: SqliteRecords) -> None:
    with pytest.raises(InvalidField):
        records.glance(TENANT, "\ud800")
    database.close()
    with pytest.raises(StorageUnavailable):
        records.glance(TENANT, ANA)
