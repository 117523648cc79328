"""Does recall find the turn that answers? Ours against the usual recipes, on the same questions.

    python bench/recall.py                            the project's own calls
    python bench/recall.py calls.json.gz more.json    any calls in the shape below
    python bench/recall.py --style keywords           queries as an agent in a hurry writes them

A file is a list of callers (or one), as JSON, gzipped or not: `caller` (number), `caller_name`, `agent_name` (both may
be null), `calls` [{`id`, `at` (Unix seconds or an ISO time), `turns` [[`user` | `agent`, text]]}], `questions` [{`q`,
`category`, `evidence` [[call, turn]]}]. Where several turns say the same, a list of them stands in the place of one turn.
Questions without evidence are left out. What is measured, each as the mean over questions:

R@k      share of the evidence among the main turns of the first k results
hit@5    share of questions with any of it among the first five
R<256t   share of the evidence that is contained in the results that fit in 256 tokens of text
leaks    results that are another caller's: must be 0

The recipes rank the turns of one caller, and return them whole; ours runs as the server runs it.
"""

import argparse
import gzip
import json
import math
import re
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from agentic_memory.ports import Said

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from agentic_memory.bootstrap import Services

HERE = Path(__file__).resolve().parent
OWN = HERE.parent / "tests" / "recall" / "people"
DAY = 86_400
TOKENS = 256
CHARS_PER_TOKEN = 4
TOP = 10
LITTLE_WORDS = """
a an and are as at be been but by can could did do does for from had has have he her his how i in is it its me my of on
or she so than that the their them they this to was we were what when where which who why will with would you your
"""
STOP = frozenset(LITTLE_WORDS.split())

Place = tuple[str, int]
"""A turn: conversation id and index in the transcript."""


@dataclass(frozen=True, slots=True)
class Question:
    text: str
    category: str
    evidence: tuple[frozenset[Place], ...]
    """The parts that answer together; of the turns of one part any will do."""
    at: float
    """When it is asked: Unix seconds."""


@dataclass(frozen=True, slots=True)
class SpokenCall:
    id: str
    at: float
    turns: tuple[tuple[str, str], ...]
    """(`agent` or the caller under any name, text)."""
    collected: Mapping[str, Any] = field(default_factory=dict)
    """What the platform's data collection reports."""
    summary: str | None = None


@dataclass(frozen=True, slots=True)
class Person:
    caller: str
    agent_name: str | None
    calls: tuple[SpokenCall, ...]
    """Oldest first."""
    questions: tuple[Question, ...]

    @property
    def turns(self) -> list[tuple[Place, str]]:
        """All turns with words, oldest first."""
        return [((c.id, i), text) for c in self.calls for i, (_, text) in enumerate(c.turns) if text.strip()]


@dataclass(frozen=True, slots=True)
class Hit:
    """One result."""

    place: Place | None
    """Its main turn."""
    text: str
    contained: tuple[Place, ...] = ()
    """All turns that the text contains, where that is more than the main one."""


class System(Protocol):
    """Something that has read all callers and is asked about one."""

    def __call__(self, caller: str, query: str, limit: int, at: float) -> list[Hit]: ...


def load(path: Path) -> list[Person]:
    """The callers of one file."""
    data = path.read_bytes()
    read = json.loads(gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data)
    return [_person(entry) for entry in (read if isinstance(read, list) else [read])]


def _person(entry: Mapping[str, Any]) -> Person:
    calls = [_call(call, entry.get("caller_name")) for call in entry["calls"]]
    after = max((call.at for call in calls), default=0.0) + 7 * DAY
    questions = tuple(
        Question(
            text=q["q"],
            category=_category(q),
            evidence=tuple(frozenset((calls[call].id, turn) for call, turn in part) for part in _parts(q["evidence"])),
            at=_seconds(q.get("at", after)),
        )
        for q in entry["questions"]
        if q["evidence"]
    )
    return Person(entry["caller"], entry.get("agent_name"), tuple(sorted(calls, key=lambda c: c.at)), questions)


def _parts(evidence: Sequence[Any]) -> list[list[list[int]]]:
    """[call, turn] or several of them, as several; the same turn named twice counts once."""
    parts = [part if isinstance(part[0], list) else [part] for part in evidence]
    return [part for i, part in enumerate(parts) if part not in parts[:i]]


