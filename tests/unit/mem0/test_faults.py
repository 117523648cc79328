"""What a service does that it should not, and what becomes of it."""

import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from agentic_memory.backends.mem0_cloud.backend import Mem0Memory
from agentic_memory.errors import (
    MemoryServiceFailed,
    MemoryServiceRefused,
    MemoryServiceUnavailable,
    MemoryUnavailable,
)
from tests.fakes import FrozenClock
from tests.mem0_emulator.process import Account
from tests.unit.extract.calls import dialogue

Opened = Callable[..., Mem0Memory]
TENANT, ANA = "default", "+15550100001"
CALL = dialogue("A: Who is calling?", "C: My name is Ana. I prefer email updates.", summary="Ana introduced herself.")
ADD, SEARCH, LIST = "/v3/memories/add/", "/v3/memories/search/", "/v3/memories/"


def search(memory: Mem0Memory) -> list[str]:
    return [found.text for found in memory.search(TENANT, ANA, "email updates", 5, 0.0).results]


def records(account: Account, kind: str) -> list[str]:
    return [m["memory"] for m in account.memories if m["metadata"]["record"] == kind]


@pytest.mark.parametrize(
    "fault",
    [{"kind": "html"}, {"kind": "malformed"}, {"kind": "reset"}, {"kind": "status", "status": 500}, {"kind": "status", "status": 503}],
    ids=lambda fault: f"{fault['kind']}{fault.get('status', '')}",
)
def test_a_service_that_is_out_of_order_is_unavailable(account: Account, opened: Opened, fault: dict[str, object]) -> None:
    memory = opened(account)
    memory.remember(CALL)
    account.fault(path=LIST, times=20, **fault)  # type: ignore[arg-type]
    for act in (lambda: memory.brief(TENANT, ANA), lambda: search(memory)):
        with pytest.raises(MemoryServiceUnavailable) as raised:
            act()
        assert raised.value.retryable
        assert ANA not in raised.value.message
        assert account.key not in raised.value.message


@pytest.mark.parametrize("fault", [{"kind": "slow", "seconds": 3}, {"kind": "drip", "seconds": 3}], ids=lambda fault: str(fault["kind"]))
def test_no_operation_takes_longer_than_its_deadline(account: Account, opened: Opened, fault: dict[str, object]) -> None:
    memory = opened(account, timeout=0.3)
    account.fault(path=LIST, times=5, **fault)  # type: ignore[arg-type]
    started = time.monotonic()
    with pytest.raises(MemoryServiceUnavailable, match="in time"):
        search(memory)
    assert time.monotonic() - started < fault["seconds"]


@pytest.mark.parametrize("kind", ["extra", "nulls", "bare"])
def test_answers_in_other_shapes_are_understood(account: Account, opened: Opened, kind: str) -> None:
    memory = opened(account)
    memory.remember(CALL)
    account.fault(kind, LIST, times=20)
    brief = memory.brief(TENANT, ANA)
    assert brief is not None
    assert (brief.caller_name, brief.memory_count) == ("Ana", 1)
    assert any("I prefer email updates" in text for text in search(memory))


def test_one_failure_of_a_gateway_is_not_noticed(account: Account, opened: Opened) -> None:
    memory = opened(account)
    memory.remember(CALL)
    account.fault("status", SEARCH, status=502)
    assert search(memory)
    account.fault("reset", SEARCH)
    assert search(memory)


def test_a_connection_that_was_closed_meanwhile_is_not_used(account: Account, opened: Opened) -> None:
    memory = opened(account)
    memory.warm(TENANT, ANA)
    assert search(memory) == []


def test_a_429_says_how_long_to_wait_and_nothing_is_sent_before(account: Account, opened: Opened) -> None:
    clock = FrozenClock()
    memory = opened(account, clock=clock)
    account.fault("status", LIST, status=429, headers={"Retry-After": "30"})
    with pytest.raises(MemoryServiceUnavailable) as raised:
        memory.remember(CALL)
    assert raised.value.fields["retry_after"] == 30.0
    account.clear()
    clock.tick(29)
    with pytest.raises(MemoryServiceUnavailable):
        search(memory)
    assert account.requests == []
    clock.tick(2)
    assert memory.remember(CALL)


@pytest.mark.parametrize(("given", "seconds"), [("nonsense", 1.0), ("-5", 0.0), ("1e9", 3600.0), ("nan", 0.0)])
def test_a_retry_after_that_is_none_does_no_harm(account: Account, opened: Opened, given: str, seconds: float) -> None:
    account.fault("status", SEARCH, status=429, headers={"Retry-After": given})
    with pytest.raises(MemoryServiceUnavailable) as raised:
        search(opened(account, clock=FrozenClock()))
    assert raised.value.fields["retry_after"] == seconds


