"""Recall: one caller's memory, searched exactly, by words and by meaning.

`CallerIndex.build(records, model_id)` makes a caller searchable; `query_texts(index, query)` says what to
embed; `search(index, query, vectors, limit, at)` finds. `call_texts` says what of a call is embedded,
`pack` and `unpack` how vectors are stored. `CallerCache` keeps hot callers ready.
Names load where they are used: importing this package loads no numpy.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agentic_memory.engine.recall.cache import CacheStats, CallerCache
    from agentic_memory.engine.recall.finding import Explained, explain, query_texts, search
    from agentic_memory.engine.recall.index import CallerIndex
    from agentic_memory.engine.recall.vectors import call_texts, pack, unpack, usable

_HOMES = {
    "CacheStats": "cache",
    "CallerCache": "cache",
    "CallerIndex": "index",
    "Explained": "finding",
    "call_texts": "vectors",
    "explain": "finding",
    "pack": "vectors",
    "query_texts": "finding",
    "search": "finding",
    "unpack": "vectors",
    "usable": "vectors",
}

__all__ = [
    "CacheStats",
    "CallerCache",
    "CallerIndex",
    "Explained",
    "call_texts",
    "explain",
    "pack",
    "query_texts",
    "search",
    "unpack",
    "usable",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(name)
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
