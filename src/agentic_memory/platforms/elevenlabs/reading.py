"""Reading foreign JSON tolerantly: any field may be null, missing or of another type than promised."""

import json
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, TypeGuard

from agentic_memory.errors import MalformedPayload, PayloadOutOfBounds

MAX_ID_CHARS = 256
INT64 = 2**63
MILLISECONDS_FROM = 1e11
"""The year 5138 in seconds, 1973 in milliseconds."""

_STRINGS = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_ALL_BUT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_STEPS = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")
_UNSTORABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_EMPTY_WORDS = frozenset({"", "none", "null", "n/a", "nan", "undefined"})


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much one body may hold."""

    depth: int = 100
    """Levels of JSON nesting."""
    turns: int = 10_000
    text_chars: int = 100_000
    """Characters of one text: a turn, the summary, a collected value."""

    def text(self, value: object, field: str) -> str:
        """`value` as a harmless, stripped text; empty for what is not a string.

        Raises PayloadOutOfBounds naming `field`.
        """
        if not isinstance(value, str):
            return ""
        if len(value) > self.text_chars:
            raise PayloadOutOfBounds(field=field, limit=f"{self.text_chars} characters")
        return harmless(value).strip()

    def words(self, value: object, field: str) -> str | None:
        """Like `text`, with None for nothing and for the words that stand for nothing ("None")."""
        text = self.text(value, field)
        return None if stands_for_nothing(text) else text

    def count(self, items: list[Any], limit: int, field: str) -> list[Any]:
        """`items`, unless there are more than `limit`: then PayloadOutOfBounds naming `field`."""
        if len(items) > limit:
            raise PayloadOutOfBounds(field=field, limit=f"{limit} entries")
        return items


def load(body: bytes, depth: int) -> Any:
    """The JSON value in a body.

    Tolerates what senders get wrong without harm: a byte order mark, NaN, lone surrogates, repeated
    keys. Raises MalformedPayload, and PayloadOutOfBounds for nesting deeper than `depth`.
    """
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise MalformedPayload(reason="not UTF-8") from None
    return load_text(text, depth)


def load_text(text: str, depth: int) -> Any:
    """The JSON value in a text; raises like `load`."""
    if text.count("[") + text.count("{") > depth and nesting(text) > depth:
        raise PayloadOutOfBounds(field="nesting", limit=f"{depth} levels")
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise MalformedPayload(reason=f"not JSON at character {error.pos}") from None
    except ValueError:  # the interpreter's limit on the digits of an integer
        raise MalformedPayload(reason="a number with too many digits") from None


def nesting(text: str) -> int:
    """How deep brackets nest outside of strings: known before a recursive parser sees the text."""
    bare = _STRINGS.sub(b"", text.encode("utf-8", "surrogatepass"))
    steps = bare.translate(_STEPS, _ALL_BUT_BRACKETS)
    return max(accumulate(memoryview(steps).cast("b"))) if steps else 0


def harmless(text: str) -> str:
    """`text` without control characters (line feeds and tabs stay) and storable as UTF-8."""
    return _UNSTORABLE.sub(lambda odd: " " if odd[0] < "\ud800" else "\ufffd", text)


def harmless_tree(value: Any) -> Any:
    """A JSON value of which every text is harmless and every number can be written as JSON again."""
    if isinstance(value, dict):
        return {harmless(str(key)): harmless_tree(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [harmless_tree(item) for item in value]
    if isinstance(value, str):
        return harmless(value)
    return value if value is None or isinstance(value, bool) else _finite(value)


def _finite(value: object) -> int | float | str | None:
    if isinstance(value, int):
        return value if abs(value) < INT64 else str(value)
    return value if isinstance(value, float) and math.isfinite(value) else None


def mapping(value: object) -> dict[str, Any]:
    """`value` if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def sequence(value: object) -> list[Any]:
    """`value` if it is an array, else an empty one."""
    return value if isinstance(value, list) else []


def identifier(value: object) -> str | None:
    """A name given by a machine: printable, of 1 to 256 characters; None for anything else."""
    text = str(value) if _is_small_integer(value) else value
    if not isinstance(text, str):
        return None
    text = text.strip()
    return text if 0 < len(text) <= MAX_ID_CHARS and text.isprintable() else None


def claim(value: object) -> str | None:
    """What a payload says about who somebody is, as given; an integer becomes its digits.

    None for what is no text, cannot be stored, or is too long to name anybody.
    """
    text = str(value) if _is_small_integer(value) else value
    if not isinstance(text, str) or len(text) > MAX_ID_CHARS or _UNSTORABLE.search(text):
        return None
    return text


def first_claim(values: Iterable[object]) -> str | None:
    """The first of `values` that says anything."""
    return next((text for value in values if (text := claim(value)) and text.strip()), None)


def number(value: object) -> float | None:
    """A finite number, also where it came as a text; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def timestamp(value: object) -> int | None:
    """Whole Unix seconds as an envelope gives them; None for anything else."""
    return value if _is_small_integer(value) and value >= 0 else None


def moment(value: object) -> float | None:
    """A point in time in Unix seconds, also where it came in milliseconds; None for anything else."""
    found = number(value)
    if found is None or found <= 0:
        return None
    seconds = found / 1000 if found > MILLISECONDS_FROM else found
    return seconds if seconds < MILLISECONDS_FROM else None


def stands_for_nothing(text: str) -> bool:
    """Whether a text is empty or one of the words that programs print for nothing."""
    return text.strip().casefold() in _EMPTY_WORDS


def _is_small_integer(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < INT64
