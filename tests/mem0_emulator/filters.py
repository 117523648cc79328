"""The filter grammar of Mem0's v3 search and list."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

LOGICAL = ("AND", "OR", "NOT")
ENTITIES = ("user_id", "agent_id", "app_id", "run_id")
TIMES = ("created_at", "updated_at", "timestamp", "expiration_date")
ALLOWED = (
    *LOGICAL, *ENTITIES, *TIMES, "text", "categories", "metadata", "keywords_search", "memory_ids", "keywords",
)  # fmt: skip
_ORDER = {
    "gt": lambda a, b: a > b,
    "gte": lambda a, b: a >= b,
    "lt": lambda a, b: a < b,
    "lte": lambda a, b: a <= b,
    "ne": lambda a, b: a != b,
}


class InvalidFilter(Exception):
    """What the service answers 400 with."""


def checked(filters: object) -> Mapping[str, Any]:
    """The filters, if they can be used: known keys, and some entity that they are about."""
    if not isinstance(filters, dict) or not filters:
        raise InvalidFilter("filters must be a non-empty object")
    _check(filters)
    if not any(_named(filters)):
        raise InvalidFilter(f"filters must contain at least one of {list(ENTITIES)}")
    return filters


def _check(filters: object) -> None:
    if not isinstance(filters, dict):
        raise InvalidFilter("a filter must be an object")
    for key, value in filters.items():
        if key not in ALLOWED:
            raise InvalidFilter(f"Top-level key must be a logical operator or an allowed field: {list(ALLOWED)}.")
        if key in LOGICAL:
            _check_parts(key, value)
        elif key == "metadata":
            _check_metadata(value)
        elif key in TIMES and isinstance(value, dict) and "eq" in value:
            raise InvalidFilter(f"{key} does not take eq")


def _check_parts(key: str, value: object) -> None:
    if key == "NOT" and isinstance(value, dict):
        value = [value]
    if not isinstance(value, list):
        raise InvalidFilter(f"{key} must be a list")
    for part in value:
        _check(part)


def _check_metadata(value: object) -> None:
    if not isinstance(value, dict):
        raise InvalidFilter("metadata must be an object")
    for wanted in value.values():
        if isinstance(wanted, dict) and set(wanted) - {"eq", "ne", "contains"}:
            raise InvalidFilter("FilterValidationError: metadata takes eq, ne and contains")


def _named(filters: Mapping[str, Any]) -> Iterator[bool]:
    for key, value in filters.items():
        if key in ENTITIES:
            yield not (isinstance(value, dict) and "ne" in value) and bool(value)
        elif key in ("AND", "OR"):
            for part in value:
                yield from _named(part)


def matches(memory: Mapping[str, Any], filters: Mapping[str, Any]) -> bool:
    """Whether a memory passes. An AND beside an OR takes the OR's place, as the service has it."""
    held = {key: value for key, value in filters.items() if not (key == "OR" and "AND" in filters)}
    return all(_passes(memory, key, value) for key, value in held.items())


def _passes(memory: Mapping[str, Any], key: str, value: Any) -> bool:
    if key == "AND":
        return all(matches(memory, part) for part in value)
    if key == "OR":
        return any(matches(memory, part) for part in value)
    if key == "NOT":
        return not any(matches(memory, part) for part in (value if isinstance(value, list) else [value]))
    if key in ENTITIES:
        return _is_entity(memory.get(key), value)
    if key in TIMES:
        return _is_time(memory.get("created_at" if key == "timestamp" else key), value)
    if key == "metadata":
        return all(_is_value((memory.get("metadata") or {}).get(k), v) for k, v in value.items())
    return _is_listed(memory, key, value)


def _is_listed(memory: Mapping[str, Any], key: str, value: Any) -> bool:
    if key == "memory_ids":
        return memory["id"] in value
    if key == "categories":
        wanted = (value.get("in") or [value.get("contains")]) if isinstance(value, dict) else [value]
        return bool(set(wanted) & set(memory.get("categories") or ()))
    words = str(value.get("icontains") or value.get("contains") if isinstance(value, dict) else value)
    return words.lower() in str(memory["memory"]).lower()


def _is_entity(found: object, value: Any) -> bool:
    if value == "*":
        return found is not None
    if isinstance(value, dict):
        if "in" in value:
            return found in value["in"]
        return found != value["ne"] if "ne" in value else found == value.get("eq")
    return found == value


def _is_value(found: Any, value: Any) -> bool:
    if isinstance(value, dict):
        if "contains" in value:
            return found is not None and value["contains"] in found
        return bool(found != value["ne"]) if "ne" in value else bool(found == value.get("eq"))
    return bool(found == value)


def _is_time(found: Any, value: Any) -> bool:
    if not isinstance(value, dict):
        return found is not None and _moment(found) == _moment(value)
    if found is None:
        return False
    if "in" in value:
        return _moment(found) in [_moment(v) for v in value["in"]]
    return all(_ORDER[op](_moment(found), _moment(v)) for op, v in value.items() if op in _ORDER)


def _moment(value: Any) -> float:
    if isinstance(value, int | float):
        return float(value)
    return datetime.fromisoformat(str(value).replace("Z", "+00:00")).timestamp()
