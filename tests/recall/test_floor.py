"""The floor under recall: what a change must not fall below, in any language.

Deterministic: the same weights, texts and times give the same ranks. The floors lie a point or two below what was
measured (README.md has the table); the goal is 90 in each language and across languages. Raise them with what is
gained; a change that needs one lowered has to say why.
"""

import pytest

from tests.recall.measure import (
    TOKENS,
    Answered,
    answerable,
    baseline,
    grouped,
    mean_recall,
    order,
    searched,
    separation,
    words_alone,
)
from tests.wire import House

FLOORS = {"en": 92.0, "es": 89.5, "de": 89.5, "fr": 89.5, "mixed": 95.0, "across": 90.5}
"""R@5 in percent, by the language of question and evidence."""
FIRST_FLOOR = 62.0
WITHIN_FLOOR = 95.0
ORDER_FLOOR = 73.0
SEPARATION_FLOOR = 86.0
KEYWORDS_FLOOR = 88.5
KEYWORDS_COST = 3.0
"""Questions say what kind of answer they want, and gained by it what keywords could not."""


@pytest.mark.parametrize("group", FLOORS)
def test_the_answer_is_among_the_first_five(answers: list[Answered], group: str) -> None:
    asked = grouped(answerable(answers), lambda a: a.asked.group)[group]
    assert mean_recall(asked) >= FLOORS[group]


def test_every_language_has_a_floor(answers: list[Answered]) -> None:
    assert set(grouped(answerable(answers), lambda a: a.asked.group)) == set(FLOORS)


def test_the_answer_comes_first(answers: list[Answered]) -> None:
    assert mean_recall(answerable(answers), 1) >= FIRST_FLOOR


def test_the_answer_is_within_256_tokens(answers: list[Answered]) -> None:
    asked = answerable(answers)
    assert 100 * sum(a.within(TOKENS) for a in asked) / len(asked) >= WITHIN_FLOOR


def test_the_value_that_is_asked_for_comes_before_the_other(answers: list[Answered]) -> None:
    assert order(answers) >= ORDER_FLOOR


def test_what_was_never_said_is_told_by_its_similarity(answers: list[Answered]) -> None:
    assert separation(answers) >= SEPARATION_FLOOR


def test_keywords_find_what_questions_find(answers: list[Answered], answers_to_keywords: list[Answered]) -> None:
    asked, short = (
        mean_recall([a for a in answerable(some) if a.asked.style == "question"])
        for some in (answers, answers_to_keywords)
    )
    assert short >= max(asked - KEYWORDS_COST, KEYWORDS_FLOOR)


def test_nobody_is_told_what_another_said(answers: list[Answered], answers_to_keywords: list[Answered]) -> None:
    assert sum(a.leaks for a in (*answers, *answers_to_keywords)) == 0
    assert all(a.results for a in answers)


def test_the_same_question_has_the_same_answer(house: House, answers: list[Answered]) -> None:
    for answered in answers[::25]:
        assert searched(house, answered.person, answered.asked) == answered


def test_the_set_is_harder_than_words(answers: list[Answered]) -> None:
    """A set that plain BM25 masters would hold nothing."""
    asked = answerable(answers)
    assert baseline(asked, words_alone) <= 55
    assert mean_recall(asked) >= baseline(asked, words_alone) + 20


def test_the_measure_sees_a_ranking_go_wrong(house: House, answers: list[Answered]) -> None:
    """With something else asked little is found: the figures do not come by themselves."""
    other = [searched(house, a.person, a.asked, rewrite=lambda _: "hello") for a in answerable(answers)[::8]]
    assert mean_recall(other) < 20
