"""Measure recall on our own calls, through the whole house: signed webhooks in, the engine's search out.

    python -m tests.recall.measure [--misses] [--by-caller]

R@k      share of a question's evidence that is the main turn of one of the first k results, mean over questions. Most
         have one part of evidence, some two; a part that was said twice ("the twentieth" - "the twentieth, then") counts once
hit@5    share of questions with any evidence among the first five
R<256t   share of the evidence whose text is in the results that fit in 256 tokens (about four characters each)
order    of questions about a value that changed: share with the value asked for before the other one
AUC      how often the first result of a question that can be answered is more similar than that of one that cannot
leaks    results from another caller's calls
"""

import argparse
import json
import re
import statistics
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agentic_memory import bootstrap
from agentic_memory.backends.in_memory.archive import InMemoryArchive
from agentic_memory.backends.in_memory.inbox import InMemoryInbox
from agentic_memory.backends.in_memory.records import InMemoryRecords
from agentic_memory.bootstrap import Storage
from agentic_memory.domain.caller import DEFAULT_TENANT
from agentic_memory.domain.memory import Found
from agentic_memory.engine.recall.lexical import postings
from agentic_memory.engine.recall.words import content_words, numbered, words
from agentic_memory.ports import Said
from agentic_memory.settings import read
from tests.fakes import FrozenClock
from tests.recall.calls import Asked, Person, PhoneCall, Place, everyone, questions
from tests.wire import HMAC_KEY, WORKSPACE_KEY, House, post_call

LIMIT = 10
TOKENS = 256
STOP = frozenset(
    ["a", "an", "and", "any", "are", "as", "at", "be", "been", "being", "by", "can", "could", "did", "do", "does", "doing", "for", "from", "had", "has", "have", "he", "her", "him", "his", "how", "i", "in", "is", "it", "its", "me", "my", "of", "on", "or", "our", "shall", "she", "should", "so", "that", "the", "their", "them", "they", "this", "to", "was", "we", "were", "what", "when", "where", "which", "who", "whom", "whose", "why", "will", "with", "would", "you", "your", "mr", "mrs", "caller", "customer", "a", "al", "como", "con", "cual", "cuales", "cuando", "cuanta", "cuantas", "cuanto", "cuantos", "de", "del", "desde", "donde", "el", "ella", "en", "es", "era", "eran", "esta", "estaba", "fue", "ha", "habia", "hasta", "hay", "la", "las", "le", "les", "lo", "los", "más", "me", "mi", "o", "para", "por", "porque", "que", "qué", "cuál", "cuándo", "cuánto", "cuánta", "cuántos", "cuántas", "cómo", "dónde", "quién", "quien", "se", "si", "sigue", "su", "sus", "tenía", "tiene", "tienen", "un", "una", "y", "él", "als", "am", "an", "auf", "aus", "bei", "das", "dass", "dem", "den", "der", "die", "ein", "eine", "einen", "einer", "er", "es", "für", "hat", "hatte", "ihr", "ihre", "ihren", "ihrer", "im", "in", "ist", "mit", "nach", "noch", "sich", "sie", "sind", "so", "um", "und", "von", "vom", "vor", "wann", "war", "warum", "was", "welche", "welchem", "welchen", "welcher", "welches", "wem", "wen", "wer", "wessen", "wie", "wieso", "wo", "wohin", "worauf", "wollte", "würde", "zu", "zum", "zur", "a-t-il", "au", "aux", "avec", "avant", "c'est", "ce", "ces", "chez", "combien", "comment", "dans", "de", "des", "du", "elle", "en", "est", "est-ce", "et", "il", "ils", "la", "le", "les", "leur", "lui", "on", "où", "par", "pour", "pourquoi", "qu'est-ce", "quand", "que", "quel", "quelle", "quelles", "quels", "qui", "quoi", "sa", "ses", "son", "sont", "sur", "un", "une", "à", "était"]
)


def found(asked: Asked, places: Iterable[Place | None]) -> float:
    """The share of the evidence that is there: a part counts once any of its turns is."""
    there = set(places)
    return sum(not there.isdisjoint(part) for part in asked.parts) / len(asked.parts)


