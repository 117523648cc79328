"""What the contract does not say of the archive in S3: versions, pages, errors."""

from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from agentic_memory.backends.s3.archive import S3Archive
from agentic_memory.errors import (
    ArchiveKeyInvalid,
    ArchiveKeyMissing,
    ArchiveUnavailable,
    LeaseLost,
)
from tests.unit.aws.cloud import BUCKET, REGION, Failing, OneAtATime, client, refused


def versions(s3: OneAtATime) -> list[str]:
    page = s3.list_object_versions(Bucket=BUCKET)
    return [v["Key"] for v in (*page.get("Versions", ()), *page.get("DeleteMarkers", ()))]


def test_deleting_leaves_no_version(s3: OneAtATime, archive: S3Archive) -> None:
    for _ in range(3):
        assert archive.put("post-call/a", b"one")
        s3.delete_object(Bucket=BUCKET, Key="post-call/a")
    archive.put("post-call/a", b"two")
    archive.put("post-call/ab", b"kept")
    assert versions(s3).count("post-call/a") == 7
    assert archive.delete("post-call/a")
    assert versions(s3) == ["post-call/ab"]
    assert not archive.delete("post-call/a")


def test_what_only_former_versions_hold_is_deleted_too(s3: OneAtATime, archive: S3Archive) -> None:
    archive.put("a", b"words")
    s3.delete_object(Bucket=BUCKET, Key="a")
    assert not archive.exists("a")
    assert archive.delete("a")
    assert versions(s3) == []


def test_a_key_that_was_deleted_may_be_put_again(archive: S3Archive) -> None:
    archive.put("a", b"one")
    archive.delete("a")
    assert archive.put("a", b"two")
    assert archive.get("a") == b"two"


def test_a_bucket_without_versions_will_do(aws: None) -> None:
    s3 = client("s3")
    s3.create_bucket(Bucket="plain-bucket", CreateBucketConfiguration={"LocationConstraint": REGION})
    archive = S3Archive("plain-bucket", s3)
    archive.ping()
    assert archive.put("a", b"x")
    assert archive.delete("a")
    assert not archive.delete("a")
    assert list(archive.entries()) == []


def test_ping_leaves_no_version(s3: OneAtATime, archive: S3Archive) -> None:
    archive.ping()
    assert versions(s3) == []


class Paging:
    """A client whose pages hold two."""

    def __init__(self, client: OneAtATime) -> None:
        self._client = client
        self.exceptions = client.exceptions

    def __getattr__(self, name: str) -> Any:
        operation = getattr(self._client, name)
        return (lambda **r: operation(**r, MaxKeys=2)) if name.startswith("list_") else operation


def test_pages_join(s3: OneAtATime, archive: S3Archive) -> None:
    for number in range(7):
        archive.put(f"k/{number}", b"x")
    for _ in range(4):
        s3.put_object(Bucket=BUCKET, Key="k/3", Body=b"")
    paging = S3Archive(BUCKET, Paging(s3))
    assert [e.key for e in paging.entries("k/")] == [f"k/{n}" for n in range(7)]
    assert paging.delete("k/3")
    assert "k/3" not in versions(s3)
    assert len(versions(s3)) == 6


def test_two_that_put_at_one_moment_are_sorted_out(s3: OneAtATime) -> None:
    conflict = refused("ConditionalRequestConflict")
    assert S3Archive(BUCKET, Failing(s3, "put_object", conflict, times=2)).put("a", b"x")
    with pytest.raises(ArchiveUnavailable):
        S3Archive(BUCKET, Failing(s3, "put_object", conflict, times=99)).put("b", b"x")


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (refused("SlowDown"), "SlowDown"),
        (refused("AccessDenied"), "AccessDenied"),
        (refused("NoSuchBucket"), "NoSuchBucket"),
        (refused("InvalidObjectState"), "cold storage"),
        (EndpointConnectionError(endpoint_url="https://s3"), "EndpointConnectionError"),
    ],
)
def test_errors_say_what_they_mean(s3: OneAtATime, error: Exception, told: str) -> None:
    operations: dict[str, Any] = {
        "put_object": lambda a: a.put("a", b"x"),
        "get_object": lambda a: a.get("a"),
        "head_object": lambda a: a.exists("a"),
        "list_objects_v2": lambda a: list(a.entries()),
        "list_object_versions": lambda a: a.delete("a"),
    }
    for operation, ask in operations.items():
        with pytest.raises(ArchiveUnavailable, match=told) as raised:
            ask(S3Archive(BUCKET, Failing(s3, operation, error)))
        assert raised.value.retryable


def test_a_bucket_that_is_not_there(aws: None, s3: OneAtATime) -> None:
    nowhere = S3Archive("nowhere-bucket", s3)
    with pytest.raises(ArchiveUnavailable):
        nowhere.ping()
    with pytest.raises(ArchiveUnavailable):
        nowhere.put("a", b"x")


def test_a_key_no_utf8_can_hold(archive: S3Archive) -> None:
    with pytest.raises(ArchiveKeyInvalid):
        archive.get("\ud800")
    with pytest.raises(ArchiveKeyMissing):
        archive.get("é")


def test_who_loses_the_right_to_store_while_it_is_stored_leaves_no_version(s3: OneAtATime, archive: S3Archive) -> None:
    def still() -> None:
        assert versions(s3) == ["a"]
        raise LeaseLost(delivery="1")

    with pytest.raises(LeaseLost):
        archive.put("a", b"words", still)
    assert versions(s3) == []
