"""How a call is kept in Mem0: what is sent as messages, and what stands in the metadata.

A call becomes four kinds of records, all under the caller's user id, told apart by `metadata.record`:

- `turns` (`type` semantic, verbatim): every spoken turn, the agent as assistant;
- `outline` (`type` semantic, verbatim): one record that says which turn is which, for whoever puts the
  transcript together again; it is kept apart from `call`, which every ring reads;
- `inferred` (`type` factual): summary and facts, from which Mem0 infers memories of its own;
- `call` (`type` factual, verbatim): one record with the call's heading and facts as data. It is the truth
  from which briefs and memories are compiled; the others are there to be found.

`fact` and `edit` records hold one memory's text, verbatim: what was migrated or set by hand.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import msgspec

from agentic_memory.domain.call import Call, Role, Turn
from agentic_memory.domain.caller import IdentityHints
from agentic_memory.domain.memory import Fact, Memory, MemoryKind
from agentic_memory.domain.wording import one_line
from agentic_memory.errors import MalformedPayload

CALL, INFERRED, TURNS, OUTLINE = "call", "inferred", "turns", "outline"
FACT, EDIT = "fact", "edit"
FORMAT = 1
"""Of the metadata; grows when older releases could no longer read it."""
MESSAGES = 20
"""Turns sent in one request."""
LONGEST_MESSAGE = 4_000
"""Characters; a longer turn is sent in pieces."""
MOST_ANALYSIS = 4_000
"""Bytes of a platform's analysis that are kept with the call."""

Message = Mapping[str, str]
Outline = tuple[tuple[int, str, float | None, str], ...]
"""Of each spoken turn, or piece of a long one: index, `c` or `a`, offset in seconds, mark of its text."""
Metadata = dict[str, Any]
_ROLES = {Role.CALLER: "user", Role.AGENT: "assistant"}
_SHORT = {Role.CALLER: "c", Role.AGENT: "a"}


@dataclass(frozen=True, slots=True)
class Taught:
    """One call as its record holds it."""

    call: Call
    """The heading: everything but the turns."""
    facts: tuple[Fact, ...] = ()
    forgotten: Mapping[str, float] = field(default_factory=dict)
    """Ids of memories that an operator deleted, with when."""
    edited: tuple[Memory, ...] = ()
    """Memories as an operator worded them."""
    turns: "Outline" = ()
    digest: str = ""
    event: str = ""
    """The event in which Mem0 infers; empty where it was not asked to."""


def digest(call: Call) -> str:
    """What a call comes to: the same for the same content, wherever it came from. Raises MalformedPayload."""
    content = replace(call, hints=IdentityHints(), raw_key=None, audio_key=None)
    try:
        encoded = msgspec.json.encode(content)
    except UnicodeEncodeError:
        raise MalformedPayload(reason="a value cannot be stored (UnicodeEncodeError)") from None
    return hashlib.sha256(encoded).hexdigest()[:32]


def mark(text: str) -> str:
    """A short name for a text, by which a turn is found again."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def metadata(call: Call, kind: MemoryKind, record: str) -> Metadata:
    """What every record of a call carries."""
    made: Metadata = {
        "type": str(kind),
        "record": record,
        "format": FORMAT,
        "tenant": call.tenant,
        "platform": call.platform,
        "agent_id": call.agent_id,
        "conversation_id": call.conversation_id,
        "started_at": rfc3339(call.started_at),
        "duration": call.duration,
    }
    return {key: value for key, value in made.items() if value is not None}


def rfc3339(at: float) -> str | None:
    """A time in UTC; None for what no calendar holds."""
    try:
        return datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")
    except (ValueError, OverflowError, OSError):
        return None


def call_text(taught: Taught) -> str:
    """The words of a call's record, unlike any other's: Mem0 drops a text that it has already."""
    call = taught.call
    moment = (rfc3339(call.started_at) or "").replace("T", " ").replace("Z", " UTC")
    told = one_line(call.summary or call.title or "", 500) or f"{len(call.spoken_turns)} turns"
    return f"Call of {moment} ({call.conversation_id}, {taught.digest[:8]}): {told}"


def call_metadata(taught: Taught) -> Metadata:
    """The metadata of a call's record."""
    heading = replace(taught.call, turns=(), hints=IdentityHints(), raw_key=None, audio_key=None)
    if len(msgspec.json.encode(heading.analysis)) > MOST_ANALYSIS:
        heading = replace(heading, analysis={})
    return {
        **metadata(taught.call, MemoryKind.FACTUAL, CALL),
        "digest": taught.digest,
        "event": taught.event,
        "call": _sparse(msgspec.to_builtins(heading)),
        "facts": [_sparse(msgspec.to_builtins(fact)) for fact in taught.facts],
        "forgotten": dict(taught.forgotten),
        "edited": [_sparse(msgspec.to_builtins(memory)) for memory in taught.edited],
    }


