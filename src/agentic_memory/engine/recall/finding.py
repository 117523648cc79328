"""Search one caller's memory: a query in, the nearest turns and facts out, each with its evidence."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

from agentic_memory.domain.memory import Evidence, Found, Memory, MemoryKind
from agentic_memory.engine.recall.index import AGENT, CALLER, CallerIndex, Passage
from agentic_memory.engine.recall.question import Question, understand
from agentic_memory.engine.recall.ranking import contributions, totals
from agentic_memory.engine.recall.wording import day, last_question, room, trimmed
from agentic_memory.engine.recall.words import stem

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

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


def query_texts(index: CallerIndex, query: str) -> list[str]:
    """What to embed for this query: the rows that `search` wants as `vectors`, in this order."""
    question = understand(query, index.caller_names, index.agent_names, 0.0)
    return [question.dense, " ".join(question.terms)]


def search(
    index: CallerIndex, query: str, vectors: "NDArray[np.float32] | None", limit: int, at: float
) -> tuple[Found, ...]:
    """At most `limit` results, best first, similarity never rising.

    `vectors` are the embeddings of `query_texts(index, query)`, None to go by words alone. `at` is the
    time of the question in Unix seconds. The same input gives the same output.
    """
    return tuple(e.found for e in explain(index, query, vectors, limit, at))


def explain(
    index: CallerIndex, query: str, vectors: "NDArray[np.float32] | None", limit: int, at: float
) -> tuple[Explained, ...]:
    """As `search`, with what each step contributed."""
    if limit < 1 or not index.passages:
        return ()
    question = understand(query, index.caller_names, index.agent_names, at)
    vector = vectors[0] if vectors is not None and len(vectors) else None
    if vector is not None and index.has_vectors and len(vector) != index.matrix.shape[1]:
        vector = None
    steps = contributions(index, question, vector)
    best = _best(index, question, totals(steps), limit, at)
    near = _similarities(index, question, _widened(vector, vectors), best)
    chars = room(limit)
    return tuple(
        Explained(_found(index, i, question, similarity, chars), {k: float(v[i]) for k, v in steps.items()})
        for i, similarity in zip(best, near, strict=True)
    )


def _widened(
    vector: "NDArray[np.float32] | None", vectors: "NDArray[np.float32] | None"
) -> "NDArray[np.float32] | None":
    """The question and its bare words together: less is like both by chance. It ranks no better, hence the question ranks."""
    import numpy as np

    if vector is None or vectors is None or len(vectors) < 2:
        return vector
    both = vector + vectors[1]
    widened: NDArray[np.float32] = (both / max(float(np.linalg.norm(both)), 1e-9)).astype(np.float32)
    return widened


def _best(
    index: CallerIndex, question: Question, scores: "NDArray[np.float32]", limit: int, at: float
) -> list[int]:

    scores = _in_order_of_validity(index, question, scores)
    order = _order(scores, 2 * limit + 50)
    best: list[int] = []
    said: set[str] = set()
    for i in order.tolist():
        passage = index.passages[i]
        if passage.text in said or _is_over(passage.memory, at):
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


def _is_over(memory: Memory | None, at: float) -> bool:
    return memory is not None and memory.expires_at is not None and memory.expires_at <= at


def _in_order_of_validity(
    index: CallerIndex, question: Question, scores: "NDArray[np.float32]"
) -> "NDArray[np.float32]":
    """Of an old value and the one that took its place, the one that is asked for comes first."""
    if not index.successions:
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
    index: CallerIndex, question: Question, vector: "NDArray[np.float32] | None", best: list[int]
) -> list[float]:
    """In [0, 1]: how much of the question's words and meaning a result (and the turn before it) carries.

    The most of it and the TOGETHER results from it on: what was said is told of in several turns, what never was in none.
    """
    import numpy as np

    wanted = {stem(term) for term in question.terms}
    share = index.words.coverage(wanted)
    found = []
    for i in best:
        beside = share[i - 1] if i and index.calls[i - 1] == index.calls[i] >= 0 else 0.0
        near = max(float(share[i]), 0.8 * float(beside))
        if vector is not None and index.has_vectors:
            rows = np.flatnonzero(index.owners == i)
            cosine = float((index.matrix[rows] @ vector).max()) if len(rows) else 0.0
            near = 0.4 * near + 0.6 * min(max(cosine, 0.0) / 0.8, 1.0)
        found.append(round(near, 4))
    together = [max(found[i : i + TOGETHER]) for i in range(len(found))]
    return list(accumulate(together, min))


def _found(index: CallerIndex, i: int, question: Question, similarity: float, chars: int) -> Found:
    passage = index.passages[i]
    record = index.records.calls[passage.call].call if passage.call >= 0 else None
    superseded = i in index.superseded
    text, turns = _line(index, i, question, chars, superseded=superseded)
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


def _line(
    index: CallerIndex, i: int, question: Question, chars: int, *, superseded: bool
) -> tuple[str, tuple[int, ...]]:
    """What the agent reads (date, the question before where needed, who speaks, the words), and which turns that holds."""
    passage = index.passages[i]
    date = day(float(index.times[i]))
    before = f"[{date}] " if date else ""
    who = _SPEAKERS.get(passage.speaker, "")
    after = " (no longer true)" if superseded else ""
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