def _call(call: Mapping[str, Any], name: str | None) -> SpokenCall:
    turns = tuple((role, text) for role, text in call["turns"])
    collected = {**({"caller_name": name} if name else {}), **call.get("data_collection", {})}
    return SpokenCall(call["id"], _seconds(call["at"]), turns, collected, call.get("summary"))


def _seconds(at: float | str) -> float:
    """Unix seconds; a time in words is UTC."""
    return datetime.fromisoformat(at).replace(tzinfo=UTC).timestamp() if isinstance(at, str) else float(at)


def _category(question: Mapping[str, Any]) -> str:
    """What the file says; of the project's own, which language asks for what was said in which."""
    if "lang" in question:
        return f"{question['lang']} asks, {question.get('said', question['lang'])} said"
    return str(question.get("category", ""))


def keywords(question: str) -> str:
    """The question as an agent in a hurry writes it: without the little words."""
    return " ".join(w for w in re.findall(r"[\w'-]+", question) if w.lower() not in STOP) or question


# --- the measure ---


def measured(hits: Sequence[Hit], wanted: Sequence[frozenset[Place]]) -> dict[str, float]:
    """The figures of one question; `wanted` is not empty."""
    places = [hit.place for hit in hits]
    figures = {f"R@{k}": share(places[:k], wanted) for k in (1, 5, 10)}
    figures["hit@5"] = float(figures["R@5"] > 0)
    figures["R<256t"] = share(within(hits, TOKENS), wanted)
    return figures


def share(found: Iterable[Place | None], wanted: Sequence[frozenset[Place]]) -> float:
    """How many of the parts are found, of all."""
    there = set(found)
    return sum(bool(part & there) for part in wanted) / len(wanted)


def within(hits: Sequence[Hit], tokens: int) -> set[Place]:
    """The turns contained in the first results that fit in so many tokens of text together."""
    used, inside = 0.0, set[Place]()
    for hit in hits:
        used += len(hit.text) / CHARS_PER_TOKEN
        if used > tokens:
            break
        inside |= set(hit.contained) | ({hit.place} if hit.place else set())
    return inside


@dataclass(frozen=True, slots=True)
class Score:
    """One system on one set."""

    figures: Mapping[str, float]
    """Percentages by the measure's name."""
    leaks: int
    taken: tuple[float, ...]
    """Seconds of each search."""
    without_embedding: tuple[float, ...]
    """The same less what the embedder took."""
    per_category: Mapping[str, float]
    """R@5."""


def score(
    system: System, people: Iterable[Person], *, style: str = "question", embedding: Callable[[], float] = lambda: 0.0
) -> Score:
    """Ask every question; `embedding` tells the seconds spent in the embedder so far."""
    rows: list[dict[str, float]] = []
    taken, rest, leaks = [], [], 0
    categories: dict[str, list[float]] = defaultdict(list)
    for person in people:
        own = {call.id for call in person.calls}
        for question in person.questions:
            text = keywords(question.text) if style == "keywords" else question.text
            before, began = embedding(), time.perf_counter()
            hits = system(person.caller, text, TOP, question.at)
            taken.append(time.perf_counter() - began)
            rest.append(taken[-1] - (embedding() - before))
            leaks += sum(hit.place is not None and hit.place[0] not in own for hit in hits)
            rows.append(measured(hits, question.evidence))
            categories[question.category].append(rows[-1]["R@5"])
    figures = {name: 100 * _mean([row[name] for row in rows]) for name in rows[0]} if rows else {}
    per = {name: 100 * _mean(values) for name, values in sorted(categories.items())}
    return Score(figures, leaks, tuple(taken), tuple(rest), per)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else math.nan


# --- the usual recipes ---


class Bm25:
    """BM25 over the stems of one caller's turns, the little words of the query left out."""

    def __init__(self, texts: Sequence[str]) -> None:
        from agentic_memory.engine.recall.words import stems

        self._counts = [Counter(stems(text)) for text in texts]
        self._lengths = [sum(counts.values()) for counts in self._counts]
        self._mean = max(1.0, _mean(self._lengths)) if texts else 1.0
        self._holders = Counter(term for counts in self._counts for term in counts)

    def scores(self, query: str) -> list[float]:
        from agentic_memory.engine.recall.words import content_words, stem

        terms = dict.fromkeys(stem(word) for word in content_words(query))
        rarity = {t: math.log1p((len(self._counts) - self._holders[t] + 0.5) / (self._holders[t] + 0.5)) for t in terms}
        return [
            sum(
                rarity[t] * counts[t] * 2.2 / (counts[t] + 1.2 * (0.25 + 0.75 * length / self._mean))
                for t in terms
                if t in counts
            )
            for counts, length in zip(self._counts, self._lengths, strict=True)
        ]


