"""Words as recall compares them: folded, split, stemmed; what carries no meaning left out."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_SPLIT = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*")
_FOREIGN = re.compile(r"[^\W\x00-\x7f]")
_KEPT = bytes(c if c < 128 and (chr(c).isalnum() or chr(c) == "'") else ord(" ") for c in range(256))
"""For `bytes.translate`: all but ASCII letters, digits and apostrophes becomes a space."""
_LOOSE = re.compile(r"'(?:(?<![^ '].)|(?![^ ']))")
"""An apostrophe that joins nothing, in what _KEPT left."""
_UNSPACED = re.compile("[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_MARK = re.compile("[\u0300-\u036f]")

_ENGLISH = """
a about am an and any are as at be been being but by can could did do does doing for from had has have having
he her hers him his how i if in into is it its itself just me my myself of on or our ours out over own s she so
some than that the their theirs them then there these they this those to too up us very was we were what when
where which while who whom whose why will with would you your yours yourself
after also because been before between during get got kind kinds like many much no not type types while
don't doesn't didn't isn't wasn't aren't i'm i've i'd i'll it's that's he's she's they're we're you're let's
"""
_SPANISH = """
al algo como con cual cuales cuando cuanto cuantos de del donde el ella ellas ellos en era eran es esa ese eso
esta estaba estan estas este esto estos fue fueron ha han hay he la las le les lo los mas me mi mis muy nos o
antes despues durante entre mientras mucho muchos mucha muchas no tambien tipo tipos
para pero por porque que quien quienes se ser si sin sobre son su sus te tiene tu tus un una unas uno unos y ya yo
cuanta cuantas cuales tenia habia hasta sido estan fueron tienen nuestro nuestra
"""
_GERMAN = """
aber als am an auch auf aus bei bin bis bist da das dass dem den denn der des die dir doch du ein eine einem einen einer
eines er es euch fur hab habe haben hat hatte hatten ich ihm ihn ihnen ihr ihre ihrem ihren ihrer im in ist ja kann kein
keine konnen man mein meine meinem meinen meiner mich mir mit nach nicht noch nur ob oder schon sein seine seinem seinen
seiner sich sie sind so uber um und uns unser unsere vom von vor wann war waren warum was welche welchem welchen welcher
welches wem wen wenn wer werden wessen wie wieso wieviel wieviele wird wir wo wohin woher worauf wurde zu zum zur
"""
_FRENCH = """
a ai as au aux avec avait c'est ce ces cette chez combien comment d'un d'une dans de des du elle elles en est est-ce et
etait etaient eu il ils j'ai je la le les leur leurs lui m'a ma mais me mes moi mon ne nos notre nous on ont ou par pas
pour pourquoi qu'est qu'il qu'elle quand que quel quelle quelles quels qui quoi sa se ses si son sont sur t'il tu un une
vos votre vous y
"""
_EMPTY = {
    language: frozenset(listed.split())
    for language, listed in (("en", _ENGLISH), ("es", _SPANISH), ("de", _GERMAN), ("fr", _FRENCH))
}
STOPWORDS = frozenset().union(*_EMPTY.values())
"""Folded words that carry no meaning in one of the languages."""
_ELSEWHERE = frozenset(
    {"son", "sur", "mes", "die", "man", "war", "hat", "bin", "comment", "has", "pour", "pas", "par", "den", "sin", "era"}
    | {"des", "am", "an", "as"}
)
"""Words that carry meaning in another of the languages: they do not tell which one is spoken."""
_TOLD_BY = {
    word: tuple(language for language, empty in _EMPTY.items() if word in empty) for word in STOPWORDS - _ELSEWHERE
}
"""Of which languages a word tells."""


def fold(text: str) -> str:
    """Lower case without accents: "María José" and "maria jose" are the same words."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return unicodedata.normalize("NFC", _MARK.sub("", decomposed))


def words(text: str) -> list[str]:
    """Folded words in order; runs of scripts without spaces as pairs of characters."""
    found = _split(fold(text).replace("\u2019", "'"))
    if text.isascii() or not is_unspaced(text):
        return found
    return [part for word in found for part in _parts(word)]


def is_unspaced(text: str) -> bool:
    """Whether some of it is of a script without spaces."""
    return _UNSPACED.search(text) is not None


def _split(folded: str) -> list[str]:
    """The words of a folded text as _SPLIT finds them, at a third of the time where all their letters are ASCII."""
    if not folded.isascii() and _FOREIGN.search(folded):
        return _SPLIT.findall(folded)
    spaced = folded.encode("ascii", "replace").translate(_KEPT).decode("ascii")
    return (_LOOSE.sub(" ", spaced) if "'" in spaced else spaced).split()


def _parts(word: str) -> list[str]:
    if not is_unspaced(word) or len(word) < 3:
        return [word]
    return [word[i : i + 2] for i in range(len(word) - 1)]


@dataclass(frozen=True, slots=True)
class Numbered:
    """The words of several texts by number: what is to be known of a word is looked up once, however often it was said."""

    words: tuple[str, ...]
    """Each once, in the order in which they were first said."""
    ids: "NDArray[np.int64]"
    """int[words said]: positions in `words`, text after text."""
    lengths: "NDArray[np.int64]"
    """int[texts]: how many words each text has."""


