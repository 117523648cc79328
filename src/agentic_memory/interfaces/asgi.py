"""The ASGI door: bytes to requests, responses to bytes, a deadline on every read. No logic of its own."""

import asyncio
import functools
from collections.abc import Awaitable, Callable, Generator, Mapping, MutableMapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from threading import BoundedSemaphore
from typing import Any

from agentic_memory.errors import (
    AgenticMemoryError,
    MemoryUnavailable,
    RequestError,
    RequestTimeout,
    TooLarge,
    TooManyRequests,
)
from agentic_memory.interfaces.endpoints import Endpoints
from agentic_memory.interfaces.http import (
    REQUEST_BODY,
    Request,
    Response,
    Route,
    Routes,
    json_response,
    query_of,
)
from agentic_memory.interfaces.lane import Lane
from agentic_memory.interfaces.problems import problem
from agentic_memory.interfaces.rate_limit import TokenBuckets
from agentic_memory.ports import Clock
from agentic_memory.telemetry import Log, Metrics, where

log = Log("asgi")

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

SMALL_BODY = 256_000
"""Bytes up to which checking a signature is quicker than handing it to another thread."""
BODY_SECONDS = 30
"""How long a body may take to come."""
MOST_AFTERWARDS = 1_000
"""How much work behind answers may wait; what comes beyond is dropped and logged."""
LARGE_BODIES = 4
"""How many bodies beyond the transcript's bound may be in memory at once."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a request may take."""

    client_data_seconds: float
    retrieve_seconds: float
    admin_seconds: float
    body_bytes: int
    audio_bytes: int
    plausible: Callable[[str], bool]
    """Whether a signature header is worth reading a large body for."""


class Disconnected(Exception):
    """The client left before its request was whole."""


class App:
    """One ASGI application over the table of routes."""

    def __init__(
        self,
        routes: Routes,
        endpoints: Endpoints,
        bounds: Bounds,
        limiter: TokenBuckets,
        metrics: Metrics,
        clock: Clock,
        life: tuple[Callable[[], None], Callable[[], None]],
    ) -> None:
        """`life` holds what to call at start and at the end."""
        self._routes = routes
        self._endpoints = endpoints
        self._bounds = bounds
        self._limiter = limiter
        self._metrics = metrics
        self._clock = clock
        self._start, self._stop = life
        self._large = LARGE_BODIES
        self._room_behind = BoundedSemaphore(MOST_AFTERWARDS)
        self._rings = Lane(4, "client-data")
        self._searches = Lane(4, "retrieve")
        self._admin = Lane(4, "admin")
        self._others = ThreadPoolExecutor(4, "other")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection's scope: a request, or the server's life."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._serve(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self._start()
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                await asyncio.to_thread(self._end)
                await send({"type": "lifespan.shutdown.complete"})
                return

    def _end(self) -> None:
        for lane in (self._rings, self._searches, self._admin):
            lane.close()
        self._others.shutdown(wait=True, cancel_futures=True)
        self._stop()

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = self._clock.monotonic()
        name = "none"
        try:
            route, parameters = self._routes.find(_method(scope), _path(scope))
            name = route.name
            response = await self._answer(route, parameters, scope, receive)
        except AgenticMemoryError as error:
            response = problem(error)
            if not isinstance(error, RequestError):
                log.info("refused", endpoint=name, cause=error.code)
        except Disconnected:
            return
        except Exception as error:  # noqa: BLE001  the last door: a client must never see a stack trace, and the log must say what it was
            log.error("internal_error", endpoint=name, cause=type(error).__name__, at=where(error))
            response = json_response(500, {"error": "Internal error"})
        took = self._clock.monotonic() - started
        await _send(scope, response, took, send)
        if response.afterwards is not None and response.afterwards_waits:
            self._do_afterwards(response.afterwards)
        elif response.afterwards is not None:
            response.afterwards()
        self._metrics.count("requests", name, str(response.status))
        self._metrics.observe("request", took, name)

    def _do_afterwards(self, work: Callable[[], None]) -> None:
        if not self._room_behind.acquire(blocking=False):
            log.warning("ring_not_noted", cause="too much is waiting")
            return
        self._others.submit(work).add_done_callback(self._done_afterwards)

    def _done_afterwards(self, done: "Future[None]") -> None:
        self._room_behind.release()
        error = None if done.cancelled() else done.exception()
        if error is not None:
            log.error("internal_error", endpoint="afterwards", at=where(error))

    async def _answer(
        self, route: Route, parameters: Mapping[str, str], scope: Scope, receive: Receive
    ) -> Response:
        client = scope.get("client")
        address = client[0] if client else ""
        wait = self._limiter.wait(address, self._clock.monotonic())
        if wait:
            raise TooManyRequests(seconds=max(1, round(wait)))
        headers = {
            key.decode("latin-1"): value.decode("latin-1") for key, value in scope["headers"]
        }
        query = query_of(scope["query_string"].decode("latin-1")) if scope["query_string"] else {}
        if route.name == "post_call":
            request = Request(route.method, scope["path"], headers, query, b"", address)
            return await self._post_call(request, receive)
        body = await _body(receive, headers, REQUEST_BODY)
        request = Request(route.method, scope["path"], headers, query, body, address)
        return await self._within(route, parameters, request)

    async def _within(
        self, route: Route, parameters: Mapping[str, str], request: Request
    ) -> Response:
        if route.name == "healthz":
            return route.handler(request, parameters)
        work: Callable[[], Response] = functools.partial(route.handler, request, parameters)
        if route.name == "client_data":
            begun = self._endpoints.client_data_begin(request)
            if isinstance(begun, Response):
                return begun
            work = begun
        lane, seconds = self._lane(route.name)
        try:
            return await lane.run(work, seconds)
        except TimeoutError:
            if route.name == "client_data":
                return self._endpoints.client_data_late(request)
            raise MemoryUnavailable from None

    def _lane(self, name: str) -> tuple[Lane, float]:
        if name == "client_data":
            return self._rings, self._bounds.client_data_seconds
        if name == "retrieve":
            return self._searches, self._bounds.retrieve_seconds
        return self._admin, self._bounds.admin_seconds

    async def _post_call(self, request: Request, receive: Receive) -> Response:
        body = await self._post_call_body(request, receive)
        whole = _with_body(request, body)
        if len(body) <= SMALL_BODY:
            begun = self._endpoints.post_call_begin(whole)
        else:
            loop = asyncio.get_running_loop()
            begun = await loop.run_in_executor(
                self._others, self._endpoints.post_call_begin, whole
            )
        return await asyncio.wrap_future(begun)

    async def _post_call_body(self, request: Request, receive: Receive) -> bytes:
        """The body within its bound. Beyond a transcript's only what seems signed, a few at a time."""
        bound = self._bounds.body_bytes
        signature = request.headers.get("elevenlabs-signature", "")
        audio = self._bounds.audio_bytes
        if audio <= bound or not self._bounds.plausible(signature):
            return await _body(receive, request.headers, bound)
        reader = _Body(receive, request.headers, audio)
        body = await reader.read(until=bound)
        if reader.whole:
            return body
        if self._large <= 0:
            raise MemoryUnavailable
        self._large -= 1
        try:
            return await reader.read(until=audio)
        finally:
            self._large += 1


