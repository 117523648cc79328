"""Killed at any instant, again and again: what was answered 200 is remembered exactly once."""

import json
import random
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.acceptance.crash.traffic import Account, Sender, caller, conversation, parcel
from tests.acceptance.crash.victim import WORKSPACE_KEY, Victim, free_port

pytestmark = [pytest.mark.acceptance, pytest.mark.slow]

CALLERS = 8
DRAIN_SECONDS = 120.0
LEASE = "1"
"""A killed worker's deliveries fall due again after this many seconds."""


@contextmanager
def traffic(port: int, senders: int) -> Iterator[Account]:
    account = Account()
    threads = [Sender(port, n, senders, CALLERS, account) for n in range(senders)]
    for thread in threads:
        thread.start()
    try:
        yield account
    finally:
        for thread in threads:
            thread.end()
        for thread in threads:
            thread.join()


def drain(server: Victim) -> None:
    deadline = time.monotonic() + DRAIN_SECONDS
    while time.monotonic() < deadline:
        _, ready = server.get("/readyz")
        if ready["inbox"]["pending"] == 0:  # type: ignore[index]
            return
        time.sleep(0.05)
    raise TimeoutError(f"still pending: {ready}; {server.log[-2000:]}")


def ask(port: int, path: str, payload: dict[str, str]) -> dict[str, object]:
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    headers = {"X-Workspace-Key": WORKSPACE_KEY}
    connection.request("POST", path, json.dumps(payload), headers)
    answer = connection.getresponse()
    assert answer.status == 200
    found: dict[str, object] = json.loads(answer.read())
    connection.close()
    return found


def remembered(server: Victim) -> dict[str, list[str]]:
    """Conversation ids by caller, each as often as it is kept."""
    found: dict[str, list[str]] = {}
    for n in range(CALLERS):
        status, answer = server.get(f"/v1/callers/%2B{caller(n)[1:]}/calls")
        calls = answer["calls"] if status == 200 else []  # type: ignore[index]
        found[caller(n)] = [call["conversation_id"] for call in calls]
    return found


def check_calls(server: Victim, account: Account) -> None:
    """Every answered delivery is one call of its own caller; nothing is there that nobody sent."""
    kept = remembered(server)
    everything = Counter(c for calls in kept.values() for c in calls)
    assert not [c for c, times in everything.items() if times != 1]
    assert {conversation(i) for i in account.answered} <= set(everything)
    assert set(everything) <= {conversation(i) for i in account.tried}
    for index in account.answered:
        assert conversation(index) in kept[caller(index % CALLERS)]
    for caller_id, calls in kept.items():
        _, one = server.get(f"/v1/callers/%2B{caller_id[1:]}")
        assert one["call_count"] == len(calls)  # type: ignore[index]


def check_memories(server: Victim, account: Account) -> None:
    """Each answered delivery taught its facts once: no memory twice, none created twice in its history."""
    for n in range(CALLERS):
        path = f"/v1/callers/%2B{caller(n)[1:]}/memories"
        _, answer = server.get(path)
        memories = answer["memories"]  # type: ignore[index]
        texts = Counter(memory["text"] for memory in memories)
        assert not [text for text, times in texts.items() if times != 1]
        for index in (i for i in account.answered if i % CALLERS == n):
            assert any(parcel(index) in text for text in texts), parcel(index)
        some = memories[len(memories) // 2]
        _, answer = server.get(f"{path}/{some['id']}/history")
        actions = Counter(change["action"] for change in answer["history"])  # type: ignore[index]
        assert actions["created"] == 1


def check_answers(server: Victim, account: Account) -> None:
    """The phone rings and the agent is told of all calls, and finds the one it looks for."""
    kept = remembered(server)
    for n in range(CALLERS):
        told = ask(server.port, "/client-data", {"caller_id": caller(n)})
        assert told["dynamic_variables"]["memory_count"] == str(len(kept[caller(n)]))  # type: ignore[index]
        index = max(i for i in account.answered if i % CALLERS == n)
        found = ask(server.port, "/retrieve", {"query": parcel(index), "user_id": caller(n)})
        assert parcel(index) in found["memories"][0]  # type: ignore[index]


def check(server: Victim, account: Account) -> None:
    drain(server)
    _, dead = server.get("/v1/dead-letters")
    assert dead == {"dead_letters": [], "next_cursor": None}
    assert account.unexpected == []
    check_calls(server, account)
    check_memories(server, account)
    check_answers(server, account)


def wait_for_an_instant(server: Victim, account: Account, dice: random.Random) -> None:
    """While it starts, while it works, or right after it has answered 200: a third of the kills each."""
    which = dice.randrange(3)
    if which > 0:
        server.wait_until_up()
    if which == 2:
        account.fresh_answer.clear()
        account.fresh_answer.wait(2)
    else:
        time.sleep(dice.uniform(0.0, 0.5))


@pytest.mark.timeout(240)
def test_a_server_killed_fifty_times_loses_nothing_it_accepted(tmp_path: Path) -> None:
    dice = random.Random(20260101)
    server = Victim(tmp_path, free_port(), WORKER_LEASE=LEASE)
    server.start()
    try:
        server.wait_until_up()
        with traffic(server.port, senders=3) as account:
            for _ in range(50):
                wait_for_an_instant(server, account, dice)
                server.kill()
                server.start()
            server.wait_until_up()
        assert server.lives == 51
        assert account.broken > 20
        assert len(account.answered) > 50
        check(server, account)
    finally:
        server.end()


@pytest.mark.timeout(120)
def test_a_worker_of_its_own_killed_again_and_again_loses_nothing(tmp_path: Path) -> None:
    dice = random.Random(20260102)
    server = Victim(tmp_path, free_port(), WORKER="off")
    worker = Victim(tmp_path, server.port, "worker", WORKER_LEASE=LEASE)
    server.start()
    try:
        server.wait_until_up()
        with traffic(server.port, senders=3) as account:
            worker.start()
            for _ in range(10):
                time.sleep(dice.uniform(0.3, 1.0))
                worker.kill()
                worker.start()
        assert account.broken == 0
        check(server, account)
    finally:
        worker.end()
        server.end()