def test_a_service_that_is_down_is_left_alone_then_tried_once(account: Account, opened: Opened) -> None:
    clock = FrozenClock()
    observed: list[tuple[str, str]] = []
    memory = opened(account, clock=clock, observed=observed, pause=lambda seconds: None)
    account.fault("status", SEARCH, status=500, times=6)
    for _ in range(5):
        with pytest.raises(MemoryUnavailable):
            search(memory)
    account_requests = len(account.requests)
    with pytest.raises(MemoryUnavailable, match="left alone"):
        search(memory)
    assert (len(account.requests), observed[-1]) == (account_requests, ("search", "not_tried"))
    clock.tick(6)
    with pytest.raises(MemoryUnavailable, match="500"):
        search(memory)
    clock.tick(6)
    with pytest.raises(MemoryUnavailable, match="left alone"):  # twice as long now
        search(memory)
    clock.tick(6)
    assert search(memory) == []
    assert search(memory) == []


def test_a_bad_request_is_not_tried_again(account: Account, opened: Opened) -> None:
    account.fault("status", LIST, status=400)
    with pytest.raises(MemoryServiceRefused) as raised:
        opened(account).remember(CALL)
    assert not raised.value.retryable


def test_a_refused_key_may_be_mended(account: Account, opened: Opened) -> None:
    memory = opened(account)
    account.revoke()
    with pytest.raises(MemoryServiceUnavailable, match="MEM0_API_KEY"):
        memory.remember(CALL)
    account.revoke(False)
    assert memory.remember(CALL)


def test_of_several_keys_the_one_that_is_accepted_is_used(account: Account, opened: Opened) -> None:
    memory = opened(account, keys=("sk-old", account.key))
    assert memory.remember(CALL)
    assert memory.brief(TENANT, ANA) is not None


def test_what_mem0_fails_to_infer_is_told_and_asked_for_anew(account: Account, opened: Opened) -> None:
    memory = opened(account)
    account.event_faults("fail")
    with pytest.raises(MemoryServiceFailed) as raised:
        memory.remember(CALL)
    assert not raised.value.retryable
    brief = memory.brief(TENANT, ANA)
    assert brief is not None
    assert brief.caller_name == "Ana"  # our own facts are kept already
    assert memory.remember(CALL) is True
    assert memory.remember(CALL) is False
    assert len(records(account, "call")) == 1
    assert "User's name is Ana." in records(account, "inferred")


def test_a_stuck_event_is_followed_again_not_begun_again(account: Account, opened: Opened) -> None:
    memory = opened(account, follow=0.1)
    account.event_faults("stick")
    for _ in range(2):
        with pytest.raises(MemoryServiceUnavailable, match="not come to an end"):
            memory.remember(CALL)
    inferring = [r for r in account.requests if r["path"] == ADD and r["body"]["infer"]]
    assert len(inferring) == 1


@pytest.mark.parametrize("adds", range(4))
@pytest.mark.parametrize("fault", ["status", "lost"])
def test_cut_short_anywhere_a_call_is_kept_once(account: Account, opened: Opened, adds: int, fault: str) -> None:
    """`status`: the request is refused; `lost`: what it asks for is done, and the answer does not arrive."""
    memory = opened(account)
    for _ in range(adds):
        account.fault("extra", ADD)
    account.fault(fault, ADD, status=500, times=2)
    with pytest.raises(MemoryUnavailable):
        memory.remember(CALL)
    account.clear()
    assert memory.remember(CALL) is (fault == "status" or adds < 3)
    assert memory.remember(CALL) is False
    texts = [m["memory"] for m in account.memories]
    assert len(texts) == len(set(texts))
    assert (len(records(account, "call")), len(records(account, "turns"))) == (1, 2)
    assert "User's name is Ana." in records(account, "inferred")


def test_what_a_worker_that_died_had_inferred_is_not_inferred_again(account: Account, opened: Opened) -> None:
    for path in (ADD, ADD, ADD):
        account.fault("extra", path)
    account.fault("status", ADD, status=500, times=2)  # the call's record, and once more
    with pytest.raises(MemoryServiceUnavailable):
        opened(account).remember(CALL)
    assert (records(account, "call"), len(records(account, "inferred"))) == ([], 3)
    account.clear()
    assert opened(account).remember(CALL)
    assert [r["body"]["infer"] for r in account.requests if r["path"] == ADD] == [False, False, False]


def test_what_other_software_left_of_a_conversation_stays_and_counts_once(account: Account, opened: Opened) -> None:
    kept = {"type": "factual", "conversation_id": CALL.conversation_id}
    account.add(ANA, "User called about an invoice", metadata=kept, run_id=CALL.conversation_id)
    memory = opened(account)
    memory.remember(CALL)
    memory.remember(replace(CALL, title="anew"))
    assert kept in [m["metadata"] for m in account.memories]
    brief = memory.brief(TENANT, ANA)
    assert brief is not None
    assert brief.memory_count == 1


