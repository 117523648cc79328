"""Between the domain's values and what stands in a row."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import MISSING, fields, is_dataclass, replace
from functools import cache
from typing import Any, TypeVar

import msgspec

from agentic_memory.domain.briefing import Brief
from agentic_memory.domain.call import Call, Turn
from agentic_memory.domain.caller import Caller, CallerName
from agentic_memory.domain.delivery import DeadLetter, Delivery, Envelope, Quarantined
from agentic_memory.domain.memory import Change, Memory
from agentic_memory.domain.records import CallRecord, Vectors
from agentic_memory.errors import InvalidField, MalformedPayload, StorageCorrupt

Row = Sequence[Any]
T = TypeVar("T")

_encode = msgspec.json.encode
_call = msgspec.json.Decoder(Call)
_turns = msgspec.json.Decoder(tuple[Turn, ...])
_memory = msgspec.json.Decoder(Memory)
_brief = msgspec.json.Decoder(Brief)
_name = msgspec.json.Decoder(CallerName)


def caller_row(caller: Caller, revision: int) -> tuple[object, ...]:
    """The parameters of `put_caller`."""
    return (
        caller.tenant,
        caller.caller_id,
        searchable(caller),
        _text(caller.name, _name) if caller.name else None,
        caller.language,
        caller.first_call_at,
        caller.last_call_at,
        caller.call_count,
        revision,
        _text(caller.brief, _brief) if caller.brief else None,
    )


def searchable(caller: Caller) -> str:
    """What a search for callers looks into: id and name, case folded, a line each."""
    return f"{caller.caller_id}\n{caller.name.text if caller.name else ''}".casefold()


def caller_of(row: Row) -> Caller:
    """A row of `caller` or `callers_page`."""
    tenant, caller_id, name, language, first, last, count, revision, brief = row
    return Caller(
        tenant=tenant,
        caller_id=caller_id,
        name=_decoded(_name, name) if name else None,
        language=language,
        first_call_at=first,
        last_call_at=last,
        call_count=count,
        revision=revision,
        brief=_decoded(_brief, brief) if brief else None,
    )


def call_row(caller: Caller, record: CallRecord) -> dict[str, object]:
    """The parameters of `put_call`."""
    call, vectors = record.call, record.vectors
    return {
        "tenant": caller.tenant,
        "caller_id": caller.caller_id,
        "conversation_id": call.conversation_id,
        "started_at": call.started_at,
        "audio_key": call.audio_key,
        "spoken": len(call.spoken_turns),
        "vectors_model": vectors.model_id if vectors else "",
        "dimension": vectors.dimension if vectors else None,
        "heading": _text(replace(call, turns=(), audio_key=None), _call),
        "turns": _bytes(call.turns, _turns),
        "vectors": vectors.data if vectors else None,
    }


def heading_of(row: Row) -> Call:
    """A row of `headings`: a call without its turns."""
    heading, audio_key = row
    return replace(_decoded(_call, heading), audio_key=audio_key)


def call_of(row: Row) -> Call:
    """A row of `call`: with its turns."""
    heading, audio_key, turns = row
    return replace(
        _decoded(_call, heading), turns=_decoded(_turns, turns), audio_key=audio_key
    )


def call_record_of(row: Row) -> CallRecord:
    """A row of `calls`: with turns and vectors."""
    model, dimension, data = row[3:]
    return CallRecord(call_of(row[:3]), _vectors_of(model, dimension, data) if model else None)


def _vectors_of(model: str, dimension: int, data: bytes) -> Vectors:
    return Vectors(model, dimension, len(data) // (2 * dimension) if dimension else 0, data)


def memory_row(caller: Caller, memory: Memory) -> tuple[object, ...]:
    """The parameters of `put_memory`."""
    return (caller.tenant, caller.caller_id, memory.id, memory.created_at, _text(memory, _memory))


def memory_of(text: str) -> Memory:
    """The column `memory`."""
    return _decoded(_memory, text)


def change_row(caller: Caller, change: Change) -> tuple[object, ...]:
    """The parameters of `append_change`."""
    return (
        caller.tenant,
        caller.caller_id,
        change.memory_id,
        change.action,
        change.at,
        change.actor,
        change.conversation_id,
        change.old_text,
        change.new_text,
    )


def delivery_of(row: Row) -> Delivery:
    """A row of `leased`."""
    number, tenant, platform, body, received_at, *envelope, attempts, lease = row
    return Delivery(
        id=str(number),
        tenant=tenant,
        platform=platform,
        body=body,
        received_at=received_at,
        envelope=Envelope(*envelope),
        attempts=attempts,
        lease=lease,
    )


def dead_letter_of(row: Row) -> DeadLetter:
    """A row of `dead_letters`."""
    number, tenant, platform, kind, conversation_id, timestamp, *rest = row
    return DeadLetter(str(number), tenant, platform, Envelope(kind, conversation_id, timestamp), *rest)


def quarantined_of(row: Row) -> Quarantined:
    """A row of `quarantined`."""
    return Quarantined(*row)


def storable(text: str | None) -> str | None:
    """Text as SQLite takes it: a lone surrogate, which no UTF-8 can hold, becomes a question mark."""
    return text and text.encode("utf-8", "replace").decode()


def storable_integer(number: int | None) -> int | None:
    """None for what no 64 bits can hold."""
    return number if number is None or -(2**63) <= number < 2**63 else None


def row_id(text: str) -> int | None:
    """The number in an id that we gave out; None for what is none of ours."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def cursor_text(caller: Caller) -> str:
    """Where the next page goes on: opaque, fit for a URL."""
    return base64.urlsafe_b64encode(_encode((caller.last_call_at, caller.caller_id))).decode()


def cursor_of(text: str) -> tuple[float, str]:
    """The (last call, caller id) in a cursor. Raises InvalidField."""
    try:
        content = base64.b64decode(text, altchars=b"-_", validate=True)
        return msgspec.json.decode(content, type=tuple[float, str])
    except (binascii.Error, ValueError):
        raise InvalidField(field="cursor", expected="a former page's next_cursor") from None


def _text(value: object, decoder: "msgspec.json.Decoder[Any]") -> str:
    return _bytes(value, decoder).decode()


def _bytes(value: object, decoder: "msgspec.json.Decoder[Any]") -> bytes:
    """As JSON that is certain to be read back; empty values that are the default are left out.

    Raises MalformedPayload: no retry would mend a NaN or a lone surrogate.
    """
    try:
        encoded = _encode(_sparse(value))
        decoder.decode(encoded)
    except (UnicodeEncodeError, msgspec.ValidationError) as error:
        raise MalformedPayload(reason=f"a value cannot be stored ({type(error).__name__})") from None
    return encoded


def _decoded(decoder: "msgspec.json.Decoder[T]", content: str | bytes) -> T:
    try:
        return decoder.decode(content)
    except msgspec.DecodeError as error:
        raise StorageCorrupt(reason=f"a record cannot be read: {error}") from error


def _sparse(value: object) -> object:
    if isinstance(value, tuple):
        return [_sparse(item) for item in value]
    if not is_dataclass(value) or isinstance(value, type):
        return value
    items = ((name, getattr(value, name), empty) for name, empty in _fields(type(value)))
    return {
        name: _sparse(item)
        for name, item, empty in items
        if type(item) is not type(empty) or item != empty
    }


@cache
def _fields(kind: type) -> tuple[tuple[str, object], ...]:
    """Field names, each with its default where that is an empty value; MISSING stands for none."""
    return tuple(
        (f.name, f.default if f.default in (None, (), False, "") else MISSING) for f in fields(kind)
    )
