"""The wire of `/client-data`: what the platform asks when the phone rings, and our answer."""

from collections.abc import Mapping
from typing import Any

from agentic_memory.domain.initiation import Initiation, Ring
from agentic_memory.errors import InvalidField, MissingField
from agentic_memory.platforms.elevenlabs.reading import harmless, identifier

ANSWER_TYPE = "conversation_initiation_client_data"
"""Without it a Twilio call fails without any visible error."""
RESERVED_PREFIX = "system__"
"""Variables of the platform's own: sending one is refused."""


def ring(payload: Mapping[str, Any]) -> Ring:
    """The ring in a request's JSON object.

    `caller_id` must be there; null is a withheld number. Raises MissingField and InvalidField.
    """
    if "caller_id" not in payload:
        raise MissingField(field="caller_id")
    return Ring(
        caller_id=_text(payload, "caller_id") or "",
        called_number=_text(payload, "called_number"),
        agent_id=identifier(_text(payload, "agent_id")),
        call_sid=_text(payload, "call_sid"),
        conversation_id=identifier(_text(payload, "conversation_id")),
    )


def answer(initiation: Initiation) -> dict[str, object]:
    """The answer's JSON object. What is not overridden is left out: null or "" would mean something."""
    body: dict[str, object] = {"type": ANSWER_TYPE}
    variables = {name: value for name, value in initiation.variables.items() if _may_be_sent(name, value)}
    if variables:
        body["dynamic_variables"] = variables
    agent = _agent_override(initiation)
    if agent:
        body["conversation_config_override"] = {"agent": agent}
    return body


def _text(payload: Mapping[str, Any], field: str) -> str | None:
    value = payload.get(field)
    if value is None:
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise InvalidField(field=field, expected="a string")
    return harmless(value if isinstance(value, str) else f"{value:d}")


def _may_be_sent(name: object, value: object) -> bool:
    return isinstance(name, str) and isinstance(value, str) and not name.startswith(RESERVED_PREFIX)


def _agent_override(initiation: Initiation) -> dict[str, object]:
    override: dict[str, object] = {}
    if initiation.prompt:
        override["prompt"] = {"prompt": initiation.prompt}
    if initiation.first_message:
        override["first_message"] = initiation.first_message
    if initiation.language:
        override["language"] = initiation.language
    return override