class _Body:
    """A request's body, read no further than asked."""

    def __init__(self, receive: Receive, headers: Mapping[str, str], bound: int) -> None:
        self._receive = receive
        self._bound = bound
        self._chunks: list[bytes] = []
        self._size = 0
        self._deadline = 0.0
        self.whole = False
        declared = headers.get("content-length", "")
        if declared.isdecimal() and int(declared[:19]) > bound:
            raise TooLarge(limit=bound)

    async def read(self, until: int) -> bytes:
        """What has come once the body is whole or longer than `until`. Raises TooLarge beyond the bound."""
        while not self.whole and self._size <= until:
            step = _FirstStep(self._receive())
            message = step.result or await self._late(step)
            if message["type"] == "http.disconnect":
                raise Disconnected
            chunk = message.get("body", b"")
            self._size += len(chunk)
            if self._size > self._bound:
                raise TooLarge(limit=self._bound)
            self._chunks.append(chunk)
            self.whole = not message.get("more_body", False)
        if not self.whole:
            return b""
        return b"".join(self._chunks) if len(self._chunks) > 1 else self._chunks[0]

    async def _late(self, step: "_FirstStep") -> Message:
        """A piece that was not there yet. Raises RequestTimeout when the whole takes longer than BODY_SECONDS."""
        if not self._deadline:
            self._deadline = asyncio.get_running_loop().time() + BODY_SECONDS
        try:
            async with asyncio.timeout_at(self._deadline):
                return await step
        except TimeoutError:
            raise RequestTimeout(seconds=BODY_SECONDS) from None


class _FirstStep:
    """A receiving that has taken its first step: what has come already is there, and needs no deadline."""

    def __init__(self, receiving: Awaitable[Message]) -> None:
        self.result: Message | None = None
        self._steps: Any = receiving.__await__()
        self._waits_for: Any = None
        try:
            self._waits_for = next(self._steps)
        except StopIteration as done:
            self.result = done.value

    def __await__(self) -> Generator[Any, Any, Message]:
        """The steps that are left, for whoever runs this task."""
        waits_for = self._waits_for
        while True:
            try:
                sent = yield waits_for
            except BaseException as error:  # noqa: BLE001  a cancellation belongs to what waits within
                step = functools.partial(self._steps.throw, error)
            else:
                step = functools.partial(self._steps.send, sent)
            try:
                waits_for = step()
            except StopIteration as done:
                result: Message = done.value
                return result


async def _body(receive: Receive, headers: Mapping[str, str], bound: int) -> bytes:
    return await _Body(receive, headers, bound).read(until=bound)


def _method(scope: Scope) -> str:
    method: str = scope["method"]
    return "GET" if method == "HEAD" else method


def _path(scope: Scope) -> str:
    raw: bytes = scope.get("raw_path") or scope["path"].encode("utf-8", "replace")
    return raw.decode("latin-1")


def _with_body(request: Request, body: bytes) -> Request:
    return Request(
        request.method, request.path, request.headers, request.query, body, request.client
    )


async def _send(scope: Scope, response: Response, took: float, send: Send) -> None:
    timing = f"total;dur={took * 1000:.2f}"
    headers = [(b"content-type", response.content_type.encode())]
    for key, value in response.headers:
        if key == "Server-Timing":
            timing = f"{timing}, {value}"
        else:
            headers.append((key.lower().encode(), value.encode("latin-1", "replace")))
    headers.append((b"server-timing", timing.encode()))
    if response.chunks is None:
        headers.append((b"content-length", str(len(response.body)).encode()))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    if response.chunks is None or scope["method"] == "HEAD":
        body = b"" if scope["method"] == "HEAD" else response.body
        await send({"type": "http.response.body", "body": body})
        return
    pieces = iter(response.chunks)
    while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})

