"""How near passages are to a question by meaning: as they are embedded, and as was learnt that answers lie."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from agentic_memory.engine.recall.adapter import adapter
from agentic_memory.engine.recall.index import CallerIndex

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
            return cls(_nearest(index, index.matrix @ vector), None)
        rows = index.matrix @ np.stack([vector, vector @ learnt], axis=1)
        return cls(_nearest(index, rows[:, 0]), _nearest(index, rows[:, 1]))

    def likeness(self, i: int) -> float:
        """0 to 1: how like the question passage `i` is."""
        near = float(self.meaning[i]) + (0.0 if self.answers is None else float(self.answers[i]))
        return min(max(near, 0.0) / ALIKE, 1.0)


def _nearest(index: CallerIndex, rows: "NDArray[np.float32]") -> "NDArray[np.float32]":
    """Per passage the highest of its rows."""
    import numpy as np

    if len(rows) == len(index.passages) and index.owners[-1] == len(rows) - 1:
        return rows  # one row a passage, in order: the usual case
    best: NDArray[np.float32] = np.full(len(index.passages), -np.inf, dtype=np.float32)
    np.maximum.at(best, index.owners, rows)
    best[best == -np.inf] = rows.mean()
    return best
