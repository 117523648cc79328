"""Notice that another process has erased somebody, and keep nothing of them in this one's memory."""

from collections.abc import Sequence
from typing import Protocol

from agentic_memory.domain.briefing import Brief
from agentic_memory.ports import RecordStore
from agentic_memory.telemetry import Log

log = Log("erasures")


class Keeper(Protocol):
    """Keeps briefs in memory, for when they cannot be read."""

    def kept(self) -> Sequence[tuple[str, str, Brief | None]]:
        """(tenant, caller id, brief) of all that is kept."""

    def drop(self, tenant: str, caller_id: str) -> None:
        """Keep it no longer."""


class NoticeErasures:
    """To be called now and then. One small read, unless somebody was erased since the last time."""

    def __init__(self, records: RecordStore, keepers: Sequence[Keeper]) -> None:
        """`records` are shared with whoever erases."""
        self._records = records
        self._keepers = keepers
        self._seen: int | None = None

    def __call__(self) -> int:
        """Drop what is kept of callers who are no more, or are others now; how many. Raises StorageError."""
        erasures = self._records.erasures()
        if erasures == self._seen:
            return 0
        dropped = sum(self._look_through(keeper) for keeper in self._keepers)
        self._seen = erasures
        if dropped:
            log.info("erasure_noticed", dropped=dropped)
        return dropped

    def _look_through(self, keeper: Keeper) -> int:
        gone = [
            (tenant, caller_id)
            for tenant, caller_id, brief in keeper.kept()
            if not self._stands(tenant, caller_id, brief)
        ]
        for tenant, caller_id in gone:
            keeper.drop(tenant, caller_id)
        return len(gone)

    def _stands(self, tenant: str, caller_id: str, brief: Brief | None) -> bool:
        caller = self._records.caller(tenant, caller_id)
        return (caller.brief if caller else None) == brief
