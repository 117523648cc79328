"""What happens while a delivery is worked on: leases, erasures, long calls."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from agentic_memory import bootstrap
from agentic_memory.domain.call import Call
from agentic_memory.domain.memory import Fact
from agentic_memory.errors import LeaseLost
from agentic_memory.interfaces import server
from agentic_memory.settings import read
from tests.fakes import FrozenClock
from tests.wire import HMAC_KEY, LUCIA, START, STEFAN, WORKSPACE_KEY, House, post_call


@pytest.fixture
def on_disk(tmp_path: Path, clock: FrozenClock) -> Iterator[House]:
    """A house on a real file: inbox and records in one."""
    environment = {
        "ELEVENLABS_WORKSPACE_KEY": WORKSPACE_KEY,
        "ELEVENLABS_HMAC_KEY": HMAC_KEY,
        "EMBEDDER": "lexical",
        "DATA_DIR": str(tmp_path / "data"),
        "WORKER_LEASE": "30",
    }
    services = bootstrap.build(read(environment, folder=tmp_path), clock)
    yield House(services, clock)
    services.close()


class Meanwhile:
    """An extractor that lets something happen while a call is being remembered."""

    def __init__(self, act: object) -> None:
        self.act = act

    def extract(self, call: Call) -> tuple[Fact, ...]:
        self.act()  # type: ignore[operator]
        return ()


def test_a_caller_erased_while_their_call_is_remembered_stays_erased(on_disk: House):
    on_disk.remember(post_call("conv_1", STEFAN, [("user", "I live in Ghent.")]))
    on_disk.hang_up(post_call("conv_2", STEFAN, [("user", "One more thing.")], at=START + 99))
    services = on_disk.services
    services.engine._extractor = Meanwhile(lambda: services.forget(STEFAN))
    services.work_inbox()
    assert on_disk.ask("GET", f"/v1/callers/{STEFAN}").status == 404
    assert services.storage.records.counts("").callers == 0
    assert services.storage.inbox.counts().pending == 0
    on_disk.clock.tick(3600)
    assert on_disk.work() == 0


def test_a_lease_is_renewed_while_a_call_takes_long(on_disk: House):
    services = on_disk.services
    on_disk.hang_up(post_call("conv_long", STEFAN))
    others: list[int] = []

    def take_long() -> None:
        for _ in range(10):
            on_disk.clock.tick(services.work_inbox.renewal)
            services.work_inbox.renew()
            others.append(len(services.storage.inbox.claim(8, on_disk.clock.now(), 30.0)))

    services.engine._extractor = Meanwhile(take_long)
    assert services.work_inbox() == 1
    assert others == [0] * 10
    assert services.storage.inbox.counts().pending == 0


def test_what_waits_behind_a_long_call_is_free_for_another_worker(on_disk: House):
    services = on_disk.services
    on_disk.hang_up(post_call("conv_long", STEFAN))
    on_disk.hang_up(post_call("conv_short", LUCIA))
    taken: list[str | None] = []

    def look() -> None:
        deliveries = services.storage.inbox.claim(8, on_disk.clock.now(), 30.0)
        taken.extend(d.envelope.conversation_id for d in deliveries)

    services.engine._extractor = Meanwhile(look)
    services.work_inbox()
    assert taken == ["conv_short"]


def test_a_lost_lease_cannot_be_renewed(on_disk: House):
    inbox = on_disk.services.storage.inbox
    on_disk.hang_up(post_call("conv_1", STEFAN))
    (delivery,) = inbox.claim(1, on_disk.clock.now(), 1.0)
    on_disk.clock.tick(2)
    assert len(inbox.claim(1, on_disk.clock.now(), 1.0)) == 1
    with pytest.raises(LeaseLost):
        inbox.renew(delivery, on_disk.clock.now() + 9)


def test_a_call_that_is_known_is_not_embedded_again(on_disk: House, monkeypatch: pytest.MonkeyPatch):
    body = post_call("conv_1", STEFAN, [("user", "I live in Ghent.")])
    on_disk.remember(body)
    engine = on_disk.services.engine
    monkeypatch.setattr(engine, "_call_vectors", lambda *_, **__: pytest.fail("embedded again"))
    on_disk.services.replay.archived()
    assert on_disk.services.work_inbox() == 1


@pytest.mark.parametrize("conversation", ["../../../../tmp/pwn", "..", ".", "a/b/c", "😀", "con:1?*", "x" * 5000])
def test_any_conversation_id_is_remembered(on_disk: House, conversation: str):
    on_disk.remember(post_call(conversation, STEFAN, [("user", "I live in Ghent.")]))
    assert on_disk.variables()["memory_count"] == "1"


def test_upkeep_goes_on_beside_the_work_and_ends_with_it(on_disk: House):
    services = on_disk.services
    kept_up = threading.Event()

    def upkeep() -> bool:
        kept_up.set()
        return False

    worker = server.Worker(services.work_inbox, upkeep, services.storage.inbox, services.clock, lambda: None)
    worker.start()
    assert kept_up.wait(10)
    worker.stop()
    assert not worker.is_alive()
