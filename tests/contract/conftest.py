"""Every backend of the stores under one name each."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from agentic_memory.backends.archive.local_folder import LocalArchive
from agentic_memory.backends.dynamodb.records import DynamoRecords
from agentic_memory.backends.in_memory.archive import InMemoryArchive
from agentic_memory.backends.in_memory.inbox import InMemoryInbox
from agentic_memory.backends.in_memory.records import InMemoryRecords
from agentic_memory.backends.s3.archive import S3Archive
from agentic_memory.backends.sqlite.database import Database
from agentic_memory.backends.sqlite.inbox import SqliteInbox
from agentic_memory.backends.sqlite.records import SqliteRecords
from agentic_memory.ports import Archive, Inbox, RecordStore
from tests.unit.aws.cloud import BUCKET, TABLE, cloud, make_bucket, make_table


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path / "memory.db")
    yield database
    database.close()


@pytest.fixture
def aws() -> Iterator[None]:
    with cloud():
        yield


@pytest.fixture(params=["in_memory", "sqlite", "dynamodb"])
def records(request: pytest.FixtureRequest) -> RecordStore:
    if request.param == "in_memory":
        return InMemoryRecords()
    if request.param == "dynamodb":
        request.getfixturevalue("aws")
        return DynamoRecords(TABLE, make_table())
    return SqliteRecords(request.getfixturevalue("database"))


# SqsInbox is an Inbox for Lambda alone, where nobody claims: tests/unit/aws/test_sqs_inbox.py.
@pytest.fixture(params=["in_memory", "sqlite"])
def inbox(request: pytest.FixtureRequest) -> Inbox:
    if request.param == "in_memory":
        return InMemoryInbox()
    return SqliteInbox(request.getfixturevalue("database"))


@pytest.fixture(params=["in_memory", "local", "s3"])
def archive(request: pytest.FixtureRequest, tmp_path: Path) -> Archive:
    if request.param == "s3":
        request.getfixturevalue("aws")
        return S3Archive(BUCKET, make_bucket())
    return InMemoryArchive() if request.param == "in_memory" else LocalArchive(tmp_path / "archive")
