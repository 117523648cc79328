"""Settings to services for the functions of the AWS stack: the other module that knows backends.

A function's instance is made in two steps. `Stack(...)` at import loads the code that its requests will
need, and nothing else: what is in memory then may be kept as a snapshot and restored many times, so no
key is read, no client made, no clock looked at. `Stack.services()` at a request makes the rest, once, and
again when the keys have changed.
"""

import importlib
import random
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from agentic_memory import bootstrap, settings
from agentic_memory.backends.aws_plain.messages import Messages
from agentic_memory.backends.aws_plain.service import trust
from agentic_memory.bootstrap import MetricsObserver, Services, Storage, SystemClock
from agentic_memory.engine.memory import Model
from agentic_memory.errors import SecretUnavailable
from agentic_memory.ports import Clock, RecordStore
from agentic_memory.service.file_call import FileCall
from agentic_memory.service.file_ring import AnsweredRing, FileRing, message_of, ring_in
from agentic_memory.service.remember_call import BODIES, Identity, RememberCall, note_key
from agentic_memory.service.work_inbox import RetryRules, WorkInbox
from agentic_memory.settings import BY_NAME, AwsSettings, Settings
from agentic_memory.telemetry import Log, Metrics

if TYPE_CHECKING:
    from agentic_memory.backends.sqs.inbox import SqsInbox

log = Log("stack")

KEYS_FOR = 300.0
"""Seconds that keys are kept before they are read again."""
KEYS_AGAIN = 15.0
"""Seconds until a failed reading is tried again."""
FIRST_RETRY = 20.0
"""Seconds until a call that failed is tried again; the five attempts together outlast half an hour, nearly."""
RINGS = "rings"
"""Message group of rings: however many come, calls that ended are not held up."""
MOST_DEAD = 10_000
"""Dead letters that one replay looks at."""


@dataclass(frozen=True, slots=True)
class Part:
    """What one function of the stack needs."""

    records: bool = False
    queue: bool = False
    """The inbox; with it comes the bucket that holds the bodies."""
    model: bool = False
    modules: tuple[str, ...] = ()
    """Loaded at import."""


COMMON = (
    "agentic_memory.backends.in_memory.archive",
    "agentic_memory.backends.in_memory.inbox",
    "agentic_memory.backends.in_memory.records",
    "agentic_memory.backends.profiles.toml_folder",
    "agentic_memory.backends.aws_plain.secret",
    "agentic_memory.platforms.elevenlabs.platform",
    "tomllib",
)
SDK = ("botocore.session", "botocore.client", "botocore.config")
RECORDS = (*SDK, "agentic_memory.backends.dynamodb.records")
QUEUE = (*SDK, "agentic_memory.backends.s3.archive", "agentic_memory.backends.sqs.inbox")
RULES = ("agentic_memory.engine.extract.rules",)
RECALL = ("agentic_memory.engine.recall", "agentic_memory.engine.recall.vectors")

PARTS: Mapping[str, Part] = {
    "client_data": Part(records=True),
    "retrieve": Part(records=True, model=True, modules=RECALL),
    "post_call": Part(queue=True),
    "worker": Part(records=True, queue=True, model=True, modules=(*RULES, *RECALL)),
    "replay": Part(records=True, queue=True),
    "forget": Part(records=True, queue=True),
}


