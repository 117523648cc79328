"""The set itself: that its evidence is there, answers, and that there is enough of each."""

import re
from collections import Counter
from itertools import pairwise

import pytest

from tests.recall.calls import Person, everyone, questions

RESERVED = re.compile(r"\+1555011\d{4}")
KINDS = {
    "agent",
    "date",
    "earlier",
    "fact",
    "name",
    "never",
    "number",
    "other_person",
    "paraphrase",
    "preference",
    "promise",
    "two_part",
    "updated",
}


@pytest.mark.parametrize("person", everyone(), ids=lambda person: person.file)
def test_a_caller_is_somebody_who_cannot_be_reached(person: Person) -> None:
    assert RESERVED.fullmatch(person.caller)
    assert person.name and person.agent_name and person.business and person.languages


def test_no_two_callers_share_a_number_and_no_two_calls_an_id() -> None:
    assert len({p.caller for p in everyone()}) == len(everyone())
    ids = [c.id for p in everyone() for c in p.calls]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("person", everyone(), ids=lambda person: person.file)
def test_calls_follow_each_other_and_have_two_sides(person: Person) -> None:
    assert all(a.at < b.at for a, b in pairwise(person.calls))
    for call in person.calls:
        assert 8 <= len(call.turns) <= 20, call.id
        assert {role for role, _ in call.turns} == {"caller", "agent"}, call.id
        assert call.language in person.languages, call.id
        assert all(text == text.strip() and text for _, text in call.turns), call.id


@pytest.mark.parametrize("person", everyone(), ids=lambda person: person.file)
def test_evidence_is_there_and_holds_the_answer(person: Person) -> None:
    for asked in person.questions:
        said = {place: person.turns[place].casefold() for place in asked.evidence}
        answers = [answer.casefold() for answer in asked.answers]
        for place, text in said.items():
            assert any(answer in text for answer in answers), (asked.question, place, text)
        for answer in answers:
            assert any(answer in text for text in said.values()), (asked.question, answer)


@pytest.mark.parametrize("person", everyone(), ids=lambda person: person.file)
def test_questions_are_asked_once_and_say_what_they_are(person: Person) -> None:
    again = [q for q, n in Counter(a.question for a in person.questions).items() if n > 1]
    assert not again
    for asked in person.questions:
        assert asked.kind in KINDS, asked
        assert asked.style in {"question", "keywords"}, asked
        assert all(asked.parts) and (asked.kind == "never") == (not asked.parts) == (asked.said is None), asked
        assert asked.at > max(call.at for call in person.calls), asked


@pytest.mark.parametrize("person", everyone(), ids=lambda person: person.file)
def test_the_other_value_is_older_where_the_newest_is_asked_for(person: Person) -> None:
    at = {call.id: call.at for call in person.calls}
    for asked in (a for a in person.questions if a.behind):
        newest, others = max(at[i] for i, _ in asked.evidence), [at[i] for i, _ in asked.behind]
        assert asked.kind in {"updated", "earlier", "agent"}, asked
        assert not asked.behind & asked.evidence, asked
        assert all(newest <= other if asked.kind == "earlier" else other <= newest for other in others), asked


def test_there_is_enough_of_each() -> None:
    asked = [a for _, a in questions()]
    by_group = Counter(a.group for a in asked if a.parts)
    by_kind = Counter(a.kind for a in asked)
    assert len(everyone()) >= 12
    assert sum(len(p.calls) for p in everyone()) >= 100
    assert sum(by_group.values()) >= 500
    assert by_group["en"] >= 150 and by_group["es"] >= 150 and by_group["across"] >= 110
    assert by_group["de"] >= 60 and by_group["fr"] >= 25 and by_group["mixed"] >= 20
    assert set(by_kind) == KINDS and min(by_kind.values()) >= 10
    assert by_kind["never"] >= 40 and by_kind["updated"] >= 40 and by_kind["earlier"] >= 20
    assert Counter(a.style for a in asked)["keywords"] >= 20
    assert sum(len(a.parts) > 1 for a in asked) >= 12
