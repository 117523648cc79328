"""How near each passage is to a question: every step as one array, summed with weights set by hand."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agentic_memory.engine.recall.index import AGENT, CALLER, CallerIndex
from agentic_memory.engine.recall.question import Question

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each step counts, in standard deviations of one caller's scores."""

    dense: float = 0.6
    words: float = 0.4
    before: float = 0.4
    after: float = 0.25
    dense_beside: float = 0.2
    speaker: float = 0.4
    call: float = 0.3
    window: float = 0.8
    timed: float = 0.3
    key: float = 0.2


WEIGHTS = Weights()


def contributions(
    index: CallerIndex, question: Question, vector: "NDArray[np.float32] | None", weights: Weights = WEIGHTS
) -> "dict[str, NDArray[np.float32]]":
    """What each step gives each passage: float32[n] by the step's name; their sum ranks."""
    steps: dict[str, NDArray[np.float32]] = {}
    words = _standard(index.words.scores(question.terms))
    steps["words"] = weights.words * words
    steps["words beside"] = weights.words * _beside(index, words, weights.before, weights.after)
    if vector is not None and index.has_vectors:
        dense = _standard(_nearness(index, vector))
        steps["meaning"] = weights.dense * dense
        steps["meaning beside"] = weights.dense * _beside(index, dense, weights.dense_beside, weights.dense_beside)
    steps["fact"] = weights.key * _facts(index, question)
    steps["speaker"] = _speaker(index, question, weights.speaker)
    steps["date"] = _dates(index, question, weights.window)
    if question.asks_when:
        steps["time words"] = weights.timed * index.timed
    steps["call"] = _session(index, totals(steps), weights.call)
    return steps


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
    best = np.full(len(index.passages), -np.inf, dtype=np.float32)
    np.maximum.at(best, index.owners, rows)
    best[np.isinf(best)] = rows.mean()
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


def _speaker(index: CallerIndex, question: Question, weight: float) -> "NDArray[np.float32]":
    import numpy as np

    if not question.subject:
        return np.zeros(len(index.passages), dtype=np.float32)
    asked = CALLER if question.subject == "caller" else AGENT
    bonus: NDArray[np.float32] = np.where(index.speakers == asked, weight, 0.0).astype(np.float32)
    return bonus


def _dates(index: CallerIndex, question: Question, weight: float) -> "NDArray[np.float32]":
    import numpy as np

    bonus: NDArray[np.float32] = np.zeros(len(index.passages), dtype=np.float32)
    for window in question.windows:
        if window.start is not None and window.end is not None:
            inside = (index.times >= window.start) & (index.times < window.end + 7 * 86400)
        else:
            inside = (index.times.astype("datetime64[s]").astype("datetime64[M]").astype(int) % 12 + 1) == window.month
        bonus = np.maximum(bonus, weight * inside)
    return bonus


def _session(
    index: CallerIndex, total: "NDArray[np.float32]", weight: float
) -> "NDArray[np.float32]":
    """For every passage the mean of the best three of its call, weighted."""
    import numpy as np

    lent = np.zeros(len(index.passages), dtype=np.float32)
    inside = np.flatnonzero(index.calls >= 0)
    if not len(inside):
        return lent
    order = inside[np.lexsort((-total[inside], index.calls[inside]))]
    calls = index.calls[order]
    starts = np.flatnonzero(np.r_[True, calls[1:] != calls[:-1]])
    ends = np.r_[starts[1:], len(order)]
    rank = np.arange(len(order)) - np.repeat(starts, ends - starts)
    best = rank < 3
    which = np.repeat(np.arange(len(starts)), ends - starts)
    sums = np.bincount(which[best], weights=total[order][best], minlength=len(starts))
    means = sums / np.minimum(ends - starts, 3)
    lent[order] = weight * means[which]
    return lent
