"""How near passages are to a question by meaning: as they are embedded, and as was learnt that answers lie."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from agentic_memory.engine.recall.adapter import adapter
from agentic_memory.engine.recall.index import CallerIndex
from agentic_memory.engine.recall.vectors import products

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ALIKE = 0.8
"""A cosine of this much is as good as the same words."""


@dataclass(frozen=True, slots=True)
class Nearness:
    """Per passage, float32[n]: of its nearest row; of passages without a row the mean."""

    meaning: "NDArray[np.float32]"
    """The cosine with the question."""
    answers: "NDArray[np.float32] | None"
    """How much it looks like an answer to such a question; None where nothing was learnt for the model."""

    @classmethod
    def of(cls, index: CallerIndex, vector: "NDArray[np.float32]") -> Self:
        """Compare the question's `vector`, float32[d], with everything that has one. The index has vectors."""
        import numpy as np

        learnt = adapter(index.model_id)
        if learnt is None or len(learnt) != len(vector):
            rows = index.matrix @ vector
            return cls(_of(_nearest(index, rows), rows), None)
        rows = products(index.matrix, np.stack([vector, vector @ learnt], axis=1))
        nearest = _nearest(index, rows[:, 0])
        return cls(_of(nearest, rows[:, 0]), _of(nearest, rows[:, 1]))

    def likeness(self, i: int) -> float:
        """0 to 1: how like the question passage `i` is."""
        near = float(self.meaning[i]) + (0.0 if self.answers is None else float(self.answers[i]))
        return min(max(near, 0.0) / ALIKE, 1.0)


def _nearest(index: CallerIndex, rows: "NDArray[np.float32]") -> "NDArray[np.int64]":
    """int[n]: of each passage the row that is highest; -1 where it has none."""
    import numpy as np

    every = np.arange(len(index.passages))
    if np.array_equal(index.owners, every):
        return every  # one row a passage: the usual case
    nearest = np.full(len(every), -1, dtype=np.int64)
    highest_last = np.argsort(rows, kind="stable")
    nearest[index.owners[highest_last]] = highest_last
    return nearest


def _of(nearest: "NDArray[np.int64]", rows: "NDArray[np.float32]") -> "NDArray[np.float32]":
    """Per passage the value of its nearest row, and where it has none the mean of all rows."""
    import numpy as np

    found: NDArray[np.float32] = np.where(nearest >= 0, rows[nearest], rows.mean())
    return found
