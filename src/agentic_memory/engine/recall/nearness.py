"""How near passages are to a question by meaning."""

from typing import TYPE_CHECKING

from agentic_memory.engine.recall.index import CallerIndex

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def nearness(index: CallerIndex, vector: "NDArray[np.float32]") -> "NDArray[np.float32]":
    """float32[n]: of each passage the cosine of its nearest row with the question's `vector`, float32[d].

    Of a passage without a row the mean of all. The index has vectors.
    """
    import numpy as np

    rows: NDArray[np.float32] = index.matrix @ vector
    if np.array_equal(index.owners, np.arange(len(index.passages))):
        return rows  # one row a passage: the usual case
    nearest = np.full(len(index.passages), -np.inf, dtype=np.float32)
    np.maximum.at(nearest, index.owners, rows)
    return np.where(np.isfinite(nearest), nearest, rows.mean())
