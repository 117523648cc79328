"""Card numbers, codes and passwords: never a fact, never in a brief."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentic_memory.domain.briefing import compile_brief
from agentic_memory.domain.memory import Category
from agentic_memory.domain.sensitivity import figures, is_secret_field, masked, masked_alike
from agentic_memory.engine.extract import RuleExtractor
from tests.unit.brief.records import call, caller, memory
from tests.unit.extract.calls import dialogue

SECRETS = [
    "card 4111 1111 1111 1111",
    "card 4111-1111-1111-1111",
    "4111111111111111",
    "four one one one, one one one one, one one one one, one one one one",
    "forty-one eleven eleven eleven eleven eleven eleven eleven",
    "cuatro uno uno uno uno uno uno uno uno uno uno uno uno uno uno uno",
    "CVV is 123",
    "PIN is four eight two one",
    "PIN 4821",
    "password is hunter2",
    "la contraseña es perro verde",
    "código de seguridad es 123",
    "one-time code is 991122",
    "social security number is 123-45-6789",
]


@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_is_masked_and_teaches_nothing(secret: str) -> None:
    assert "[number removed]" in masked(f"User gave {secret}. User likes tea.")
    assert masked(f"User gave {secret}. User likes tea.").endswith("User likes tea.")
    facts = RuleExtractor().extract(dialogue(f"C: I want to pay, my {secret}", f"C: I need to use my {secret}, I like jazz"))
    assert all(masked(f.text) == f.text and "1111" not in f.text for f in facts)
    assert "User likes jazz" in [f.text for f in facts]


@pytest.mark.parametrize(
    "text",
    ["I forgot my password", "my password is not working", "order number 12345", "call +1 555 010 0001", "on 3 May 2026 at ten", "two sons"],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert masked(text) == text


@pytest.mark.parametrize("field", ["credit_card", "card_number", "cvv", "pin", "password", "ssn", "tarjeta", "passport_number", "contraseña", "user_pin"])
def test_fields_of_secrets_are_not_kept(field: str) -> None:
    assert RuleExtractor().extract(dialogue(**{field: "4821"})) == ()


def test_other_fields_are() -> None:
    assert not any(is_secret_field(words) for words in ("company", "shipping", "business card", "pinned", "plan"))


def test_a_card_number_in_any_field_is_not_kept() -> None:
    assert RuleExtractor().extract(dialogue(note="4111 1111 1111 1111")) == ()


def test_a_summary_is_kept_without_it() -> None:
    (fact,) = RuleExtractor().extract(dialogue(summary="User paid with card 4111 1111 1111 1111."))
    assert fact.text == "User paid with card [number removed]."


def test_no_brief_tells_it() -> None:
    told = "User's card is 4111 1111 1111 1111"
    brief = compile_brief(caller(), [call(24, told)], [memory(told, Category.OTHER, 24), memory(told, Category.PREFERENCE)])
    assert "1111" not in brief.context + brief.memory_summary + brief.greeting_preference


def test_figures() -> None:
    assert figures("forty-one double one") == "4111"
    assert figures("cuarenta y uno, once") == "4111"
    assert figures("twenty twelve") == "2012"


@given(st.text(max_size=200))
def test_masking_is_total_and_settles(text: str) -> None:
    assert masked(masked(text)) == masked(text)


def test_a_card_number_with_its_date_and_code_behind_it() -> None:
    assert masked("My card is 4111 1111 1111 1111, 12 27, 123.") == "My card is [number removed]."


def test_what_one_telling_shows_to_be_secret_no_other_tells() -> None:
    whole = "my card number is 4111, 1111, 1111, 1111, thanks"
    assert masked_alike("Caller: 4111, 1111 \u2026", whole) == ("Caller: [number removed] \u2026", "my card number is [number removed], thanks")
    assert masked_alike("What is your PIN? Caller: four two one nine", "four two one nine")[1] == "[number removed]"
    assert masked_alike("Your PIN? I have two dogs.", "I have two dogs.") == ("Your PIN? I have two dogs.", "I have two dogs.")


@given(st.lists(st.sampled_from(["4111", "1111", "one", "twelve", "double", "-", ",", "card", "PIN", "is", "?", "my", "x"]), max_size=24).map(" ".join))
def test_the_quick_look_overlooks_nothing(text: str) -> None:
    """A text with a word for a credential before it is looked at whole."""
    behind = "a code. " + text
    assert masked(behind).removeprefix("a code. ") == masked(text) or "?" in text
