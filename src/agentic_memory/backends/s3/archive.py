"""The archive as an S3 bucket: one object for each key."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from agentic_memory.backends.s3.failures import AT_ONCE, MISSING, THERE_ALREADY, code_of, reported
from agentic_memory.errors import ArchiveKeyInvalid, ArchiveKeyMissing, ArchiveUnavailable
from agentic_memory.ports import ArchiveEntry

PING = ".ping"

_LONGEST_KEY = 1024  # bytes: S3's own limit
_TRIES = 5


def connect() -> Any:
    """A client for S3 as this process's environment names it."""
    from botocore.config import Config
    from botocore.session import get_session

    retries = {"mode": "standard", "total_max_attempts": 3}
    config = Config(connect_timeout=1, read_timeout=10, retries=retries)
    return get_session().create_client("s3", config=config)


class S3Archive:
    """An Archive in one bucket. Write-once by S3's own conditional put; consistent, as S3 is.

    The bucket may keep versions: deleting deletes all of them, because it is there for erasing people.
    Needs `s3:ListBucket` (without it S3 answers 403, not 404, for an object that is not there), and for
    deleting `s3:ListBucketVersions` and `s3:DeleteObjectVersion`.
    """

    def __init__(self, bucket: str, client: Any | None = None) -> None:
        """`client`: botocore's for S3; without one, the environment names region and keys."""
        self.bucket = bucket
        self._client = connect() if client is None else client

    def put(
        self, key: str, data: bytes | Iterable[bytes], still: Callable[[], object] = lambda: None
    ) -> bool:
        """See Archive.put. Chunks are joined in memory first: a recording has to fit.

        S3 knows no lock: `still` is asked when it is stored, and what it then forbids is deleted again.
        """
        _check(key)
        body = data if isinstance(data, bytes) else b"".join(data)
        for _ in range(_TRIES):
            stored = self._put_once(key, body)
            if stored is not None:
                return stored and self._confirmed(key, still)
        raise ArchiveUnavailable(reason="others put the same key again and again")

    def _confirmed(self, key: str, still: Callable[[], object]) -> bool:
        kept = False
        try:
            still()
            kept = True
        finally:
            if not kept:
                self.delete(key)
        return kept

    def get(self, key: str) -> bytes:
        """See Archive.get. Raises ArchiveUnavailable for what has moved to a cold storage class."""
        _check(key)
        with reported():
            try:
                answer = self._client.get_object(Bucket=self.bucket, Key=key)
            except self._client.exceptions.ClientError as error:
                if code_of(error.response) in MISSING:
                    raise ArchiveKeyMissing(key=key) from None
                raise
            body: bytes = answer["Body"].read()
        return body

    def exists(self, key: str) -> bool:
        """See Archive.exists."""
        _check(key)
        with reported():
            try:
                self._client.head_object(Bucket=self.bucket, Key=key)
            except self._client.exceptions.ClientError as error:
                if code_of(error.response) in MISSING:
                    return False
                raise
        return True

    def entries(self, prefix: str = "") -> Iterator[ArchiveEntry]:
        """See Archive.entries. A thousand at a time, as they are asked for."""
        start: dict[str, str] = {}
        while True:
            with reported():
                page = self._client.list_objects_v2(Bucket=self.bucket, Prefix=prefix, **start)
            for found in page.get("Contents", ()):
                yield ArchiveEntry(found["Key"], found["Size"])
            if not page.get("IsTruncated"):
                return
            start = {"ContinuationToken": page["NextContinuationToken"]}

    def delete(self, key: str) -> bool:
        """See Archive.delete. All versions of the object and all marks of its deletion."""
        _check(key)
        versions = list(self._versions(key))
        for version in versions:
            with reported():
                self._client.delete_object(Bucket=self.bucket, Key=key, VersionId=version)
        return bool(versions)

    def ping(self) -> None:
        """See Archive.ping. Puts an object and takes it away, its version too."""
        with reported():
            put = self._client.put_object(Bucket=self.bucket, Key=PING, Body=b"")
            version = {"VersionId": put["VersionId"]} if put.get("VersionId") else {}
            self._client.delete_object(Bucket=self.bucket, Key=PING, **version)

    def _put_once(self, key: str, body: bytes) -> bool | None:
        """Whether it was stored; None when somebody else was putting it at that moment."""
        with reported():
            try:
                self._client.put_object(Bucket=self.bucket, Key=key, Body=body, IfNoneMatch="*")
            except self._client.exceptions.ClientError as error:
                code = code_of(error.response)
                if code not in (THERE_ALREADY, AT_ONCE):
                    raise
                return False if code == THERE_ALREADY else None
        return True

    def _versions(self, key: str) -> Iterator[str]:
        """The id of every version of one object, marks of its deletion included."""
        start: dict[str, str] = {}
        while True:
            with reported():
                page = self._client.list_object_versions(Bucket=self.bucket, Prefix=key, **start)
            for version in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())):
                if version["Key"] == key:
                    yield str(version["VersionId"])
            # Keys come in order, the shortest first: none of the next page is `key` once one is longer.
            if not page.get("IsTruncated") or page["NextKeyMarker"] != key:
                return
            start = {
                "KeyMarker": page["NextKeyMarker"],
                "VersionIdMarker": page["NextVersionIdMarker"],
            }


def _check(key: str) -> None:
    """Relative, without empty or dotted parts, at most 1,024 bytes. Raises ArchiveKeyInvalid."""
    try:
        length = len(key.encode())
    except UnicodeEncodeError:
        raise ArchiveKeyInvalid(key=key.encode("ascii", "replace").decode()) from None
    parts = key.split("/")
    if length > _LONGEST_KEY or "\0" in key or any(part in {"", ".", ".."} for part in parts):
        raise ArchiveKeyInvalid(key=key[:200])
