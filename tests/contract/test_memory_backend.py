"""What every memory of callers keeps, whatever it stores them in."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import permutations

import pytest

from agentic_memory.backends.embedders.lexical import LexicalOnly
from agentic_memory.backends.in_memory.records import InMemoryRecords
from agentic_memory.backends.mem0_cloud.backend import Mem0Memory
from agentic_memory.backends.sqlite.records import SqliteRecords
from agentic_memory.domain.call import Call
from agentic_memory.engine.extract.rules import RuleExtractor
from agentic_memory.engine.memory import Engine, Model
from agentic_memory.engine.recall import CallerCache
from agentic_memory.errors import NotFound
from agentic_memory.ports import MemoryBackend, RecordStore
from agentic_memory.service.cached_brief import CachedBriefs
from tests.fakes import FrozenClock
from tests.mem0_emulator.process import EmulatorProcess
from tests.mem0_emulator.remembering import at_once, mem0_memory
from tests.unit.extract.calls import dialogue

TENANT = "default"
ANA, BEN = "+15550100001", "+15550100002"
DAY = 86_400.0
START = 1_790_000_000.0
NOW = START + 100 * DAY


def _engine(records: RecordStore) -> MemoryBackend:
    return Engine(records, Model(LexicalOnly()), RuleExtractor(), CallerCache(1_000_000))


@pytest.fixture(scope="module")
def mem0_emulator() -> Iterator[EmulatorProcess]:
    with EmulatorProcess() as running:
        yield running


@pytest.fixture(params=["engine over in_memory", "engine over sqlite", "mem0", "mem0 cached"])
def memory(request: pytest.FixtureRequest) -> Iterator[MemoryBackend]:
    kind = request.param.split()[-1]
    if request.param.startswith("engine"):
        yield _engine(InMemoryRecords() if kind == "in_memory" else SqliteRecords(request.getfixturevalue("database")))
        return
    memory: Mem0Memory = mem0_memory(at_once(request.getfixturevalue("mem0_emulator").account()))
    yield memory if kind == "mem0" else CachedBriefs(memory, InMemoryRecords(), FrozenClock())
    memory.close()


def call(day: int, *lines: str, caller_id: str = ANA, name: str = "", **more: str) -> Call:
    made = dialogue(*lines, **more)
    return replace(made, conversation_id=name or f"conv_{day}", caller_id=caller_id, started_at=START + day * DAY, language="en")


NAMED = call(1, "A: Who is calling?", "C: My name is Ana. I prefer email updates.", summary="Ana introduced herself.")
MOVED = call(5, "A: What is new?", "C: I live in Lisbon now. Please call me by phone from now on.", preferred_contact="phone")
MADRID = call(3, "A: Where are you?", "C: I live in Madrid.")
LISBON = call(4, "A: Where are you?", "C: I live in Lisbon now.")
PIANO = call(9, "A: How are you?", "C: My brother Tom sold the old piano.", summary="Ana told of the piano.")


def texts(memory: MemoryBackend, caller_id: str = ANA) -> set[tuple[str, bool]]:
    return {(m.text, m.is_current) for m in memory.memories(TENANT, caller_id)}


def found(memory: MemoryBackend, query: str, caller_id: str = ANA, limit: int = 5) -> str:
    return " | ".join(f.text for f in memory.search(TENANT, caller_id, query, limit, NOW).results)


def test_nothing_is_known_of_a_stranger(memory: MemoryBackend) -> None:
    assert memory.brief(TENANT, ANA) is None
    assert memory.search(TENANT, ANA, "piano", 5, NOW).results == ()
    assert memory.memories(TENANT, ANA) == ()
    assert memory.forget(TENANT, ANA) is False
    memory.warm(TENANT, ANA)


def test_a_call_is_remembered_once(memory: MemoryBackend) -> None:
    assert memory.remember(NAMED) is True
    before = (texts(memory), memory.brief(TENANT, ANA))
    assert memory.remember(NAMED) is False
    assert (texts(memory), memory.brief(TENANT, ANA)) == before
    brief = memory.brief(TENANT, ANA)
    assert brief is not None
    assert (brief.caller_name, brief.memory_count) == ("Ana", 1)


def test_a_later_version_of_a_conversation_takes_its_place(memory: MemoryBackend) -> None:
    memory.remember(NAMED)
    later = replace(PIANO, conversation_id=NAMED.conversation_id, started_at=NAMED.started_at)
    assert memory.remember(later) is True
    brief = memory.brief(TENANT, ANA)
    assert brief is not None
    assert brief.memory_count == 1
    assert "piano" in found(memory, "what was sold?", limit=10)
    assert "email" not in found(memory, "email updates", limit=10)


@pytest.mark.parametrize("kind", ["engine", "mem0"])
def test_calls_may_come_in_any_order(kind: str, mem0_emulator: EmulatorProcess) -> None:
    outcomes = []
    for order in permutations((NAMED, MOVED, PIANO)):
        mem0 = mem0_memory(at_once(mem0_emulator.account()))
        memory: MemoryBackend = mem0 if kind == "mem0" else _engine(InMemoryRecords())
        for one in order:
            memory.remember(one)
        outcomes.append((memory.memories(TENANT, ANA), memory.brief(TENANT, ANA)))
        mem0.close()
    assert all(outcome == outcomes[0] for outcome in outcomes)


def test_a_search_finds_the_words_of_this_caller_alone(memory: MemoryBackend) -> None:
    memory.remember(PIANO)
    memory.remember(call(2, "A: Yes?", "C: We bought a grand piano.", caller_id=BEN, name="conv_ben"))
    assert "old piano" in found(memory, "piano")
    assert "grand" not in found(memory, "piano")
    assert "grand" in found(memory, "piano", BEN)


def no_longer_true(memory: MemoryBackend) -> set[bool]:
    """Whether what is found of Madrid is marked; each mark is in the words too."""
    results = memory.search(TENANT, ANA, "I live in Madrid", 20, NOW).results
    assert all(r.superseded == r.text.endswith(" (no longer true)") for r in results)
    return {r.superseded for r in results if "Madrid" in r.text}


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_search_marks_what_holds_no_longer_until_it_holds_again(memory: MemoryBackend, order: tuple[int, int]) -> None:
    for i in order:
        memory.remember((MADRID, LISBON)[i])
    assert no_longer_true(memory) == {True}
    memory.remember(replace(MADRID, conversation_id="conv_8", started_at=START + 8 * DAY))
    assert no_longer_true(memory) == {False}


def test_a_mark_goes_when_an_operator_takes_away_its_reason(memory: MemoryBackend) -> None:
    for one in (MADRID, LISBON):
        memory.remember(one)
    chosen = next(m for m in memory.memories(TENANT, ANA) if m.is_current and m.value == "Lisbon")
    memory.delete(TENANT, ANA, chosen.id, NOW)
    assert no_longer_true(memory) == {False}


@pytest.mark.parametrize("limit", [1, 2, 50])
def test_a_search_gives_no_more_than_it_was_asked_for(memory: MemoryBackend, limit: int) -> None:
    for one in (NAMED, MOVED, PIANO):
        memory.remember(one)
    results = memory.search(TENANT, ANA, "piano", limit, NOW).results
    assert 1 <= len(results) <= limit
    assert "piano" in results[0].text
    assert len({r.id for r in results}) == len(results)


def test_every_result_can_be_traced(memory: MemoryBackend) -> None:
    memory.remember(PIANO)
    for result in memory.search(TENANT, ANA, "the old piano", 5, NOW).results:
        assert result.conversation_id == PIANO.conversation_id
        assert "\n" not in result.text
        if result.turn is not None:
            assert result.quote
            assert result.quote in PIANO.turns[result.turn].text


def test_what_an_operator_set_is_not_undone(memory: MemoryBackend) -> None:
    memory.remember(NAMED)
    chosen = next(m for m in memory.memories(TENANT, ANA) if "email" in m.text)
    edited = memory.edit(TENANT, ANA, chosen.id, "User prefers letters", NOW)
    assert (edited.text, edited.version) == ("User prefers letters", chosen.version + 1)
    memory.remember(replace(NAMED, title="once more"))
    memory.remember(PIANO)
    assert ("User prefers letters", True) in texts(memory)
    assert not [text for text, current in texts(memory) if current and "prefers email" in text]


def test_what_was_deleted_does_not_come_back(memory: MemoryBackend) -> None:
    memory.remember(NAMED)
    chosen = next(m for m in memory.memories(TENANT, ANA) if "email" in m.text)
    memory.delete(TENANT, ANA, chosen.id, NOW)
    assert chosen.id not in {m.id for m in memory.memories(TENANT, ANA)}
    memory.remember(replace(NAMED, title="once more"))
    assert not [text for text, _ in texts(memory) if "prefers email" in text]


def test_only_what_is_there_can_be_mended(memory: MemoryBackend) -> None:
    memory.remember(NAMED)
    with pytest.raises(NotFound):
        memory.edit(TENANT, ANA, "mem_none", "x", NOW)
    with pytest.raises(NotFound):
        memory.delete(TENANT, BEN, memory.memories(TENANT, ANA)[0].id, NOW)


def test_a_forgotten_caller_is_a_stranger(memory: MemoryBackend) -> None:
    memory.remember(NAMED)
    memory.remember(call(2, "A: Yes?", "C: My name is Ben.", caller_id=BEN, name="conv_ben"))
    memory.warm(TENANT, ANA)
    assert memory.forget(TENANT, ANA) is True
    assert memory.forget(TENANT, ANA) is False
    assert memory.brief(TENANT, ANA) is None
    assert found(memory, "email") == ""
    assert memory.memories(TENANT, ANA) == ()
    assert memory.memories(TENANT, BEN)
    assert memory.remember(NAMED) is True
