"""A transcription in OpenTelemetry form, brought to the JSON form that `transcription` reads.

The root span `elevenlabs.conversation` carries attributes of the call; further spans carry one turn
each; some payloads have the turns in the variable `system__conversation_history` alone. Values of data
collection are Python literals ("{'data_collection_id': 'name', 'value': 'Ana'}").
"""

import ast
from collections.abc import Iterator
from typing import Any

from agentic_memory.errors import MalformedPayload
from agentic_memory.platforms.elevenlabs.reading import load_text, mapping, moment, number, sequence

ROOT = "elevenlabs.conversation"
MAX_LITERAL_CHARS = 20_000
"""One collected value with its schema and rationale takes hundreds; literal_eval is kept from more."""

_VALUES = ("stringValue", "intValue", "doubleValue", "boolValue")


def as_transcription(data: dict[str, Any], depth: int) -> dict[str, Any]:
    """The same data in the form of `post_call_transcription`.

    Raises PayloadOutOfBounds when the conversation history nests deeper than `depth`.
    """
    spans = list(_spans(data))
    said = _call_attributes(spans)
    variables = _under(said, "dynamic_variable.")
    return {
        **data,
        "status": data.get("status") or said.get("status"),
        "user_id": data.get("user_id") or said.get("user_id"),
        "agent_name": data.get("agent_name") or said.get("agent_name"),
        "transcript": _spoken(spans) or _history(variables.get("system__conversation_history"), depth),
        "metadata": _metadata(said, spans),
        "analysis": _analysis(said),
        "conversation_initiation_client_data": {"dynamic_variables": variables},
    }


def _spans(data: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for resource in sequence(mapping(data.get("otlp_traces")).get("resourceSpans")):
        for scope in sequence(mapping(resource).get("scopeSpans")):
            yield from (mapping(span) for span in sequence(mapping(scope).get("spans")))


def _attributes(span: dict[str, Any]) -> dict[str, Any]:
    """A span's attributes without their common prefix `elevenlabs.`."""
    found = {}
    for attribute in map(mapping, sequence(span.get("attributes"))):
        held = mapping(attribute.get("value"))
        value = next((held[kind] for kind in _VALUES if kind in held), None)
        found[str(attribute.get("key")).removeprefix("elevenlabs.")] = value
    return found


def _call_attributes(spans: list[dict[str, Any]]) -> dict[str, Any]:
    roots = [span for span in spans if span.get("name") == ROOT]
    return {key: value for span in roots or spans for key, value in _attributes(span).items()}


def _under(attributes: dict[str, Any], prefix: str) -> dict[str, Any]:
    return {key.removeprefix(prefix): value for key, value in attributes.items() if key.startswith(prefix)}


def _metadata(said: dict[str, Any], spans: list[dict[str, Any]]) -> dict[str, Any]:
    milliseconds = number(said.get("session.duration_ms"))
    metadata = {
        "start_time_unix_secs": _started_at(spans),
        "call_duration_secs": None if milliseconds is None else milliseconds / 1000,
        "termination_reason": said.get("termination_reason"),
        **_under(said, "metadata."),
    }
    phone = _under(said, "telephony.")
    return {**metadata, "phone_call": phone} if phone else metadata


def _started_at(spans: list[dict[str, Any]]) -> float | None:
    stamps = (number(span.get("startTimeUnixNano")) for span in spans if span.get("name") == ROOT)
    return next((moment(stamp / 1e9) for stamp in stamps if stamp), None)


def _analysis(said: dict[str, Any]) -> dict[str, Any]:
    analysis = _under(said, "analysis.")
    plain = {key: value for key, value in analysis.items() if "." not in key}
    for group in ("data_collection_results", "evaluation_criteria_results"):
        entries = _under(analysis, f"{group}.")
        plain[group] = {name: _literal(value) for name, value in entries.items()}
    return plain


def _literal(value: object) -> object:
    """The Python literal that a text spells; the text itself when it does not look like one."""
    if not isinstance(value, str) or not value.lstrip().startswith(("{", "[", "(")):
        return value
    if len(value) > MAX_LITERAL_CHARS:
        return None
    try:
        return ast.literal_eval(value.strip())
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None


def _spoken(spans: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The turns that have spans of their own, in the order of their indices."""
    found: list[tuple[float, dict[str, Any]]] = []
    for span in spans:
        said = _attributes(span) if span.get("name") != ROOT else {}
        index = number(said.get("turn.index"))
        for role in ("user", "agent"):
            if said.get(f"{role}.text"):
                turn = {"role": role, "message": said[f"{role}.text"]}
                found.append((len(found) if index is None else index, turn))
    return [turn for _, turn in sorted(found, key=lambda pair: pair[0])]


def _history(text: object, depth: int) -> list[Any]:
    if not isinstance(text, str):
        return []
    try:
        history = load_text(text, depth)
    except MalformedPayload:
        return []
    return sequence(mapping(history).get("entries"))
