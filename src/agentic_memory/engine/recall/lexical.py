"""Words against words: BM25 over the stems of one caller's passages."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agentic_memory.engine.recall.kin import kin
from agentic_memory.engine.recall.words import Numbered, stem

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

K1 = 1.2
B = 0.75
KIN = 0.4
"""What a word of the same meaning counts, against the word itself."""


@dataclass(frozen=True, slots=True)
class Postings:
    """Which stem is in which passage, with its weight there."""

    vocabulary: dict[str, int]
    offsets: "NDArray[np.int64]"
    """Stem i has the entries offsets[i] to offsets[i + 1]."""
    passages: "NDArray[np.int32]"
    weights: "NDArray[np.float32]"
    rarity: "NDArray[np.float32]"
    """float32[stems]: how rare a stem is, as BM25 counts it."""
    count: int
    """Number of passages."""

    @property
    def nbytes(self) -> int:
        """Bytes held, the vocabulary estimated."""
        arrays = self.offsets.nbytes + self.passages.nbytes + self.weights.nbytes
        return arrays + self.rarity.nbytes + 120 * len(self.vocabulary)

    def entries(self, term: str) -> slice:
        """Where a stem's entries lie; empty for one that nobody said."""
        i = self.vocabulary.get(term, -1)
        return slice(0, 0) if i < 0 else slice(int(self.offsets[i]), int(self.offsets[i + 1]))

    def scores(self, terms: Iterable[str]) -> "NDArray[np.float32]":
        """float32[count]: BM25 of every passage for these folded words, kin counting for less."""
        import numpy as np

        scores = np.zeros(self.count, dtype=np.float32)
        for term in dict.fromkeys(stem(word) for word in terms):
            found = self.entries(term)
            scores[self.passages[found]] += self.weights[found]
            by_kin = self._by_kin(term, weighted=True)
            if by_kin is not None:
                scores += by_kin
        return scores

    def _by_kin(self, term: str, *, weighted: bool) -> "NDArray[np.float32] | None":
        """What passages that hold kin of a stem, and not the stem itself, get for it: BM25 or presence."""
        import numpy as np

        known = [other for other in kin(term) if other in self.vocabulary]
        if not known:
            return None
        by_kin = np.zeros(self.count, dtype=np.float32)
        for other in known:
            found = self.entries(other)
            places = self.passages[found]
            worth = KIN * self.weights[found] if weighted else KIN
            by_kin[places] = np.maximum(by_kin[places], worth)
        by_kin[self.passages[self.entries(term)]] = 0.0
        return by_kin

    def worth(self, wanted: Iterable[str]) -> dict[str, float]:
        """How rare each of these stems is here, the rarest 1; stems that nobody said are left out."""
        known = {t: float(self.rarity[self.vocabulary[t]]) for t in wanted if t in self.vocabulary}
        highest = max(known.values(), default=0.0)
        return {t: v / highest for t, v in known.items() if highest > 0}

    def coverage(self, wanted: Iterable[str]) -> "NDArray[np.float32]":
        """float32[count], 0 to 1: how much of these stems a passage holds, rare ones counting more.

        A stem that nobody said counts as the rarest: what was never mentioned covers little.
        """
        import numpy as np

        held = np.zeros(self.count, dtype=np.float32)
        unsaid = float(np.log1p((self.count + 0.5) / 0.5))
        total = 0.0
        for term in sorted(set(wanted)):
            found = self.entries(term)
            weight = float(self.rarity[self.vocabulary[term]]) if found.stop else unsaid
            held[self.passages[found]] += weight
            by_kin = self._by_kin(term, weighted=False)
            if by_kin is not None:
                held += weight * by_kin
            total += weight
        return held / total if total else held


def postings(said: Numbered) -> Postings:
    """Build the postings of the passages whose words these are."""
    import numpy as np

    vocabulary: dict[str, int] = {}
    stemmed = np.array([vocabulary.setdefault(stem(word), len(vocabulary)) for word in said.words], dtype=np.int64)
    count = len(said.lengths)
    terms, passages, times = _counted(stemmed[said.ids], np.repeat(np.arange(count), said.lengths))
    offsets = np.searchsorted(terms, np.arange(len(vocabulary) + 1))
    holders = np.diff(offsets)
    rarity = np.log1p((count - holders + 0.5) / (holders + 0.5)).astype(np.float32)
    mean = float(said.lengths.mean()) if count else 0.0
    weights = rarity[terms] * _saturated(times, said.lengths[passages], mean)
    return Postings(vocabulary, offsets, passages.astype(np.int32), weights, rarity, count)


def _counted(
    terms: "NDArray[np.int64]", passages: "NDArray[np.int64]"
) -> "tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]":
    """Each pair of term and passage once, ordered by term, then by passage, with how often it is there.

    The passages come in order. Small numbers are sorted digit by digit, which takes a tenth of the time.
    """
    import numpy as np

    small = len(terms) > 0 and int(terms.max()) < 2**16
    order = np.argsort(terms.astype(np.uint16) if small else terms, kind="stable")
    terms, passages = terms[order], passages[order]
    is_new = (np.diff(terms, prepend=-1) != 0) | (np.diff(passages, prepend=-1) != 0)
    firsts = np.flatnonzero(is_new)
    return terms[firsts], passages[firsts], np.diff(firsts, append=len(terms))


def _saturated(
    counts: "NDArray[np.int64]", lengths: "NDArray[np.int64]", mean: float
) -> "NDArray[np.float32]":
    import numpy as np

    norm = K1 * (1 - B + B * lengths / max(mean, 1.0))
    return (counts * (K1 + 1) / (counts + norm)).astype(np.float32)
