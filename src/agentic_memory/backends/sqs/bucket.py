"""The bucket of bodies: conditional puts, and deletes that leave no version."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from agentic_memory.backends.sqs.failures import (
    AT_ONCE,
    MISSING,
    THERE_ALREADY,
    code_of,
    reported,
)
from agentic_memory.errors import StorageUnavailable

_TRIES = 5


@dataclass(frozen=True, slots=True)
class Listed:
    """One object of a listing."""

    key: str
    size: int
    put_at: float


class Bucket:
    """Objects by key. Everything raises StorageUnavailable."""

    def __init__(self, name: str, client: Any) -> None:
        """`client`: botocore's for S3."""
        self.name = name
        self._client = client

    def put_new(self, key: str, body: bytes, notes: Mapping[str, str] | None = None) -> bool:
        """Store unless there is one; whether it was stored. `notes` are ASCII."""
        for _ in range(_TRIES):
            stored = self._put_once(key, body, dict(notes or {}))
            if stored is not None:
                return stored
        raise StorageUnavailable(reason="others put the same object to S3 again and again")

    def get(self, key: str) -> tuple[bytes, Mapping[str, str]] | None:
        """An object with its notes; None where there is none."""
        with reported("S3"):
            try:
                answer = self._client.get_object(Bucket=self.name, Key=key)
            except self._client.exceptions.ClientError as error:
                if code_of(error.response) in MISSING:
                    return None
                raise
            return answer["Body"].read(), answer.get("Metadata", {})

    def has(self, key: str) -> bool:
        """Whether there is an object."""
        with reported("S3"):
            try:
                self._client.head_object(Bucket=self.name, Key=key)
            except self._client.exceptions.ClientError as error:
                if code_of(error.response) in MISSING:
                    return False
                raise
        return True

    def listed(self, prefix: str) -> Iterator[Listed]:
        """What lies under a prefix, in the order of the keys."""
        start: dict[str, str] = {}
        while True:
            with reported("S3"):
                page = self._client.list_objects_v2(Bucket=self.name, Prefix=prefix, **start)
            for found in page.get("Contents", ()):
                yield Listed(found["Key"], found["Size"], found["LastModified"].timestamp())
            if not page.get("IsTruncated"):
                return
            start = {"ContinuationToken": page["NextContinuationToken"]}

    def delete(self, key: str) -> None:
        """Delete every version of an object, and every mark of a deletion."""
        for version in list(self._versions(key)):
            with reported("S3"):
                self._client.delete_object(Bucket=self.name, Key=key, VersionId=version)

    def check(self) -> None:
        """Raises StorageUnavailable when the bucket cannot be reached."""
        with reported("S3"):
            self._client.head_bucket(Bucket=self.name)

    def _put_once(self, key: str, body: bytes, notes: dict[str, str]) -> bool | None:
        """Whether it was stored; None when somebody else was putting it at that moment."""
        with reported("S3"):
            try:
                self._client.put_object(
                    Bucket=self.name, Key=key, Body=body, IfNoneMatch="*", Metadata=notes
                )
            except self._client.exceptions.ClientError as error:
                code = code_of(error.response)
                if code not in (THERE_ALREADY, AT_ONCE):
                    raise
                return False if code == THERE_ALREADY else None
        return True

    def _versions(self, key: str) -> Iterator[str]:
        """Ids; a key of ours is never the beginning of another, so that one page holds them all."""
        with reported("S3"):
            page = self._client.list_object_versions(Bucket=self.name, Prefix=key)
        for version in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())):
            if version["Key"] == key:
                yield str(version["VersionId"])
