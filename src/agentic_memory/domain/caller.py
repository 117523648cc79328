"""Who calls: the person behind a number or a user id."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum

from agentic_memory.domain.briefing import Brief

DEFAULT_TENANT = "default"


class Direction(StrEnum):
    """Who dialled."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"
    UNKNOWN = "unknown"


class NameSource(IntEnum):
    """Where a caller's name comes from, weakest first: a weaker source never overwrites a stronger one.

    But a caller may correct what data collection reported in an earlier call.
    """

    SUMMARY = 10
    INTRODUCTION = 20
    """Said with a cue: "my name is", "me llamo"."""
    ANSWER = 30
    """Said in answer to the question for the name."""
    CORRECTION = 40
    """Said to correct us: "no, it's Ana, not Anna"."""
    DATA_COLLECTION = 50
    """Reported by the platform's data collection."""
    OPERATOR = 60
    """Set by hand through the admin API."""


@dataclass(frozen=True, slots=True)
class CallerName:
    """A name with what it rests on."""

    text: str
    source: NameSource
    said_at: float
    """Unix seconds: the time of the call it was learnt in."""
    conversation_id: str


@dataclass(frozen=True, slots=True)
class Caller:
    """One person, known by a caller id (E.164 number, or a user id as the platform gave it)."""

    tenant: str
    caller_id: str
    name: CallerName | None = None
    language: str | None = None
    """BCP 47 primary tag of the language the caller speaks, or prefers where they said so."""
    first_call_at: float = 0.0
    last_call_at: float = 0.0
    call_count: int = 0
    """Calls remembered: what the variable `memory_count` says."""
    revision: int = 0
    """Grows by one with every commit that touches this caller."""
    brief: Brief | None = None


@dataclass(frozen=True, slots=True)
class IdentityHints:
    """What a payload says about who the person is, as given: nothing here is normalised yet."""

    direction: Direction = Direction.UNKNOWN
    external_number: str | None = None
    """`metadata.phone_call.external_number`: always the person."""
    messaging_id: str | None = None
    """A WhatsApp user id or an SMS number."""
    user_id: str | None = None
    own_caller_id: str | None = None
    """The `caller_id` variable that we returned when the call began."""
    system_caller_id: str | None = None
    system_called_number: str | None = None
    legacy_number: str | None = None
    """`external_number` or `metadata.caller_id` of the original's flat form."""
    bridge_number: str | None = None
    """A number in a custom variable of an own SIP bridge, such as `callerid`."""
    agent_number: str | None = None
    """Our own side of this call, as the payload gives it: never the person."""


@dataclass(frozen=True, slots=True)
class CallerPage:
    """A page of callers, newest call first."""

    callers: tuple[Caller, ...]
    next_cursor: str | None = None

