"""From Mem0 Cloud to the engine and back: nothing is lost, nothing comes twice."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from agentic_memory.backends.embedders.lexical import LexicalOnly
from agentic_memory.backends.in_memory.records import InMemoryRecords
from agentic_memory.backends.mem0_cloud.backend import Mem0Memory
from agentic_memory.backends.mem0_cloud.transfer import Mem0Side
from agentic_memory.domain.call import Call, Role, Turn
from agentic_memory.domain.records import Moved
from agentic_memory.engine.extract.rules import RuleExtractor
from agentic_memory.engine.memory import Engine, Model
from agentic_memory.engine.recall import CallerCache
from agentic_memory.errors import MemoryServiceUnavailable, MemoryUnavailable
from agentic_memory.service.migrate import EngineSide, Migrate
from tests.fakes import FrozenClock
from tests.mem0_emulator.process import Account, EmulatorProcess
from tests.mem0_emulator.remembering import at_once
from tests.unit.extract.calls import dialogue

Opened = Callable[..., Mem0Memory]
TENANT = "default"
ANA, BEN = "+15550100001", "+15550100002"
START, DAY = 1_790_000_000.0, 86_400.0


def call(day: int, *lines: str, caller_id: str = ANA, **more: str) -> Call:
    made = dialogue(*lines, **more)
    return replace(made, conversation_id=f"conv_{caller_id[-1]}_{day}", caller_id=caller_id, started_at=START + day * DAY, language="en", duration=61.5, agent_id="agent_1")


CALLS = (
    call(1, "A: Who is calling?", "C: My name is Ana. I prefer email updates.", summary="Ana introduced herself."),
    call(2, "A: Yes?", "C: Yes.", "C: I live in Lisbon now. My sister is called Marta.", preferred_contact="phone"),
    call(3, "A: Yes?", "C: Yes.", "C: My name is Ben.", caller_id=BEN),
)
LONG = replace(CALLS[2], conversation_id="conv_long", turns=(Turn(0, Role.CALLER, "so it goes, " * 900, 0.0),))


def at_once_or_never(seconds: float) -> None:
    raise AssertionError(f"nothing is to be waited for, not {seconds} s")


def ended(seconds: float) -> None:
    """Whoever would wait is ended instead."""
    raise MemoryUnavailable


def engine_side() -> tuple[EngineSide, Engine, InMemoryRecords]:
    records = InMemoryRecords()
    return EngineSide(records), Engine(records, Model(LexicalOnly()), RuleExtractor(), CallerCache(1_000_000)), records


def seen(moved: Moved | None) -> object:
    """What must be the same on both sides."""
    assert moved is not None
    calls = [(r.call.conversation_id, r.call.started_at, r.call.duration, r.call.summary, r.call.turns) for r in moved.records.calls]
    memories = [(m.id, m.text, m.category, m.slot, m.value, m.created_at, m.evidence, m.superseded_by, m.valid_from, m.valid_until) for m in moved.records.memories]
    return calls, memories, moved.records.caller.brief, dict(moved.forgotten)


def test_there_and_back(account: Account, emulator: EmulatorProcess, opened: Opened) -> None:
    first, engine, _ = engine_side()
    for one in (*CALLS, LONG):
        engine.remember(one)
    chosen = next(m for m in engine.memories(TENANT, ANA) if "Lisbon" in m.text)
    engine.edit(TENANT, ANA, chosen.id, "User lives in Porto", START + 9 * DAY)
    gone = next(m for m in engine.memories(TENANT, ANA) if "Marta" in m.text)
    engine.delete(TENANT, ANA, gone.id, START + 9 * DAY)
    mem0 = Mem0Side(opened(account))
    tally = Migrate(first, mem0, at_once_or_never)(TENANT)
    assert tally.is_complete
    assert (tally.callers, tally.calls, tally.already_there) == (2, 4, 0)
    assert seen(mem0.read(TENANT, ANA)) == seen(first.read(TENANT, ANA))
    assert seen(mem0.read(TENANT, BEN)) == seen(first.read(TENANT, BEN))
    second, other, _ = engine_side()
    assert Migrate(mem0, second, at_once_or_never)(TENANT) == tally
    assert seen(second.read(TENANT, ANA)) == seen(first.read(TENANT, ANA))
    assert seen(second.read(TENANT, BEN)) == seen(first.read(TENANT, BEN))
    assert other.remember(replace(CALLS[1], title="once more"))
    texts = {m.text for m in other.memories(TENANT, ANA)}
    assert "User lives in Porto" in texts
    assert not [text for text in texts if "Marta" in text]


def test_what_is_there_is_not_moved_twice(account: Account, opened: Opened) -> None:
    first, engine, _ = engine_side()
    for one in CALLS:
        engine.remember(one)
    mem0 = Mem0Side(opened(account))
    Migrate(first, mem0, at_once_or_never)(TENANT)
    before = account.memories
    again = Migrate(first, mem0, at_once_or_never)(TENANT)
    assert (again.already_there, again.is_complete) == (2, True)
    assert account.memories == before


@pytest.mark.parametrize("adds", [1, 2, 3, 4])
def test_cut_short_it_goes_on_where_it_was(account: Account, opened: Opened, adds: int) -> None:
    first, engine, _ = engine_side()
    for one in CALLS:
        engine.remember(one)
    mem0 = Mem0Side(opened(account))
    for _ in range(adds):
        account.fault("extra", "/v3/memories/add/")
    account.fault("status", "/v3/memories/add/", status=500)
    with pytest.raises(MemoryUnavailable):
        Migrate(first, mem0, ended)(TENANT)
    assert Migrate(first, mem0, at_once_or_never)(TENANT).is_complete
    assert seen(mem0.read(TENANT, ANA)) == seen(first.read(TENANT, ANA))
    texts = [(m["user_id"], m["memory"]) for m in account.memories]
    assert len(texts) == len(set(texts)), "something is there twice"


def test_what_other_software_left_comes_with_its_metadata_and_time(account: Account, emulator: EmulatorProcess, opened: Opened) -> None:
    kept = {"type": "factual", "conversation_id": "conv_old", "shop": "north"}
    account.add(ANA, "User prefers email updates", metadata=kept, timestamp=int(START))
    account.add(ANA, "We talked about boats.", metadata={"type": "semantic", "conversation_id": "conv_old"}, timestamp=int(START))
    account.add(ANA, "Has a dog", timestamp=int(START + DAY))
    side, engine, _ = engine_side()
    assert Migrate(Mem0Side(opened(account)), side, at_once_or_never)(TENANT).is_complete
    memories = {m.text: m for m in engine.memories(TENANT, ANA)}
    assert memories["User prefers email updates"].metadata["mem0"] == kept
    assert [memories[t].created_at for t in ("User prefers email updates", "Has a dog")] == [START, START + DAY]
    brief = engine.brief(TENANT, ANA)
    assert brief is not None
    assert (brief.memory_count, brief.greeting_preference) == (1, "email updates")
    empty = at_once(emulator.account())
    assert Migrate(side, Mem0Side(opened(empty)), at_once_or_never)(TENANT).is_complete
    assert sorted(m["memory"] for m in empty.memories) == sorted(m["memory"] for m in account.memories)
    assert kept in [m["metadata"] for m in empty.memories]


def test_what_is_lost_on_the_way_is_counted() -> None:
    class Forgetful(EngineSide):
        def write(self, tenant: str, moved: Moved) -> None:
            super().write(tenant, replace(moved, records=replace(moved.records, calls=(), memories=moved.records.memories[1:])))

    source, engine, _ = engine_side()
    engine.remember(CALLS[0])
    tally = Migrate(source, Forgetful(InMemoryRecords()), at_once_or_never)(TENANT)
    assert not tally.is_complete
    assert (tally.missing_calls, tally.missing_memories) == (1, 1)


def test_where_mem0_asks_for_time_it_is_given_and_nothing_is_moved_twice(account: Account, opened: Opened) -> None:
    first, engine, _ = engine_side()
    for one in CALLS:
        engine.remember(one)
    clock = FrozenClock()
    mem0 = Mem0Side(opened(account, clock=clock, pause=clock.tick))
    account.fault("extra", "/v3/memories/add/", times=2)
    account.fault("status", "/v3/memories/add/", status=429, headers={"Retry-After": "7"})
    waited: list[float] = []

    def wait(seconds: float) -> None:
        waited.append(seconds)
        clock.tick(seconds)

    assert Migrate(first, mem0, wait)(TENANT).is_complete
    assert waited == [7.0]
    texts = [(m["user_id"], m["memory"]) for m in account.memories]
    assert len(texts) == len(set(texts))


@pytest.mark.parametrize(("failures", "waits"), [(1, [1.0]), (100, [1.0, 5.0, 15.0, 60.0])])
def test_what_has_worked_before_is_tried_again_but_not_for_ever(account: Account, opened: Opened, failures: int, waits: list[float]) -> None:
    _, engine, records = engine_side()
    for one in CALLS:
        engine.remember(one)
    waited: list[float] = []
    mem0 = Mem0Side(opened(account))

    class SecondFails(EngineSide):
        """Down once its first caller has been moved."""

        reads = 0

        def read(self, tenant: str, caller_id: str) -> Moved | None:
            self.reads += 1
            if 2 <= self.reads < 2 + failures:
                raise MemoryServiceUnavailable(reason="down")
            return super().read(tenant, caller_id)

    move = Migrate(SecondFails(records), mem0, waited.append)
    if failures > len(waits):
        with pytest.raises(MemoryUnavailable):
            move(TENANT)
    else:
        assert move(TENANT).callers == 2
    assert waited == waits


def test_a_memory_that_never_answered_is_told_at_once(account: Account, opened: Opened) -> None:
    account.revoke()
    first, engine, _ = engine_side()
    engine.remember(CALLS[0])
    with pytest.raises(MemoryUnavailable):
        Migrate(first, Mem0Side(opened(account)), at_once_or_never)(TENANT)
