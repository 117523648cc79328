"""SQLite's errors in our own terms."""

import sqlite3

from agentic_memory.errors import (
    InvalidField,
    StorageCorrupt,
    StorageError,
    StorageFull,
    StorageLocked,
    StorageUnavailable,
)

# An extended result code carries its primary code in the low byte: https://sqlite.org/rescode.html
_PRIMARY = 0xFF
_LOCKED = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_CORRUPT = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_UNAVAILABLE = (
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_PROTOCOL,
)


def translated(error: BaseException, busy_timeout: float) -> BaseException:
    """What to raise for `error`: a StorageError that says what it means, or `error` where it is ours.

    `busy_timeout`: the seconds that were waited for a lock.
    """
    if isinstance(error, sqlite3.Error):
        return _storage_error(error, busy_timeout)
    if isinstance(error, UnicodeEncodeError):
        return InvalidField(field="text", expected="Unicode without lone surrogates")
    return error


def _storage_error(error: sqlite3.Error, busy_timeout: float) -> StorageError:
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK) & _PRIMARY
    if code == sqlite3.SQLITE_FULL:
        return StorageFull()
    if code in _LOCKED:
        return StorageLocked(seconds=f"{busy_timeout:g}")
    if code in _CORRUPT:
        return StorageCorrupt(reason=str(error))
    if code in _UNAVAILABLE:
        return StorageUnavailable(reason=str(error))
    return StorageError(reason=str(error))
