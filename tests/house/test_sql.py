"""SQL lives in .sql files: named, commented, used."""

import ast
import re
from pathlib import Path

import pytest

from tests.house.source import PACKAGE, ROOT, modules

NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)
FILES = sorted(PACKAGE.rglob("sql/*.sql"))
WORDS = re.compile(r"\b(SELECT .+ FROM|INSERT (?:OR \w+ )?INTO|UPDATE \w+ SET|DELETE FROM)\b", re.DOTALL)


def _title(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", FILES, ids=_title)
def test_a_file_of_statements_says_what_it_is_for(path: Path) -> None:
    text = path.read_text("utf-8")
    names = NAME.findall(text)
    assert text.startswith("-- ")
    assert names
    assert len(names) == len(set(names)), "two statements of one name"


@pytest.mark.parametrize("path", FILES, ids=_title)
def test_every_statement_is_used(path: Path) -> None:
    backend = path.parents[1].relative_to(ROOT / "src").as_posix()
    strings = {
        node.value
        for module, tree in modules().items()
        if module.startswith(backend)
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    unused = set(NAME.findall(path.read_text("utf-8"))) - strings
    assert not unused, f"nobody runs {', '.join(sorted(unused))}"


def test_migrations_are_numbered_without_gaps() -> None:
    for folder in PACKAGE.rglob("migrations"):
        numbers = sorted(int(path.name[:4]) for path in folder.glob("*.sql"))
        assert numbers == list(range(1, len(numbers) + 1))
        assert numbers


def test_no_statement_hides_in_python() -> None:
    found = [
        f"{path}:{node.lineno}"
        for path, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and WORDS.search(node.value)
    ]
    assert not found, found
