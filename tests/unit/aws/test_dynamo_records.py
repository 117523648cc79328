"""What the contract does not say of the record store in DynamoDB: sizes, snapshots, crashes, errors."""

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError

from agentic_memory.backends.dynamodb.records import NOTE_LIFE, DynamoRecords
from agentic_memory.backends.dynamodb.schema import EXPIRES, INDEX, definition, part, position
from agentic_memory.backends.dynamodb.table import PART, plain
from agentic_memory.domain.records import CallerCommit, CallRecord, Hold, Vectors
from agentic_memory.errors import (
    InvalidField,
    LeaseLost,
    MalformedPayload,
    RevisionConflict,
    StorageError,
    StorageUnavailable,
)
from tests.contract.samples import (
    ANA,
    BEN,
    MODEL,
    TENANT,
    call,
    caller,
    change,
    memory,
    vectors,
    whole_commit,
)
from tests.unit.aws.cloud import TABLE, Failing, OneAtATime, refused


class Noting:
    """A client that keeps what it was asked, with its answers."""

    def __init__(self, client: OneAtATime) -> None:
        self._client = client
        self.exceptions = client.exceptions
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def __getattr__(self, name: str) -> Any:
        def ask(**request: Any) -> Any:
            self.asked.append((name, request))
            return getattr(self._client, name)(**request)

        return ask

    @property
    def operations(self) -> list[str]:
        return [name for name, _ in self.asked]


class Paging(Noting):
    """A client whose pages are short, as DynamoDB's are at one megabyte."""

    def __getattr__(self, name: str) -> Any:
        ask = super().__getattr__(name)
        return (lambda **request: ask(**request, Limit=2)) if name in ("query", "scan") else ask


class Breaking:
    """A client that dies at its n-th request, and at every one after it."""

    def __init__(self, client: OneAtATime, after: int) -> None:
        self._client = client
        self.exceptions = client.exceptions
        self.left = after

    def __getattr__(self, name: str) -> Any:
        def ask(**request: Any) -> Any:
            self.left -= 1
            if self.left < 0:
                raise EndpointConnectionError(endpoint_url="https://dynamodb")
            return getattr(self._client, name)(**request)

        return ask


def items(dynamodb: OneAtATime) -> Iterator[dict[str, Any]]:
    for item in dynamodb.scan(TableName=TABLE)["Items"]:
        yield dict(plain(item))


