"""Chroma's persistent client: one collection by cosine, each search filtered by the caller."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import adapter
from recorded import Recorded


class Chroma:
    packages = ("chromadb",)

    def load(self) -> None:
        import chromadb

        self._chromadb = chromadb

    def open(self, folder: Path, vectors: Recorded) -> adapter.Peer:
        settings = self._chromadb.Settings(anonymized_telemetry=False)
        client = self._chromadb.PersistentClient(path=str(folder / "chroma"), settings=settings)
        made = client.create_collection("memories", embedding_function=None, configuration={"hnsw": {"space": "cosine"}})
        return Store(made, vectors)


class Store:
    def __init__(self, collection: Any, vectors: Recorded) -> None:
        self._collection = collection
        self._vectors = vectors

    def add(self, call: Sequence[adapter.Row]) -> None:
        texts = [row["text"] for row in call]
        self._collection.add(
            ids=[row["id"] for row in call],
            documents=texts,
            metadatas=[{"caller": row["caller"]} for row in call],
            embeddings=self._vectors.vectors(texts),
        )

    def search(self, caller: str, query: str, limit: int) -> list[dict[str, str]]:
        vector = self._vectors.vectors([query])
        found = self._collection.query(query_embeddings=vector, n_results=limit, where={"caller": caller})
        return [{"id": i, "text": t} for i, t in zip(found["ids"][0], found["documents"][0], strict=True)]


if __name__ == "__main__":
    adapter.serve(Chroma())
