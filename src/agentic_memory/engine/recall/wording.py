"""How a result reads: the turn's own words, trimmed to what the question needs, with date and speaker."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from agentic_memory.domain.wording import ABBREVIATIONS
from agentic_memory.engine.recall.dates import speaks_of_time
from agentic_memory.engine.recall.words import fold, stem, stems, words

ANSWER_CHARS = 1000
"""About 256 tokens: what all results of one answer may have together ..."""
SHORTEST, LONGEST = 96, 320
"""... and the bounds of one."""
_READ = 4000
"""More of a turn than this is not looked at for what to show."""
_CLAUSES = 200
_NO_END = "".join(rf"(?<!\b{short}\.\s)" for short in ABBREVIATIONS)
_CLAUSE = re.compile(rf"\s(?:(?<=[.!?\u2026;,:\u2013\u2014]\s){_NO_END}\s*|(?<=\n)\n*)")
_SENTENCE = re.compile(rf"\s(?<=[.!?\u2026]\s){_NO_END}\s*")
_SPACE = re.compile(r"\s+")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def room(limit: int) -> int:
    """Characters that each of `limit` results may have."""
    return max(SHORTEST, min(LONGEST, ANSWER_CHARS // max(limit, 1)))


def day(at: float) -> str:
    """A date in words, short: "3 May 2026"; empty when unknown or out of the calendar."""
    try:
        moment = datetime.fromtimestamp(at, UTC)
    except (OverflowError, OSError, ValueError):
        return ""
    return f"{moment.day} {_MONTHS[moment.month - 1]} {moment.year}" if at > 0 else ""


def trimmed(text: str, wanted: Mapping[str, float], chars: int, *, time_counts: bool = False) -> str:
    """One line of at most `chars` characters: the clauses that say most of `wanted`, in a row.

    `wanted` gives stems with what each is worth. Cuts are shown by an ellipsis; the words are verbatim.
    """
    line = _SPACE.sub(" ", text[:_READ]).strip()
    if len(line) <= chars:
        return line
    clauses = [c for c in (_SPACE.sub(" ", part).strip() for part in _CLAUSE.split(text[:_READ])) if c]
    del clauses[_CLAUSES:]
    first, last = _best_row(clauses, [_worth(c, wanted, time_counts) for c in clauses], chars - 2)
    kept = " ".join(clauses[first : last + 1])
    if len(kept) > chars - 2:
        kept = _cut(kept, wanted, chars - 2)
        return f"{'' if line.startswith(kept) else '…'}{kept}…"
    return f"{'…' if first else ''}{kept}{'…' if last < len(clauses) - 1 else ''}"


def last_question(text: str, chars: int) -> str:
    """The last sentence that asks, its end where it is longer than `chars`; empty if none asks."""
    asking = [s for s in _SENTENCE.split(_SPACE.sub(" ", text[-_READ:]).strip()) if s.endswith("?")]
    if not asking or chars < 2:
        return ""
    question = asking[-1]
    return question if len(question) <= chars else "…" + question[1 - chars :].lstrip()


def _worth(clause: str, wanted: Mapping[str, float], time_counts: bool) -> float:
    heard = words(clause)
    said = {stem(word) for word in heard}
    worth = sum(value for term, value in wanted.items() if term in said)
    telling = 0.05 * (not clause.endswith("?") and len(heard) > 2)
    return worth + telling + 0.5 * (time_counts and speaks_of_time(fold(clause), set(heard)))


def _best_row(clauses: list[str], worth: list[float], chars: int) -> tuple[int, int]:
    """The row of neighbouring clauses that fits and is worth most; the longer one of equals, then the first."""
    best, found = (-1.0, 0), (0, 0)
    for first in range(len(clauses)):
        length, value = -1, 0.0
        for last in range(first, len(clauses)):
            length += len(clauses[last]) + 1
            if length > chars and last > first:
                break
            value += worth[last]
            if (round(value, 6), min(length, chars)) > best:
                best, found = (round(value, 6), min(length, chars)), (first, last)
    return found


def _cut(clause: str, wanted: Mapping[str, float], chars: int) -> str:
    """Part of one long clause, from whole words, beginning a little before the first wanted one."""
    parts = clause.split(" ")
    hit = next((i for i, part in enumerate(parts) if not wanted or not wanted.keys().isdisjoint(stems(part))), 0)
    start = hit
    while start > 0 and hit - start < 4:
        start -= 1
    kept = parts[start][:chars]
    for part in parts[start + 1 :]:
        if len(kept) + len(part) + 1 > chars:
            break
        kept += " " + part
    return kept
