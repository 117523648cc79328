"""What a record store keeps of one caller, and what one commit changes."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from agentic_memory.domain.call import Call
from agentic_memory.domain.caller import Caller
from agentic_memory.domain.memory import Change, Memory


@dataclass(frozen=True, slots=True)
class Vectors:
    """Embeddings of several texts, packed: row i belongs to text i."""

    model_id: str
    dimension: int
    count: int
    data: bytes
    """`count` x `dimension` little-endian float16, row after row; unit length before rounding."""


@dataclass(frozen=True, slots=True)
class CallRecord:
    """A remembered call with the vectors of what its spoken turns say: see `engine.recall.call_texts`."""

    call: Call
    vectors: Vectors | None = None
    """None until embedded: while no model could be used, or the model has changed."""


@dataclass(frozen=True, slots=True)
class CallerRecords:
    """One caller whole, as loaded by one indexed read."""

    caller: Caller
    calls: tuple[CallRecord, ...] = ()
    """Oldest first."""
    memories: tuple[Memory, ...] = ()
    """Oldest first; superseded ones included."""
    memory_vectors: Mapping[str, Vectors] = field(default_factory=dict)
    """By memory id; a memory without an entry is not embedded yet."""


@dataclass(frozen=True, slots=True)
class Hold:
    """The delivery that a commit comes from, and the lease under which it is processed."""

    delivery: str
    lease: str


@dataclass(frozen=True, slots=True)
class CallerCommit:
    """All that changes for one caller in one transaction."""

    caller: Caller
    """The caller as they are to be stored; `revision` is the one this commit was computed from."""
    put_call: CallRecord | None = None
    """Stored in place of any earlier record of the same conversation of this caller."""
    put_memories: tuple[Memory, ...] = ()
    """Inserted, or stored in place of the memory with the same id."""
    put_vectors: Mapping[str, Vectors] = field(default_factory=dict)
    """By memory id."""
    drop_memories: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()
    """Appended to the history."""
    hold: Hold | None = None
    """Where it comes from a delivery: see RecordStore.commit."""


@dataclass(frozen=True, slots=True)
class Traces:
    """Where else a caller's data lies: what erasing must reach beside the records."""

    conversation_ids: tuple[str, ...] = ()
    archive_keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StoreCounts:
    """How much is stored."""

    callers: int
    calls: int
    memories: int
    stale_vectors: int
    """Callers with calls or memories that have no vectors of the current model."""


@dataclass(frozen=True, slots=True)
class Moved:
    """One caller whole, on the way from one memory to another."""

    records: CallerRecords
    """Calls with their turns; vectors are made anew where they arrive."""
    forgotten: Mapping[str, float] = field(default_factory=dict)
    """Ids of memories that an operator deleted, with when: they do not come back."""
