"""How near each passage is to a question: every step as one array, summed with weights set by hand."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agentic_memory.engine.recall.index import AGENT, CALLER, CallerIndex
from agentic_memory.engine.recall.question import Question
from agentic_memory.engine.recall.words import stem

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


AFTERWARDS = 3 * 86400
"""Seconds after a stretch of time in which a call may still tell of it: "last Friday I ..."."""


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each step counts. Scores of words and meaning are in standard deviations of the caller's passages."""

    words: float = 0.2
    words_before: float = 0.06
    words_after: float = 0.05
    coverage: float = 2.5
    meaning: float = 0.75
    meaning_before: float = 0.0
    """Less than nothing: the vector of a passage already holds the end of the turn before it."""
    meaning_after: float = 0.2
    answer: float = 0.25
    """For the words of a question just asked by the other side: the answer inherits them."""
    fact: float = 0.5
    speaker: float = 2.0
    unnamed: float = 0.5
    """For the caller's words where the question names nobody."""
    told: float = 0.5
    """For what one side told the other about them, as a share of `speaker`."""
    own: float = 0.5
    asks: float = -1.5
    wish: float = 0.15
    heeded: float = 1.2
    """For a wish, when advice is asked for."""
    length: float = -1.8
    call: float = 0.5
    window: float = 3.0
    recent: float = 0.8
    """For the newest against the oldest, when what holds now is asked for (and the reverse for before)."""
    timed: float = 0.8
    number: float = 0.4
    name: float = 0.6


WEIGHTS = Weights()


def contributions(
    index: CallerIndex, question: Question, vector: "NDArray[np.float32] | None", weights: Weights = WEIGHTS
) -> "dict[str, NDArray[np.float32]]":
    """What each step gives each passage: float32[n] by the step's name; their sum ranks."""
    steps = _by_words(index, question, weights)
    if vector is not None and index.has_vectors:
        near = _standard(_nearness(index, vector))
        steps["meaning"] = weights.meaning * near
        steps["meaning beside"] = _beside(index, near, weights.meaning_before, weights.meaning_after)
    steps["fact"] = weights.fact * _facts(index, question)
    steps["speaker"] = _speaker(index, question, weights)
    steps["manner"] = (
        weights.own * index.traits.own
        + weights.asks * index.traits.asks
        + (weights.wish + weights.heeded * question.asks_advice) * index.traits.wish
    )
    steps["length"] = weights.length * index.traits.length
    steps["date"] = _dates(index, question, weights.window) + _recent(index, question, weights.recent)
    steps["kind"] = _kind(index, question, weights)
    steps["call"] = _session(index, totals(steps), weights.call)
    return steps


def _by_words(
    index: CallerIndex, question: Question, weights: Weights
) -> "dict[str, NDArray[np.float32]]":
    import numpy as np

    words = _standard(index.words.scores(question.terms))
    wanted = {stem(term) for term in question.terms}
    return {
        "words": weights.words * words,
        "coverage": weights.coverage * index.words.coverage(wanted),
        "words beside": _beside(index, words, weights.words_before, weights.words_after)
        + weights.answer * _beside(index, np.maximum(words, 0) * index.traits.asks, 1.0, 0.0),
    }


def _kind(index: CallerIndex, question: Question, weights: Weights) -> "NDArray[np.float32]":
    """What kind of answer the question wants: a time, a number, a name."""
    import numpy as np

    bonus: NDArray[np.float32] = np.zeros(len(index.passages), dtype=np.float32)
    if question.asks_when:
        bonus += weights.timed * index.traits.timed
    if question.asks_number:
        bonus += weights.number * index.traits.numbers
    if question.asks_name:
        bonus += weights.name * index.traits.names
    return bonus


def totals(steps: "Mapping[str, NDArray[np.float32]]") -> "NDArray[np.float32]":
    """float32[n]: the sum of the steps."""
    import numpy as np

    summed: NDArray[np.float32] = np.sum(np.stack(list(steps.values())), axis=0, dtype=np.float32)
    return summed


def _standard(scores: "NDArray[np.float32]") -> "NDArray[np.float32]":
    import numpy as np

    spread = float(scores.std()) if len(scores) else 0.0
    centred: NDArray[np.float32] = scores - scores.mean() if len(scores) else scores
    return centred / np.float32(spread) if spread > 1e-9 else np.zeros_like(scores)


