"""One caller's memory, ready to be searched: passages, words and vectors in arrays."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agentic_memory.domain.call import Role
from agentic_memory.domain.memory import Memory
from agentic_memory.domain.records import CallerRecords, Vectors
from agentic_memory.engine.recall.lexical import Postings, postings
from agentic_memory.engine.recall.traits import Traits, traits_of
from agentic_memory.engine.recall.vectors import pieces, unpack, usable
from agentic_memory.engine.recall.words import numbered
from agentic_memory.engine.recall.words import words as words_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

AGENT, CALLER, NOBODY = 0, 1, 2
"""Who speaks in a passage; NOBODY where a platform reported it."""
TERSE = 0.5
"""The substance of a fact in a few words: it tells more than so many words of a turn do."""


@dataclass(frozen=True, slots=True)
class Passage:
    """One possible result: a spoken turn, or a memory that no turn says."""

    text: str
    call: int
    """Position of its call in the records; -1 for a memory whose call is not there."""
    turn: int | None
    """Index in the transcript."""
    speaker: int = NOBODY
    memory: Memory | None = None


@dataclass(frozen=True, slots=True)
class Keys:
    """Facts as further keys of the passages they were learnt from."""

    passages: "NDArray[np.int64]"
    """To which passage each key leads."""
    memories: tuple[Memory, ...]
    words: Postings


@dataclass(frozen=True, slots=True)
class Standing:
    """What holds of each passage whatever is asked: of n passages, made once for all searches."""

    joined: "NDArray[np.float32]"
    """float32[n - 1]: 1 where passages i and i + 1 are neighbours in a call."""
    age: "NDArray[np.float32]"
    """float32[n]: from the oldest to the newest, 0 to 1."""
    substance: "NDArray[np.float32]"
    """float32[n]: as the trait; of what nobody said TERSE at least."""
    said: "NDArray[np.float32]"
    """float32[2, n]: 1 for what AGENT or CALLER said."""
    told: "NDArray[np.float32]"
    """float32[2, n]: 1 where AGENT or CALLER told the other something of theirs."""
    nothing: "NDArray[np.float32]"
    """float32[n]: 0, not to be written to."""
    sizes: "NDArray[np.int64]"
    """int[calls]: how many passages each call has."""
    spans: "NDArray[np.int64]"
    """int[passages of calls]: each passage's position in `sizes`."""

    @classmethod
    def of(
        cls, calls: "NDArray[np.int32]", starts: "NDArray[np.int64]", speakers: "NDArray[np.int8]",
        times: "NDArray[np.float64]", traits: Traits,
    ) -> "Standing":  # fmt: skip
        """See CallerIndex for the arguments."""
        import numpy as np

        nothing = np.zeros(len(calls), dtype=np.float32)
        nothing.flags.writeable = False
        joined = ((calls[1:] == calls[:-1]) & (calls[1:] >= 0)).astype(np.float32)
        sizes = np.diff(starts, append=int((calls >= 0).sum())) if len(starts) else np.zeros(0, dtype=np.int64)
        said = np.stack([speakers == AGENT, speakers == CALLER]).astype(np.float32)
        return cls(
            joined=joined,
            age=_ages(times),
            substance=np.maximum(traits.substance, np.where(speakers == NOBODY, np.float32(TERSE), np.float32(0))),
            said=said,
            told=traits.yours * said,
            nothing=nothing,
            sizes=sizes,
            spans=np.repeat(np.arange(len(sizes)), sizes),
        )

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return 8 * self.age.nbytes + self.sizes.nbytes + self.spans.nbytes


def _ages(times: "NDArray[np.float64]") -> "NDArray[np.float32]":
    import numpy as np

    span = float(np.ptp(times)) if len(times) else 0.0
    if span <= 0:
        return np.zeros(len(times), dtype=np.float32)
    ages: NDArray[np.float32] = ((times - times.min()) / span).astype(np.float32)
    return ages


@dataclass(frozen=True, slots=True)
class CallerIndex:
    """Everything of one caller that a search needs. Immutable: build a new one for a new revision."""

    model_id: str
    revision: int
    caller_names: tuple[str, ...]
    agent_names: tuple[str, ...]
    records: CallerRecords
    passages: tuple[Passage, ...]
    calls: "NDArray[np.int32]"
    """int[n]: each passage's call; neighbours in a call are neighbours here."""
    starts: "NDArray[np.int64]"
    """Where each call's passages begin; memories that stand alone come after all calls."""
    speakers: "NDArray[np.int8]"
    times: "NDArray[np.float64]"
    """float[n]: Unix seconds of the passage's call."""
    traits: Traits
    standing: Standing
    words: Postings
    keys: Keys
    matrix: "NDArray[np.float32]"
    """float32[m, d]: vectors of pieces in the order of the passages, then of memories."""
    owners: "NDArray[np.int64]"
    """int[m]: the passage that a row of `matrix` leads to."""
    successions: tuple[tuple[int, int], ...]
    """Passages of an old value and of the one that took its place."""
    superseded: frozenset[int]
    """Passages whose every fact has been superseded ..."""
    partly: frozenset[int]
    """... and those of which one has been, and another holds."""
    nbytes: int
    """Bytes held, about: arrays exactly, texts and objects estimated."""

    @classmethod
    def build(cls, records: CallerRecords, model_id: str) -> "CallerIndex":
        """Index one caller. Vectors of another model, or of texts that changed, are left out."""
        return _build(records, model_id)

    @property
    def has_vectors(self) -> bool:
        """Whether anything here can be compared by meaning."""
        return len(self.owners) > 0