@dataclass(frozen=True)
class Answered:
    """One question, asked: what came back."""

    person: Person
    asked: Asked
    results: tuple[Found, ...]

    @property
    def places(self) -> list[Place | None]:
        """Where the main turn of each result is."""
        return [(r.conversation_id, r.turn) if r.turn is not None else None for r in self.results]

    def recall(self, first: int) -> float:
        """The share of the evidence among the first results."""
        return found(self.asked, self.places[:first])

    def within(self, tokens: int) -> float:
        """The share of the evidence in the results that fit."""
        inside: set[Place] = set()
        used = 0.0
        for result in self.results:
            used += len(result.text) / 4
            if used > tokens:
                break
            inside |= {(result.conversation_id, turn) for turn in result.turns}
        return found(self.asked, inside)

    @property
    def is_in_order(self) -> bool:
        """Whether the value that is asked for comes before the other one; False where it does not come at all."""
        ranks = {place: rank for rank, place in reversed(list(enumerate(self.places)))}
        best = min((ranks[p] for p in self.asked.evidence if p in ranks), default=LIMIT)
        return best < min((ranks[p] for p in self.asked.behind if p in ranks), default=LIMIT)

    @property
    def similarity(self) -> float:
        """The first result's; 0 where nothing came."""
        return self.results[0].similarity if self.results else 0.0

    @property
    def leaks(self) -> int:
        """Results that are not this caller's."""
        return sum(r.conversation_id not in {c.id for c in self.person.calls} for r in self.results)


def webhook(person: Person, call: PhoneCall) -> bytes:
    """The call as the platform posts it after hang-up."""
    roles = {"caller": "user", "agent": "agent"}
    body = post_call(
        call.id,
        person.caller,
        [(roles[role], text) for role, text in call.turns],
        at=int(call.at.timestamp()),
        collected={"caller_name": person.name, **call.collected},
        summary=call.summary,
        main_language=call.language,
    )
    document = json.loads(body)
    document["data"]["agent_name"] = person.agent_name
    return json.dumps(document).encode()


