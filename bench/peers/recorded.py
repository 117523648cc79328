"""An embedder that looks vectors up in a file: the same ones for every peer, at no cost worth measuring.

The file holds float32 rows. With keys beside it, a text has exactly its own row; without, any text gets the row
that its hash names, which serves for speed. Rows are read one by one, so that the file counts in nobody's memory.
"""

import hashlib
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float32]
WIDTH = 512


def _key(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.strip().encode(), digest_size=8).digest(), "big")


def record(folder: Path, vectors: Mapping[str, Sequence[float]]) -> None:
    """Keep each text's vector."""
    by_key = sorted((_key(text), text) for text in vectors)
    np.save(folder / "keys.npy", np.array([key for key, _ in by_key], dtype=np.uint64))
    np.array([vectors[text] for _, text in by_key], dtype="<f4").tofile(folder / "rows.f4")


def record_any(folder: Path, rows: Matrix) -> None:
    """Keep rows that any text may have."""
    rows.astype("<f4").tofile(folder / "rows.f4")


class Recorded:
    """The embedder: `seconds` is what looking up has taken so far."""

    def __init__(self, folder: Path) -> None:
        self._file = os.open(folder / "rows.f4", os.O_RDONLY)
        self._count = os.fstat(self._file).st_size // (4 * WIDTH)
        keys = folder / "keys.npy"
        self._keys = np.load(keys) if keys.exists() else None
        self.seconds = 0.0

    def vectors(self, texts: Iterable[str]) -> Matrix:
        """float32[n, 512]. A text that was not recorded raises KeyError."""
        began = time.perf_counter()
        rows = [np.frombuffer(os.pread(self._file, 4 * WIDTH, 4 * WIDTH * self._row(t)), dtype="<f4") for t in texts]
        self.seconds += time.perf_counter() - began
        return np.stack(rows)

    def lists(self, texts: Iterable[str]) -> list[list[float]]:
        """The same as plain lists, for those who want them."""
        found = self.vectors(texts)
        began = time.perf_counter()
        listed: list[list[float]] = found.tolist()
        self.seconds += time.perf_counter() - began
        return listed

    def _row(self, text: str) -> int:
        key = _key(text)
        if self._keys is None:
            return key % self._count
        row = int(np.searchsorted(self._keys, np.uint64(key)))
        if row == len(self._keys) or int(self._keys[row]) != key:
            raise KeyError(f"no vector was recorded for {text[:60]!r}")
        return row
