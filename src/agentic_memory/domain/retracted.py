"""What callers take back ("forget that", "no lo apunte"): turns without it, and what says it again all the same."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from agentic_memory.domain.call import Role, Turn, TurnKind
from agentic_memory.domain.wording import straight, without_accents, word_set

_THAT = (
    r"(?:that|this|it|all of (?:that|this|it)|all that|what i(?:'ve| have)? ?(?:just )?(?:said|told you|say)"
    r"|everything i(?:'ve| have)? ?(?:just )?(?:said|told you)|(?:that )?i (?:ever )?(?:said|told you|mentioned)(?: that| it| so)?"
    r"|(?:the|that|my) last (?:part|bit|thing|one|sentence)(?: i said)?|that (?:part|bit|last bit))"
)
_END = r"(?=\s*(?:$|[,.;:!?\u2026\n]|please\b|okay\b|ok\b|now\b|too\b|down\b|from (?:your|the|my) (?:records?|notes?|files?|memory|system|database)\b|and\b|but\b|no\b|i\b|about\b|again\b))"
_KEEP = r"(?:store|keep|save|remember|record|write|note|retain|log|put)"
_GUARDE = r"(?:guarden?|guardes|apunten?|apuntes|anoten?|anotes|registren?|registres|recuerden?|recuerdes|graben?|escriban?|almacenen?)"
_TAKES_BACK = re.compile(
    r"(?<!don't )(?<!do not )(?<!never )(?<!not )(?<!won't )(?<!can't )\b(?:"
    rf"(?:please )?(?:forget|scratch|strike|disregard|delete|erase|remove|ignore|undo|unsay)(?: about)? {_THAT}{_END}"
    r"|i take (?:that|it) back|never ?mind (?:that|what i (?:just )?said)|off the record"
    rf"|(?:please )?(?:don't|do not|never) {_KEEP} (?:any of )?{_THAT}(?: down| on file| anywhere)?{_END}"
    rf"|i(?:'d rather you| would rather you) (?:didn't|did not) {_KEEP}[^.;!?\n]*"
    rf"|i (?:don't|do not) want (?:you|this|that|it|any of (?:this|that)) to (?:be )?(?:{_KEEP}|stored|kept|saved|recorded|written)[^.;!?\n]*"
    r"|(?:olvide|olvida|olvidemos|borre|borra|elimine|elimina|ignore|ignora) (?:eso|esto|lo que (?:le |te )?(?:he dicho|dije|acabo de decir))\b"
    r"|(?:olv\u00ed|olvi)d[ea](?:n)?(?:lo|la)\b|olvid\u00e9moslo\b|b[o\u00f3]rr[ea](?:n)?(?:lo|la)\b|elim[i\u00ed]n[ea](?:lo|la)\b"
    rf"|no (?:lo |la |me lo )?{_GUARDE}(?: (?:eso|esto|nada de eso|lo que (?:le )?(?:he dicho|dije)))?(?=\s*(?:$|[,.;:!?\n]|por favor\b))"
    rf"|no quiero que (?:lo |la )?(?:usted )?{_GUARDE}[^.;!?\n]*"
    r"|retiro lo dicho"
    r")",
    re.IGNORECASE,
)
_MEANS = re.compile(
    r"(?:(?P<sorry>\b(?:sorry|no|wait|perd[o\u00f3]n|perdone)\b[\s,.\u2026-]*)?\b(?:i mean|i meant|quiero decir|quise decir))\b(?P<pause>,?)",
    re.IGNORECASE,
)
_STRETCH = re.compile(r"(?<=[.!?\u2026;\n])\s+")
_PIECE = re.compile(r"[,;]\s+|\s(?:and|but|so|y|pero)\s", re.IGNORECASE)
_SMALL = word_set(
    "no wait actually sorry well oh um uh hmm so okay ok yes yeah please and but then just can could would will you "
    "i think know what hey look listen or hold on now anyway let's also thanks thank "
    "bueno pues perdón perdone espere espera mejor ay oiga mire sí por favor puede podría y pero entonces a ver me"
)
"""Words that nobody takes back: a stretch of them alone ("No, wait.") is not what is meant."""
_WORD = re.compile(r"\d+|[^\W\d_]+")
_ENDING = re.compile(r"(?:ing|ed|es|as|os|[seoa])$")
_ROOT = 6
"""Letters of a word, without its ending, that tell it from others: "Seville" and "Sevilla" are one."""
_COMMON = _SMALL | word_set(
    "a an the this that these those it its is are was were be been am do does did have has had will not nothing to of in on at for "
    "from with about by as if when where who which how there here he she they we you i my your his her their our us him them "
    "caller caller's user user's customer customer's agent person said says say tell told mention mentioned ask asked asking call "
    "called calling wants want wanted like likes liked also after before during some any more very too than into out up down s t m re ve ll d "
    "el la los las un una lo le les de del al en con por para que no es son fue era ser esta este esto eso su sus mi mis tu se "
    "usuario usuaria cliente llamo llama dijo dice quiere quiero muy tambien ha he hay como"
)
"""Words that two sentences may share without saying the same."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A call's turns without what was taken back, and the words that were."""

    turns: tuple[Turn, ...]
    taken_back: str
    """The stretches taken back, a line each; empty where there is none."""
    in_so_many_words: bool = False
    """Whether the caller asked for it, rather than corrected a slip: "forget that", not "I mean"."""


