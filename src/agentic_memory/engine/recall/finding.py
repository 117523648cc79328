"""Search one caller's memory: a query in, the nearest turns and facts out, each with its evidence."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

from agentic_memory.domain.memory import Evidence, Found, MemoryKind
from agentic_memory.domain.retention import is_expired
from agentic_memory.engine.recall.index import AGENT, CALLER, CallerIndex, Passage
from agentic_memory.engine.recall.nearness import nearness
from agentic_memory.engine.recall.question import Question, understand
from agentic_memory.engine.recall.ranking import contributions, totals
from agentic_memory.engine.recall.wording import day, last_question, room, trimmed
from agentic_memory.engine.recall.words import stem

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

WORDS = 0.6
"""How much of a result's similarity its words decide; the rest its meaning."""
ALIKE = 0.6
"""A cosine of this much is as good as the same words."""
TOGETHER = 3
"""How many results in a row vouch for each other's similarity."""
FEW = 40
"""Characters up to which an answer is shown with its question."""
_SPEAKERS = {CALLER: "Caller: ", AGENT: "Agent: "}


@dataclass(frozen=True, slots=True)
class Explained:
    """A result and what each step of the ranking gave it."""

    found: Found
    steps: Mapping[str, float]
    """By the step's name; their sum ranks, but for superseded facts."""

    @property
    def total(self) -> float:
        """The sum of the steps."""
        return sum(self.steps.values())


def asked(index: CallerIndex, query: str, at: float) -> Question:
    """The query as it is understood of this caller; its `dense` is the text to embed. `at` is Unix seconds."""
    calls = [index.records.calls[i].call.started_at for i in (0, -1)] if index.records.calls else []
    return understand(query, index.caller_names, index.agent_names, at, calls)


def search(
    index: CallerIndex, question: Question, vector: "NDArray[np.float32] | None", limit: int
) -> tuple[Found, ...]:
    """At most `limit` results, best first, similarity never rising.

    `vector` is the embedding of `question.dense`, float32[d] of unit length; None to go by words alone.
    The same input gives the same output.
    """
    return tuple(e.found for e in explain(index, question, vector, limit))


def explain(
    index: CallerIndex, question: Question, vector: "NDArray[np.float32] | None", limit: int
) -> tuple[Explained, ...]:
    """As `search`, with what each step contributed."""
    if limit < 1 or not index.passages:
        return ()
    if vector is not None and (not index.has_vectors or len(vector) != index.matrix.shape[1]):
        vector = None
    near = None if vector is None else nearness(index, vector)
    steps = contributions(index, question, near)
    best = _best(index, question, totals(steps), limit)
    similarities = _similarities(index, question, near, best)
    chars = room(limit)
    return tuple(
        Explained(_found(index, i, question, similarity, chars), {k: float(v[i]) for k, v in steps.items()})
        for i, similarity in zip(best, similarities, strict=True)
    )


def _best(
    index: CallerIndex, question: Question, scores: "NDArray[np.float32]", limit: int
) -> list[int]:
    scores = _in_order_of_validity(index, question, scores)
    order = _order(scores, 2 * limit + 50)
    best: list[int] = []
    said: set[str] = set()
    for i in order.tolist():
        passage = index.passages[i]
        if passage.text in said or (passage.memory is not None and is_expired(passage.memory, question.at)):
            continue
        said.add(passage.text)
        best.append(i)
        if len(best) == limit:
            break
    return best


def _order(scores: "NDArray[np.float32]", count: int) -> "NDArray[np.int64]":
    """Positions from the best on, equals in their own order; all of them, the first `count` sorted cheaply."""
    import numpy as np

    if len(scores) <= 4 * count:
        return np.argsort(-scores, kind="stable")
    bar = np.partition(scores, len(scores) - count)[len(scores) - count]
    above = np.flatnonzero(scores >= bar)
    return above[np.argsort(-scores[above], kind="stable")]


