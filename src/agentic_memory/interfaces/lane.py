"""Threads that an event loop hands its waiting to: half the cost of the standard pool, with a deadline each."""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any, NamedTuple, TypeVar

T = TypeVar("T")


class _Job(NamedTuple):
    loop: asyncio.AbstractEventLoop
    answer: "asyncio.Future[Any]"
    work: Callable[[], Any]


_Desk = SimpleQueue[_Job | None]
"""Where one thread is handed its next job; None ends it."""


class Lane:
    """A few threads for one kind of request, so that none of another kind holds it up.

    A job goes to the thread that was idle last: its caches still hold what the last one needed. Threads
    that took turns would each find theirs cold.
    """

    def __init__(self, threads: int, name: str) -> None:
        """The threads begin when they are needed; `name` is theirs."""
        self._most = threads
        self._name = name
        self._threads: list[Thread] = []
        self._lock = Lock()
        self._idle: list[_Desk] = []
        self._waiting: deque[_Job] = deque()
        self._closed = False

    async def run(self, work: Callable[[], T], seconds: float) -> T:
        """What `work` returns or raises. Raises TimeoutError after `seconds`.

        Work that nobody waits for any more is not begun; what has begun goes on, and its answer is dropped.
        """
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()
        timer = loop.call_later(seconds, _expire, answer)
        self._hand_over(_Job(loop, answer, work))
        try:
            return await answer
        finally:
            timer.cancel()

    def close(self) -> None:
        """Finish what has been begun and end the threads; what waits is done only if somebody still asks."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for desk in idle:
            desk.put(None)
        for thread in self._threads:
            thread.join()

    def _hand_over(self, job: _Job) -> None:
        with self._lock:
            if self._idle:
                self._idle.pop().put(job)
            elif len(self._threads) < self._most and not self._closed:
                self._grow(job)
            else:
                self._waiting.append(job)

    def _grow(self, job: _Job) -> None:
        name = f"{self._name}-{len(self._threads)}"
        thread = Thread(target=self._serve, args=(job,), name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _serve(self, first: _Job) -> None:
        job: _Job | None = first
        desk: _Desk = SimpleQueue()
        while job is not None:
            tell = _do(job)
            # In this order: whoever asks again as soon as they are answered finds the thread that answered.
            self._be_ready(desk)
            tell()
            job = desk.get()

    def _be_ready(self, desk: _Desk) -> None:
        """Take what waits for any thread, else be handed the next in turn."""
        with self._lock:
            if self._waiting:
                desk.put(self._waiting.popleft())
            elif self._closed:
                desk.put(None)
            else:
                self._idle.append(desk)


def _do(job: _Job) -> Callable[[], None]:
    """Do the work if it is still waited for; what tells the one who waits."""
    if job.answer.done():
        return _tell_nobody
    try:
        settle = partial(_settle, job.answer, job.work())
    except Exception as error:  # noqa: BLE001  it belongs to the one who asked, whatever it is
        settle = partial(_fail, job.answer, error)
    return partial(_tell, job.loop, settle)


def _tell(loop: asyncio.AbstractEventLoop, settle: Callable[[], None]) -> None:
    with suppress(RuntimeError):  # the loop has ended meanwhile: nobody asks any more
        loop.call_soon_threadsafe(settle)


def _tell_nobody() -> None:
    pass


def _settle(answer: "asyncio.Future[Any]", result: object) -> None:
    if not answer.done():
        answer.set_result(result)


def _fail(answer: "asyncio.Future[Any]", error: Exception) -> None:
    if not answer.done():
        answer.set_exception(error)


def _expire(answer: "asyncio.Future[Any]") -> None:
    _fail(answer, TimeoutError())
