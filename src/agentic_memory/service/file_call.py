"""Keep a call's body also by number: where those look who know the person, not the conversation."""

from collections.abc import Callable

from agentic_memory.domain.call import Call
from agentic_memory.domain.delivery import CallEnded, Delivery
from agentic_memory.errors import PayloadError
from agentic_memory.ports import Archive, Platform, RecordStore
from agentic_memory.service.file_ring import name_in_key
from agentic_memory.service.remember_call import BODIES, EventOutcome, Identity

Process = Callable[[Delivery], tuple[EventOutcome, ...]]


class FileCall:
    """Puts `post-call/{number}/{conversation_id}.json` into the archive, then remembers the call."""

    def __init__(
        self,
        process: Process,
        platform: Platform,
        archive: Archive,
        records: RecordStore,
        identity: Identity,
        check_held: Callable[[Delivery], object],
    ) -> None:
        """`process` is what remembers; it comes last, because it marks the delivery as done.

        `check_held` is the inbox's: what was erased meanwhile must not be filed.
        """
        self._process = process
        self._platform = platform
        self._archive = archive
        self._records = records
        self._identity = identity
        self._check_held = check_held

    def __call__(self, delivery: Delivery) -> tuple[EventOutcome, ...]:
        """File and process one delivery. Raises what `process` raises, ArchiveError and LeaseLost."""
        for call in self._calls(delivery):
            self._file(call, delivery)
        return self._process(delivery)

    def _calls(self, delivery: Delivery) -> list[Call]:
        try:
            events = self._platform.parse(delivery.body, delivery.tenant, delivery.received_at)
        except PayloadError:
            return []  # `process` says so
        return [event.call for event in events if isinstance(event, CallEnded)]

    def _file(self, call: Call, delivery: Delivery) -> None:
        noted = self._records.person_of(delivery.tenant, call.conversation_id)
        person = self._identity.person(call.hints, noted)
        if person is None:
            return
        key = f"{calls_of(person)}{name_in_key(call.conversation_id)}.json"
        self._records.note_archived(delivery.tenant, key, person, call.conversation_id)
        self._archive.put(key, delivery.body, lambda: self._check_held(delivery))


def calls_of(person: str) -> str:
    """Where all calls of a person are filed."""
    return f"{BODIES}{name_in_key(person)}/"
