"""Our own memory of callers: a MemoryBackend over a RecordStore, an Embedder and an Extractor."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from agentic_memory.domain.briefing import Brief, compile_brief
from agentic_memory.domain.call import Call, Role, Turn
from agentic_memory.domain.caller import Caller, IdentityHints
from agentic_memory.domain.conflict import (
    OPERATOR,
    Reconciled,
    after,
    edit,
    forgotten,
    headed,
    reconcile,
    resettle,
)
from agentic_memory.domain.memory import Change, Fact, Findings, Found, Memory
from agentic_memory.domain.records import CallerCommit, CallerRecords, CallRecord, Hold, Vectors
from agentic_memory.errors import ModelError, NotFound, RevisionConflict
from agentic_memory.ports import Embedder, Extractor, RecordStore, Said
from agentic_memory.telemetry import Log

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from agentic_memory.engine.recall import CallerCache, CallerIndex, Explained

log = Log("engine")

EMBEDDED_AT_ONCE = 400
"""Texts of a call up to which it is embedded before it is committed: some seconds, so that others need not wait."""
EMBEDDED_WITHOUT_UPKEEP = 2_000
"""The same where nothing embeds later, and of how many texts one replayed call renews the vectors."""
COMMIT_ATTEMPTS = 5
"""How often a commit is recomputed when another process changes the same caller meanwhile."""


class Model:
    """The embedding model with its state: loading, ready, or why it cannot be used."""

    def __init__(self, embedder: Embedder) -> None:
        """Nothing is loaded yet."""
        self.embedder = embedder
        self.is_ready = False
        self.problem: str | None = None

    @property
    def model_id(self) -> str:
        """The embedder's."""
        return self.embedder.model_id

    @property
    def vectors_id(self) -> str:
        """What is stored with every vector: the model, and the convention of what is embedded."""
        from agentic_memory.engine.recall.vectors import CONVENTION

        return f"{self.embedder.model_id}+{CONVENTION}"

    @property
    def has_vectors(self) -> bool:
        """False when words alone were asked for."""
        return self.embedder.dimension > 0

    @property
    def embeds(self) -> bool:
        """Whether it gives vectors now."""
        return self.has_vectors and self.is_ready

    @property
    def is_degraded(self) -> bool:
        """Whether recall works on words alone although a model was asked for."""
        return self.has_vectors and not self.is_ready

    def load(self) -> None:
        """Load now; a model that cannot be used is logged and leaves recall to words. Idempotent."""
        try:
            self.embedder.load()
        except ModelError as error:
            self.problem = error.message
            log.error("model_unusable", cause=error.code, detail=error.message)
        else:
            self.problem = None
            self.is_ready = True

    def embed(self, texts: Sequence[Said]) -> "NDArray[np.float32] | None":
        """Vectors of what was said, or None while the model cannot be used or where none is wanted."""
        return self._tried(lambda: self.embedder.embed(texts))

    def embed_question(self, text: str) -> "NDArray[np.float32] | None":
        """The vector of what is asked, float32[d], or None as in `embed`."""
        rows = self._tried(lambda: self.embedder.embed_questions([text]))
        return None if rows is None else rows[0]

    def _tried(self, embed: "Callable[[], NDArray[np.float32]]") -> "NDArray[np.float32] | None":
        if not self.embeds:
            return None
        try:
            return embed()
        except ModelError as error:
            self.problem = error.message
            log.error("embedding_failed", cause=error.code, detail=error.message)
            return None


