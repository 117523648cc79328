"""What a platform hands over after a call: a delivery, and what became of it."""

import hashlib
from dataclasses import dataclass, field

from agentic_memory.domain.call import Call


@dataclass(frozen=True, slots=True)
class Envelope:
    """The three fields of a body that acceptance reads; None where one is missing."""

    type: str | None = None
    conversation_id: str | None = None
    event_timestamp: int | None = None


def dedupe_key(envelope: Envelope, body: bytes) -> str:
    """Hex sha256 that two deliveries of the same event share.

    Over (type, conversation id, event timestamp), or over the whole body where one of them is missing.
    """
    parts = (envelope.type, envelope.conversation_id, envelope.event_timestamp)
    if None in parts:
        return hashlib.sha256(b"body\0" + body).hexdigest()
    return hashlib.sha256("\0".join(["event", *map(str, parts)]).encode("utf-8", "replace")).hexdigest()


@dataclass(frozen=True, slots=True)
class NewDelivery:
    """A verified body on its way into the inbox."""

    tenant: str
    platform: str
    dedupe_key: str
    """See the function `dedupe_key`."""
    body: bytes
    received_at: float
    """Unix seconds."""
    envelope: Envelope = field(default_factory=Envelope)


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivery that a worker holds under a lease."""

    id: str
    tenant: str
    platform: str
    body: bytes
    received_at: float
    envelope: Envelope
    attempts: int
    """How often it has been claimed, this time included."""
    lease: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """The inbox's receipt."""

    id: str
    duplicate: bool


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A delivery that could not be processed, with its cause; it can be replayed."""

    id: str
    tenant: str
    platform: str
    envelope: Envelope
    received_at: float
    buried_at: float
    attempts: int
    error_code: str
    error: str
    """One line without personal data."""
    size: int
    """Bytes of the body."""


@dataclass(frozen=True, slots=True)
class DeadLetterPage:
    """A page of dead letters, oldest first."""

    letters: tuple[DeadLetter, ...]
    next_cursor: str | None = None


@dataclass(frozen=True, slots=True)
class InboxCounts:
    """How many deliveries are where."""

    pending: int
    """Accepted and neither done nor dead: waiting, leased and scheduled ones."""
    dead: int
    quarantined: int
    quarantined_bytes: int = 0
    oldest_pending_at: float | None = None


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A body whose signature did not verify, kept so that a wrong key costs no memory."""

    id: str
    platform: str
    body: bytes
    signature: str
    """The signature header as it came."""
    received_at: float


@dataclass(frozen=True, slots=True)
class CallEnded:
    """A transcript came: something may be learnt."""

    call: Call


@dataclass(frozen=True, slots=True)
class AudioRecorded:
    """A recording came; it is joined to its call by the conversation id."""

    conversation_id: str
    audio_base64: str
    extension: str = ".mp3"


@dataclass(frozen=True, slots=True)
class NothingToRemember:
    """A stated non-event: counted and archived, nothing learnt."""

    type: str
    reason: str
    conversation_id: str | None = None
    person: str | None = None
    """The person it is about as the payload names them, so that erasing finds it."""


Event = CallEnded | AudioRecorded | NothingToRemember
"""One normal event, whatever the platform's wire form."""
