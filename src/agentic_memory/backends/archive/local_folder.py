"""The archive as a folder on this machine: one file for each object."""

import fcntl
import os
import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from io import BufferedWriter
from pathlib import Path
from urllib.parse import quote, unquote

from agentic_memory.errors import ArchiveKeyInvalid, ArchiveKeyMissing, ArchiveUnavailable
from agentic_memory.ports import ArchiveEntry

MAX_KEY = 1024
"""Bytes of a key."""
MAX_NAME = 255
"""Bytes of one part of a key once it is a file name: what common file systems hold."""

_INCOMING = ".incoming"
_MARK = ".archive"
_MISSING = (FileNotFoundError, NotADirectoryError, IsADirectoryError)
# What may stand in a file name as it is; a leading dot may not, so that no key meets our own files.
_SAFE = "+=@,"


class LocalArchive:
    """An Archive in one folder. Write-once, and whole or not there at all, also after a power cut.

    A key's parts become folder and file names, with unsafe characters percent-encoded. The folder is
    made when the archive is opened and never later: when it vanishes (an unmounted disk), every method
    raises ArchiveUnavailable until it is back.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Open or make the folder, and clear away what an interrupted write left. Raises ArchiveUnavailable."""
        self.path = Path(path)
        with _reported():
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
            (self.path / _INCOMING).mkdir(exist_ok=True)
            (self.path / _MARK).touch()
            _sync(self.path)
            self._clear_leftovers()

    def put(
        self, key: str, data: bytes | Iterable[bytes], still: Callable[[], object] = lambda: None
    ) -> bool:
        """See Archive.put. An iterable is written as it comes; what it raises leaves nothing behind."""
        target = self._file(key)
        with self._present(key):
            if target.is_file():
                return False
            with self._incoming() as file:
                for chunk in (data,) if isinstance(data, bytes) else data:
                    file.write(chunk)
                _flush(file)
                with self._alone():
                    still()
                    return self._settle(Path(file.name), target)

    def get(self, key: str) -> bytes:
        """See Archive.get."""
        target = self._file(key)
        with self._present(key):
            try:
                return target.read_bytes()
            except _MISSING:
                self._check_mark()
                raise ArchiveKeyMissing(key=key) from None

    def exists(self, key: str) -> bool:
        """See Archive.exists."""
        target = self._file(key)
        with self._present(key):
            return target.is_file()

    def entries(self, prefix: str = "") -> Iterator[ArchiveEntry]:
        """See Archive.entries. Folders are read when their turn comes."""
        with self._present(prefix):
            yield from self._walk(self.path, "", prefix)

    def delete(self, key: str) -> bool:
        """See Archive.delete. What a killed writer left of any object goes too."""
        target = self._file(key)
        with self._present(key), self._alone():
            self._clear_leftovers()
            try:
                target.unlink()
            except _MISSING:
                self._check_mark()
                return False
            _sync(target.parent)
            self._remove_empty(target.parent)
            return True

    def ping(self) -> None:
        """See Archive.ping."""
        with self._present(""), self._incoming() as file:
            file.write(b"ping")
            _flush(file)

    @contextmanager
    def _present(self, key: str) -> Iterator[None]:
        """Within it the archive's folder is there, and what goes wrong with files is an ArchiveError."""
        self._check_mark()
        with _reported():
            try:
                yield
            except FileNotFoundError:
                self._check_mark()
                raise
            except (NotADirectoryError, IsADirectoryError):  # one key is the folder of another
                raise ArchiveKeyInvalid(key=key) from None

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """No other thread or process gives or takes a name meanwhile."""
        with (self.path / _MARK).open("rb") as mark:
            fcntl.flock(mark, fcntl.LOCK_EX)
            yield

    def _check_mark(self) -> None:
        """The folder holds a mark from its first opening: an empty mount point has none."""
        if not (self.path / _MARK).exists():
            raise ArchiveUnavailable(reason=f"{self.path} has vanished since it was opened")

    def _file(self, key: str) -> Path:
        try:
            names = [_encoded(part) for part in key.split("/")]
            too_long = len(key.encode()) > MAX_KEY or any(len(name) > MAX_NAME for name in names)
        except UnicodeEncodeError:
            raise ArchiveKeyInvalid(key=key.encode("ascii", "replace").decode()) from None
        if too_long or not all(names):
            raise ArchiveKeyInvalid(key=key[:200])
        return self.path.joinpath(*names)

    @contextmanager
    def _incoming(self) -> Iterator[BufferedWriter]:
        """A new file outside the keys, gone at the end. Its lock tells other processes that it is in use."""
        while True:
            path = self.path / _INCOMING / secrets.token_hex(16)
            with path.open("xb") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                if not path.exists():  # cleared as a leftover before it was locked
                    continue
                try:
                    yield file
                finally:
                    path.unlink(missing_ok=True)
                return

    def _settle(self, incoming: Path, target: Path) -> bool:
        """Give the file its name, unless another has it already."""
        self._make_folders(target.parent)
        try:
            os.link(incoming, target)
        except FileExistsError:
            if target.is_dir():
                raise IsADirectoryError from None
            return False
        _sync(target.parent)
        return True

    def _make_folders(self, folder: Path) -> None:
        """Make the folders between the archive's own and `folder`, each durable; never the archive's own."""
        if folder == self.path or folder.is_dir():
            return
        self._make_folders(folder.parent)
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
        except FileExistsError:
            raise NotADirectoryError from None
        _sync(folder.parent)

    def _remove_empty(self, folder: Path) -> None:
        while folder != self.path:
            try:
                folder.rmdir()
            except OSError:
                return  # not empty
            folder = folder.parent
            _sync(folder)

    def _walk(self, folder: Path, above: str, prefix: str) -> Iterator[ArchiveEntry]:
        """Objects below a folder in the order of their keys: a folder sorts as its name with a slash."""
        with os.scandir(folder) as found:
            children = sorted(
                (unquote(child.name) + ("/" if child.is_dir() else ""), child)
                for child in found
                if not child.name.startswith(".")
            )
        for name, child in children:
            key = above + name
            if child.is_dir() and (key.startswith(prefix) or prefix.startswith(key)):
                yield from self._walk(Path(child.path), key, prefix)
            elif not child.is_dir() and key.startswith(prefix):
                yield ArchiveEntry(key, child.stat().st_size)

    def _clear_leftovers(self) -> None:
        for leftover in (self.path / _INCOMING).iterdir():
            with suppress(FileNotFoundError, BlockingIOError), leftover.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                leftover.unlink()


def _encoded(part: str) -> str:
    """A part of a key as a file name; empty for a part that can be none."""
    if part in {"", ".", ".."} or "\0" in part:
        return ""
    name = quote(part, safe=_SAFE)
    return f"%2E{name[1:]}" if name.startswith(".") else name


def _flush(file: BufferedWriter) -> None:
    file.flush()
    os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _reported() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ArchiveUnavailable(reason=error.strerror or str(error)) from error