def _in_order_of_validity(
    index: CallerIndex, question: Question, scores: "NDArray[np.float32]"
) -> "NDArray[np.float32]":
    """Of an old value and the one that took its place, the one that is asked for comes first.

    A stretch of time that is named decides by itself which one is meant.
    """
    if not index.successions or question.windows:
        return scores
    scores = scores.copy()
    for _ in index.successions:
        changed = False
        for old, new in index.successions:
            first, second = (old, new) if question.asks_before else (new, old)
            if scores[first] < scores[second]:
                scores[first], scores[second] = scores[second], scores[first]
                changed = True
        if not changed:
            break
    return scores


def _similarities(
    index: CallerIndex, question: Question, near: "NDArray[np.float32] | None", best: list[int]
) -> list[float]:
    """In [0, 1]: how much of the question's words and meaning a result (and the turn before it) carries.

    The most of it and the TOGETHER results from it on: what was said is told of in several turns, what never was in none.
    """
    wanted = {stem(term) for term in question.terms}
    share = index.words.coverage(wanted)
    found = []
    for i in best:
        beside = share[i - 1] if i and index.calls[i - 1] == index.calls[i] >= 0 else 0.0
        carried = max(float(share[i]), 0.8 * float(beside))
        if near is not None:
            carried = WORDS * carried + (1 - WORDS) * min(max(float(near[i]), 0.0) / ALIKE, 1.0)
        found.append(round(carried, 4))
    together = [max(found[i : i + TOGETHER]) for i in range(len(found))]
    return list(accumulate(together, min))


def _found(index: CallerIndex, i: int, question: Question, similarity: float, chars: int) -> Found:
    passage = index.passages[i]
    record = index.records.calls[passage.call].call if passage.call >= 0 else None
    superseded = i in index.superseded
    text, turns = _line(index, i, question, chars)
    evidence = _evidence(passage, record.conversation_id if record else "")
    return Found(
        id=passage.memory.id if passage.memory else f"{evidence.conversation_id}:{passage.turn}",
        kind=passage.memory.kind if passage.memory else MemoryKind.SEMANTIC,
        text=text,
        similarity=similarity,
        at=float(index.times[i]),
        conversation_id=evidence.conversation_id,
        turn=passage.turn,
        turns=turns,
        quote=evidence.quote,
        superseded=superseded,
    )


def _question_before(index: CallerIndex, i: int) -> Passage | None:
    """The question that a turn of a few words answers: without it "Yes, the blue one." means nothing."""
    passage = index.passages[i]
    if i == 0 or index.calls[i] < 0 or index.calls[i - 1] != index.calls[i]:
        return None
    asked = index.passages[i - 1]
    if len(passage.text) > FEW or asked.speaker == passage.speaker or "?" not in asked.text:
        return None
    return asked


def _line(index: CallerIndex, i: int, question: Question, chars: int) -> tuple[str, tuple[int, ...]]:
    """What the agent reads (date, the question before where needed, who speaks, the words), and which turns that holds."""
    passage = index.passages[i]
    date = day(float(index.times[i]))
    before = f"[{date}] " if date else ""
    who = _SPEAKERS.get(passage.speaker, "")
    after = " (no longer true)" if i in index.superseded else " (partly no longer true)" if i in index.partly else ""
    turns = () if passage.turn is None else (passage.turn,)
    asked = _question_before(index, i)
    if asked is not None and asked.turn is not None:
        other = _SPEAKERS[asked.speaker]
        left = chars - len(before) - len(other) - len(who) - len(passage.text) - len(after) - 1
        said = last_question(asked.text, left)
        before, turns = (f"{before}{other}{said} ", (asked.turn, *turns)) if said else (before, turns)
    wanted = index.words.worth(stem(term) for term in question.terms)
    left = max(chars - len(before) - len(who) - len(after), 40)
    return before + who + trimmed(passage.text, wanted, left, time_counts=question.asks_when) + after, turns


def _evidence(passage: Passage, conversation_id: str) -> Evidence:
    if passage.memory is not None:
        return passage.memory.evidence[0]
    return Evidence(conversation_id, passage.turn, passage.text)
