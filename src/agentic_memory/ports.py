"""The ports: what the use-cases need of the world, with the semantics every backend keeps.

Each port has one contract suite in `tests/contract/`, run against every backend; the backends in
`backends/in_memory` are the reference. All methods are synchronous and safe to call from several
threads. Times are Unix seconds, UTC. What a method raises is named here; everything it may raise is an
`AgenticMemoryError` whose `retryable` says whether the same call may succeed later.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

from agentic_memory.domain.briefing import Brief
from agentic_memory.domain.call import Call
from agentic_memory.domain.caller import Caller, CallerPage
from agentic_memory.domain.delivery import (
    Accepted,
    DeadLetterPage,
    Delivery,
    Envelope,
    Event,
    InboxCounts,
    NewDelivery,
    Quarantined,
)
from agentic_memory.domain.initiation import Profile
from agentic_memory.domain.memory import Change, Fact, Findings, Memory
from agentic_memory.domain.records import CallerCommit, CallerRecords, Hold, StoreCounts, Traces

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Clock(Protocol):
    """The time, passed in so that the same input gives the same output."""

    def now(self) -> float:
        """Unix seconds, UTC."""

    def monotonic(self) -> float:
        """Seconds from an arbitrary start, never going back: for deadlines and durations."""


class MemoryBackend(Protocol):
    """A memory of callers: our own engine, or a service such as Mem0 Cloud."""

    def brief(self, tenant: str, caller_id: str) -> Brief | None:
        """What to tell about this caller now; None for one we do not know.

        Raises StorageError or MemoryUnavailable.
        """

    def search(
        self, tenant: str, caller_id: str, query: str, limit: int, at: float
    ) -> Findings:
        """At most `limit` memories of this caller and of nobody else, best first.

        `at` is the time of the question ("last week" counts from it). An unknown caller has no results.
        Raises StorageError or MemoryUnavailable.
        """

    def remember(self, call: Call, hold: Hold | None = None) -> bool:
        """Learn from a finished call whose `caller_id` is set; return whether anything changed.

        `hold` names the delivery it comes from: see RecordStore.commit. Raises LeaseLost.

        Remembering the same call again changes nothing; a later version of the same conversation takes
        the place of the earlier one. Calls may come in any order: the outcome is the same.
        """

    def memories(self, tenant: str, caller_id: str) -> tuple[Memory, ...]:
        """All memories of this caller, oldest first, superseded ones included."""

    def edit(self, tenant: str, caller_id: str, memory_id: str, text: str, at: float) -> Memory:
        """Set a memory's text by hand: a new version with `operator` evidence, kept in its history.

        Later calls never undo it. Raises NotFound.
        """

    def delete(self, tenant: str, caller_id: str, memory_id: str, at: float) -> None:
        """Delete one memory by hand; its history stays, and no call brings it back. Raises NotFound."""

    def forget(self, tenant: str, caller_id: str) -> bool:
        """Erase all that this backend keeps of the caller, without trace; return whether there was any."""

    def warm(self, tenant: str, caller_id: str) -> None:
        """Make the next `search` of this caller fast. Never raises for an unknown caller."""


class RecordStore(Protocol):
    """Where the engine keeps records. One caller is never read through another's id."""

    def caller(self, tenant: str, caller_id: str) -> Caller | None:
        """The caller with their brief by one indexed read: the path of the ringing phone."""

    def load(self, tenant: str, caller_id: str, *, with_calls: bool = True) -> CallerRecords | None:
        """One caller whole, by indexed reads of one snapshot; None if unknown.

        `with_calls=False` leaves the calls' turns and all vectors out: each call comes with its heading
        (everything but turns) and `vectors=None`.
        """

    def commit(self, commit: CallerCommit) -> Caller:
        """Apply all of `commit` in one transaction and return the caller as stored (revision + 1).

        Raises RevisionConflict when the stored revision is not `commit.caller.revision` (0 = not stored
        yet): nothing is changed then; load again and recompute. Durable on return.
        A store that shares its file with the inbox applies a commit with a `hold` only while that lease
        holds, else LeaseLost: what was erased meanwhile must not come back.
        """

    def put_call_vectors(
        self, tenant: str, caller_id: str, records: CallerRecords
    ) -> None:
        """Store the vectors in `records` (of calls and memories) where the same texts are still stored.

        Used by re-embedding: a call or memory that has changed or gone meanwhile is left alone. Grows
        the revision.
        """

    def stale(self, model_id: str, limit: int) -> list[tuple[str, str]]:
        """Up to `limit` (tenant, caller id) with a spoken call or a memory lacking vectors of `model_id`."""

    def callers(
        self, tenant: str, *, query: str = "", limit: int = 50, cursor: str | None = None
    ) -> CallerPage:
        """Callers by last call, newest first; `query` matches part of the id or of the name.

        `cursor` is a former page's `next_cursor`; a cursor that is none raises InvalidField.
        """

    def call(self, tenant: str, caller_id: str, conversation_id: str) -> Call | None:
        """One remembered call of this caller, turns included."""

    def history(self, tenant: str, caller_id: str, memory_id: str | None = None) -> tuple[Change, ...]:
        """Changes oldest first: of one memory, or of all this caller's memories."""

    def note_person(self, tenant: str, conversation_id: str, caller_id: str, at: float) -> None:
        """Remember at the ring who a conversation is with. The first note stands; a repeat is ignored.

        It may become durable a moment later, but before anything that is written after it; later reads
        through this store see it. What goes wrong by then is logged.
        """

    def person_of(self, tenant: str, conversation_id: str) -> str | None:
        """The caller id noted for this conversation."""

    def active_since(self, tenant: str, caller_id: str, since: float) -> bool:
        """Whether a conversation was noted for this caller at or after `since` and has not ended yet."""

    def end_conversation(self, tenant: str, conversation_id: str) -> None:
        """The conversation's post-call webhook has come: it is no longer active."""

    def note_archived(
        self,
        tenant: str,
        key: str,
        caller_id: str | None,
        conversation_id: str | None,
        *,
        ended: bool = False,
        hold: Hold | None = None,
    ) -> None:
        """Remember which person a body or recording is about, before it is archived under `key`.

        Idempotent per key; a later note fills in the person that an earlier one did not know. `ended` does
        what `end_conversation` does, in the same transaction; `hold` is as in `commit`.
        """

    def attach_audio(
        self, tenant: str, conversation_id: str, key: str, hold: Hold | None = None
    ) -> None:
        """Note a recording. Call and recording may come in either order: `audio_key` is set in both.

        `hold` is as in `commit`.
        """

    def traces(self, tenant: str, caller_id: str) -> Traces:
        """Conversation ids and archive keys that belong to this caller."""

    def erase(
        self, tenant: str, caller_id: str, deleted: Collection[str] | None = None
    ) -> bool:
        """Erase every row of this caller: records, history, notes, archive notes.

        `deleted` are the archive keys whose objects are gone (None: all). While `traces` knows of others,
        noted meanwhile, what says where they lie stays, so that the next round of an erasure finds them.
        Nobody can read the rest on return; `scrub` then leaves no byte. Returns whether there was anything,
        what stays included.
        """

    def scrub(self) -> None:
        """Leave no byte of what was erased in any file of the store: once for each erasure, at its end.

        Cheap where nothing was erased since the last time.
        """

    def erasures(self) -> int:
        """A number that changes with every erasure, by whatever process: who keeps copies looks again.

        A store whose copies live in one process, or that is not asked, may answer 0 always.
        """

    def counts(self, model_id: str) -> StoreCounts:
        """How much is stored, for `check`, `/readyz` and metrics."""

    def ping(self) -> None:
        """Read and write something trivial. Raises StorageError."""