class Engine:
    """Remembers calls as records, and finds in them. The MemoryBackend of the embedded system."""

    def __init__(
        self, store: RecordStore, model: Model, extractor: Extractor, cache: "CallerCache", *, upkeep: bool = True
    ) -> None:
        """`cache` keeps hot callers ready to be searched; `upkeep`: whether something calls `refresh_vectors`."""
        self._store = store
        self._model = model
        self._extractor = extractor
        self._cache = cache
        self._upkeep = upkeep

    def brief(self, tenant: str, caller_id: str) -> Brief | None:
        """One indexed read: the brief was compiled when the last call ended."""
        caller = self._store.caller(tenant, caller_id)
        return None if caller is None else caller.brief

    def search(self, tenant: str, caller_id: str, query: str, limit: int, at: float) -> Findings:
        """Exact search in everything this caller and the agent said to each other."""
        from agentic_memory.engine.recall import asked, search

        index = self._index(tenant, caller_id)
        if index is None:
            return Findings((), degraded=self._model.is_degraded)
        question = asked(index, query, at)
        vector = self._model.embed_question(question.dense)
        results: tuple[Found, ...] = search(index, question, vector, limit)
        return Findings(results, degraded=vector is None and self._model.has_vectors)

    def explain(
        self, tenant: str, caller_id: str, query: str, limit: int, at: float
    ) -> "tuple[Explained, ...]":
        """As `search`, with what each step of the ranking contributed."""
        from agentic_memory.engine.recall import asked, explain

        index = self._index(tenant, caller_id)
        if index is None:
            return ()
        question = asked(index, query, at)
        return explain(index, question, self._model.embed_question(question.dense), limit)

    def warm(self, tenant: str, caller_id: str) -> None:
        """Load the caller into the cache for the call that begins."""
        self._index(tenant, caller_id)

    def rehearse(self) -> None:
        """Search a made-up call once, so that the first real search finds everything loaded."""
        from agentic_memory.engine.recall import CallerIndex, asked, search

        turn = Turn(0, Role.CALLER, "The rehearsal was on Tuesday.")
        call = Call("", "", "", 0.0, turns=(turn,))
        made_up = CallerRecords(Caller("", ""), (CallRecord(call, self._call_vectors(call)),))
        index = CallerIndex.build(made_up, self._model.vectors_id)
        question = asked(index, "When?", 0.0)
        search(index, question, self._model.embed_question(question.dense), 1)

    def remember(self, call: Call, hold: Hold | None = None) -> bool:
        """Extract, reconcile, embed, brief, commit: all in one transaction of the store.

        A very long call is embedded later: it is found by its words until then. Without upkeep a call that is
        known already renews vectors of a former model.
        """
        facts = self._extractor.extract(call)
        records, learnt = self._learn(call, facts)
        if learnt.is_empty and self._is_known(call):
            if not self._upkeep and self._model.embeds:
                self._refresh(call.tenant, records.caller.caller_id, EMBEDDED_WITHOUT_UPKEEP)
            return False
        vectors = self._call_vectors(call, EMBEDDED_AT_ONCE if self._upkeep else EMBEDDED_WITHOUT_UPKEEP)
        for attempt in range(1, COMMIT_ATTEMPTS + 1):
            commit = self._commit(records, learnt, CallRecord(call, vectors))
            try:
                self._store.commit(replace(commit, hold=hold))
            except RevisionConflict:
                if attempt == COMMIT_ATTEMPTS:
                    raise
                records, learnt = self._learn(call, facts)
            else:
                break
        self._cache.drop(call.tenant, records.caller.caller_id)
        return True

    def _learn(self, call: Call, facts: Sequence[Fact]) -> tuple[CallerRecords, Reconciled]:
        """The caller as stored now, and what the facts change."""
        records = self._records(call)
        gone = forgotten(self._store.history(call.tenant, records.caller.caller_id))
        return records, reconcile(records.memories, facts, call, gone)

    def memories(self, tenant: str, caller_id: str) -> tuple[Memory, ...]:
        """All of them, oldest first."""
        records = self._store.load(tenant, caller_id, with_calls=False)
        return () if records is None else records.memories

    def edit(self, tenant: str, caller_id: str, memory_id: str, text: str, at: float) -> Memory:
        """A new version by the operator's hand."""
        records, memory = self._found(tenant, caller_id, memory_id)
        edited = edit(memory, text, at, text)
        change = Change(memory_id, "edited", at, OPERATOR, None, memory.text, text)
        self._mend(records, Reconciled((edited,), (), (change,)), at)
        return edited

    def delete(self, tenant: str, caller_id: str, memory_id: str, at: float) -> None:
        """Gone, but for its history."""
        records, memory = self._found(tenant, caller_id, memory_id)
        change = Change(memory_id, "deleted", at, OPERATOR, None, memory.text, None)
        self._mend(records, Reconciled((), (memory_id,), (change,)), at)

    def forget(self, tenant: str, caller_id: str) -> bool:
        """Erase the caller from store and cache."""
        erased = self._store.erase(tenant, caller_id, deleted=())
        self._cache.drop(tenant, caller_id)
        return erased

    def refresh_vectors(self, limit: int = 1) -> bool:
        """Embed what has no vectors of the present model, for up to `limit` callers; whether there were any."""
        if not self._model.embeds:
            return False
        stale = self._store.stale(self._model.vectors_id, limit)
        for tenant, caller_id in stale:
            self._refresh(tenant, caller_id)
        return bool(stale)

    def _refresh(self, tenant: str, caller_id: str, at_most: int | None = None) -> None:
        """Embed what this caller lacks of the present model, of up to so many texts of calls."""
        records = self._store.load(tenant, caller_id)
        renewed = self._renewed(records, at_most) if records is not None else None
        if renewed is not None:
            self._store.put_call_vectors(tenant, caller_id, renewed)
            self._cache.drop(tenant, caller_id)

    def _index(self, tenant: str, caller_id: str) -> "CallerIndex | None":
        from agentic_memory.engine.recall import CallerIndex

        caller = self._store.caller(tenant, caller_id)
        if caller is None:
            return None

        def build() -> "CallerIndex":
            records = self._store.load(tenant, caller_id) or CallerRecords(caller)
            return CallerIndex.build(records, self._model.vectors_id)

        version = (caller.first_call_at, caller.revision)
        return self._cache.get(tenant, caller_id, version, build)

    def _records(self, call: Call) -> CallerRecords:
        caller_id = call.caller_id or ""
        loaded = self._store.load(call.tenant, caller_id, with_calls=False)
        return loaded or CallerRecords(Caller(call.tenant, caller_id))

    def _is_known(self, call: Call) -> bool:
        stored = self._store.call(call.tenant, call.caller_id or "", call.conversation_id)
        return stored is not None and _content(stored) == _content(call)

    def _commit(
        self, records: CallerRecords, learnt: Reconciled, put: CallRecord | None
    ) -> CallerCommit:
        memories = after(records.memories, learnt)
        calls = _headings(records, put)
        caller = headed(records.caller, calls, memories)
        return CallerCommit(
            caller=replace(caller, brief=compile_brief(caller, calls, memories)),
            put_call=put,
            put_memories=learnt.put_memories,
            put_vectors=self._memory_vectors(records.memories, learnt.put_memories),
            drop_memories=learnt.drop_memory_ids,
            changes=learnt.changes,
        )

    def _found(
        self, tenant: str, caller_id: str, memory_id: str
    ) -> tuple[CallerRecords, Memory]:
        records = self._store.load(tenant, caller_id, with_calls=False)
        for memory in records.memories if records else ():
            if memory.id == memory_id and records is not None:
                return records, memory
        raise NotFound(what="Memory")

    def _mend(self, records: CallerRecords, by_hand: Reconciled, at: float) -> None:
        memories = after(records.memories, by_hand)
        settled = resettle(memories, at)
        put = {m.id: m for m in (*by_hand.put_memories, *settled.put_memories)}
        whole = Reconciled(
            tuple(put.values()),
            (*by_hand.drop_memory_ids, *settled.drop_memory_ids),
            (*by_hand.changes, *settled.changes),
        )
        self._store.commit(self._commit(records, whole, None))
        self._cache.drop(records.caller.tenant, records.caller.caller_id)

    def _call_vectors(self, call: Call, at_most: int | None = None) -> Vectors | None:
        from agentic_memory.engine.recall import call_texts

        texts = call_texts(call)
        return None if at_most is not None and len(texts) > at_most else self._packed(texts)

    def _memory_vectors(
        self, before: Sequence[Memory], put: Sequence[Memory]
    ) -> Mapping[str, Vectors]:
        texts = {memory.id: memory.text for memory in before}
        return self._each([memory for memory in put if texts.get(memory.id) != memory.text])

    def _each(self, memories: Sequence[Memory]) -> Mapping[str, Vectors]:
        """The vectors of each memory by its id, embedded in one go: a text alone costs twice as much."""
        from agentic_memory.engine.recall import pack

        vectors = self._model.embed([Said(m.text) for m in memories]) if memories else None
        if vectors is None:
            return {}
        rows = (vectors[i : i + 1] for i in range(len(memories)))
        return {m.id: pack(row, self._model.vectors_id) for m, row in zip(memories, rows, strict=True)}

    def _packed(self, texts: Sequence[Said]) -> Vectors | None:
        from agentic_memory.engine.recall import pack

        vectors = self._model.embed(texts) if texts else None
        return None if vectors is None else pack(vectors, self._model.vectors_id)

    def _renewed(self, records: CallerRecords, at_most: int | None) -> CallerRecords | None:
        """Only what lacked vectors of the present model, with them, newest calls first; None where nothing did."""
        calls: list[CallRecord] = []
        left = at_most
        for record in reversed(records.calls):
            vectors = self._call_vectors(record.call, left) if self._is_stale(record.vectors) else None
            if vectors is not None:
                calls.append(replace(record, vectors=vectors))
                left = None if left is None else left - vectors.count
        held = records.memory_vectors
        memories = self._each([m for m in records.memories if self._is_stale(held.get(m.id))])
        return replace(records, calls=tuple(calls), memory_vectors=memories) if calls or memories else None

    def _is_stale(self, vectors: Vectors | None) -> bool:
        return vectors is None or vectors.model_id != self._model.vectors_id


def _headings(records: CallerRecords, put: CallRecord | None) -> tuple[Call, ...]:
    """All calls of the caller, oldest first, with `put` in the place of its earlier version."""
    held = {record.call.conversation_id: record.call for record in records.calls}
    if put is not None:
        held[put.call.conversation_id] = put.call
    return tuple(sorted(held.values(), key=lambda c: (c.started_at, c.conversation_id)))


def _content(call: Call) -> Call:
    """A call without what says only where it came from."""
    return replace(call, hints=IdentityHints(), raw_key=None, audio_key=None)
