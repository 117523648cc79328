"""Mem0's v3 API: one method for each request that we make. All that reads or deletes names a user."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn, Protocol
from urllib.parse import quote

from agentic_memory.backends.mem0_cloud.breaker import Breaker
from agentic_memory.backends.mem0_cloud.stored import Stored, items, stored
from agentic_memory.backends.mem0_cloud.wire import Answer, Wire
from agentic_memory.errors import MemoryServiceRefused, MemoryServiceUnavailable
from agentic_memory.ports import Clock
from agentic_memory.telemetry import Log

log = Log("mem0")

PAGE = 200
"""Memories a page: the most that Mem0 gives."""
MOST_PAGES = 500
LONGEST_RETRY_AFTER = 3600.0
UNREACHED = frozenset({408, 502, 503, 504})
"""Statuses by which a gateway says that the service was not reached."""
MAY_PASS = frozenset({401, 402, 403, 408, 425, 429})
"""Refusals that end by themselves or with a mended key or plan."""

Condition = Mapping[str, Any]
NOT_ABSENT: Any = ...
"""Where a 404 is an error like any other."""


class Observer(Protocol):
    """Told how each request went, for metrics."""

    def __call__(self, operation: str, outcome: str, seconds: float) -> None:
        """`outcome`: `ok`, `refused`, `limited`, `failed` or `not_tried`."""


@dataclass(frozen=True, slots=True)
class Added:
    """What an add gave: verbatim ones are stored already, inferred ones have an event to follow."""

    event_id: str
    is_pending: bool
    count: int


@dataclass(frozen=True, slots=True)
class _Request:
    operation: str
    method: str
    target: str
    body: object = None
    may_repeat: bool = True
    """Whether sending it twice does no harm."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What the client works with."""

    wire: Wire
    breaker: Breaker
    clock: Clock
    pause: Callable[[float], object]
    """Sleep for seconds."""
    observe: Observer = field(default=lambda operation, outcome, seconds: None)


