"""The Lambda doors: API Gateway's and SQS's events to requests and deliveries, and back. No logic of their own."""

import base64
import binascii
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

from agentic_memory.errors import (
    AgenticMemoryError,
    MemoryUnavailable,
    NotJSON,
    RequestError,
    TooLarge,
)
from agentic_memory.interfaces.emf import EmbeddedMetrics
from agentic_memory.interfaces.endpoints import Endpoints
from agentic_memory.interfaces.http import (
    REQUEST_BODY,
    Request,
    Response,
    Routes,
    json_response,
    query_of,
)
from agentic_memory.interfaces.problems import problem
from agentic_memory.ports import Clock
from agentic_memory.service.remember_call import BODIES, UNREADABLE
from agentic_memory.telemetry import ROOT, Log, where

log = Log("lambda")

Event = Any
"""Whatever Lambda hands in: a door takes nothing for granted."""
Answer = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Opened:
    """What an HTTP function serves."""

    endpoints: Endpoints
    metrics: EmbeddedMetrics
    clock: Clock
    seconds: float | None
    """How long an answer may take; None: as long as Lambda lets it."""


class HttpDoor:
    """One endpoint behind an HTTP API, payload format 2.0. Callable as a Lambda handler."""

    def __init__(self, name: str, opened: Callable[[], Opened]) -> None:
        """`name` is the one route that is served; `opened` is asked at every request, and keeps what it made.

        Nothing is opened before the first request: a snapshot of the function holds no key and no clock.
        """
        self._name = name
        self._opened = opened
        self._lane = ThreadPoolExecutor(4, name)

    def __call__(self, event: Event, context: object = None) -> Answer:
        """Answer one request. Never raises for anything a client sent."""
        try:
            opened = self._opened()
        except AgenticMemoryError as error:
            log.error("not_opened", cause=error.code, detail=error.message)
            return _answer(problem(MemoryUnavailable()), 0.0)
        started = opened.clock.monotonic()
        with Traced(event, context):
            response = self._respond(opened, event)
            took = opened.clock.monotonic() - started
            answer = _answer(response, took)
            if response.afterwards is not None:
                self._behind(response.afterwards)
        if response.status == 401:
            opened.metrics.count("authentication_failures")
        opened.metrics.count("requests", f"{response.status // 100}xx")
        opened.metrics.observe("request", took)
        opened.metrics.flush(opened.clock.now())
        return answer

    def _respond(self, opened: Opened, event: Event) -> Response:
        try:
            return self._routed(opened, request_of(event))
        except AgenticMemoryError as error:
            if not isinstance(error, RequestError):
                log.info("refused", endpoint=self._name, cause=error.code)
            return problem(error)
        except Exception as error:  # noqa: BLE001  the last door: a client must never see a stack trace, and the log must say what it was
            log.error("internal_error", endpoint=self._name, cause=type(error).__name__, at=where(error))
            return json_response(500, {"error": "Internal error"})

    def _routed(self, opened: Opened, request: Request) -> Response:
        routes = Routes(r for r in opened.endpoints.routes() if r.name == self._name)
        route, parameters = routes.find(request.method, request.path)
        if self._name == "post_call":
            return route.handler(request, parameters)
        if len(request.body) > REQUEST_BODY:
            raise TooLarge(limit=REQUEST_BODY)
        begun = self._lane.submit(route.handler, request, parameters)
        try:
            return begun.result(opened.seconds)
        except TimeoutError:
            if self._name == "client_data":
                return opened.endpoints.client_data_late(request)
            raise MemoryUnavailable from None

    def _behind(self, afterwards: Callable[[], None]) -> None:
        """What is left to do. Lambda freezes a function that has answered, so it is waited for, briefly."""
        try:
            self._lane.submit(afterwards).result(AFTERWARDS_SECONDS)
        except TimeoutError:
            log.warning("ring_not_noted", cause="TimeoutError")
        except Exception as error:  # noqa: BLE001  the answer is there: what fails behind it must not take its place
            log.error("internal_error", endpoint="afterwards", cause=type(error).__name__, at=where(error))


