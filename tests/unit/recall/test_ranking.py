import numpy as np
import pytest

from agentic_memory.engine.recall import CallerIndex, asked
from agentic_memory.engine.recall.index import AGENT, CALLER, TERSE
from agentic_memory.engine.recall.ranking import STEPS, contributions, features, totals
from tests.unit.recall.people import JUNE, MAY, MODEL, NOW, call, fact, records

FIRST = call("c1", MAY, "agent: Hello, who is calling?", "caller: Ana.", "agent: Your order number is 4711.", "caller: I prefer tea.")
SECOND = call("c2", JUNE, "caller: I moved to Basel in May.")


@pytest.fixture
def index() -> CallerIndex:
    alone = fact("m1", "Ana has a dog", "c2", None, JUNE, field="summary")
    return CallerIndex.build(records(FIRST, SECOND, memories=[alone]), MODEL)


def test_what_holds_whatever_is_asked(index: CallerIndex) -> None:
    standing = index.standing
    assert standing.joined.tolist() == [1, 1, 1, 0, 0]
    assert standing.age.tolist() == [0, 0, 0, 0, 1, 1]
    assert standing.said[AGENT].tolist() == [1, 0, 1, 0, 0, 0] and standing.said[CALLER].tolist() == [0, 1, 0, 1, 1, 0]
    assert standing.told[AGENT].tolist() == [0, 0, 1, 0, 0, 0] and not standing.told[CALLER].any()
    assert standing.substance[5] == TERSE > standing.substance[1]
    assert (standing.sizes.tolist(), standing.spans.tolist()) == ([4, 1], [0, 0, 0, 0, 1])


def test_searching_leaves_the_index_as_it_was(index: CallerIndex) -> None:
    kept = [index.traits.wish, index.traits.timed, index.standing.age, index.standing.nothing, index.standing.said]
    before = [array.copy() for array in kept]
    for query in ("When did Ana move?", "tea", "What should I drink now?", "Where did she live before?"):
        question = asked(index, query, NOW)
        first = totals(contributions(index, question, None))
        assert first.tolist() == totals(contributions(index, question, None)).tolist()
    assert all(np.array_equal(a, b) for a, b in zip(kept, before, strict=True))


def test_every_weight_is_told_under_a_step(index: CallerIndex) -> None:
    question = asked(index, "When did Ana move?", NOW)
    steps = contributions(index, question, None)
    assert set(steps) == {STEPS[name] for name in features(index, question, None)} | {"call"}
    assert all(step.shape == (6,) and step.dtype == np.float32 for step in steps.values())
    assert totals(steps) == pytest.approx(np.sum(list(steps.values()), axis=0), abs=1e-5)