def _build(records: CallerRecords, model_id: str) -> CallerIndex:
    import numpy as np

    passages = _turns(records)
    ids = [record.call.conversation_id for record in records.calls]
    position = {(ids[p.call], p.turn): i for i, p in enumerate(passages)}
    keyed, alone = _split(records.memories, position)
    call_of = {conversation_id: i for i, conversation_id in enumerate(ids)}
    passages += [Passage(m.text, call_of.get(m.evidence[0].conversation_id, -1), None, NOBODY, m) for m in alone]
    matrix, owners = _vectors(records, model_id, len(passages) - len(alone), alone, keyed)
    places = keyed + [(m, len(passages) - len(alone) + i) for i, m in enumerate(alone)]
    texts = [p.text for p in passages]
    said = numbered(map(words_of, texts))
    words = postings(said)
    facts = postings(numbered(words_of(m.text) for m, _ in keyed))
    calls = np.array([p.call if p.memory is None else -2 for p in passages], dtype=np.int32)
    starts = np.flatnonzero(np.diff(calls[: len(passages) - len(alone)], prepend=-1))
    speakers = np.array([p.speaker for p in passages], dtype=np.int8)
    times = np.array([_time(records, p) for p in passages], dtype=np.float64)
    traits = traits_of(texts, said)
    standing = Standing.of(calls, starts, speakers, times, traits)
    outdated = frozenset(place for memory, place in places if not memory.is_current)
    current = frozenset(place for memory, place in places if memory.is_current)
    return CallerIndex(
        model_id=model_id,
        revision=records.caller.revision,
        caller_names=(records.caller.name.text,) if records.caller.name else (),
        agent_names=tuple(dict.fromkeys(r.call.agent_name for r in records.calls if r.call.agent_name)),
        records=records,
        passages=tuple(passages),
        calls=calls,
        starts=starts,
        speakers=speakers,
        times=times,
        traits=traits,
        standing=standing,
        words=words,
        keys=Keys(np.array([i for _, i in keyed], dtype=np.int64), tuple(m for m, _ in keyed), facts),
        matrix=matrix,
        owners=owners,
        successions=_successions(places),
        superseded=outdated - current,
        partly=outdated & current,
        nbytes=_held(passages) + matrix.nbytes + owners.nbytes + words.nbytes + facts.nbytes + standing.nbytes + 32 * len(passages),
    )


def _held(passages: Sequence[Passage]) -> int:
    """Bytes of passages with their texts, calls and turns, about."""
    return sum(2 * len(p.text) + 450 for p in passages)


def _successions(places: Sequence[tuple[Memory, int]]) -> tuple[tuple[int, int], ...]:
    where = {memory.id: place for memory, place in places}
    pairs = {
        (place, where[memory.superseded_by]): None
        for memory, place in places
        if memory.superseded_by is not None and memory.superseded_by in where
    }
    return tuple((old, new) for old, new in pairs if old != new)


def _turns(records: CallerRecords) -> list[Passage]:
    return [
        Passage(turn.text, i, turn.index, CALLER if turn.role is Role.CALLER else AGENT)
        for i, record in enumerate(records.calls)
        for turn in record.call.spoken_turns
    ]


def _split(
    memories: Sequence[Memory], position: dict[tuple[str, int | None], int]
) -> tuple[list[tuple[Memory, int]], list[Memory]]:
    """Memories that a turn says, with its position, and those that stand alone."""
    keyed: list[tuple[Memory, int]] = []
    alone: list[Memory] = []
    for memory in memories:
        places = [position.get((e.conversation_id, e.turn)) for e in memory.evidence if e.turn is not None]
        found = [(memory, place) for place in dict.fromkeys(places) if place is not None]
        keyed += found
        alone += [] if found else [memory]
    return keyed, alone


def _time(records: CallerRecords, passage: Passage) -> float:
    if passage.memory is not None:
        return passage.memory.created_at
    return records.calls[passage.call].call.started_at


def _vectors(
    records: CallerRecords, model_id: str, first: int, alone: Sequence[Memory], keyed: Sequence[tuple[Memory, int]]
) -> "tuple[NDArray[np.float32], NDArray[np.int64]]":
    import numpy as np

    blocks: list[Vectors] = []
    owners: list[int] = []
    at = 0
    for record in records.calls:
        parts = [len(pieces(t.text)) for t in record.call.spoken_turns]
        if record.vectors is not None and usable(record.vectors, model_id, sum(parts)):
            blocks.append(record.vectors)
            owners += [at + i for i, n in enumerate(parts) for _ in range(n)]
        at += len(parts)
    places = [(m, first + i) for i, m in enumerate(alone)] + list(keyed)
    for memory, place in places:
        had = records.memory_vectors.get(memory.id)
        if had is not None and usable(had, model_id, 1):
            blocks.append(had)
            owners.append(place)
    if len({block.dimension for block in blocks}) != 1:
        return np.zeros((0, 0), dtype=np.float32), np.zeros(0, dtype=np.int64)
    return unpack(*blocks), np.array(owners, dtype=np.int64)
