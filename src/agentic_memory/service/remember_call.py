"""Process one delivery: archive it, understand it, remember it. What the worker does after hang-up."""

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

import msgspec

from agentic_memory.domain.call import Call
from agentic_memory.domain.caller import IdentityHints
from agentic_memory.domain.delivery import (
    AudioRecorded,
    CallEnded,
    Delivery,
    Event,
    NothingToRemember,
    dedupe_key,
)
from agentic_memory.domain.records import Hold
from agentic_memory.errors import MalformedPayload, PayloadError
from agentic_memory.ports import Archive, Inbox, MemoryBackend, Platform, RecordStore
from agentic_memory.telemetry import Log

log = Log("worker")

BODIES, UNREADABLE, RECORDINGS = "post-call/", "unreadable/", "audio/"
"""Prefixes in the archive."""

AUDIO_CHUNK = 1 << 20
"""Base64 characters decoded at a time; a multiple of four."""


class EventOutcome(StrEnum):
    """What became of one event."""

    REMEMBERED = "remembered"
    UNCHANGED = "unchanged"
    NOBODY = "nobody"
    AUDIO = "audio"
    NOTHING = "nothing"


class ArchiveNote(msgspec.Struct):
    """What lies beside an archived body: all that a replay needs and the body does not say."""

    tenant: str
    platform: str
    received_at: float
    conversation_id: str | None = None
    person: str | None = None
    """The caller id noted when the phone rang."""


@dataclass(frozen=True, slots=True)
class Identity:
    """How the person of a call is found: see `engine.identity.PhoneBook`."""

    normalise: Callable[[str | None], str | None]
    person: Callable[[IdentityHints, str | None], str | None]


class RememberCall:
    """Turns a claimed delivery into memories. Doing it twice changes nothing."""

    def __init__(
        self,
        platform: Platform,
        inbox: Inbox,
        archive: Archive,
        records: RecordStore,
        backend: MemoryBackend,
        identity: Identity,
    ) -> None:
        """All the ports that remembering touches."""
        self._platform = platform
        self._inbox = inbox
        self._archive = archive
        self._records = records
        self._backend = backend
        self._identity = identity

    def __call__(self, delivery: Delivery) -> tuple[EventOutcome, ...]:
        """Archive, parse, remember, and mark it done; return what became of each event.

        Raises PayloadError for what no retry will mend, StorageError and ArchiveError for what one may.
        """
        events = self._parse(delivery)
        key = _body_key(delivery)
        noted = [self._noted(event, delivery, key) for event in events]
        if not _is_recording(events):
            self._put(key, delivery.body, delivery, delivery.envelope.conversation_id)
        outcomes = tuple(
            self._dispatch(event, delivery, key, person)
            for event, person in zip(events, noted, strict=True)
        )
        self._inbox.done(delivery)
        return outcomes

    def _parse(self, delivery: Delivery) -> tuple[Event, ...]:
        """The events; a body that has none is archived apart, where erasing looks into every body."""
        try:
            return self._platform.parse(delivery.body, delivery.tenant, delivery.received_at)
        except PayloadError:
            key, conversation_id = f"{UNREADABLE}{_digest(delivery)}.json", delivery.envelope.conversation_id
            self._note_key(key, None, conversation_id, delivery)
            self._put(key, delivery.body, delivery, conversation_id)
            raise

    def _noted(self, event: Event, delivery: Delivery, key: str) -> str | None:
        """Who an event is about; noted with where its body will lie, before it lies there.

        Thus an erasure finds every object that was or is being put, and whoever comes after it has lost
        the lease and can note nothing.
        """
        match event:
            case CallEnded(call):
                rung = self._records.person_of(delivery.tenant, call.conversation_id)
                person = self._identity.person(call.hints, rung)
                self._note_key(key, person, call.conversation_id, delivery, ended=True)
                return person
            case AudioRecorded():
                self._note_key(_audio_key(event, delivery), None, event.conversation_id, delivery)
                return None
            case NothingToRemember():
                person = self._identity.normalise(event.person)
                self._note_key(key, person, event.conversation_id, delivery)
                return person

    def _note_key(
        self,
        key: str,
        person: str | None,
        conversation_id: str | None,
        delivery: Delivery,
        *,
        ended: bool = False,
    ) -> None:
        self._records.note_archived(
            delivery.tenant, key, person, conversation_id, ended=ended, hold=_hold(delivery)
        )

    def _dispatch(
        self, event: Event, delivery: Delivery, key: str, person: str | None
    ) -> EventOutcome:
        match event:
            case CallEnded(call):
                return self._remember(replace(call, caller_id=person, raw_key=key), delivery)
            case AudioRecorded():
                return self._keep_audio(event, delivery)
            case NothingToRemember():
                log.info("nothing_to_remember", type=event.type[:100], reason=event.reason[:200])
                return EventOutcome.NOTHING

    def _remember(self, call: Call, delivery: Delivery) -> EventOutcome:
        if call.caller_id is None:
            return EventOutcome.NOBODY
        if not call.is_learnable:
            return EventOutcome.NOTHING
        from agentic_memory.engine.extract.retold import without_retold

        changed = self._backend.remember(without_retold(call), _hold(delivery))
        return EventOutcome.REMEMBERED if changed else EventOutcome.UNCHANGED

    def _keep_audio(self, event: AudioRecorded, delivery: Delivery) -> EventOutcome:
        key, conversation_id = _audio_key(event, delivery), event.conversation_id
        self._put(key, decoded(event.audio_base64), delivery, conversation_id)
        self._records.attach_audio(delivery.tenant, conversation_id, key, _hold(delivery))
        return EventOutcome.AUDIO

    def _put(
        self, key: str, data: bytes | Iterator[bytes], delivery: Delivery, conversation_id: str | None
    ) -> None:
        """An object with its note, while the lease holds; the note first, so that none is ever without."""

        def still() -> None:
            self._inbox.check_held(delivery)

        self._archive.put(note_key(key), self._note(delivery, conversation_id), still)
        self._archive.put(key, data, still)

    def _note(self, delivery: Delivery, conversation_id: str | None) -> bytes:
        person = (
            self._records.person_of(delivery.tenant, conversation_id) if conversation_id else None
        )
        return msgspec.json.encode(
            ArchiveNote(
                tenant=delivery.tenant,
                platform=delivery.platform,
                received_at=delivery.received_at,
                conversation_id=conversation_id,
                person=person,
            )
        )


