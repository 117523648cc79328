"""Erase a caller: every trace in records, archive, inbox, quarantine and cache."""

import json
from collections.abc import Callable

from agentic_memory.domain.caller import DEFAULT_TENANT
from agentic_memory.ports import Archive, Inbox, MemoryBackend, RecordStore
from agentic_memory.service.remember_call import UNREADABLE, note_key


class Forget:
    """The use-case behind `agentic-memory forget` and `DELETE /v1/callers/{caller_id}`."""

    def __init__(
        self,
        backend: MemoryBackend,
        records: RecordStore,
        inbox: Inbox,
        archive: Archive,
        normalise: Callable[[str | None], str | None],
        forgotten: Callable[[str, str], None] = lambda tenant, caller_id: None,
    ) -> None:
        """`forgotten` lets whoever keeps briefs in memory drop theirs."""
        self._backend = backend
        self._records = records
        self._inbox = inbox
        self._archive = archive
        self._normalise = normalise
        self._forgotten = forgotten

    def __call__(self, given: str, tenant: str = DEFAULT_TENANT) -> bool:
        """Erase the caller that `given` names; return whether there was anything to erase.

        Archive first, records last: an erasure that is cut short can be asked for again and still
        knows where everything lies.
        """
        caller_id = self._normalise(given) or given
        found = self._erase_once(tenant, caller_id)
        # A delivery that a worker held during the first pass may have been remembered since.
        again = self._erase_once(tenant, caller_id)
        return found or again

    def _erase_once(self, tenant: str, caller_id: str) -> bool:
        traces = self._records.traces(tenant, caller_id)
        purged = self._inbox.purge(tenant, traces.conversation_ids, needles(caller_id))
        keys = (*traces.archive_keys, *self._unreadable(caller_id))
        for key in keys:
            self._archive.delete(key)
            self._archive.delete(note_key(key))
        remembered = self._backend.forget(tenant, caller_id)
        erased = self._records.erase(tenant, caller_id)
        self._forgotten(tenant, caller_id)
        return bool(purged or keys or remembered or erased)

    def _unreadable(self, caller_id: str) -> list[str]:
        """Archived bodies that could not be parsed and name this caller."""
        wanted = [needle.encode() for needle in needles(caller_id)]
        return [
            entry.key
            for entry in self._archive.entries(UNREADABLE)
            if not entry.key.endswith(note_key(""))
            and _holds(self._archive.get(entry.key), wanted)
        ]


def _holds(body: bytes, wanted: list[bytes]) -> bool:
    return any(needle in body for needle in wanted)


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
