"""A transcription's data, current or of the original's flat form, to a call."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from agentic_memory.domain.call import Call, CollectedValue, Scalar
from agentic_memory.domain.caller import Direction, IdentityHints
from agentic_memory.platforms.elevenlabs.reading import (
    Bounds,
    claim,
    first_claim,
    harmless_tree,
    identifier,
    mapping,
    moment,
    number,
    sequence,
)
from agentic_memory.platforms.elevenlabs.transcript import names_speakers, reached_voicemail, turns

PLATFORM = "elevenlabs"
MAX_COLLECTED = 1_000

_REPEATED = {
    "data_collection_results_list": "data_collection_results",
    "evaluation_criteria_results_list": "evaluation_criteria_results",
}
_ON_THE_CALL = ("transcript_summary", "summary", "call_summary_title")


@dataclass(frozen=True, slots=True)
class Arrival:
    """What surrounds an event's data."""

    tenant: str
    received_at: float
    """Unix seconds."""
    event_timestamp: float | None
    """When the platform says the event happened."""
    fallback_id: str
    """The conversation id of a body that names none: the same body has the same one."""


def call_of(data: dict[str, Any], arrival: Arrival, bounds: Bounds) -> Call:
    """The call in a transcription's data. The caller is not identified yet: see its hints.

    Raises PayloadOutOfBounds.
    """
    metadata, analysis = mapping(data.get("metadata")), mapping(data.get("analysis"))
    duration = _duration(data, metadata)
    return Call(
        tenant=arrival.tenant,
        conversation_id=identifier(data.get("conversation_id")) or arrival.fallback_id,
        platform=PLATFORM,
        started_at=_started_at(metadata, duration, arrival),
        agent_id=identifier(data.get("agent_id")),
        agent_name=identifier(data.get("agent_name")),
        direction=direction_of(metadata),
        duration=duration,
        status=(identifier(data.get("status")) or "done").lower(),
        result=_result(data, metadata),
        language=_language(metadata),
        title=bounds.words(analysis.get("call_summary_title"), "analysis.call_summary_title"),
        summary=_summary(data, analysis, bounds),
        turns=turns(data.get("transcript"), bounds),
        collected=_collected(analysis, bounds),
        hints=hints_of(data),
        analysis=_rest_of(analysis),
        names_speakers=names_speakers(data.get("transcript")),
    )


def hints_of(data: dict[str, Any]) -> IdentityHints:
    """Everything that the data says about who the person is, as given."""
    metadata, client = mapping(data.get("metadata")), mapping(data.get("conversation_initiation_client_data"))
    phone, whatsapp, sms = (mapping(metadata.get(key)) for key in ("phone_call", "whatsapp", "sms"))
    variables = mapping(client.get("dynamic_variables")) or mapping(data.get("dynamic_variables"))
    legacy = (data.get("external_number"), metadata.get("external_number"), metadata.get("caller_id"), data.get("caller_id"))
    return IdentityHints(
        direction=direction_of(metadata),
        external_number=(claim(phone["external_number"]) or "") if "external_number" in phone else None,
        messaging_id=first_claim((whatsapp.get("whatsapp_user_id"), sms.get("sms_user_phone_number"))),
        user_id=first_claim((data.get("user_id"), client.get("user_id"))),
        own_caller_id=claim(variables.get("caller_id")),
        system_caller_id=claim(variables.get("system__caller_id")),
        system_called_number=claim(variables.get("system__called_number")),
        legacy_number=first_claim(legacy),
        bridge_number=first_claim(variables.get(name) for name in ("callerid", "callerId", "CallerID")),
        agent_number=first_claim((phone.get("agent_number"), sms.get("agent_phone_number"))),
    )


def direction_of(metadata: dict[str, Any]) -> Direction:
    """Who dialled, where a phone call, WhatsApp or SMS says so."""
    for channel in ("phone_call", "whatsapp", "sms"):
        said = str(mapping(metadata.get(channel)).get("direction")).strip().casefold()
        if said.startswith(("inbound", "outbound")):
            return Direction.INBOUND if said.startswith("inbound") else Direction.OUTBOUND
    return Direction.UNKNOWN


