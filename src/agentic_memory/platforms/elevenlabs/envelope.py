"""The three fields that acceptance reads of a body, without materialising the rest of it."""

import msgspec

from agentic_memory.domain.delivery import Envelope
from agentic_memory.platforms.elevenlabs.reading import identifier, timestamp


class _Data(msgspec.Struct):
    conversation_id: msgspec.Raw = msgspec.Raw()


class _Wire(msgspec.Struct):
    type: msgspec.Raw = msgspec.Raw()
    event_timestamp: msgspec.Raw = msgspec.Raw()
    conversation_id: msgspec.Raw = msgspec.Raw()
    """Where the legacy form without an envelope has it."""
    data: _Data | None = None


_ONE = msgspec.json.Decoder(_Wire)
_SEVERAL = msgspec.json.Decoder(list[_Wire])


def envelope(body: bytes) -> Envelope:
    """Type, conversation id and event timestamp of `body`; what is missing or odd is None.

    An array of one event has that event's fields. An array of several has none, so that the whole body
    is what tells one delivery from another. Never raises.
    """
    wire = _wire(body)
    if wire is None:
        return Envelope()
    nested = _value(wire.data.conversation_id) if wire.data else None
    return Envelope(
        type=identifier(_value(wire.type)),
        conversation_id=identifier(nested) or identifier(_value(wire.conversation_id)),
        event_timestamp=timestamp(_value(wire.event_timestamp)),
    )


def _wire(body: bytes) -> _Wire | None:
    try:
        if not body[:64].lstrip().startswith(b"["):
            return _ONE.decode(body)
        several = _SEVERAL.decode(body)
    except (ValueError, RecursionError):
        # ValueError: msgspec's own errors and text that is not UTF-8.
        return None
    return several[0] if len(several) == 1 else None


def _value(raw: msgspec.Raw) -> object:
    try:
        return msgspec.json.decode(raw) if bytes(raw) else None
    except (ValueError, RecursionError):
        return None
