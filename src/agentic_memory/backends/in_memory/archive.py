"""The archive as a dictionary."""

import threading
from collections.abc import Callable, Iterable, Iterator

from agentic_memory.errors import ArchiveKeyInvalid, ArchiveKeyMissing
from agentic_memory.ports import ArchiveEntry


class InMemoryArchive:
    """The reference Archive: nothing outlives the process."""

    def __init__(self) -> None:
        """An empty archive."""
        self._lock = threading.Lock()
        self._objects: dict[str, bytes] = {}

    def put(
        self, key: str, data: bytes | Iterable[bytes], still: Callable[[], object] = lambda: None
    ) -> bool:
        """See Archive.put."""
        _check(key)
        with self._lock:
            if key in self._objects:
                return False
        content = bytes(data) if isinstance(data, bytes) else b"".join(data)
        with self._lock:
            still()
            return self._objects.setdefault(key, content) is content

    def get(self, key: str) -> bytes:
        """See Archive.get."""
        _check(key)
        with self._lock:
            if key not in self._objects:
                raise ArchiveKeyMissing(key=key)
            return self._objects[key]

    def exists(self, key: str) -> bool:
        """See Archive.exists."""
        _check(key)
        with self._lock:
            return key in self._objects

    def entries(self, prefix: str = "") -> Iterator[ArchiveEntry]:
        """See Archive.entries."""
        with self._lock:
            found = sorted((k, len(o)) for k, o in self._objects.items() if k.startswith(prefix))
        for key, size in found:
            yield ArchiveEntry(key, size)

    def delete(self, key: str) -> bool:
        """See Archive.delete."""
        _check(key)
        with self._lock:
            return self._objects.pop(key, None) is not None

    def ping(self) -> None:
        """See Archive.ping."""


def _check(key: str) -> None:
    """Relative, without empty or dotted parts, at most 1,024 bytes. Raises ArchiveKeyInvalid."""
    parts = key.split("/")
    length = len(key.encode("utf-8", "replace"))
    if length > 1024 or "\0" in key or any(part in {"", ".", ".."} for part in parts):
        raise ArchiveKeyInvalid(key=key[:200])
