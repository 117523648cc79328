"""Mem0 Cloud as a MemoryBackend."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from agentic_memory.backends.mem0_cloud.breaker import Breaker
from agentic_memory.backends.mem0_cloud.changes import changes, changes_told
from agentic_memory.backends.mem0_cloud.client import Client, Condition, Observer, Tools
from agentic_memory.backends.mem0_cloud.marking import MARK, ended, is_superseded
from agentic_memory.backends.mem0_cloud.rebuilding import Known, known
from agentic_memory.backends.mem0_cloud.stored import Stored
from agentic_memory.backends.mem0_cloud.wire import Wire
from agentic_memory.backends.mem0_cloud.writing import (
    CALL,
    EDIT,
    FACT,
    FORMAT,
    INFERRED,
    MESSAGES,
    OUTLINE,
    TURNS,
    Message,
    Metadata,
    Taught,
    call_metadata,
    call_text,
    digest,
    facts_message,
    mark,
    metadata,
    outline,
    outline_in,
    rebuilt_turns,
    taught_in,
    transcript,
    turn_marks,
    turn_of,
)
from agentic_memory.domain.briefing import Brief, in_words
from agentic_memory.domain.call import Call
from agentic_memory.domain.caller import DEFAULT_TENANT
from agentic_memory.domain.conflict import edit
from agentic_memory.domain.memory import Change, Findings, Found, Memory, MemoryKind
from agentic_memory.domain.records import CallerRecords, CallRecord, Hold, Moved
from agentic_memory.domain.wording import comparable, one_line
from agentic_memory.errors import (
    MemoryServiceFailed,
    MemoryServiceUnavailable,
    MemoryUnavailable,
    NotFound,
)
from agentic_memory.ports import Clock, Extractor
from agentic_memory.telemetry import Log

log = Log("mem0")

FACTUAL: Condition = {"metadata": {"type": str(MemoryKind.FACTUAL)}}
SPARE = 5
"""Results asked for beyond the limit: some say the same, and are left out."""
FOUND_CHARS = 320
_SPEAKERS = {"c": "Caller: ", "a": "Agent: "}


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds."""

    brief: float = 0.8
    """For a brief: somebody waits for the phone to be answered."""
    search: float = 2.7
    """For a search: the agent waits for something to say."""
    follow: float = 10.0
    """How long inferring is followed in one go; then the delivery is given back, and goes on there later."""
    erase: float = 20.0
    """How long each step of an erasure is followed."""
    look_again: float = 0.5
    """The first wait between two looks at it; each further one is half as long again, up to 5 s."""


