"""A caller erased from the stack: every version in the bucket, dead letters, table; and by the archive alone."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from agentic_memory import bootstrap
from agentic_memory.backends.dynamodb.records import DynamoRecords
from agentic_memory.backends.in_memory.records import InMemoryRecords
from agentic_memory.backends.s3.archive import S3Archive
from agentic_memory.backends.sqs.inbox import SqsInbox
from agentic_memory.bootstrap import Services, Storage
from agentic_memory.bootstrap_aws import ForgetInStack, ReplayInStack, Work
from agentic_memory.interfaces.aws_lambda import ForgetDoor
from agentic_memory.platforms.elevenlabs.signature import sign
from agentic_memory.ports import RecordStore
from agentic_memory.service.file_ring import AnsweredRing, message_of
from agentic_memory.settings import read
from tests.fakes import FrozenClock
from tests.unit.aws.cloud import BUCKET, TABLE, OneAtATime, make_queues, make_table
from tests.wire import LUCIA, STEFAN, post_call

KEYS = {"ELEVENLABS_WORKSPACE_KEY": "wk_test", "ELEVENLABS_HMAC_KEY": "wsec_test", "EMBEDDER": "lexical"}


class Moment:
    """Something happens before the n-th request that is sent to bucket or table."""

    def __init__(self, n: int, meanwhile: Callable[[], object]) -> None:
        self.left = n
        self._meanwhile = meanwhile

    def watch(self, client: Any) -> Any:
        return Watched(client, self)

    def pass_by(self) -> None:
        self.left -= 1
        if self.left == 0:
            self._meanwhile()


class Watched:
    """A client whose requests are counted."""

    def __init__(self, client: Any, moment: Moment) -> None:
        self._client, self._moment = client, moment
        self.exceptions = client.exceptions

    def __getattr__(self, name: str) -> Any:
        operation = getattr(self._client, name)

        def counted(**request: object) -> Any:
            self._moment.pass_by()
            return operation(**request)

        return counted


def unwatched(client: Any) -> Any:
    return client


class Cloud:
    """Bucket, queues and a function of each kind over them, with or without a table."""

    def __init__(self, s3: OneAtATime, table: OneAtATime | None) -> None:
        self.s3, self.clock = s3, FrozenClock()
        self.sqs, self.url, self.dead_url = make_queues(receives=2)
        self._table = table

    def services(self, watch: Callable[[Any], Any] = unwatched) -> Services:
        """Those of one more instance."""
        inbox = SqsInbox(self.url, BUCKET, self.sqs, watch(self.s3))
        inbox.wait = 0
        storage = Storage(self._records(watch), inbox, S3Archive(BUCKET, watch(self.s3)))
        return bootstrap.build(read(KEYS), self.clock, storage)

    def _records(self, watch: Callable[[Any], Any]) -> RecordStore:
        return DynamoRecords(TABLE, watch(self._table)) if self._table else InMemoryRecords()

    def rows(self) -> list[str]:
        """Every item of the table."""
        found = self._table.scan(TableName=TABLE)["Items"] if self._table else []
        return [str(item) for item in found]

    def hang_up(self, body: bytes, key: str = "wsec_test") -> None:
        signature = sign(body, key, int(self.clock.now()))
        self.services().accept_call(body, signature).result(10)

    def ring(self, caller: str, call: str) -> None:
        told = json.dumps({"dynamic_variables": {"caller_id": caller}}).encode()
        asked = json.dumps({"caller_id": caller}).encode()
        message = message_of(AnsweredRing(caller, call, self.clock.now(), asked, told))
        self.sqs.send_message(QueueUrl=self.url, MessageBody=message)

    def work(self, watch: Callable[[Any], Any] = unwatched) -> list[bool]:
        """The worker takes what waits, as Lambda would hand it over."""
        services = self.services(watch)
        inbox = services.storage.inbox
        assert isinstance(inbox, SqsInbox)
        work, done = Work(services, inbox), []
        for record in self.event():
            done.append(work(record))
            message = {"QueueUrl": self.url, "ReceiptHandle": record["receiptHandle"]}
            if done[-1]:
                self.sqs.delete_message(**message)
            else:
                self.sqs.change_message_visibility(**message, VisibilityTimeout=0)
        return done

    def event(self) -> list[dict[str, Any]]:
        """What Lambda hands over now."""
        answer = self.sqs.receive_message(
            QueueUrl=self.url, MaxNumberOfMessages=10, MessageSystemAttributeNames=["All"]
        )
        return [
            {
                "messageId": m["MessageId"], "receiptHandle": m["ReceiptHandle"],
                "body": m["Body"], "attributes": m["Attributes"],
            }
            for m in answer.get("Messages", ())
        ]  # fmt: skip

    def versions(self) -> list[str]:
        found = self.s3.list_object_versions(Bucket=BUCKET)
        return [v["Key"] for v in (*found.get("Versions", ()), *found.get("DeleteMarkers", ()))]

    def bodies(self) -> list[bytes]:
        """Every version of every object."""
        found = self.s3.list_object_versions(Bucket=BUCKET).get("Versions", ())
        got = (self.s3.get_object(Bucket=BUCKET, Key=v["Key"], VersionId=v["VersionId"]) for v in found)
        return [g["Body"].read() for g in got]

    def dead(self) -> list[str]:
        answer = self.sqs.receive_message(QueueUrl=self.dead_url, MaxNumberOfMessages=10, VisibilityTimeout=0)
        return [m["Body"] for m in answer.get("Messages", ())]

    def forget(self, caller: str, **order: Any) -> Any:
        return ForgetDoor(lambda: ForgetInStack(self.services()))({"caller_id": caller, **order})


class InHand:
    """An inbox whose deliveries are in a worker's hands when something else happens."""

    def __init__(self, inbox: SqsInbox, meanwhile: Callable[[], object]) -> None:
        self._inbox = inbox
        self._meanwhile = meanwhile

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inbox, name)

    def deliveries(self, event: Any, now: float) -> Any:
        found = self._inbox.deliveries(event, now)
        self._meanwhile()
        return found


