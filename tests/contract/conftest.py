"""Every backend of the stores under one name each."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from agentic_memory.backends.archive.local_folder import LocalArchive
from agentic_memory.backends.in_memory.archive import InMemoryArchive
from agentic_memory.backends.in_memory.inbox import InMemoryInbox
from agentic_memory.backends.in_memory.records import InMemoryRecords
from agentic_memory.backends.sqlite.database import Database
from agentic_memory.backends.sqlite.inbox import SqliteInbox
from agentic_memory.backends.sqlite.records import SqliteRecords
from agentic_memory.ports import Archive, Inbox, RecordStore


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path / "memory.db")
    yield database
    database.close()


@pytest.fixture(params=["in_memory", "sqlite"])
def records(request: pytest.FixtureRequest) -> RecordStore:
    if request.param == "in_memory":
        return InMemoryRecords()
    return SqliteRecords(request.getfixturevalue("database"))


@pytest.fixture(params=["in_memory", "sqlite"])
def inbox(request: pytest.FixtureRequest) -> Inbox:
    if request.param == "in_memory":
        return InMemoryInbox()
    return SqliteInbox(request.getfixturevalue("database"))


@pytest.fixture(params=["in_memory", "local"])
def archive(request: pytest.FixtureRequest, tmp_path: Path) -> Archive:
    return InMemoryArchive() if request.param == "in_memory" else LocalArchive(tmp_path / "archive")