class Mem0Memory:
    """Remembers calls in Mem0 Cloud, and finds in what it has of a caller.

    Keeps nothing itself. Raises MemoryServiceUnavailable where Mem0 cannot be had in time,
    MemoryServiceRefused and MemoryServiceFailed where it will not.
    """

    def __init__(
        self,
        client: Client,
        extractor: Extractor,
        clock: Clock,
        pause: Callable[[float], object],
        patience: Patience | None = None,
    ) -> None:
        """`pause` sleeps for seconds."""
        self.client = client
        self._extractor = extractor
        self._clock = clock
        self._pause = pause
        self._patience = patience or Patience()

    def brief(self, tenant: str, caller_id: str) -> Brief | None:
        """Compiled from what the metadata of the caller's factual memories say."""
        found = self._known(tenant, caller_id, self.client.deadline(self._patience.brief))
        return found.records.caller.brief if found else None

    def search(self, tenant: str, caller_id: str, query: str, limit: int, at: float) -> Findings:
        """What Mem0 finds among this user's memories, the most similar first. `at` plays no part."""
        deadline = self.client.deadline(self._patience.search)
        if not query.strip():
            return Findings(())
        results = self.client.search(user_of(tenant, caller_id), query, limit + SPARE, deadline)
        return Findings(tuple(_distinct(results))[:limit])

    def remember(self, call: Call, hold: Hold | None = None) -> bool:
        """Send transcript, facts and record of a call; follow what Mem0 infers to its end.

        Raises MalformedPayload for a call that cannot be sent, MemoryServiceFailed where inferring failed.
        """
        facts = self._extractor.extract(call)
        changed = self.keep(Taught(call, facts, turns=turn_marks(call), digest=digest(call)), infer=True)
        self.mark(call.tenant, call.caller_id or "", call.conversation_id)
        return changed

    def keep(self, taught: Taught, *, infer: bool) -> bool:
        """Keep a call with these facts unless it is kept already; return whether anything changed.

        `infer`: Mem0 infers from the facts; otherwise they are kept word by word.

        The call's record is written last, or, where something is inferred, with the event to follow: a
        delivery that comes again finds there what is done and goes on with the rest.
        """
        call = taught.call
        user = user_of(call.tenant, call.caller_id or "")
        held = [m for m in self._of_conversation(user, call.conversation_id) if m.record]
        stale = [m for m in held if m.metadata.get("digest") != taught.digest]
        before = [t for m in held if (t := taught_in(m.metadata))]
        same = next((t for t in before if t.digest == taught.digest), None)
        if same is not None:
            self._delete(stale)
            return self._resumed(user, held, same)
        for former in before:
            taught = _with_hands_of(former, taught)
        self._delete([m for m in stale if m.record != CALL])
        event = self._add_what_was_said(user, taught, held, infer=infer)
        self._record(user, replace(taught, event=event))
        self._delete([m for m in stale if m.record == CALL])  # last: it holds what an operator set
        self._follow(event)
        return True

    def mark(self, tenant: str, caller_id: str, conversation_id: str = "", before: Iterable[Memory] = ()) -> None:
        """Mark the records that say what holds no longer, and take the mark from what holds again.

        Of transcripts, those are looked at that this conversation, or what was done since `before`, concerns.
        """
        user = user_of(tenant, caller_id)
        held = self.client.listed(user, FACTUAL)
        now = ended(_memories_in(tenant, caller_id, held))
        if conversation_id:
            others = [m for m in held if m.conversation_id != conversation_id]
            before = _memories_in(tenant, caller_id, others)
        wrong = [m for m in held if now.is_told_wrongly_by(m)]
        concerned = {m.conversation_id for m in wrong} | {c for c, _ in now.turns ^ ended(before).turns}
        for conversation in sorted(concerned - {""}):
            spoken = (m for m in self._of_conversation(user, conversation) if m.record == TURNS)
            wrong += [m for m in spoken if now.is_told_wrongly_by(m)]
        for record in wrong:
            self.client.update(record, record.text, {**record.metadata, MARK: now.has(record)})

    def history(self, tenant: str, caller_id: str, memory_id: str | None = None) -> tuple[Change, ...]:
        """What happened to one memory, or to all, as `changes` makes it; of Mem0's own what it noted itself."""
        found = self._known(tenant, caller_id, self.client.deadline())
        made = changes(found) if found else ()
        if memory_id is None:
            return made
        noted: tuple[Change, ...] = ()
        if _is_of_mem0(memory_id):
            noted = changes_told(self.client.history(memory_id), user_of(tenant, caller_id), memory_id)
        return noted or tuple(change for change in made if change.memory_id == memory_id)

    def memories(self, tenant: str, caller_id: str) -> tuple[Memory, ...]:
        """What the calls taught, compiled anew, and what others' software left in Mem0."""
        found = self._known(tenant, caller_id, self.client.deadline())
        return found.records.memories if found else ()

    def edit(self, tenant: str, caller_id: str, memory_id: str, text: str, at: float) -> Memory:
        """In the record of the call that taught it, beside a record to be found; Mem0's own in place."""
        found, memory = self._found(tenant, caller_id, memory_id)
        edited = edit(memory, text, at, text)
        if memory_id in found.foreign:
            foreign = found.foreign[memory_id]
            self.client.update(foreign, text, foreign.metadata)
            return edited
        user = user_of(tenant, caller_id)
        self._mend(user, found, memory, lambda t: replace(t, edited=(*_others(t, memory_id), edited)))
        self._drop_shadows(user, memory)
        note = {
            "type": str(MemoryKind.FACTUAL), "record": EDIT, "format": FORMAT, "tenant": tenant, "memory_id": memory_id,
        }  # fmt: skip
        self.client.add(user, [{"role": "user", "content": text}], note, infer=False, at=at)
        self.mark(tenant, caller_id, before=found.records.memories)
        return edited

    def delete(self, tenant: str, caller_id: str, memory_id: str, at: float) -> None:
        """Noted in the record of the call that taught it; Mem0's own is deleted."""
        found, memory = self._found(tenant, caller_id, memory_id)
        if memory_id in found.foreign:
            self.client.delete(found.foreign[memory_id])
            return

        def without(taught: Taught) -> Taught:
            forgotten = {**taught.forgotten, memory_id: at}
            return replace(taught, forgotten=forgotten, edited=_others(taught, memory_id))

        user = user_of(tenant, caller_id)
        self._mend(user, found, memory, without)
        self._drop_shadows(user, memory)
        self.mark(tenant, caller_id, before=found.records.memories)

    def forget(self, tenant: str, caller_id: str) -> bool:
        """Delete all that Mem0 has of this user, and see that it is gone."""
        user = user_of(tenant, caller_id)
        if self.client.count(user) == 0:
            return False
        self.client.delete_all(user)
        otherwise, seconds = "the deletion has not come to an end", self._patience.erase
        self._until(lambda: self.client.count(user) == 0, seconds, otherwise)
        event = self.client.delete_user(user)
        if event:  # to its end: it must not take what the next call brings
            self._until(lambda: self._is_over(event), seconds, otherwise)
        return True

    def warm(self, tenant: str, caller_id: str) -> None:
        """Have a connection open for the search that may come."""
        try:
            self.client.warm()
        except MemoryUnavailable as error:
            log.info("mem0_not_warmed", cause=error.code)

    def load(
        self, tenant: str, caller_id: str, *, with_calls: bool = True
    ) -> CallerRecords | None:
        """One caller whole, as a record store would give them; without `with_calls`, without turns."""
        if with_calls:
            moved = self.whole(tenant, caller_id)
            return moved.records if moved else None
        found = self._known(tenant, caller_id, self.client.deadline())
        return found.records if found else None

    def whole(self, tenant: str, caller_id: str) -> Moved | None:
        """Everything that Mem0 has of a caller, transcripts put together again."""
        held = self.client.listed(user_of(tenant, caller_id))
        found = known(tenant, caller_id, held)
        if found is None:
            return None
        texts = {mark(m.text): m.text for m in held}
        outlines = {m.conversation_id: outline_in(m.metadata) for m in held if m.record == OUTLINE}
        calls = tuple(
            CallRecord(replace(r.call, turns=rebuilt_turns(outlines.get(r.call.conversation_id, ()), texts)))
            for r in found.records.calls
        )
        forgotten = {id_: at for t in found.taught.values() for id_, at in t.forgotten.items()}
        return Moved(replace(found.records, calls=calls), forgotten)

    def close(self) -> None:
        """Give back the connections."""
        self.client.close()

    def _known(self, tenant: str, caller_id: str, deadline: float) -> Known | None:
        """From the factual memories; where there are none, from whatever there is."""
        user = user_of(tenant, caller_id)
        factual = self.client.listed(user, FACTUAL, deadline=deadline)
        return known(tenant, caller_id, factual or self.client.listed(user, deadline=deadline))

    def _found(self, tenant: str, caller_id: str, memory_id: str) -> tuple[Known, Memory]:
        found = self._known(tenant, caller_id, self.client.deadline())
        for memory in found.records.memories if found else ():
            if memory.id == memory_id and found is not None:
                return found, memory
        raise NotFound(what="Memory")

    def _delete(self, memories: Sequence[Stored]) -> None:
        for memory in memories:
            self.client.delete(memory)

    def _of_conversation(self, user: str, conversation_id: str) -> list[Stored]:
        """The records of one conversation: by its session, and to be sure by what the metadata say."""
        held = self.client.listed(user, {"run_id": conversation_id})
        return [m for m in held if m.conversation_id == conversation_id]

    def _resumed(self, user: str, held: Sequence[Stored], before: Taught) -> bool:
        """The call is kept; what Mem0 was to infer is followed again, or asked for anew where it failed."""
        inferred = any(m.record == INFERRED and m.metadata.get("digest") == before.digest for m in held)
        if not before.event or inferred:
            return False
        status, _ = self.client.event(before.event)
        if status in ("SUCCEEDED", ""):
            return False
        if status == "FAILED":
            record = next(m for m in held if m.record == CALL and m.metadata.get("digest") == before.digest)
            before = replace(before, event=self._infer(user, before))
            self.client.update(record, record.text, call_metadata(before))
        self._follow(before.event)
        return True

    def _add_what_was_said(
        self, user: str, taught: Taught, held: Sequence[Stored], *, infer: bool
    ) -> str:
        """Transcript and facts; return the event to follow. What a delivery cut short left is not repeated."""
        for messages, described in transcript(taught.call):
            self._add(user, messages, {**described, "digest": taught.digest}, taught.call)
        if taught.turns:
            self._add(user, *outline(taught), taught.call)
        if not infer:
            self._add_facts(user, taught)
            return ""
        inferred = (m for m in held if m.record == INFERRED)
        if any(m.metadata.get("digest") == taught.digest for m in inferred):
            return ""
        return self._infer(user, taught)

    def _infer(self, user: str, taught: Taught) -> str:
        """Let Mem0 infer from summary and facts; return the event to follow."""
        call, messages = taught.call, facts_message(taught.call, taught.facts)
        if not messages:
            return ""
        described = {**metadata(call, MemoryKind.FACTUAL, INFERRED), "digest": taught.digest}
        added = self.client.add(
            user, messages, described, infer=True, at=call.started_at, session=call.conversation_id
        )
        return added.event_id if added.is_pending else ""

    def _add_facts(self, user: str, taught: Taught) -> None:
        """The facts word by word, to be found without anything being inferred."""
        described = {**metadata(taught.call, MemoryKind.FACTUAL, FACT), "digest": taught.digest}
        texts = list(dict.fromkeys(fact.text for fact in taught.facts))
        for start in range(0, len(texts), MESSAGES):
            messages = [{"role": "user", "content": text} for text in texts[start : start + MESSAGES]]
            self._add(user, messages, described, taught.call)

    def _record(self, user: str, taught: Taught) -> None:
        self._add(user, [{"role": "user", "content": call_text(taught)}], call_metadata(taught), taught.call)

    def _add(self, user: str, messages: Sequence[Message], described: Metadata, call: Call) -> None:
        at, session = call.started_at, call.conversation_id
        self.client.add(user, messages, described, infer=False, at=at, session=session)

    def _follow(self, event_id: str) -> None:
        """Until the event has come to its end. Raises MemoryServiceFailed, or MemoryServiceUnavailable."""
        if event_id:
            self._until(lambda: self._is_over(event_id), self._patience.follow, "inferring has not come to an end")

    def _is_over(self, event_id: str) -> bool:
        status, _ = self.client.event(event_id)
        if status == "FAILED":
            raise MemoryServiceFailed(reason="what it took on ended as FAILED")
        return status not in ("PENDING", "RUNNING")

    def _until(self, is_over: Callable[[], bool], seconds: float, otherwise: str) -> None:
        deadline = self._clock.monotonic() + seconds
        wait = self._patience.look_again
        while not is_over():
            if self._clock.monotonic() >= deadline:
                raise MemoryServiceUnavailable(reason=otherwise)
            self._pause(wait)
            wait = min(1.5 * wait, 5.0)

    def _mend(self, user: str, found: Known, memory: Memory, change: Callable[[Taught], Taught]) -> None:
        """Change the record of the call that taught a memory; of any call, should that one have gone."""
        conversations = [e.conversation_id for e in memory.evidence if e.conversation_id in found.taught]
        conversation = (conversations or list(found.taught))[0]
        for held in self._of_conversation(user, conversation):
            taught = taught_in(held.metadata)
            if taught is not None:
                self.client.update(held, held.text, call_metadata(change(taught)))

    def _drop_shadows(self, user: str, memory: Memory) -> None:
        """Delete the records that say in so many words what the memory said."""
        said = {comparable(memory.text), comparable(f"{memory.text}.")}
        for held in self.client.listed(user, FACTUAL):
            is_edit = held.record == EDIT and held.metadata.get("memory_id") == memory.id
            if is_edit or (held.record != CALL and comparable(held.text) in said):
                self.client.delete(held)


