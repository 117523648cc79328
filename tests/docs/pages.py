"""The pages of the documentation: their text, links, and shell commands."""

import re
import shlex
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
TOP = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "THIRD_PARTY.md")

_FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
_CODE = re.compile(r"`[^`\n]+`")


@cache
def pages() -> dict[str, str]:
    """Every Markdown page, by its path."""
    found = [ROOT / name for name in TOP]
    for folder in ("docs", "scripts", "bench", "requirements", "test_data"):
        pages = (path for path in (ROOT / folder).rglob("*.md") if not _is_hidden(path))
        found += sorted(pages)
    return {p.relative_to(ROOT).as_posix(): p.read_text("utf-8") for p in found if p.is_file()}


def blocks(text: str, language: str) -> list[str]:
    """The fenced blocks of a language."""
    return [body for kind, body in _FENCE.findall(text) if kind == language]


def prose(text: str) -> str:
    """A page without its fenced blocks."""
    return _FENCE.sub("", text)


def links(text: str) -> list[str]:
    """Where a page points to."""
    return _LINK.findall(_CODE.sub("", prose(text)))


def anchors(text: str) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    found: set[str] = set()
    for heading in re.findall(r"^#{1,6} (.+)$", prose(text), re.MULTILINE):
        words = re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")
        found.add(words)
    return found


def commands(text: str) -> list[list[str]]:
    """The shell commands of a page, split into words."""
    found = []
    for block in blocks(text, "sh"):
        for line in block.replace("\\\n", " ").splitlines():
            for part in re.split(r"&&|;|(?<!\|)\|(?!\|)", line) if "'" not in line and '"' not in line else [line]:
                found.append(_words(part))
    return [words for words in found if words]


def inline_commands(text: str) -> list[list[str]]:
    """The `agentic-memory ...` commands within sentences."""
    found = re.findall(r"`(agentic-memory [^`]+)`", prose(text))
    return [_words(command) for command in found]


def _words(line: str) -> list[str]:
    try:
        return shlex.split(line, comments=True)
    except ValueError:  # a quoted text of several lines
        return line.split()


def _is_hidden(path: Path) -> bool:
    """Below a folder with a dot, such as an environment made for the peers of a benchmark."""
    return any(part.startswith(".") for part in path.relative_to(ROOT).parts)