class Inbox(Protocol):
    """Durable hand-over of deliveries from the webhook to the worker."""

    def submit(self, delivery: NewDelivery) -> "Future[Accepted]":
        """Hand in a delivery; the future resolves once it is durable (group commit), or with StorageError.

        A delivery with a known (tenant, dedupe key) is a duplicate: nothing is stored and the first
        one's id is returned, also after that one is done.
        """

    def claim(self, limit: int, now: float, lease_seconds: float) -> list[Delivery]:
        """Lease up to `limit` deliveries that are due at `now`, oldest first, each with a fresh lease.

        Due are waiting ones whose time has come and those whose lease has run out.
        """

    def recover(self, now: float) -> int:
        """Make what dead workers held due at once; called when a worker starts, before it claims.

        Returns how many there were. A worker that still runs keeps what it holds; a backend that cannot
        tell leaves all leases to run out.
        """

    def renew(self, delivery: Delivery, until: float) -> None:
        """Hold on to a delivery that takes long, until that time. Raises LeaseLost."""

    def check_held(self, delivery: Delivery) -> None:
        """Raises LeaseLost where the lease is no longer this worker's: passed on, ended, or purged.

        A read that sees every change that was done before it was asked.
        """

    def done(self, delivery: Delivery) -> None:
        """Processed: the body goes, the dedupe key stays. Raises LeaseLost."""

    def retry(self, delivery: Delivery, at: float, code: str, error: str) -> None:
        """Give the delivery back, due at `at`, with what went wrong. Raises LeaseLost."""

    def bury(self, delivery: Delivery, now: float, code: str, error: str) -> None:
        """Make it a dead letter with its cause, body and all. Raises LeaseLost."""

    def dead_letters(self, *, limit: int = 50, cursor: str | None = None) -> DeadLetterPage:
        """Dead letters, oldest first."""

    def revive(self, ids: Sequence[str] | None, now: float) -> int:
        """Make these dead letters (None: all) due again, attempts counted anew; return how many."""

    def reopen(self, delivery: NewDelivery) -> Accepted:
        """Hand in a delivery for processing even if its dedupe key is known: replay from the archive."""

    def conversations_naming(self, tenant: str, needles: Iterable[str]) -> Collection[str]:
        """Conversation ids of kept deliveries whose body contains a needle, as far as they are known."""

    def purge(
        self,
        tenant: str,
        conversation_ids: Iterable[str],
        needles: Iterable[str],
        *,
        dry_run: bool = False,
    ) -> int:
        """Erase what is kept of these conversations, and of any body that contains a needle.

        Reaches waiting, dead and quarantined bodies; dedupe keys stay. Returns how many bodies went, or
        with `dry_run`, which changes nothing, would go. Nobody can read them on return, and whoever held one has lost its
        lease; `scrub` then leaves no byte.
        """

    def scrub(self) -> None:
        """As RecordStore.scrub: no byte of what was purged is left in any file."""

    def next_due(self) -> float | None:
        """When the next waiting or leased delivery falls due; None when nothing waits."""

    def counts(self) -> InboxCounts:
        """How many deliveries are where."""

    def quarantine(
        self, item: Quarantined, max_count: int, max_bytes: int
    ) -> bool:
        """Keep a body whose signature did not verify; False (nothing kept) when it no longer fits.

        The id is the body's sha256: the same body twice is kept once and counts once.
        """

    def quarantined(self) -> Iterator[Quarantined]:
        """All quarantined bodies, oldest first."""

    def release(self, item_id: str) -> None:
        """Drop one from quarantine: it has been accepted, or is to be forgotten."""

    def ping(self) -> None:
        """Raises StorageError when nothing durable could be written now."""


