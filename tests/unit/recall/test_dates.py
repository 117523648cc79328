from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentic_memory.engine.recall.dates import Window, speaks_of_time, windows
from agentic_memory.engine.recall.words import fold, words

AT = datetime(2026, 6, 10, 15, tzinfo=UTC).timestamp()  # a Wednesday


def spans(text: str) -> list[tuple[str, str]]:
    return [
        tuple(datetime.fromtimestamp(t, UTC).date().isoformat() for t in (w.start, w.end))  # type: ignore[misc]
        for w in windows(text, AT)
        if w.start is not None and w.end is not None
    ]


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("What happened in July 2023?", "2023-07-01", "2023-08-01"),
        ("¿Qué pasó en julio de 2023?", "2023-07-01", "2023-08-01"),
        ("on 3 May 2026", "2026-05-03", "2026-05-04"),
        ("on May 3rd, 2026", "2026-05-03", "2026-05-04"),
        ("el 3 de mayo de 2026", "2026-05-03", "2026-05-04"),
        ("during 2022", "2022-01-01", "2023-01-01"),
        ("yesterday", "2026-06-09", "2026-06-10"),
        ("ayer", "2026-06-09", "2026-06-10"),
        ("today", "2026-06-10", "2026-06-11"),
        ("last week", "2026-06-01", "2026-06-08"),
        ("la semana pasada", "2026-06-01", "2026-06-08"),
        ("this week", "2026-06-08", "2026-06-15"),
        ("last month", "2026-05-01", "2026-06-01"),
        ("el año pasado", "2025-01-01", "2026-01-01"),
        ("two days ago", "2026-06-08", "2026-06-09"),
        ("hace dos semanas", "2026-05-24", "2026-05-31"),
        ("vor zwei Wochen", "2026-05-24", "2026-05-31"),
        ("il y a deux semaines", "2026-05-24", "2026-05-31"),
        ("letzte Woche", "2026-06-01", "2026-06-08"),
        ("la semaine dernière", "2026-06-01", "2026-06-08"),
        ("gestern", "2026-06-09", "2026-06-10"),
        ("am 3. Mai 2026", "2026-05-03", "2026-05-04"),
        ("en juillet 2023", "2023-07-01", "2023-08-01"),
    ],
)
def test_a_question_names_a_window(text: str, start: str, end: str) -> None:
    assert spans(text) == [(start, end)]


def test_a_month_without_a_year_holds_in_any() -> None:
    assert windows("in August", AT) == (Window(month=8),)
    assert windows("on 5 August", AT) == (Window(month=8, day=5),)


@pytest.mark.parametrize("text", ["May I ask something?", "you may come", "the march of time", "no date", "31 February 2024", "at 20:26"])
def test_no_window(text: str) -> None:
    assert windows(text, AT) == ()


def timed(text: str) -> bool:
    return speaks_of_time(fold(text), set(words(text)))


@pytest.mark.parametrize("text", ["See you on Monday", "two weeks ago", "llegó ayer", "am Dienstag", "depuis lundi", "in 2019", "at 3 pm", "on the 21st"])
def test_speaks_of_time(text: str) -> None:
    assert timed(text)


def test_does_not_speak_of_time() -> None:
    assert not timed("I like green tea and marching bands")


@given(st.text(), st.floats())
def test_total_over_any_text_and_time(text: str, at: float) -> None:
    windows(text, at)
    timed(text)


@pytest.mark.parametrize(
    ("question", "first"),
    [
        ("What did she say last Tuesday?", "2026-06-02"),  # a Tuesday itself: the one a week before
        ("last Monday", "2026-06-08"),
        ("¿Qué dijo el lunes pasado?", "2026-06-08"),
        ("Was hat er letzten Mittwoch gesagt?", "2026-06-03"),
        ("Qu'a-t-elle dit mercredi dernier ?", "2026-06-03"),
        ("What did we talk about on Sunday?", "2026-06-07"),
    ],
)
def test_a_day_of_the_week_that_is_past(question: str, first: str) -> None:
    (window,) = windows(question, datetime(2026, 6, 9, 15, tzinfo=UTC).timestamp())
    assert window.start is not None and window.end is not None
    assert (datetime.fromtimestamp(window.start, UTC).date().isoformat(), window.end - window.start) == (first, 86400)


@pytest.mark.parametrize("question", ["Is the appointment on Tuesday?", "next Friday", "What happens on Sunday?"])
def test_a_day_that_may_be_to_come_is_no_window(question: str) -> None:
    assert windows(question, 1781000000.0) == ()


@pytest.mark.parametrize(
    ("question", "call"),
    [
        ("What did we discuss in the last call?", 900.0),
        ("our first conversation", 100.0),
        ("the last time he called", 900.0),
        ("¿De qué hablamos en la última llamada?", 900.0),
        ("Worum ging es im ersten Gespräch?", 100.0),
        ("De quoi parlait son dernier appel ?", 900.0),
    ],
)
def test_the_first_and_the_last_call_can_be_asked_for(question: str, call: float) -> None:
    assert windows(question, 1781000000.0, (100.0, 900.0)) == (Window(call, call + 1, is_call=True),)
    assert windows(question, 1781000000.0) == ()


def test_all_calls_are_no_window() -> None:
    assert windows("In the last calls, or a call at first?", 1781000000.0, (100.0, 900.0)) == ()
