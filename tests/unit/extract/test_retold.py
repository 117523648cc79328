"""What a caller takes back is not told by the platform's summary or title either."""

from dataclasses import replace

import pytest

from agentic_memory.engine.extract.retold import without_retold
from tests.unit.extract.calls import dialogue

LISBON = ("C: I live in Lisbon and my sister Rita is in hospital.", "A: I see.", "C: Forget that. I like jazz.")
SEVILLA = ("C: Vivo en la calle Mayor de Sevilla.", "A: Bien.", "C: No lo apunte, por favor. Me gusta el jazz.")


def left(summary: str, *lines: str) -> str | None:
    return without_retold(dialogue(*lines, summary=summary)).summary


@pytest.mark.parametrize(
    ("summary", "kept"),
    [
        ("The caller lives in Lisbon. The caller likes jazz.", "The caller likes jazz."),
        ("Stefan moved to LISBON.", None),
        ("The user's sister is in the hospital! She is better. Dr. Brown likes jazz.", "Dr. Brown likes jazz."),
        ("The caller likes jazz and asked for the opening hours.", "The caller likes jazz and asked for the opening hours."),
    ],
)
def test_sentences_that_repeat_a_retraction_go(summary: str, kept: str | None) -> None:
    assert left(summary, *LISBON) == kept


@pytest.mark.parametrize(
    ("summary", "kept"),
    [
        ("El usuario vive en Sevilla. Le gusta el jazz.", "Le gusta el jazz."),
        ("The caller spoke of her street and likes jazz.", None),
    ],
)
def test_a_summary_in_another_language_cannot_be_compared_and_goes(summary: str, kept: str | None) -> None:
    assert left(summary, *SEVILLA) == kept


def test_a_title_is_no_better_than_a_summary() -> None:
    assert without_retold(replace(dialogue(*LISBON), title="Life in Lisbon")).title is None
    assert without_retold(replace(dialogue(*LISBON), title="Talk about jazz")).title == "Talk about jazz"


def test_a_slip_takes_its_own_word_alone_whatever_the_language() -> None:
    slip = ("C: Vivo en Lima, quiero decir, vivo en Quito.",)
    assert left("The caller lives in Quito. He likes tea.", *slip) == "The caller lives in Quito. He likes tea."
    assert left("The caller lives in Lima.", *slip) is None


@pytest.mark.parametrize(
    "lines",
    [
        ("C: I live in Lisbon.",),
        ("C: I live in Lisbon.", "A: Noted.", "C: Don't forget that!"),
        ("C: I live in Lisbon. No, forget that. Well, I do live in Lisbon.",),
        ("A: You live in Lisbon. Forget that.", "C: Yes."),
    ],
)
def test_where_nothing_was_taken_back_nothing_changes(lines: tuple[str, ...]) -> None:
    summary = "The caller lives in Lisbon.  They like jazz."
    assert left(summary, *lines) in (summary, " ".join(summary.split()))