def numbered(said: Iterable[Sequence[str]]) -> Numbered:
    """Number the folded words of each text."""
    import numpy as np

    lists = list(said)
    known: defaultdict[str, int] = defaultdict(count().__next__)
    lengths = np.fromiter(map(len, lists), dtype=np.int64, count=len(lists))
    ids = np.fromiter(map(known.__getitem__, chain.from_iterable(lists)), dtype=np.int64, count=int(lengths.sum()))
    return Numbered(tuple(known), ids, lengths)


_IRREGULAR = {
    form: base
    for base, forms in {
        "go": "went gone goes going", "buy": "bought", "get": "got gotten", "make": "made making", "take": "took taken taking",
        "see": "saw seen", "say": "said", "tell": "told", "give": "gave given giving", "find": "found", "think": "thought",
        "come": "came coming", "leave": "left leaving", "meet": "met", "eat": "ate eaten", "write": "wrote written writing",
        "read": "reading", "run": "ran running", "begin": "began begun", "speak": "spoke spoken", "drive": "drove driven",
        "choose": "chose chosen choosing choice", "grow": "grew grown", "know": "knew known", "teach": "taught",
        "catch": "caught", "sell": "sold", "lose": "lost losing", "win": "won winning", "pay": "paid", "send": "sent",
        "spend": "spent", "build": "built", "feel": "felt", "keep": "kept", "sleep": "slept", "bring": "brought",
        "hold": "held", "hear": "heard", "fall": "fell fallen", "break": "broke broken", "wear": "wore worn",
        "sing": "sang sung", "swim": "swam swum swimming", "draw": "drew drawn", "fly": "flew flown", "ride": "rode ridden riding",
        "child": "children kid kids", "man": "men", "woman": "women", "wife": "wives", "life": "lives", "foot": "feet",
        "mother": "mom mum mommy mama", "father": "dad daddy papa", "photo": "photos picture pictures pic pics photograph",
        "movie": "movies film films", "start": "started starting", "casarse": "casar casado casada casados casadas casaron",
    }.items()
    for form in forms.split()
}
_SUFFIXES = (
    ("ization", "iz"), ("isation", "iz"), ("fulness", ""), ("iveness", ""), ("ousness", ""), ("ations", ""), ("ation", ""),
    ("ments", ""), ("ment", ""), ("nesses", ""), ("ness", ""), ("ically", "ic"), ("ingly", ""), ("edly", ""), ("ings", ""),
    ("ing", ""), ("ies", "y"), ("ied", "y"), ("ers", ""), ("er", ""), ("ors", ""), ("or", ""), ("ions", ""), ("ion", ""),
    ("ly", ""), ("ed", ""), ("aciones", ""), ("acion", ""), ("amente", ""), ("mente", ""), ("ando", ""), ("iendo", ""),
    ("adas", ""), ("ados", ""), ("idas", ""), ("idos", ""), ("ada", ""), ("ado", ""), ("ida", ""), ("ido", ""),
    ("aron", ""), ("ieron", ""), ("aba", ""), ("aban", ""), ("ar", ""), ("ir", ""), ("es", ""), ("s", ""),
)
_REPLACEMENT = dict(_SUFFIXES)
_LONGEST = max(map(len, _REPLACEMENT))


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """The part of a folded English or Spanish word that its other forms share. Light: short words stay."""
    word = word.split("'", 1)[0] or word
    word = _IRREGULAR.get(word, word)
    if len(word) < 4 or word[-1].isdigit() or word.endswith("ss"):
        return word
    for size in range(min(_LONGEST, len(word) - 3), 0, -1):
        replacement = _REPLACEMENT.get(word[-size:])
        if replacement is not None:
            return _tidied(word[:-size] + replacement)
    return _tidied(word)


def _tidied(word: str) -> str:
    if len(word) > 3 and word[-1] in "aeo":
        word = word[:-1]
    if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "aeiouls":
        word = word[:-1]
    return word[:-1] + "i" if len(word) > 2 and word[-1] == "y" else word


def stems(text: str) -> list[str]:
    """Stemmed words in order, nothing left out: what is counted of something that was said."""
    return [stem(word) for word in words(text)]


def content_words(text: str) -> list[str]:
    """Folded words of a query without those that carry no meaning; all of them when nothing else is left.

    Left out are those of the language that the query has most of: "son" is a word in English, and none in French.
    """
    found = words(text)
    empty = [_EMPTY[language] for language in _told(found)]
    return [word for word in found if not any(word in of_language for of_language in empty)] or found


def languages(text: str) -> list[str]:
    """Of English, Spanish, German and French (`en`, `es`, `de`, `fr`) those that a text has most empty words of."""
    return _told(words(text))


def _told(said: Sequence[str]) -> list[str]:
    heard = [language for word in said for language in _TOLD_BY.get(word, ())]
    counts = {language: heard.count(language) for language in _EMPTY} if heard else {}
    most = max(counts.values(), default=0)
    return [language for language, count in counts.items() if count == most]
