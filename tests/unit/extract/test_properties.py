"""Any text may be said; every quote is verbatim."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from agentic_memory.domain.call import CollectedValue, Role, Turn, TurnKind
from agentic_memory.domain.wording import comparable, one_line, plain, said_within
from agentic_memory.engine.extract import RuleExtractor
from tests.unit.extract.calls import dialogue

WORDS = st.sampled_from(
    ["my", "name", "is", "i", "am", "i'm", "Ana", "Omar", "soy", "me", "llamo", "no", "not", "prefer", "like", "want", "to", "need", "email", "phone", "de", "la", "y", "and", "but", ",", ".", "?", "!", ";", ":", "\n", "¿", '"', "—", "uh", "if", "she", "said", "vivo", "en", "quiero", "no", "me", "gusta", "at", "dot", "com", "arroba", "555", "0100", "double", "+1", "'s", "\x00", "�", "ﷺ", "İ", "ß"]
)
SPEECH = st.one_of(st.text(max_size=200), st.lists(WORDS, max_size=25).map(" ".join))
TURNS = st.lists(st.tuples(st.sampled_from(Role), st.sampled_from(TurnKind), SPEECH), max_size=6)
VALUES = st.one_of(SPEECH, st.integers(), st.floats(), st.booleans())


@given(TURNS, st.lists(st.tuples(SPEECH, VALUES), max_size=4), st.one_of(st.none(), SPEECH))
@settings(max_examples=300, deadline=None)
def test_extraction_is_total_and_traceable(
    said: list[tuple[Role, TurnKind, str]], collected: list[tuple[str, str | int]], summary: str | None
) -> None:
    turns = tuple(Turn(i, role, text, kind=kind) for i, (role, kind, text) in enumerate(said))
    values = tuple(CollectedValue(f, v) for f, v in collected)
    call = replace(dialogue(summary=summary), turns=turns, collected=values)
    facts = RuleExtractor().extract(call)
    assert facts == RuleExtractor().extract(call)
    for fact in facts:
        assert fact.text and len(fact.text) < 700 and "\n" not in fact.text
        assert 0 <= fact.importance <= 1
        if fact.evidence.field is None:
            turn = turns[fact.evidence.turn or 0]
            assert turn.role is Role.CALLER and turn.kind is TurnKind.SPOKEN
            assert fact.evidence.quote and fact.evidence.quote in turn.text


def test_a_turn_of_a_megabyte_is_read_in_bounded_time() -> None:
    for piece in ("I like tea and ", "no no no ", "a@", "555 ", "uh, ", "my name is ", "((((", "é", "I prefer "):
        assert len(RuleExtractor().extract(dialogue("C: " + piece * (200_000 // len(piece))))) < 50


@given(st.text(max_size=300), st.integers(20, 200))
def test_lines_are_single_and_bounded(text: str, limit: int) -> None:
    line = one_line(text, limit)
    assert len(line) <= limit and line == plain(line)
    assert comparable(comparable(text)) == comparable(text)


def test_a_quote_is_found_whatever_its_spacing() -> None:
    assert said_within("I  like tea", "well I like\ntea.") == "I like\ntea"
    assert said_within("I like coffee", "I like tea") is None
    assert said_within("", "I like tea") is None