def taught_in(held: Mapping[str, Any]) -> Taught | None:
    """What a record's metadata say; None where they are no call of ours, or cannot be read."""
    if held.get("record") != CALL:
        return None
    try:
        return Taught(
            call=msgspec.convert(held.get("call"), Call),
            facts=msgspec.convert(held.get("facts", []), tuple[Fact, ...]),
            forgotten=msgspec.convert(held.get("forgotten", {}), dict[str, float]),
            edited=msgspec.convert(held.get("edited", []), tuple[Memory, ...]),
            digest=str(held.get("digest", "")),
            event=str(held.get("event", "")),
        )
    except (msgspec.ValidationError, RecursionError):
        return None


def outline(taught: Taught) -> tuple[list[Message], Metadata]:
    """The record that says which turn is which."""
    held = {
        **metadata(taught.call, MemoryKind.SEMANTIC, OUTLINE),
        "digest": taught.digest,
        "outline": [list(turn) for turn in taught.turns],
    }
    return [{"role": "user", "content": f"Outline. {call_text(taught)}"}], held


def outline_in(held: Mapping[str, Any]) -> Outline:
    """What an outline's metadata say; nothing where they are none."""
    try:
        return msgspec.convert(held.get("outline"), Outline)
    except msgspec.ValidationError:
        return ()


def turn_marks(call: Call) -> Outline:
    """`Taught.turns` of a call: one entry for each piece of a turn that is sent."""
    return tuple(
        (t.index, _SHORT[t.role], t.offset, mark(piece))
        for t in call.spoken_turns
        for piece in _pieces(_clean(t.text))
    )


def transcript(call: Call) -> Iterator[tuple[list[Message], Metadata]]:
    """The spoken turns in portions, each with its metadata, which name the turn of every text by its mark."""
    base = metadata(call, MemoryKind.SEMANTIC, TURNS)
    pieces = [(turn, text) for turn in call.spoken_turns for text in _pieces(_clean(turn.text))]
    for start in range(0, len(pieces), MESSAGES):
        portion = pieces[start : start + MESSAGES]
        messages: list[Message] = [{"role": _ROLES[turn.role], "content": text} for turn, text in portion]
        turns = {mark(text): [turn.index, _SHORT[turn.role]] for turn, text in reversed(portion)}
        yield messages, {**base, "turns": turns}


def facts_message(call: Call, facts: Sequence[Fact]) -> list[Message]:
    """Summary and facts as one message, a line each; empty where there is nothing to infer from."""
    lines = [call.summary or "", *(fact.text for fact in facts)]
    distinct = dict.fromkeys(_clean(one_line(line, 1_000)) for line in lines if line.strip())
    text = "\n".join(line if line.endswith((".", "!", "?", "…")) else f"{line}." for line in distinct)
    return [{"role": "user", "content": text}] if text else []


def turn_of(held: Mapping[str, Any], text: str) -> tuple[int, str] | None:
    """The turn that a `turns` record's text is, and who said it: `c` or `a`."""
    turns = held.get("turns")
    found = turns.get(mark(text)) if isinstance(turns, Mapping) else None
    try:
        return msgspec.convert(found, tuple[int, str])
    except msgspec.ValidationError:
        return None


def rebuilt_turns(turns_held: Outline, texts: Mapping[str, str]) -> tuple[Turn, ...]:
    """The spoken turns again; `texts` gives them by their marks. A turn whose text is lost is left out."""
    roles = {short: role for role, short in _SHORT.items()}
    turns: dict[int, Turn] = {}
    for index, who, offset, of in turns_held:
        if who in roles and of in texts:
            begun = turns[index].text if index in turns else ""
            turns[index] = Turn(index, roles[who], begun + texts[of], offset)
    return tuple(turns.values())


def _pieces(text: str) -> Iterator[str]:
    for start in range(0, len(text), LONGEST_MESSAGE):
        yield text[start : start + LONGEST_MESSAGE]


def _clean(text: str) -> str:
    """Text as JSON can carry it: a lone surrogate becomes a question mark."""
    return text.encode("utf-8", "replace").decode()


def _sparse(value: Any) -> Any:
    """Without fields that are empty: the metadata travel with every list."""
    if not isinstance(value, dict):
        return value
    return {key: _sparse(inner) for key, inner in value.items() if inner not in (None, "", [], {}, ())}
