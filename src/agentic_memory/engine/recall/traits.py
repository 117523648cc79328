"""What can be seen of a passage before any question: whether it tells or asks, of whom, and of what kind."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agentic_memory.engine.recall.dates import speaks_of_time
from agentic_memory.engine.recall.words import fold

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LONG = 400
"""Characters from which a turn counts as long: it mentions much and is about little."""

_OWN = re.compile(
    r"\b(?:i|my|me|mine|we|our|us|i'm|i've|i'd|i'll|we're|we've|yo|mi|mis|nos|nuestr[oa]s?|"
    r"soy|estoy|tengo|quiero|necesito|vivo|trabajo|prefiero|voy|fui|creo|puedo|he|hemos|somos|tenemos|vamos|llamo|gusta)\b"
)
_YOURS = re.compile(r"\b(?:your|yours|you're|you are|usted|su|sus|tu|tus)\b")
_WISH = re.compile(
    r"\b(?:always|never|from now on|(?:i|i'd|i would|we) (?:really |always )?(?:prefer|rather|like|love|hate)|"
    r"(?:do not|don't|can't|cannot) (?:like|eat|stand)|allergic|favou?rite|please make sure|remember (?:to|that)|"
    r"siempre|nunca|prefier[oe]|preferiria|me (?:gusta|encanta|molesta)|odio|alergic[oa]|favorit[oa])\b"
)
_NUMBER = re.compile(
    r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|twelve|dozen|hundred|thousand|once|twice|"
    r"un[oa]?|dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez|cien|ciento|mil)\b"
)
_NAME = re.compile(r"(?<=[\w,;:'\u2019-] )[A-Z\u00c0-\u00de][\w'\u2019-]*[a-z\u00df-\u00ff]|[\"\u201c\u00ab]\w")
_OPENING = re.compile(
    r"(?:^|[,;:\u00bf\u2013\u2014-])\s*(?:(?:and|so|but|or|well|hmm|oh|also|like|y|o|pero|entonces)\b,?\s*)*"
    r"(?:what|how|when|where|who|whose|why|which|can|could|do|does|did|is|are|was|were|will|would|should|have|has|had|any|got|"
    r"may|am|don't|isn't|aren't|didn't|won't|que|como|cuando|donde|quien|cual|cuant|por que|puede|podria|tiene|hay|es|"
    r"qu\u00e9|c\u00f3mo|cu\u00e1ndo|d\u00f3nde|qui\u00e9n|cu\u00e1l|cu\u00e1nt|podr\u00eda|\u00bf)"
)
_SENTENCE = re.compile(r"[^.!?\u2026\n]*[.!?\u2026\n]*")


@dataclass(frozen=True, slots=True)
class Traits:
    """Per passage, float32[n]."""

    timed: "NDArray[np.float32]"
    """1 where it speaks of time."""
    numbers: "NDArray[np.float32]"
    """1 where it holds a number."""
    names: "NDArray[np.float32]"
    """How many names or titles it seems to hold, at most 3, as a share."""
    own: "NDArray[np.float32]"
    """1 where the speaker speaks of themselves."""
    yours: "NDArray[np.float32]"
    """1 where the speaker tells (not asks) the other a number or a time of theirs."""
    wish: "NDArray[np.float32]"
    """1 where something is preferred, disliked or wanted for good: what advice has to heed."""
    asks: "NDArray[np.float32]"
    """Share of its characters that only ask."""
    length: "NDArray[np.float32]"
    """Natural logarithm of its length over LONG, 0 for what is shorter, at most 2."""

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return 8 * self.timed.nbytes


def traits_of(texts: Sequence[str]) -> Traits:
    """Look at each passage once."""
    import numpy as np

    rows = np.array([_row(text) for text in texts], dtype=np.float32).reshape(len(texts), 8)
    rows[:, 7] = np.clip(np.log(np.maximum(rows[:, 7], 1) / LONG), 0, 2)
    return Traits(*(np.ascontiguousarray(column) for column in rows.T))


def _row(text: str) -> tuple[float, ...]:
    folded = fold(text[:4000])
    asks = _asking(text)
    timed, number = speaks_of_time(folded), _NUMBER.search(folded) is not None
    return (
        timed,
        number,
        min(len(_NAME.findall(text[:4000])), 3) / 3,
        _OWN.search(folded) is not None,
        (timed or number) and asks < 0.3 and _YOURS.search(folded[:LONG]) is not None,
        _WISH.search(folded[:LONG]) is not None,
        asks,
        len(text),
    )


def _asking(text: str) -> float:
    """The share of a passage that only asks: of a sentence with a question mark, from the clause on that opens it."""
    if "?" not in text:
        return 0.0
    asked = 0
    for sentence in _SENTENCE.findall(text):
        if sentence.rstrip().endswith("?"):
            opening = _OPENING.search(sentence.lower())
            asked += len(sentence) - (opening.start() if opening else 0)
    return asked / len(text)