class Client:
    """Mem0's API with one deadline an operation. Raises MemoryServiceUnavailable or MemoryServiceRefused."""

    def __init__(self, tools: Tools, keys: Sequence[str], timeout: float) -> None:
        """`keys`: the first that is accepted is used (several while rotating). `timeout`: seconds an operation."""
        self._tools = tools
        self._keys = tuple(keys)
        self._key = 0
        self.timeout = timeout

    def deadline(self, seconds: float | None = None) -> float:
        """When an operation that begins now must end, by the monotonic clock."""
        return self._tools.clock.monotonic() + min(seconds or self.timeout, self.timeout)

    def ping(self) -> Mapping[str, Any]:
        """Whose key it is: `org_id` and `project_id`."""
        value = self._send(_Request("ping", "GET", "/v1/ping/"), self.deadline())
        return value if isinstance(value, Mapping) else {}

    def add(
        self,
        user_id: str,
        messages: Sequence[Mapping[str, str]],
        metadata: Mapping[str, Any],
        *,
        infer: bool,
        at: float,
        session: str = "",
    ) -> Added:
        """Remember messages: word by word, or what Mem0 infers from them. `at` is when they were said."""
        body: dict[str, Any] = {
            "messages": list(messages), "user_id": _named(user_id), "metadata": metadata, "infer": infer,
        }  # fmt: skip
        if at > 0:
            body["timestamp"] = int(at)
        if session:
            body["run_id"] = session
        request = _Request("add", "POST", "/v3/memories/add/", body, may_repeat=not infer)
        value = self._send(request, self.deadline())
        return _added(value)

    def search(self, user_id: str, query: str, limit: int, deadline: float) -> list[Stored]:
        """At most `limit` memories of this user, the most similar first."""
        body = {"query": query, "filters": _of(user_id), "top_k": limit, "threshold": 0.0}
        value = self._send(_Request("search", "POST", "/v3/memories/search/", body), deadline)
        return list(stored(value, user_id))

    def listed(self, user_id: str, *conditions: Condition, deadline: float | None = None) -> list[Stored]:
        """All memories of this user that meet the conditions, each once, page by page."""
        until = deadline or 0.0
        found: dict[str, Stored] = {}
        for page in range(1, MOST_PAGES + 1):
            value = self._page(user_id, conditions, page, PAGE, until or self.deadline())
            found.update((memory.id, memory) for memory in stored(value, user_id))
            if len(items(value)) < PAGE or not _has_next(value):
                break
        return list(found.values())

    def count(self, user_id: str) -> int:
        """How many memories Mem0 has of this user."""
        value = self._page(user_id, (), 1, 1, self.deadline())
        count = value.get("count") if isinstance(value, Mapping) else None
        return count if isinstance(count, int) else len(items(value))

    def event(self, event_id: str) -> tuple[str, str]:
        """An event's status (`PENDING`, `RUNNING`, `SUCCEEDED`, `FAILED`; empty where there is none) and error."""
        request = _Request("event", "GET", f"/v1/event/{quote(event_id, safe='')}/")
        value = self._send(request, self.deadline(), absent={})
        if not isinstance(value, Mapping):
            raise MemoryServiceUnavailable(reason="its answer cannot be understood")
        return str(value.get("status") or "").upper(), str(value.get("error") or "")

    def update(self, memory: Stored, text: str, metadata: Mapping[str, Any]) -> None:
        """Replace text and metadata of one memory."""
        target = f"/v1/memories/{quote(memory.id, safe='')}/"
        self._send(_Request("update", "PUT", target, {"text": text, "metadata": metadata}), self.deadline())

    def history(self, memory_id: str) -> Any:
        """What Mem0 noted of one memory, as it tells it; nothing of a memory that it does not know."""
        target = f"/v1/memories/{quote(memory_id, safe='')}/history/"
        return self._send(_Request("history", "GET", target), self.deadline(), absent=[])

    def delete(self, memory: Stored) -> None:
        """Delete one memory; nothing happens if it has gone."""
        target = f"/v1/memories/{quote(memory.id, safe='')}/"
        self._send(_Request("delete", "DELETE", target), self.deadline(), absent=None)

    def delete_all(self, user_id: str) -> None:
        """Ask for the deletion of all memories of this user: Mem0 does it in its own time."""
        target = f"/v1/memories/?user_id={quote(_named(user_id), safe='')}"
        self._send(_Request("delete_all", "DELETE", target), self.deadline(), absent=None)

    def delete_user(self, user_id: str) -> str:
        """Ask for the deletion of the user's own entry, which bears their number; return the event to follow."""
        target = f"/v2/entities/user/{quote(_named(user_id), safe='')}/"
        value = self._send(_Request("delete_user", "DELETE", target), self.deadline(), absent=None)
        event_id = value.get("event_id") if isinstance(value, Mapping) else None
        return event_id if isinstance(event_id, str) else ""

    def users(self) -> Iterator[str]:
        """The ids of all users that Mem0 knows, each once."""
        seen: set[str] = set()
        for page in range(1, MOST_PAGES + 1):
            request = _Request("users", "GET", f"/v1/entities/?page={page}&page_size={PAGE}")
            value = self._send(request, self.deadline(), absent=[])
            for item in items(value):
                name = item.get("name") if isinstance(item, Mapping) else None
                if isinstance(name, str) and item.get("type") in ("user", None) and name not in seen:
                    seen.add(name)
                    yield name
            if not _has_next(value):
                return

    def warm(self) -> None:
        """Have a connection at hand."""
        self._tools.wire.warm(self.deadline())

    def close(self) -> None:
        """Give back the connections."""
        self._tools.wire.close()

    def _page(
        self, user_id: str, conditions: Sequence[Condition], page: int, size: int, deadline: float
    ) -> Any:
        target = f"/v3/memories/?page={page}&page_size={size}"
        body = {"filters": _of(user_id, *conditions)}
        return self._send(_Request("list", "POST", target, body), deadline, absent=[] if page > 1 else NOT_ABSENT)

    def _send(self, request: _Request, deadline: float, absent: object = NOT_ABSENT) -> Any:
        """The answer's value; `absent` is what a 404 stands for. One more attempt where that does no harm."""
        answer = self._tried(request, deadline)
        if answer is None:
            self._tools.pause(min(0.1, max(0.0, deadline - self._tools.clock.monotonic())))
            answer = self._attempt(request, deadline)
        if answer.status == 404 and absent is not NOT_ABSENT:
            return absent
        if answer.status >= 400:
            self._refuse(request, answer)
        return _value(answer)

    def _tried(self, request: _Request, deadline: float) -> Answer | None:
        """The first attempt; None where the service was not reached and there is time for another."""
        quick = self._tools.clock.monotonic() + 0.5 * max(0.0, deadline - self._tools.clock.monotonic())
        try:
            return self._attempt(request, deadline)
        except MemoryServiceUnavailable as error:
            if not request.may_repeat or error.fields.get("final") or self._tools.clock.monotonic() > quick:
                raise
            return None

    def _attempt(self, request: _Request, deadline: float) -> Answer:
        clock, breaker = self._tools.clock, self._tools.breaker
        started = clock.monotonic()
        wait = breaker.wait(self.timeout)
        if wait > 0:
            self._tools.observe(request.operation, "not_tried", 0.0)
            raise MemoryServiceUnavailable(
                reason=f"it is left alone for {wait:.0f} s after failures", retry_after=wait, final=True
            )
        try:
            answer = self._authorised(request, deadline)
            if answer.status >= 500:
                raise MemoryServiceUnavailable(
                    reason=f"status {answer.status} for {request.operation}", final=answer.status not in UNREACHED
                )
            if answer.status < 400:
                _value(answer)
        except MemoryServiceUnavailable:
            breaker.failed()
            self._tools.observe(request.operation, "failed", clock.monotonic() - started)
            raise
        breaker.worked()
        outcome = "ok" if answer.status < 400 else "limited" if answer.status == 429 else "refused"
        self._tools.observe(request.operation, outcome, clock.monotonic() - started)
        return answer

    def _authorised(self, request: _Request, deadline: float) -> Answer:
        """The answer under the key that is accepted: each is tried once."""
        for _ in range(len(self._keys)):
            answer = self._exchange(request, deadline)
            if answer.status != 401:
                break
            self._key = (self._key + 1) % len(self._keys)
        return answer

    def _exchange(self, request: _Request, deadline: float) -> Answer:
        headers = {"Authorization": f"Token {self._keys[self._key]}", "Accept": "application/json"}
        body = None
        if request.body is not None:
            headers["Content-Type"] = "application/json"
            body = json.dumps(request.body, allow_nan=False).encode()
        return self._tools.wire.exchange(request.method, request.target, headers, body, deadline)

    def _refuse(self, request: _Request, answer: Answer) -> NoReturn:
        """What a refusal is; what it says in words is not repeated, for it may quote the caller."""
        reason = f"status {answer.status} for {request.operation}"
        if answer.status == 429:
            seconds = _retry_after(answer)
            self._tools.breaker.asked_to_wait(seconds)
            raise MemoryServiceUnavailable(reason=f"{reason}, too many requests", retry_after=seconds)
        if answer.status in (401, 403):
            log.error("mem0_refuses_the_key", operation=request.operation, status=answer.status)
            reason += ": is MEM0_API_KEY right?"
        if answer.status in MAY_PASS:
            raise MemoryServiceUnavailable(reason=reason)
        raise MemoryServiceRefused(reason=reason)


