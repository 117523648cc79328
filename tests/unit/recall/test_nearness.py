from dataclasses import replace

import numpy as np
import pytest

from agentic_memory.engine.recall import CallerIndex
from agentic_memory.engine.recall.adapter import FILES, adapter
from agentic_memory.engine.recall.nearness import Nearness
from tests.unit.recall.people import MAY, MODEL, call, letters, records

LEARNT = next(iter(FILES))
TALK = call("c1", MAY, "agent: How can I help you?", "caller: The heating in the hall is broken.")


@pytest.mark.parametrize("model_id", FILES)
def test_what_was_learnt_turns_a_vector_into_another_of_its_length(model_id: str) -> None:
    learnt = adapter(model_id)
    assert learnt is not None and learnt.dtype == np.float32 and np.isfinite(learnt).all()
    assert learnt.shape[0] == learnt.shape[1]
    assert 0 < np.linalg.norm(learnt, 2) < 5


def test_nothing_was_learnt_for_a_model_that_nobody_taught() -> None:
    assert adapter("other@1") is None
    near = Nearness.of(CallerIndex.build(records(TALK), MODEL), letters(["heating"])[0])
    assert near.answers is None
    assert near.meaning.argmax() == 1


def test_what_was_learnt_for_other_lengths_is_left_out() -> None:
    held = records(TALK, model=LEARNT)
    near = Nearness.of(CallerIndex.build(held, LEARNT), letters(["heating"])[0])
    assert near.answers is None


def test_a_passage_is_as_near_as_its_nearest_piece_and_one_without_is_middling() -> None:
    index = CallerIndex.build(records(TALK), MODEL)
    question = letters(["heating"])[0]
    rows = index.matrix @ question
    near = Nearness.of(index, question)
    assert [near.meaning[i] for i in range(2)] == [rows[index.owners == i].max() for i in range(2)]
    assert 0 <= near.likeness(0) <= near.likeness(1) <= 1


def test_as_many_rows_as_passages_are_not_one_each() -> None:
    index = CallerIndex.build(records(call("c1", MAY, "agent: Hi.", "caller: The heating.", "agent: Yes?")), MODEL)
    uneven = replace(index, matrix=letters(["cold", "heating", "hall"]), owners=np.array([1, 1, 2]))
    question = letters(["hall"])[0]
    rows = uneven.matrix @ question
    assert Nearness.of(uneven, question).meaning.tolist() == pytest.approx([rows.mean(), max(rows[:2]), rows[2]])