def _is_recording(events: tuple[Event, ...]) -> bool:
    return bool(events) and all(isinstance(event, AudioRecorded) for event in events)


def _hold(delivery: Delivery) -> Hold:
    return Hold(delivery.id, delivery.lease)


def _body_key(delivery: Delivery) -> str:
    kind = re.sub(r"[^\w-]", "_", delivery.envelope.type or "untyped")[:60]
    return f"{BODIES}{folder_of(delivery.envelope.conversation_id)}/{kind}-{_digest(delivery)}.json"


def _audio_key(event: AudioRecorded, delivery: Delivery) -> str:
    return f"{RECORDINGS}{folder_of(event.conversation_id)}/{_digest(delivery)}{event.extension}"


def _digest(delivery: Delivery) -> str:
    return dedupe_key(delivery.envelope, delivery.body)[:16]


def folder_of(conversation_id: str | None) -> str:
    """Where a conversation's bodies and recordings lie, within their prefixes."""
    if not conversation_id:
        return "unnamed"
    if len(conversation_id) > 128 or "/" in conversation_id or set(conversation_id) <= {"."}:
        return hashlib.sha256(conversation_id.encode("utf-8", "replace")).hexdigest()
    return conversation_id


def note_key(key: str) -> str:
    """Where the note of an archived body or recording lies."""
    return f"{key}.note"


def decoded(text: str) -> Iterator[bytes]:
    """Base64 to bytes, a bounded piece at a time. Raises MalformedPayload."""
    for start in range(0, len(text), AUDIO_CHUNK):
        try:
            yield base64.b64decode(text[start : start + AUDIO_CHUNK], validate=True)
        except (binascii.Error, ValueError):
            raise MalformedPayload(reason="full_audio is not base64") from None
