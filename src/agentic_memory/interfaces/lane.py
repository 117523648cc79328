"""Threads that an event loop hands its waiting to: half the cost of the standard pool, with a deadline each."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from threading import Thread
from typing import Any, NamedTuple, TypeVar

T = TypeVar("T")


class _Job(NamedTuple):
    loop: asyncio.AbstractEventLoop
    answer: "asyncio.Future[Any]"
    work: Callable[[], Any]


class Lane:
    """A few threads for one kind of request, so that none of another kind holds it up."""

    def __init__(self, threads: int, name: str) -> None:
        """The threads begin with the first requests; `name` is theirs."""
        self._most = threads
        self._name = name
        self._threads: list[Thread] = []
        self._queue: SimpleQueue[_Job | None] = SimpleQueue()

    async def run(self, work: Callable[[], T], seconds: float) -> T:
        """What `work` returns or raises. Raises TimeoutError after `seconds`.

        Work that nobody waits for any more is not begun; what has begun goes on, and its answer is dropped.
        """
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()
        timer = loop.call_later(seconds, _expire, answer)
        if len(self._threads) < self._most:
            self._grow()
        self._queue.put(_Job(loop, answer, work))
        try:
            return await answer
        finally:
            timer.cancel()

    def close(self) -> None:
        """Finish what has been begun and end the threads; what waits is done only if somebody still asks."""
        for _ in self._threads:
            self._queue.put(None)
        for thread in self._threads:
            thread.join()

    def _grow(self) -> None:
        thread = Thread(target=self._serve, name=f"{self._name}-{len(self._threads)}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _serve(self) -> None:
        while (job := self._queue.get()) is not None:
            if not job.answer.done():
                _do(job)


def _do(job: _Job) -> None:
    try:
        tell = partial(_settle, job.answer, job.work())
    except Exception as error:  # noqa: BLE001  it belongs to the one who asked, whatever it is
        tell = partial(_fail, job.answer, error)
    with suppress(RuntimeError):  # the loop has ended meanwhile: nobody asks any more
        job.loop.call_soon_threadsafe(tell)


def _settle(answer: "asyncio.Future[Any]", result: object) -> None:
    if not answer.done():
        answer.set_result(result)


def _fail(answer: "asyncio.Future[Any]", error: Exception) -> None:
    if not answer.done():
        answer.set_exception(error)


def _expire(answer: "asyncio.Future[Any]") -> None:
    _fail(answer, TimeoutError())
