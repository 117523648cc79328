"""Recall: one caller's memory, searched exactly, by words and by meaning.

`CallerIndex.build(records, model_id)` makes a caller searchable; `asked(index, query, at)` understands a query, and
its `dense` is what to embed; `search(index, question, vector, limit)` finds. `call_texts` says what of a call is embedded,
`pack` and `unpack` how vectors are stored. `CallerCache` keeps hot callers ready.
Names load where they are used: importing this package loads no numpy.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agentic_memory.engine.recall.cache import CacheStats, CallerCache
    from agentic_memory.engine.recall.finding import Explained, asked, explain, search
    from agentic_memory.engine.recall.index import CallerIndex
    from agentic_memory.engine.recall.vectors import call_texts, pack, unpack, usable

_HOMES = {
    "CacheStats": "cache",
    "CallerCache": "cache",
    "CallerIndex": "index",
    "Explained": "finding",
    "asked": "finding",
    "call_texts": "vectors",
    "explain": "finding",
    "pack": "vectors",
    "search": "finding",
    "unpack": "vectors",
    "usable": "vectors",
}

__all__ = [
    "CacheStats",
    "CallerCache",
    "CallerIndex",
    "Explained",
    "asked",
    "call_texts",
    "explain",
    "pack",
    "search",
    "unpack",
    "usable",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(name)
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
