"""LangGraph's SqliteStore with its index, in a file."""

import sqlite3
import sys
from pathlib import Path

import adapter
import langgraph_memory
from recorded import WIDTH, Recorded


class Sqlite:
    packages = ("langgraph", "langgraph-checkpoint-sqlite", "sqlite-vec")

    def load(self) -> None:
        if not hasattr(sqlite3.Connection, "enable_load_extension"):  # a Python built without: the index needs it
            import pysqlite3

            sys.modules["sqlite3"] = pysqlite3
        from langgraph.store.sqlite import SqliteStore

        self._store = SqliteStore

    def open(self, folder: Path, vectors: Recorded) -> adapter.Peer:
        index = {"dims": WIDTH, "embed": vectors.lists, "text_fields": ["text"]}  # "fields" is not read here
        self._opened = self._store.from_conn_string(str(folder / "store.db"), index=index)
        store = self._opened.__enter__()
        store.setup()
        return langgraph_memory.Store(store)


if __name__ == "__main__":
    adapter.serve(Sqlite())
