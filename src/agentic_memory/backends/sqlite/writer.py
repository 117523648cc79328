"""The one writer: closures from many threads, committed in groups."""

import sqlite3
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from types import TracebackType
from typing import Any, TypeVar

from agentic_memory.backends.sqlite.failures import translated
from agentic_memory.errors import StorageUnavailable

T = TypeVar("T")
Closure = Callable[[sqlite3.Connection], T]

MAX_BATCH = 256
"""Closures that share one transaction at most, beside those that had time."""
COMPANY_SECONDS = 0.05
"""How long a closure that has time waits for others to be flushed with."""


class Writer:
    """Runs closures on the connection that writes, in the order they came, in a thread of its own.

    While one transaction is being made durable the next closures gather, so that under load one flush
    to disk serves many of them. Each closure runs within a savepoint: one that raises is undone alone.
    A future resolves after the commit that holds its closure, never before.

    A closure that has time waits for company: it goes with the next one that has none, before it in the same
    transaction, or alone after `COMPANY_SECONDS`.
    """

    def __init__(self, connection: sqlite3.Connection, busy_timeout: float) -> None:
        """`connection` belongs to the writer from now on; `busy_timeout` is told in errors."""
        self.largest_batch = 0
        self._connection = connection
        self._busy_timeout = busy_timeout
        self._queue: SimpleQueue[_Job] = SimpleQueue()
        self._having_time: list[_Job] = []
        self._gate = Lock()
        self._closed = False
        # A daemon: a process that ends without close() loses nothing that was acknowledged.
        self._thread = Thread(target=self._work, name="sqlite-writer", daemon=True)
        self._thread.start()

    def submit(
        self, closure: Closure[T], *, alone: bool = False, has_time: bool = False
    ) -> "Future[T]":
        """Queue a closure. Raises StorageUnavailable when closed.

        `alone` runs it outside any transaction; with `has_time` it may wait for company.
        """
        job = _Job(closure, alone)
        with self._gate:
            if self._closed:
                raise StorageUnavailable(reason="it has been closed")
            if not has_time:
                self._queue.put(job)
            else:
                if not self._having_time:
                    self._queue.put(_COMPANY_WANTED)
                self._having_time.append(job)
        return job.future

    def hurry(self) -> None:
        """What waits for company waits no longer."""
        self._queue.put(_NOBODY_COMES)

    def close(self) -> None:
        """Finish what is queued and end the thread. Idempotent."""
        with self._gate:
            if not self._closed:
                self._closed = True
                self._queue.put(_END)
        self._thread.join()

    def _work(self) -> None:
        last: _Job | None = None
        while last is not _END:
            batch = self._gather(self._first())
            last = batch.pop() if batch and batch[-1].alone else None
            if batch:
                self._commit(batch)
            if last is not None and last is not _END:
                self._run_alone(last)

    def _first(self) -> "_Job":
        """The next job that has no time, or a sign that those that have it have waited long enough."""
        job = self._queue.get()
        if job is not _COMPANY_WANTED:
            return job
        try:
            return self._queue.get(timeout=COMPANY_SECONDS)
        except Empty:
            return _NOBODY_COMES

    def _gather(self, first: "_Job") -> "list[_Job]":
        """What had time, then what waits in the queue, up to and including a job that runs alone."""
        batch: list[_Job] = []
        job = first
        with suppress(Empty):
            while True:
                if job not in _SIGNS:
                    batch.append(job)
                if job.alone or len(batch) >= MAX_BATCH:
                    break
                job = self._queue.get_nowait()
        with self._gate:
            having_time, self._having_time = self._having_time, []
        return having_time + batch

    def _commit(self, batch: "list[_Job]") -> None:
        self.largest_batch = max(self.largest_batch, len(batch))
        self._roll_back()
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            for job in batch:
                self._attempt(job)
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            self._roll_back()
            for job in batch:
                job.fail(translated(error, self._busy_timeout))
            return
        for job in batch:
            job.settle(self._busy_timeout)

    def _attempt(self, job: "_Job") -> None:
        """Run one closure in its savepoint; what it raises is its own affair."""
        self._connection.execute("SAVEPOINT closure")
        job.run(self._connection)
        if isinstance(job.error, sqlite3.Error) and not self._connection.in_transaction:
            raise job.error  # a full disk and the like end the whole transaction
        if job.error is not None:
            self._connection.execute("ROLLBACK TO closure")
        self._connection.execute("RELEASE closure")

    def _run_alone(self, job: "_Job") -> None:
        job.run(self._connection)
        self._roll_back()
        job.settle(self._busy_timeout)

    def _roll_back(self) -> None:
        # What failed is told already; a rollback that fails too is tried again before the next batch.
        with suppress(sqlite3.Error):
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")


class _Job:
    """A closure, and what came of it."""

    def __init__(self, closure: Closure[Any], alone: bool) -> None:
        self.alone = alone
        self.future: Future[Any] = Future()
        # Its submitter may stop waiting, but the work is no longer theirs to cancel.
        self.future.set_running_or_notify_cancel()
        self.error: BaseException | None = None
        self._closure = closure
        self._result: Any = None

    def run(self, connection: sqlite3.Connection) -> None:
        self.error = None
        with _Keep(self):
            self._result = self._closure(connection)

    def settle(self, busy_timeout: float) -> None:
        if self.error is None:
            self.future.set_result(self._result)
        else:
            self.fail(translated(self.error, busy_timeout))

    def fail(self, error: BaseException) -> None:
        self.future.set_exception(error)


class _Keep:
    """Keeps what a closure raises for the one who waits, so that the writer lives on."""

    def __init__(self, job: _Job) -> None:
        self._job = job

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        self._job.error = error
        return True


_END = _Job(lambda connection: None, alone=True)
_COMPANY_WANTED = _Job(lambda connection: None, alone=False)
_NOBODY_COMES = _Job(lambda connection: None, alone=False)
_SIGNS = (_COMPANY_WANTED, _NOBODY_COMES)
"""In the queue among the jobs, and never run."""
