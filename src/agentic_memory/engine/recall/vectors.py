"""What is embedded of a caller's records, and how the vectors are packed.

A spoken turn is embedded with the end of what was said before it: "Sushi." means something after "What is
your favourite food?" alone. A long turn gets several vectors: the mean of many sentences is near to nothing
that a question asks. The vectors of a call are those of `call_texts(call)`, row by row; how many rows
belong to each turn follows from its text alone.
"""

import re
from typing import TYPE_CHECKING

from agentic_memory.domain.call import Call
from agentic_memory.domain.records import Vectors
from agentic_memory.ports import Said

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CONVENTION = "turns-2"
"""Names what `call_texts` gives. Change it with what is embedded: vectors of another convention are made anew."""
PIECE_CHARS = 400
"""A turn of at most this many characters is embedded whole."""
CONTEXT_CHARS = 200
"""How much of what was said before is embedded with it."""
MAX_PIECES = 4
"""More of one turn than this many pieces is not embedded (its words still count)."""

_SENTENCE = re.compile(r"\s(?:(?<=[.!?\u2026\u3002\uff1f\uff01]\s)\s*|(?<=\n)\n*)")


def pieces(text: str) -> list[str]:
    """The parts of a turn that get a vector each: sentences joined up to PIECE_CHARS. Never empty."""
    if len(text) <= PIECE_CHARS:
        return [text]
    found: list[str] = []
    room = 0
    for sentence in _sentences(text):
        if len(sentence) > room:
            if len(found) == MAX_PIECES:
                break
            found.append(sentence)
            room = PIECE_CHARS - len(sentence)
        else:
            found[-1] += " " + sentence
            room -= len(sentence) + 1
    return found or [text[:PIECE_CHARS]]


def _sentences(text: str) -> list[str]:
    parts: list[str] = []
    for sentence in _SENTENCE.split(text[: 2 * PIECE_CHARS * MAX_PIECES]):
        stripped = sentence.strip()
        parts += [stripped[i : i + PIECE_CHARS] for i in range(0, len(stripped), PIECE_CHARS)]
    return parts


def call_texts(call: Call) -> list[Said]:
    """What to embed of a call, in order: the pieces of its spoken turns, each after what came before it."""
    texts: list[Said] = []
    before = ""
    for turn in call.spoken_turns:
        for piece in pieces(turn.text):
            texts.append(Said(piece, before))
            before = _end(piece)
        before = _end(turn.text)
    return texts


def _end(text: str) -> str:
    """The last words of what was said, at most CONTEXT_CHARS."""
    if len(text) <= CONTEXT_CHARS:
        return text
    end = text[-CONTEXT_CHARS:]
    return end[end.find(" ") + 1 :]


def pack(matrix: "NDArray[np.float32]", model_id: str) -> Vectors:
    """float32[n, d] as it is stored: little-endian float16."""
    count, dimension = matrix.shape
    return Vectors(model_id, dimension, count, matrix.astype("<f2").tobytes())


def unpack(*stored: Vectors) -> "NDArray[np.float32]":
    """Stored vectors of the same dimension, one or several in a row, as float32[n, d]."""
    import numpy as np

    packed = np.frombuffer(b"".join(vectors.data for vectors in stored), dtype="<f2")
    return packed.reshape(sum(vectors.count for vectors in stored), stored[0].dimension).astype(np.float32)


def usable(vectors: Vectors | None, model_id: str, count: int) -> bool:
    """Whether these are `count` vectors of that model."""
    return (
        vectors is not None
        and vectors.model_id == model_id
        and vectors.count == count
        and len(vectors.data) == 2 * count * vectors.dimension
    )
