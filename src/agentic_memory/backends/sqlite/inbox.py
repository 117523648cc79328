"""The inbox in SQLite."""

import json
import secrets
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import Future

from agentic_memory.backends.sqlite import codec
from agentic_memory.backends.sqlite.database import Database
from agentic_memory.backends.sqlite.statements import statements
from agentic_memory.domain.delivery import (
    Accepted,
    DeadLetterPage,
    Delivery,
    InboxCounts,
    NewDelivery,
    Quarantined,
)
from agentic_memory.errors import InvalidField, LeaseLost


class SqliteInbox:
    """An Inbox in one SQLite file: what it has accepted survives the end of the process and of the power.

    Deliveries are claimed in the order in which they fell due.
    """

    def __init__(self, database: Database) -> None:
        """Keep deliveries in `database`, which may be shared with records and is closed by its owner."""
        self._database = database
        self._sql = statements("inbox")

    def submit(self, delivery: NewDelivery) -> "Future[Accepted]":
        """See Inbox.submit."""
        return self._database.submit(lambda connection: self._submit(connection, delivery))

    def claim(self, limit: int, now: float, lease_seconds: float) -> list[Delivery]:
        """See Inbox.claim."""

        def claim(connection: sqlite3.Connection) -> list[Delivery]:
            due = connection.execute(self._sql["due"], (now, limit)).fetchall()
            for which in due:
                lease = (secrets.token_hex(16), now + lease_seconds, *which)
                connection.execute(self._sql["lease"], lease)
            rows = (connection.execute(self._sql["leased"], which).fetchone() for which in due)
            return [codec.delivery_of(row) for row in rows]

        return self._database.write(claim)

    def recover(self, now: float) -> int:
        """See Inbox.recover. A lock beside the file tells whether another worker lives."""
        lock = self._database.worker_lock
        if lock.is_held:
            return 0
        recovered = 0
        if lock.is_first():
            recovered = self._database.write(
                lambda connection: connection.execute(self._sql["recover"], (now,)).rowcount
            )
        lock.join()
        return recovered

    def renew(self, delivery: Delivery, until: float) -> None:
        """See Inbox.renew."""
        self._database.write(lambda connection: self._held(connection, "renew", delivery, until))

    def check_held(self, delivery: Delivery) -> None:
        """See Inbox.check_held."""
        if self._one("is_held", codec.row_id(delivery.id), delivery.lease) is None:
            raise LeaseLost(delivery=delivery.id)

    def done(self, delivery: Delivery) -> None:
        """See Inbox.done."""

        def done(connection: sqlite3.Connection) -> None:
            self._held(connection, "done", delivery)
            connection.execute(self._sql["drop_body"], (codec.row_id(delivery.id),))

        self._database.write(done)

    def retry(self, delivery: Delivery, at: float, code: str, error: str) -> None:
        """See Inbox.retry."""
        cause = (code, codec.storable(error))
        self._database.write(lambda connection: self._held(connection, "retry", delivery, at, *cause))

    def bury(self, delivery: Delivery, now: float, code: str, error: str) -> None:
        """See Inbox.bury."""
        cause = (code, codec.storable(error))
        self._database.write(lambda connection: self._held(connection, "bury", delivery, now, *cause))

    def dead_letters(self, *, limit: int = 50, cursor: str | None = None) -> DeadLetterPage:
        """See Inbox.dead_letters. In the order in which they were accepted; InvalidField for no cursor of ours."""
        after = codec.row_id(cursor) if cursor is not None else 0
        if after is None:
            raise InvalidField(field="cursor", expected="a former page's next_cursor")
        rows = self._database.read(
            lambda connection: connection.execute(
                self._sql["dead_letters"], (after, limit + 1)
            ).fetchall()
        )
        letters = tuple(codec.dead_letter_of(row) for row in rows[:limit])
        return DeadLetterPage(letters, letters[-1].id if len(rows) > limit else None)

    def revive(self, ids: Sequence[str] | None, now: float) -> int:
        """See Inbox.revive."""

        def revive(connection: sqlite3.Connection) -> int:
            if ids is None:
                return connection.execute(self._sql["revive_all"], (now,)).rowcount
            return sum(
                connection.execute(self._sql["revive"], (now, codec.row_id(which))).rowcount
                for which in ids
            )

        return self._database.write(revive)

    def reopen(self, delivery: NewDelivery) -> Accepted:
        """See Inbox.reopen. `duplicate` where a worker holds it already: then it is being processed."""
        return self._database.write(lambda connection: self._reopen(connection, delivery))

    def conversations_naming(self, tenant: str, needles: Iterable[str]) -> Collection[str]:
        """See Inbox.conversations_naming."""
        found = self._deliveries_with(tenant, set(), _wanted((), needles))
        return {conversation_id for _, conversation_id in found if conversation_id}

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
        wanted = _wanted(conversations, needles)
        deliveries = [which for which, _ in self._deliveries_with(tenant, conversations, wanted)]
        quarantined = [item.id for item in self.quarantined() if _holds(item.body, wanted)]
        if dry_run:
            return len(deliveries) + len(quarantined)

        def purge(connection: sqlite3.Connection) -> int:
            gone = 0
            for delivery in deliveries:
                connection.execute(self._sql["purge"], (delivery,))
                gone += connection.execute(self._sql["drop_body"], (delivery,)).rowcount
            for item_id in quarantined:
                gone += connection.execute(self._sql["release"], (item_id,)).rowcount
            if gone:
                self._database.will_scrub(connection)
            return gone

        return self._database.write(purge)

    def scrub(self) -> None:
        """See Inbox.scrub. Records and inbox share a file: asked of one, it is done for both."""
        self._database.scrub()

    def next_due(self) -> float | None:
        """See Inbox.next_due."""
        due: float | None = self._database.read(
            lambda connection: connection.execute(self._sql["next_due"]).fetchone()[0]
        )
        return due

    def counts(self) -> InboxCounts:
        """See Inbox.counts. Reads indices of what waits, is dead or quarantined; never what is done."""

        def count(connection: sqlite3.Connection) -> InboxCounts:
            pending, oldest = connection.execute(self._sql["count_pending"]).fetchone()
            dead = connection.execute(self._sql["count_dead"]).fetchone()[0]
            kept, size = connection.execute(self._sql["count_quarantine"]).fetchone()
            return InboxCounts(pending, dead, kept, size, oldest)

        return self._database.snapshot(count)

    def quarantine(self, item: Quarantined, max_count: int, max_bytes: int) -> bool:
        """See Inbox.quarantine."""

        def keep(connection: sqlite3.Connection) -> bool:
            if connection.execute(self._sql["is_quarantined"], (item.id,)).fetchone()[0]:
                return True
            count, size = connection.execute(self._sql["count_quarantine"]).fetchone()
            if count + 1 > max_count or size + len(item.body) > max_bytes:
                return False
            signature = codec.storable(item.signature)
            row = (item.id, item.platform, signature, item.received_at, len(item.body), item.body)
            connection.execute(self._sql["quarantine"], row)
            return True

        return self._database.write(keep)

    def quarantined(self) -> Iterator[Quarantined]:
        """See Inbox.quarantined. Each is read when it is asked for."""
        ids = self._database.read(
            lambda connection: connection.execute(self._sql["quarantine_ids"]).fetchall()
        )
        for which in ids:
            row = self._one("quarantined", *which)
            if row is not None:
                yield codec.quarantined_of(row)

    def release(self, item_id: str) -> None:
        """See Inbox.release."""
        self._database.write(
            lambda connection: connection.execute(self._sql["release"], (item_id,)).rowcount
        )

    def ping(self) -> None:
        """See Inbox.ping."""
        self._database.ping()

    def _one(self, name: str, *parameters: object) -> codec.Row | None:
        row: codec.Row | None = self._database.read(
            lambda connection: connection.execute(self._sql[name], parameters).fetchone()
        )
        return row

    def _submit(self, connection: sqlite3.Connection, delivery: NewDelivery) -> Accepted:
        envelope = _envelope(delivery)
        key = (delivery.tenant, delivery.dedupe_key)
        times = (delivery.received_at, delivery.received_at)
        row = connection.execute(
            self._sql["submit"],
            (delivery.tenant, delivery.platform, delivery.dedupe_key, *envelope, *times, len(delivery.body)),
        ).fetchone()
        if row is None:
            known = connection.execute(self._sql["known"], key).fetchone()
            return Accepted(str(known[0]), duplicate=True)
        connection.execute(self._sql["put_body"], (row[0], delivery.body))
        return Accepted(str(row[0]), duplicate=False)

    def _reopen(self, connection: sqlite3.Connection, delivery: NewDelivery) -> Accepted:
        key = (delivery.tenant, delivery.dedupe_key)
        known = connection.execute(self._sql["known"], key).fetchone()
        if known is None:
            return self._submit(connection, delivery)
        which, is_leased = known
        if not is_leased:
            times = (delivery.received_at, delivery.received_at)
            row = (delivery.platform, *_envelope(delivery), *times, len(delivery.body), which)
            connection.execute(self._sql["reopen"], row)
            connection.execute(self._sql["put_body"], (which, delivery.body))
        return Accepted(str(which), duplicate=bool(is_leased))

    def _held(
        self, connection: sqlite3.Connection, name: str, delivery: Delivery, *values: object
    ) -> None:
        """Change a delivery whose lease the worker still has. Raises LeaseLost."""
        parameters = (*values, codec.row_id(delivery.id), delivery.lease)
        if connection.execute(self._sql[name], parameters).rowcount == 0:
            raise LeaseLost(delivery=delivery.id)

    def _deliveries_with(
        self, tenant: str, conversations: set[str], wanted: Sequence[bytes]
    ) -> Iterator[tuple[int, str | None]]:
        """Kept deliveries of these conversations, or whose body holds what is wanted; with their conversations."""
        kept = self._database.read(
            lambda connection: connection.execute(self._sql["kept_bodies"], (tenant,)).fetchall()
        )
        for which, conversation_id in kept:
            if conversation_id in conversations:
                yield which, conversation_id
                continue
            row = self._one("body", which)
            if row is not None and _holds(row[0], wanted):
                yield which, conversation_id


def _envelope(delivery: NewDelivery) -> tuple[object, ...]:
    envelope = delivery.envelope
    return (
        codec.storable(envelope.type),
        codec.storable(envelope.conversation_id),
        codec.storable_integer(envelope.event_timestamp),
    )


def _wanted(conversations: Iterable[str], needles: Iterable[str]) -> tuple[bytes, ...]:
    """The byte strings by which a body is known."""
    texts = {needle for needle in needles if needle}
    for conversation in conversations:
        texts |= {json.dumps(conversation), json.dumps(conversation, ensure_ascii=False)}
    return tuple(text.encode("utf-8", "replace") for text in texts)


def _holds(body: bytes, wanted: Sequence[bytes]) -> bool:
    return any(needle in body for needle in wanted)
