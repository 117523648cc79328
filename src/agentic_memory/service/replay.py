"""Process again: dead letters, the whole archive, or what a wrong key put into quarantine."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import msgspec

from agentic_memory.domain.delivery import NewDelivery, Quarantined
from agentic_memory.errors import ArchiveKeyMissing
from agentic_memory.ports import Archive, Clock, Inbox, Platform, RecordStore
from agentic_memory.service.remember_call import (
    BODIES,
    RECORDINGS,
    UNREADABLE,
    ArchiveNote,
    note_key,
)

SHORTEST_ID = 8
"""Characters by which a quarantined body may be named."""
Progress = Callable[[int], None]
"""Called with how many have been handled so far."""


@dataclass(frozen=True, slots=True)
class Reverified:
    """What a second look at the quarantine gave."""

    accepted: int
    still_refused: int


@dataclass(frozen=True, slots=True)
class LookedAt:
    """A quarantined body, and what its signature is worth today."""

    item: Quarantined
    reason: str
    """Why it is still refused; empty for what would be accepted now."""


class Replay:
    """The use-case behind `agentic-memory replay` and `POST /v1/replay`."""

    def __init__(
        self,
        inbox: Inbox,
        archive: Archive,
        records: RecordStore,
        platform: Platform,
        accept: Callable[[bytes, float], NewDelivery],
        clock: Clock,
    ) -> None:
        """`accept` makes a delivery of a body and the time it was received."""
        self._inbox = inbox
        self._archive = archive
        self._records = records
        self._platform = platform
        self._accept = accept
        self._clock = clock

    def dead(self, ids: Sequence[str] | None = None) -> int:
        """Make these dead letters (None: all of them) due again; return how many there were."""
        return self._inbox.revive(ids, self._clock.now())

    def archived(self, progress: Progress | None = None) -> int:
        """Hand in every body of the archive once more; return how many.

        With an empty database this rebuilds it: the notes beside the bodies bring back who each
        conversation was with. Recordings are joined to their calls without being processed.
        """
        count = 0
        for key in chain(self.bodies(BODIES), self.bodies(UNREADABLE)):
            self.reopen(key)
            count += 1
            if progress is not None:
                progress(count)
        for key in self.bodies(RECORDINGS):
            note = self._note(key)
            if note is not None and note.conversation_id is not None:
                self._records.attach_audio(note.tenant, note.conversation_id, key)
        return count

    def quarantined(
        self, secrets: Sequence[str], progress: Progress | None = None
    ) -> Reverified:
        """Verify what is in quarantine again, as of the time it came; accept what is authentic now."""
        accepted = refused = 0
        for item in self._inbox.quarantined():
            check = self._platform.verify(item.body, item.signature, secrets, item.received_at)
            if check.ok:
                self._inbox.submit(self._accept(item.body, item.received_at)).result()
                self._inbox.release(item.id)
                accepted += 1
            else:
                refused += 1
            if progress is not None:
                progress(accepted + refused)
        return Reverified(accepted, refused)

    def look_at_quarantine(self, secrets: Sequence[str]) -> Iterator[LookedAt]:
        """What is in quarantine, oldest first, verified again as of the time it came. Changes nothing."""
        for item in self._inbox.quarantined():
            check = self._platform.verify(item.body, item.signature, secrets, item.received_at)
            yield LookedAt(item, check.reason)

    def drop_quarantined(self, ids: Sequence[str] | None = None) -> int:
        """Drop these from quarantine (None: all), by id or its first 8 characters and more; return how many went."""
        chosen = [
            item.id
            for item in self._inbox.quarantined()
            if ids is None or any(_names(given, item.id) for given in ids)
        ]
        for which in chosen:
            self._inbox.release(which)
        return len(chosen)

    def bodies(self, prefix: str) -> Iterator[str]:
        """The keys of archived bodies that begin with `prefix`."""
        suffix = note_key("")
        for entry in self._archive.entries(prefix):
            if not entry.key.endswith(suffix):
                yield entry.key

    def reopen(self, key: str) -> None:
        """Hand in one archived body once more. Raises ArchiveKeyMissing."""
        note = self._note(key)
        if note is not None and note.person and note.conversation_id:
            self._records.note_person(
                note.tenant, note.conversation_id, note.person, note.received_at
            )
        received_at = self._clock.now() if note is None else note.received_at
        self._inbox.reopen(self._accept(self._archive.get(key), received_at))

    def _note(self, key: str) -> ArchiveNote | None:
        try:
            return msgspec.json.decode(self._archive.get(note_key(key)), type=ArchiveNote)
        except (ArchiveKeyMissing, msgspec.DecodeError):
            return None


def _names(given: str, item_id: str) -> bool:
    return given == item_id or (len(given) >= SHORTEST_ID and item_id.startswith(given))
