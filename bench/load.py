"""The load generator: an HTTP/1.1 client over plain sockets, open or closed loop, in this process alone."""

import asyncio
import selectors
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

PATIENCE = 60.0
"""Seconds to wait for the last answers."""
MOST_CONNECTIONS = 500

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Planned:
    """One request and when it is to be sent, in seconds from the start."""

    name: str
    due: float
    data: bytes


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of one request; times in seconds from the start."""

    name: str
    due: float
    sent: float
    done: float
    status: int
    """0 when the connection broke."""
    size: int
    """Bytes of the answer's body."""

    @property
    def latency(self) -> float:
        """From the moment it was meant to be sent, whatever held it up."""
        return self.done - self.due


class Connection(asyncio.Protocol):
    """One kept-alive connection, one request at a time."""

    def __init__(self, freed: Callable[["Connection"], None]) -> None:
        self._freed = freed
        self._buffer = bytearray()
        self._waiting: asyncio.Future[tuple[int, int]] | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0 or self._waiting is None:
            return
        head = bytes(self._buffer[:end]).lower()
        start = head.find(b"content-length:")
        size = int(head[start + 15 :].split(b"\r\n", 1)[0]) if start >= 0 else 0
        if len(self._buffer) < end + 4 + size:
            return
        del self._buffer[: end + 4 + size]
        self._finish(int(head[9:12]), size)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if self._waiting is not None:
            self._finish(0, 0)

    async def ask(self, data: bytes) -> tuple[int, int]:
        """Send, and wait for the status and the size of the body."""
        if self._transport is None:
            return 0, 0
        self._waiting = asyncio.get_running_loop().create_future()
        self._transport.write(data)
        return await self._waiting

    @property
    def is_open(self) -> bool:
        return self._transport is not None

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def _finish(self, status: int, size: int) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None and not waiting.done():
            waiting.set_result((status, size))
        self._freed(self)


class Pool:
    """Connections to one server; a new one when none is idle."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._idle: deque[Connection] = deque()
        self._all: list[Connection] = []
        self._room = asyncio.Semaphore(MOST_CONNECTIONS)

    async def ask(self, data: bytes) -> tuple[int, int]:
        async with self._room:
            connection = await self._take()
            return await connection.ask(data)

    async def open(self, count: int) -> None:
        """Have `count` idle connections."""
        self._idle.extend([await self._new() for _ in range(count)])

    def close(self) -> None:
        for connection in self._all:
            connection.close()

    async def _take(self) -> Connection:
        while self._idle:
            connection = self._idle.pop()
            if connection.is_open:
                return connection
        return await self._new()

    async def _new(self) -> Connection:
        loop = asyncio.get_running_loop()
        _, made = await loop.create_connection(
            lambda: Connection(self._idle.append), "127.0.0.1", self._port
        )
        self._all.append(made)
        return made


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run on a loop whose timers are exact: select() waits in microseconds, epoll in milliseconds."""
    with asyncio.Runner(
        loop_factory=lambda: asyncio.SelectorEventLoop(selectors.SelectSelector())
    ) as runner:
        return runner.run(work)


async def open_loop(port: int, plan: Iterable[Planned]) -> list[Answered]:
    """Send each request at its time, whatever became of those before it."""
    loop = asyncio.get_running_loop()
    pool = Pool(port)
    await pool.open(8)
    answers: list[Answered] = []
    start = loop.time() + 0.05

    async def one(planned: Planned) -> None:
        sent = loop.time() - start
        status, size = await pool.ask(planned.data)
        done = loop.time() - start
        answers.append(Answered(planned.name, planned.due, sent, done, status, size))

    tasks = set()
    for planned in plan:
        ahead = start + planned.due - loop.time()
        if ahead > 0:
            await asyncio.sleep(ahead)
        task = loop.create_task(one(planned))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    if tasks:
        await asyncio.wait(set(tasks), timeout=PATIENCE)
    pool.close()
    return answers


async def closed_loop(
    port: int, name: str, requests: Sequence[bytes], connections: int, pause: float = 0.0
) -> list[Answered]:
    """Keep `connections` requests in the air until all have been answered, each `pause` seconds after the one before."""
    loop = asyncio.get_running_loop()
    waiting = deque(requests)
    answers: list[Answered] = []
    start = loop.time()
    pool = Pool(port)
    await pool.open(connections)

    async def line() -> None:
        while waiting:
            sent = loop.time() - start
            status, size = await pool.ask(waiting.popleft())
            answers.append(Answered(name, sent, sent, loop.time() - start, status, size))
            if pause:
                await asyncio.sleep(pause)

    await asyncio.gather(*(line() for _ in range(connections)))
    pool.close()
    return answers
