"""A turn cut into clauses, each a verbatim piece of it, without those that assert nothing.

Cues are only looked for where a clause begins: "she said I prefer tea" begins with another subject and
so states nothing about the caller. Questions, suppositions, reports and quotations are left out.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from agentic_memory.domain.wording import ABBREVIATIONS, email_word, plain, straight

MAX_CLAUSE = 400
"""Characters; longer stretches without punctuation are read no further."""

_ABBREVIATION = "".join(rf"(?<!\b{a})" for a in ABBREVIATIONS)
_SENTENCE_END = re.compile(rf"{_ABBREVIATION}(?<!\b[A-Z])(?<!\b[ap]\.m)[.!?…]+(?=\s|$)|[;\n\r]|(?=[¿¡])|(?<=\S)[?](?=\w)")

_SUBJECT = (
    r"(?:(?:also|then|actually|now|please|maybe|tambi[eé]n|ahora|luego|adem[aá]s)\s+)?"
    r"(?:i|i'm|i've|i'd|i'll|im|ive|my|mine|we|we're|you|he|she|they|it|it's|that|that's|this|there|"
    r"can|could|would|do|did|please|call|send|tell|let|what|how|"
    r"yo|me|mi|mis|soy|vivo|tengo|quiero|prefiero|necesito|trabajo|llame|llámame|puede|puedes|podr[ií]a|"
    r"usted|él|ella|no|nos|le|te|se|estoy|nac[ií]|odio|quisiera|también|ya)\b"
)
_BOUNDARY = re.compile(
    r",\s+(?!(?:since|from|until|till|especially|near|after|before|desde|hasta|cerca|"
    r"despu[eé]s|antes|particularly|sobre todo)\b)"
    r"|,?\s+(?:but|because|cause|although|though|however|otherwise|pero|porque|aunque|sino)\s+"
    rf"|,?\s+(?:and|so|and then|and so|y|e|así que|entonces|or)\s+(?={_SUBJECT})"
    r"|\s+[-–—]+\s+|\s*—\s*|:\s+(?=I\b)|\s\.\.\.\s",  # noqa: RUF001
    re.IGNORECASE,
)
_SUPPOSED = re.compile(
    r"\b(?:(?:if|as if|what if|whether|unless|once|in case)\s+(?:i|i'm|i'd|i've|we|my|someone|somebody|"
    r"there|he|she|they)\b"
    r"|let's say|say i|suppose|supposing|imagine|pretend|assum\w+|hypothetically|for example|for instance|"
    r"i wish|would have|as a joke|just kidding|just joking|"
    r"si\s+(?:yo|fuera|viviera|tuviera|mi|me|quisiera|pudiera|vivo|soy|tengo|prefiero)\b|"
    r"imagin[ae]\w*|supon\w+|pongamos|digamos|por ejemplo|ojalá|como si|es broma)",
    re.IGNORECASE,
)
_REPORTED = re.compile(
    r"\b(?:(?:he|she|they|you|someone|everyone|who|people|wife|husband|mother|father|mom|dad|boss|friend|"
    r"doctor|son|daughter|brother|sister|agent|guy|lady)\s+(?:just\s+|always\s+)?"
    r"(?:said|says|say|told|tells|goes|asked|asks|was like|were like|thinks|think|thought|claims|wrote)|"
    r"according to|quote|"
    r"(?:él|ella|ellos|usted|tú|mujer|marido|madre|padre|jefe|hijo|hija|amigo|amiga|médico)\s+"
    r"(?:me\s+)?(?:dijo|dice|decía|cree|piensa|preguntó)|"
    r"me (?:dijo|dijeron|dicen|dice|preguntó|preguntaron)|según)\b",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"[\"“”«»„]")
_FILLER = re.compile(
    r"(?:(?:no(?=[,.…]|\s+(?:i|i'm|my|we|it's|that's)\b)|uh+|um+|uhm|er+m?|ah+|oh|eh+|mm+|hm+|well|so|okay|ok|yeah|yes|yep|nope|right|sure|look|listen|"
    r"hi|hello|hey|hello there|hi there|good (?:morning|afternoon|evening)|honestly|actually|basically|anyway|"
    r"you know|i mean|i think|i guess|i believe|like i said|as i said|to be honest|and|but|also|then|"
    r"now|please|thanks|thank you|of course|just|sorry|by the way|"
    r"bueno|pues|mire|mira|oiga|oye|este|o sea|sí|si|vale|claro|hola|buenas|buenos días|buenas tardes|"
    r"buenas noches|la verdad|la verdad es que|es que|creo que|y|e|pero|también|además|yo|entonces|"
    r"gracias|perdón|perdone|por favor|verá|verás|ahora|ya|resulta que|a ver)\b(?![-']\w)[\s,.…-]*)+",
    re.IGNORECASE,
)
_HESITATION = re.compile(r"(?:^|(?<=\s))(?:uh+|um+|uhm|er+m?|eh+|mm+|hm+)[,.…]*\s+", re.IGNORECASE)
_STAMMER = re.compile(r"\b(\w{1,12})[,.…-]*\s+(?=\1\b)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Clause:
    """A stretch of a turn that states one thing."""

    quote: str
    """Verbatim."""
    said: str
    """The same for reading: one line, plain apostrophes, "email", without hesitations and fillers before it."""
    position: int
    """How many clauses of the turn come before it."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A verbatim sentence and how it ends."""

    text: str
    is_question: bool


def sentences(text: str) -> Iterator[Sentence]:
    """The sentences of a turn, in order."""
    start = 0
    for end in _SENTENCE_END.finditer(text):
        yield from _sentence(text[start : end.start()], end.group())
        start = end.end()
    yield from _sentence(text[start:], "")


def _sentence(text: str, end: str) -> Iterator[Sentence]:
    asked = "?" in end or text.lstrip().startswith("¿")
    bare = text.strip(" \t¿¡?")
    if bare:
        yield Sentence(bare, asked)


def clauses(text: str) -> Iterator[Clause]:
    """The clauses of a turn that may state something about who speaks."""
    if _QUOTED.search(text):
        text = _without_quotations(text)
    position = 0
    for sentence in sentences(text):
        if _SUPPOSED.search(straight(sentence.text)) or _REPORTED.search(sentence.text):
            position += 1
            continue
        pieces = _pieces(sentence.text)
        asserted = pieces[:-1] if sentence.is_question else pieces
        for piece in asserted:
            yield Clause(piece, readable(piece), position)
            position += 1


def _without_quotations(text: str) -> str:
    """The sentences of `text` without those that quote somebody."""
    parts = re.split(r"(?<=[.!?…])\s+|[\n\r]", text)
    return "\n".join(p for p in parts if not _QUOTED.search(p)) if len(parts) > 1 else ""


def _pieces(sentence: str) -> list[str]:
    found, start = [], 0
    for boundary in _BOUNDARY.finditer(sentence):
        found.append(sentence[start : boundary.start()])
        start = boundary.end()
    found.append(sentence[start:])
    trimmed = [piece.strip(" \t,.;:!?…-–—") for piece in found]  # noqa: RUF001
    return [piece for piece in trimmed if piece and len(piece) <= MAX_CLAUSE]


def readable(piece: str) -> str:
    """A clause for reading: no hesitations, stammers or fillers before it."""
    line = email_word(straight(plain(piece)))
    line = _STAMMER.sub("", _HESITATION.sub("", line))
    return strip_fillers(line)


def strip_fillers(line: str) -> str:
    """The line without the small words before what it says; a "no" that negates what follows stays."""
    filler = _FILLER.match(line)
    return line[filler.end() :] if filler and filler.end() < len(line) else line