@pytest.fixture(params=["dynamodb", "none"])
def cloud(request: pytest.FixtureRequest, s3: OneAtATime) -> Iterator[Cloud]:
    """With the table; and without one, where each instance knows only what it saw itself, as with Mem0."""
    yield Cloud(s3, make_table() if request.param == "dynamodb" else None)


def call(conversation: str, caller: str = STEFAN) -> bytes:
    return post_call(conversation, caller, [("user", "My name is Stefan. I keep bees.")])


def filled(cloud: Cloud) -> None:
    """Two callers with calls done, rings filed, a ring and a body dead, one in quarantine, one unreadable."""
    for caller, n in ((STEFAN, 1), (LUCIA, 2)):
        cloud.hang_up(call(f"conv_{n}", caller))
        cloud.ring(caller, f"CA{n}")
        cloud.hang_up(call(f"conv_{n}_refused", caller), key="wrong")
        cloud.hang_up(f'{{"type": "post_call_transcription", "data": {{"user_id": "{caller}"'.encode())
    cloud.work()
    for caller, n in ((STEFAN, 1), (LUCIA, 2)):
        told = AnsweredRing(caller, f"CB{n}", 0.0, b"{}", json.dumps({"caller_id": caller}).encode())
        cloud.sqs.send_message(QueueUrl=cloud.dead_url, MessageBody=message_of(told))


def test_nothing_of_them_is_left_and_everything_of_others(cloud: Cloud) -> None:
    filled(cloud)
    assert any(STEFAN.encode() in body for body in cloud.bodies())
    theirs = len([body for body in cloud.bodies() if LUCIA.encode() in body])
    found = cloud.forget(STEFAN, dry_run=False)
    assert found["archived"] >= 4
    assert found["deliveries"] == 3  # quarantined, unreadable, a dead ring
    assert found["waiting"] == 0
    number = STEFAN.removeprefix("+").encode()
    assert not [key for key in cloud.versions() if STEFAN in key or "conv_1" in key]
    assert not [body for body in cloud.bodies() if number in body]
    assert len([body for body in cloud.bodies() if LUCIA.encode() in body]) == theirs
    assert len(cloud.dead()) == 2  # hers: a ring, and what could not be read
    assert cloud.services().storage.inbox.counts().dead == 2  # held ones included
    again = cloud.forget(STEFAN, dry_run=False)
    assert {name: again[name] for name in ("archived", "deliveries", "memories")} == {"archived": 0, "deliveries": 0, "memories": 0}


def test_a_dry_run_counts_the_same_and_changes_nothing(cloud: Cloud) -> None:
    filled(cloud)
    before = sorted(cloud.versions())
    dry = cloud.forget(STEFAN)
    assert dry["dry_run"] is True
    assert sorted(cloud.versions()) == before
    assert len(cloud.dead()) == 4
    assert cloud.forget(STEFAN, dry_run=False) == {**dry, "dry_run": False}


def test_older_versions_go_too(cloud: Cloud) -> None:
    cloud.hang_up(call("conv_1"))
    cloud.work()
    key = f"post-call/{STEFAN}/conv_1.json"
    cloud.s3.put_object(Bucket=BUCKET, Key=key, Body=b"once more " + STEFAN.encode())
    assert cloud.versions().count(key) == 2
    cloud.forget(STEFAN, dry_run=False)
    assert key not in cloud.versions()


