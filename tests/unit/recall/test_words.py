import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentic_memory.engine.recall.words import (
    content_words,
    fold,
    languages,
    numbered,
    stem,
    stems,
    words,
)


def test_folding_drops_case_and_accents() -> None:
    assert fold("María JOSÉ Müller") == "maria jose muller"


def test_words_keep_apostrophes_and_numbers() -> None:
    assert words("I\u2019m at 10:30, it's room B2") == ["i'm", "at", "10", "30", "it's", "room", "b2"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("\u2019tis rock'n'roll, o''clock'", ["tis", "rock'n'roll", "o", "clock"]),
        ("\u00bfQu\u00e9\u2026 \u201cs\u00ed\u201d?", ["que", "si"]),
        ("snake_case __ a_b", ["snake", "case", "a", "b"]),
        ("stra\u00dfe \u00e6ther \u0663\u0664", ["strasse", "\u00e6ther", "\u0663\u0664"]),
        ("a\tb\nc\x1cd\x00e", ["a", "b", "c", "d", "e"]),
    ],
)
def test_words_end_where_letters_and_digits_end(text: str, found: list[str]) -> None:
    assert words(text) == found


@given(st.text(alphabet="aZ9'\u2019_ .-\n\u00e9\u00df\u00bf\u201c\u0301\u00c6\uff15"))
def test_words_are_what_the_plain_pattern_finds(text: str) -> None:
    plain = re.findall(r"[^\W_]+(?:'[^\W_]+)*", fold(text).replace("\u2019", "'"))
    assert words(text) == plain


def test_words_are_numbered_in_the_order_they_are_said() -> None:
    said = numbered([["a", "b", "a"], [], ["c", "b"]])
    assert (said.words, said.ids.tolist(), said.lengths.tolist()) == (("a", "b", "c"), [0, 1, 0, 2, 1], [3, 0, 2])
    assert numbered([]).ids.shape == numbered([[]]).ids.shape == (0,)


def test_scripts_without_spaces_become_pairs() -> None:
    assert words("寿司が好き") == ["寿司", "司が", "が好", "好き"]


@pytest.mark.parametrize(
    "forms",
    ["paint paints painted painting paintings", "study studies studied studying", "run runs ran running", "class classes", "gato gata gatos gatas", "trabajo trabajar trabajaba trabajando", "cita citas", "move moved moving moves", "december December's", "child kids"],
)
def test_forms_of_a_word_share_a_stem(forms: str) -> None:
    assert len({stem(w) for w in words(forms)}) == 1


def test_short_words_stay() -> None:
    assert [stem(w) for w in ("was", "red", "bus", "dog", "es")] == ["was", "red", "bus", "dog", "es"]


def test_content_words_leave_out_what_carries_no_meaning() -> None:
    assert content_words("What is the name of my dog?") == ["name", "dog"]
    assert content_words("¿Cuál es el nombre de mi perro?") == ["nombre", "perro"]
    assert content_words("what is it") == ["what", "is", "it"]


@given(st.text())
def test_total_over_any_text(text: str) -> None:
    assert len(stems(text)) == len(words(text))
    assert all(stems(text))


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("What does her son do?", ["en"]),
        ("¿Qué hace su hijo?", ["es"]),
        ("Was macht ihr Sohn?", ["de"]),
        ("Que fait leur fils ?", ["fr"]),
        ("Pamplona 2026", []),
    ],
)
def test_a_language_is_known_by_its_empty_words(text: str, spoken: list[str]) -> None:
    assert set(spoken) <= set(languages(text)) and bool(spoken) == bool(languages(text))


def test_a_word_that_is_empty_in_another_language_counts() -> None:
    assert content_words("What does her son do?") == ["son"]
    assert content_words("Comment vont les filles ?") == ["vont", "filles"]
