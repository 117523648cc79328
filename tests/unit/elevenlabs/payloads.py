"""The fixtures of test_data/elevenlabs in their wire form."""

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[3] / "test_data" / "elevenlabs"
NAMES = sorted(path.stem for path in FOLDER.glob("*.json"))
AFTER_CALL = [name for name in NAMES if not name.startswith("ring_")]


def document(name: str) -> Any:
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def wire(value: Any) -> bytes:
    return json.dumps(value).encode()


def body(name: str) -> bytes:
    return wire(document(name))