def _memories_in(tenant: str, caller_id: str, held: Sequence[Stored]) -> tuple[Memory, ...]:
    found = known(tenant, caller_id, held)
    return found.records.memories if found else ()


def _is_of_mem0(memory_id: str) -> bool:
    """Whether an id has the form of Mem0's own: it refuses any other."""
    try:
        return str(UUID(memory_id)) == memory_id
    except ValueError:
        return False


def user_of(tenant: str, caller_id: str) -> str:
    """The user id under which Mem0 has a caller: theirs, as the original had it, but for further tenants."""
    return caller_id if tenant == DEFAULT_TENANT else f"{tenant}:{caller_id}"


def connect(
    base_url: str,
    keys: Sequence[str],
    timeout: float,
    clock: Clock,
    pause: Callable[[float], object],
    observe: Observer,
) -> tuple[Client, Breaker]:
    """A client with its breaker. Nothing is sent."""

    def told(state: str) -> None:
        log.warning("mem0_breaker", state=state)

    breaker = Breaker(clock.monotonic, told)
    tools = Tools(Wire(base_url, clock.monotonic), breaker, clock, pause, observe)
    return Client(tools, keys, timeout), breaker


def _with_hands_of(before: Taught, taught: Taught) -> Taught:
    """The call anew, with what an operator set and deleted under its former version."""
    now = {memory.id for memory in taught.edited}
    kept = tuple(memory for memory in before.edited if memory.id not in now)
    return replace(taught, forgotten={**before.forgotten, **taught.forgotten}, edited=(*kept, *taught.edited))