def without_retracted(turns: Sequence[Turn]) -> Kept:
    """The turns with every retraction, and the caller's sentence or turn before it, taken out.

    What is left of a turn is verbatim, piece by piece; a line break stands where something was.
    """
    kept, gone = list(turns), []
    before: int | None = None
    asked = False
    for place, turn in enumerate(turns):
        if turn.role is not Role.CALLER or turn.kind is not TurnKind.SPOKEN or not turn.text.strip():
            continue
        asked = asked or _TAKES_BACK.search(straight(turn.text)) is not None
        text, lost, reaches_back = _without(turn.text)
        if reaches_back and before is not None:
            lost.append(kept[before].text)
            kept[before] = replace(kept[before], text="")
        kept[place] = turn if text == turn.text else replace(turn, text=text)
        gone += lost
        before = place
    return Kept(tuple(kept), "\n".join(gone), asked)


def repeats(text: str, kept: Kept) -> bool:
    """Whether a sentence about the call says again what the caller took back.

    Looked at are the words, endings aside, that a stretch taken back has and nothing else that the caller
    said: one name or number of them tells it, in whatever language, else two of them, or half.
    """
    if not kept.taken_back:
        return False
    told = _roots(text)
    left = {root for t in kept.turns if t.role is Role.CALLER for root in _roots(t.text)}
    for stretch in kept.taken_back.split("\n"):
        taken = _roots(stretch)
        own = taken.keys() - left
        shared = own & told.keys()
        if any(told[root] or taken[root] for root in shared):
            return True
        if shared and (len(shared) > 1 or 2 * len(shared) >= len(own)):
            return True
    return False


def _roots(text: str) -> dict[str, bool]:
    """The words of `text` that mean something, without endings and accents; True for names and numbers."""
    line = straight(text)
    found: dict[str, bool] = {}
    for word in _WORD.finditer(line):
        plain = without_accents(word[0].lower())
        if plain in _COMMON or (len(plain) < 3 and not plain.isdecimal()):
            continue
        root = _ENDING.sub("", plain)[:_ROOT] if len(plain) > 3 else plain
        found[root] = found.get(root, False) or _is_telling(line, word)
    return found


def _is_telling(line: str, word: "re.Match[str]") -> bool:
    """Whether a word is a number, or written like a name within its sentence."""
    begins = line[: word.start()].rstrip(" \"'\u201c(\u00bf\u00a1")[-1:] in {"", ".", "!", "?", "\n", ":"}
    return word[0].isdecimal() or (word[0][0].isupper() and not begins)


def _without(text: str) -> tuple[str, list[str], bool]:
    """What is left of a turn, what was taken back in it, and whether the turn before is meant."""
    lost: list[str] = []
    reaches_back = False
    while found := _TAKES_BACK.search(straight(text)):
        head, tail = text[: found.start()], text[found.end() :]
        start = _last_stretch(head)
        reaches_back = reaches_back or (start == 0 and _is_small(head))
        lost.append(head[start:])
        text = f"{head[:start]}\n{tail.lstrip(' ,.;:!')}"
    text, corrected, back = _without_slips(text)
    return text, lost + corrected, reaches_back or back


def _without_slips(text: str) -> tuple[str, list[str], bool]:
    """The same for "I mean": it takes back the clause before it, unless it only fills a pause."""
    lost: list[str] = []
    position = 0
    while found := _MEANS.search(straight(text), position):
        head = text[: found.start()].rstrip(" ,-\u2026")
        begins = not head or head[-1] in ".!?;\n"
        if begins and (found["pause"] or not head) and not found["sorry"]:
            position = found.end()
            continue
        if not head:
            return text[found.end() :].lstrip(" ,"), lost, True
        start = _last_stretch(head)
        pieces = [m.end() for m in _PIECE.finditer(head, start)]
        start = pieces[-1] if pieces and not begins else start
        lost.append(head[start:])
        text = f"{head[:start].rstrip(' ,')}\n{text[found.end() :].lstrip(' ,')}"
        position = 0
    return text, lost, False


def _last_stretch(head: str) -> int:
    """Where the last sentence of more than small words begins."""
    starts = [0, *(m.end() for m in _STRETCH.finditer(head))]
    for start in reversed(starts):
        if not _is_small(head[start:]):
            return start
    return 0


def _is_small(words: str) -> bool:
    return all(word in _SMALL for word in re.findall(r"[\w']+", straight(words).lower()))
