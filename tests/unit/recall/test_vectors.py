import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from agentic_memory.engine.recall import call_texts, pack, unpack, usable
from agentic_memory.engine.recall.vectors import (
    CONTEXT_CHARS,
    MAX_PIECES,
    PIECE_CHARS,
    pieces,
)
from tests.unit.recall.people import MAY, call, letters


def test_packing_keeps_half_precision() -> None:
    matrix = letters(["abc", "xyz z"])
    packed = pack(matrix, "letters@1")
    assert (packed.count, packed.dimension, len(packed.data)) == (2, 26, 104)
    assert np.allclose(unpack(packed), matrix, atol=1e-3)
    assert unpack(packed).dtype == np.float32


def test_no_texts_pack_to_no_rows() -> None:
    assert unpack(pack(np.empty((0, 26), dtype=np.float32), "m")).shape == (0, 26)


def test_usable_is_of_the_model_and_of_all_texts() -> None:
    packed = pack(letters(["a", "b"]), "m")
    assert usable(packed, "m", 2)
    assert not usable(packed, "n", 2) and not usable(packed, "m", 3) and not usable(None, "m", 0)


def test_spoken_turns_are_embedded_after_the_end_of_the_turn_before_and_tool_turns_are_not() -> None:
    held = call("c1", MAY, "agent: What do you eat?", "tool: {}", "caller: Sushi.", "agent: Fine.")
    assert call_texts(held) == [("What do you eat?", ""), ("Sushi.", "What do you eat?"), ("Fine.", "Sushi.")]


def test_of_a_long_turn_before_only_the_last_words_count() -> None:
    _, second = call_texts(call("c1", MAY, "agent: " + "word " * 70 + "end", "caller: Yes."))
    assert second.text == "Yes."
    assert second.before.startswith("word ") and second.before.endswith("word end")
    assert len(second.before) <= CONTEXT_CHARS


def test_each_piece_of_a_long_turn_comes_after_the_one_before_it() -> None:
    sentence = "I went there on a Tuesday with my whole family. "
    first, second, *_ = call_texts(call("c1", MAY, "caller: " + sentence * 20))
    assert not first.before
    assert first.text.endswith(second.before) and len(second.before) > CONTEXT_CHARS / 2


@given(st.text(max_size=4000))
def test_pieces_are_few_short_and_in_the_order_of_the_text(text: str) -> None:
    found = pieces(text)
    assert 1 <= len(found) <= MAX_PIECES
    assert all(len(piece) <= PIECE_CHARS for piece in found)
    if len(text) > PIECE_CHARS:
        assert "".join("".join(found).split()) in "".join(text.split())


def test_a_long_turn_has_several_pieces_of_whole_sentences() -> None:
    sentence = "I went there on a Tuesday with my whole family. "
    found = pieces(sentence * 20)
    assert len(found) == 3 and all(p.endswith("family.") for p in found)


def test_vectors_in_a_row_unpack_together() -> None:
    first, second = pack(letters(["ab", "c"]), "m"), pack(letters(["d"]), "m")
    assert unpack(first, second).tolist() == [*unpack(first).tolist(), *unpack(second).tolist()]
