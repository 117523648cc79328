"""Which workers are alive: a lock on a file beside the database, which the kernel lets go of with its process."""

import os
from pathlib import Path

from agentic_memory.errors import StorageUnavailable


class WorkerLock:
    """Held by every living worker of one database, in whatever process."""

    def __init__(self, path: Path) -> None:
        """`path` of the lock file; it is made when a worker first joins."""
        self._path = path
        self._file: int | None = None

    @property
    def is_held(self) -> bool:
        """Whether this process has joined."""
        return self._file is not None

    def is_first(self) -> bool:
        """Take the lock alone, to act before any other worker can join; False while another one lives.

        Where the system has no such locks it is False. Follow with `join`. Raises StorageUnavailable.
        """
        try:
            import fcntl
        except ImportError:
            return False
        try:
            fcntl.flock(self._opened(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def join(self) -> None:
        """Be a living worker from now on, beside others."""
        try:
            import fcntl
        except ImportError:
            return
        fcntl.flock(self._opened(), fcntl.LOCK_SH)

    def close(self) -> None:
        """Be one no longer."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _opened(self) -> int:
        if self._file is None:
            try:
                self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            except OSError as error:
                raise StorageUnavailable(reason=error.strerror or str(error)) from error
        return self._file
