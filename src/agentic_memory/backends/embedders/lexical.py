"""No model at all: recall by words alone, chosen by setting."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from agentic_memory.ports import Said

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class LexicalOnly:
    """The port `Embedder` without vectors: every text gets a row of no numbers.

    Search then goes by words alone. That is what was asked for, hence nothing is degraded.
    """

    model_id = "lexical"
    dimension = 0

    def load(self) -> None:
        """Nothing to load."""

    def embed(self, texts: Sequence[Said]) -> "NDArray[np.float32]":
        """float32[n, 0]."""
        import numpy as np

        return np.empty((len(texts), 0), dtype=np.float32)

    def embed_questions(self, texts: Sequence[str]) -> "NDArray[np.float32]":
        """float32[n, 0]."""
        return self.embed([Said(text) for text in texts])