AFTERWARDS_SECONDS = 0.3
"""What a ring may wait for the note of who is calling to be written."""


def request_of(event: Event) -> Request:
    """The request in an API Gateway event, payload format 2.0.

    Raises NotJSON for a body that is none, InvalidField for too many parameters.

    Total over any event: what is missing or of another type is empty.
    """
    event = _mapping(event)
    context = _mapping(event.get("requestContext"))
    http = _mapping(context.get("http"))
    return Request(
        method=_text(http.get("method")) or "GET",
        path=_text(event.get("rawPath")) or _text(http.get("path")) or "/",
        headers=_headers(event.get("headers")),
        query=query_of(_text(event.get("rawQueryString"))),
        body=_body(event),
        client=_text(http.get("sourceIp")),
    )


def _body(event: Mapping[str, Any]) -> bytes:
    """The bytes as they were sent: a signature is over these."""
    body = event.get("body")
    if body is None:
        return b""
    if not isinstance(body, str):
        raise NotJSON
    raw = body.encode("utf-8", "surrogatepass")
    if not event.get("isBase64Encoded"):
        return raw
    try:
        return base64.b64decode(raw, validate=True)
    except (binascii.Error, ValueError):
        raise NotJSON from None


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _headers(value: object) -> Mapping[str, str]:
    given = _mapping(value)
    return {k.lower(): v for k, v in given.items() if isinstance(k, str) and isinstance(v, str)}


def _answer(response: Response, took: float) -> Answer:
    headers = {"content-type": response.content_type}
    timing = f"total;dur={took * 1000:.2f}"
    for name, value in response.headers:
        if name == "Server-Timing":
            timing = f"{timing}, {value}"
        else:
            headers[name.lower()] = value
    headers["server-timing"] = timing
    body = response.body if response.chunks is None else b"".join(response.chunks)
    return {
        "statusCode": response.status,
        "headers": headers,
        "body": body.decode("utf-8", "replace"),
        "isBase64Encoded": False,
    }


class Traced(logging.Filter):
    """Puts the request's and the trace's id into every log line written meanwhile."""

    def __init__(self, event: Event, context: object) -> None:
        """Both ids as Lambda gives them; empty where it gives none."""
        super().__init__()
        headers = _headers(_mapping(event).get("headers"))
        self._ids = {
            "request": _text(getattr(context, "aws_request_id", "")),
            "trace": headers.get("x-amzn-trace-id", "")[:200],
        }

    def filter(self, record: logging.LogRecord) -> bool:
        """Every line passes."""
        record.fields = {**getattr(record, "fields", {}), **self._ids}
        return True

    def __enter__(self) -> "Traced":
        """Begin."""
        for handler in logging.getLogger(ROOT).handlers:
            handler.addFilter(self)
        return self

    def __exit__(self, *_: object) -> None:
        """End."""
        for handler in logging.getLogger(ROOT).handlers:
            handler.removeFilter(self)


class Batch(Protocol):
    """Works on the messages of a queue."""

    def __call__(self, message: Mapping[str, Any]) -> bool:
        """Work on one message to its end; False when it is to come again. Raises AgenticMemoryError."""


ENOUGH_SECONDS = 25
"""What the longest message takes: Mem0 asked, told, and followed for ten seconds."""


class QueueDoor:
    """The worker behind an SQS event source that takes failures by message. Callable as a Lambda handler."""

    def __init__(self, opened: Callable[[], tuple[Batch, EmbeddedMetrics, Clock]]) -> None:
        """`opened` is asked at every batch, and keeps what it made."""
        self._opened = opened

    def __call__(self, event: Event, context: object = None) -> Answer:
        """Work on every message; name those that are to come again.

        When nothing can be opened this raises: then the whole batch comes again.
        """
        work, metrics, clock = self._opened()
        records = _mapping(event).get("Records")
        failed = []
        for record in records if isinstance(records, list) else []:
            message = _mapping(record)
            with Traced(event, context):
                if not self._has_time(context) or not self._worked(work, message):
                    failed.append({"itemIdentifier": _text(message.get("messageId"))})
        metrics.amount("batch_messages", len(records) if isinstance(records, list) else 0)
        metrics.flush(clock.now())
        return {"batchItemFailures": failed}

    def _has_time(self, context: object) -> bool:
        """Whether another message can be begun: one that Lambda cuts off brings the whole batch back."""
        remaining = getattr(context, "get_remaining_time_in_millis", None)
        if remaining is None or remaining() >= ENOUGH_SECONDS * 1000:
            return True
        log.info("message_put_off", cause="the time has run out")
        return False

    def _worked(self, work: Batch, message: Mapping[str, Any]) -> bool:
        try:
            return work(message)
        except AgenticMemoryError as error:
            log.error("message_not_worked_on", cause=error.code, detail=error.message)
        except Exception as error:  # noqa: BLE001  a fault of ours in one message must not make the others come again
            log.error("internal_error", endpoint="worker", cause=type(error).__name__, at=where(error))
        return False


