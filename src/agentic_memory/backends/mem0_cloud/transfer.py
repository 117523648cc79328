"""Callers whole, out of Mem0 Cloud and into it: one side of a migration."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from agentic_memory.backends.mem0_cloud.backend import Mem0Memory, user_of
from agentic_memory.backends.mem0_cloud.writing import Taught, digest, turn_marks
from agentic_memory.domain.conflict import taught
from agentic_memory.domain.memory import FOREIGN, Memory
from agentic_memory.domain.records import Moved


class Mem0Side:
    """Mem0 Cloud as a side. Nothing is inferred from what is written: it arrives word by word."""

    def __init__(self, memory: Mem0Memory) -> None:
        """`memory` is the backend in use."""
        self._memory = memory
        self._client = memory.client

    def callers(self, tenant: str) -> Iterator[str]:
        """All users that Mem0 knows."""
        yield from self._client.users()

    def read(self, tenant: str, caller_id: str) -> Moved | None:
        """Everything that Mem0 has of this user, transcripts put together again."""
        return self._memory.whole(tenant, caller_id)

    def write(self, tenant: str, moved: Moved) -> None:
        """Each call with what it taught; then what other software had left there."""
        caller_id = moved.records.caller.caller_id
        foreign = [m for m in moved.records.memories if FOREIGN in m.metadata]
        ours = [m for m in moved.records.memories if FOREIGN not in m.metadata]
        by_hand = tuple(m for m in ours if m.metadata.get("edited"))
        forgotten = moved.forgotten
        for record in moved.records.calls:
            if record.call.platform == FOREIGN:
                continue
            call = replace(record.call, tenant=tenant, caller_id=caller_id)
            facts = taught(ours, call.conversation_id)
            whole = Taught(call, facts, forgotten, by_hand, turn_marks(call), digest(call))
            self._memory.keep(whole, infer=False)
            forgotten, by_hand = {}, ()  # the first call's record holds them for all
        self._write_foreign(user_of(tenant, caller_id), foreign)
        self._memory.mark(tenant, caller_id)

    def _write_foreign(self, user: str, memories: Sequence[Memory]) -> None:
        there = {(m.text, int(m.at)) for m in self._client.listed(user)} if memories else set()
        for memory in memories:
            if (memory.text, int(memory.created_at)) not in there:
                held = memory.metadata[FOREIGN]
                described = dict(held) if isinstance(held, dict) else {}
                message = [{"role": "user", "content": memory.text}]
                self._client.add(user, message, described, infer=False, at=memory.created_at)
