"""The loop that every adapter runs in a process of its own: JSON lines in, JSON lines out.

    {"open": folder, "vectors": folder}         -> {"import_seconds", "open_seconds", "versions", "note"}
    {"add": [call, ...]}                        -> {"added", "seconds"}     a call is a list of {"id", "text", "role"} of one "caller"
    {"search": [[caller, query], ...], "limit"} -> {"seconds": [...], "results": [[{"id", "text"}, ...], ...]}

Seconds are without the looking up of vectors. `{"error"}` says why a request could not be done. Whatever an adapter or
its library prints goes to standard error.
"""

import contextlib
import json
import os
import sys
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol, TypedDict

from recorded import Recorded


class Row(TypedDict):
    id: str
    caller: str
    role: str
    text: str


class Peer(Protocol):
    """What an adapter offers once its library is imported."""

    def add(self, call: Sequence[Row]) -> None:
        """Keep what was said in one call of one caller."""

    def search(self, caller: str, query: str, limit: int) -> list[dict[str, str]]:
        """The best of this caller, best first: `id` and `text` of each."""


class Adapter(Protocol):
    packages: Sequence[str]

    def load(self) -> None:
        """Import the library."""

    def open(self, folder: Path, vectors: Recorded) -> Peer:
        """An empty store in `folder`."""


def serve(adapter: Adapter) -> None:
    """Answer requests until standard input ends."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    worker = _Worker(adapter)
    for line in sys.stdin:
        try:
            answer = worker.answer(json.loads(line))
        except Exception as error:  # noqa: BLE001  (the table says why a peer cannot run)
            answer = {"error": f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error) else ''}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()
    with contextlib.suppress(OSError):
        answers.close()
    os._exit(0)  # threads of a library must not hold up the end


class _Worker:
    def __init__(self, adapter: Adapter) -> None:
        self._adapter = adapter
        self._peer: Peer
        self._vectors: Recorded

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        if "open" in request:
            return self._open(Path(request["open"]), Path(request["vectors"]))
        if "add" in request:
            return self._add(request["add"])
        return self._search(request["search"], request["limit"])

    def _open(self, folder: Path, vectors: Path) -> dict[str, Any]:
        began = time.perf_counter()
        self._adapter.load()
        imported = time.perf_counter()
        self._vectors = Recorded(vectors)
        self._peer = self._adapter.open(folder, self._vectors)
        opened = time.perf_counter()
        versions = {name: version(name) for name in self._adapter.packages}
        return {"import_seconds": imported - began, "open_seconds": opened - imported, "versions": versions}

    def _add(self, calls: list[list[Row]]) -> dict[str, Any]:
        looking, began = self._vectors.seconds, time.perf_counter()
        for call in calls:
            self._peer.add(call)
        seconds = time.perf_counter() - began - (self._vectors.seconds - looking)
        return {"added": sum(map(len, calls)), "seconds": seconds}

    def _search(self, asked: list[list[str]], limit: int) -> dict[str, Any]:
        seconds, results = [], []
        for caller, query in asked:
            looking, began = self._vectors.seconds, time.perf_counter()
            found = self._peer.search(caller, query, limit)
            seconds.append(time.perf_counter() - began - (self._vectors.seconds - looking))
            results.append(found)
        return {"seconds": seconds, "results": results}
