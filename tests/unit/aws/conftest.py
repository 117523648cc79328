"""Backends over an AWS of this process, empty at each test's begin."""

from collections.abc import Iterator

import pytest

from agentic_memory.backends.dynamodb.records import DynamoRecords
from agentic_memory.backends.s3.archive import S3Archive
from tests.unit.aws.cloud import BUCKET, TABLE, OneAtATime, cloud, make_bucket, make_table


@pytest.fixture
def aws() -> Iterator[None]:
    with cloud():
        yield


@pytest.fixture
def dynamodb(aws: None) -> OneAtATime:
    return make_table()


@pytest.fixture
def records(dynamodb: OneAtATime) -> DynamoRecords:
    return DynamoRecords(TABLE, dynamodb)


@pytest.fixture
def s3(aws: None) -> OneAtATime:
    return make_bucket()


@pytest.fixture
def archive(s3: OneAtATime) -> S3Archive:
    return S3Archive(BUCKET, s3)
