"""What Mem0 answers, read tolerantly: any JSON in, what is usable out."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from agentic_memory.errors import MemoryServiceUnavailable


@dataclass(frozen=True, slots=True)
class Stored:
    """One memory as Mem0 has it."""

    id: str
    text: str
    user_id: str | None = None
    created_at: float = 0.0
    """Unix seconds; of the call, where whoever added it backdated it."""
    session: str | None = None
    """`run_id` in a search, `session_id` in a list: the same value."""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    similarity: float = 0.0
    """Mem0's score; 0 where it gives none."""
    replaced_by: str | None = None
    """The memory that took its place, where Mem0 itself says so."""

    @property
    def kind(self) -> str:
        """`metadata.type`: `factual`, `semantic`, or what somebody else wrote."""
        return _text(self.metadata.get("type")) or ""

    @property
    def record(self) -> str:
        """What of ours it is: `call`, `inferred`, `fact`, `edit`, `turns`, `outline`; empty for what others added."""
        return _text(self.metadata.get("record")) or ""

    @property
    def conversation_id(self) -> str:
        """The conversation it comes from; empty where nothing says so."""
        return _text(self.metadata.get("conversation_id")) or self.session or ""

    @property
    def at(self) -> float:
        """Unix seconds of the call: as the metadata say, else as Mem0 dates it."""
        for key in ("started_at", "timestamp"):
            moment = instant(self.metadata.get(key))
            if moment:
                return moment
        return self.created_at


def items(value: object) -> list[Any]:
    """The results in an answer: a bare list, or under `results` or `memories`.

    Raises MemoryServiceUnavailable for what is no such answer.
    """
    found = value
    if isinstance(value, Mapping):
        found = value.get("results", value.get("memories"))
    if not isinstance(found, list):
        raise MemoryServiceUnavailable(reason="its answer cannot be understood")
    return found


def stored(value: object, user_id: str) -> Iterator[Stored]:
    """The usable memories in an answer. One that names another user is never among them."""
    for item in items(value):
        if not isinstance(item, Mapping):
            continue
        memory = one(item)
        if memory is not None and memory.user_id in (None, user_id):
            yield memory


def one(item: Mapping[str, Any]) -> Stored | None:
    """One memory; None without an id or a text."""
    memory_id, text = item.get("id"), item.get("memory", item.get("text"))
    if not isinstance(memory_id, str) or not memory_id or not isinstance(text, str):
        return None
    metadata, score = item.get("metadata"), item.get("score")
    return Stored(
        id=memory_id,
        text=text,
        user_id=_text(item.get("user_id")),
        created_at=instant(item.get("created_at")),
        session=_text(item.get("run_id")) or _text(item.get("session_id")),
        metadata=metadata if isinstance(metadata, Mapping) else {},
        similarity=_number(score),
        replaced_by=_text(item.get("replaced_by")),
    )


def instant(value: object) -> float:
    """Unix seconds of a timestamp with any offset (UTC without one) or of a number; 0 for anything else."""
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
        except (ValueError, OverflowError):
            return 0.0
    return _number(value)


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0.0
    try:
        number = float(value)
    except OverflowError:
        return 0.0
    return number if -1e15 < number < 1e15 else 0.0


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
