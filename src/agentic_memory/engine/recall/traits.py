"""What can be seen of a passage before any question: whether it tells or asks, of whom, and of what kind."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agentic_memory.engine.recall.dates import MAYBE_TIMES, TIME_WORDS, shows_a_time
from agentic_memory.engine.recall.words import Numbered, fold, is_unspaced

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LONG = 400
"""Characters from which a turn counts as long: it mentions much and is about little."""
ENOUGH = 80
_LOOKED_AT = 2000
_EARLY = 80
"""Words of a passage among which wishes and what is the other's are looked for."""

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
_CHANGES = frozenset(
    {"now", "nowadays", "changed", "change", "moved", "moving", "instead", "switched", "anymore", "new", "ahora", "cambie", "cambio"}
    | {"cambiamos", "cambiado", "mudamos", "mude", "mudado", "nuevo", "nueva", "nuevos", "nuevas", "jetzt", "inzwischen", "neu", "neue"}
    | {"neuer", "neues", "neuen", "neuem", "umgezogen", "umziehen", "geandert", "stattdessen", "statt", "maintenant", "nouveau"}
    | {"nouvel", "nouvelle", "desormais", "demenage", "demenages", "demenageons", "plutot", "finalement"}
)
_CHANGING = frozenset({"longer", "more", "ya", "mehr", "plus"})
_CHANGE = re.compile(r"\b(?:no longer|any more|ya no|nicht mehr|keine?[nmrs]? (?:\w+ )?mehr|(?:ne|n'\w+) (?:\w+ ){0,2}plus)\b")
_MONEY_WORDS = (
    "euro euros dollar dollars dolares pound pounds libra libras peso pesos pence cent cents bucks quid franken franc francs percent prozent"
)
_MONEY_SIGN = re.compile(r"[$\u20ac\u00a3%]")
_MONEY = re.compile(rf"{_MONEY_SIGN.pattern}|\b(?:{'|'.join(_MONEY_WORDS.split())}|por ciento)\b")
_NUMERAL = re.compile(r"\d|hundert|tausend|zwanzig|dreissig|(?:vier|funf|sech|sieb|acht|neun)zig")
_SHORTEST_NUMERAL = len("hundert")
_NAME = re.compile(r"[A-Z\u00c0-\u00de](?<=[\w,;:'\u2019-] .)[\w'\u2019-]*[a-z\u00df-\u00ff]")
_QUOTED = re.compile(r"[\"\u201c\u00ab]\w")
_OPENING = re.compile(
    r"(?:^|[,;:\u00bf\u2013\u2014-])\s*(?:(?:and|so|but|or|well|hmm|oh|also|like|y|o|pero|entonces|und|aber|oder|also|et|mais|ou|alors)\b,?\s*){0,3}"
    r"(?:what|how|when|where|who|whose|why|which|can|could|do|does|did|is|are|was|were|will|would|should|have|has|had|any|got|"
    r"may|am|don't|isn't|aren't|didn't|won't|que|como|cuando|donde|quien|cual|cuant|por que|puede|podria|tiene|hay|es|"
    r"qu\u00e9|c\u00f3mo|cu\u00e1ndo|d\u00f3nde|qui\u00e9n|cu\u00e1l|cu\u00e1nt|podr\u00eda|\u00bf|"
    r"was|wann|wie|wo|wer|wem|wen|warum|welche|kann|k\u00f6nn|haben|hast|ist|sind|soll|darf|m\u00f6cht|gibt|qui|quand|comment|"
    r"combien|pourquoi|quel|est-ce|c'est|vous|avez|je peux)"
)
_SENTENCE = re.compile(r"[^.!?\u2026\n]*[.!?\u2026\n]*")

_OF_TIME, _OF_NUMBER, _OF_YOURS, _OF_WISHES, _OF_WISHING, _OF_CHANGES, _OF_CHANGING = (1 << i for i in range(7))
_MAYBE_FIGURES, _MAYBE_TIME, _MAYBE_MONEY = (1 << i for i in range(7, 10))
_MAYBE = _MAYBE_FIGURES | _MAYBE_TIME | _MAYBE_MONEY
"""Bits after which the passage itself is looked at."""
_SORTS: dict[str, int] = {}
for _listed, _bit in (
    (TIME_WORDS, _OF_TIME),
    (_NUMBERS, _OF_NUMBER),
    (_YOURS, _OF_YOURS),
    (_WISHES, _OF_WISHES),
    (_WISHING, _OF_WISHING),
    (_CHANGES, _OF_CHANGES),
    (_CHANGING, _OF_CHANGING),
    (MAYBE_TIMES, _MAYBE_TIME),
    ((*_MONEY_WORDS.split(), "ciento"), _MAYBE_MONEY),
):
    _SORTS |= {_word: _SORTS.get(_word, 0) | _bit for _word in _listed}


