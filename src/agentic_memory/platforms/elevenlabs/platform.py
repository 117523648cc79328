"""ElevenLabs' post-call webhooks: verify, then read the envelope, then parse into our events."""

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

from agentic_memory.domain.caller import Direction, IdentityHints
from agentic_memory.domain.delivery import (
    AudioRecorded,
    CallEnded,
    Envelope,
    Event,
    NothingToRemember,
)
from agentic_memory.errors import MalformedPayload
from agentic_memory.platforms.elevenlabs import signature as signatures
from agentic_memory.platforms.elevenlabs.envelope import envelope
from agentic_memory.platforms.elevenlabs.otel import as_transcription
from agentic_memory.platforms.elevenlabs.reading import (
    Bounds,
    first_claim,
    identifier,
    load,
    mapping,
    moment,
)
from agentic_memory.platforms.elevenlabs.transcription import (
    PLATFORM,
    Arrival,
    call_of,
    hints_of,
)

MAX_EVENTS = 1_000
"""Events in one array; one is what is ever sent."""

TRANSCRIPTION = "post_call_transcription"
OTEL = "post_call_transcription_otel"
AUDIO = "post_call_audio"
FAILURE = "call_initiation_failure"

_TYPE_BY_FIELD = {
    "full_audio": AUDIO,
    "otlp_traces": OTEL,
    "failure_reason": FAILURE,
    "transcript": TRANSCRIPTION,
    "analysis": TRANSCRIPTION,
    "summary": TRANSCRIPTION,
    "metadata": TRANSCRIPTION,
}
"""What a body without a type is, by the first of these fields that it has."""


class ElevenLabs:
    """The after-call wire of ElevenLabs Agents."""

    def __init__(
        self,
        *,
        tolerance: float = 1800.0,
        skew: float = 300.0,
        max_depth: int = 100,
        max_turns: int = 10_000,
        max_text_chars: int = 100_000,
    ) -> None:
        """`tolerance` and `skew`: seconds a signature may be old, and ahead. The rest bounds a body."""
        self._tolerance, self._skew = tolerance, skew
        self._bounds = Bounds(max_depth, max_turns, max_text_chars)
        self._readers: dict[str, Callable[[dict[str, Any], Arrival], Event]] = {
            TRANSCRIPTION: self._call_ended,
            OTEL: self._call_ended,
            AUDIO: _audio_recorded,
            FAILURE: _never_reached,
        }

    @property
    def name(self) -> str:
        """`elevenlabs`."""
        return PLATFORM

    def verify(
        self, body: bytes, signature: str, secrets: Sequence[str], now: float
    ) -> signatures.Signature:
        """Check the signature header over the raw bytes, in constant time. Total over any header."""
        return signatures.verify(
            body, signature, secrets, now, tolerance=self._tolerance, skew=self._skew
        )

    def plausible(self, signature: str, now: float) -> bool:
        """Whether a header is well formed and fresh: asked before a large body is read."""
        return signatures.plausible(signature, now, tolerance=self._tolerance, skew=self._skew).ok

    def envelope(self, body: bytes) -> Envelope:
        """The three fields that acceptance needs; missing or odd ones are None. Never raises."""
        return envelope(body)

    def is_recording(self, body: bytes) -> bool:
        """By its type, which is read without the rest. Never raises."""
        return envelope(body).type == AUDIO

    def parse(self, body: bytes, tenant: str, received_at: float) -> tuple[Event, ...]:
        """The events in a body: an object, or an array of them. Raises PayloadError."""
        document = load(body, self._bounds.depth)
        if not isinstance(document, dict | list):
            raise MalformedPayload(reason="neither an object nor an array")
        events = document if isinstance(document, list) else [document]
        self._bounds.count(events, MAX_EVENTS, "events")
        if not events:
            return (NothingToRemember("unknown", "empty array"),)
        digest = hashlib.sha256(body).hexdigest()[:32]
        names = [f"body-{digest}"] + [f"body-{digest}-{i}" for i in range(1, len(events))]
        pairs = zip(events, names, strict=True)
        return tuple(self._event(event, tenant, received_at, name) for event, name in pairs)

    def _event(self, event: object, tenant: str, received_at: float, fallback_id: str) -> Event:
        if not isinstance(event, dict):
            return NothingToRemember("unknown", "not an object")
        data = _data(event)
        type_ = identifier(event.get("type")) or _guessed_type(data)
        arrival = Arrival(tenant, received_at, moment(event.get("event_timestamp")), fallback_id)
        reader = self._readers.get(type_, _unknown(type_))
        return reader(data, arrival)

    def _call_ended(self, data: dict[str, Any], arrival: Arrival) -> CallEnded:
        if not data:
            raise MalformedPayload(reason="a transcription without data")
        if isinstance(data.get("otlp_traces"), dict) and not data.get("transcript"):
            data = as_transcription(data, self._bounds.depth)
        return CallEnded(call_of(data, arrival, self._bounds))


def _data(event: dict[str, Any]) -> dict[str, Any]:
    """What is inside the envelope; of the legacy form, which has none, the event itself."""
    if isinstance(event.get("data"), dict):
        return mapping(event["data"])
    around = ("type", "event_timestamp", "data")
    return {key: value for key, value in event.items() if key not in around}


def _guessed_type(data: dict[str, Any]) -> str:
    return next((type_ for field, type_ in _TYPE_BY_FIELD.items() if field in data), "unknown")


def _audio_recorded(data: dict[str, Any], _: Arrival) -> Event:
    conversation_id, audio = identifier(data.get("conversation_id")), data.get("full_audio")
    if conversation_id is None:
        raise MalformedPayload(reason="a recording without a conversation id")
    if not isinstance(audio, str) or not audio.strip():
        return NothingToRemember(AUDIO, "no audio", conversation_id)
    if not audio.isascii():
        raise MalformedPayload(reason="the recording is not base64")
    return AudioRecorded(conversation_id, audio)


def _never_reached(data: dict[str, Any], _: Arrival) -> NothingToRemember:
    """A call that did not come about. It was ours, so the person is the one who was dialled."""
    metadata = mapping(data.get("metadata"))
    body = mapping(metadata.get("body"))
    inbound = str(body.get("Direction")).startswith("inbound")
    names = ("From", "Caller", "from_number") if inbound else ("To", "Called", "to_number")
    return NothingToRemember(
        FAILURE,
        identifier(data.get("failure_reason")) or "unknown",
        identifier(data.get("conversation_id")),
        first_claim(body.get(name) for name in names) or _person(hints_of(data)),
    )


def _unknown(type_: str) -> Callable[[dict[str, Any], Arrival], NothingToRemember]:
    def read(data: dict[str, Any], _: Arrival) -> NothingToRemember:
        person = _person(hints_of(data))
        return NothingToRemember(type_, "unknown type", identifier(data.get("conversation_id")), person)

    return read


def _person(hints: IdentityHints) -> str | None:
    """The person as the payload names them, by the first hint that says anything."""
    outbound = hints.direction is Direction.OUTBOUND
    system = hints.system_called_number if outbound else hints.system_caller_id
    given = (hints.external_number, hints.messaging_id, hints.user_id, hints.own_caller_id, system, hints.legacy_number, hints.bridge_number)
    return first_claim(given)