@dataclass(frozen=True, slots=True)
class ReplayOrder:
    """What the replay function is asked for."""

    source: str = "dead_letters"
    """`dead_letters`, `archive` or `quarantine`."""
    prefix: str = ""
    """Of the archive: only the keys that begin so."""
    conversation_id: str = ""
    """Of the dead letters or the archive: only this conversation."""
    dry_run: bool = True
    """Count, change nothing."""


SOURCES = ("dead_letters", "archive", "quarantine")


def replay_order(event: Event) -> ReplayOrder:
    """The order in an event; a dry run unless `dry_run` is false. Raises ValueError naming the field."""
    given = _mapping(event)
    for name in ("source", "prefix", "conversation_id"):
        if not isinstance(given.get(name, ""), str):
            raise ValueError(f"{name} is not a string")
    source = _text(given.get("source")) or SOURCES[0]
    if source not in SOURCES:
        raise ValueError(f"source is not one of {', '.join(SOURCES)}")
    prefix = _text(given.get("prefix"))
    if prefix and not prefix.startswith((BODIES, UNREADABLE)):
        raise ValueError(f"prefix does not begin with {BODIES} or {UNREADABLE}")
    dry_run = given.get("dry_run", True)
    if not isinstance(dry_run, bool):
        raise ValueError("dry_run is neither true nor false")
    return ReplayOrder(source, prefix, _text(given.get("conversation_id")), dry_run)


class Erasing(Protocol):
    """Erases callers."""

    def __call__(self, caller_id: str, *, dry_run: bool) -> Mapping[str, int]:
        """How much was found, by kind; without a dry run it is gone on return."""


class ForgetDoor:
    """Invoked by hand: erase a caller. Callable as a Lambda handler."""

    def __init__(self, opened: Callable[[], Erasing]) -> None:
        """`opened()` gives what erases."""
        self._opened = opened

    def __call__(self, event: Event, context: object = None) -> Answer:
        """How much was found of the caller; a dry run unless `dry_run` is false. Names them in no log."""
        given = _mapping(event)
        caller_id, dry_run = given.get("caller_id"), given.get("dry_run", True)
        if not isinstance(caller_id, str) or not caller_id.strip():
            return {"error": "caller_id is missing or no string"}
        if not isinstance(dry_run, bool):
            return {"error": "dry_run is neither true nor false"}
        with Traced(event, context):
            found = self._opened()(caller_id.strip(), dry_run=dry_run)
            log.info("caller_forgotten", dry_run=dry_run, waiting=found["waiting"])
        return {"dry_run": dry_run, **found}


class ReplayDoor:
    """Invoked by hand: process again. Callable as a Lambda handler."""

    def __init__(self, opened: Callable[[], Callable[[ReplayOrder], int]]) -> None:
        """`opened()` gives what carries an order out and returns how many it was about."""
        self._opened = opened

    def __call__(self, event: Event, context: object = None) -> Answer:
        """How many deliveries were, or with a dry run would be, handed in again."""
        try:
            order = replay_order(event)
        except ValueError as error:
            return {"error": str(error)}
        with Traced(event, context):
            count = self._opened()(order)
            log.info("replayed", source=order.source, deliveries=count, dry_run=order.dry_run)
        return {"source": order.source, "dry_run": order.dry_run, "deliveries": count}