def _named(user_id: str) -> str:
    """The user id; a blank one, or the `*` that stands for everybody, is a fault of ours."""
    if not user_id.strip() or user_id.strip() == "*":
        raise ValueError("a request to Mem0 must name its user")
    return user_id


def _of(user_id: str, *conditions: Condition) -> Mapping[str, Any]:
    """Filters that always name the user: the only place where filters are made."""
    return {"AND": [{"user_id": _named(user_id)}, *conditions]}


def _value(answer: Answer) -> Any:
    if not answer.body.strip():
        return {}
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError):
        raise MemoryServiceUnavailable(reason="its answer is not JSON") from None


def _added(value: object) -> Added:
    """The outcome of an add, in the form of v3 or of its forerunners."""
    if isinstance(value, Mapping) and "event_id" not in value and isinstance(value.get("results"), list):
        value = value["results"]
    first = value[0] if isinstance(value, list) and value else value
    if not isinstance(first, Mapping):
        raise MemoryServiceUnavailable(reason="its answer cannot be understood")
    status, event_id = str(first.get("status") or "").upper(), first.get("event_id")
    if status == "FAILED":
        raise MemoryServiceUnavailable(reason="an add failed")
    results = first.get("results")
    return Added(
        event_id if isinstance(event_id, str) else "",
        status in ("PENDING", "RUNNING"),
        len(results) if isinstance(results, list) else 0,
    )


def _has_next(value: object) -> bool:
    return isinstance(value, Mapping) and bool(value.get("next"))


def _retry_after(answer: Answer) -> float:
    """Seconds that the service asks to wait; 1 where it does not say how long."""
    try:
        return min(LONGEST_RETRY_AFTER, max(0.0, float(answer.headers.get("retry-after", "1"))))
    except ValueError:
        return 1.0
