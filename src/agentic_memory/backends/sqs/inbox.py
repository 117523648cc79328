"""The inbox on AWS: bodies in S3, pointers in SQS, a Lambda function that is handed batches of them."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Any, NoReturn

import msgspec

from agentic_memory.backends.sqs.bucket import Bucket
from agentic_memory.backends.sqs.failures import connect
from agentic_memory.backends.sqs.pointer import (
    INBOX,
    QUARANTINE,
    RINGS_GROUP,
    Pointer,
    conversation_of,
    conversation_part,
    dead_letter,
    dead_ring,
    message_of,
    pointer_of,
    pointer_to,
    ring_letter,
)
from agentic_memory.backends.sqs.queue import Message, Queue
from agentic_memory.domain.delivery import (
    Accepted,
    DeadLetter,
    DeadLetterPage,
    Delivery,
    InboxCounts,
    NewDelivery,
    Quarantined,
)
from agentic_memory.errors import AgenticMemoryError, LeaseLost

HOLD = 120
"""Seconds for which dead letters are held while they are listed or revived."""
LONGEST_DELAY = 43_200
"""Seconds: SQS hides no message for longer."""


@dataclass(frozen=True, slots=True)
class _Held:
    """A message of the batch that is being worked on."""

    pointer: Pointer
    receipt: str


@dataclass(frozen=True, slots=True)
class _About:
    """What is to be purged."""

    parts: frozenset[str]
    """Conversations as they stand in keys."""
    wanted: tuple[bytes, ...]
    """What a body must not contain."""

    @classmethod
    def of(cls, conversation_ids: Iterable[str], needles: Iterable[str]) -> "_About":
        conversations = {c for c in conversation_ids if c}
        texts = {needle for needle in needles if needle}
        for conversation_id in conversations:
            texts |= {json.dumps(conversation_id), json.dumps(conversation_id, ensure_ascii=False)}
        wanted = tuple(text.encode("utf-8", "replace") for text in texts)
        return cls(frozenset(map(conversation_part, conversations)), wanted)

    def means(self, key: str, body: bytes, notes: Mapping[str, str], owner: str | None) -> bool:
        """Whether a body is about them, and the owner's where that matters."""
        if owner is not None and notes.get("tenant", owner) != owner:
            return False
        return self.names(key) or self.holds(body)

    def names(self, key: str) -> bool:
        """Whether a body's key names one of the conversations."""
        return conversation_of(key) in self.parts

    def holds(self, *bodies: bytes) -> bool:
        """Whether one of the bodies contains what none must."""
        return any(text in body for text in self.wanted for body in bodies)