class Vectors:
    """The cosine of turn and query: what a plain vector store ranks by."""

    def __init__(self, texts: Sequence[str], embedder: "Timed") -> None:
        self._embedder = embedder
        self._matrix = embedder.embed([Said(text) for text in texts])

    def scores(self, query: str) -> list[float]:
        found: list[float] = (self._matrix @ self._embedder.embed_questions([query])[0]).tolist()
        return found


class Fusion:
    """Reciprocal rank fusion of several rankings: the usual hybrid search."""

    def __init__(self, *parts: Bm25 | Vectors) -> None:
        self._parts = parts

    def scores(self, query: str) -> list[float]:
        fused: dict[int, float] = defaultdict(float)
        for part in self._parts:
            for rank, i in enumerate(best_first(part.scores(query))):
                fused[i] += 1 / (61 + rank)
        return [fused[i] for i in range(len(fused))]


def best_first(scores: Sequence[float]) -> list[int]:
    """Positions from the highest score on, equals in their own order."""
    return sorted(range(len(scores)), key=lambda i: -scores[i])


class Recipe:
    """A ranking of each caller's turns as a System."""

    def __init__(self, people: Iterable[Person], rankings: Mapping[str, Bm25 | Vectors | Fusion]) -> None:
        self._turns = {person.caller: person.turns for person in people}
        self._rankings = rankings

    def __call__(self, caller: str, query: str, limit: int, at: float) -> list[Hit]:
        turns = self._turns[caller]
        best = best_first(self._rankings[caller].scores(query))[:limit]
        return [Hit(*turns[i]) for i in best]


def recipes(people: Sequence[Person], embedder: "Timed") -> dict[str, System]:
    """The recipes by name, over the same turns."""
    said = {person.caller: [text for _, text in person.turns] for person in people}
    words = {caller: Bm25(texts) for caller, texts in said.items()}
    meaning = {caller: Vectors(texts, embedder) for caller, texts in said.items()}
    return {
        "BM25, stemmed": Recipe(people, words),
        "vectors": Recipe(people, meaning),
        "rank fusion of the two": Recipe(people, {c: Fusion(words[c], meaning[c]) for c in said}),
    }


# --- ours ---


class Timed:
    """An embedder that tells how long it took, in all."""

    def __init__(self, embedder: Any) -> None:
        self._embedder = embedder
        self.model_id: str = embedder.model_id
        self.dimension: int = embedder.dimension
        self.seconds = 0.0

    def load(self) -> None:
        self._embedder.load()

    def embed(self, texts: Sequence[Said]) -> "NDArray[np.float32]":
        return self._timed(self._embedder.embed, texts)

    def embed_questions(self, texts: Sequence[str]) -> "NDArray[np.float32]":
        return self._timed(self._embedder.embed_questions, texts)

    def _timed(self, embed: Callable[..., Any], texts: Sequence[object]) -> "NDArray[np.float32]":
        began = time.perf_counter()
        vectors: NDArray[np.float32] = embed(texts)
        self.seconds += time.perf_counter() - began
        return vectors


class Ours:
    """The engine with default settings, on a SQLite file."""

    def __init__(self, built: "Services", people: Sequence[Person]) -> None:
        self._engine = built.engine
        calls = sorted(((c.at, p.caller, c, p) for p in people for c in p.calls), key=lambda entry: entry[:2])
        for _, _, call, person in calls:
            built.engine.remember(_heard(call, person))

    def __call__(self, caller: str, query: str, limit: int, at: float) -> list[Hit]:
        found = self._engine.search("default", caller, query, limit, at).results
        return [
            Hit(
                None if f.turn is None else (f.conversation_id, f.turn),
                f.text,
                tuple((f.conversation_id, turn) for turn in f.turns),
            )
            for f in found
        ]


