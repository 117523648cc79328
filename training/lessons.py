"""From invented people to what can be learnt: for each question which of the caller's passages answer it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agentic_memory.backends.embedders.encoder import Encoder
from agentic_memory.backends.embedders.usem3 import readable
from agentic_memory.domain.caller import DEFAULT_TENANT
from agentic_memory.engine.recall import CallerIndex, asked, call_texts
from agentic_memory.engine.recall.index import Passage
from agentic_memory.engine.recall.ranking import contributions, totals
from agentic_memory.engine.recall.vectors import pieces
from agentic_memory.ports import Said
from tests.recall.calls import Person, Place
from tests.recall.measure import keywords, remembered

PEOPLE = Path(__file__).parent / "people"
KEYWORDS_WEIGHT = 0.5
"""What a question's keywords count against the question."""


@dataclass(frozen=True)
class Tokens:
    """A text as the encoder reads it."""

    ids: NDArray[np.int64]
    before: int
    """How many of them were said before it."""


@dataclass(frozen=True)
class Lessons:
    """All questions about one person, asked of all their passages."""

    person: str
    rows: tuple[Tokens, ...]
    owners: NDArray[np.int64]
    """int[rows]: the passage that each row leads to."""
    questions: tuple[Tokens, ...]
    other_steps: NDArray[np.float64]
    """float[questions, passages]: what the ranking gives without meaning."""
    answers: NDArray[np.float64]
    """float[questions, passages]: 1 where the passage answers, shared among those that do."""
    weights: NDArray[np.float64]
    """float[questions]: how much each counts."""


def lessons(people: Sequence[Person], encoder: Encoder) -> Iterator[Lessons]:
    """Of each person. The ranking's other steps need no vectors, hence nothing is embedded here."""
    with remembered("lexical", people) as house:
        for person in people:
            held = house.services.storage.records.load(DEFAULT_TENANT, person.caller)
            assert held is not None
            held = replace(held, memories=(), memory_vectors={})  # turns alone: facts may be told otherwise one day
            yield _of(person, CallerIndex.build(held, house.services.model.vectors_id), encoder)


def _of(person: Person, index: CallerIndex, encoder: Encoder) -> Lessons:
    rows, owners = _rows(index)
    nothing = np.zeros(len(index.passages), dtype=np.float32)
    places = [_place(person, passage) for passage in index.passages]
    questions, other_steps, answers, weights = [], [], [], []
    for question in person.questions:
        right = np.array([place in question.evidence for place in places], dtype=np.float64)
        if not right.any():
            continue
        texts = [(question.question, 1.0), (keywords(question.question), KEYWORDS_WEIGHT)]
        for text, weight in texts[: 1 if question.style == "keywords" else 2]:
            understood = asked(index, text, question.at.timestamp())
            questions.append(_tokens(encoder, Said(understood.dense)))
            other_steps.append(totals(contributions(index, understood, nothing)).astype(np.float64))
            answers.append(right / right.sum())
            weights.append(weight)
    return Lessons(
        person=person.file,
        rows=tuple(_tokens(encoder, row) for row in rows),
        owners=owners,
        questions=tuple(questions),
        other_steps=np.stack(other_steps),
        answers=np.stack(answers),
        weights=np.array(weights),
    )


def _rows(index: CallerIndex) -> tuple[list[Said], NDArray[np.int64]]:
    """What is embedded of a caller, and to which passage it leads: as in `CallerIndex`."""
    rows = [text for record in index.records.calls for text in call_texts(record.call)]
    owners = [i for i, passage in enumerate(index.passages) for _ in pieces(passage.text)]
    assert len(rows) == len(owners)
    return rows, np.array(owners)


def _place(person: Person, passage: Passage) -> Place | None:
    return (person.calls[passage.call].id, passage.turn) if passage.call >= 0 and passage.turn is not None else None


def _tokens(encoder: Encoder, said: Said) -> Tokens:
    ids, before = encoder.tokens(*readable(said))
    return Tokens(np.array(ids), before)