@dataclass(frozen=True, slots=True)
class Traits:
    """Per passage, float32[n]."""

    timed: "NDArray[np.float32]"
    """1 where it speaks of time."""
    numbers: "NDArray[np.float32]"
    """1 where it holds a number."""
    names: "NDArray[np.float32]"
    """How many names or titles it seems to hold, at most 3, as a share."""
    yours: "NDArray[np.float32]"
    """1 where the speaker tells (not asks) the other a number or a time of theirs."""
    wish: "NDArray[np.float32]"
    """1 where something is preferred, disliked or wanted for good: what advice has to heed."""
    changed: "NDArray[np.float32]"
    """1 where it tells that something is otherwise now."""
    money: "NDArray[np.float32]"
    """1 where it holds a sum of money or a percentage."""
    asks: "NDArray[np.float32]"
    """Share of its characters that only ask."""
    substance: "NDArray[np.float32]"
    """Its length as a share of ENOUGH characters, at most 1: a word or two tell little."""
    length: "NDArray[np.float32]"
    """Natural logarithm of its length over LONG, 0 for what is shorter, at most 2."""


def traits_of(texts: Sequence[str], said: Numbered) -> Traits:
    """Look at each passage once; `said` are the folded words of each."""
    import numpy as np

    sorts = np.array([_sort(word) for word in said.words], dtype=np.int64)[said.ids]
    within = np.arange(len(sorts)) - np.repeat(np.cumsum(said.lengths) - said.lengths, said.lengths)
    of_all = _united(sorts, said.lengths)
    of_early = of_all if len(sorts) == 0 or within.max() < _EARLY else _united(np.where(within < _EARLY, sorts, 0), said.lengths)
    length = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
    timed, numbers = _timed(texts, of_all), _numbers(texts, of_all)
    asks = np.fromiter(map(_asking, texts), dtype=np.float64, count=len(texts))
    seen = (
        timed,
        numbers,
        np.fromiter(map(_names, texts), dtype=np.float64, count=len(texts)),
        (timed | numbers) & (asks < 0.3) & (of_early & _OF_YOURS > 0),
        _told(texts, of_early, _OF_WISHES, _OF_WISHING, _WISH),
        _told(texts, of_early, _OF_CHANGES, _OF_CHANGING, _CHANGE),
        _money(texts, of_all, numbers),
        asks,
        np.minimum(length / ENOUGH, 1.0),
        np.clip(np.log(np.maximum(length.astype(np.float32), 1) / LONG), 0, 2),
    )
    return Traits(*(column.astype(np.float32) for column in seen))


def _united(sorts: "NDArray[np.int64]", lengths: "NDArray[np.int64]") -> "NDArray[np.int64]":
    """The bits of all words of each passage, together."""
    import numpy as np

    united = np.zeros(len(lengths), dtype=np.int64)
    if len(sorts):
        starts = np.cumsum(lengths) - lengths
        united[lengths > 0] = np.bitwise_or.reduceat(sorts, starts[lengths > 0])
    return united


def _sort(word: str) -> int:
    """What one word tells of its passage, as bits."""
    sort = _SORTS.get(word, 0)
    if len(word) < _SHORTEST_NUMERAL and word.isascii() and word.isalpha():
        return sort
    if not word.isascii() and is_unspaced(word):
        return sort | _MAYBE
    if "'" in word:
        for part in word.split("'"):
            sort |= _SORTS.get(part, 0) & _MAYBE
    return sort | _MAYBE_FIGURES if _NUMERAL.search(word) else sort


def _looked_at(texts: Sequence[str], where: "NDArray[np.bool_]", sees: Callable[[str], object]) -> "NDArray[np.bool_]":
    """`where`, without the passages whose folded beginning `sees` refuses."""
    import numpy as np

    found = np.zeros(len(texts), dtype=bool)
    for i in np.flatnonzero(where).tolist():
        found[i] = bool(sees(fold(texts[i][:_LOOKED_AT])))
    return found


def _timed(texts: Sequence[str], sorts: "NDArray[np.int64]") -> "NDArray[np.bool_]":
    is_named = sorts & _OF_TIME > 0
    return is_named | _looked_at(texts, ~is_named & (sorts & (_MAYBE_FIGURES | _MAYBE_TIME) > 0), shows_a_time)


def _numbers(texts: Sequence[str], sorts: "NDArray[np.int64]") -> "NDArray[np.bool_]":
    is_named = sorts & _OF_NUMBER > 0
    return is_named | _looked_at(texts, ~is_named & (sorts & _MAYBE_FIGURES > 0), _NUMERAL.search)


def _money(texts: Sequence[str], sorts: "NDArray[np.int64]", numbers: "NDArray[np.bool_]") -> "NDArray[np.bool_]":
    is_named = numbers & (sorts & _MAYBE_MONEY > 0)
    return _looked_at(texts, is_named, _MONEY.search) | _looked_at(texts, numbers & ~is_named, _MONEY_SIGN.search)


def _told(
    texts: Sequence[str], sorts: "NDArray[np.int64]", by_word: int, maybe: int, pattern: re.Pattern[str]
) -> "NDArray[np.bool_]":
    """Where a word alone tells it, or a word that may and the pattern at the beginning."""
    is_named = sorts & by_word > 0
    return is_named | _looked_at(texts, ~is_named & (sorts & maybe > 0), lambda folded: pattern.search(folded[:LONG]))


def _names(text: str) -> float:
    """How many names or titles a passage seems to hold, at most 3, as a share."""
    beginning = text[:_LOOKED_AT]
    return min(len(_NAME.findall(beginning)) + len(_QUOTED.findall(beginning)), 3) / 3


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