@pytest.mark.parametrize("requests", range(1, 9))
def test_cut_short_a_later_version_loses_nothing_that_was_set_by_hand(account: Account, opened: Opened, requests: int) -> None:
    memory = opened(account)
    memory.remember(CALL)
    chosen = next(m for m in memory.memories(TENANT, ANA) if "email" in m.text)
    memory.edit(TENANT, ANA, chosen.id, "User prefers letters", CALL.started_at + 9)
    later = replace(CALL, title="anew")
    account.fault("extra", "/v", times=requests)
    account.fault("status", "/v", status=500, times=2)
    try:
        memory.remember(later)
    except MemoryUnavailable:
        account.clear()
        memory.remember(later)
    account.clear()
    assert memory.remember(later) is False
    assert "User prefers letters" in {m.text for m in memory.memories(TENANT, ANA)}
    assert (len(records(account, "call")), len(records(account, "turns"))) == (1, 2)


def test_what_is_inferred_is_not_asked_for_twice_in_a_row(account: Account, opened: Opened) -> None:
    """An add has no key that makes it once: where its answer is lost, the worker's retry looks first."""
    account.fault("extra", ADD, times=2)
    account.fault("lost", ADD)
    with pytest.raises(MemoryServiceUnavailable):
        opened(account).remember(CALL)
    assert [r["body"]["infer"] for r in account.requests if r["path"] == ADD] == [False, False, True]


def test_a_delivery_that_comes_twice_adds_nothing(account: Account, opened: Opened) -> None:
    memory = opened(account)
    memory.remember(CALL)
    before = account.memories
    account.clear()
    assert memory.remember(replace(CALL, raw_key="another/key")) is False
    assert account.memories == before
    assert ADD not in [r["path"] for r in account.requests]


def test_all_that_is_sent_carries_what_was_promised(account: Account, opened: Opened) -> None:
    call = replace(CALL, agent_id="agent_1", duration=61.5)
    opened(account).remember(call)
    adds = [r["body"] for r in account.requests if r["path"] == ADD]
    assert {a["metadata"]["type"] for a in adds} == {"semantic", "factual"}
    for add in adds:
        held = add["metadata"]
        assert (add["user_id"], add["run_id"], add["timestamp"]) == (ANA, call.conversation_id, int(call.started_at))
        assert (held["agent_id"], held["conversation_id"], held["duration"]) == ("agent_1", call.conversation_id, 61.5)
        assert held["started_at"] == "2026-09-21T14:13:20Z"
        assert "agent_id" not in add
    semantic = next(a for a in adds if a["metadata"]["type"] == "semantic")
    assert [m["role"] for m in semantic["messages"]] == ["assistant", "user"]


@pytest.mark.parametrize("user", ["", " ", "*", " * "])
def test_nothing_can_be_asked_of_everybody(account: Account, opened: Opened, user: str) -> None:
    client = opened(account).client
    acts: tuple[Callable[[], object], ...] = (
        lambda: client.search(user, "x", 1, client.deadline()),
        lambda: client.listed(user),
        lambda: client.count(user),
        lambda: client.delete_all(user),
        lambda: client.delete_user(user),
    )
    for act in acts:
        with pytest.raises(ValueError, match="name its user"):
            act()
    assert account.requests == []


def test_a_deletion_that_does_not_end_is_told(account: Account, opened: Opened) -> None:
    memory = opened(account, follow=0.1)
    memory.remember(CALL)
    account.delays(extraction=0, deletion=60.0)
    with pytest.raises(MemoryServiceUnavailable, match="deletion"):
        memory.forget(TENANT, ANA)
    account.settle()
    assert memory.brief(TENANT, ANA) is None


def test_a_service_that_is_not_there_is_unavailable(opened: Opened) -> None:
    nobody = Account("http://127.0.0.1:9", "m0-none")
    with pytest.raises(MemoryServiceUnavailable, match="connection"):
        search(opened(nobody))
    opened(nobody).warm(TENANT, ANA)


def test_long_turns_and_many_are_sent_in_portions(account: Account, opened: Opened) -> None:
    lines = [f"C: Number {i} is a fine number." for i in range(45)]
    long = dialogue(*lines, "C: " + "over and over " * 600)
    memory = opened(account)
    memory.remember(long)
    adds = [r["body"] for r in account.requests if r["path"] == ADD and not r["body"]["infer"]]
    assert max(len(a["messages"]) for a in adds) == 20
    assert max(len(m["content"]) for a in adds for m in a["messages"]) == 4_000
    found = memory.search(TENANT, ANA, "number 37 fine", 1, 0.0).results[0]
    assert (found.turn, found.quote) == (37, "Number 37 is a fine number.")