def _duration(data: dict[str, Any], metadata: dict[str, Any]) -> float | None:
    given = (metadata.get("call_duration_secs"), data.get("call_duration"), metadata.get("call_duration"))
    found = (number(value) for value in given)
    return next((seconds for seconds in found if seconds is not None and seconds >= 0), None)


def _started_at(metadata: dict[str, Any], duration: float | None, arrival: Arrival) -> float:
    started = moment(metadata.get("start_time_unix_secs"))
    if started is not None:
        return started
    if arrival.event_timestamp is not None:
        return max(0.0, arrival.event_timestamp - (duration or 0.0))
    return arrival.received_at


def _result(data: dict[str, Any], metadata: dict[str, Any]) -> str | None:
    ended = metadata.get("termination_reason")
    detected = isinstance(ended, str) and ended.startswith("voicemail_detection")
    if detected or reached_voicemail(data.get("transcript")):
        return "voicemail"
    said = (mapping(metadata.get(key)).get("call_result") for key in ("phone_call", "whatsapp"))
    result = next((name for value in said if (name := identifier(value))), None)
    return result.lower().replace("-", "_") if result else None


def _language(metadata: dict[str, Any]) -> str | None:
    said = identifier(metadata.get("main_language")) or ""
    primary = said.replace("_", "-").partition("-")[0].lower()
    return primary if primary.isascii() and primary.isalpha() and len(primary) in (2, 3) else None


def _summary(data: dict[str, Any], analysis: dict[str, Any], bounds: Bounds) -> str | None:
    given = (analysis.get("transcript_summary"), analysis.get("summary"), data.get("summary"))
    found = (bounds.words(value, "analysis.transcript_summary") for value in given)
    return next((summary for summary in found if summary), None)


def _collected(analysis: dict[str, Any], bounds: Bounds) -> tuple[CollectedValue, ...]:
    results = list(_results(analysis))
    bounds.count(results, MAX_COLLECTED, "analysis.data_collection_results")
    values: dict[str, CollectedValue] = {}
    for name, raw in results:
        field = identifier(name)
        value = _scalar(raw, f"analysis.data_collection_results.{field}", bounds)
        if field is not None and value is not None:
            values.setdefault(field, CollectedValue(field, value))
    return tuple(values.values())


def _results(analysis: dict[str, Any]) -> Iterator[tuple[object, object]]:
    """Every (id, value), of the object and of the list that repeats it."""
    for name, entry in mapping(analysis.get("data_collection_results")).items():
        yield name, entry.get("value") if isinstance(entry, dict) else entry
    for entry in map(mapping, sequence(analysis.get("data_collection_results_list"))):
        yield entry.get("data_collection_id"), entry.get("value")


def _scalar(value: object, field: str, bounds: Bounds) -> Scalar | None:
    if isinstance(value, str):
        return bounds.words(value, field)
    if isinstance(value, list):
        parts = [_scalar(part, field, bounds) for part in value if not isinstance(part, list)]
        return bounds.words(", ".join(str(part) for part in parts if part is not None), field)
    if isinstance(value, bool | int | float):
        found: Scalar | None = harmless_tree(value)
        return found
    return None


def _rest_of(analysis: dict[str, Any]) -> dict[str, object]:
    """The analysis without what stands elsewhere on the call, what is empty, and what is said twice."""
    said = {key: value for key, value in analysis.items() if key not in _ON_THE_CALL}
    kept = {key: value for key, value in said.items() if value not in (None, "", [], {})}
    for repeated, original in _REPEATED.items():
        if original in kept:
            kept.pop(repeated, None)
    collected = mapping(kept.get("data_collection_results"))
    if collected:
        kept["data_collection_results"] = {name: _without_schema(entry) for name, entry in collected.items()}
    found: dict[str, object] = harmless_tree(kept)
    return found


def _without_schema(entry: object) -> object:
    if not isinstance(entry, dict):
        return entry
    return {key: value for key, value in entry.items() if key != "json_schema"}
