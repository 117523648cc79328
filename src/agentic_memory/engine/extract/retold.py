"""A platform's summary and title without what the caller took back: nobody else forgets it for us."""

import re
from dataclasses import replace

from agentic_memory.domain.call import Call
from agentic_memory.domain.retracted import Kept, repeats, without_retracted
from agentic_memory.engine.extract.language import language_of

_SENTENCES = re.compile(r"(?<=[.!?\u2026])(?<!\b[DMS]r\.)(?<!\bDra\.)(?<!\bMrs\.)(?<!\bSra\.)(?<!\b[A-Z]\.)\s+|[\n\r]+")
_GOES_ON = re.compile(
    r"\W*(?:(?:and|but|also|so|y|pero|tambi\u00e9n) )?(?:he|she|they|it|this|that|these|those|there|his|her|their|its"
    r"|\u00e9l|ella|ellos|ellas|esto|eso|su|sus|all\u00ed|ah\u00ed)\b",
    re.IGNORECASE,
)
"""A sentence that speaks of what the one before it was about."""


def without_retold(call: Call) -> Call:
    """The call with the sentences of its summary and title that repeat a retraction taken out.

    Where they are in another language than what was taken back, words cannot be compared: after a
    retraction in so many words neither is kept. The raw body in the archive stays as it came.
    """
    kept = without_retracted(call.turns)
    if not kept.taken_back.strip() or not (call.summary or call.title):
        return call
    return replace(call, summary=_left(call.summary, kept), title=_left(call.title, kept))


def _left(text: str | None, kept: Kept) -> str | None:
    if not text or (kept.in_so_many_words and _is_foreign(text, kept.taken_back)):
        return None
    left, gone = [], False
    for sentence in _SENTENCES.split(text):
        gone = repeats(sentence, kept) or (gone and _GOES_ON.match(sentence) is not None)
        left += [] if gone else [sentence]
    return " ".join(left) or None


def _is_foreign(text: str, taken_back: str) -> bool:
    languages = {language_of(text, None), language_of(taken_back, None)} - {None}
    return len(languages) > 1