def _heard(call: SpokenCall, person: Person) -> Any:
    """The call as the platform's reader makes it of a post-call webhook."""
    from agentic_memory.domain.call import Call, CollectedValue, Role, Turn, TurnKind

    turns = tuple(
        Turn(
            index=i,
            role=Role.AGENT if role == "agent" else Role.CALLER,
            text=text.strip(),
            offset=5.0 * i,
            kind=TurnKind.SPOKEN if text.strip() else TurnKind.SILENT,
        )
        for i, (role, text) in enumerate(call.turns)
    )
    return Call(
        tenant="default",
        conversation_id=call.id,
        platform="elevenlabs",
        started_at=float(call.at),
        caller_id=person.caller,
        agent_name=person.agent_name,
        turns=turns,
        collected=tuple(CollectedValue(name, value) for name, value in call.collected.items()),
        summary=call.summary,
    )


@contextmanager
def ours(people: Sequence[Person]) -> Iterator[tuple[Ours, Timed]]:
    """Ours with all calls remembered, and its embedder."""
    import seed

    with tempfile.TemporaryDirectory(prefix="bench-") as folder, seed.services(Path(folder)) as built:
        embedder = Timed(built.model.embedder)
        built.model.embedder = embedder
        yield Ours(built, people), embedder


# --- the table ---

HEADS = (
    "", "questions", "R@1", "R@5", "R@10", "hit@5", "R<256t", "leaks",
    "p50 ms", "p95 ms", "without embedding p50", "p95",
)  # fmt: skip


def row(name: str, scored: Score) -> list[object]:
    from figures import percentile

    took = [percentile(v, s) * 1e3 for v in (scored.taken, scored.without_embedding) for s in (0.5, 0.95)]
    shown = [round(scored.figures[m], 1) for m in ("R@1", "R@5", "R@10", "hit@5", "R<256t")]
    return [name, len(scored.taken), *(f"{v:.1f}" for v in shown), scored.leaks, *took]


def scores(people: Sequence[Person], style: str) -> dict[str, Score]:
    """Ours and the recipes on one set."""
    with ours(people) as (engine, embedder):
        systems: dict[str, System] = {**recipes(people, embedder), "AgenticMemory": engine}
        for system in systems.values():
            for person in people:
                system(person.caller, "warm", 1, 0.0)
        return {n: score(s, people, style=style, embedding=lambda: embedder.seconds) for n, s in systems.items()}


def sets(paths: Sequence[Path]) -> dict[str, list[Person]]:
    """The callers of each file or folder of files, by its name; the project's own where none is given."""
    return {_name(path): [person for file in _files(path) for person in load(file)] for path in paths or [OWN]}


def _name(path: Path) -> str:
    return "own calls" if path.resolve() == OWN else path.name.split(".")[0]


def _files(path: Path) -> list[Path]:
    return sorted(path.glob("*.json*")) if path.is_dir() else [path]


def main() -> None:
    from figures import keep, machine_line, table

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="*", type=Path, help="files of callers, or folders of them; default: the project's own")
    parser.add_argument("--style", choices=("question", "keywords"), default="question")
    parser.add_argument("--categories", action="store_true", help="R@5 of each category too")
    parser.add_argument("--markdown", action="store_true", help="the table of docs/benchmarks.md")
    given = parser.parse_args()
    print(machine_line(), flush=True)
    raw: dict[str, object] = {}
    for name, people in sets(given.data).items():
        found = scores(people, given.style)
        print(f"\n{name}: {len(people)} callers, {sum(len(p.turns) for p in people):,} turns, asked by {given.style}\n")
        print(table(HEADS, [row(n, s) for n, s in found.items()], markdown=given.markdown), flush=True)
        if given.categories:
            print("\n" + table(("R@5", *found), _categories(found), markdown=given.markdown))
        raw[name] = {n: {**s.figures, "leaks": s.leaks, "categories": s.per_category} for n, s in found.items()}
    print("\nkept in", keep("recall", raw))


def _categories(found: Mapping[str, Score]) -> list[list[object]]:
    names = dict.fromkeys(name for s in found.values() for name in s.per_category)
    return [[name, *(f"{s.per_category[name]:.1f}" for s in found.values())] for name in names]


if __name__ == "__main__":
    main()
