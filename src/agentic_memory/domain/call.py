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

    @property
    def has_words(self) -> bool:
        """Whether somebody said or sent words or digits: a backchannel counts, "..." does not."""
        return self.kind is not TurnKind.TOOL and any(map(str.isalnum, self.text))


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
    names_speakers: bool = True
    """False where the transcript came without speakers, and all of its words are given to the agent."""

    @property
    def is_learnable(self) -> bool:
        """Whether a person spoke with us, so that there is something to learn: else it is no interaction."""
        failed = {"voicemail", "busy", "no_answer", "no-answer", "failed"}
        return self.status != "failed" and self.result not in failed and not self._is_unanswered

    @property
    def _is_unanswered(self) -> bool:
        """Whether the agent spoke and nobody answered. A call without its transcript says nothing of that."""
        answered = any(t.role is Role.CALLER and t.has_words for t in self.turns)
        spoken = any(t.role is Role.AGENT and t.has_words for t in self.turns)
        return self.names_speakers and spoken and not answered

    @property
    def spoken_turns(self) -> tuple[Turn, ...]:
        """The turns with words that one of the two sides said: what becomes passages."""
        return tuple(t for t in self.turns if t.kind is TurnKind.SPOKEN and t.text)
