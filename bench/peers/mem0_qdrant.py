"""mem0, open source, with its local Qdrant store; `infer=False`: what was said is kept as it is."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import adapter
from recorded import WIDTH, Recorded


class Mem0:
    packages = ("mem0ai", "qdrant-client", "langchain")

    def load(self) -> None:
        from langchain.embeddings.base import Embeddings
        from mem0 import Memory

        self._memory, self._embeddings = Memory, Embeddings

    def open(self, folder: Path, vectors: Recorded) -> adapter.Peer:
        class Lookup(self._embeddings):  # type: ignore[name-defined,misc]
            def embed_documents(self, texts: list[str]) -> list[list[float]]:
                return vectors.lists(texts)

            def embed_query(self, text: str) -> list[float]:
                return vectors.lists([text])[0]

        store = {"path": str(folder / "qdrant"), "embedding_model_dims": WIDTH, "on_disk": True}
        return Store(
            self._memory.from_config(
                {
                    "vector_store": {"provider": "qdrant", "config": store},
                    "embedder": {"provider": "langchain", "config": {"model": Lookup()}},
                    "history_db_path": str(folder / "history.db"),
                }
            )
        )


class Store:
    def __init__(self, memory: Any) -> None:
        self._memory = memory

    def add(self, call: Sequence[adapter.Row]) -> None:
        for row in call:  # one by one: the messages of one `add` share their metadata
            message = {"role": "assistant" if row["role"] == "agent" else "user", "content": row["text"]}
            self._memory.add([message], user_id=row["caller"], metadata={"turn_id": row["id"]}, infer=False)

    def search(self, caller: str, query: str, limit: int) -> list[dict[str, str]]:
        found = self._memory.search(query, top_k=limit, filters={"user_id": caller}, threshold=0.0)
        return [{"id": m["metadata"]["turn_id"], "text": m["memory"]} for m in found["results"]]


if __name__ == "__main__":
    adapter.serve(Mem0())
