"""Erase a caller: every trace in records, archive, inbox, quarantine and cache."""

from collections.abc import Callable
from dataclasses import dataclass

from agentic_memory.domain.caller import DEFAULT_TENANT
from agentic_memory.ports import Inbox, MemoryBackend
from agentic_memory.service.find_traces import FindTraces, needles
from agentic_memory.service.remember_call import note_key


@dataclass(frozen=True, slots=True)
class Found:
    """How much is kept of a caller."""

    conversations: int
    memories: int
    archived: int
    """Bodies and recordings in the archive, whatever their versions."""
    deliveries: int
    """Bodies that wait, are dead or quarantined."""

MOST_ROUNDS = 10
"""Rounds of one erasure: the second finds nothing, unless this very caller's calls keep coming in."""


class Forget:
    """The use-case behind `agentic-memory forget` and `DELETE /v1/callers/{caller_id}`."""

    def __init__(
        self,
        backend: MemoryBackend,
        find: FindTraces,
        inbox: Inbox,
        normalise: Callable[[str | None], str | None],
        forgotten: Callable[[str, str], None] = lambda tenant, caller_id: None,
    ) -> None:
        """`forgotten` lets whoever keeps briefs in memory drop theirs."""
        self._backend = backend
        self._find = find
        self._inbox = inbox
        self._normalise = normalise
        self._forgotten = forgotten

    def __call__(self, given: str, tenant: str = DEFAULT_TENANT) -> bool:
        """Erase the caller that `given` names; return whether there was anything to erase.

        In rounds, until one finds nothing: what a worker had in hand may have been kept during one, and
        what the next one finds was noted before its worker lost the lease. Archive first, records last: an
        erasure that is cut short can be asked for again and still knows where everything lies.
        """
        caller_id = self._normalise(given) or given
        rounds = 0
        while rounds < MOST_ROUNDS and self._erase_once(tenant, caller_id):
            rounds += 1
        self._inbox.scrub()
        self._find.records.scrub()
        return rounds > 0

    def survey(self, given: str, tenant: str = DEFAULT_TENANT) -> Found:
        """What would be erased; nothing is changed. Raises as the erasing does."""
        caller_id = self._normalise(given) or given
        traces = self._find(tenant, caller_id)
        about = (traces.conversation_ids, needles(caller_id))
        return Found(
            conversations=len(traces.conversation_ids),
            memories=len(self._backend.memories(tenant, caller_id)),
            archived=len(traces.archive_keys),
            deliveries=self._inbox.purge(tenant, *about, dry_run=True),
        )

    def _erase_once(self, tenant: str, caller_id: str) -> bool:
        # A recording may lie in the archive already while the call that says whose it is still waits.
        for conversation_id in self._inbox.conversations_naming(tenant, needles(caller_id)):
            self._find.records.note_person(tenant, conversation_id, caller_id, 0.0)
        traces, archive = self._find(tenant, caller_id), self._find.archive
        purged = self._inbox.purge(tenant, traces.conversation_ids, needles(caller_id))
        for key in traces.archive_keys:
            archive.delete(key)
            archive.delete(note_key(key))
        remembered = self._backend.forget(tenant, caller_id)
        erased = self._find.records.erase(tenant, caller_id, deleted=traces.archive_keys)
        self._forgotten(tenant, caller_id)
        return bool(purged or traces.archive_keys or remembered or erased)
