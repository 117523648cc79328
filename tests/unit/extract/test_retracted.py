"""What callers take back teaches nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentic_memory.domain.call import Role, Turn
from agentic_memory.domain.retracted import without_retracted
from agentic_memory.engine.extract import RuleExtractor
from tests.unit.extract.calls import dialogue


def texts(*lines: str, **collected: str) -> list[str]:
    return [fact.text for fact in RuleExtractor().extract(dialogue(*lines, **collected))]


@pytest.mark.parametrize(
    "words",
    [
        "Forget that.",
        "Actually, forget what I just said.",
        "No, scratch that.",
        "Please don't write that down.",
        "Don\u2019t store that, please.",
        "I don't want you to store my address.",
        "Please delete that.",
        "Can you please delete that?",
        "I take that back.",
        "Olvide eso.",
        "Bueno, olvide eso.",
        "Bórrelo, por favor.",
        "No lo apunte.",
        "No guarde eso.",
        "No quiero que guarde eso.",
    ],
)
def test_what_is_taken_back_is_not_learnt(words: str) -> None:
    assert texts(f"C: I live in Lisbon. {words}") == []
    assert texts("C: I live in Lisbon.", "A: Noted.", f"C: {words}") == []
    assert texts("C: Vivo en Sevilla.", "A: Bien.", f"C: {words}") == []
    assert texts("C: I like jazz. I live in Lisbon. No, wait. " + words) == ["User likes jazz"]
    assert texts(f"C: I live in Lisbon. {words} I like jazz.") == ["User likes jazz"]


@pytest.mark.parametrize(
    "words",
    ["Don't forget that.", "I will never forget that!", "Please delete that appointment.", "Please remove it from my bill.", "I mean, it's nice."],
)
def test_what_takes_nothing_back(words: str) -> None:
    assert texts(f"C: I live in Lisbon. {words}") == ["User lives in Lisbon"]


@pytest.mark.parametrize(
    ("said", "learnt"),
    [
        ("I live in Boston, sorry, I mean Austin", []),
        ("I live in Boston I mean I live in Austin", ["User lives in Austin"]),
        ("I like jazz and I live in Boston, I mean Austin", ["User likes jazz"]),
        ("Vivo en Lima, quiero decir, vivo en Quito", ["El usuario vive en Quito"]),
        ("My name is Bob. Sorry, I mean my name is Rob.", ["User's name is Rob"]),
        ("I mean, I like jazz", ["User likes jazz"]),
    ],
)
def test_slips(said: str, learnt: list[str]) -> None:
    assert texts(f"C: {said}") == learnt


def test_a_name_and_a_reported_value_are_taken_back_too() -> None:
    lines = ("C: My name is Bob and I live in Lisbon.", "A: Thanks.", "C: Forget that.")
    assert texts(*lines, city="Lisbon", plan="basic") == ["User's plan: basic"]


@given(st.lists(st.one_of(st.text(max_size=60), st.sampled_from(["forget that", "I mean", "No. Scratch that. x", "bórrelo I mean"])), max_size=5))
def test_what_is_left_is_verbatim(said: list[str]) -> None:
    turns = [Turn(i, Role.CALLER, text, float(i)) for i, text in enumerate(said)]
    for before, after in zip(turns, without_retracted(turns).turns, strict=True):
        assert all(piece in before.text for piece in after.text.split("\n"))
