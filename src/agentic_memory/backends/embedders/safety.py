"""What every model from a package needs: texts it can take, weights that are the ones we know."""

import hashlib
import unicodedata
from pathlib import Path

from agentic_memory.errors import EmbedderCorrupt, EmbedderUnavailable

MAX_CHARS = 2000
"""More of a text than this is not read by a model."""


def speakable(text: str) -> str:
    """The text as a model can take it: NFKC, no lone surrogates, no control characters, bounded; never empty."""
    text = text[:MAX_CHARS]
    if not text.isascii():
        text = text.encode("utf-8", "ignore").decode("utf-8")
        text = unicodedata.normalize("NFKC", text)[:MAX_CHARS]
    if not text.isprintable():
        text = "".join(c if c.isprintable() else " " for c in text)
    return text.strip() or "."


def checked(file: Path, expected: str, model: str) -> None:
    """Compare a file's sha256. Raises EmbedderCorrupt, or EmbedderUnavailable when it cannot be read."""
    try:
        with file.open("rb") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise EmbedderUnavailable(reason=f"{file.name} cannot be read ({type(error).__name__})") from None
    if found != expected:
        raise EmbedderCorrupt(model=f"{model} ({file.name})", found=found, expected=expected)
