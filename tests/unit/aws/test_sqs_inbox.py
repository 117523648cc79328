"""The inbox on AWS: accepted means body and pointer, done means once, dead means with its cause."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError
from hypothesis import given
from hypothesis import strategies as st

from agentic_memory.backends.sqs.inbox import SqsInbox
from agentic_memory.backends.sqs.pointer import message_of, pointer_of, pointer_to
from agentic_memory.domain.delivery import Envelope, NewDelivery, Quarantined
from agentic_memory.errors import LeaseLost, StorageUnavailable
from tests.contract.samples import TENANT, delivery, refused
from tests.unit.aws.cloud import BUCKET, Failing, OneAtATime, make_queues
from tests.unit.aws.cloud import refused as answered

Event = dict[str, list[dict[str, Any]]]
BODY = b'{"conversation_id": "conv_1", "name": "one"}'
KEY = f"inbox/post_call_transcription/conv_1-{hashlib.sha256(BODY).hexdigest()[:12]}.json"


class World:
    """Queues, bucket and what Lambda does with them."""

    def __init__(self, s3: OneAtATime) -> None:
        self.s3 = s3
        self.sqs, self.url, self.dead_url = make_queues()
        self.inbox = self.open()

    def open(self, sqs: Any = None, s3: Any = None) -> SqsInbox:
        inbox = SqsInbox(self.url, BUCKET, sqs or self.sqs, s3 or self.s3)
        inbox.wait = 0
        return inbox

    def event(self, url: str = "") -> Event:
        """What Lambda hands over: the messages that can be seen now."""
        answer = self.sqs.receive_message(
            QueueUrl=url or self.url, MaxNumberOfMessages=10, MessageSystemAttributeNames=["All"]
        )
        return {
            "Records": [
                {
                    "messageId": m["MessageId"],
                    "receiptHandle": m["ReceiptHandle"],
                    "body": m["Body"],
                    "attributes": m["Attributes"],
                }
                for m in answer.get("Messages", ())
            ]
        }

    def finish(self, event: Event) -> list[str]:
        """Delete what did not fail, as Lambda does; return what failed."""
        failed = [f["itemIdentifier"] for f in self.inbox.failures(event)["batchItemFailures"]]
        for record in event["Records"]:
            if record["messageId"] not in failed:
                self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=record["receiptHandle"])
        return failed

    def work(self, outcome: Callable[[SqsInbox, Any], None], now: float | None = None) -> list[str]:
        event = self.event()
        for found in self.inbox.deliveries(event, now):
            outcome(self.inbox, found)
        return self.finish(event)

    def keys(self, prefix: str = "") -> list[str]:
        page = self.s3.list_object_versions(Bucket=BUCKET, Prefix=prefix)
        return [v["Key"] for v in (*page.get("Versions", ()), *page.get("DeleteMarkers", ()))]


@pytest.fixture
def world(s3: OneAtATime) -> World:
    return World(s3)


def done(inbox: SqsInbox, found: Any) -> None:
    inbox.done(found)


def buried(inbox: SqsInbox, found: Any) -> None:
    inbox.bury(found, 99.0, "MalformedPayload", "not JSON")


def test_accepted_means_body_and_pointer(world: World) -> None:
    accepted = world.inbox.submit(delivery(body=BODY)).result(0)
    assert (accepted.id, accepted.duplicate) == (KEY, False)
    assert world.s3.get_object(Bucket=BUCKET, Key=KEY)["Body"].read() == BODY
    (record,) = world.event()["Records"]
    assert record["attributes"]["MessageGroupId"] == TENANT
    assert json.loads(record["body"])["key"] == KEY
    assert "name" not in record["body"]


def test_the_pointer_is_sent_also_when_the_body_was_there(world: World) -> None:
    lost = Failing(world.sqs, "send_message", EndpointConnectionError(endpoint_url="https://sqs"))
    with pytest.raises(StorageUnavailable):
        world.open(sqs=lost).submit(delivery()).result(0)
    assert world.keys("inbox/") == [KEY]
    assert world.event() == {"Records": []}
    assert world.inbox.submit(delivery()).result(0).duplicate
    assert len(world.event()["Records"]) == 1


@pytest.mark.parametrize("error", [answered("SlowDown"), EndpointConnectionError(endpoint_url="https://s3")])
def test_without_a_body_there_is_no_pointer(world: World, error: Exception) -> None:
    with pytest.raises(StorageUnavailable) as raised:
        world.open(s3=Failing(world.s3, "put_object", error)).submit(delivery()).result(0)
    assert raised.value.retryable
    assert world.event() == {"Records": []}


def test_a_delivery_comes_as_it_was_accepted(world: World) -> None:
    given = delivery(tenant="other", at=12.5)
    world.inbox.submit(given).result(0)
    event = world.event()
    (found,) = world.inbox.deliveries(event)
    assert (found.body, found.tenant, found.platform) == (given.body, "other", "elevenlabs")
    assert (found.received_at, found.envelope, found.attempts) == (12.5, given.envelope, 1)
    assert world.finish(event) == [found.id]


def test_what_is_done_goes_and_stays_done(world: World) -> None:
    world.inbox.submit(delivery()).result(0)
    assert world.work(done) == []
    assert world.keys("inbox/") == []
    assert world.inbox.counts().pending == 0
    world.inbox.submit(delivery()).result(0)
    world.inbox.submit(delivery(body=b"the same event in other bytes")).result(0)
    event = world.event()
    assert len(event["Records"]) == 2
    assert world.inbox.deliveries(event) == []
    assert world.finish(event) == []
    assert world.keys("inbox/") == []
    assert world.inbox.counts().pending == 0


def test_without_its_mark_nothing_is_done(world: World) -> None:
    world.inbox.submit(delivery()).result(0)
    world.inbox = world.open(s3=Failing(world.s3, "put_object", answered("SlowDown")))
    event = world.event()
    (found,) = world.inbox.deliveries(event)
    with pytest.raises(StorageUnavailable):
        world.inbox.done(found)
    assert world.keys("inbox/") == [KEY]
    assert world.finish(event) == [found.id]


def test_another_tenants_event_of_the_same_name_is_another(world: World) -> None:
    world.inbox.submit(delivery(tenant="a")).result(0)
    world.work(done)
    world.inbox.submit(delivery(tenant="b")).result(0)
    assert [d.tenant for d in world.inbox.deliveries(world.event())] == ["b"]


def test_what_is_reopened_is_processed_though_it_was_done(world: World) -> None:
    world.inbox.submit(delivery()).result(0)
    world.work(done)
    world.inbox.reopen(delivery())
    event = world.event()
    (found,) = world.inbox.deliveries(event)
    world.inbox.done(found)
    assert world.finish(event) == []


def test_two_pointers_to_one_body_in_one_batch(world: World) -> None:
    world.inbox.submit(delivery()).result(0)
    world.inbox.submit(delivery()).result(0)
    event = world.event()
    first, second = world.inbox.deliveries(event)
    world.inbox.done(first)
    world.inbox.done(second)
    assert world.finish(event) == []


def test_only_what_is_not_done_comes_again(world: World) -> None:
    for name in ("one", "two", "three"):
        world.inbox.submit(delivery(name)).result(0)
    event = world.event()
    one, two, _three = world.inbox.deliveries(event, 100.0)
    world.inbox.done(one)
    world.inbox.retry(two, 100.0, "StorageUnavailable", "gone")
    assert set(world.finish(event)) == {r["messageId"] for r in event["Records"]} - {one.id}
    again = world.inbox.deliveries(world.event())
    assert [(d.body, d.attempts) for d in again] == [(two.body, 2)]


def test_a_retry_waits_as_long_as_it_is_told(world: World) -> None:
    asked: list[int] = []

    class Noting:
        exceptions = world.sqs.exceptions

        def __getattr__(self, name: str) -> Any:
            if name == "change_message_visibility":
                return lambda **request: asked.append(request["VisibilityTimeout"])
            return getattr(world.sqs, name)

    world.inbox.submit(delivery()).result(0)
    event, inbox = world.event(), world.open(sqs=Noting())
    for at in (130.4, 90.0, 1e9):
        (found,) = inbox.deliveries(event, 100.0)
        inbox.retry(found, at, "E", "e")
    (found,) = inbox.deliveries(event)
    inbox.retry(found, 500.0, "E", "e")
    assert asked == [30, 0, 43_200]


def test_a_message_that_is_none_of_ours_fails_and_stops_nobody(world: World) -> None:
    outside = message_of(replace(pointer_to(delivery("two")), key="post-call/x"))
    for body in ("", "hello", "[]", '{"key": 1}', outside):
        world.sqs.send_message(QueueUrl=world.url, MessageBody=body or " ")
    world.inbox.submit(delivery()).result(0)
    event = world.event()
    (found,) = world.inbox.deliveries(event)
    world.inbox.done(found)
    assert len(world.finish(event)) == 5


def test_a_body_that_cannot_be_read_fails_the_whole_batch(world: World) -> None:
    world.inbox.submit(delivery()).result(0)
    inbox = world.open(s3=Failing(world.s3, "get_object", answered("SlowDown")))
    event = world.event()
    with pytest.raises(StorageUnavailable):
        inbox.deliveries(event)
    assert len(inbox.failures(event)["batchItemFailures"]) == 1


def test_a_lease_is_lost_with_its_batch(world: World) -> None:
    world.inbox.submit(delivery()).result(0)
    event = world.event()
    (found,) = world.inbox.deliveries(event)
    world.inbox.check_held(found)
    world.finish(event)
    for use in (done, buried, lambda i, d: i.retry(d, 1.0, "E", "e"), lambda i, d: i.check_held(d)):
        with pytest.raises(LeaseLost):
            use(world.inbox, found)


def test_what_was_purged_is_held_no_more(world: World) -> None:
    world.inbox.submit(delivery()).result(0)
    event = world.event()
    (found,) = world.inbox.deliveries(event)
    world.inbox.purge(TENANT, ["conv_1"], [])
    with pytest.raises(LeaseLost):
        world.inbox.check_held(found)
    assert world.finish(event) == []


def test_of_two_messages_at_work_at_once_the_later_does_not_come_again(world: World) -> None:
    for _ in range(2):
        world.inbox.submit(delivery()).result(0)
    event, twin = world.event(), world.open()
    first, second = world.inbox.deliveries(event)
    (theirs,) = twin.deliveries({"Records": [event["Records"][0]]})
    assert theirs.id == first.id
    twin.done(theirs)
    with pytest.raises(LeaseLost):
        world.inbox.check_held(second)
    assert second.id not in world.finish(event)


def test_a_message_that_came_again_has_a_lease_of_its_own(world: World) -> None:
    world.inbox.submit(delivery()).result(0)
    event = world.event()
    (first,) = world.inbox.deliveries(event)
    (record,) = event["Records"]
    (second,) = world.inbox.deliveries({"Records": [{**record, "receiptHandle": "another"}]})
    with pytest.raises(LeaseLost):
        world.inbox.done(first)
    world.inbox.done(second)
    assert world.finish(event) == []


def test_the_buried_lie_with_their_cause(world: World) -> None:
    world.inbox.submit(delivery("late", at=20.0)).result(0)
    world.inbox.submit(delivery("early", at=10.0)).result(0)
    assert world.work(buried) == []
    assert world.inbox.counts().pending == 0
    assert world.inbox.counts().dead == 2
    for _ in range(2):
        early, late = world.inbox.dead_letters().letters
        assert (early.received_at, late.received_at) == (10.0, 20.0)
        assert (early.error_code, early.error, early.buried_at) == ("MalformedPayload", "not JSON", 99.0)
        assert (early.attempts, early.size) == (1, len(delivery("early").body))
        assert early.envelope == delivery().envelope
    assert len(world.inbox.dead_letters(limit=1).letters) == 1
    assert len(world.keys("inbox/")) == 2


def test_what_comes_too_often_is_buried_by_sqs(world: World) -> None:
    world.inbox.submit(delivery()).result(0)
    for _ in range(4):
        world.work(lambda inbox, found: inbox.retry(found, 0.0, "E", "e"), now=0.0)
    (letter,) = world.inbox.dead_letters().letters
    assert letter.error_code == "ReceivedTooOften"
    assert letter.attempts >= 3


def test_the_dead_come_back_one_or_all(world: World) -> None:
    for name in ("one", "two", "three"):
        world.inbox.submit(delivery(name)).result(0)
    world.work(buried)
    chosen = world.inbox.dead_letters().letters[0]
    assert world.inbox.revive(["never"], 1.0) == 0
    assert world.inbox.revive([chosen.id], 1.0) == 1
    assert world.inbox.counts().dead == 2
    assert world.work(done) == []
    assert world.inbox.revive(None, 1.0) == 2
    assert world.inbox.counts().dead == 0
    event = world.event()
    assert [d.attempts for d in world.inbox.deliveries(event)] == [1, 1]
    assert all('"error_code": ""' in record["body"] for record in event["Records"])


def test_without_a_dead_letter_queue_a_buried_one_comes_again(world: World) -> None:
    url = world.sqs.create_queue(QueueName="alone")["QueueUrl"]
    inbox = SqsInbox(url, BUCKET, world.sqs, world.s3)
    inbox.submit(delivery()).result(0)
    event = world.event(url)
    (found,) = inbox.deliveries(event)
    buried(inbox, found)
    assert len(inbox.failures(event)["batchItemFailures"]) == 1
    assert inbox.dead_letters().letters == ()
    assert inbox.revive(None, 1.0) == 0
    assert inbox.counts().dead == 0


def test_purging_leaves_no_body_of_theirs_and_all_of_the_others(world: World) -> None:
    bodies = {
        "named": delivery("named", body=b"{}", conversation_id="conv_1"),
        "inside": delivery("inside", body=b'[{"conversation_id":"conv_1"}]', conversation_id=None),
        "needle": delivery("needle", body=b'{"user_id": "+15550100001"}', conversation_id="conv_9"),
        "longer": delivery("longer", body=b"{ }", conversation_id="conv_1-b"),
        "other": delivery("other", body=b"{}", conversation_id="conv_2"),
        "theirs": delivery("theirs", tenant="other", body=b"{  }", conversation_id="conv_1"),
    }
    for one in bodies.values():
        world.inbox.submit(one).result(0)
    world.inbox.quarantine(refused(b'{"user_id": "+15550100001"}'), 10, 10_000)
    world.inbox.quarantine(refused(b"somebody else"), 10, 10_000)
    assert world.inbox.purge(TENANT, ["conv_1", ""], ['"user_id": "+15550100001"', ""]) == 4
    left = {d.conversation_id for d in (r.envelope for r in world.inbox.deliveries(world.event()))}
    assert left == {"conv_1-b", "conv_2", "conv_1"}
    assert len(world.keys("inbox/")) == 3
    assert [q.body for q in world.inbox.quarantined()] == [b"somebody else"]
    assert len(world.keys("quarantine/")) == 1


def test_a_pointer_to_a_purged_body_is_settled(world: World) -> None:
    world.inbox.submit(delivery()).result(0)
    world.inbox.purge(TENANT, ["conv_1"], [])
    event = world.event()
    assert world.inbox.deliveries(event) == []
    assert world.finish(event) == []


def test_quarantine_is_bounded_and_evicts_nothing(world: World) -> None:
    one, two, three = (refused(name * 50, at=n) for n, name in enumerate((b"1", b"2", b"3")))
    assert world.inbox.quarantine(one, 2, 1000)
    assert world.inbox.quarantine(two, 2, 1000)
    assert not world.inbox.quarantine(three, 2, 1000)
    assert world.inbox.quarantine(one, 2, 1000)
    assert not world.inbox.quarantine(three, 5, 400)
    assert not world.inbox.quarantine(three, 0, 1000)
    assert {q.id for q in world.inbox.quarantined()} == {one.id, two.id}
    assert one in list(world.inbox.quarantined())
    counts = world.inbox.counts()
    assert counts.quarantined == 2
    assert counts.quarantined_bytes >= 100
    world.inbox.release(one.id)
    world.inbox.release(one.id)
    assert [q.id for q in world.inbox.quarantined()] == [two.id]
    assert world.keys("quarantine/") == [f"quarantine/{two.id}"]


def test_an_odd_signature_is_kept(world: World) -> None:
    odd = Quarantined("id", "elevenlabs", b"\xff\x00", "t=\ud800é", 1.5)
    assert world.inbox.quarantine(odd, 10, 1000)
    (kept,) = world.inbox.quarantined()
    assert kept == replace(odd, signature="t=\\ud800\\xe9")


def test_what_lambda_does_by_itself_is_not_here(world: World) -> None:
    with pytest.raises(NotImplementedError, match="deliveries"):
        world.inbox.claim(1, 1.0, 1.0)
    with pytest.raises(NotImplementedError):
        world.inbox.next_due()
    assert world.inbox.recover(1.0) == 0


def test_ping_tells_what_cannot_be_reached(world: World) -> None:
    world.inbox.ping()
    assert world.keys() == []
    with pytest.raises(StorageUnavailable, match="S3"):
        SqsInbox(world.url, "nowhere-bucket", world.sqs, world.s3).ping()
    with pytest.raises(StorageUnavailable, match="SQS"):
        SqsInbox(world.url + "-none", BUCKET, world.sqs, world.s3).ping()


@given(
    kind=st.none() | st.text(st.characters()),
    conversation_id=st.none() | st.text(st.characters(), max_size=400),
    timestamp=st.none() | st.integers(),
    body=st.binary(),
)
def test_any_envelope_makes_a_pointer_that_is_read_back(
    kind: str | None, conversation_id: str | None, timestamp: int | None, body: bytes
) -> None:
    envelope = Envelope(kind, conversation_id, timestamp)
    pointer = pointer_to(NewDelivery(TENANT, "elevenlabs", "d", body, 1.5, envelope))
    message = message_of(pointer)
    assert message.isascii()
    assert message.isprintable()
    assert pointer_of(message) == pointer
    assert len(pointer.key.encode()) < 500
    assert pointer.key.count("/") == 2


@given(st.text(st.characters()) | st.none() | st.integers() | st.binary())
def test_any_message_is_a_pointer_or_none(message: object) -> None:
    assert pointer_of(message) is None or isinstance(message, str)
