"""The cache before Mem0: how long a brief is fresh, and what is told when it cannot be had."""

from collections.abc import Callable

import pytest

from agentic_memory.backends.in_memory.inbox import InMemoryInbox
from agentic_memory.backends.in_memory.records import InMemoryRecords
from agentic_memory.backends.mem0_cloud.backend import Mem0Memory
from agentic_memory.domain.briefing import Brief
from agentic_memory.domain.delivery import Delivery, NewDelivery
from agentic_memory.errors import MemoryServiceUnavailable, MemoryUnavailable, StorageFull
from agentic_memory.service.cached_brief import FRESH_SECONDS, CachedBriefs
from agentic_memory.service.remember_call import EventOutcome
from agentic_memory.service.work_inbox import RetryRules, WorkInbox
from tests.fakes import FrozenClock
from tests.mem0_emulator.process import Account
from tests.unit.extract.calls import dialogue

TENANT, ANA = "default", "+15550100001"
CALL = dialogue("A: Who is calling?", "C: My name is Ana. I prefer email updates.", summary="Ana introduced herself.")
Opened = Callable[..., Mem0Memory]


class House:
    """A cache over the emulator, with a clock to turn."""

    def __init__(self, memory: Mem0Memory, records: InMemoryRecords, clock: FrozenClock) -> None:
        self.clock, self.records = clock, records
        self.cached = CachedBriefs(memory, records, clock)

    def name(self) -> str:
        brief = self.cached.brief(TENANT, ANA)
        return brief.caller_name if brief else ""


@pytest.fixture
def house(account: Account, opened: Opened) -> House:
    clock = FrozenClock()
    return House(opened(account, clock=clock), InMemoryRecords(), clock)


def test_a_fresh_brief_costs_no_journey(house: House, account: Account) -> None:
    house.cached.remember(CALL)
    account.clear()
    house.clock.tick(FRESH_SECONDS - 1)
    assert house.name() == "Ana"
    assert account.requests == []
    house.clock.tick(2)
    assert house.name() == "Ana"
    assert len(account.requests) == 1


def test_a_stranger_is_cached_too_and_known_after_their_call(house: House, account: Account) -> None:
    assert house.name() == ""
    asked = len(account.requests)
    assert house.name() == ""
    assert len(account.requests) == asked
    house.cached.remember(CALL)
    assert house.name() == "Ana"


def test_the_last_good_brief_outlives_the_process(house: House, account: Account, opened: Opened) -> None:
    house.cached.remember(CALL)
    account.fault("status", "/v3/", status=500, times=100)
    later = House(opened(account, clock=house.clock), house.records, house.clock)
    with pytest.raises(MemoryUnavailable):
        later.name()
    last = later.cached.last_good(TENANT, ANA)
    assert last is not None
    assert last.caller_name == "Ana"
    assert later.cached.last_good(TENANT, "+15550100002") is None


def test_a_store_that_is_full_costs_the_ring_nothing(account: Account, opened: Opened) -> None:
    class Full(InMemoryRecords):
        def commit(self, commit: object) -> object:  # type: ignore[override]
            raise StorageFull

    house = House(opened(account), Full(), FrozenClock())
    house.cached.remember(CALL)
    assert house.name() == "Ana"


def test_what_was_changed_by_hand_is_told_at_once(house: House) -> None:
    house.cached.remember(CALL)
    name = next(m for m in house.cached.memories(TENANT, ANA) if m.slot == "name")
    house.cached.edit(TENANT, ANA, name.id, "User's name is Anna", CALL.started_at + 10)
    assert house.name() == "Anna"
    house.cached.delete(TENANT, ANA, name.id, CALL.started_at + 20)
    assert house.name() == ""


def test_a_brief_that_was_being_read_while_its_caller_was_forgotten_is_not_kept(account: Account, opened: Opened) -> None:
    house = House(opened(account), InMemoryRecords(), FrozenClock())
    house.cached.remember(CALL)

    class Interrupted:
        """Reads the brief, then is overtaken by an erasure."""

        def brief(self, tenant: str, caller_id: str) -> Brief | None:
            brief = memory.brief(tenant, caller_id)
            cached.forget(tenant, caller_id)
            return brief

        def __getattr__(self, name: str) -> object:
            return getattr(memory, name)

    memory, records = opened(account), InMemoryRecords()
    cached = CachedBriefs(Interrupted(), records, FrozenClock())  # type: ignore[arg-type]
    cached.brief(TENANT, ANA)
    assert cached.last_good(TENANT, ANA) is None
    assert records.caller(TENANT, ANA) is None


@pytest.mark.parametrize(("asked", "wait"), [(300.0, 300.0), (0.5, 2.0), (1e9, 3600.0), (None, 2.0)])
def test_a_delivery_is_not_tried_again_before_the_service_wants_it(asked: float | None, wait: float) -> None:
    clock, inbox = FrozenClock(), InMemoryInbox()

    def process(delivery: Delivery) -> tuple[EventOutcome, ...]:
        raise MemoryServiceUnavailable(reason="status 429", retry_after=asked)

    class Nobody:
        def attempt(self, outcome: str, seconds: float) -> None: ...
        def event(self, outcome: str) -> None: ...

    work = WorkInbox(inbox, process, clock, RetryRules(), lambda: 0.0, Nobody())
    inbox.submit(NewDelivery(TENANT, "test", "key", b"{}", clock.now())).result()
    assert work() == 1
    assert inbox.next_due() == clock.now() + wait
