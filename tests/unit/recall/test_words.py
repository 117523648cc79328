import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentic_memory.engine.recall.words import content_words, fold, languages, stem, stems, words


def test_folding_drops_case_and_accents() -> None:
    assert fold("María JOSÉ Müller") == "maria jose muller"


def test_words_keep_apostrophes_and_numbers() -> None:
    assert words("I\u2019m at 10:30, it's room B2") == ["i'm", "at", "10", "30", "it's", "room", "b2"]


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
