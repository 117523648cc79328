"""The ringing phone: what a platform asks, and what the agent is told."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

VARIABLES: Mapping[str, str] = {
    "caller_id": "Who calls: the person's number or user id, as `/retrieve` wants it for `user_id`. For a withheld number what the platform sent.",
    "caller_name": "The caller's name as known; empty if unknown.",
    "returning_caller": "`yes` if an earlier call is remembered, else `no`.",
    "memory_count": "How many earlier calls are remembered, in digits.",
    "memory_summary": "The most recent or most important memory, one line; `New caller` if there is none.",
    "memory_context": "The memory block: what is known of the caller, between markers.",
    "last_call_date": "The day of the last call in words, `3 May 2026` (UTC); empty for a new caller.",
    "preferred_language": "Primary tag of the language the caller speaks, `es`; empty if unknown.",
}
"""The dynamic variables that every answer carries, and what each means."""

SECRET_PREFIX = "secret__"  # noqa: S105  (of variables' names)
"""Variables that the platform shows to headers only, never to a model or a log."""
TOKEN_VARIABLE = "secret__memory_token"  # noqa: S105  (the variable's name)
"""Carried too where searches are authorised by token. The platform shows it to headers only."""


@dataclass(frozen=True, slots=True)
class Ring:
    """A call that begins. Fields are as the platform sent them; only `caller_id` is certain to be there."""

    caller_id: str
    """Inbound: the person. Outbound: our own number. May be empty or a placeholder: then nobody."""
    called_number: str | None = None
    agent_id: str | None = None
    call_sid: str | None = None
    conversation_id: str | None = None


@dataclass(frozen=True, slots=True)
class Profile:
    """How one agent is to be briefed, from `<agent_id>.toml` or the default profile.

    An empty prompt leaves the agent's own, an empty greeting the agent's own first message.
    """

    name: str
    """The file's stem: the agent id, or `memoir`."""
    prompt: str = ""
    """The agent's own system prompt; may hold `{{caller_name}}` and other variables of ours."""
    greeting_new: str = ""
    greeting_returning: str = ""
    """For a known caller without a preference that may be said; `{name}` is the caller's name."""
    greeting_preference: str = ""
    """For a known caller with one; `{name}` and `{preference}`."""
    greeting_nameless: str = ""
    """For a returning caller whose name we do not know."""
    language: str = ""
    """Fixed language override; empty: the caller's own where known and `languages` lists it."""
    languages: tuple[str, ...] = ()
    """Languages the agent speaks; greetings may be given per language."""
    greetings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Per language: `new`, `returning`, `preference`, `nameless`, in place of the ones above."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """Further dynamic variables that this agent's prompt needs."""


@dataclass(frozen=True, slots=True)
class Initiation:
    """What the agent is told when the call begins."""

    variables: Mapping[str, str]
    """The whole set, every time: a missing one can end the call."""
    prompt: str | None = None
    """System prompt override; None leaves the agent's own."""
    first_message: str | None = None
    language: str | None = None

    def without_secrets(self) -> "Initiation":
        """The same as it may be kept: without the variables that the platform keeps secret."""
        shown = {n: v for n, v in self.variables.items() if not n.startswith(SECRET_PREFIX)}
        return replace(self, variables=shown)
