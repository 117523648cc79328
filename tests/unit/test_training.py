"""What recall was taught with, and how it learns."""

import json
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from tests.recall.calls import Person, everyone, read
from training.learn import PEOPLE, Lesson, found, learn, rounded

RESERVED = re.compile(r"\+155501\d{5}")
TAUGHT = read(PEOPLE)


def test_nobody_who_taught_is_measured_on() -> None:
    measured = everyone()
    assert not {p.caller for p in TAUGHT} & {p.caller for p in measured}
    assert not {p.name for p in TAUGHT} & {p.name for p in measured}
    asked = {q.question for p in measured for q in p.questions}
    shared = [q.question for p in TAUGHT for q in p.questions if q.question in asked and q.style == "question"]
    assert len(shared) <= 0.002 * sum(len(p.questions) for p in TAUGHT), shared
    said = {text for p in measured for text in p.turns.values() if len(text) > 40}
    assert not said & {text for p in TAUGHT for text in p.turns.values()}


def test_whoever_taught_is_somebody_who_cannot_be_reached() -> None:
    assert len({p.caller for p in TAUGHT}) == len(TAUGHT)
    assert all(RESERVED.fullmatch(p.caller) for p in TAUGHT)
    ids = Counter(call.id for p in TAUGHT for call in p.calls)
    assert ids.most_common(1)[0][1] == 1


@pytest.mark.parametrize("person", TAUGHT, ids=lambda person: person.file)
def test_every_answer_is_there(person: Person) -> None:
    for asked in person.questions:
        assert asked.evidence <= set(person.turns), asked
        assert bool(asked.parts) == (asked.kind != "never"), asked


def test_nothing_but_conversations_and_questions_is_kept() -> None:
    for path in Path(PEOPLE).iterdir():
        assert path.suffix == ".json"
        assert set(json.loads(path.read_text("utf-8"))) == {
            "caller", "name", "agent_name", "languages", "business", "calls", "questions",
        }  # fmt: skip


def _lessons() -> list[Lesson]:
    """Questions along one axis whose answers lie along another: no cosine finds them, a matrix does."""
    axes, chance = np.eye(16), np.random.default_rng(3)
    made = []
    for i in range(640):
        answer, question = axes[8 + i % 8], axes[i % 8]
        others = axes[8 + chance.permutation(8)]
        others = others[(others != answer).any(axis=1)]
        passages = np.concatenate([others, answer[None]])
        answers = np.array([False] * len(others) + [True])
        made.append(Lesson(f"p{i % 5}", 1.0, question, passages.astype(np.float16), np.zeros(len(passages)), answers))
    return made


def test_it_learns_where_answers_lie() -> None:
    lessons = _lessons()
    learnt = learn(lessons)
    assert found(lessons, 0 * learnt, first=1) < 10
    assert found(lessons, learnt, first=1) == 100


def test_the_same_lessons_teach_the_same_to_the_last_bit() -> None:
    one, again = (rounded(learn(_lessons()[:64])) for _ in range(2))
    assert all(np.array_equal(one[name], again[name]) for name in one)


def test_eight_bits_are_enough() -> None:
    learnt = learn(_lessons())
    kept = rounded(learnt)
    assert kept["rows"].dtype == np.int8
    assert np.abs(kept["rows"] * kept["scales"] - learnt).max() <= np.abs(learnt).max() / 200
