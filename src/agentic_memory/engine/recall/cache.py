"""Hot callers, ready to be searched: bounded by bytes, least recently used out first."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass

from agentic_memory.engine.recall.index import CallerIndex

Key = tuple[str, str]
Version = tuple[float, int]
"""First call and revision: a caller who was erased and calls again starts anew at revision 1."""


@dataclass(frozen=True, slots=True)
class CacheStats:
    """What the cache has done since the start."""

    hits: int
    misses: int
    callers: int
    bytes: int


class CallerCache:
    """Indexes by (tenant, caller id), each for one version. Safe from several threads."""

    def __init__(self, max_bytes: int) -> None:
        """Hold at most `max_bytes`, by the indexes' own count; one that is larger is served and not kept."""
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._held: OrderedDict[Key, tuple[Version, CallerIndex]] = OrderedDict()
        self._building: dict[tuple[Key, Version], Future[CallerIndex]] = {}
        self._bytes = 0
        self._hits = 0
        self._misses = 0

    def get(
        self, tenant: str, caller_id: str, version: Version, build: Callable[[], CallerIndex]
    ) -> CallerIndex:
        """The caller's index at this version, built once however many ask at the same time.

        Whatever `build` raises is raised to all who waited for it, and nothing is kept.
        """
        key = (tenant, caller_id)
        with self._lock:
            held = self._held.get(key)
            if held is not None and held[0] == version:
                self._held.move_to_end(key)
                self._hits += 1
                return held[1]
            self._misses += 1
            waiting = self._building.get((key, version))
            if waiting is None:
                mine = self._building[key, version] = Future()
        if waiting is not None:
            return waiting.result()
        return self._build(key, version, mine, build)

    def _build(
        self, key: Key, version: Version, mine: "Future[CallerIndex]", build: Callable[[], CallerIndex]
    ) -> CallerIndex:
        try:
            index = build()
        except BaseException as error:
            with self._lock:
                self._building.pop((key, version), None)
            mine.set_exception(error)
            raise
        with self._lock:
            if self._building.pop((key, version), None) is mine:
                self._keep(key, version, index)
        mine.set_result(index)
        return index

    def _keep(self, key: Key, version: Version, index: CallerIndex) -> None:
        held = self._held.get(key)
        if held is not None and held[0][0] == version[0] and held[0] > version:
            return
        self._remove(key)
        if index.nbytes > self._max_bytes:
            return
        self._held[key] = (version, index)
        self._bytes += index.nbytes
        while self._bytes > self._max_bytes:
            self._remove(next(iter(self._held)))

    def _remove(self, key: Key) -> None:
        held = self._held.pop(key, None)
        if held is not None:
            self._bytes -= held[1].nbytes

    def drop(self, tenant: str, caller_id: str) -> None:
        """Forget the caller; an index of theirs that is being built now is not kept either."""
        key = (tenant, caller_id)
        with self._lock:
            self._remove(key)
            for building in [b for b in self._building if b[0] == key]:
                del self._building[building]

    def clear(self) -> None:
        """Forget everyone: the model has changed."""
        with self._lock:
            self._held.clear()
            self._building.clear()
            self._bytes = 0

    @property
    def stats(self) -> CacheStats:
        """Hits, misses, callers and bytes held, for metrics."""
        with self._lock:
            return CacheStats(self._hits, self._misses, len(self._held), self._bytes)
