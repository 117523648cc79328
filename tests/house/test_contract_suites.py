"""Every port has a suite in tests/contract, and every class that keeps the port's promises runs through it."""

import ast
import re

import pytest

from tests.house.source import ROOT, Function, modules

# The outcome of a verification, not a door to the world.
VALUES = {"SignatureCheck"}
SUITES = {path.stem: path.read_text("utf-8") for path in sorted((ROOT / "tests" / "contract").glob("test_*.py"))}
CONFTEST = (ROOT / "tests" / "contract" / "conftest.py").read_text("utf-8")


def _methods(node: ast.ClassDef) -> set[str]:
    return {f.name for f in node.body if isinstance(f, Function) and not f.name.startswith("_")}


def _ports() -> dict[str, set[str]]:
    tree = modules()["agentic_memory/ports.py"]
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    return {
        node.name: _methods(node)
        for node in classes
        if "Protocol" in map(ast.unparse, node.bases) and node.name not in VALUES
    }


def _keepers(methods: set[str]) -> set[str]:
    """The classes of the house that have all of a port's methods."""
    return {
        node.name
        for path, tree in modules().items()
        if path != "agentic_memory/ports.py"
        for node in tree.body
        if isinstance(node, ast.ClassDef) and methods <= _methods(node)
    }


def _suite(port: str) -> str:
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", port).lower()
    return f"test_{name}"


def test_keepers_are_found_by_what_they_can_do() -> None:
    assert {"InMemoryArchive", "LocalArchive"} <= _keepers(_ports()["Archive"])
    assert {"InMemoryInbox", "SqliteInbox"} <= _keepers(_ports()["Inbox"])


@pytest.mark.parametrize("port", _ports())
def test_a_port_has_its_suite(port: str) -> None:
    assert _suite(port) in SUITES, f"tests/contract/{_suite(port)}.py is missing"


@pytest.mark.parametrize("port", _ports())
def test_every_backend_of_a_port_runs_through_its_suite(port: str) -> None:
    text = SUITES.get(_suite(port), "") + CONFTEST
    missing = {name for name in _keepers(_ports()[port]) if not re.search(rf"\b{name}\b", text)}
    assert not missing, f"{_suite(port)} does not run {', '.join(sorted(missing))}"