def noise(count: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(count)


def large_commit(revision: int = 0) -> CallerCommit:
    """More than a transaction holds: 150 memories with vectors, 8 MB in all."""
    memories = tuple(memory(f"m{n}", text=noise(40, n).hex()) for n in range(150))
    rows = 1000
    said = tuple(noise(600, n).hex() for n in range(rows))
    record = CallRecord(call(said=said), Vectors(MODEL, 3000, rows, noise(6000 * rows)))
    return CallerCommit(
        caller=caller(revision=revision),
        put_call=record,
        put_memories=memories,
        put_vectors={m.id: Vectors(MODEL, 512, 1, noise(1024)) for m in memories},
        changes=tuple(change(m.id) for m in memories),
    )


def test_the_ring_reads_one_item(dynamodb: OneAtATime, records: DynamoRecords) -> None:
    records.commit(whole_commit())
    noting = Noting(dynamodb)
    assert DynamoRecords(TABLE, noting).caller(TENANT, ANA) is not None
    assert noting.operations == ["get_item"]


def test_a_caller_is_read_with_one_query(dynamodb: OneAtATime, records: DynamoRecords) -> None:
    for revision in range(5):
        records.commit(whole_commit(revision=revision))
    noting = Noting(dynamodb)
    store = DynamoRecords(TABLE, noting)
    assert store.load(TENANT, ANA) is not None
    assert store.load(TENANT, ANA, with_calls=False) is not None
    assert noting.operations == ["query", "query"]


def test_what_is_larger_than_items_and_transactions_is_kept_whole(
    dynamodb: OneAtATime, records: DynamoRecords
) -> None:
    commit = large_commit()
    noting = Noting(dynamodb)
    DynamoRecords(TABLE, noting).commit(commit)
    found = records.load(TENANT, ANA)
    assert found is not None
    assert found.calls == (commit.put_call,)
    assert {m.id: m for m in found.memories} == {m.id: m for m in commit.put_memories}
    assert found.memory_vectors == commit.put_vectors
    assert records.history(TENANT, ANA) == commit.changes
    assert commit.put_call is not None
    assert records.call(TENANT, ANA, "conv_1") == commit.put_call.call
    transactions = [asked for name, asked in noting.asked if name == "transact_write_items"]
    assert [len(asked["TransactItems"]) for asked in transactions] == [2, 5]
    assert all(len(item.get("data", b"")) <= PART for item in items(dynamodb))
    assert records.erase(TENANT, ANA)
    assert list(items(dynamodb)) == []


def test_short_pages_join(dynamodb: OneAtATime, records: DynamoRecords) -> None:
    for revision in range(3):
        at = 100.0 * revision
        commit = CallerCommit(
            caller(revision=revision), CallRecord(call(f"c{revision}", at=at), vectors(2))
        )
        records.commit(commit)
    for number in range(5):
        records.commit(whole_commit(f"+1555010001{number}"))
    paging = DynamoRecords(TABLE, Paging(dynamodb))
    assert paging.load(TENANT, ANA) == records.load(TENANT, ANA)
    assert paging.callers(TENANT, query="0100") == records.callers(TENANT, query="0100")
    assert len(paging.callers(TENANT).callers) == 6
    assert paging.counts(MODEL) == records.counts(MODEL)
    assert paging.erase(TENANT, ANA)
    assert records.load(TENANT, ANA) is None


@pytest.mark.parametrize("after", range(8))
def test_a_commit_that_dies_is_not_there_or_there_whole(
    dynamodb: OneAtATime, records: DynamoRecords, after: int
) -> None:
    records.commit(whole_commit())
    before = records.load(TENANT, ANA)
    rich = CallRecord(call("conv_2", said=[noise(400_000).hex()]), vectors(9))
    commit = replace(whole_commit(revision=1), put_call=rich)
    try:
        DynamoRecords(TABLE, Breaking(dynamodb, after)).commit(commit)
    except StorageUnavailable:
        assert records.load(TENANT, ANA) == before
        assert records.commit(commit).revision == 2
    else:
        assert after >= 5
    found = records.load(TENANT, ANA)
    assert found is not None
    assert [r.call.conversation_id for r in found.calls] == [f"conv_{ANA}", "conv_2"]
    assert records.erase(TENANT, ANA)
    assert list(items(dynamodb)) == []


@pytest.mark.parametrize("after", range(0, 12, 2))
def test_an_erasure_that_dies_can_be_asked_for_again(
    dynamodb: OneAtATime, records: DynamoRecords, after: int
) -> None:
    for revision in range(3):
        record = CallRecord(call(f"conv_{revision}", raw_key=f"raw/{revision}"), vectors(2))
        records.commit(replace(whole_commit(revision=revision), put_call=record))
    records.note_person(TENANT, "conv_rung", ANA, 1.0)
    records.attach_audio(TENANT, "conv_rung", "audio/1")
    whole = records.traces(TENANT, ANA)
    try:
        DynamoRecords(TABLE, Breaking(dynamodb, after)).erase(TENANT, ANA)
    except StorageUnavailable:
        left = records.traces(TENANT, ANA)
        assert set(left.conversation_ids) <= set(whole.conversation_ids)
    records.erase(TENANT, ANA)
    assert list(items(dynamodb)) == []


class Trickling(Noting):
    """A client whose batches do one write at a time, until the caller gives up on them."""

    def __getattr__(self, name: str) -> Any:
        ask = super().__getattr__(name)

        def one(**request: Any) -> Any:
            given = request["RequestItems"][TABLE]
            ask(RequestItems={TABLE: given[:1]})
            return {"UnprocessedItems": {TABLE: given[1:]} if given[1:] else {}}

        return one if name == "batch_write_item" else ask


def test_an_erased_caller_is_unknown_first_and_their_traces_go_last(
    dynamodb: OneAtATime, records: DynamoRecords
) -> None:
    for revision in range(6):
        commit = replace(whole_commit(revision=revision), put_call=None)
        records.commit(commit)
    records.commit(whole_commit(revision=6))
    whole = records.traces(TENANT, ANA)
    with pytest.raises(StorageUnavailable, match="undone"):
        DynamoRecords(TABLE, Trickling(dynamodb)).erase(TENANT, ANA)
    assert records.caller(TENANT, ANA) is None
    assert records.traces(TENANT, ANA) == whole
    records.commit(whole_commit())
    assert records.erase(TENANT, ANA)
    assert list(items(dynamodb)) == []


@pytest.mark.parametrize("at", ["get_item", "query", "transact_write_items"])
def test_what_comes_of_a_delivery_is_not_committed_once_its_note_is_erased(
    dynamodb: OneAtATime, records: DynamoRecords, at: str
) -> None:
    class Meanwhile(Noting):
        def __getattr__(self, name: str) -> Any:
            if name == at:
                records.erase(TENANT, ANA)
            return super().__getattr__(name)

    hold = Hold("message", "lease")
    commit = replace(whole_commit(), put_call=CallRecord(call("conv_1", raw_key="raw/1")), hold=hold)
    records.note_archived(TENANT, "raw/1", ANA, "conv_1", ended=True, hold=hold)
    with pytest.raises(LeaseLost):
        DynamoRecords(TABLE, Meanwhile(dynamodb)).commit(commit)
    assert records.load(TENANT, ANA) is None
    records.note_archived(TENANT, "raw/1", ANA, "conv_1", ended=True, hold=hold)
    assert records.commit(commit).revision == 1
    assert records.erase(TENANT, ANA)
    assert list(items(dynamodb)) == []


@pytest.mark.parametrize("n", range(4))
def test_a_recording_that_comes_while_its_call_is_committed_is_found(
    dynamodb: OneAtATime, records: DynamoRecords, n: int
) -> None:
    class Meanwhile(Noting):
        def __getattr__(self, name: str) -> Any:
            if len(self.asked) == n:
                records.attach_audio(TENANT, f"conv_{ANA}", "audio/1")
            return super().__getattr__(name)

    watched = Meanwhile(dynamodb)
    DynamoRecords(TABLE, watched).commit(whole_commit())
    others = [name for name in watched.operations if name != "put_item"]
    assert others == ["query", "transact_write_items", "query", "transact_write_items"]
    found = records.call(TENANT, ANA, f"conv_{ANA}")
    assert found is not None
    assert found.audio_key == "audio/1"


def test_leftovers_of_a_former_life_are_never_read(dynamodb: OneAtATime, records: DynamoRecords) -> None:
    records.commit(whole_commit())
    records.commit(whole_commit(revision=1))
    heading = {"pk": {"S": f"caller/default/{part(ANA)}"}, "sk": {"S": "caller"}}
    dynamodb.delete_item(TableName=TABLE, Key=heading)
    assert records.load(TENANT, ANA) is None
    assert records.history(TENANT, ANA) == ()
    records.commit(CallerCommit(caller()))
    found = records.load(TENANT, ANA)
    assert found is not None
    assert found.calls == found.memories == ()
    assert records.history(TENANT, ANA) == ()
    assert records.traces(TENANT, ANA).conversation_ids == (f"conv_{ANA}",)


class Showing(Noting):
    """A client whose first query shows a half-written transaction: what `hidden` names is not there yet."""

    def __init__(self, client: OneAtATime, hidden: str) -> None:
        super().__init__(client)
        self._hidden = hidden

    def __getattr__(self, name: str) -> Any:
        ask = super().__getattr__(name)

        def shown(**request: Any) -> Any:
            answer = ask(**request)
            if self.operations.count("query") == 1:
                answer["Items"] = [i for i in answer["Items"] if self._hidden not in i["sk"]["S"]]
            return answer

        return shown if name == "query" else ask


@pytest.mark.parametrize("hidden", ["commit/", "/turns", "/vectors"])
def test_a_torn_read_is_made_again(
    dynamodb: OneAtATime, records: DynamoRecords, hidden: str
) -> None:
    records.commit(whole_commit())
    showing = Showing(dynamodb, hidden)
    assert DynamoRecords(TABLE, showing).load(TENANT, ANA) == records.load(TENANT, ANA)
    assert showing.operations == ["query", "query"]


def test_items_of_a_commit_that_the_heading_does_not_know_are_left_out(
    dynamodb: OneAtATime, records: DynamoRecords
) -> None:
    records.commit(whole_commit())
    before = records.load(TENANT, ANA)
    (heading,) = [i for i in dynamodb.scan(TableName=TABLE)["Items"] if i["sk"]["S"] == "caller"]
    records.commit(CallerCommit(caller(revision=1), put_memories=(memory("new"),), changes=(change("new"),)))
    dynamodb.put_item(TableName=TABLE, Item=heading)
    assert records.load(TENANT, ANA) == before
    assert len(records.history(TENANT, ANA)) == 1


def test_another_transaction_on_the_same_items_is_waited_for(
    dynamodb: OneAtATime, records: DynamoRecords
) -> None:
    busy = dynamodb.exceptions.TransactionCanceledException(
        {
            "Error": {"Code": "TransactionCanceledException", "Message": ""},
            "CancellationReasons": [{"Code": "TransactionConflict"}, {"Code": "None"}],
        },
        "TransactWriteItems",
    )
    failing = Failing(dynamodb, "transact_write_items", busy, times=2)
    assert DynamoRecords(TABLE, failing).commit(whole_commit()).revision == 1
    assert failing.times == 0
    forever = DynamoRecords(TABLE, Failing(dynamodb, "transact_write_items", busy, times=99))
    with pytest.raises(StorageUnavailable):
        forever.commit(whole_commit(revision=1))
    with pytest.raises(RevisionConflict):
        forever.commit(whole_commit())


class Overtaken(Noting):
    """A client before whose first transaction somebody else does something."""

    def __init__(self, client: OneAtATime, what: Callable[[], object]) -> None:
        super().__init__(client)
        self._what = what

    def __getattr__(self, name: str) -> Any:
        if name == "transact_write_items" and "transact_write_items" not in self.operations:
            self._what()
        return super().__getattr__(name)


@pytest.mark.parametrize("revision", [0, 1])
def test_a_loser_changes_nothing_and_takes_its_parts_away(
    dynamodb: OneAtATime, records: DynamoRecords, revision: int
) -> None:
    for former in range(revision):
        records.commit(whole_commit(revision=former))
    overtaken = Overtaken(dynamodb, lambda: records.commit(whole_commit(revision=revision)))
    record = CallRecord(call("late", said=[noise(400_000).hex()]))
    with pytest.raises(RevisionConflict) as conflict:
        DynamoRecords(TABLE, overtaken).commit(replace(whole_commit(revision=revision), put_call=record))
    assert conflict.value.fields == {"expected": revision, "found": revision + 1}
    assert not [i for i in items(dynamodb) if i["sk"].count("/") > 3]
    assert records.call(TENANT, ANA, "late") is None


def test_a_caller_who_was_erased_and_made_anew_meanwhile_is_another(
    dynamodb: OneAtATime, records: DynamoRecords
) -> None:
    def anew() -> None:
        records.erase(TENANT, ANA)
        records.commit(CallerCommit(caller(name="Another")))

    records.commit(whole_commit())
    before = records.load(TENANT, ANA)
    assert before is not None
    embedding = DynamoRecords(TABLE, Overtaken(dynamodb, anew))
    embedding.put_call_vectors(TENANT, ANA, before)
    found = records.load(TENANT, ANA)
    assert found is not None
    assert found.calls == ()
    assert found.caller == replace(caller(name="Another"), revision=2)


def test_a_webhook_that_overtakes_the_note_of_its_ring_keeps_it(
    dynamodb: OneAtATime, records: DynamoRecords
) -> None:
    overtaken = Overtaken(dynamodb, lambda: records.end_conversation(TENANT, "conv_1"))
    DynamoRecords(TABLE, overtaken).note_person(TENANT, "conv_1", ANA, 10.0)
    assert records.person_of(TENANT, "conv_1") == ANA
    assert not records.active_since(TENANT, ANA, 0.0)
    assert not [i for i in items(dynamodb) if EXPIRES in i]


def test_of_two_rings_of_one_conversation_the_first_stands(
    dynamodb: OneAtATime, records: DynamoRecords
) -> None:
    overtaken = Overtaken(dynamodb, lambda: records.note_person(TENANT, "conv_1", BEN, 1.0))
    DynamoRecords(TABLE, overtaken).note_person(TENANT, "conv_1", ANA, 10.0)
    assert records.person_of(TENANT, "conv_1") == BEN
    assert not records.active_since(TENANT, ANA, 0.0)


def test_erasing_one_of_two_who_share_a_conversation_keeps_the_others_call(
    records: DynamoRecords,
) -> None:
    for who in (ANA, BEN):
        records.commit(CallerCommit(caller(who), CallRecord(call("conv_1", caller_id=who))))
    records.erase(TENANT, ANA)
    records.attach_audio(TENANT, "conv_1", "audio/1")
    found = records.call(TENANT, BEN, "conv_1")
    assert found is not None
    assert found.audio_key == "audio/1"


def test_embedding_anew_leaves_no_former_vectors(
    dynamodb: OneAtATime, records: DynamoRecords
) -> None:
    records.commit(whole_commit())
    records.commit(CallerCommit(caller(revision=1), put_memories=(memory("m2"),), put_vectors={"m2": vectors(1)}))
    before = records.load(TENANT, ANA)
    assert before is not None
    anew = replace(
        before,
        calls=(replace(before.calls[0], vectors=vectors(2, "new")),),
        memory_vectors={"m1": vectors(1, "new")},
    )
    records.put_call_vectors(TENANT, ANA, anew)
    after = records.load(TENANT, ANA)
    assert after is not None
    assert after.calls == anew.calls
    assert after.memory_vectors == {"m1": vectors(1, "new"), "m2": vectors(1)}
    assert [i["sk"][-18:] for i in items(dynamodb) if "vectors" in i["sk"]] == ["0000000003/vectors"]
    assert records.stale("new", 10) == [(TENANT, ANA)]


def test_a_note_goes_by_itself_until_a_webhook_comes(
    dynamodb: OneAtATime, records: DynamoRecords
) -> None:
    def expiring() -> list[int]:
        return [i[EXPIRES] for i in items(dynamodb) if EXPIRES in i]

    records.note_person(TENANT, "conv_1", ANA, 1000.5)
    assert expiring() == [1000 + NOTE_LIFE] * 2
    records.end_conversation(TENANT, "conv_1")
    assert expiring() == []
    records.attach_audio(TENANT, "conv_2", "audio/2")
    records.note_person(TENANT, "conv_2", ANA, 1000.0)
    assert expiring() == []
    records.note_archived(TENANT, "raw/3", None, "conv_3")
    records.note_person(TENANT, "conv_3", ANA, 1000.0)
    assert expiring() == []
    assert records.traces(TENANT, ANA).conversation_ids == ("conv_1", "conv_2", "conv_3")


def test_nothing_can_be_read_by_a_name_that_means_another() -> None:
    names = ["a/b", "a%2Fb", "a", "a/", "", "é", "x" * 5000, "x" * 5001, "%" + "a" * 64]
    assert len({part(name) for name in names}) == len(names)
    assert all("/" not in part(name) and len(part(name)) <= 400 for name in names)


def test_odd_names_have_records_of_their_own(records: DynamoRecords) -> None:
    names = ["a/b", "a", "b", "caller", "user " + "x" * 3000, "ñ\n\0"]
    for name in names:
        for tenant in ("a", "a/b"):
            records.commit(whole_commit(name, tenant=tenant))
    for name in names:
        found = records.load("a", name)
        assert found is not None
        assert found.caller.caller_id == name
        assert found.caller.tenant == "a"
    assert len(records.callers("a/b", limit=3).callers) == 3
    assert records.stale("new", 100).count(("a", names[4])) == 1


def test_positions_sort_as_times_do() -> None:
    times = [-1e300, -2.5, -0.0, 1e-300, 1.0, 1.0000000000000002, 99.0, 1.8e9, 1e300]
    found = [position(at, "x") for at in times]
    assert found == sorted(found)
    assert position(1.0, "a") < position(1.0, "b")


def test_a_caller_erased_since_the_index_was_written_is_left_out(
    dynamodb: OneAtATime, records: DynamoRecords
) -> None:
    records.commit(whole_commit(ANA))
    records.commit(whole_commit(BEN))

    class Late(Noting):
        def __getattr__(self, name: str) -> Any:
            ask = super().__getattr__(name)

            def late(**request: Any) -> Any:
                answer = ask(**request)
                if name == "query" and request.get("IndexName") == INDEX:
                    records.erase(TENANT, BEN)
                return answer

            return late

    page = DynamoRecords(TABLE, Late(dynamodb)).callers(TENANT)
    assert [c.caller_id for c in page.callers] == [ANA]


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (refused("ProvisionedThroughputExceededException"), StorageUnavailable),
        (refused("ThrottlingException"), StorageUnavailable),
        (refused("ResourceNotFoundException"), StorageUnavailable),
        (refused("AccessDeniedException"), StorageUnavailable),
        (refused("InternalServerError"), StorageUnavailable),
        (refused("ValidationException"), StorageError),
        (EndpointConnectionError(endpoint_url="https://dynamodb"), StorageUnavailable),
        (ReadTimeoutError(endpoint_url="https://dynamodb"), StorageUnavailable),
    ],
)
def test_errors_say_what_they_mean(
    dynamodb: OneAtATime, error: Exception, kind: type[StorageError]
) -> None:
    failing = DynamoRecords(TABLE, Failing(dynamodb, "get_item", error))
    with pytest.raises(StorageError) as raised:
        failing.caller(TENANT, ANA)
    assert type(raised.value) is kind
    assert raised.value.retryable


