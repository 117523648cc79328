"""Where a caller's data lies beside the memory itself: what erasing has to reach."""

import json

from agentic_memory.domain.delivery import CallEnded
from agentic_memory.domain.records import Traces
from agentic_memory.errors import PayloadError
from agentic_memory.ports import Archive, Platform, RecordStore
from agentic_memory.service.file_call import calls_of
from agentic_memory.service.file_ring import name_in_key, rings_of
from agentic_memory.service.remember_call import (
    BODIES,
    RECORDINGS,
    UNREADABLE,
    folder_of,
    note_key,
)

IDENTITY_KEYS = (
    "external_number",
    "caller_id",
    "system__caller_id",
    "system__called_number",
    "user_id",
    "whatsapp_user_id",
    "sms_user_phone_number",
    "callerid",
    "to_number",
    "To",
    "Called",
)
"""Keys under which a body names its person. A number that somebody else merely mentions is not theirs."""


class FindTraces:
    """Conversations and archive keys of a caller: as the records know them, and as the archive tells itself.

    Where calls are filed by number, the archive alone is enough: nothing else tells a function of the
    AWS stack with Mem0 which conversations somebody had.
    """

    def __init__(self, records: RecordStore, archive: Archive, platform: Platform) -> None:
        """`platform` reads what is filed."""
        self.records = records
        self.archive = archive
        self._platform = platform

    def __call__(self, tenant: str, caller_id: str) -> Traces:
        """All traces. Raises StorageError and ArchiveError."""
        known = self.records.traces(tenant, caller_id)
        rings = self._keys(rings_of(caller_id))
        filed = self._without_notes(calls_of(caller_id))
        told = {c for key in filed for c in self._conversations(tenant, key)}
        untold = told.difference(known.conversation_ids)
        bodies = [key for c in sorted(untold) for key in self._of_conversation(c)]
        keys = {*known.archive_keys, *rings, *filed, *bodies, *self._unreadable(caller_id)}
        return Traces(tuple(sorted({*known.conversation_ids, *told})), tuple(sorted(keys)))

    def _keys(self, prefix: str) -> list[str]:
        """Of bodies and recordings; not of their notes."""
        listed = (entry.key for entry in self.archive.entries(prefix))
        return [key for key in listed if not key.endswith(note_key(""))]

    def _without_notes(self, prefix: str) -> list[str]:
        """Bodies that are filed: those that lie by conversation have a note beside them."""
        keys = [entry.key for entry in self.archive.entries(prefix)]
        noted = set(keys)
        return [k for k in keys if not k.endswith(note_key("")) and note_key(k) not in noted]

    def _conversations(self, tenant: str, key: str) -> list[str]:
        """The conversation that a filed body stands for."""
        try:
            events = self._platform.parse(self.archive.get(key), tenant, 0.0)
        except PayloadError:
            return []
        ids = (event.call.conversation_id for event in events if isinstance(event, CallEnded))
        return [i for i in ids if key.endswith(f"/{name_in_key(i)}.json")]

    def _of_conversation(self, conversation_id: str) -> list[str]:
        """Bodies and recordings, those included of which only the note lies there: it was put first."""
        folder, note = folder_of(conversation_id), note_key("")
        prefixes = (f"{BODIES}{folder}/", f"{RECORDINGS}{folder}/")
        entries = (entry for prefix in prefixes for entry in self.archive.entries(prefix))
        return sorted({entry.key.removesuffix(note) for entry in entries})

    def _unreadable(self, caller_id: str) -> list[str]:
        """Archived bodies that could not be parsed and name this caller."""
        wanted = [needle.encode() for needle in needles(caller_id)]
        return [key for key in self._keys(UNREADABLE) if _holds(self.archive.get(key), wanted)]


def _holds(body: bytes, wanted: list[bytes]) -> bool:
    return any(needle in body for needle in wanted)


def needles(caller_id: str) -> tuple[str, ...]:
    """How the caller's id stands as the person of a body that was not parsed yet."""
    values = {json.dumps(form) for form in (caller_id, caller_id.removeprefix("+")) if form}
    values |= {form for form in (caller_id.removeprefix("+"),) if form.isdecimal()}
    return tuple(
        f'"{key}"{separator}{value}'
        for key in IDENTITY_KEYS
        for separator in (": ", ":")
        for value in sorted(values)
    )
