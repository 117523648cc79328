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
ENOUGH = 80
_LOOKED_AT = 2000

_OWN = frozenset(
    {"i", "my", "me", "mine", "we", "our", "us", "i'm", "i've", "i'd", "i'll", "we're", "we've"}
    | {"yo", "mi", "mis", "nos", "nuestro", "nuestra", "nuestros", "nuestras", "soy", "estoy", "tengo", "quiero", "necesito", "vivo"}
    | {"trabajo", "prefiero", "voy", "fui", "creo", "puedo", "he", "hemos", "somos", "tenemos", "vamos", "llamo", "gusta"}
    | {"ich", "mein", "meine", "meinen", "meinem", "meiner", "mir", "mich", "wir", "unser", "unsere", "unserem", "unseren", "uns"}
    | {"je", "j'ai", "j'avais", "j'aime", "j'habite", "mon", "ma", "mes", "moi", "nous", "notre", "nos", "m'appelle", "m'a"}
)
_YOURS = frozenset({"your", "yours", "you're", "usted", "su", "sus", "tu", "tus", "ihr", "ihre", "ihren", "ihrem", "ihrer", "ihnen", "votre", "vos", "vous"})
_NUMBERS = frozenset(
    {"one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "twelve", "dozen", "hundred", "thousand"}
    | {"once", "twice", "uno", "una", "un", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve", "diez", "cien", "mil"}
    | {"eleven", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty", "thirty", "forty"}
    | {"fifty", "sixty", "seventy", "eighty", "ninety", "half", "quince", "veinte", "treinta", "cuarenta", "cincuenta", "sesenta"}
    | {"setenta", "ochenta", "noventa", "ciento", "doscientos", "trescientos", "quinientos", "deux", "trois", "quatre", "cinq"}
    | {"sept", "huit", "neuf", "dix", "onze", "douze", "quinze", "vingt", "trente", "quarante", "cinquante", "soixante", "cent"}
    | {"cents", "mille", "zwei", "drei", "vier", "funf", "sechs", "sieben", "acht", "neun", "zehn", "elf", "zwolf"}
)
_WISHES = frozenset(
    {"always", "never", "allergic", "favorite", "favourite", "prefer", "prefers", "siempre", "nunca", "prefiero", "prefiere"}
    | {"preferiria", "odio", "alergico", "alergica", "favorito", "favorita", "immer", "nie", "niemals", "lieber", "lieblings", "allergisch"}
    | {"toujours", "jamais", "prefere", "preferes", "preferee", "allergique", "deteste"}
)
_WISHING = frozenset({"rather", "like", "love", "hate", "eat", "stand", "make", "remember", "now", "gusta", "encanta", "molesta"})
_WISH = re.compile(
    r"\b(?:from now on|(?:i|i'd|i would|we) (?:really |always )?(?:rather|like|love|hate)|"
    r"(?:do not|don't|can't|cannot) (?:like|eat|stand)|please make sure|remember (?:to|that)|me (?:gusta|encanta|molesta))\b"
)
_MONEY = re.compile(r"[$\u20ac\u00a3%]|\b(?:euros?|dollars?|dolares|pounds?|libras|pesos?|pence|cents?|bucks|quid|franken|francs?|percent|per cent|por ciento|prozent|pour cent)\b")
_DIGIT = re.compile(r"\d|hundert|tausend|zwanzig|dreissig|(?:vier|funf|sech|sieb|acht|neun)zig")
_NAME = re.compile(r"(?<=[\w,;:'\u2019-] )[A-Z\u00c0-\u00de][\w'\u2019-]*[a-z\u00df-\u00ff]|[\"\u201c\u00ab]\w")
_OPENING = re.compile(
    r"(?:^|[,;:\u00bf\u2013\u2014-])\s*(?:(?:and|so|but|or|well|hmm|oh|also|like|y|o|pero|entonces|und|aber|oder|also|et|mais|ou|alors)\b,?\s*){0,3}"
    r"(?:what|how|when|where|who|whose|why|which|can|could|do|does|did|is|are|was|were|will|would|should|have|has|had|any|got|"
    r"may|am|don't|isn't|aren't|didn't|won't|que|como|cuando|donde|quien|cual|cuant|por que|puede|podria|tiene|hay|es|"
    r"qu\u00e9|c\u00f3mo|cu\u00e1ndo|d\u00f3nde|qui\u00e9n|cu\u00e1l|cu\u00e1nt|podr\u00eda|\u00bf|"
    r"was|wann|wie|wo|wer|wem|wen|warum|welche|kann|k\u00f6nn|haben|hast|ist|sind|soll|darf|m\u00f6cht|gibt|qui|quand|comment|"
    r"combien|pourquoi|quel|est-ce|c'est|vous|avez|je peux)"
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
    money: "NDArray[np.float32]"
    """1 where it holds a sum of money or a percentage."""
    asks: "NDArray[np.float32]"
    """Share of its characters that only ask."""
    substance: "NDArray[np.float32]"
    """Its length as a share of ENOUGH characters, at most 1: a word or two tell little."""
    length: "NDArray[np.float32]"
    """Natural logarithm of its length over LONG, 0 for what is shorter, at most 2."""

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return 10 * self.timed.nbytes


def traits_of(texts: Sequence[str], said: Sequence[Sequence[str]]) -> Traits:
    """Look at each passage once; `said` are the folded words of each."""
    import numpy as np

    seen = [_row(text, list_of_words) for text, list_of_words in zip(texts, said, strict=True)]
    rows = np.array(seen, dtype=np.float32).reshape(len(texts), 10)
    rows[:, 9] = np.clip(np.log(np.maximum(rows[:, 9], 1) / LONG), 0, 2)
    return Traits(*(np.ascontiguousarray(column) for column in rows.T))


def _row(text: str, words: Sequence[str]) -> tuple[float, ...]:
    beginning = text[:_LOOKED_AT]
    folded, said = fold(beginning), set(words)
    asks = _asking(text)
    timed = speaks_of_time(folded, said)
    number = not _NUMBERS.isdisjoint(said) or _DIGIT.search(folded) is not None
    return (
        timed,
        number,
        min(len(_NAME.findall(beginning)), 3) / 3,
        not _OWN.isdisjoint(said),
        (timed or number) and asks < 0.3 and not _YOURS.isdisjoint(words[:80]),
        _is_wish(folded[:LONG], set(words[:80])),
        number and _MONEY.search(folded) is not None,
        asks,
        min(len(text) / ENOUGH, 1.0),
        len(text),
    )


def _is_wish(folded: str, said: set[str]) -> bool:
    if not _WISHES.isdisjoint(said):
        return True
    return not _WISHING.isdisjoint(said) and _WISH.search(folded) is not None


def _asking(text: str) -> float:
    """The share of a passage that only asks: of a sentence with a question mark, from the clause on that opens it."""
    if "?" not in text:
        return 0.0
    asked = 0
    text = text[:_LOOKED_AT]
    for sentence in _SENTENCE.findall(text):
        if sentence.rstrip().endswith("?"):
            opening = _OPENING.search(sentence.lower())
            asked += len(sentence) - (opening.start() if opening else 0)
    return asked / len(text)
