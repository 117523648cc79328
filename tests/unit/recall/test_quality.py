"""The floor under recall's quality: three callers of our own, asked in English and in Spanish.

Deterministic: the same weights and texts give the same ranks. A change that lowers a number here has to say why.
"""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from agentic_memory.backends.embedders.usem3 import Usem3Embedder
from agentic_memory.domain.memory import Found
from agentic_memory.engine.recall import CallerIndex, asked, call_texts, pack, search
from tests.unit.recall.telephone import PEOPLE, Person, heard

ENGLISH, SPANISH = 0, 1
NOW = datetime(2026, 9, 1, tzinfo=UTC).timestamp()
Searched = tuple[Person, CallerIndex, dict[str, tuple[str, int]]]


@pytest.fixture(scope="module")
def embedder() -> Usem3Embedder:
    return Usem3Embedder()


@pytest.fixture(scope="module")
def people(embedder: Usem3Embedder) -> list[Searched]:
    found = []
    for person in PEOPLE:
        held, places = heard(person)
        calls = tuple(replace(c, vectors=pack(embedder.embed(call_texts(c.call)), "usem3")) for c in held.calls)
        found.append((person, CallerIndex.build(replace(held, calls=calls), "usem3"), places))
    return found


def answers(people: list[Searched], embedder: Usem3Embedder | None, language: int, limit: int) -> list[tuple[tuple[Found, ...], set[tuple[str, int]]]]:
    found = []
    for person, index, places in people:
        for question in person.questions:
            understood = asked(index, question[language], NOW)
            vector = embedder.embed_questions([understood.dense])[0] if embedder else None
            results = search(index, understood, vector, limit)
            found.append((results, {places[name] for name in question[2].split()}))
    return found


def share_found(found: list[tuple[tuple[Found, ...], set[tuple[str, int]]]], first: int) -> float:
    asked = [(results, wanted) for results, wanted in found if wanted]
    return sum(any((r.conversation_id, r.turn) in wanted for r in results[:first]) for results, wanted in asked) / len(asked)


@pytest.mark.parametrize(("language", "first", "floor"), [(ENGLISH, 5, 0.95), (SPANISH, 5, 0.91), (ENGLISH, 3, 0.91), (SPANISH, 3, 0.88)])
def test_the_answer_is_among_the_first(people: list[Searched], embedder: Usem3Embedder, language: int, first: int, floor: float) -> None:
    assert share_found(answers(people, embedder, language, first), first) >= floor


@pytest.mark.parametrize(("language", "floor"), [(ENGLISH, 0.82), (SPANISH, 0.77)])
def test_words_alone_find_most_even_across_languages(people: list[Searched], language: int, floor: float) -> None:
    assert share_found(answers(people, None, language, 5), 5) >= floor


def test_what_was_never_said_is_recognised_by_weak_similarity(people: list[Searched], embedder: Usem3Embedder) -> None:
    found = [a for language in (ENGLISH, SPANISH) for a in answers(people, embedder, language, 1)]
    said = [results[0].similarity for results, wanted in found if wanted]
    never = [results[0].similarity for results, wanted in found if not wanted]
    above = sum((s > n) + (s == n) / 2 for s in said for n in never) / (len(said) * len(never))
    assert above >= 0.95


def test_ten_answers_fit_in_256_tokens(people: list[Searched], embedder: Usem3Embedder) -> None:
    lengths = [sum(len(r.text) for r in results) / 4 for results, _ in answers(people, embedder, ENGLISH, 10)]
    assert max(lengths) <= 256


def test_results_never_cross_callers(people: list[Searched], embedder: Usem3Embedder) -> None:
    for person, index, _ in people:
        for other, _, _ in people:
            for question in other.questions[:5]:
                understood = asked(index, question[0], NOW)
                results = search(index, understood, embedder.embed_questions([understood.dense])[0], 10)
                assert {r.conversation_id.split("-")[0] for r in results} == {person.name.split()[0].lower()}