class Stack:
    """One function's services, made when they are first asked for."""

    def __init__(self, name: str, clock: Clock | None = None) -> None:
        """`name` is one of PARTS. Reads the environment, loads code and, where it is needed, the model."""
        self.part = PARTS[name]
        self.clock = clock or SystemClock()
        self._aws = settings.read_aws()
        # The worker is another process than whoever answers: `off` says so.
        self._given = {"worker": "off"} | ({} if self.part.model else {"embedder": "lexical"})
        plain = settings.read(None, folder=None, **self._given)
        self._check(plain)
        self._keys = KeyRing(self._aws, self.clock)
        self._made: tuple[Mapping[str, str], Services] | None = None
        self._inbox: SqsInbox | None = None
        self._messages = Messages(self._aws)
        for module in self._modules(plain):
            importlib.import_module(module)
        if self._aws.memory_secret_id:
            trust()  # no key, and too long for the first ring to wait for
        self._model = Model(bootstrap.embedder(plain))
        if self.part.model and self._has_table:
            self._model.load()

    def services(self, metrics: Metrics) -> Services:
        """Everything wired. Raises SettingsError, SecretUnavailable, StorageError."""
        keys = self._keys.read()
        if self._made is None or self._made[0] != keys:
            chosen = settings.read(None, folder=None, **self._given, **keys)
            storage = self._storage(chosen)
            made = bootstrap.build(chosen, self.clock, storage, metrics, self._model, upkeep=False)
            self._made = (keys, made)
        return self._made[1]

    def work(self, metrics: Metrics) -> "Work":
        """What the worker does with one message. Raises as `services` does."""
        services = self.services(metrics)
        if self._inbox is None:
            raise services.settings.problem("S3_BUCKET_NAME", "is not set for a function without a queue")
        return Work(services, self._inbox)

    def _check(self, plain: Settings) -> None:
        """Raises SettingsError for what this stack cannot do."""
        if plain.retrieve_auth == "active_call" and not self._has_table:
            problem = "is active_call, but without a table no function knows what another has heard ring"
            raise plain.problem("RETRIEVE_AUTH", problem)

    @property
    def _has_table(self) -> bool:
        return bool(self._aws.memory_table_name)

    def _modules(self, plain: Settings) -> Iterator[str]:
        yield from COMMON
        yield from self.part.modules
        if self.part.records and self._has_table:
            yield from RECORDS
        if self.part.queue:
            yield from QUEUE
        if plain.memory_backend == "mem0":
            yield "agentic_memory.backends.mem0_cloud.backend"

    def _storage(self, chosen: Settings) -> Storage:
        from agentic_memory.backends.in_memory.archive import InMemoryArchive
        from agentic_memory.backends.in_memory.inbox import InMemoryInbox

        if not self.part.queue:
            inbox, archive = InMemoryInbox(), InMemoryArchive()
            return Storage(self._records(), inbox, archive, keep_ring=self._hand_over)
        from agentic_memory.backends.s3.archive import S3Archive
        from agentic_memory.backends.sqs.inbox import SqsInbox

        bucket = chosen.s3_bucket_name
        self._inbox = SqsInbox(self._aws.memory_queue_url, bucket)
        return Storage(self._records(), self._inbox, S3Archive(bucket))

    def _hand_over(self, ring: AnsweredRing) -> None:
        """To the worker, by one message. Raises StorageUnavailable."""
        self._messages.send(message_of(ring), RINGS, self.clock.now())

    def _records(self) -> RecordStore:
        """The table; with Mem0, which keeps the memories itself, only what this instance has noted."""
        if self.part.records and self._has_table:
            from agentic_memory.backends.dynamodb.records import DynamoRecords

            return DynamoRecords(self._aws.memory_table_name)
        from agentic_memory.backends.in_memory.records import InMemoryRecords

        return InMemoryRecords()


class KeyRing:
    """The keys of the stack, read again every five minutes; the last good ones while they cannot be."""

    def __init__(self, aws: AwsSettings, clock: Clock) -> None:
        """With no secret named, the keys stand in the environment."""
        self._aws = aws
        self._clock = clock
        self._keys: Mapping[str, str] | None = None if aws.memory_secret_id else {}
        self._until = 0.0

    def read(self) -> Mapping[str, str]:
        """Settings by attribute. Raises SecretUnavailable while there never were any."""
        now = self._clock.now()
        if not self._aws.memory_secret_id or (self._keys is not None and now < self._until):
            return self._keys or {}
        from agentic_memory.backends.aws_plain.secret import Secret

        try:
            self._keys = _known(*Secret(settings.read_aws()).versions(now))
            self._until = now + KEYS_FOR
        except SecretUnavailable as error:
            if self._keys is None:
                raise
            self._until = now + KEYS_AGAIN
            log.warning("keys_not_read", cause=error.code, detail=error.message)
        return self._keys


def _known(current: Mapping[str, str], previous: Mapping[str, str]) -> Mapping[str, str]:
    """What the settings know, by attribute; of keys the previous value is accepted too."""
    return {
        name.lower(): ",".join(dict.fromkeys((value, previous.get(name, value))))
        if BY_NAME[name].secret
        else value
        for name, value in current.items()
        if name in BY_NAME
    }


