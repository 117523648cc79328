"""How long memories are kept, where an operator limits it. Pure: the time is passed in."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from agentic_memory.domain.memory import Category, Memory

DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Retention:
    """Days after which a memory expires, counted from the last time it was said; None keeps for good."""

    days: float | None = None
    by_category: Mapping[Category, float | None] = field(default_factory=dict)
    """Categories with a limit of their own, None among them for those kept for good."""

    def expires_at(self, category: Category, last_said_at: float) -> float | None:
        """Unix seconds at which such a memory expires; None for never."""
        days = self.by_category.get(category, self.days)
        return None if days is None else last_said_at + days * DAY


KEEP = Retention()


def is_expired(memory: Memory, now: float) -> bool:
    """Whether the memory's time is over: it is no longer told, searched or counted."""
    return memory.expires_at is not None and memory.expires_at <= now
