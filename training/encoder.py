"""A tower of `agentic_memory.backends.embedders.encoder` as something that can be learnt: the same arithmetic, in torch.

float64 throughout, so that the order of a sum does not show in what is stored.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from agentic_memory.backends.embedders.encoder import BRANCH, BRANCHES, TINY, Table
from training.lessons import Tokens

AT_ONCE = 1024
"""Tokens that go through at once."""


class Tower(nn.Module):
    """Texts to vectors; its parameters have the names of the encoder's matrices."""

    def __init__(self, table: Table, matrices: Mapping[str, NDArray[np.float32]]) -> None:
        """It begins as `matrices`."""
        super().__init__()
        self._table = table
        self.matrices = nn.ParameterDict({name: nn.Parameter(torch.tensor(matrix, dtype=torch.float64)) for name, matrix in matrices.items()})

    def forward(self, texts: Sequence[Tokens]) -> Tensor:
        """float64[n, 512], rows of unit length."""
        parts: list[Tensor] = []
        batch: list[Tokens] = []
        for text in texts:
            if batch and sum(len(t.ids) for t in batch) + len(text.ids) > AT_ONCE:
                parts.append(self._through(batch))
                batch = []
            batch.append(text)
        return torch.cat([*parts, self._through(batch)])

    def _through(self, texts: Sequence[Tokens]) -> Tensor:
        sizes = torch.tensor([len(t.ids) for t in texts])
        ids = np.concatenate([t.ids for t in texts])
        within = torch.arange(len(ids)) - torch.repeat_interleave(torch.cumsum(sizes, 0) - sizes, sizes)
        was_before = within < torch.repeat_interleave(torch.tensor([t.before for t in texts]), sizes)
        features = self._features(torch.tensor(self._table[ids], dtype=torch.float64), within, torch.repeat_interleave(sizes, sizes))
        return self._dense(self._pooled(features, sizes, was_before))

    def _features(self, embedded: Tensor, within: Tensor, sizes: Tensor) -> Tensor:
        m = self.matrices
        projected = _normalised(embedded @ m["proj"] + m["proj_b"], m["proj_g"], m["proj_h"])
        nothing = embedded.new_zeros(1, BRANCH)
        branches = []
        for i, (width, before) in enumerate(BRANCHES):
            reach = within[:, None] + torch.arange(width) - before
            near = torch.arange(len(within))[:, None] + torch.arange(width) - before
            near = torch.where((reach >= 0) & (reach < sizes[:, None]), near, len(within))
            through = projected[:, i * BRANCH : (i + 1) * BRANCH]
            for layer in (f"w1_{width}", f"w2_{width}"):
                windows = torch.cat([through, nothing])[near].reshape(len(within), -1)
                through = through + torch.relu(windows @ m[layer] + m[f"{layer}_b"])
            branches.append(through)
        return _normalised(torch.cat([embedded, *branches], dim=1), m["norm_g"], m["norm_h"])

    def _pooled(self, features: Tensor, sizes: Tensor, was_before: Tensor) -> Tensor:
        m = self.matrices
        told = features @ m["pool"] + was_before * (features @ m["pool_before"] + m["pool_before_b"])
        weights = 1 + torch.tanh(told / 2)
        text = torch.repeat_interleave(torch.arange(len(sizes)), sizes)
        sums = features.new_zeros(len(sizes), features.shape[1]).index_add(0, text, features * weights[:, None])
        total = features.new_zeros(len(sizes)).index_add(0, text, weights)[:, None]
        return (sums @ m["out"] + total * m["out_b"]) / total.sqrt()

    def _dense(self, pooled: Tensor) -> Tensor:
        m = self.matrices
        first = torch.relu(pooled @ m["d0"])
        second = torch.relu(pooled @ m["p1"] + first @ m["d1"])
        third = torch.relu(second @ m["d2"])
        return functional.normalize(torch.tanh(second @ m["p3"] + third @ m["d3"]), dim=1)


def _normalised(rows: Tensor, gain: Tensor, shift: Tensor) -> Tensor:
    return functional.layer_norm(rows, (rows.shape[1],), gain, shift, TINY)
