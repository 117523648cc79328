import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentic_memory.engine.recall.wording import day, room, trimmed

LONG = (
    "Well, you know, the weather was lovely all along. My sister Ruth moved to Lyon in March; "
    "she works there as a nurse, and she is happy. Anyway, how is business?"
)


def test_short_text_stays_as_it_is_on_one_line() -> None:
    assert trimmed("I like\n tea.", [], 80) == "I like tea."


def test_keeps_the_clauses_that_say_what_is_wanted() -> None:
    assert trimmed(LONG, ["sister", "lyon"], 60) == "…My sister Ruth moved to Lyon in March;…"
    assert trimmed(LONG, ["nurs"], 60) == "…she works there as a nurse, and she is happy. Anyway,…"


def test_a_question_of_time_keeps_the_time() -> None:
    assert "March" in trimmed(LONG, [], 50, time_counts=True)


def test_one_long_clause_is_cut_between_words_around_the_hit() -> None:
    text = " ".join(f"word{i}x" for i in range(100))
    assert trimmed(text, ["word50x"], 60) == "…word46x word47x word48x word49x word50x word51x word52x…"


@given(st.text(), st.lists(st.text(max_size=5), max_size=4), st.integers(20, 200), st.booleans())
def test_total_bounded_and_one_line(text: str, wanted: list[str], chars: int, time_counts: bool) -> None:
    line = trimmed(text, wanted, chars, time_counts=time_counts)
    assert len(line) <= chars and len(line.splitlines()) <= 1


@pytest.mark.parametrize(("limit", "chars"), [(1, 320), (3, 320), (5, 200), (10, 100), (50, 96)])
def test_room_shrinks_with_the_number_of_results(limit: int, chars: int) -> None:
    assert room(limit) == chars


def test_day_in_words() -> None:
    assert day(1777800000.0) == "3 May 2026"
    assert day(0.0) == day(1e300) == day(float("nan")) == ""
