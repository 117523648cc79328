"""Between the domain's values and the bytes in an item."""

import base64
import binascii
import re
import secrets
import zlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

import msgspec

from agentic_memory.backends.dynamodb.table import PART, Row, Value
from agentic_memory.domain.call import Call, Turn
from agentic_memory.domain.caller import Caller
from agentic_memory.domain.memory import Change, Memory
from agentic_memory.domain.records import Vectors
from agentic_memory.errors import InvalidField, MalformedPayload, StorageCorrupt

T = TypeVar("T")

_POSITION = re.compile(r"[0-9a-f]{16}/.*", re.DOTALL)


class Lesson(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one commit taught, without what is long: turns, vectors and history lie beside it."""

    call: Call | None = None
    """Its turns are left out."""
    is_spoken: bool = False
    """Whether the call has turns with words."""
    memories: tuple[Memory, ...] = ()
    dropped: tuple[str, ...] = ()
    call_models: Mapping[str, str] = {}
    """By conversation id: the model of the vectors that lie beside this lesson."""
    memory_models: Mapping[str, str] = {}
    """By memory id, the same."""
    renews: bool = False
    """All vectors that are still used lie beside this lesson: those of the earlier ones are void."""


class PackedVectors(msgspec.Struct, frozen=True):
    """The vectors beside one lesson."""

    calls: dict[str, Vectors]
    memories: dict[str, Vectors]


_lesson = msgspec.json.Decoder(Lesson)
_caller = msgspec.json.Decoder(Caller)
_turns = msgspec.json.Decoder(tuple[Turn, ...])
_changes = msgspec.json.Decoder(tuple[Change, ...])
_vectors = msgspec.msgpack.Decoder(PackedVectors)


def caller_bytes(caller: Caller) -> bytes:
    """A caller with their brief. Raises MalformedPayload, as everything here that makes bytes."""
    return _packed(caller, _caller)


def caller_of(content: Value, revision: int) -> Caller:
    """The caller at this revision. Raises StorageCorrupt, as everything here that reads bytes."""
    return replace(_unpacked(_caller, content), revision=revision)


def lesson_bytes(lesson: Lesson) -> bytes:
    """A lesson."""
    return _packed(lesson, _lesson)


def lesson_of(content: Value) -> Lesson:
    """The lesson."""
    return _unpacked(_lesson, content)


def turns_bytes(turns: tuple[Turn, ...]) -> bytes:
    """The turns of one call."""
    return _packed(turns, _turns)


def turns_of(content: Value) -> tuple[Turn, ...]:
    """The turns."""
    return _unpacked(_turns, content)


def changes_bytes(changes: tuple[Change, ...]) -> bytes:
    """Lines of history."""
    return _packed(changes, _changes)


def changes_of(content: Value) -> tuple[Change, ...]:
    """The lines."""
    return _unpacked(_changes, content)


def vectors_bytes(vectors: PackedVectors) -> bytes:
    """Vectors as they are: random bits do not compress."""
    return msgspec.msgpack.encode(vectors)


def vectors_of(content: Value) -> PackedVectors:
    """The vectors."""
    return _decoded(_vectors, content if isinstance(content, bytes) else b"")


def rows_of(pk: str, sk: str, content: bytes) -> list[Row]:
    """A value as items: the one that is asked for comes last, behind its parts where it has any."""
    if len(content) <= PART:
        return [{"pk": pk, "sk": sk, "data": content}]
    nonce = secrets.token_hex(4)
    pieces = [content[start : start + PART] for start in range(0, len(content), PART)]
    parts: list[Row] = [
        {"pk": pk, "sk": part_key(sk, nonce, number), "data": piece}
        for number, piece in enumerate(pieces)
    ]
    return [*parts, {"pk": pk, "sk": sk, "nonce": nonce, "parts": len(pieces)}]


def part_key(sk: str, nonce: str, number: int) -> str:
    """Where a part of a value lies."""
    return f"{sk}/{nonce}/{number:04}"


def content_of(rows: Mapping[str, Row], sk: str) -> bytes | None:
    """The value under a sort key, its parts joined; None where it or one of them is not there."""
    row = rows.get(sk)
    if row is None or "parts" not in row:
        return None if row is None else bytes_of(row["data"])
    keys = (part_key(sk, str(row["nonce"]), number) for number in range(int(row["parts"])))
    parts = [rows.get(key) for key in keys]
    return b"".join(bytes_of(p["data"]) for p in parts if p) if all(parts) else None


def bytes_of(value: Value) -> bytes:
    """A value that is bytes. Raises StorageCorrupt."""
    if not isinstance(value, bytes):
        raise StorageCorrupt(reason="an item holds something else than its bytes")
    return value


def cursor_text(position: str) -> str:
    """Where the next page goes on: opaque, fit for a URL."""
    return base64.urlsafe_b64encode(position.encode("utf-8", "replace")).decode()


def cursor_of(text: str) -> str:
    """The position in a cursor. Raises InvalidField."""
    try:
        position = base64.b64decode(text, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        position = ""
    if not _POSITION.fullmatch(position):
        raise InvalidField(field="cursor", expected="a former page's next_cursor")
    return position


def _packed(value: object, decoder: "msgspec.json.Decoder[Any]") -> bytes:
    """As compressed JSON that is certain to be read back: no retry would mend a NaN or a lone surrogate."""
    try:
        encoded = msgspec.json.encode(value)
        decoder.decode(encoded)
    except (UnicodeEncodeError, msgspec.ValidationError) as error:
        raise MalformedPayload(reason=f"a value cannot be stored ({type(error).__name__})") from None
    return zlib.compress(encoded)


def _unpacked(decoder: "msgspec.json.Decoder[T]", content: Value) -> T:
    try:
        return _decoded(decoder, zlib.decompress(bytes_of(content)))
    except zlib.error as error:
        raise StorageCorrupt(reason=f"an item cannot be read: {error}") from error


def _decoded(decoder: "msgspec.json.Decoder[T] | msgspec.msgpack.Decoder[T]", content: bytes) -> T:
    try:
        return decoder.decode(content)
    except msgspec.DecodeError as error:
        raise StorageCorrupt(reason=f"an item cannot be read: {error}") from error
