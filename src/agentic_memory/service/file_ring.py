"""Keep what a ring asked and what it was told by number, as two objects of the archive."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from agentic_memory.ports import Archive

RINGS = "client-data/"
"""Prefix in the archive."""
NOBODY = "unknown"
"""Folder of rings without a person: withheld numbers."""
_LONGEST_NAME = 200


class AnsweredRing(msgspec.Struct, frozen=True):
    """A ring that was answered; as JSON, with both bodies in base64, it can travel by a queue."""

    person: str | None
    call_id: str | None
    """The carrier's id of the call, else the platform's."""
    at: float
    """Unix seconds."""
    received: bytes
    """The request's body, as it came."""
    response: bytes
    """The answer's, without the variables that are secret."""


class _Message(msgspec.Struct, frozen=True):
    ring: AnsweredRing


_decoder = msgspec.json.Decoder(_Message)

KeepRing = Callable[[AnsweredRing], None]
"""Keeps a ring, or hands it to who does. Raises ArchiveError or StorageError."""


@dataclass(frozen=True, slots=True)
class FileRing:
    """Puts `client-data/{number}/{timestamp}_{call_sid}/received.json` and `response.json` into the archive."""

    archive: Archive

    def __call__(self, ring: AnsweredRing) -> None:
        """File one ring; once more changes nothing. Raises ArchiveError."""
        folder = key_of(ring)
        self.archive.put(f"{folder}/received.json", ring.received)
        self.archive.put(f"{folder}/response.json", ring.response)


def key_of(ring: AnsweredRing) -> str:
    """The folder of one ring. Without any id of the call, what was received tells it from others."""
    moment = datetime.fromtimestamp(ring.at, UTC).strftime("%Y%m%dT%H%M%SZ")
    call = ring.call_id or hashlib.sha256(ring.received).hexdigest()[:12]
    return f"{rings_of(ring.person or NOBODY)}{moment}_{name_in_key(call)}"


def rings_of(person: str) -> str:
    """Where all rings of a person lie."""
    return f"{RINGS}{name_in_key(person)}/"


def message_of(ring: AnsweredRing) -> str:
    """A ring as a message of a queue: JSON in ASCII."""
    return json.dumps({"ring": msgspec.to_builtins(ring)})


def ring_in(message: object) -> AnsweredRing | None:
    """The ring in a message; None where there is none."""
    try:
        return _decoder.decode(message).ring if isinstance(message, str) else None
    except (msgspec.DecodeError, UnicodeEncodeError):
        return None


def name_in_key(text: str) -> str:
    """A text as one part of a key: numbers and plain ids as they are, no two others alike."""
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "+_-") else "_" for c in text)
    if plain == text and 0 < len(text) <= _LONGEST_NAME:
        return text
    return f"{plain[:100]}-{hashlib.sha256(text.encode('utf-8', 'replace')).hexdigest()[:16]}"