def _others(taught: Taught, memory_id: str) -> tuple[Memory, ...]:
    return tuple(memory for memory in taught.edited if memory.id != memory_id)


def _distinct(results: Sequence[Stored]) -> Iterator[Found]:
    """What the agent reads of each result, none twice."""
    said: set[str] = set()
    for result in results:
        words = _words(result)
        key = comparable(words)
        if key and key not in said:
            said.add(key)
            yield _found_of(result, words)


def _words(result: Stored) -> str:
    """What a result says; of a call's record the summary, without what only tells records apart."""
    if result.record == OUTLINE:
        return ""
    taught = taught_in(result.metadata)
    return result.text if taught is None else taught.call.summary or ""


def _found_of(result: Stored, told: str) -> Found:
    turn = turn_of(result.metadata, result.text) if result.record == TURNS else None
    day = in_words(result.at)
    speaker = _SPEAKERS.get(turn[1], "") if turn else ""
    words, past = f"{f'[{day}] ' if day else ''}{speaker}{told}", is_superseded(result)
    after = " (no longer true)" if past else ""
    return Found(
        id=result.id,
        kind=MemoryKind.SEMANTIC if result.kind == MemoryKind.SEMANTIC else MemoryKind.FACTUAL,
        text=one_line(words, FOUND_CHARS - len(after)) + after,
        similarity=min(1.0, max(0.0, result.similarity)),
        at=result.at,
        conversation_id=result.conversation_id,
        turn=turn[0] if turn else None,
        turns=(turn[0],) if turn else (),
        quote=result.text if turn else None,
        superseded=past,
    )