@dataclass(frozen=True, slots=True)
class ArchiveEntry:
    """One object of the archive."""

    key: str
    size: int


class Archive(Protocol):
    """Raw bodies and recordings, write-once. Keys are relative POSIX paths: `post-call/...`."""

    def put(
        self,
        key: str,
        data: bytes | Iterable[bytes],
        still: Callable[[], object] = lambda: None,
    ) -> bool:
        """Store under `key` unless it exists (then nothing changes); return whether it was stored.

        Durable and whole on return: a reader never sees half an object. `still` is asked last, when all
        is written but the name: what it raises is raised here, and nothing is stored. No `delete` comes
        between its answer and the name, from whatever process, so that who takes away the right to store
        and deletes then has erased. (A store without locks asks after storing, and deletes again.) Raises
        ArchiveUnavailable, ArchiveKeyInvalid.
        """

    def get(self, key: str) -> bytes:
        """The object. Raises ArchiveKeyMissing."""

    def exists(self, key: str) -> bool:
        """Whether there is an object under `key`."""

    def entries(self, prefix: str = "") -> Iterator[ArchiveEntry]:
        """All objects whose key starts with `prefix`, in the order of their keys."""

    def delete(self, key: str) -> bool:
        """Erase one object (the exception to write-once: a caller is forgotten); whether it existed."""

    def ping(self) -> None:
        """Raises ArchiveUnavailable when nothing could be written now."""