def test_a_cancelled_transaction_tells_why(dynamodb: OneAtATime) -> None:
    cancelled = dynamodb.exceptions.TransactionCanceledException(
        {
            "Error": {"Code": "TransactionCanceledException", "Message": ""},
            "CancellationReasons": [{"Code": "None"}, {"Code": "ThrottlingError"}],
        },
        "TransactWriteItems",
    )
    failing = DynamoRecords(TABLE, Failing(dynamodb, "transact_write_items", cancelled))
    with pytest.raises(StorageUnavailable, match="ThrottlingError"):
        failing.commit(whole_commit())


def test_writes_left_undone_are_asked_for_again(dynamodb: OneAtATime, records: DynamoRecords) -> None:
    records.commit(whole_commit())
    assert DynamoRecords(TABLE, Trickling(dynamodb)).erase(TENANT, ANA)
    assert list(items(dynamodb)) == []


def test_what_cannot_be_stored_is_refused_before_anything_is_written(
    dynamodb: OneAtATime, records: DynamoRecords
) -> None:
    for commit in (
        CallerCommit(caller(name="\ud800")),
        CallerCommit(caller(), CallRecord(call(said=["\udfff"]))),
        CallerCommit(caller(), CallRecord(replace(call(), analysis={"n": "\ud800"}))),
    ):
        with pytest.raises(MalformedPayload):
            records.commit(commit)
    assert list(items(dynamodb)) == []
    with pytest.raises(InvalidField):
        records.caller(TENANT, "\ud800")


def test_every_key_of_the_definition_is_one_of_the_items(dynamodb: OneAtATime) -> None:
    described = dynamodb.describe_table(TableName=TABLE)["Table"]
    assert [k["AttributeName"] for k in described["KeySchema"]] == ["pk", "sk"]
    (index,) = described["GlobalSecondaryIndexes"]
    assert index["IndexName"] == INDEX
    assert definition("other")["TableName"] == "other"
