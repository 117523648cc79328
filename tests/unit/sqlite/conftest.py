"""A database in a folder of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from agentic_memory.backends.sqlite.database import Database
from agentic_memory.backends.sqlite.inbox import SqliteInbox
from agentic_memory.backends.sqlite.records import SqliteRecords


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store" / "memory.db"


@pytest.fixture
def database(path: Path) -> Iterator[Database]:
    database = Database(path, busy_timeout=0.1)
    yield database
    database.close()


@pytest.fixture
def records(database: Database) -> SqliteRecords:
    return SqliteRecords(database)


@pytest.fixture
def inbox(database: Database) -> SqliteInbox:
    return SqliteInbox(database)