def test_what_a_worker_had_in_hand_is_not_filed_after_the_erasing(cloud: Cloud) -> None:
    cloud.hang_up(call("conv_1"))
    services = cloud.services()
    inbox, (message,) = services.storage.inbox, cloud.event()
    assert isinstance(inbox, SqsInbox)
    inbox_of_another = InHand(inbox, lambda: cloud.forget(STEFAN, dry_run=False))
    assert Work(services, inbox_of_another)(message)  # type: ignore[arg-type]  # nothing is left to do for it
    assert not [key for key in cloud.versions() if STEFAN in key or key.startswith("post-call/")]


@pytest.mark.parametrize("known", [False, True], ids=["a_first_call", "another_call"])
def test_an_erasure_before_any_request_of_the_worker_wins(cloud: Cloud, known: bool) -> None:
    number, n, told = STEFAN.removeprefix("+"), 0, True
    while told:
        n, told = n + 1, False
        if known:
            cloud.hang_up(call(f"conv_before_{n}"))
            cloud.work()
        cloud.hang_up(call(f"conv_{n}"))

        def erase() -> None:
            nonlocal told
            told = True
            cloud.forget(STEFAN, dry_run=False)

        (settled,) = cloud.work(Moment(n, erase).watch)
        if told:
            left = [key for key in cloud.versions() if number in key or key.startswith(("inbox/", "post-call/"))]
            assert not left, n
            assert not [row for row in cloud.rows() if "'record'" in row or "commit/" in row], n
        assert cloud.work() == ([] if settled else [True])
        assert cloud.forget(STEFAN, dry_run=False)["waiting"] == 0
        assert not [row for row in cloud.rows() if number in row or "conv_" in row], n
    assert n > 10


def test_what_waits_is_told(cloud: Cloud) -> None:
    cloud.ring(STEFAN, "CA1")
    assert cloud.forget(STEFAN, dry_run=False)["waiting"] == 1
    cloud.work()
    assert cloud.forget(STEFAN)["archived"] == 2
    assert cloud.forget(STEFAN, dry_run=False)["waiting"] == 0
    assert not cloud.versions()


@pytest.mark.parametrize(
    "order", [None, {}, {"caller_id": ""}, {"caller_id": 7}, {"caller_id": STEFAN, "dry_run": "no"}]
)
def test_an_order_that_is_none_changes_nothing(order: Any) -> None:
    def opened() -> Any:
        raise AssertionError("opened for nothing")

    assert set(ForgetDoor(opened)(order)) == {"error"}


def test_nobodys_number_is_logged(cloud: Cloud, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", "agentic_memory"):
        cloud.forget(STEFAN, dry_run=False)
    logged = [record for record in caplog.records if record.getMessage() == "caller_forgotten"]
    assert len(logged) == 1
    assert STEFAN[1:] not in str([record.__dict__ for record in caplog.records])


def test_a_ring_is_filed_by_the_worker(cloud: Cloud) -> None:
    cloud.ring(STEFAN, "CA1")
    assert cloud.work() == [True]
    assert sorted(key.rpartition("/")[2] for key in cloud.versions()) == ["received.json", "response.json"]


def test_a_dead_ring_is_listed_and_comes_back_by_replay(cloud: Cloud) -> None:
    ring = AnsweredRing(STEFAN, "CA1", 1_795_000_000.0, b"{}", b"{}")
    cloud.sqs.send_message(QueueUrl=cloud.dead_url, MessageBody=message_of(ring))
    replay = ReplayInStack(cloud.services())
    assert replay("dead_letters", "", "", dry_run=True) == 1
    (letter,) = cloud.services().storage.inbox.dead_letters().letters
    assert (letter.envelope.type, letter.envelope.conversation_id, letter.size) == ("client_data", "CA1", 4)
    assert replay("dead_letters", "", "CA2", dry_run=False) == 0
    assert replay("dead_letters", "", "CA1", dry_run=False) == 1
    assert cloud.work() == [True]
    assert len(cloud.versions()) == 2


def test_a_replay_of_the_archive_takes_each_call_once(cloud: Cloud) -> None:
    for n in (1, 2):
        cloud.hang_up(call(f"conv_{n}"))
    cloud.work()
    replay = ReplayInStack(cloud.services())
    assert replay("archive", "", "", dry_run=True) == 2
    assert replay("archive", "", "conv_2", dry_run=True) == 1
    assert replay("archive", f"post-call/{STEFAN}/", "", dry_run=False) == 2
    assert cloud.work() == [True, True]


def test_an_id_that_is_another_calls_conversation_is_not_taken_for_it(cloud: Cloud) -> None:
    body = json.loads(call("user_7", LUCIA))
    cloud.hang_up(json.dumps(body).encode())
    cloud.work()
    assert cloud.forget("user_7", dry_run=False)["archived"] == 0
    assert [key for key in cloud.versions() if key.startswith("post-call/user_7/")]


