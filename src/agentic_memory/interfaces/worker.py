"""The worker: a thread that works through the inbox until it is told to stop."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from agentic_memory.errors import AgenticMemoryError
from agentic_memory.ports import Clock, Inbox
from agentic_memory.telemetry import Log, where

log = Log("worker")

LONGEST_WAIT = 1.0
"""Seconds between looks at the inbox when nothing wakes the worker: other processes may hand in too."""
LONGEST_END = 5.0
"""Seconds that upkeep may take to end; what it has not stored by then is done after the next start."""


@dataclass(frozen=True, slots=True)
class Beat:
    """What a worker does beside its work, in a thread of its own, every so many seconds."""

    name: str
    seconds: float
    act: Callable[[], object]


class Beats:
    """Threads that do something every so often, until they are told to end."""

    def __init__(self, beats: Sequence[Beat]) -> None:
        """Nothing runs yet."""
        self._beats = tuple(beats)
        self._threads: list[threading.Thread] = []
        self._ending = threading.Event()

    def start(self) -> None:
        """A thread for each."""
        for beat in self._beats:
            thread = threading.Thread(target=self._run, args=(beat,), name=beat.name, daemon=True)
            thread.start()
            self._threads.append(thread)

    def end(self) -> None:
        """Ask them to end; does not wait."""
        self._ending.set()

    def stop(self) -> None:
        """End them; each is waited for, up to `LONGEST_END` seconds."""
        self.end()
        for thread in self._threads:
            thread.join(LONGEST_END)

    def _run(self, beat: Beat) -> None:
        while not self._ending.wait(beat.seconds):
            try:
                beat.act()
            except AgenticMemoryError as error:
                if not self._ending.is_set():
                    log.error("worker_waits", cause=error.code, detail=error.message)


class Worker:
    """Runs passes over the inbox, and its beats beside them."""

    def __init__(
        self,
        work: Callable[[], int],
        upkeep: Callable[[], bool],
        inbox: Inbox,
        clock: Clock,
        prepare: Callable[[], None],
        beats: Sequence[Beat] = (),
    ) -> None:
        """`work` returns how many deliveries it handled, `upkeep` whether there is more to keep up.

        `prepare` is called once in the worker's thread before the first pass.
        """
        self._work = work
        self._upkeep = upkeep
        self._beats = Beats((Beat("upkeep", LONGEST_WAIT, self._keep_up), *beats))
        self._inbox = inbox
        self._clock = clock
        self._prepare = prepare
        self._wake = threading.Event()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self.run, name="worker", daemon=True)

    def start(self) -> None:
        """Run in a thread of its own."""
        self._thread.start()

    def is_alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    def wake(self) -> None:
        """Something has come in: look at once."""
        self._wake.set()

    def stop(self) -> None:
        """Finish the delivery in hand, then end."""
        self.end()
        if self._thread.is_alive():
            self._thread.join()
        self._beats.stop()

    def end(self) -> None:
        """Ask `run` to return; does not wait for it."""
        self._ending.set()
        self._beats.end()
        self._wake.set()

    def run(self) -> None:
        """Work until `end` is called. What ends it before is logged and raised: `is_alive` turns false."""
        try:
            self._run()
        except BaseException as error:
            log.error("worker_stopped", at=where(error))
            raise

    def _run(self) -> None:
        self._begin()
        self._beats.start()
        while not self._ending.is_set():
            self._wake.clear()
            if not self._pass():
                self._wake.wait(self._pause())

    def run_until_empty(self) -> int:
        """Work until nothing is due; return how many deliveries that were."""
        self._begin()
        handled = 0
        while count := self._work():
            handled += count
        while self._upkeep():
            pass
        return handled

    def _begin(self) -> None:
        try:
            recovered = self._inbox.recover(self._clock.now())
        except AgenticMemoryError as error:
            log.error("leases_not_recovered", cause=error.code, detail=error.message)
        else:
            if recovered:
                log.info("leases_recovered", deliveries=recovered)
        self._prepare()

    def _keep_up(self) -> None:
        while not self._ending.is_set() and self._upkeep():
            pass

    def _pass(self) -> bool:
        try:
            return self._work() > 0
        except AgenticMemoryError as error:
            log.error("worker_waits", cause=error.code, detail=error.message)
            return False

    def _pause(self) -> float:
        try:
            due = self._inbox.next_due()
        except AgenticMemoryError:
            return LONGEST_WAIT
        if due is None:
            return LONGEST_WAIT
        return min(LONGEST_WAIT, max(0.0, due - self._clock.now()))
