"""Plain words: normal forms for comparing, one line for showing. Total over any text."""

import re
import unicodedata

ABBREVIATIONS = ("Dr", "Dra", "Mr", "Mrs", "Ms", "Sr", "Sra", "St", "Prof")
"""Abbreviations after whose full stop a sentence goes on."""
_SPACE = re.compile(r"\s+")
_EDGES = re.compile(r"^[^\w+@]+|[^\w%)]+$")
_SENTENCE_END = re.compile(r"[.!?…。](?=\s|$)")
_EMAIL_WORD = re.compile(r"\b(e)[\s‐-]mail", re.IGNORECASE)  # noqa: RUF001  (the hyphen of typesetters)
_APOSTROPHES = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "`": "'", "´": "'"})  # noqa: RUF001


def plain(text: str) -> str:
    """Any text as one line of printable characters, spaces single, lone surrogates and controls gone."""
    line = " ".join(text.split())
    if line.isprintable():
        return line
    kept = (" " if char.isspace() else char for char in text)
    visible = "".join(c for c in kept if c == " " or unicodedata.category(c) not in _UNSEEN)
    return _SPACE.sub(" ", visible).strip()


_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})


def comparable(text: str) -> str:
    """The form in which two texts are the same text: case, spacing and outer punctuation do not count.

    Accents do: "José" and "Jose" are two texts.
    """
    folded = plain(unicodedata.normalize("NFKC", text)).translate(_APOSTROPHES).casefold()
    return _EDGES.sub("", _EMAIL_WORD.sub(r"\1mail", folded))


def straight(text: str) -> str:
    """The text with plain apostrophes; every character keeps its place."""
    return text.translate(_APOSTROPHES)


def email_word(text: str) -> str:
    """ "e-mail" as "email", so that both spellings state the same fact."""
    return _EMAIL_WORD.sub(r"\1mail", text)


def one_line(text: str, limit: int) -> str:
    """One line of at most `limit` characters, cut at a sentence end where there is one, else at a word."""
    line = plain(text)
    if len(line) <= limit:
        return line
    ends = [m.end() for m in _SENTENCE_END.finditer(line, 0, limit)]
    if ends and ends[-1] >= limit // 3:
        return line[: ends[-1]]
    return line[: limit - 1].rsplit(" ", 1)[0].rstrip(" ,;:") + "…"


def word_set(text: str, separator: str | None = None) -> frozenset[str]:
    """The words of `text` as a set: how word lists are written here."""
    return frozenset(text.split(separator))


def without_accents(text: str) -> str:
    """The text with accents taken off, for matching words in word lists; "ñ" becomes "n"."""
    split = unicodedata.normalize("NFKD", text)
    return "".join(c for c in split if not unicodedata.combining(c))


def said_within(quote: str, text: str) -> str | None:
    """The verbatim piece of `text` that is `quote` but for spacing; None where it is not there."""
    words = quote.split()
    if not words:
        return None
    found = re.search(r"\s+".join(re.escape(word) for word in words), text)
    return found.group() if found else None
