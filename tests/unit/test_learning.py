"""How the encoder learns: in the environment of `make learn`, `make test-learn`."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="`make test-learn` has torch, which nothing else needs")

import torch

from agentic_memory.backends.embedders import towers
from tests.recall.calls import Person, read
from training.learn import Learner, plain
from training.lessons import PEOPLE, Lessons, lessons


@pytest.fixture(scope="module")
def given() -> list[Lessons]:
    few = sorted(Path(PEOPLE).glob("p1_*.json"))[:3]
    people: list[Person] = [p for p in read(PEOPLE) if p.file in {path.stem for path in few}]
    return list(lessons(people, plain()))


def test_a_tower_computes_what_the_encoder_computes(given: list[Lessons]) -> None:
    encoder = plain()
    tower = Learner(encoder).said
    rows = given[0].rows[:60]
    there = encoder.through(towers.SAID, [(row.ids.tolist(), row.before) for row in rows])
    assert np.allclose(tower(rows).detach().numpy(), there, atol=1e-5)


def test_it_learns_where_answers_lie(given: list[Lessons], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.learn.EPOCHS", 4)
    monkeypatch.setattr("training.learn.WARM", 1)
    learner = Learner(plain())
    alone = learner.found(given, 0.0)
    learner.learn(given)
    assert learner.found(given, 0.0) > alone + 5
    assert learner.likeness(given[0]).shape == given[0].other_steps.shape


def test_the_same_lessons_teach_the_same_to_the_last_bit_in_whatever_order_sums_are_made(
    given: list[Lessons], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.learn.EPOCHS", 2)
    made = []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        learner = Learner(plain())
        learner.learn(given)
        made.append(learner.rounded())
    assert all(np.array_equal(made[0][name], made[1][name]) for name in made[0])
