"""A caller is erased while a worker has a delivery of theirs in hand: whoever is faster, nothing is left.

Worker and eraser run as two processes do: each over its own services on the same files. Each stops before
every call of inbox, records and archive, and a schedule says who goes on, or is killed there.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Semaphore, get_ident

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentic_memory import bootstrap
from agentic_memory.bootstrap import Services, Storage
from agentic_memory.settings import read
from tests.fakes import FrozenClock
from tests.wire import HMAC_KEY, START, STEFAN, WORKSPACE_KEY, House, post_call

WORD = "zyxgeraniumzyx"
CONVERSATION = f"conv_{WORD}"
WITHIN = frozenset({"check_held"})
"""Asked while the archive holds its lock: no moment of its own."""
ENOUGH = 500


class Killed(BaseException):
    """The process is gone: nothing of ours runs any more."""


class Actor:
    """A thread that moves from one call to the next when it is told to."""

    def __init__(self) -> None:
        self.ended = False
        self._killed = False
        self._go, self._stopped = Semaphore(0), Semaphore(0)
        self._pool = ThreadPoolExecutor(1)
        self._thread: int | None = None
        self._acting: Future[None] | None = None

    def begin(self, act: Callable[[], object]) -> None:
        self._acting = self._pool.submit(self._act, act)

    def _act(self, act: Callable[[], object]) -> None:
        self._thread = get_ident()
        self._go.acquire()
        try:
            with suppress(Killed):
                act()
        finally:
            self.ended = True
            self._stopped.release()

    def step(self) -> None:
        """Called before each call; stops in the thread alone."""
        if get_ident() != self._thread:
            return
        if not self._killed:
            self._stopped.release()
            self._go.acquire()
        if self._killed:
            raise Killed

    def advance(self, steps: int = 1) -> None:
        for _ in range(steps):
            if not self.ended:
                self._go.release()
                assert self._stopped.acquire(timeout=30)

    def kill(self) -> None:
        self._killed = True
        self.advance()
        self._pool.shutdown()

    def finish(self) -> None:
        self.advance(ENOUGH)
        assert self._acting is not None
        self._acting.result(30)  # it has ended, and is about to say so


class Stepwise:
    """A port whose every call is a moment at which the other may act."""

    def __init__(self, port: object, actor: Actor) -> None:
        self._port, self._actor = port, actor

    def __getattr__(self, name: str) -> object:
        method = getattr(self._port, name)

        def stepped(*arguments: object, **more: object) -> object:
            if name not in WITHIN:
                self._actor.step()
            return method(*arguments, **more)

        return stepped


@dataclass
class Scene:
    """One folder, a worker with a delivery to process, and an eraser."""

    folder: Path
    clock: FrozenClock
    worker: Actor
    eraser: Actor
    working: Services
    erasing: Services

    def begin(self) -> None:
        self.worker.begin(self.working.work_inbox)
        self.eraser.begin(lambda: self.erasing.forget(STEFAN))

    def check_nothing_is_left(self) -> None:
        """No byte in any file; and neither a restart nor the archive brings anything back."""
        left = {
            str(path.relative_to(self.folder)): needle
            for path in sorted(self.folder.rglob("*"))
            for needle in (WORD, STEFAN.removeprefix("+"))
            if needle in str(path) or (path.is_file() and needle.encode() in path.read_bytes())
        }
        assert not left, left
        house = House(self.working, self.clock)
        self.clock.tick(10_000)
        self.working.replay.archived()
        assert house.work() == 0
        assert self.working.storage.records.counts("").callers == 0


def services_in(folder: Path, clock: FrozenClock, actor: Actor | None = None) -> Services:
    environment = {
        "ELEVENLABS_WORKSPACE_KEY": WORKSPACE_KEY,
        "ELEVENLABS_HMAC_KEY": HMAC_KEY,
        "EMBEDDER": "lexical",
        "DATA_DIR": str(folder),
    }
    settings = read(environment, folder=folder)
    storage = bootstrap.open_storage(settings)
    if actor is not None:
        ports = (storage.records, storage.inbox, storage.archive)
        storage = Storage(*(Stepwise(port, actor) for port in ports), storage.database)  # type: ignore[arg-type]
    return bootstrap.build(settings, clock, storage)


@contextmanager
def scene(arrange: Callable[[House], None]) -> Iterator[Scene]:
    with TemporaryDirectory() as made:
        folder, clock, worker, eraser = Path(made) / "data", FrozenClock(), Actor(), Actor()
        opened = [services_in(folder, clock, actor) for actor in (worker, eraser)]
        arrange(House(opened[0], clock))
        one = Scene(folder, clock, worker, eraser, *opened)
        try:
            one.begin()
            yield one
        finally:
            worker.kill()
            eraser.kill()
            for services in opened:
                services.close()


def a_first_call(house: House) -> None:
    """Nothing is known of them yet but what the body says."""
    house.hang_up(post_call(CONVERSATION, STEFAN, [("user", f"I grow {WORD} in Ghent.")]))


def another_call(house: House) -> None:
    """Somebody we know, whose ring was noted."""
    house.remember(post_call(f"{CONVERSATION}_before", STEFAN, [("user", f"I live in {WORD}.")]))
    house.variables(conversation_id=CONVERSATION)
    house.hang_up(post_call(CONVERSATION, None, [("user", f"I grow {WORD}.")], at=START + 999))


def a_recording(house: House) -> None:
    house.remember(post_call(CONVERSATION, STEFAN, [("user", f"I grow {WORD}.")]))
    body = {
        "type": "post_call_audio",
        "event_timestamp": START,
        "data": {"conversation_id": CONVERSATION, "full_audio": "enl4" * 100},
    }
    house.hang_up(json.dumps(body).encode())


def a_recording_before_its_call(house: House) -> None:
    """Nothing but the call, which still waits, says whose recording lies in the archive."""
    body = {
        "type": "post_call_audio",
        "event_timestamp": START,
        "data": {"conversation_id": CONVERSATION, "full_audio": "enl4" * 100},
    }
    house.remember(json.dumps(body).encode())
    house.hang_up(post_call(CONVERSATION, STEFAN, [("user", f"I grow {WORD}.")]))


def what_cannot_be_parsed(house: House) -> None:
    house.variables(conversation_id=CONVERSATION)
    deep: object = {"caller_id": STEFAN, "says": WORD}
    for _ in range(200):
        deep = [deep]
    body = {"type": "post_call_transcription", "event_timestamp": START}
    house.hang_up(json.dumps({**body, "data": {"conversation_id": CONVERSATION, "deep": deep}}).encode())


def a_call_that_never_was(house: House) -> None:
    body = {
        "type": "call_initiation_failure",
        "event_timestamp": START,
        "data": {
            "conversation_id": CONVERSATION,
            "failure_reason": "busy",
            "metadata": {"type": "twilio", "body": {"To": STEFAN, "Note": WORD}},
        },
    }
    house.hang_up(json.dumps(body).encode())


def several_at_once(house: House) -> None:
    bodies = [
        post_call(f"{CONVERSATION}_{n}", STEFAN, [("user", f"I grow {WORD}.")], at=START + n) for n in range(2)
    ]
    house.hang_up(b"[" + b",".join(bodies) + b"]")


ARRANGED = (
    a_first_call,
    another_call,
    a_recording,
    a_recording_before_its_call,
    what_cannot_be_parsed,
    a_call_that_never_was,
    several_at_once,
)
arranged = pytest.mark.parametrize("arrange", ARRANGED, ids=lambda arrange: arrange.__name__)


def steps_of(arrange: Callable[[House], None], actor: str) -> int:
    """How many moments an actor has when it is left alone."""
    with scene(arrange) as one:
        steps, acting = 0, getattr(one, actor)
        while not acting.ended:
            acting.advance()
            steps += 1
        if actor == "worker":
            one.eraser.finish()
        else:
            one.worker.finish()
    return steps


@arranged
def test_an_erasure_between_any_two_steps_of_the_worker_wins(arrange: Callable[[House], None]) -> None:
    for moment in range(steps_of(arrange, "worker") + 1):
        with scene(arrange) as one:
            one.worker.advance(moment)
            one.eraser.finish()
            one.worker.finish()
            one.check_nothing_is_left()


@arranged
def test_a_worker_between_any_two_steps_of_the_erasure_loses(arrange: Callable[[House], None]) -> None:
    for moment in range(steps_of(arrange, "eraser") + 1):
        with scene(arrange) as one:
            one.eraser.advance(moment)
            one.worker.finish()
            one.eraser.finish()
            one.check_nothing_is_left()


@arranged
def test_a_worker_killed_at_any_step_leaves_nothing_to_an_erasure(arrange: Callable[[House], None]) -> None:
    for moment in range(1, steps_of(arrange, "worker") + 1):
        with scene(arrange) as one:
            one.worker.advance(moment)
            one.worker.kill()
            one.eraser.finish()
            one.check_nothing_is_left()


@arranged
def test_an_erasure_killed_at_any_step_is_finished_when_asked_again(arrange: Callable[[House], None]) -> None:
    for moment in range(1, steps_of(arrange, "eraser") + 1):
        with scene(arrange) as one:
            one.eraser.advance(moment)
            one.eraser.kill()
            one.worker.finish()
            one.erasing.forget(STEFAN)
            one.check_nothing_is_left()


@settings(max_examples=60)
@given(
    arrange=st.sampled_from(ARRANGED),
    turns=st.lists(st.tuples(st.booleans(), st.integers(1, 6)), max_size=12),
    killed=st.booleans(),
)
def test_any_order_of_steps(
    arrange: Callable[[House], None], turns: Sequence[tuple[bool, int]], killed: bool
) -> None:
    with scene(arrange) as one:
        for works, steps in turns:
            (one.worker if works else one.eraser).advance(steps)
        if killed and not one.worker.ended:
            one.worker.kill()
        one.eraser.finish()
        one.worker.finish()
        one.check_nothing_is_left()
