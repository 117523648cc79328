import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentic_memory.engine.recall.wording import day, last_question, room, trimmed

LONG = (
    "Well, you know, the weather was lovely all along. My sister Ruth moved to Lyon in March; "
    "she works there as a nurse, and she is happy. Anyway, how is business?"
)


def test_short_text_stays_as_it_is_on_one_line() -> None:
    assert trimmed("I like\n tea.", {}, 80) == "I like tea."


def test_keeps_the_clauses_that_say_what_is_wanted() -> None:
    assert trimmed(LONG, {"sister": 1, "lyon": 1}, 60) == "…My sister Ruth moved to Lyon in March;…"
    assert trimmed(LONG, {"nurs": 1}, 60) == "…she works there as a nurse, and she is happy. Anyway,…"


def test_a_question_of_time_keeps_the_time() -> None:
    assert "March" in trimmed(LONG, {}, 50, time_counts=True)


def test_one_long_clause_is_cut_between_words_around_the_hit() -> None:
    text = " ".join(f"word{i}x" for i in range(100))
    assert trimmed(text, {"word50x": 1}, 60) == "…word46x word47x word48x word49x word50x word51x word52x…"


def test_a_rare_word_outweighs_two_common_ones() -> None:
    text = "I go to the market every week with my son. The goat is ill."
    assert trimmed(text, {"market": 0.1, "week": 0.1, "goat": 1.0}, 40) == "…The goat is ill."


def test_what_tells_goes_before_what_asks() -> None:
    text = "Do you have any news for me at all today? We have moved to the coast last winter, all of us."
    assert trimmed(text, {}, 60) == "…We have moved to the coast last winter, all of us."


def test_the_last_question_of_a_turn() -> None:
    assert last_question("Hello? Fine. What do you eat?", 40) == "What do you eat?"
    assert last_question("What would you like to eat tonight?", 12) == "…at tonight?"
    assert last_question("I eat.", 40) == last_question("What?", 1) == ""


@given(st.text(), st.dictionaries(st.text(max_size=5), st.floats(0, 1), max_size=4), st.integers(20, 200), st.booleans())
def test_total_bounded_and_one_line(text: str, wanted: dict[str, float], chars: int, time_counts: bool) -> None:
    line = trimmed(text, wanted, chars, time_counts=time_counts)
    assert len(line) <= chars and len(line.splitlines()) <= 1


@pytest.mark.parametrize(("limit", "chars"), [(1, 320), (3, 320), (5, 200), (10, 100), (50, 96)])
def test_room_shrinks_with_the_number_of_results(limit: int, chars: int) -> None:
    assert room(limit) == chars


def test_day_in_words() -> None:
    assert day(1777800000.0) == "3 May 2026"
    assert day(0.0) == day(1e300) == day(float("nan")) == ""


def test_a_title_does_not_end_a_sentence() -> None:
    assert last_question("Fine. Are you with Dr. Patel or with Dra. Wong?", 80) == "Are you with Dr. Patel or with Dra. Wong?"
    long = "It rained a lot on the way back home, so they say, and nobody minded. My doctor is Dr. Patel from the clinic."
    assert trimmed(long, {"doct": 1.0}, 50) == "…My doctor is Dr. Patel from the clinic."
