"""A caller whom another process has erased is told by nobody, also while the database cannot be read."""

from collections.abc import Iterator
from pathlib import Path
from threading import Event
from threading import enumerate as enumerate_threads

import pytest

from agentic_memory import bootstrap
from agentic_memory.backends.in_memory.records import InMemoryRecords
from agentic_memory.bootstrap import Services
from agentic_memory.domain.briefing import Brief
from agentic_memory.domain.initiation import Ring
from agentic_memory.domain.records import CallerCommit
from agentic_memory.errors import StorageError
from agentic_memory.interfaces.worker import Beat, Beats
from agentic_memory.service.cached_brief import CachedBriefs
from agentic_memory.service.notice_erasures import NoticeErasures
from agentic_memory.settings import read
from tests.contract.samples import ANA, BEN, TENANT, caller
from tests.fakes import FrozenClock
from tests.wire import HMAC_KEY, LUCIA, STEFAN, WORKSPACE_KEY, House, post_call


@pytest.fixture
def both(tmp_path: Path, clock: FrozenClock) -> Iterator[tuple[Services, Services]]:
    """A server and a command over the same files."""
    environment = {
        "ELEVENLABS_WORKSPACE_KEY": WORKSPACE_KEY,
        "ELEVENLABS_HMAC_KEY": HMAC_KEY,
        "EMBEDDER": "lexical",
        "DATA_DIR": str(tmp_path / "data"),
    }
    serving, erasing = (bootstrap.build(read(environment, folder=tmp_path), clock) for _ in range(2))
    yield serving, erasing
    serving.close()
    erasing.close()


def test_the_last_brief_of_an_erased_caller_is_not_told_again(both: tuple[Services, Services], clock: FrozenClock) -> None:
    serving, erasing = both
    house = House(serving, clock)
    for number, name in ((STEFAN, "Stefan"), (LUCIA, "Lucía")):
        house.remember(post_call(f"conv_{number}", number, [("user", f"My name is {name}.")]))
        house.variables(number)
    assert serving.brief_caller.fallback(Ring(STEFAN)).tier == "last_good"
    serving.notice_erasures()
    assert erasing.forget(STEFAN)
    assert serving.notice_erasures() == 1
    assert serving.brief_caller.fallback(Ring(STEFAN)).tier == "unknown"
    assert serving.brief_caller.fallback(Ring(LUCIA)).tier == "last_good"
    assert serving.notice_erasures() == 0


def test_who_calls_again_after_an_erasure_is_not_told_from_before(both: tuple[Services, Services], clock: FrozenClock) -> None:
    serving, erasing = both
    house = House(serving, clock)
    house.remember(post_call("conv_1", STEFAN, [("user", "My name is Stefan.")]))
    house.variables()
    erasing.forget(STEFAN)
    house.remember(post_call("conv_2", STEFAN, [("user", "My name is Peter.")]))
    assert serving.notice_erasures() == 1
    assert serving.brief_caller.fallback(Ring(STEFAN)).tier == "unknown"
    assert house.variables()["caller_name"] == "Peter"


class Telling:
    """A memory far away that tells the same of everybody."""

    def brief(self, tenant: str, caller_id: str) -> Brief | None:
        return Brief(caller_name=caller_id, memory_count=1)


def test_what_was_read_from_afar_is_read_again(clock: FrozenClock) -> None:
    records = InMemoryRecords()
    cached = CachedBriefs(Telling(), records, clock)  # type: ignore[arg-type]
    for who in (ANA, BEN):
        cached.brief(TENANT, who)
    notice = NoticeErasures(records, [cached])
    assert notice() == 0
    records.erase(TENANT, ANA)
    assert notice() == 1
    assert [who for _, who, _ in cached.kept()] == [BEN]
    assert cached.last_good(TENANT, ANA) is None


class Counting(InMemoryRecords):
    """Counts how often callers are looked up; cannot be read when told so."""

    looked = 0
    broken = False

    def caller(self, tenant: str, caller_id: str):  # type: ignore[no-untyped-def]
        if self.broken:
            raise StorageError(reason="broken")
        self.looked += 1
        return super().caller(tenant, caller_id)


class Keeping:
    """Keeps one brief."""

    def __init__(self) -> None:
        self.briefs = {(TENANT, ANA): caller().brief}

    def kept(self) -> list[tuple[str, str, Brief | None]]:
        return [(*who, brief) for who, brief in self.briefs.items()]

    def drop(self, tenant: str, caller_id: str) -> None:
        del self.briefs[tenant, caller_id]


def test_nobody_is_looked_up_while_nobody_is_erased() -> None:
    records, keeping = Counting(), Keeping()
    records.commit(CallerCommit(caller()))
    notice = NoticeErasures(records, [keeping])
    notice()
    looked = records.looked
    notice()
    assert records.looked == looked
    records.erase(TENANT, ANA)
    records.broken = True
    with pytest.raises(StorageError):
        notice()
    assert keeping.briefs
    records.broken = False
    assert notice() == 1
    assert not keeping.briefs


def test_beats_end_when_they_are_told_to() -> None:
    beaten = Event()
    beats = Beats([Beat("a beat of the test", 0.0, beaten.set)])
    beats.start()
    assert beaten.wait(10)
    beats.stop()
    assert "a beat of the test" not in {thread.name for thread in enumerate_threads()}
