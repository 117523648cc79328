"""The encoder: the package's arithmetic where nothing was learnt, and what was learnt on top."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from agentic_memory.backends.embedders import towers
from agentic_memory.backends.embedders.encoder import AT_ONCE, Encoder
from agentic_memory.backends.embedders.safety import speakable
from agentic_memory.backends.embedders.usem3 import Usem3Embedder, package
from agentic_memory.errors import EmbedderCorrupt, EmbedderUnavailable
from agentic_memory.ports import Said

LENGTHS = ["word " * n for n in (1, 2, 3, 50, AT_ONCE - 3, AT_ONCE, AT_ONCE + 7)]
TEXTS = ["My dentist is doctor Keller.", "¿Cuánto cuesta?", "a", "Straße 12b, 3. Stock", *LENGTHS, "一期一会"]
Matrices = Mapping[str, NDArray[np.float32]]


@pytest.fixture(scope="module")
def original() -> object:
    return package()


@pytest.fixture(scope="module")
def matrices(original: object) -> Matrices:
    return towers.plain(original)


@pytest.fixture(scope="module")
def plain(original: object, matrices: Matrices) -> Encoder:
    return Encoder.of(original, {"plain": matrices})


@pytest.fixture(scope="module")
def learnt() -> Usem3Embedder:
    return Usem3Embedder()


def test_without_what_was_learnt_it_is_the_package_itself(original: object, plain: Encoder) -> None:
    assert np.allclose(plain.encode("plain", [(text, "") for text in TEXTS]), original.encode(TEXTS), atol=1e-5)


@settings(max_examples=40, deadline=None)
@given(texts=st.lists(st.text(max_size=60).map(speakable), min_size=1, max_size=5))
def test_so_it_is_for_any_texts(texts: list[str], original: object, plain: Encoder) -> None:
    assert np.allclose(plain.encode("plain", [(text, "") for text in texts]), original.encode(texts), atol=1e-5)


def test_where_nothing_was_learnt_what_was_said_before_is_part_of_the_text(plain: Encoder) -> None:
    apart, joined = plain.encode("plain", [("Sushi.", "What do you eat?"), ("What do you eat? Sushi.", "")])
    assert np.allclose(apart, joined, atol=1e-5)


def test_no_texts_no_rows(plain: Encoder) -> None:
    assert plain.encode("plain", []).shape == (0, 512)


def test_a_text_is_the_same_in_any_company_and_place(learnt: Usem3Embedder) -> None:
    said = [Said(text, before) for text in TEXTS for before in ("", "And where is that?")]
    together = learnt.embed(said)
    alone = np.concatenate([learnt.embed([one]) for one in said])
    assert np.allclose(together, alone, atol=1e-5)
    assert np.allclose(learnt.embed(said[::-1])[::-1], alone, atol=1e-5)


def test_an_answer_is_nearer_to_its_question_when_what_was_asked_before_it_is_known(learnt: Usem3Embedder) -> None:
    question = learnt.embed_questions(["What does he like to eat?"])[0]
    with_it, without = learnt.embed([Said("Sushi, most of all.", "What is your favourite food?"), Said("Sushi, most of all.")])
    assert question @ with_it > question @ without


def test_what_was_said_before_counts_less_than_what_is_said(learnt: Usem3Embedder) -> None:
    question = learnt.embed_questions(["What is the name of her dog?"])[0]
    said, after = learnt.embed([Said("My dog's name is Trufa.", "It rains a lot."), Said("It rains a lot.", "My dog's name is Trufa.")])
    assert question @ said > question @ after


def test_questions_and_what_is_said_go_different_ways(learnt: Usem3Embedder) -> None:
    text = "Where does she work?"
    assert learnt.embed_questions([text])[0] @ learnt.embed([Said(text)])[0] < 0.99


@pytest.mark.parametrize("shape", [(3, 5), (7,)])
def test_what_is_stored_is_a_hundredth_off_at_most(shape: tuple[int, ...]) -> None:
    difference = np.random.default_rng(1).standard_normal(shape)
    stored = towers.rounded("said", "d0", difference)
    off = np.abs(towers.added(stored, "said", "d0") - difference)
    assert (off <= np.abs(difference).max(axis=-1, keepdims=True) / 120).all()


def test_the_last_digits_of_a_sum_do_not_show_in_what_is_stored() -> None:
    difference = np.random.default_rng(2).standard_normal((50, 80))
    one, other = (towers.rounded("said", "d0", difference * (1 + nudge)) for nudge in (0, 1e-13))
    assert all(np.array_equal(one[name], other[name]) for name in one)


def test_nothing_learnt_is_stored_as_nothing() -> None:
    assert not towers.added(towers.rounded("said", "d0", np.zeros((2, 3))), "said", "d0").any()


def test_what_was_learnt_changes_every_kind_of_matrix_a_little(matrices: Matrices) -> None:
    for tower in towers.learnt(matrices).values():
        assert set(tower) == set(matrices)
        for name, matrix in matrices.items():
            assert tower[name].dtype == np.float32 and np.isfinite(tower[name]).all()
            assert np.abs(tower[name] - matrix).max() < 1


def test_without_its_file_the_model_is_unavailable(matrices: Matrices, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(towers, "FILE", tmp_path / "nothing.npz")
    with pytest.raises(EmbedderUnavailable, match=r"nothing\.npz cannot be read"):
        towers.learnt(matrices)


@pytest.mark.parametrize("keep", [0, 1000, -1])
def test_another_file_is_refused(keep: int, matrices: Matrices, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cut.npz").write_bytes(towers.FILE.read_bytes()[:keep])
    monkeypatch.setattr(towers, "FILE", tmp_path / "cut.npz")
    with pytest.raises(EmbedderCorrupt, match="what recall has learnt"):
        towers.learnt(matrices)


def test_what_was_learnt_is_part_of_the_models_name() -> None:
    assert towers.SHA256[:8] in Usem3Embedder.model_id


def test_blanks_said_before_are_nothing(learnt: Usem3Embedder) -> None:
    assert np.array_equal(*learnt.embed([Said("Sushi.", " \n"), Said("Sushi.")]))