class SqsInbox:
    """An Inbox over an SQS queue, for a function that Lambda hands the queue's messages.

    *Accepting.* `submit` puts the body under `inbox/` on condition that it is not there, and then always
    sends a pointer to it, because an earlier attempt may have failed between the two. Done on return.

    *Working.* `deliveries(event)` takes the place of `claim`; `done`, `retry` and `bury` are those of the
    port; `failures(event)` is what the function answers, so that only what is not done comes again. Lambda
    is to report batch item failures, and a message is to be received no fewer times than the worker makes
    attempts, so that whoever buries knows the cause. What is buried goes to the dead-letter queue that
    the queue's redrive policy names.

    *Twice.* SQS may deliver twice, and senders do. An event that is done leaves a mark under `done/` by
    its tenant and dedupe key; a message for it is settled unread, whatever body it points to. Two that
    are worked on at the same moment are both processed, which changes nothing.

    *Not here.* `claim` and `next_due` raise NotImplementedError: Lambda claims. `recover` is 0: leases run
    out by themselves. Listing dead letters holds them for a moment, and knows no pages.
    """

    def __init__(
        self, queue_url: str, bucket: str, sqs: Any | None = None, s3: Any | None = None
    ) -> None:
        """`sqs`, `s3`: botocore's clients; without them, the environment names region and keys."""
        self._sqs = connect("sqs") if sqs is None else sqs
        self._queue = Queue(queue_url, self._sqs)
        self._bucket = Bucket(bucket, connect("s3") if s3 is None else s3)
        self._held: dict[str, _Held] = {}
        self._settled: set[str] = set()
        self._dead_queue: Queue | None = None
        self._now: float | None = None
        self.wait = 1
        """Seconds to wait for one more dead letter: some servers of SQS know of it later than others."""

    def submit(self, delivery: NewDelivery) -> "Future[Accepted]":
        """See Inbox.submit. The id is the body's key; `duplicate` where the same body lay there already.

        Works in the calling thread: a function answers one request at a time.
        """
        future: Future[Accepted] = Future()
        try:
            future.set_result(self._hand_in(delivery, again=False))
        except AgenticMemoryError as error:
            future.set_exception(error)
        return future

    def reopen(self, delivery: NewDelivery) -> Accepted:
        """See Inbox.reopen."""
        return self._hand_in(delivery, again=True)

    def deliveries(self, event: Mapping[str, Any], now: float | None = None) -> list[Delivery]:
        """The deliveries in an event of the queue, or of one of its records; with `now`, `retry` can wait.

        Left out, and settled: what was done before. Left out, and to come again until SQS buries it:
        messages that are none of ours. Raises StorageUnavailable when bodies cannot be read: then all of
        the event is to come again.
        """
        self._now = now
        found = (self._delivery(record) for record in event.get("Records", ()))
        return [delivery for delivery in found if delivery is not None]

    def failures(self, event: Mapping[str, Any]) -> dict[str, list[dict[str, str]]]:
        """What the function answers for this event: the messages that are to come again."""
        ids = [str(record["messageId"]) for record in event.get("Records", ())]
        failed = [{"itemIdentifier": i} for i in ids if i not in self._settled]
        for message_id in ids:
            self._settled.discard(message_id)
            self._held.pop(message_id, None)
        return {"batchItemFailures": failed}

    def claim(self, limit: int, now: float, lease_seconds: float) -> NoReturn:
        """Not here: Lambda claims. Raises NotImplementedError."""
        raise NotImplementedError("Lambda hands over the queue's messages: use deliveries(event)")

    def recover(self, now: float) -> int:
        """See Inbox.recover. SQS shows a dead worker's messages again when their time is up."""
        return 0

    def next_due(self) -> NoReturn:
        """Not here: SQS does not say. Raises NotImplementedError."""
        raise NotImplementedError("SQS does not say when the next message is due")

    def renew(self, delivery: Delivery, until: float) -> None:
        """See Inbox.renew. The queue's visibility timeout is as long as a worker may live: nothing to do."""
        self._lease(delivery)

    def check_held(self, delivery: Delivery) -> None:
        """See Inbox.check_held. The body of what was purged is gone, and of what a twin message has done meanwhile.

        Either way nothing is left to do for this message: it need not come again.
        """
        if not self._bucket.has(self._lease(delivery).pointer.key):
            self._settle(delivery.id)
            raise LeaseLost(delivery=delivery.id)

    def done(self, delivery: Delivery) -> None:
        """See Inbox.done. The mark goes first: without it the body is needed again."""
        pointer = self._lease(delivery).pointer
        self._bucket.put_new(pointer.done_key, b"")
        self._bucket.delete(pointer.key)
        self._settle(delivery.id)

    def retry(self, delivery: Delivery, at: float, code: str, error: str) -> None:
        """See Inbox.retry. Without the `now` of `deliveries`, the queue's own time decides, not `at`."""
        held = self._lease(delivery)
        if self._now is not None:
            self._queue.show_in(held.receipt, max(0, min(LONGEST_DELAY, round(at - self._now))))
        del self._held[delivery.id]

    def bury(self, delivery: Delivery, now: float, code: str, error: str) -> None:
        """See Inbox.bury. Without a dead-letter queue it comes again, as SQS would have it."""
        pointer = self._lease(delivery).pointer
        dead = self._dead()
        if dead is not None:
            buried = replace(
                pointer, buried_at=now, error_code=code, error=error, attempts=delivery.attempts
            )
            dead.send(message_of(buried), pointer.tenant)
            self._settle(delivery.id)

    def dead_letters(self, *, limit: int = 50, cursor: str | None = None) -> DeadLetterPage:
        """See Inbox.dead_letters. The oldest of what SQS hands out; no page follows.

        They are given back at once; whoever asks meanwhile may miss some.
        """
        dead = self._dead()
        if dead is None:
            return DeadLetterPage(())
        held = list(dead.received(HOLD, self.wait))
        self._give_back(dead, held)
        letters = [letter for message in held if (letter := _letter(message)) is not None]
        letters.sort(key=lambda letter: letter.received_at)
        return DeadLetterPage(tuple(letters[:limit]))

    def revive(self, ids: Sequence[str] | None, now: float) -> int:
        """See Inbox.revive. Each is sent before it is deleted: cut short, it comes twice, never not at all."""
        dead, count = self._dead(), 0
        if dead is None:
            return 0
        left: list[Message] = []
        for message in dead.received(HOLD, self.wait):
            fresh = _fresh(message.body)
            if fresh is None or (ids is not None and message.id not in ids):
                left.append(message)
                continue
            self._queue.send(*fresh)
            dead.delete(message.receipt)
            count += 1
        self._give_back(dead, left)
        return count

    def conversations_naming(self, tenant: str, needles: Iterable[str]) -> Collection[str]:
        """See Inbox.conversations_naming. None: keys do not tell them."""
        return ()

    def purge(
        self,
        tenant: str,
        conversation_ids: Iterable[str],
        needles: Iterable[str],
        *,
        dry_run: bool = False,
    ) -> int:
        """See Inbox.purge. A pointer to a body that is gone is settled when it comes; if dead, it goes.

        Reads every body that waits or is dead: there are few, because what is done is deleted. A ring
        that waits in the queue itself is out of reach: `counts` tells whether anything waits.
        """
        about = _About.of(conversation_ids, needles)
        keys = {
            listed.key
            for prefix, owner in ((INBOX, _ascii(tenant)), (QUARANTINE, None))
            for listed in self._bucket.listed(prefix)
            if (found := self._bucket.get(listed.key)) is not None
            and about.means(listed.key, *found, owner)
        }
        for key in () if dry_run else sorted(keys):
            self._bucket.delete(key)
        return len(keys) + self._purge_dead(tenant, about, keys, dry_run)

    def scrub(self) -> None:
        """See Inbox.scrub. Every version of a body went with it."""

    def counts(self) -> InboxCounts:
        """See Inbox.counts. What SQS says is approximate, and it does not say how old the oldest is."""
        dead = self._dead()
        kept = [listed.size for listed in self._bucket.listed(QUARANTINE)]
        return InboxCounts(
            pending=self._queue.size(),
            dead=dead.size() if dead is not None else 0,
            quarantined=len(kept),
            quarantined_bytes=sum(kept),
        )

    def quarantine(self, item: Quarantined, max_count: int, max_bytes: int) -> bool:
        """See Inbox.quarantine. Counted before it is put: what comes at one moment may exceed the bounds.

        By no more than there are functions that accept at that moment.
        """
        key = QUARANTINE + item.id
        content = msgspec.msgpack.encode(replace(item, signature=_ascii(item.signature)))
        count = size = 0
        for listed in self._bucket.listed(QUARANTINE):
            count, size = count + 1, size + listed.size
            if count >= max_count or size + len(content) > max_bytes:
                return self._bucket.has(key)
        if max_count < 1 or len(content) > max_bytes:
            return False
        self._bucket.put_new(key, content)
        return True

    def quarantined(self) -> Iterator[Quarantined]:
        """See Inbox.quarantined. In the order in which S3 took them in."""
        listed = sorted(self._bucket.listed(QUARANTINE), key=lambda o: (o.put_at, o.key))
        for one in listed:
            found = self._bucket.get(one.key)
            if found is not None:
                yield msgspec.msgpack.decode(found[0], type=Quarantined)

    def release(self, item_id: str) -> None:
        """See Inbox.release."""
        self._bucket.delete(QUARANTINE + item_id)

    def ping(self) -> None:
        """See Inbox.ping. Asks queue and bucket whether they are there, and writes to neither."""
        self._queue.check()
        self._bucket.check()

    def _purge_dead(self, tenant: str, about: _About, keys: Set[str], dry_run: bool) -> int:
        """Delete dead letters about them; how many held a body of their own: rings do."""
        dead, count = self._dead(), 0
        left: list[Message] = []
        for message in dead.received(HOLD, self.wait) if dead is not None else ():
            ring, pointer = ring_letter(message.body), pointer_of(message.body)
            is_ring = ring is not None and about.holds(ring.received, ring.response)
            count += is_ring
            is_theirs = pointer is not None and (
                pointer.key in keys or (pointer.tenant == tenant and about.names(pointer.key))
            )
            if dead is not None and not dry_run and (is_ring or is_theirs):
                dead.delete(message.receipt)
            else:
                left.append(message)
        if dead is not None:
            self._give_back(dead, left)
        return count

    def _hand_in(self, delivery: NewDelivery, *, again: bool) -> Accepted:
        pointer = pointer_to(delivery, again=again)
        notes = {"tenant": _ascii(delivery.tenant)}
        stored = self._bucket.put_new(pointer.key, delivery.body, notes)
        self._queue.send(message_of(pointer), delivery.tenant)
        return Accepted(pointer.key, duplicate=not stored)

    def _delivery(self, record: Mapping[str, Any]) -> Delivery | None:
        """The delivery of one record; None where there is nothing to do, or nothing that can be done."""
        message_id, receipt = str(record["messageId"]), str(record["receiptHandle"])
        pointer = pointer_of(record.get("body"))
        if pointer is None:
            return None
        found = self._bucket.get(pointer.key)
        if found is None or (not pointer.again and self._bucket.has(pointer.done_key)):
            self._bucket.delete(pointer.key)
            self._settle(message_id)
            return None
        self._held[message_id] = _Held(pointer, receipt)
        attributes = record.get("attributes") or {}
        return Delivery(
            id=message_id,
            tenant=pointer.tenant,
            platform=pointer.platform,
            body=found[0],
            received_at=pointer.received_at,
            envelope=pointer.envelope,
            attempts=int(attributes.get("ApproximateReceiveCount", 1)),
            lease=receipt,
        )

    def _lease(self, delivery: Delivery) -> _Held:
        held = self._held.get(delivery.id)
        if held is None or held.receipt != delivery.lease:
            raise LeaseLost(delivery=delivery.id)
        return held

    def _settle(self, message_id: str) -> None:
        self._held.pop(message_id, None)
        self._settled.add(message_id)

    def _dead(self) -> Queue | None:
        if self._dead_queue is None:
            self._dead_queue = self._queue.dead_letters()
        return self._dead_queue

    def _give_back(self, queue: Queue, messages: Iterable[Message]) -> None:
        """Let messages be seen again, once no more of them are received: they would come at once."""
        for message in messages:
            queue.show_in(message.receipt, 0)


def _fresh(body: str) -> tuple[str, str] | None:
    """A dead letter as it is sent again, and its group; None for what is none of ours."""
    pointer = pointer_of(body)
    if pointer is None:
        return (body, RINGS_GROUP) if ring_letter(body) is not None else None
    fresh = replace(pointer, buried_at=None, error_code="", error="", attempts=0)
    return message_of(fresh), pointer.tenant


def _letter(message: Message) -> DeadLetter | None:
    pointer = pointer_of(message.body)
    if pointer is None:
        ring = ring_letter(message.body)
        return dead_ring(ring, message.id, message.sent_at, message.receives) if ring else None
    return dead_letter(pointer, message.id, message.sent_at, message.receives)


def _ascii(text: str) -> str:
    """A text as a header takes it."""
    return text.encode("ascii", "backslashreplace").decode()