def retry_rules(chosen: Settings) -> RetryRules:
    """When the queue shows a call again: its attempts are few, so they lie further apart than a server's."""
    return RetryRules(chosen.worker_attempts, FIRST_RETRY, lease=chosen.worker_lease)


class Work:
    """The worker's part: one message of the queue to its end."""

    def __init__(self, services: Services, inbox: "SqsInbox") -> None:
        """`services` of the worker, over this inbox."""
        self._inbox = inbox
        self._clock = services.clock
        self._file_ring = FileRing(services.storage.archive)
        rules = retry_rules(services.settings)
        observer = MetricsObserver(services.metrics)
        process = _filing(services)
        self._work = WorkInbox(inbox, process, self._clock, rules, random.random, observer)

    def __call__(self, message: Mapping[str, Any]) -> bool:
        """Whether the message is done with; False when it is to come again.

        Raises StorageError, and ArchiveError for a ring that cannot be filed.
        """
        ring = ring_in(message.get("body"))
        if ring is not None:
            self._file_ring(ring)
            return True
        event = {"Records": [message]}
        for delivery in self._inbox.deliveries(event, self._clock.now()):
            self._work.work_on(delivery)
        return not self._inbox.failures(event)["batchItemFailures"]


def _filing(services: Services) -> FileCall:
    storage, book = services.storage, services.phone_book
    identity = Identity(book.normalise, book.person)
    parts = (storage.archive, storage.records)
    remember = RememberCall(services.platform, storage.inbox, *parts, services.memory, identity)
    return FileCall(remember, services.platform, *parts, identity, storage.inbox.check_held)


class ForgetInStack:
    """The forget function's part: one caller, all of the stack."""

    def __init__(self, services: Services) -> None:
        """`services` of the forget function."""
        self._services = services

    def __call__(self, caller_id: str, *, dry_run: bool) -> Mapping[str, int]:
        """How much there was, and how many messages still wait. Raises StorageError, ArchiveError, MemoryUnavailable.

        What waits may be theirs: the worker takes it in after this, so it is to be asked once more.
        """
        found = asdict(self._services.forget.survey(caller_id))
        if not dry_run:
            self._services.forget(caller_id)
        return {**found, "waiting": self._services.storage.inbox.counts().pending}


class ReplayInStack:
    """The replay function's part: what to process again, all of it or one conversation."""

    def __init__(self, services: Services) -> None:
        """`services` of the replay function."""
        self._services = services

    def __call__(self, source: str, prefix: str, conversation_id: str, *, dry_run: bool) -> int:
        """How many deliveries were handed in again, or would be. Raises StorageError, ArchiveError."""
        if source == "archive":
            return self._archive(prefix or BODIES, conversation_id, dry_run)
        return self._quarantine(dry_run) if source == "quarantine" else self._dead(conversation_id, dry_run)

    def _dead(self, conversation_id: str, dry_run: bool) -> int:
        inbox = self._services.storage.inbox
        wanted = [
            letter.id
            for letter in inbox.dead_letters(limit=MOST_DEAD).letters
            if conversation_id in ("", letter.envelope.conversation_id)
        ]
        if dry_run or not wanted:
            return len(wanted)
        return inbox.revive(wanted, self._services.clock.now())

    def _archive(self, prefix: str, conversation_id: str, dry_run: bool) -> int:
        replay = self._services.replay
        keys = [key for key in self._bodies(prefix) if conversation_id in key]
        for key in () if dry_run else keys:
            replay.reopen(key)
        return len(keys)

    def _bodies(self, prefix: str) -> list[str]:
        """Each body once: what is filed by number as well lies there without a note beside it."""
        archive = self._services.storage.archive
        notes = {entry.key for entry in archive.entries(prefix) if entry.key.endswith(note_key(""))}
        bodies = list(self._services.replay.bodies(prefix))
        return [key for key in bodies if note_key(key) in notes] or bodies

    def _quarantine(self, dry_run: bool) -> int:
        services = self._services
        if dry_run:
            return services.storage.inbox.counts().quarantined
        return services.replay.quarantined(services.settings.elevenlabs_hmac_key).accepted