def _nearness(index: CallerIndex, vector: "NDArray[np.float32]") -> "NDArray[np.float32]":
    """Per passage the cosine of its nearest row; of passages without a row the mean."""
    import numpy as np

    rows = index.matrix @ vector
    best: NDArray[np.float32] = np.full(len(index.passages), -2, dtype=np.float32)
    if len(rows) == len(best) and index.owners[-1] == len(best) - 1:
        return rows  # one row a passage, in order: the usual case
    np.maximum.at(best, index.owners, rows)
    best[best == -2] = rows.mean()
    return best


def _beside(
    index: CallerIndex, scores: "NDArray[np.float32]", before: float, after: float
) -> "NDArray[np.float32]":
    """What the turn before and the turn after in the same call lend a passage."""
    import numpy as np

    lent = np.zeros_like(scores)
    same = (index.calls[1:] == index.calls[:-1]) & (index.calls[1:] >= 0)
    lent[1:] += before * scores[:-1] * same
    lent[:-1] += after * scores[1:] * same
    return lent


def _facts(index: CallerIndex, question: Question) -> "NDArray[np.float32]":
    import numpy as np

    lent = np.zeros(len(index.passages), dtype=np.float32)
    if len(index.keys.passages):
        scores = index.keys.words.scores(question.terms)
        np.maximum.at(lent, index.keys.passages, scores / max(float(scores.max()), 1.0))
    return lent


def _speaker(index: CallerIndex, question: Question, weights: Weights) -> "NDArray[np.float32]":
    """The words of the one who is asked about count, and somewhat less what the other told them."""
    import numpy as np

    if not question.subject:
        unnamed: NDArray[np.float32] = np.where(index.speakers == CALLER, weights.unnamed, 0.0)
        return unnamed.astype(np.float32)
    asked, other = (CALLER, AGENT) if question.subject == "caller" else (AGENT, CALLER)
    told = weights.told * index.traits.yours * (index.speakers == other)
    bonus: NDArray[np.float32] = np.where(index.speakers == asked, 1.0, told).astype(np.float32)
    return bonus * np.float32(weights.speaker)


def _dates(index: CallerIndex, question: Question, weight: float) -> "NDArray[np.float32]":
    import numpy as np

    bonus: NDArray[np.float32] = np.zeros(len(index.passages), dtype=np.float32)
    for window in question.windows:
        if window.start is not None and window.end is not None:
            inside = (index.times >= window.start) & (index.times < window.end + AFTERWARDS)
        else:
            inside = (index.times.astype("datetime64[s]").astype("datetime64[M]").astype(int) % 12 + 1) == window.month
        bonus = np.maximum(bonus, weight * inside)
    return bonus


def _recent(index: CallerIndex, question: Question, weight: float) -> "NDArray[np.float32]":
    import numpy as np

    wanted = int(question.asks_now) - int(question.asks_before)
    bonus: NDArray[np.float32] = np.zeros(len(index.passages), dtype=np.float32)
    span = float(np.ptp(index.times)) if len(index.times) else 0.0
    if wanted and span > 0:
        bonus += (weight * wanted * (index.times - index.times.min()) / span).astype(np.float32)
    return bonus


def _session(
    index: CallerIndex, total: "NDArray[np.float32]", weight: float
) -> "NDArray[np.float32]":
    """For every passage the mean of the best three of its call, weighted."""
    import numpy as np

    lent: NDArray[np.float32] = np.zeros(len(index.passages), dtype=np.float32)
    if not len(index.starts):
        return lent
    count = int((index.calls >= 0).sum())
    sizes = np.diff(index.starts, append=count)
    # A trillionth of the position parts equals, so that each pass takes one passage out.
    left = total[:count].astype(np.float64) - 1e-12 * np.arange(count)
    sums = np.zeros(len(sizes))
    for best in range(3):
        highest = np.maximum.reduceat(left, index.starts)
        sums += np.where(sizes > best, highest, 0.0)
        left[left == np.repeat(highest, sizes)] = -1e30
    lent[:count] = np.repeat(weight * sums / np.minimum(sizes, 3), sizes)
    return lent
