"""The caller's own name, from what was said: corrections, answers to the question, introductions."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from agentic_memory.domain.call import Role, Turn, TurnKind
from agentic_memory.domain.caller import NameSource
from agentic_memory.domain.naming import clean_name, extends, is_capital, is_no_name, is_particle
from agentic_memory.domain.wording import plain, straight, word_set
from agentic_memory.engine.extract.clauses import clauses, readable, sentences, strip_fillers

MAX_TURN = 20_000
"""Characters of one turn that are read for facts; the whole of it stays a passage."""

EARLY_TURNS = 3
"""Caller turns in which "I'm Ana" introduces somebody."""

_ASKS = re.compile(
    r"\b(?:what(?:'s| is)|may i (?:have|get|ask|know)|(?:could|can) i (?:please )?(?:have|get|ask|know|take)|"
    r"(?:could|can|would|will) you (?:please )?(?:tell|give|share|confirm|state|spell|say)|"
    r"tell me|give me|know|start with|and|please)\b[^.?!]{0,30}\byour (?:full |first |good |complete )*name\b(?! is)"
    r"|\bwho (?:am i|do i have the pleasure of) (?:speaking|talking)|\bwho(?:'s| is) (?:this|calling|speaking)\b"
    r"|^\W*(?:and )?your (?:full |first |complete )?name\b[^.!]*\?"
    r"|\bhow (?:should|may|can|shall) i (?:call|address) you|\bwhat should i call you"
    r"|(?:cómo|como) (?:se|te) llamas?\b|\b(?:su|tu) nombre(?: completo)?(?:, por favor)?\s*\?"
    r"|(?:cuál es|cual es|dígame|dime|decirme|darme|indicarme|me (?:dice|da|dices|das|indica)|puede saber)[^.?!]{0,25}\b(?:su|tu) nombre"
    r"|con quién (?:hablo|tengo el gusto|estoy hablando)|\bquién (?:llama|habla)\b",
    re.IGNORECASE,
)
_ASKS_LAST = re.compile(
    r"\b(?:last name|surname|family name|apellidos?)\b[^.!]*(?:\?|$)", re.IGNORECASE
)
_ADDRESSES = re.compile(
    r"\b(?:[Aa]m I (?:speaking|talking) (?:with|to)|[Ii]s this|[Aa]re you|[Ss]o it's|[Hh]ello(?: again)?|[Hh]i|[Tt]hanks|"
    r"[Tt]hank you|[Ww]elcome(?: back)?|[Gg]reat|[Nn]ice to meet you|[Gg]ot it|[Oo]kay|[Ss]orry|[Hh]ola|[Gg]racias|"
    r"[Hh]ablo con|[Ee]res|[Ee]s usted|[Ee]ncantad[oa]|[Bb]ienvenid[oa]|[Pp]erfecto|[Mm]ucho gusto),? "
    r"(?P<n>[A-ZÀ-Þ][\w'-]+)"
)
_NAME = r"(?P<n>[^\W\d_].*)"
_CORRECTIONS = (
    re.compile(rf"(?i:(?:no,? )?(?:actually,? )?my (?:real |actual )?name(?: is|'s) actually) {_NAME}"),
    re.compile(rf"(?i:(?:no,? )?actually,? my name(?: is|'s)) {_NAME}"),
    re.compile(rf"(?i:my name (?:is not|isn't|'s not) [^,;]{{1,40}}[,;] ?(?:but )?(?:it's|it is|my name is|it's actually)) {_NAME}"),
    re.compile(r"(?i:(?:no,? )?(?:actually,? )?my name(?: is|'s)) (?P<n>[^,;]+?)[,;]? (?i:and )?(?i:not) [A-ZÀ-Þ].*"),
    re.compile(r"(?i:my (?:new )?name(?: is|'s)) (?P<n>[^,;]+?),? (?i:now)"),
    re.compile(r"(?i:my name(?: is|'s) now) (?P<n>[^,;]+)"),
    re.compile(r"(?i:(?:no,? )?(?:just |please |you can )*call me) (?P<n>[^,;]+?),? (?i:instead)(?i: please)?"),
    re.compile(r"(?i:(?:no,? )?mi nombre es|(?:no,? )?me llamo) (?P<n>[^,;]+?)[,;]? (?i:y )?(?i:no) [A-ZÀ-Þ].*"),
    re.compile(rf"(?i:que no[,;]? (?:que )?(?:me llamo|mi nombre es)) {_NAME}"),
    re.compile(rf"(?i:i'm not [^,;]{{1,40}}[,;] ?(?:i'm|i am|my name is)) {_NAME}"),
    re.compile(rf"(?i:(?:perdone? ?,? )?no (?:me llamo|soy) [^,;]{{1,40}}[,;] ?(?:sino |me llamo|soy|mi nombre es)) ?{_NAME}"),
    re.compile(rf"(?i:no[,;] (?:me llamo|mi nombre es|my name is|my name's)) {_NAME}"),
    re.compile(rf"(?i:en realidad,? (?:me llamo|mi nombre es)) {_NAME}"),
)
_IN_REPLY = (
    re.compile(rf"(?i:(?:no|sorry|actually|oh|que no)?[,.;]? ?(?:it's|it is|that's|es)? ?(?:not|no es|no soy) [^,;]{{1,40}}[,;] ?(?:but )?(?:it's|it is|i'm|es|soy)) {_NAME}"),
    re.compile(rf"(?i:(?:no|sorry|actually|oh)[,.;]? (?:(?:no|sorry|actually)[,;]? )*(?:it's|it is|i'm|i am|es|soy|this is)(?: actually)?) {_NAME}"),
    re.compile(r"(?i:(?:it's|it is|i'm|es|soy)) (?P<n>[^,;]+?)[,;]? (?i:not|no) (?:[A-ZÀ-Þ]|(?i:with|con)\b).*"),
)
_INTRODUCTIONS = (
    re.compile(rf"(?i:my (?:full |first )?name(?: is|'s)) {_NAME}"),
    re.compile(rf"(?i:i'm called|i am called|they call me|people call me|everyone calls me|everybody calls me|you can call me|i go by) {_NAME}"),
    re.compile(rf"(?i:me llamo|mi nombre es|mi nombre completo es|puedes llamarme|puede llamarme|me llaman|todos me llaman) {_NAME}"),
)
_BARE_INTRODUCTIONS = (
    re.compile(r"(?i:i'm|i am|im|soy|yo soy|le habla|habla|just call me|call me|llámame|llámeme) (?P<n>[^\W\d_].*)"),
    re.compile(r"(?i:this is) (?P<n>[^\W\d_].*)"),
    re.compile(r"(?P<n>(?:(?:Dr|Mr|Mrs|Ms)\.? |Doctor |Doctora )?[A-ZÀ-Þ][\w'-]+ [A-ZÀ-Þ][\w'-]+ (?:speaking|al habla))"),
)
_SPEAKING = re.compile(r"\s+(?:speaking|calling|here|al habla|al teléfono)\b.*$", re.IGNORECASE)
_GO_ON = word_set(
    "and but i i'm calling from here with speaking by y pero soy llamo de desde con al aquí e who que or for at"
)
"""Words that may follow a name in speech without punctuation; any other word makes it no name."""
_ANSWERS = re.compile(
    r"(?i:(?:it's|it is|its|that's|that is|that would be|the name is|the name's|my name is|my name's|name's|i'm|i am|im|this is|"
    r"just|call me|you can call me|es|soy|me llamo|mi nombre es|sería|a nombre de|con)\s+)"
)


@dataclass(frozen=True, slots=True)
class Named:
    """A name that the caller gave for themselves."""

    text: str
    source: NameSource
    turn: Turn
    quote: str


def own_name(turns: Sequence[Turn]) -> Named | None:
    """The best name in the transcript: strongest source, then the latest, in its fullest form."""
    found = [*_all_names(turns)]
    if not found:
        return None
    best = max(found, key=lambda n: (n.source, n.turn.index))
    for fuller in found:
        if extends(fuller.text, best.text):
            best = replace(fuller, source=best.source)
    return best


def _all_names(turns: Sequence[Turn]) -> Iterator[Named]:
    first = None
    for number, (turn, before) in enumerate(heard_turns(turns)):
        found = _corrected(turn, before) or _answered(turn, before) or _introduced(turn, number)
        if found:
            yield found
            first = found
        elif first and _ASKS_LAST.search(before):
            yield from _with_last(first, turn)


def heard_turns(turns: Sequence[Turn]) -> Iterator[tuple[Turn, str]]:
    """What the caller said, turn by turn, each with what the agent had said just before ("" for nothing).

    Of a long speech of the agent only the beginning and the end are given: where one greets and asks.
    """
    before = ""
    for turn in turns:
        if turn.kind is not TurnKind.SPOKEN or not turn.text.strip():
            continue
        if turn.role is Role.CALLER:
            yield turn, before
            before = ""
        else:
            text = turn.text if len(turn.text) <= 800 else f"{turn.text[:300]} … {turn.text[-500:]}"
            before = straight(plain(text))


def _corrected(turn: Turn, before: str) -> Named | None:
    named_before = bool(_ADDRESSES.search(before) or _ASKS.search(before))
    for sentence in sentences(turn.text[:MAX_TURN]):
        line = straight(plain(sentence.text))
        patterns = (*_CORRECTIONS, *_IN_REPLY) if named_before else _CORRECTIONS
        for pattern in () if sentence.is_question else patterns:
            match = pattern.match(line) or pattern.match(strip_fillers(line))
            name = match and _name_from(match["n"], turn)
            if name:
                return Named(name, NameSource.CORRECTION, turn, sentence.text)
    return None


def _answered(turn: Turn, before: str) -> Named | None:
    if not _ASKS.search(before) or (_ASKS_LAST.search(before) and "first" not in before.lower()):
        return None
    for sentence in sentences(turn.text[:MAX_TURN]):
        if sentence.is_question:
            continue
        for piece in re.split(r",\s+", sentence.text):
            name = _answer_in(piece, turn)
            if name:
                return Named(name, NameSource.ANSWER, turn, piece.strip())
            if strip_fillers(readable(piece)) and not _only_small_words(piece):
                return None
    return None


def _only_small_words(piece: str) -> bool:
    words = re.findall(r"[^\W\d_]+(?:'[^\W\d_]+)?", straight(piece))
    return len(words) <= 4 and all(is_no_name(w) for w in words)


def _answer_in(piece: str, turn: Turn) -> str | None:
    """A piece that is nothing but a name, after small words."""
    line = readable(piece)
    cue = _ANSWERS.match(line)
    bare = line[cue.end() :] if cue else line
    if cue:
        return _name_from(bare, turn)
    return clean_name(bare, most_words=5) or (None if _is_cased(turn) else clean_name(bare, cased=False, most_words=3))


def _introduced(turn: Turn, number: int) -> Named | None:
    for clause in clauses(turn.text[:MAX_TURN]):
        for pattern in _INTRODUCTIONS:
            match = pattern.fullmatch(clause.said)
            name = match and _name_from(match["n"], turn)
            if name:
                return Named(name, NameSource.INTRODUCTION, turn, clause.quote)
        name = _bare_introduction(clause.said, turn, early=number < EARLY_TURNS)
        if name:
            return Named(name, NameSource.INTRODUCTION, turn, clause.quote)
    return None


def _bare_introduction(said: str, turn: Turn, *, early: bool) -> str | None:
    """ "I'm Ana", "this is Ana", "soy Ana": a name only where nothing else of the clause speaks against it."""
    for pattern in _BARE_INTRODUCTIONS:
        match = pattern.fullmatch(said)
        if not match:
            continue
        words = match["n"]
        signed = _SPEAKING.search(words)
        if signed:
            return clean_name(words[: signed.start()], cased=_is_cased(turn), most_words=4)
        nicknamed = "call me" in said.lower()[:14] or "llám" in said.lower()[:5]
        return _strict_name(words) if early or nicknamed else None
    return None


def _strict_name(words: str) -> str | None:
    """Capitalised words up to the end of the clause, or up to "from", "and" or "de"; "don" is left out."""
    words = re.sub(r"^(?:don|doña)\s+(?=\S)", "", words, flags=re.IGNORECASE)
    name = re.split(r"\s+(?:from|with|and|de(?! la | los | las )|del|y|e)\s+", words)[0]
    first = name.split()[0] if name.split() else ""
    return clean_name(name, most_words=4) if is_capital(first) else None


def _name_from(words: str, turn: Turn) -> str | None:
    """The name at the beginning of `words`, after a cue that can hardly mean anything else."""
    pieces = re.split(r"[,;:(]|\s[-–—]\s", words.strip())  # noqa: RUF001
    head = _SPEAKING.sub("", pieces[0]).split()
    if not head:
        return None
    if is_capital(head[0]) or is_particle(head[0]):
        return _cased_prefix(head)
    return None if _is_cased(turn) else _uncased_prefix(head)


def _cased_prefix(words: Sequence[str]) -> str | None:
    kept: list[str] = []
    for word in words:
        if not (is_capital(word) or is_particle(word)) or word in {"I", "I'm", "I've"}:
            break
        kept.append(word)
    while kept and is_particle(kept[-1]):
        kept.pop()
    return clean_name(" ".join(kept)) if kept and not is_particle(kept[0]) else None


def _uncased_prefix(words: Sequence[str]) -> str | None:
    """One to three words without capitals, when what follows them is a way to go on."""
    kept: list[str] = []
    for position, word in enumerate(words):
        if position and word.lower() in _GO_ON and not _is_link(words, position):
            break
        if is_no_name(word):
            return None
        kept.append(word)
    return clean_name(" ".join(kept), cased=False, most_words=5)


def _is_link(words: Sequence[str], position: int) -> bool:
    """Whether "de" leads on inside a name: "ana de la cruz"."""
    return " ".join(words[position : position + 2]).lower() in {"de la", "de los", "de las"}


def _is_cased(turn: Turn) -> bool:
    """Whether the transcript of this turn uses capitals beyond its first letter and "I"."""
    words = plain(turn.text).split()
    return any(is_capital(w) and w not in {"I", "I'm", "I'd", "I've", "I'll"} for w in words[1:])


def _with_last(first: Named, turn: Turn) -> Iterator[Named]:
    for sentence in sentences(turn.text[:MAX_TURN]):
        piece = re.split(r",\s+|\s+-\s+", sentence.text)[0]
        line = readable(piece)
        cue = re.match(r"(?i:(?:it's|it is|my (?:last name|surname) is|mi apellido es|es)\s+)", line)
        bare = line[cue.end() :] if cue else line
        last = clean_name(bare, most_words=4) or (None if _is_cased(turn) else clean_name(bare, cased=False, most_words=3))
        if last and last.split()[0].lower() != first.text.split()[0].lower():
            yield replace(first, text=f"{first.text.split()[0]} {last}", source=max(first.source, NameSource.ANSWER))
        return
