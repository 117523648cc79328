"""What a dead worker held is due at once; what a living one holds is left alone."""

from pathlib import Path

from agentic_memory.backends.sqlite.database import Database
from agentic_memory.backends.sqlite.inbox import SqliteInbox
from agentic_memory.domain.delivery import NewDelivery


def held_by_a_worker(path: Path) -> tuple[Database, SqliteInbox]:
    database = Database(path)
    inbox = SqliteInbox(database)
    assert inbox.recover(0.0) == 0
    inbox.submit(NewDelivery("default", "elevenlabs", "key", b"body", 1.0)).result()
    assert len(inbox.claim(1, 10.0, 1000.0)) == 1
    return database, inbox


def test_leases_of_a_dead_worker_are_due_when_the_next_one_starts(tmp_path: Path):
    database, _ = held_by_a_worker(tmp_path / "memory.db")
    database.worker_lock.close()
    successor = Database(tmp_path / "memory.db")
    inbox = SqliteInbox(successor)
    assert inbox.claim(1, 11.0, 1000.0) == []
    assert inbox.recover(11.0) == 1
    assert [d.attempts for d in inbox.claim(1, 11.0, 1000.0)] == [2]
    successor.close()
    database.close()


def test_leases_of_a_living_worker_are_left_alone(tmp_path: Path):
    database, inbox = held_by_a_worker(tmp_path / "memory.db")
    beside = Database(tmp_path / "memory.db")
    assert SqliteInbox(beside).recover(11.0) == 0
    assert inbox.recover(11.0) == 0
    assert inbox.claim(1, 11.0, 1000.0) == []
    beside.close()
    database.close()
