"""When what was said gets its vectors: at once, beside the worker, or with a replay where no worker stands by."""

import pytest

from agentic_memory.backends.embedders.usem3 import Usem3Embedder
from agentic_memory.backends.in_memory.records import InMemoryRecords
from agentic_memory.domain.call import Call, Role, Turn
from agentic_memory.engine import memory
from agentic_memory.engine.extract.rules import RuleExtractor
from agentic_memory.engine.memory import Engine, Model
from agentic_memory.engine.recall import CallerCache

TENANT, ANA = "default", "+15550100001"


class Former(Usem3Embedder):
    """The same model under the name of an earlier one."""

    @property
    def model_id(self) -> str:
        return "former"


def engine(records: InMemoryRecords, model: Model, *, upkeep: bool) -> Engine:
    model.load()
    return Engine(records, model, RuleExtractor(), CallerCache(1_000_000), upkeep=upkeep)


def call(number: int, turns: int = 3) -> Call:
    said = tuple(Turn(i, Role.CALLER, f"The {i}th heron stood beside pond {number}.") for i in range(turns))
    return Call(TENANT, f"conv_{number}", "agent_1", 1_781_000_000.0 + number, caller_id=ANA, turns=said)


def embedded(records: InMemoryRecords, model: Model) -> list[str]:
    """The calls with vectors of this model."""
    held = records.load(TENANT, ANA)
    assert held is not None
    return [r.call.conversation_id for r in held.calls if r.vectors is not None and r.vectors.model_id == model.vectors_id]


@pytest.fixture
def records() -> InMemoryRecords:
    return InMemoryRecords()


@pytest.fixture
def former(records: InMemoryRecords) -> Model:
    """A model that has embedded three calls."""
    model = Model(Former(1))
    earlier = engine(records, model, upkeep=True)
    assert all(earlier.remember(call(number)) for number in (1, 2, 3))
    return model


def test_without_upkeep_a_replayed_call_renews_its_callers_vectors(records: InMemoryRecords, former: Model) -> None:
    model = Model(Usem3Embedder(1))
    present = engine(records, model, upkeep=False)
    assert embedded(records, former) == ["conv_1", "conv_2", "conv_3"]
    assert not present.remember(call(2))
    assert embedded(records, model) == ["conv_1", "conv_2", "conv_3"]
    revision = records.caller(TENANT, ANA)
    assert not present.remember(call(2))
    assert records.caller(TENANT, ANA) == revision, "nothing is left to do"


def test_with_upkeep_a_replay_leaves_it_to_the_worker(records: InMemoryRecords, former: Model) -> None:
    model = Model(Usem3Embedder(1))
    present = engine(records, model, upkeep=True)
    assert not present.remember(call(2))
    assert embedded(records, model) == []
    assert present.refresh_vectors() and not present.refresh_vectors()
    assert embedded(records, model) == ["conv_1", "conv_2", "conv_3"]


def test_one_replayed_call_renews_so_much_and_no_more(
    records: InMemoryRecords, former: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "EMBEDDED_WITHOUT_UPKEEP", 7)
    model = Model(Usem3Embedder(1))
    present = engine(records, model, upkeep=False)
    present.remember(call(1))
    assert embedded(records, model) == ["conv_2", "conv_3"]
    present.remember(call(1))
    assert embedded(records, model) == ["conv_1", "conv_2", "conv_3"]


@pytest.mark.parametrize("upkeep", [True, False])
def test_a_very_long_call_waits_only_for_upkeep(records: InMemoryRecords, upkeep: bool) -> None:
    model = Model(Usem3Embedder(1))
    long = call(1, memory.EMBEDDED_AT_ONCE + 1)
    present = engine(records, model, upkeep=upkeep)
    assert present.remember(long)
    assert embedded(records, model) == ([] if upkeep else ["conv_1"])
    assert present.refresh_vectors() is upkeep
    assert embedded(records, model) == ["conv_1"]