class Said(NamedTuple):
    """A text to be found, and what gives it its meaning."""

    text: str
    before: str = ""
    """The words just before it: "Sushi." means something after "What do you like to eat?" alone."""


class Embedder(Protocol):
    """Texts to vectors."""

    @property
    def model_id(self) -> str:
        """Stored with every vector: vectors of different ids are never compared."""

    @property
    def dimension(self) -> int:
        """Length of a vector."""

    def load(self) -> None:
        """Load the model now (seconds). Raises EmbedderUnavailable or EmbedderCorrupt. Idempotent."""

    def embed(self, texts: Sequence[Said]) -> "NDArray[np.float32]":
        """Of what was said (`text`, and what came `before` it): float32[n, d], rows of unit length.

        Total over any strings; empty input gives shape (0, d).

        Raises EmbedderUnavailable while the model cannot be used.
        """

    def embed_questions(self, texts: Sequence[str]) -> "NDArray[np.float32]":
        """As `embed`, of questions: the product of such a row and one of `embed` says how near the two are."""


class Extractor(Protocol):
    """A call to facts with evidence."""

    def extract(self, call: Call) -> tuple[Fact, ...]:
        """Facts in the order of the call. Every fact's quote is verbatim in its turn, or it has a field.

        Deterministic for local extractors. Raises ExtractorFailed where an outside model gave nothing.
        """


class Profiles(Protocol):
    """How each agent is to be briefed."""

    def profile(self, agent_id: str | None) -> Profile | None:
        """The agent's profile, else the default one (its name is not the agent id); None: variables only.

        Never raises: what broke since the start serves its last good version.
        """

    def known(self, agent_id: str | None) -> Profile | None:
        """The same as last read, without input or output: for answers that cannot wait."""


class SignatureCheck(Protocol):
    """The outcome of a signature's verification."""

    @property
    def ok(self) -> bool:
        """Whether one of the secrets signed these bytes in time."""

    @property
    def reason(self) -> str:
        """Why not, in one word for logs and metrics; empty when ok."""

    @property
    def mendable(self) -> bool:
        """Whether other secrets or a wider tolerance could make it ok; what none can is not worth keeping."""


class Platform(Protocol):
    """One voice platform's after-call wire: bytes in, our events out. Total over any bytes."""

    @property
    def name(self) -> str:
        """`elevenlabs`."""

    def verify(
        self, body: bytes, signature: str, secrets: Sequence[str], now: float
    ) -> SignatureCheck:
        """Check the signature header over the raw bytes, in constant time."""

    def envelope(self, body: bytes) -> Envelope:
        """The three fields that acceptance needs; missing or odd ones are None. Never raises."""

    def is_recording(self, body: bytes) -> bool:
        """Whether a body is a recording, which may be larger than a transcript. Never raises."""

    def parse(self, body: bytes, tenant: str, received_at: float) -> tuple[Event, ...]:
        """The events in a body (an array may hold several). Raises PayloadError."""
