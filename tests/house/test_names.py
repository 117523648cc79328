"""Names are the field's own words, and every public one says what it is for."""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.house.source import Named, modules

BANNED = ("manager", "helper", "util", "utils", "enhanced", "v2")


def _definitions(path: str) -> Iterator[tuple[str, Named]]:
    """Classes, functions and methods of a module that others may use."""
    for node in modules()[path].body:
        if isinstance(node, Named):
            yield node.name, node
        if isinstance(node, ast.ClassDef):
            for inner in node.body:
                if isinstance(inner, Named):
                    yield f"{node.name}.{inner.name}", inner


def _words(name: str) -> list[str]:
    return [word.lower() for word in re.findall(r"[A-Z]?[a-z]+\d*|[A-Z]+(?![a-z])\d*", name)]


def _assigned(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, Named | ast.arg):
            yield node.name if isinstance(node, Named) else node.arg


@pytest.mark.parametrize("path", modules())
def test_public_names_have_docstrings(path: str) -> None:
    tree = modules()[path]
    public = [
        (name, node)
        for name, node in _definitions(path)
        if not any(part.startswith("_") and part != "__init__" for part in name.split("."))
    ]
    bare = [name for name, node in public if not ast.get_docstring(node)]
    assert ast.get_docstring(tree), f"{path} does not say what it is for"
    assert not bare, f"{path}: {', '.join(bare)}"


def test_the_words_of_a_name_are_told_apart() -> None:
    assert _words("HTTPHelper") == ["http", "helper"]
    assert _words("search_v2") == ["search", "v2"]
    assert _words("CallManager") == ["call", "manager"]


def test_no_name_is_an_empty_word() -> None:
    found = {
        f"{path}: {name}"
        for path, tree in modules().items()
        for name in (*_assigned(tree), *path.removesuffix(".py").split("/"))
        if set(_words(name)) & set(BANNED)
    }
    assert not found, "\n".join(sorted(found))
