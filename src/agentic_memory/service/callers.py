"""Look at callers and mend what is remembered of them: the use-cases behind `/v1/callers`."""

from collections.abc import Callable, Iterator
from typing import Protocol

from agentic_memory.domain.call import Call
from agentic_memory.domain.caller import DEFAULT_TENANT, Caller, CallerPage
from agentic_memory.domain.memory import Change, Memory
from agentic_memory.domain.records import CallerRecords
from agentic_memory.errors import InvalidField, NotFound
from agentic_memory.ports import Clock, MemoryBackend, RecordStore

LONGEST_MEMORY = 2_000
"""Characters of a memory set by hand."""


class Loader(Protocol):
    """Reads one caller whole: `RecordStore.load`, or what takes its place."""

    def __call__(
        self, tenant: str, caller_id: str, *, with_calls: bool = True
    ) -> CallerRecords | None:
        """None if unknown; without `with_calls`, calls come without their turns."""


class Historian(Protocol):
    """Tells what happened to memories: `RecordStore.history`, or what takes its place."""

    def __call__(self, tenant: str, caller_id: str, memory_id: str | None = None) -> tuple[Change, ...]:
        """Oldest first, of all memories without `memory_id`; nothing of what is not known."""


class Callers:
    """What is remembered, by caller. Every method raises NotFound for a caller who is not known."""

    def __init__(
        self,
        records: RecordStore,
        backend: MemoryBackend,
        normalise: Callable[[str | None], str | None],
        clock: Clock,
        load: "Loader | None" = None,
        history: "Historian | None" = None,
    ) -> None:
        """`normalise` turns an id as typed into a caller id.

        `load` reads one caller whole, and `history` a memory's, where calls and memories are not in `records`.
        """
        self._records = records
        self._backend = backend
        self._normalise = normalise
        self._clock = clock
        self._load: Loader = load or records.load
        self._history: Historian = history or records.history

    def page(self, query: str, limit: int, cursor: str | None) -> CallerPage:
        """Callers whose id or name contains `query`, newest call first."""
        return self._records.callers(DEFAULT_TENANT, query=query, limit=limit, cursor=cursor)

    def one(self, given: str) -> Caller:
        """The caller with their brief."""
        caller = self._records.caller(DEFAULT_TENANT, self._id(given))
        if caller is None:
            raise NotFound(what="Caller")
        return caller

    def memories(self, given: str) -> tuple[Memory, ...]:
        """Their memories, oldest first, superseded ones included."""
        caller = self.one(given)
        return self._backend.memories(DEFAULT_TENANT, caller.caller_id)

    def history(self, given: str, memory_id: str | None = None) -> tuple[Change, ...]:
        """What happened to one memory, or to all, oldest first; also to those that were deleted."""
        caller = self.one(given)
        changes = self._history(DEFAULT_TENANT, caller.caller_id, memory_id)
        if memory_id is not None and not changes:
            raise NotFound(what="Memory")
        return changes

    def edit(self, given: str, memory_id: str, text: str) -> Memory:
        """Set a memory's text. Raises InvalidField, NotFound."""
        text = " ".join(text.split())
        if not 0 < len(text) <= LONGEST_MEMORY:
            raise InvalidField(field="text", expected=f"1 to {LONGEST_MEMORY} characters")
        caller_id = self.one(given).caller_id
        return self._backend.edit(DEFAULT_TENANT, caller_id, memory_id, text, self._clock.now())

    def delete(self, given: str, memory_id: str) -> None:
        """Delete one memory."""
        caller_id = self.one(given).caller_id
        self._backend.delete(DEFAULT_TENANT, caller_id, memory_id, self._clock.now())

    def calls(self, given: str) -> tuple[Call, ...]:
        """Their calls without the turns, newest first."""
        loaded = self._load(DEFAULT_TENANT, self._id(given), with_calls=False)
        if loaded is None:
            raise NotFound(what="Caller")
        return tuple(record.call for record in reversed(loaded.calls))

    def call(self, given: str, conversation_id: str) -> Call:
        """One call with its turns."""
        caller_id = self._id(given)
        call = self._records.call(DEFAULT_TENANT, caller_id, conversation_id)
        if call is not None:
            return call
        loaded = self._load(DEFAULT_TENANT, caller_id)
        for record in loaded.calls if loaded else ():
            if record.call.conversation_id == conversation_id:
                return record.call
        raise NotFound(what="Call")

    def everything(self, given: str | None = None) -> Iterator[CallerRecords]:
        """One caller whole, or all of them one after the other: what an export is made of."""
        if given is not None:
            yield self._loaded(self._id(given))
            return
        cursor: str | None = None
        while True:
            page = self.page("", 200, cursor)
            for caller in page.callers:
                loaded = self._load(DEFAULT_TENANT, caller.caller_id)
                if loaded is not None:
                    yield loaded
            cursor = page.next_cursor
            if cursor is None:
                return

    def _loaded(self, caller_id: str) -> CallerRecords:
        loaded = self._load(DEFAULT_TENANT, caller_id)
        if loaded is None:
            raise NotFound(what="Caller")
        return loaded

    def _id(self, given: str) -> str:
        return self._normalise(given) or given
