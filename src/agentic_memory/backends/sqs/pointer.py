"""What a message says: where a delivery's body lies, and what is known of it without the body."""

import hashlib
import json
from dataclasses import asdict, dataclass
from urllib.parse import quote

import msgspec

from agentic_memory.domain.caller import DEFAULT_TENANT
from agentic_memory.domain.delivery import DeadLetter, Envelope, NewDelivery

INBOX, DONE, QUARANTINE = "inbox/", "done/", "quarantine/"
"""Prefixes in the bucket."""

RINGS_GROUP = "rings"
"""Message group of rings: however many come, calls that ended are not held up."""

_LONGEST_PART = 120


@dataclass(frozen=True, slots=True)
class Pointer:
    """One message of the queue, without anybody's words."""

    key: str
    """Of the body in the bucket."""
    tenant: str
    platform: str
    dedupe_key: str
    received_at: float
    size: int
    type: str | None = None
    conversation_id: str | None = None
    event_timestamp: int | None = None
    again: bool = False
    """Processed even if it was done before: it is replayed."""
    buried_at: float | None = None
    error_code: str = ""
    error: str = ""
    attempts: int = 0
    """Of a dead letter."""

    @property
    def envelope(self) -> Envelope:
        """The three fields of acceptance."""
        return Envelope(self.type, self.conversation_id, self.event_timestamp)

    @property
    def done_key(self) -> str:
        """Where it is marked that this event was processed."""
        name = f"{self.tenant}\0{self.dedupe_key}".encode("utf-8", "replace")
        return DONE + hashlib.sha256(name).hexdigest()


_decoder = msgspec.json.Decoder(Pointer)


class RingLetter(msgspec.Struct, frozen=True):
    """A ring that waits to be filed: small enough for a message, so its bodies are in it."""

    at: float
    received: bytes
    response: bytes
    call_id: str | None = None


class _RingMessage(msgspec.Struct, frozen=True):
    ring: RingLetter


_ring_decoder = msgspec.json.Decoder(_RingMessage)


def pointer_to(delivery: NewDelivery, *, again: bool = False) -> Pointer:
    """The message for a delivery: same body, same key."""
    envelope = delivery.envelope
    kind, conversation_id = _clean(envelope.type), _clean(envelope.conversation_id)
    digest = hashlib.sha256(delivery.body).hexdigest()[:12]
    return Pointer(
        key=f"{INBOX}{_part(kind, 'untyped')}/{_part(conversation_id, 'unnamed')}-{digest}.json",
        tenant=delivery.tenant,
        platform=delivery.platform,
        dedupe_key=delivery.dedupe_key,
        received_at=delivery.received_at,
        size=len(delivery.body),
        type=kind,
        conversation_id=conversation_id,
        event_timestamp=_bounded(envelope.event_timestamp),
        again=again,
    )


def message_of(pointer: Pointer) -> str:
    """A message's body: JSON in ASCII, because SQS refuses some characters."""
    return json.dumps(asdict(pointer))


def pointer_of(message: object) -> Pointer | None:
    """The pointer in a message's body; None where there is none."""
    try:
        pointer = _decoder.decode(message) if isinstance(message, str) else None
    except (msgspec.DecodeError, UnicodeEncodeError):
        return None
    return pointer if pointer is not None and pointer.key.startswith(INBOX) else None


def ring_letter(message: object) -> RingLetter | None:
    """The ring in a message's body; None where there is none."""
    try:
        return _ring_decoder.decode(message).ring if isinstance(message, str) else None
    except (msgspec.DecodeError, UnicodeEncodeError):
        return None


def dead_ring(ring: RingLetter, message_id: str, sent_at: float, attempts: int) -> DeadLetter:
    """What a ring tells that could not be filed."""
    return DeadLetter(
        id=message_id,
        tenant=DEFAULT_TENANT,
        platform="elevenlabs",
        envelope=Envelope("client_data", ring.call_id, None),
        received_at=ring.at,
        buried_at=sent_at,
        attempts=attempts,
        error_code="ReceivedTooOften",
        error="no attempt came to an end",
        size=len(ring.received) + len(ring.response),
    )


def dead_letter(pointer: Pointer, message_id: str, sent_at: float, attempts: int) -> DeadLetter:
    """What a dead letter tells; SQS itself buries without a cause what came too often."""
    by_sqs = pointer.buried_at is None
    return DeadLetter(
        id=message_id,
        tenant=pointer.tenant,
        platform=pointer.platform,
        envelope=pointer.envelope,
        received_at=pointer.received_at,
        buried_at=sent_at if pointer.buried_at is None else pointer.buried_at,
        attempts=attempts if by_sqs else pointer.attempts,
        error_code="ReceivedTooOften" if by_sqs else pointer.error_code,
        error="no attempt came to an end" if by_sqs else pointer.error,
        size=pointer.size,
    )


def _part(text: str | None, otherwise: str) -> str:
    """A part of a key: no slash, bounded."""
    quoted = quote(text or otherwise, safe="")
    if len(quoted) <= _LONGEST_PART:
        return quoted
    return hashlib.sha256(quoted.encode()).hexdigest()


def conversation_part(conversation_id: str) -> str:
    """How a conversation stands in the keys of its bodies."""
    return _part(_clean(conversation_id), "unnamed")


def conversation_of(key: str) -> str:
    """The part of a body's key that names its conversation."""
    return key.rpartition("/")[2].rpartition("-")[0]


def _clean(text: str | None) -> str | None:
    """A lone surrogate, which no UTF-8 can hold, becomes a question mark."""
    return text and text.encode("utf-8", "replace").decode()


def _bounded(number: int | None) -> int | None:
    return number if number is None or -(2**63) <= number < 2**63 else None
