"""The inbox as plain dictionaries."""

import json
import threading
from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from itertools import count

from agentic_memory.domain.delivery import (
    Accepted,
    DeadLetter,
    DeadLetterPage,
    Delivery,
    InboxCounts,
    NewDelivery,
    Quarantined,
)
from agentic_memory.errors import InvalidField, LeaseLost


@dataclass(slots=True)
class _Kept:
    """One delivery that is not done yet. It is dead when it has been buried."""

    id: int
    delivery: NewDelivery
    due_at: float
    lease: str | None = None
    attempts: int = 0
    buried_at: float | None = None
    error_code: str = ""
    error: str = ""

    @property
    def is_dead(self) -> bool:
        return self.buried_at is not None


class InMemoryInbox:
    """The reference Inbox: nothing outlives the process, and everything is as durable as it gets at once."""

    def __init__(self) -> None:
        """An empty inbox."""
        self._lock = threading.RLock()
        self._ids = count(1)
        self._known: dict[tuple[str, str], int] = {}
        self._kept: dict[int, _Kept] = {}
        self._quarantine: dict[str, Quarantined] = {}

    def submit(self, delivery: NewDelivery) -> "Future[Accepted]":
        """See Inbox.submit."""
        future: Future[Accepted] = Future()
        with self._lock:
            known = self._known.get((delivery.tenant, delivery.dedupe_key))
            accepted = self._keep(delivery) if known is None else Accepted(str(known), duplicate=True)
        future.set_result(accepted)
        return future

    def claim(self, limit: int, now: float, lease_seconds: float) -> list[Delivery]:
        """See Inbox.claim."""
        with self._lock:
            due = [kept for kept in self._pending() if kept.due_at <= now]
            due.sort(key=lambda kept: (kept.due_at, kept.id))
            return [self._lease(kept, now + lease_seconds) for kept in due[:limit]]

    def recover(self, now: float) -> int:
        """See Inbox.recover. Nothing outlives this process, so nothing can be recovered."""
        return 0

    def renew(self, delivery: Delivery, until: float) -> None:
        """See Inbox.renew."""
        with self._lock:
            self._held(delivery).due_at = until

    def check_held(self, delivery: Delivery) -> None:
        """See Inbox.check_held."""
        with self._lock:
            self._held(delivery)

    def done(self, delivery: Delivery) -> None:
        """See Inbox.done."""
        with self._lock:
            del self._kept[self._held(delivery).id]

    def retry(self, delivery: Delivery, at: float, code: str, error: str) -> None:
        """See Inbox.retry."""
        with self._lock:
            kept = self._held(delivery)
            kept.lease, kept.due_at = None, at
            kept.error_code, kept.error = code, error

    def bury(self, delivery: Delivery, now: float, code: str, error: str) -> None:
        """See Inbox.bury."""
        with self._lock:
            kept = self._held(delivery)
            kept.lease, kept.buried_at = None, now
            kept.error_code, kept.error = code, error

    def dead_letters(self, *, limit: int = 50, cursor: str | None = None) -> DeadLetterPage:
        """See Inbox.dead_letters."""
        if cursor is not None and not _is_number(cursor):
            raise InvalidField(field="cursor", expected="a former page's next_cursor")
        after = int(cursor) if cursor is not None else 0
        with self._lock:
            dead = [kept for kept in self._kept.values() if kept.is_dead and kept.id > after]
            dead.sort(key=lambda kept: kept.id)
            letters = tuple(_dead_letter(kept) for kept in dead[:limit])
        return DeadLetterPage(letters, letters[-1].id if len(dead) > limit else None)

    def revive(self, ids: Sequence[str] | None, now: float) -> int:
        """See Inbox.revive."""
        with self._lock:
            dead = [kept for kept in self._kept.values() if kept.is_dead]
            chosen = [kept for kept in dead if ids is None or str(kept.id) in ids]
            for kept in chosen:
                kept.buried_at, kept.due_at, kept.attempts = None, now, 0
            return len(chosen)

    def reopen(self, delivery: NewDelivery) -> Accepted:
        """See Inbox.reopen. `duplicate` where a worker holds it already: then it is being processed."""
        with self._lock:
            known = self._known.get((delivery.tenant, delivery.dedupe_key))
            kept = self._kept.get(known) if known is not None else None
            if known is not None and kept is not None and kept.lease is not None:
                return Accepted(str(known), duplicate=True)
            return self._keep(delivery, known)

    def conversations_naming(self, tenant: str, needles: Iterable[str]) -> Collection[str]:
        """See Inbox.conversations_naming."""
        wanted = [needle.encode() for needle in needles if needle]
        with self._lock:
            kept = [one.delivery for one in self._kept.values() if one.delivery.tenant == tenant]
        named = (d.envelope.conversation_id for d in kept if _holds(d.body, wanted))
        return {conversation_id for conversation_id in named if conversation_id}

    def purge(
        self,
        tenant: str,
        conversation_ids: Iterable[str],
        needles: Iterable[str],
        *,
        dry_run: bool = False,
    ) -> int:
        """See Inbox.purge. A conversation id counts as a needle where a body holds it as a JSON string."""
        conversations = {conversation for conversation in conversation_ids if conversation}
        texts = {needle for needle in needles if needle}
        for conversation in conversations:
            texts |= {json.dumps(conversation), json.dumps(conversation, ensure_ascii=False)}
        wanted = [text.encode() for text in texts]

        def is_meant(kept: _Kept) -> bool:
            delivery = kept.delivery
            about = delivery.envelope.conversation_id in conversations
            return delivery.tenant == tenant and (about or _holds(delivery.body, wanted))

        with self._lock:
            deliveries = [kept.id for kept in self._kept.values() if is_meant(kept)]
            refused = [q.id for q in self._quarantine.values() if _holds(q.body, wanted)]
            for which in () if dry_run else deliveries:
                del self._kept[which]
            for item_id in () if dry_run else refused:
                del self._quarantine[item_id]
        return len(deliveries) + len(refused)

    def scrub(self) -> None:
        """See Inbox.scrub. There are no files."""

    def next_due(self) -> float | None:
        """See Inbox.next_due."""
        with self._lock:
            return min((kept.due_at for kept in self._pending()), default=None)

    def counts(self) -> InboxCounts:
        """See Inbox.counts."""
        with self._lock:
            pending = self._pending()
            return InboxCounts(
                pending=len(pending),
                dead=len(self._kept) - len(pending),
                quarantined=len(self._quarantine),
                quarantined_bytes=sum(len(item.body) for item in self._quarantine.values()),
                oldest_pending_at=min((kept.delivery.received_at for kept in pending), default=None),
            )

    def quarantine(self, item: Quarantined, max_count: int, max_bytes: int) -> bool:
        """See Inbox.quarantine."""
        with self._lock:
            size = sum(len(kept.body) for kept in self._quarantine.values())
            fits = len(self._quarantine) < max_count and size + len(item.body) <= max_bytes
            if fits:
                self._quarantine.setdefault(item.id, item)
            return item.id in self._quarantine

    def quarantined(self) -> Iterator[Quarantined]:
        """See Inbox.quarantined."""
        with self._lock:
            items = list(self._quarantine.values())
        yield from sorted(items, key=lambda item: (item.received_at, item.id))

    def release(self, item_id: str) -> None:
        """See Inbox.release."""
        with self._lock:
            self._quarantine.pop(item_id, None)

    def ping(self) -> None:
        """See Inbox.ping."""

    def _keep(self, delivery: NewDelivery, known: int | None = None) -> Accepted:
        which = next(self._ids) if known is None else known
        self._known[delivery.tenant, delivery.dedupe_key] = which
        self._kept[which] = _Kept(which, delivery, due_at=delivery.received_at)
        return Accepted(str(which), duplicate=False)

    def _pending(self) -> list[_Kept]:
        return [kept for kept in self._kept.values() if not kept.is_dead]

    def _lease(self, kept: _Kept, until: float) -> Delivery:
        kept.attempts += 1
        kept.lease = f"{kept.id}-{next(self._ids)}"
        kept.due_at = until
        return Delivery(
            id=str(kept.id),
            tenant=kept.delivery.tenant,
            platform=kept.delivery.platform,
            body=kept.delivery.body,
            received_at=kept.delivery.received_at,
            envelope=kept.delivery.envelope,
            attempts=kept.attempts,
            lease=kept.lease,
        )

    def _held(self, delivery: Delivery) -> _Kept:
        kept = self._kept.get(int(delivery.id)) if _is_number(delivery.id) else None
        if kept is None or kept.lease != delivery.lease:
            raise LeaseLost(delivery=delivery.id)
        return kept


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19


def _dead_letter(kept: _Kept) -> DeadLetter:
    return DeadLetter(
        id=str(kept.id),
        tenant=kept.delivery.tenant,
        platform=kept.delivery.platform,
        envelope=kept.delivery.envelope,
        received_at=kept.delivery.received_at,
        buried_at=kept.buried_at or 0.0,
        attempts=kept.attempts,
        error_code=kept.error_code,
        error=kept.error,
        size=len(kept.delivery.body),
    )


def _holds(body: bytes, wanted: Sequence[bytes]) -> bool:
    return any(needle in body for needle in wanted)
