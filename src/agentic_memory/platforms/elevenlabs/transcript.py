"""The turns of a transcript, in whatever form it came."""

import re
from typing import Any

from agentic_memory.domain.call import Role, Turn, TurnKind
from agentic_memory.platforms.elevenlabs.reading import Bounds, mapping, number, sequence

ROLES = {
    **dict.fromkeys(("user", "caller", "customer", "human", "client", "usuario", "cliente"), Role.CALLER),
    **dict.fromkeys(("agent", "assistant", "ai", "bot", "agente", "asistente"), Role.AGENT),
}
WORDLESS_MEDIA = ("image", "file", "dtmf")
"""What came by these is no speech; keyed digits are as often a PIN as anything else."""

_NAMES = "|".join(ROLES)
_LINES = re.compile(rf"^[ \t]*({_NAMES})[ \t]*:[ \t]*", re.IGNORECASE | re.MULTILINE)
_INLINE = re.compile(rf"(?:^|(?<=\s))({'|'.join(name.capitalize() for name in ROLES)}|AI)[ \t]*:\s*")


def turns(transcript: object, bounds: Bounds) -> tuple[Turn, ...]:
    """The turns of a transcript: an array of turns, an array of lines, or one text.

    A turn's index is its place in the array as sent; entries that are no turns are left out, their
    places stay empty. Raises PayloadOutOfBounds.
    """
    entries = dialogue(transcript) if isinstance(transcript, str) else sequence(transcript)
    bounds.count(entries, bounds.turns, "transcript")
    found = (_entry(entry) for entry in entries)
    return tuple(_turn(i, raw, bounds) for i, raw in enumerate(found) if raw is not None)


def dialogue(text: str) -> list[dict[str, Any]]:
    """A transcript that came as one text, "User: ... Agent: ...", as entries of an array.

    Words without a speaker are given to the agent: they can be found again, but nothing is learnt
    about the caller from words that may not be theirs.
    """
    pattern = _LINES if "\n" in text.strip() else _INLINE
    before, *rest = pattern.split(text)
    spoken = [{"role": role, "message": words} for role, words in zip(rest[::2], rest[1::2], strict=True)]
    return [{"role": "agent", "message": before}, *spoken] if before.strip() else spoken


def names_speakers(transcript: object) -> bool:
    """Whether a transcript of plain text says of any of its words whose they are."""
    if isinstance(transcript, str):
        return _LINES.search(transcript) is not None or _INLINE.search(transcript) is not None
    entries = sequence(transcript)
    unnamed = (isinstance(e, str) and e.partition(":")[0].strip().casefold() not in ROLES for e in entries)
    return not entries or not all(unnamed)


def reached_voicemail(transcript: object) -> bool:
    """Whether the platform's own voicemail detection says in a tool result that a machine answered."""
    entries = (mapping(entry) for entry in sequence(transcript))
    results = (mapping(r) for entry in entries for r in sequence(entry.get("tool_results")))
    return any(_is_voicemail(result) for result in results)


def _is_voicemail(result: dict[str, Any]) -> bool:
    kind = mapping(result.get("result")).get("result_type")
    if kind is None and result.get("type") == "system":
        kind = result.get("result_value")
    return isinstance(kind, str) and "voicemail_detection_success" in kind


def _entry(entry: object) -> dict[str, Any] | None:
    if isinstance(entry, str):
        role, _, words = entry.partition(":")
        named = role.strip().casefold() in ROLES
        return {"role": role, "message": words} if named else {"role": "agent", "message": entry}
    return entry if isinstance(entry, dict) else None


def _turn(index: int, raw: dict[str, Any], bounds: Bounds) -> Turn:
    role = ROLES.get(str(raw.get("role")).strip().casefold())
    text = bounds.text(_message(raw), f"transcript[{index}].message")
    return Turn(
        index=index,
        role=role or Role.AGENT,
        text=text,
        offset=number(raw.get("time_in_call_secs")),
        kind=_kind(raw, role, text),
        interrupted=raw.get("interrupted") is True,
    )


def _message(raw: dict[str, Any]) -> str:
    """The words that were heard: of an interrupted turn `message`, not the fuller `original_message`."""
    for name in ("message", "content", "text"):
        if isinstance(raw.get(name), str):
            return str(raw[name])
    parts = sequence(mapping(raw.get("multivoice_message")).get("parts"))
    texts = (mapping(part).get("text") for part in parts)
    return " ".join(text for text in texts if isinstance(text, str))


def _kind(raw: dict[str, Any], role: Role | None, text: str) -> TurnKind:
    if role is None or raw.get("contextual_update_info"):
        # A `tool` or `system` role, or a note that the application slipped in: nobody said it.
        return TurnKind.TOOL
    if raw.get("ignored_as_backchannel") is True:
        return TurnKind.BACKCHANNEL
    if raw.get("source_medium") not in WORDLESS_MEDIA and any(map(str.isalnum, text)):
        return TurnKind.SPOKEN
    return TurnKind.TOOL if raw.get("tool_calls") or raw.get("tool_results") else TurnKind.SILENT
