"""What is remembered: facts with their evidence, and what was said."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

FOREIGN = "mem0"
"""Evidence field and metadata key of memories that other software left in Mem0."""


class MemoryKind(StrEnum):
    """`factual`: a fact with evidence. `semantic`: what was said in a call, found by meaning."""

    FACTUAL = "factual"
    SEMANTIC = "semantic"


class Category(StrEnum):
    """What a fact is about."""

    NAME = "name"
    CONTACT = "contact"
    PREFERENCE = "preference"
    DISLIKE = "dislike"
    PERSON = "person"
    PLACE = "place"
    DATE = "date"
    INTENT = "intent"
    """What the caller wants to get done."""
    PROMISE = "promise"
    """What somebody said they would do: open until a later call says it is done."""
    PROFILE = "profile"
    """Work, health, home, habits: what the caller is, has or does."""
    SUMMARY = "summary"
    OTHER = "other"


class Sensitivity(StrEnum):
    """A sensitive fact is never read aloud in a greeting."""

    ORDINARY = "ordinary"
    SENSITIVE = "sensitive"
    """Health, money, beliefs, credentials, family conflict."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a fact rests on: a turn with its verbatim quote, or a field that the platform reported."""

    conversation_id: str
    turn: int | None = None
    quote: str | None = None
    """Verbatim words of that turn."""
    offset: float | None = None
    """Seconds since the call began."""
    field: str | None = None
    """`summary`, `data_collection.<id>` or `operator` for what nobody said in the call."""


@dataclass(frozen=True, slots=True)
class Fact:
    """What an extractor finds in one call: a candidate for a memory."""

    text: str
    """One sentence about the caller, in the third person: "User prefers email updates"."""
    category: Category
    evidence: Evidence
    slot: str | None = None
    """For typed facts, of which one value is true at a time: `name`, `preferred_contact`, `email`."""
    value: str | None = None
    """The slot's value alone: "email"."""
    language: str | None = None
    importance: float = 0.5
    """0 (small talk) to 1 (must not be forgotten)."""
    sensitivity: Sensitivity = Sensitivity.ORDINARY
    strength: int = 0
    """For slots: how much the source weighs; `NameSource` for names."""


@dataclass(frozen=True, slots=True)
class Memory:
    """A remembered fact, with its validity and its evidence."""

    id: str
    """Deterministic: the same call teaches the same id, however often it is processed."""
    text: str
    category: Category
    evidence: tuple[Evidence, ...]
    """The first is where it was learnt; the others restate it. Never empty."""
    created_at: float
    """Unix seconds: the time of the call, not of the processing."""
    kind: MemoryKind = MemoryKind.FACTUAL
    slot: str | None = None
    value: str | None = None
    language: str | None = None
    importance: float = 0.5
    sensitivity: Sensitivity = Sensitivity.ORDINARY
    strength: int = 0
    valid_from: float = 0.0
    valid_until: float | None = None
    """Unix seconds from which a newer value holds; None while it is current."""
    superseded_by: str | None = None
    expires_at: float | None = None
    version: int = 1
    metadata: Mapping[str, object] = field(default_factory=dict)

    @property
    def is_current(self) -> bool:
        """Whether no newer value has taken its place."""
        return self.superseded_by is None


@dataclass(frozen=True, slots=True)
class Change:
    """One line of a memory's append-only history."""

    memory_id: str
    action: str
    """created | restated | superseded | restored | edited | deleted."""
    at: float
    """Unix seconds: the call's time, or the operator's."""
    actor: str
    """`call` or `operator`."""
    conversation_id: str | None = None
    old_text: str | None = None
    new_text: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """One result of a search, traceable to the words it rests on."""

    id: str
    kind: MemoryKind
    text: str
    """What the agent reads: one line, trimmed."""
    similarity: float
    """Higher is nearer; comparable within one answer, not across models."""
    at: float
    """Unix seconds: the time of the call."""
    conversation_id: str
    turn: int | None
    """Index of the main turn in the transcript; None for what no turn says."""
    turns: tuple[int, ...]
    """Indices of all turns that the text contains."""
    quote: str | None
    """The words it rests on, verbatim."""
    superseded: bool = False


@dataclass(frozen=True, slots=True)
class Findings:
    """A search's results, best first, and how they were had."""

    results: tuple[Found, ...]
    degraded: bool = False
    """True when no embedding model could be used: words alone."""