@contextmanager
def remembered(model: str = "usem3", people: Sequence[Person] = ()) -> Iterator[House]:
    """A house that has had all calls of these people (none given: of everyone), oldest first, whoever called."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "agents").mkdir()
        environment = {
            "ELEVENLABS_WORKSPACE_KEY": WORKSPACE_KEY,
            "ELEVENLABS_HMAC_KEY": HMAC_KEY,
            "EMBEDDER": model,
            "DATA_DIR": f"{folder}/data",
            "AGENTS_DIR": f"{folder}/agents",
        }
        clock = FrozenClock()
        storage = Storage(InMemoryRecords(), InMemoryInbox(), InMemoryArchive())
        services = bootstrap.build(read(environment, folder=Path(folder)), clock, storage)
        try:
            services.model.load()
            house = House(services, clock)
            for person, call in sorted(((p, c) for p in people or everyone() for c in p.calls), key=lambda pair: pair[1].at):
                clock.time = call.at.timestamp() + 3600
                house.remember(webhook(person, call))
            yield house
        finally:
            services.close()


def keywords(question: str) -> str:
    """A question as an agent in a hurry would put it: its words that carry meaning."""
    kept = [w for w in re.findall(r"[\w'-]+", question) if w.lower() not in STOP]
    return " ".join(kept) or question


def searched(house: House, person: Person, asked: Asked, *, rewrite: Callable[[str], str] = str) -> Answered:
    """Ask one question."""
    question, at = rewrite(asked.question), asked.at.timestamp()
    findings = house.services.engine.search(DEFAULT_TENANT, person.caller, question, LIMIT, at)
    return Answered(person, asked, findings.results)


def all_answers(house: House, rewrite: Callable[[str], str] = str) -> list[Answered]:
    """Ask every question."""
    return [searched(house, person, asked, rewrite=rewrite) for person, asked in questions()]


def answerable(answers: Iterable[Answered]) -> list[Answered]:
    """Those with evidence."""
    return [a for a in answers if a.asked.evidence]


def mean_recall(answers: Sequence[Answered], first: int = 5) -> float:
    """R@first, in percent."""
    return 100 * statistics.fmean(a.recall(first) for a in answers)


def order(answers: Iterable[Answered]) -> float:
    """In percent: the value that is asked for before the one that is not."""
    return 100 * statistics.fmean(a.is_in_order for a in answers if a.asked.behind)


def separation(answers: Iterable[Answered]) -> float:
    """AUC in percent: how well the first similarity tells what was said from what never was."""
    said, never = [], []
    for answer in answers:
        (said if answer.asked.evidence else never).append(answer.similarity)
    above = sum((s > n) + (s == n) / 2 for s in said for n in never)
    return 100 * above / (len(said) * len(never))


def words_alone(person: Person, question: str) -> list[Place]:
    """The turns in the order of plain BM25 over stemmed words: what the set is hard against."""
    places = list(person.turns)
    scores = postings(numbered([words(text) for text in person.turns.values()])).scores(content_words(question))
    return [places[i] for i in sorted(range(len(places)), key=lambda i: (-scores[i], i))]


class MeaningAlone:
    """The turns in the order of plain cosine similarity, each turn embedded by itself."""

    def __init__(self, house: House) -> None:
        self._model = house.services.model
        self._turns: dict[str, NDArray[np.float32]] = {}

    def __call__(self, person: Person, question: str) -> list[Place]:
        if person.caller not in self._turns:
            vectors = self._model.embed([Said(text) for text in person.turns.values()])
            assert vectors is not None
            self._turns[person.caller] = vectors
        scores = self._turns[person.caller] @ self._model.embed_question(question)
        places = list(person.turns)
        return [places[i] for i in sorted(range(len(places)), key=lambda i: (-scores[i], i))]


def baseline(answers: Sequence[Answered], rank: Callable[[Person, str], Sequence[Place]], first: int = 5) -> float:
    """R@first in percent of another way of ranking, for the same questions."""
    return 100 * statistics.fmean(found(a.asked, rank(a.person, a.asked.question)[:first]) for a in answers)


def grouped(answers: Iterable[Answered], by: Callable[[Answered], str]) -> Mapping[str, list[Answered]]:
    """The answers under their headings."""
    groups: dict[str, list[Answered]] = defaultdict(list)
    for answer in answers:
        groups[by(answer)].append(answer)
    return dict(sorted(groups.items()))


def row(answers: Sequence[Answered]) -> str:
    """One line of a table."""
    hit = 100 * statistics.fmean(a.recall(5) > 0 for a in answers)
    within = 100 * statistics.fmean(a.within(TOKENS) for a in answers)
    figures = [mean_recall(answers, 1), mean_recall(answers, 5), mean_recall(answers, 10), hit, within]
    return f"{len(answers):5}" + "".join(f"{figure:8.1f}" for figure in figures)


def table(title: str, groups: Mapping[str, list[Answered]]) -> str:
    """Figures under their headings."""
    head = f"\n{title:16}    n     R@1     R@5    R@10   hit@5  R<256t"
    return "\n".join([head, *(f"{name:16}{row(group)}" for name, group in groups.items())])


def miss(house: House, answer: Answered) -> str:
    """What came instead, and what each step of the ranking gave to both."""
    asked = answer.asked
    explained = house.services.engine.explain(
        DEFAULT_TENANT, answer.person.caller, asked.question, 200, asked.at.timestamp()
    )
    lines = [f"\n{answer.person.file} | {asked.kind} | {asked.group} {asked.language} | {asked.question}"]
    for rank, item in enumerate(explained, 1):
        is_evidence = (item.found.conversation_id, item.found.turn) in asked.evidence
        if rank <= 3 or is_evidence:
            steps = ", ".join(f"{name} {value:.2f}" for name, value in item.steps.items() if abs(value) >= 0.05)
            place = f"{item.found.conversation_id}:{item.found.turn}"
            lines.append(f"  {'=>' if is_evidence else '  '} {rank:3} {place:14} {(item.found.quote or '')[:90]!r}\n          {item.total:.2f} = {steps}")
    return "\n".join(lines)


def report(house: House, *, by_caller: bool) -> Iterator[str]:
    """The tables."""
    answers = all_answers(house)
    good = answerable(answers)
    asked = [a for a in good if a.asked.style == "question"]
    yield f"{len(everyone())} callers, {sum(len(p.calls) for p in everyone())} calls, {sum(len(p.turns) for p in everyone())} turns, {len(good)} questions with evidence, {len(answers) - len(good)} about what was never said"
    yield table("all", {"": good})
    yield table("language", grouped(good, lambda a: a.asked.group))
    yield table("across", grouped([a for a in good if a.asked.group == "across"], lambda a: f"{a.asked.language} of {a.asked.said}"))
    yield table("kind", grouped(good, lambda a: a.asked.kind))
    yield table("style", grouped(good, lambda a: a.asked.style))
    if by_caller:
        yield table("caller", grouped(good, lambda a: a.person.file))
    short = answerable(all_answers(house, keywords))
    asked_short = [a for a in short if a.asked.style == "question"]
    yield f"\nquestions cut down to keywords: R@5 {mean_recall(asked_short):.1f}, as questions {mean_recall(asked):.1f}"
    yield f"plain BM25: R@5 {baseline(good, words_alone):.1f}; plain vectors: R@5 {baseline(good, MeaningAlone(house)):.1f}"
    yield f"order {order(answers):.1f}, AUC {separation(answers):.1f}, leaks {sum(a.leaks for a in answers)}"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--misses", action="store_true", help="list what was not found among the first five, and why")
    parser.add_argument("--by-caller", action="store_true", help="figures per caller too")
    given = parser.parse_args()
    with remembered() as house:
        for part in report(house, by_caller=given.by_caller):
            print(part)  # noqa: T201
        if given.misses:
            for answer in answerable(all_answers(house)):
                if answer.recall(5) < 1 or (answer.asked.behind and not answer.is_in_order):
                    print(miss(house, answer))  # noqa: T201


if __name__ == "__main__":
    main()
