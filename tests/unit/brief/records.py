"""Callers, calls and memories for the tests of briefs, in few words."""

from datetime import UTC, datetime
from typing import Any

from agentic_memory.domain.call import Call
from agentic_memory.domain.caller import Caller, CallerName, NameSource
from agentic_memory.domain.memory import Category, Evidence, Memory

NUMBER = "+15550100001"


def day(number: int, month: int = 5) -> float:
    """Ten in the morning of a day of 2026."""
    return datetime(2026, month, number, 10, tzinfo=UTC).timestamp()


def call(number: int, summary: str | None = None, **fields: Any) -> Call:
    """The call of that day of May, known as conv_<day>."""
    return Call("default", f"conv_{number}", "elevenlabs", day(number), caller_id=NUMBER, summary=summary, **fields)


def memory(text: str, category: Category = Category.OTHER, on: int = 3, **fields: Any) -> Memory:
    """A memory learnt in the call of that day of May, from what the caller said unless told otherwise."""
    fields.setdefault("evidence", (Evidence(f"conv_{on}", turn=1),))
    fields.setdefault("id", f"{on}:{text}")
    return Memory(text=text, category=category, created_at=day(on), valid_from=day(on), **fields)


def caller(name: str = "Stefan", count: int = 4, **fields: Any) -> Caller:
    """A caller known from 3 May to 24 May."""
    known = CallerName(name, NameSource.INTRODUCTION, day(3), "conv_3") if name else None
    fields.setdefault("first_call_at", day(3))
    fields.setdefault("last_call_at", day(24))
    return Caller("default", NUMBER, known, call_count=count, **fields)
