"""How near each passage is to a question: every step as one array, summed with weights set by hand."""

import math
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
    coverage: float = 2.0
    meaning: float = 1.15
    meaning_after: float = 0.2
    answer: float = 0.3
    """For the words of a question just asked by the other side: the answer inherits them."""
    fact: float = 0.5
    speaker: float = 2.0
    unnamed: float = 0.5
    """For the caller's words where the question names nobody."""
    asks: float = -0.6
    heeded: float = 1.5
    """For a wish, when advice is asked for."""
    substance: float = 2.0
    """For what is more than a word or two."""
    length: float = -1.8
    call: float = 0.5
    window: float = 3.0
    recent: float = 1.2
    """For the newest against the oldest, when what holds now is asked for (and the reverse for before)."""
    newer: float = 0.3
    """The same, whenever what held before is not asked for: what was said later wins."""
    changed: float = -2.0
    """For telling of a change, when what held before is asked for."""
    timed: float = 0.8
    number: float = 0.8
    name: float = 0.9
    money: float = 1.0


WEIGHTS = Weights()
TOLD = 0.5
"""What one side told the other about them, as a share of their own words."""
STEPS = {
    "words": "words",
    "words_before": "words beside",
    "words_after": "words beside",
    "coverage": "coverage",
    "answer": "words beside",
    "fact": "fact",
    "meaning": "meaning",
    "meaning_after": "meaning beside",
    "speaker": "speaker",
    "unnamed": "speaker",
    "asks": "manner",
    "heeded": "manner",
    "substance": "length",
    "length": "length",
    "window": "date",
    "recent": "date",
    "newer": "date",
    "changed": "date",
    "timed": "kind",
    "number": "kind",
    "name": "kind",
    "money": "kind",
}
"""Under which heading each weight's share is told."""
BARE = 0.5
"""How much each kind of answer counts for keywords, which may want any."""
WORDS_ALONE = 2.0
"""How much more coverage counts where nothing can be compared by meaning."""
OF_THE_TURN = frozenset({"newer"})
"""What says nothing of the call that a turn is in."""


def contributions(
    index: CallerIndex, question: Question, near: "NDArray[np.float32] | None", weights: Weights = WEIGHTS
) -> "dict[str, NDArray[np.float32]]":
    """What each step gives each passage: float32[n] by the step's name; their sum ranks.

    `near` is `nearness`; None to go by words alone.
    """
    weighed = {
        name: seen if seen is index.standing.nothing else seen * getattr(weights, name)
        for name, seen in features(index, question, near).items()
    }
    if "meaning" not in weighed:
        weighed["coverage"] = WORDS_ALONE * weighed["coverage"]
    call = _session(index, totals({k: v for k, v in weighed.items() if k not in OF_THE_TURN}), weights.call)
    return _by_step(index, weighed) | {"call": call}


def _by_step(
    index: CallerIndex, weighed: "Mapping[str, NDArray[np.float32]]"
) -> "dict[str, NDArray[np.float32]]":
    """The sums of what is told under one heading. What is weighed is used up."""
    nothing = index.standing.nothing
    steps: dict[str, NDArray[np.float32]] = {}
    for name, given in weighed.items():
        step = STEPS[name]
        if steps.get(step, nothing) is nothing:
            steps[step] = given
        elif given is not nothing:
            steps[step] += given
    return steps


def features(
    index: CallerIndex, question: Question, near: "NDArray[np.float32] | None"
) -> "dict[str, NDArray[np.float32]]":
    """What is weighed of each passage: float32[n] by the name of its weight."""
    seen = _by_words(index, question)
    if near is not None:
        meaning = _standard(near)
        seen["meaning"] = meaning
        seen["meaning_after"] = _after(index, meaning)
    return seen | _by_sort(index, question)


def _by_words(index: CallerIndex, question: Question) -> "dict[str, NDArray[np.float32]]":
    import numpy as np

    words = _standard(index.words.scores(question.terms))
    wanted = {stem(term) for term in question.terms}
    return {
        "words": words,
        "words_before": _before(index, words),
        "words_after": _after(index, words),
        "coverage": index.words.coverage(wanted),
        "answer": _before(index, np.maximum(words, 0) * index.traits.asks),
        "fact": _facts(index, question),
    }


