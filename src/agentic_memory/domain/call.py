"""What happened on the telephone: a call and its turns."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from agentic_memory.domain.caller import Direction, IdentityHints

Scalar = str | int | float | bool


class Role(StrEnum):
    """Who speaks."""

    CALLER = "caller"
    AGENT = "agent"


class TurnKind(StrEnum):
    """What a turn is, so that nothing is learnt from the wrong ones."""

    SPOKEN = "spoken"
    TOOL = "tool"
    """A tool call or its result: kept, never learnt from, never a passage."""
    BACKCHANNEL = "backchannel"
    """ "mhm" and the like, marked so by the platform: kept, never learnt from, never a passage."""
    SILENT = "silent"
    """No words: an image, a timeout, an empty message."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of the transcript."""

    index: int
    """Position in the transcript as the platform sent it, counted from 0 over all turns."""
    role: Role
    text: str
    offset: float | None = None
    """Seconds since the call began."""
    kind: TurnKind = TurnKind.SPOKEN
    interrupted: bool = False


@dataclass(frozen=True, slots=True)
class CollectedValue:
    """One value that the platform's data collection reported."""

    field: str
    """The data-collection id, as the agent's owner named it."""
    value: Scalar


@dataclass(frozen=True, slots=True)
class Call:
    """A finished conversation, in our terms whatever platform it came from."""

    tenant: str
    conversation_id: str
    platform: str
    started_at: float
    """Unix seconds."""
    caller_id: str | None = None
    """The person, once identified; None for nobody (withheld numbers)."""
    agent_id: str | None = None
    agent_name: str | None = None
    direction: Direction = Direction.UNKNOWN
    duration: float | None = None
    """Seconds."""
    status: str = "done"
    result: str | None = None
    """answered | voicemail | busy | no_answer | failed, where the platform says so."""
    language: str | None = None
    title: str | None = None
    summary: str | None = None
    turns: tuple[Turn, ...] = ()
    collected: tuple[CollectedValue, ...] = ()
    hints: IdentityHints = field(default_factory=IdentityHints)
    analysis: Mapping[str, object] = field(default_factory=dict)
    """Evaluation results and the rest of the platform's analysis: kept on the call, never memories."""
    raw_key: str | None = None
    """Archive key of the raw body."""
    audio_key: str | None = None
    """Archive key of the recording."""

    @property
    def is_learnable(self) -> bool:
        """Whether a person spoke with us, so that there is something to learn."""
        failed = {"voicemail", "busy", "no_answer", "no-answer", "failed"}
        return self.status != "failed" and self.result not in failed

    @property
    def spoken_turns(self) -> tuple[Turn, ...]:
        """The turns with words that one of the two sides said: what becomes passages."""
        return tuple(t for t in self.turns if t.kind is TurnKind.SPOKEN and t.text)
