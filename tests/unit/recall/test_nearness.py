from dataclasses import replace

import numpy as np
import pytest

from agentic_memory.engine.recall import CallerIndex
from agentic_memory.engine.recall.nearness import nearness
from tests.unit.recall.people import MAY, MODEL, call, letters, records


def test_a_passage_is_as_near_as_its_nearest_piece() -> None:
    long = "The heating in the hall is broken. " * 20
    index = CallerIndex.build(records(call("c1", MAY, "agent: How can I help you?", f"caller: {long}")), MODEL)
    question = letters(["heating"])[0]
    rows = index.matrix @ question
    assert len(rows) > len(index.passages)
    assert nearness(index, question).tolist() == [rows[index.owners == i].max() for i in range(2)]


def test_one_without_a_row_is_middling_even_where_rows_are_as_many_as_passages() -> None:
    index = CallerIndex.build(records(call("c1", MAY, "agent: Hi.", "caller: The heating.", "agent: Yes?")), MODEL)
    uneven = replace(index, matrix=letters(["cold", "heating", "hall"]), owners=np.array([1, 1, 2]))
    question = letters(["hall"])[0]
    rows = uneven.matrix @ question
    assert nearness(uneven, question).tolist() == pytest.approx([rows.mean(), max(rows[:2]), rows[2]])
