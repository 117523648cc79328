"""LangGraph's InMemoryStore with its index: everything in the process, nothing on disk."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import adapter
from recorded import WIDTH, Recorded


class InMemory:
    packages = ("langgraph", "langgraph-checkpoint")

    def load(self) -> None:
        from langgraph.store.memory import InMemoryStore

        self._store = InMemoryStore

    def open(self, folder: Path, vectors: Recorded) -> adapter.Peer:
        return OneByOne(self._store(index={"dims": WIDTH, "embed": vectors.lists, "fields": ["text"]}))


class Store:
    """Any LangGraph store; a namespace is a caller."""

    def __init__(self, store: Any) -> None:
        self._store = store

    def add(self, call: Sequence[adapter.Row]) -> None:
        from langgraph.store.base import PutOp

        self._store.batch([PutOp(("memories", row["caller"]), row["id"], {"text": row["text"]}) for row in call])

    def search(self, caller: str, query: str, limit: int) -> list[dict[str, str]]:
        found = self._store.search(("memories", caller), query=query, limit=limit)
        return [{"id": item.key, "text": item.value["text"]} for item in found]


class OneByOne(Store):
    """For the store in memory, which fails where one batch holds the same text twice."""

    def add(self, call: Sequence[adapter.Row]) -> None:
        for row in call:
            self._store.put(("memories", row["caller"]), row["id"], {"text": row["text"]})


if __name__ == "__main__":
    adapter.serve(InMemory())
