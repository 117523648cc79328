"""How a result reads: the turn's own words, trimmed to what the question needs, with date and speaker."""

import re
from collections.abc import Collection
from datetime import UTC, datetime

from agentic_memory.engine.recall.dates import speaks_of_time
from agentic_memory.engine.recall.words import fold, stem, stems, words

ANSWER_CHARS = 1000
"""About 256 tokens: what all results of one answer may have together ..."""
SHORTEST, LONGEST = 96, 320
"""... and the bounds of one."""
_CLAUSE = re.compile(r"(?<=[.!?\u2026;])\s+|(?<=[,:\u2013\u2014])\s+|\n+")
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


def trimmed(text: str, wanted: Collection[str], chars: int, *, time_counts: bool = False) -> str:
    """One line of at most `chars` characters: the clauses that say most of `wanted` (stems), in a row.

    Cuts are shown by an ellipsis; the words are verbatim.
    """
    line = _SPACE.sub(" ", text).strip()
    if len(line) <= chars:
        return line
    clauses = [c for c in (_SPACE.sub(" ", part).strip() for part in _CLAUSE.split(text)) if c]
    first, last = _best_row(clauses, [_worth(c, wanted, time_counts) for c in clauses], chars - 2)
    kept = " ".join(clauses[first : last + 1])
    if len(kept) > chars - 2:
        kept = _cut(kept, wanted, chars - 2)
        return f"{'…' if first or not clauses[0].startswith(kept[:20]) else ''}{kept}…"
    return f"{'…' if first else ''}{kept}{'…' if last < len(clauses) - 1 else ''}"


def _worth(clause: str, wanted: Collection[str], time_counts: bool) -> float:
    heard = words(clause)
    said = {stem(word) for word in heard}
    worth = float(sum(term in said for term in wanted))
    return worth + 0.5 * (time_counts and speaks_of_time(fold(clause), set(heard)))


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
            if (value, min(length, chars)) > best:
                best, found = (value, min(length, chars)), (first, last)
    return found


def _cut(clause: str, wanted: Collection[str], chars: int) -> str:
    """Part of one long clause, from whole words, beginning a little before the first wanted one."""
    parts = clause.split(" ")
    hit = next((i for i, part in enumerate(parts) if not wanted or set(stems(part)) & set(wanted)), 0)
    start = hit
    while start > 0 and hit - start < 4:
        start -= 1
    kept = parts[start][:chars]
    for part in parts[start + 1 :]:
        if len(kept) + len(part) + 1 > chars:
            break
        kept += " " + part
    return kept
