import pytest

from agentic_memory.engine.recall.traits import Traits, traits_of
from agentic_memory.engine.recall.words import numbered, words


def look_at(*texts: str) -> Traits:
    return traits_of(texts, numbered(words(text) for text in texts))


def look(text: str) -> Traits:
    return look_at(text)


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("I like tea.", 0.0),
        ("Do you like tea?", 1.0),
        ("¿Le gusta el té?", 1.0),
        ("Tea?", 1.0),
    ],
)
def test_share_of_a_turn_that_only_asks(text: str, share: float) -> None:
    assert look(text).asks[0] == share


def test_of_a_sentence_that_tells_and_then_asks_only_the_end_asks() -> None:
    assert 0.2 < look("I have moved to a flat in Basel with a garden, can you note that?").asks[0] < 0.5


def test_tells_the_other_something_of_theirs() -> None:
    assert look("Your order number is 4711.").yours[0] == 1
    assert look("Su cita es el lunes.").yours[0] == 1
    assert look("You are very kind.").yours[0] == look("Is your order number 4711?").yours[0] == 0


@pytest.mark.parametrize("text", ["Always call me after five", "I prefer email", "Soy alérgico a las nueces", "my favourite cake", "No me gusta el ruido"])
def test_a_wish(text: str) -> None:
    assert look(text).wish[0] == 1 and look("I went to the shop").wish[0] == 0


def test_names_numbers_and_times() -> None:
    seen = look('My friend Ruth read "Emma" on Monday, twice.')
    assert (seen.names[0], seen.numbers[0], seen.timed[0]) == (1, 1, 1)
    plain = look("The soup was good.")
    assert (plain.names[0], plain.numbers[0], plain.timed[0]) == (0, 0, 0)


def test_length_counts_only_beyond_the_long_and_is_bounded() -> None:
    assert look_at("x" * 400, "x" * 800, "x" * 10**6).length.tolist() == pytest.approx([0, 0.6931, 2], abs=1e-3)


def test_a_turn_made_to_be_slow_is_looked_at_at_once() -> None:
    hostile = [", and" * 20_000 + "?", "so but " * 20_000 + "?", "?" * 100_000, "," * 100_000 + "?"]
    assert all(0 <= share <= 1 for share in look_at(*hostile).asks)


def test_no_passages() -> None:
    assert look_at().asks.shape == (0,)


def test_a_word_or_two_have_little_substance() -> None:
    assert look("").substance[0] == 0 and look("ja genau").substance[0] == pytest.approx(0.1)
    assert look("x" * 80).substance[0] == look("x" * 4000).substance[0] == 1


@pytest.mark.parametrize("text", ["vierhundertzwanzig Euro", "soixante euros", "ochenta euros", "fifty euros", "50"])
def test_numbers_in_words(text: str) -> None:
    assert look(text).numbers[0] == 1


@pytest.mark.parametrize("text", ["sixty euros", "Das macht vierhundertzwanzig Euro", "$40", "five percent", "cien pesos"])
def test_money(text: str) -> None:
    assert look(text).money[0] == 1 and look("she has two dogs").money[0] == look("I paid in euros").money[0] == 0


def test_what_joins_words_does_not_hide_them() -> None:
    joined = look_at("50 d'euros", "in last night's film", "寿司hundert50", "may_be_in", "a 20 euro_note")
    assert joined.money.tolist() == [1, 0, 0, 0, 0]
    assert joined.timed.tolist() == [0, 1, 0, 0, 0]
    assert joined.numbers.tolist() == [1, 0, 1, 0, 1]


def test_numbers_and_wishes_far_into_a_turn_are_not_seen() -> None:
    late = "well " * 500
    assert look(late + "42").numbers[0] == look(late + "never").wish[0] == look(late + "your 42").yours[0] == 0
    assert look("42 " + late).numbers[0] == look("never " + late).wish[0] == 1


def test_passages_without_words_have_no_traits_of_their_neighbours() -> None:
    beside = look_at("", "my 42", "...", "?", "never", "")
    assert beside.numbers.tolist() == [0, 1, 0, 0, 0, 0]
    assert beside.wish.tolist() == [0, 0, 0, 0, 1, 0]


@pytest.mark.parametrize(
    "text",
    ["We live in Basel now", "Ya no vivo ahí", "Wir sind umgezogen", "Ich habe kein Auto mehr", "Je n'habite plus là", "We no longer drink coffee", "une nouvelle adresse"],
)
def test_a_change(text: str) -> None:
    assert look(text).changed[0] == 1


@pytest.mark.parametrize("text", ["We lived in Basel", "Ya vivo ahí", "mehr Tee", "no more than two", "plus deux", "how much longer"])
def test_no_change(text: str) -> None:
    assert look(text).changed[0] == 0
