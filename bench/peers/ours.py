"""AgenticMemory's engine on a SQLite file, with default settings but for the recorded vectors."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import adapter
from recorded import WIDTH, Matrix, Recorded

BEGAN = 1_780_000_000.0
DAY = 86_400.0


class Lookup:
    """The port `Embedder` over recorded vectors."""

    model_id = "recorded"
    dimension = WIDTH

    def __init__(self, vectors: Recorded) -> None:
        self._vectors = vectors

    def load(self) -> None:
        pass

    def embed(self, texts: Sequence[Any]) -> Matrix:
        return self._vectors.vectors([said.text for said in texts])

    def embed_questions(self, texts: Sequence[str]) -> Matrix:
        return self._vectors.vectors(texts)


class Ours:
    packages = ("agentic-memory", "numpy")

    def load(self) -> None:
        import agentic_memory.backends.sqlite.records
        import agentic_memory.bootstrap
        import agentic_memory.engine.recall.finding  # noqa: F401

    def open(self, folder: Path, vectors: Recorded) -> adapter.Peer:
        from agentic_memory import bootstrap, settings
        from agentic_memory.engine.memory import Engine, Model
        from agentic_memory.engine.recall import CallerCache
        from agentic_memory.telemetry import Metrics

        read = settings.read({"DATA_DIR": str(folder), "LOG_LEVEL": "ERROR"}, folder=folder)
        model = Model(Lookup(vectors))
        model.load()
        records = bootstrap.open_storage(read).records
        return Store(Engine(records, model, bootstrap.extractor(read, Metrics()), CallerCache(read.cache_bytes)))


class Store:
    def __init__(self, engine: Any) -> None:
        self._engine = engine

    def add(self, call: Sequence[adapter.Row]) -> None:
        from agentic_memory.domain.call import Call, Role, Turn

        conversation_id = call[0]["id"].partition("#")[0]
        turns = tuple(
            Turn(i, Role.AGENT if row["role"] == "agent" else Role.CALLER, row["text"], 5.0 * i)
            for i, row in enumerate(call)
        )
        at = BEGAN + DAY * int(conversation_id.rpartition("-")[2])
        caller = call[0]["caller"]
        self._engine.remember(Call("default", conversation_id, "elevenlabs", at, caller, turns=turns))

    def search(self, caller: str, query: str, limit: int) -> list[dict[str, str]]:
        found = self._engine.search("default", caller, query, limit, BEGAN + 1000 * DAY).results
        return [{"id": f"{f.conversation_id}#{f.turn}", "text": f.text} for f in found]


if __name__ == "__main__":
    adapter.serve(Ours())