def _by_sort(index: CallerIndex, question: Question) -> "dict[str, NDArray[np.float32]]":
    """What sort of passage it is, and what the question wants."""
    import numpy as np

    traits, standing = index.traits, index.standing
    none = standing.nothing
    speaker = _speaker(index, question)
    bare = BARE if question.is_bare else 0.0

    def sought(trait: "NDArray[np.float32]", asked: bool) -> "NDArray[np.float32]":
        return trait if asked else trait * np.float32(bare) if bare else none

    return {
        "speaker": speaker if question.subject else none,
        "unnamed": none if question.subject else speaker,
        "asks": traits.asks,
        "heeded": traits.wish if question.asks_advice else none,
        "substance": standing.substance,
        "length": traits.length,
        "window": _dates(index, question) if question.windows else none,
        "recent": _recent(index, question),
        "newer": none if question.asks_before else standing.age,
        "changed": traits.changed if question.asks_before else none,
        "timed": sought(traits.timed, question.asks_when),
        "number": sought(traits.numbers, question.asks_number),
        "name": sought(traits.names, question.asks_name),
        "money": traits.money if question.asks_money else none,
    }


def totals(steps: "Mapping[str, NDArray[np.float32]]") -> "NDArray[np.float32]":
    """float32[n]: the sum of the steps."""
    first, *others = steps.values()
    summed = first.copy()
    for other in others:
        summed += other
    return summed


def _standard(scores: "NDArray[np.float32]") -> "NDArray[np.float32]":
    import numpy as np

    if not len(scores):
        return scores
    centred: NDArray[np.float32] = scores - np.float32(scores.sum() / len(scores))
    spread = math.sqrt(float((centred * centred).sum()) / len(scores))
    return centred / np.float32(spread) if spread > 1e-9 else np.zeros_like(scores)


def _before(index: CallerIndex, scores: "NDArray[np.float32]") -> "NDArray[np.float32]":
    """For each passage what the turn before it in the same call has."""
    import numpy as np

    lent = np.empty_like(scores)
    lent[:1] = 0
    np.multiply(scores[:-1], index.standing.joined, out=lent[1:])
    return lent


def _after(index: CallerIndex, scores: "NDArray[np.float32]") -> "NDArray[np.float32]":
    """For each passage what the turn after it in the same call has."""
    import numpy as np

    lent = np.empty_like(scores)
    lent[-1:] = 0
    np.multiply(scores[1:], index.standing.joined, out=lent[:-1])
    return lent


def _facts(index: CallerIndex, question: Question) -> "NDArray[np.float32]":
    import numpy as np

    if not len(index.keys.passages):
        return index.standing.nothing
    lent = np.zeros(len(index.passages), dtype=np.float32)
    scores = index.keys.words.scores(question.terms)
    np.maximum.at(lent, index.keys.passages, scores / max(float(scores.max()), 1.0))
    return lent


def _speaker(index: CallerIndex, question: Question) -> "NDArray[np.float32]":
    """The words of the one who is asked about count, and somewhat less what the other told them."""
    import numpy as np

    asked, other = (AGENT, CALLER) if question.subject == "agent" else (CALLER, AGENT)
    said: NDArray[np.float32] = index.standing.said[asked]
    return said + np.float32(TOLD) * index.standing.told[other] if question.subject else said


def _dates(index: CallerIndex, question: Question) -> "NDArray[np.float32]":
    import numpy as np

    inside: NDArray[np.bool_] = np.zeros(len(index.passages), dtype=bool)
    for window in question.windows:
        if window.start is not None and window.end is not None:
            end = window.end if window.is_call else window.end + AFTERWARDS
            inside |= (index.times >= window.start) & (index.times < end)
        else:
            months = index.times.astype("datetime64[s]").astype("datetime64[M]").astype(int) % 12 + 1
            inside |= months == window.month
    return inside.astype(np.float32)


def _recent(index: CallerIndex, question: Question) -> "NDArray[np.float32]":
    if question.asks_now == question.asks_before:
        return index.standing.nothing
    return index.standing.age if question.asks_now else -index.standing.age


def _session(
    index: CallerIndex, total: "NDArray[np.float32]", weight: float
) -> "NDArray[np.float32]":
    """For every passage the mean of the best three of its call, weighted."""
    import numpy as np

    lent: NDArray[np.float32] = np.zeros(len(index.passages), dtype=np.float32)
    if not len(index.starts):
        return lent
    sizes, spans = index.standing.sizes, index.standing.spans
    # A trillionth of the position parts equals, so that each pass takes one passage out.
    left = total[: len(spans)].astype(np.float64) - 1e-12 * np.arange(len(spans))
    sums = np.zeros(len(sizes))
    for best in range(3):
        highest = np.maximum.reduceat(left, index.starts)
        sums += np.where(sizes > best, highest, 0.0)
        if best < 2:
            np.copyto(left, -1e30, where=left == highest[spans])
    lent[: len(spans)] = (weight * sums / np.minimum(sizes, 3))[spans]
    return lent
