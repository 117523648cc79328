"""What recall was taught with."""

import json
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from agentic_memory.backends.embedders.encoder import Encoder
from agentic_memory.backends.embedders.usem3 import package
from tests.recall.calls import Person, everyone, read
from training.lessons import PEOPLE, Lessons, lessons

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


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder.of(package(), {})


@pytest.fixture(scope="module")
def taught(encoder: Encoder) -> list[Lessons]:
    return list(lessons(TAUGHT[:3], encoder))


def test_every_row_leads_to_a_passage_and_every_question_has_an_answer_among_them(taught: list[Lessons]) -> None:
    for of in taught:
        assert len(of.rows) == len(of.owners)
        assert of.owners.min() >= 0 and of.owners.max() < of.other_steps.shape[1]
        assert of.other_steps.shape == of.answers.shape == (len(of.questions), of.other_steps.shape[1])
        assert np.allclose(of.answers.sum(axis=1), 1)
        assert np.isfinite(of.other_steps).all()


def test_keywords_count_half_of_their_question(taught: list[Lessons]) -> None:
    for person, of in zip(TAUGHT, taught, strict=False):
        asked = [q for q in person.questions if q.evidence]
        assert (of.weights == 1).sum() == len(asked)
        assert (of.weights == 0.5).sum() == sum(q.style == "question" for q in asked)


def test_a_turn_is_read_after_the_one_before_it(encoder: Encoder, taught: list[Lessons]) -> None:
    (_, opening), (_, reply) = TAUGHT[0].calls[0].turns[:2]
    first, second = taught[0].rows[:2]
    assert (first.ids.tolist(), first.before) == encoder.tokens(opening, "")
    assert (second.ids.tolist(), second.before) == encoder.tokens(reply, opening)
    assert second.before > 1
