"""Briefs of a memory that is far away: fresh ones are cached, last good ones are kept for when it is down."""

from collections import OrderedDict
from dataclasses import dataclass, replace
from threading import Lock

from agentic_memory.domain.briefing import Brief
from agentic_memory.domain.call import Call
from agentic_memory.domain.caller import Caller, CallerName, NameSource
from agentic_memory.domain.memory import Findings, Memory
from agentic_memory.domain.records import CallerCommit, Hold
from agentic_memory.errors import MemoryUnavailable, StorageError
from agentic_memory.ports import Clock, MemoryBackend, RecordStore
from agentic_memory.telemetry import Log

log = Log("cached_brief")

FRESH_SECONDS = 30.0
"""For so long a brief is told without asking whether it still holds."""
CACHED_BRIEFS = 2000


@dataclass(frozen=True, slots=True)
class _Read:
    brief: Brief | None
    at: float
    """Monotonic seconds."""


class CachedBriefs:
    """A MemoryBackend before another whose every answer costs a journey.

    `brief` comes from the cache within `FRESH_SECONDS`; after that it is read again, and where that
    fails MemoryUnavailable is raised: `last_good` then gives what was told last. The callers' headings
    and briefs are kept in the record store, so that they outlive the process and callers can be listed.
    """

    def __init__(
        self, backend: MemoryBackend, records: RecordStore, clock: Clock, fresh_seconds: float = FRESH_SECONDS
    ) -> None:
        """`records` holds headings and briefs, never calls or memories."""
        self._backend = backend
        self._records = records
        self._clock = clock
        self._fresh_seconds = fresh_seconds
        self._reads: OrderedDict[tuple[str, str], _Read] = OrderedDict()
        self._lock = Lock()
        self._turn = 0
        """Grows with every change of ours: a read begun before one must not be cached after it."""

    def brief(self, tenant: str, caller_id: str) -> Brief | None:
        """Cached while fresh, else read again. Raises MemoryUnavailable."""
        with self._lock:
            read, turn = self._reads.get((tenant, caller_id)), self._turn
        if read is not None and self._clock.monotonic() - read.at < self._fresh_seconds:
            return read.brief
        brief = self._backend.brief(tenant, caller_id)
        self._keep(tenant, caller_id, brief, turn)
        return brief

    def last_good(self, tenant: str, caller_id: str) -> Brief | None:
        """The brief as last read, by this process or one before; None if there was none. One local read."""
        with self._lock:
            read = self._reads.get((tenant, caller_id))
        if read is not None:
            return read.brief
        try:
            caller = self._records.caller(tenant, caller_id)
        except StorageError:
            return None
        return caller.brief if caller else None

    def search(self, tenant: str, caller_id: str, query: str, limit: int, at: float) -> Findings:
        """Straight from the backend: an old answer to a question would be a wrong one."""
        return self._backend.search(tenant, caller_id, query, limit, at)

    def remember(self, call: Call, hold: Hold | None = None) -> bool:
        """Remember, then have the new brief at hand for the next ring."""
        tenant, caller_id = call.tenant, call.caller_id or ""
        self.drop(tenant, caller_id)
        try:
            changed = self._backend.remember(call, hold)
        finally:
            self.drop(tenant, caller_id)
        self._refresh(tenant, caller_id)
        return changed

    def memories(self, tenant: str, caller_id: str) -> tuple[Memory, ...]:
        """The backend's."""
        return self._backend.memories(tenant, caller_id)

    def edit(self, tenant: str, caller_id: str, memory_id: str, text: str, at: float) -> Memory:
        """The backend's; the brief is read again."""
        edited = self._backend.edit(tenant, caller_id, memory_id, text, at)
        self.drop(tenant, caller_id)
        self._refresh(tenant, caller_id)
        return edited

    def delete(self, tenant: str, caller_id: str, memory_id: str, at: float) -> None:
        """The backend's; the brief is read again."""
        self._backend.delete(tenant, caller_id, memory_id, at)
        self.drop(tenant, caller_id)
        self._refresh(tenant, caller_id)

    def forget(self, tenant: str, caller_id: str) -> bool:
        """Erase the caller from the backend, the cache and what is kept here."""
        self.drop(tenant, caller_id)
        erased = self._backend.forget(tenant, caller_id)
        with self._lock:
            self._turn += 1
            self._reads.pop((tenant, caller_id), None)
            kept = self._records.erase(tenant, caller_id, deleted=())
        return erased or kept

    def kept(self) -> list[tuple[str, str, Brief | None]]:
        """(tenant, caller id, brief) of all that this process has read; None for nobody we know."""
        with self._lock:
            return [(*who, read.brief) for who, read in self._reads.items()]

    def drop(self, tenant: str, caller_id: str) -> None:
        """Read it again when it is asked for next."""
        with self._lock:
            self._turn += 1
            self._reads.pop((tenant, caller_id), None)

    def warm(self, tenant: str, caller_id: str) -> None:
        """The backend's."""
        self._backend.warm(tenant, caller_id)

    def _refresh(self, tenant: str, caller_id: str) -> None:
        try:
            self.brief(tenant, caller_id)
        except MemoryUnavailable as error:
            log.info("brief_not_refreshed", cause=error.code)

    def _keep(self, tenant: str, caller_id: str, brief: Brief | None, turn: int) -> None:
        with self._lock:
            if turn != self._turn:
                return
            self._reads[tenant, caller_id] = _Read(brief, self._clock.monotonic())
            self._reads.move_to_end((tenant, caller_id))
            if len(self._reads) > CACHED_BRIEFS:
                self._reads.popitem(last=False)
            if brief is not None:  # under the lock: an erasure must not come between
                self._record(tenant, caller_id, brief)

    def _record(self, tenant: str, caller_id: str, brief: Brief) -> None:
        """Keep the heading where it has changed; a store that cannot be written costs the ring nothing."""
        try:
            caller = self._records.caller(tenant, caller_id) or Caller(tenant, caller_id)
            if caller.brief != brief:
                self._records.commit(CallerCommit(_heading(caller, brief)))
        except StorageError as error:
            log.info("brief_not_kept", cause=error.code)


def _heading(caller: Caller, brief: Brief) -> Caller:
    """The caller as the brief tells of them."""
    name = CallerName(brief.caller_name, NameSource.SUMMARY, brief.last_call_at, "") if brief.caller_name else None
    return replace(
        caller,
        name=name,
        language=brief.language or None,
        first_call_at=caller.first_call_at or brief.last_call_at,
        last_call_at=brief.last_call_at,
        call_count=brief.memory_count,
        brief=brief,
    )
