"""The admin API under `/v1`, `/metrics`, and the API's own description."""

import hmac
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from agentic_memory.errors import AgenticMemoryError, InvalidAdminKey, InvalidField, NotFound
from agentic_memory.interfaces.http import (
    Handler,
    Request,
    Response,
    Route,
    bounded_integer,
    json_object,
    json_response,
)
from agentic_memory.interfaces.rate_limit import is_loopback
from agentic_memory.ports import Inbox
from agentic_memory.service.callers import Callers
from agentic_memory.service.export import (
    call_value,
    caller_value,
    caller_with_brief,
    change_value,
    json_lines,
    memory_value,
    quarantined_value,
    timestamp,
)
from agentic_memory.service.forget import Forget
from agentic_memory.service.replay import Replay
from agentic_memory.telemetry import Log

log = Log("admin")

LARGEST_PAGE = 500
LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]", "::1"})
FOREIGN_HEADERS = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "origin")
REPLAYABLE = "`dead_letters`, `archive` or `quarantine`"


@dataclass(frozen=True, slots=True)
class AdminAccess:
    """Who may use the admin API."""

    keys: Sequence[str]
    open_on_loopback: bool
    """With no keys set, in development: requests from this machine to this machine pass."""


@dataclass(frozen=True, slots=True)
class AdminCases:
    """What the admin API speaks to."""

    callers: Callers
    forget: Forget
    replay: Replay
    inbox: Inbox
    hmac_secrets: Sequence[str]
    metrics: Callable[[], bytes]
    description: Callable[[], Mapping[str, object]]


class Admin:
    """Routes that need the admin key."""

    def __init__(self, cases: AdminCases, access: AdminAccess) -> None:
        """`access` guards every route."""
        self._cases = cases
        self._access = access
        self._keys = tuple(key.encode() for key in access.keys)

    def routes(self) -> tuple[Route, ...]:
        """The table of the admin API."""
        one = "/v1/callers/{caller_id}"
        table: tuple[tuple[str, str, Handler, str], ...] = (
            ("GET", "/v1/callers", self.list_callers, "list_callers"),
            ("GET", one, self.get_caller, "get_caller"),
            ("DELETE", one, self.erase_caller, "erase_caller"),
            ("GET", f"{one}/memories", self.list_memories, "list_memories"),
            ("PATCH", f"{one}/memories/{{memory_id}}", self.edit_memory, "edit_memory"),
            ("DELETE", f"{one}/memories/{{memory_id}}", self.delete_memory, "delete_memory"),
            ("GET", f"{one}/memories/{{memory_id}}/history", self.get_history, "get_history"),
            ("GET", f"{one}/calls", self.list_calls, "list_calls"),
            ("GET", f"{one}/calls/{{conversation_id}}", self.get_call, "get_call"),
            ("GET", "/v1/dead-letters", self.list_dead_letters, "list_dead_letters"),
            ("GET", "/v1/quarantine", self.list_quarantine, "list_quarantine"),
            ("DELETE", "/v1/quarantine/{item_id}", self.drop_quarantined, "drop_quarantined"),
            ("POST", "/v1/replay", self.replay, "replay"),
            ("GET", "/v1/export", self.export, "export"),
            ("GET", "/v1/openapi.json", self.describe, "describe"),
            ("GET", "/metrics", self.metrics, "metrics"),
        )
        return tuple(
            Route(method, template, self._guarded(handler), name)
            for method, template, handler, name in table
        )

    def list_callers(self, request: Request, _: Mapping[str, str]) -> Response:
        """A page of callers, newest call first."""
        limit = bounded_integer(request.query.get("limit", 50), "limit", 1, LARGEST_PAGE)
        cursor = request.query.get("cursor")
        page = self._cases.callers.page(request.query.get("q", ""), limit, cursor)
        callers = [caller_value(caller) for caller in page.callers]
        return json_response(200, {"callers": callers, "next_cursor": page.next_cursor})

    def get_caller(self, _: Request, path: Mapping[str, str]) -> Response:
        """One caller with their brief."""
        return json_response(200, caller_with_brief(self._cases.callers.one(path["caller_id"])))

    def erase_caller(self, _: Request, path: Mapping[str, str]) -> Response:
        """Erase a caller's every trace; done when answered."""
        return json_response(200, {"erased": self._cases.forget(path["caller_id"])})

    def list_memories(self, _: Request, path: Mapping[str, str]) -> Response:
        """All memories of one caller, oldest first."""
        memories = self._cases.callers.memories(path["caller_id"])
        return json_response(200, {"memories": [memory_value(m) for m in memories]})

    def edit_memory(self, request: Request, path: Mapping[str, str]) -> Response:
        """Set one memory's text."""
        text = json_object(request.body).get("text")
        if not isinstance(text, str):
            raise InvalidField(field="text", expected="a string")
        memory = self._cases.callers.edit(path["caller_id"], path["memory_id"], text)
        return json_response(200, memory_value(memory))

    def delete_memory(self, _: Request, path: Mapping[str, str]) -> Response:
        """Delete one memory."""
        self._cases.callers.delete(path["caller_id"], path["memory_id"])
        return json_response(200, {"deleted": True})

    def get_history(self, _: Request, path: Mapping[str, str]) -> Response:
        """What happened to one memory."""
        changes = self._cases.callers.history(path["caller_id"], path["memory_id"])
        return json_response(200, {"history": [change_value(c) for c in changes]})

    def list_calls(self, _: Request, path: Mapping[str, str]) -> Response:
        """One caller's calls without their turns, newest first."""
        calls = self._cases.callers.calls(path["caller_id"])
        return json_response(200, {"calls": [call_value(c, with_turns=False) for c in calls]})

    def get_call(self, _: Request, path: Mapping[str, str]) -> Response:
        """One call with its turns."""
        call = self._cases.callers.call(path["caller_id"], path["conversation_id"])
        return json_response(200, call_value(call, with_turns=True))

    def list_dead_letters(self, request: Request, _: Mapping[str, str]) -> Response:
        """A page of dead letters, oldest first."""
        limit = bounded_integer(request.query.get("limit", 50), "limit", 1, LARGEST_PAGE)
        page = self._cases.inbox.dead_letters(limit=limit, cursor=request.query.get("cursor"))
        letters = [
            {
                "id": letter.id,
                "platform": letter.platform,
                "type": letter.envelope.type,
                "conversation_id": letter.envelope.conversation_id,
                "received_at": timestamp(letter.received_at),
                "buried_at": timestamp(letter.buried_at),
                "attempts": letter.attempts,
                "cause": letter.error_code,
                "error": letter.error,
                "size": letter.size,
            }
            for letter in page.letters
        ]
        return json_response(200, {"dead_letters": letters, "next_cursor": page.next_cursor})

    def list_quarantine(self, request: Request, _: Mapping[str, str]) -> Response:
        """What is in quarantine, oldest first, and why; no page follows."""
        limit = bounded_integer(request.query.get("limit", 50), "limit", 1, LARGEST_PAGE)
        looked_at = self._cases.replay.look_at_quarantine(self._cases.hmac_secrets)
        bodies = [quarantined_value(one) for one in islice(looked_at, limit)]
        return json_response(200, {"quarantine": bodies, "total": self._cases.inbox.counts().quarantined})

    def drop_quarantined(self, _: Request, path: Mapping[str, str]) -> Response:
        """Drop one body from quarantine, for good."""
        if self._cases.replay.drop_quarantined([path["item_id"]]) == 0:
            raise NotFound(what="Quarantined body")
        return json_response(200, {"dropped": True})

    def replay(self, request: Request, _: Mapping[str, str]) -> Response:
        """Process again: dead letters (all, or by id), the whole archive, or the quarantine.

        The archive may be long: it is handed in behind the answer, and `/readyz` shows what is pending.
        """
        payload = json_object(request.body)
        source = payload.get("source")
        if source == "dead_letters":
            ids = _ids(payload.get("ids"))
            return json_response(200, {"replayed": self._cases.replay.dead(ids)})
        if source == "archive":
            threading.Thread(target=self._replay_archive, name="replay", daemon=True).start()
            return json_response(202, {"replayed": None})
        if source == "quarantine":
            result = self._cases.replay.quarantined(self._cases.hmac_secrets)
            return json_response(
                200, {"replayed": result.accepted, "still_refused": result.still_refused}
            )
        raise InvalidField(field="source", expected=REPLAYABLE)

    def _replay_archive(self) -> None:
        try:
            log.info("archive_replayed", bodies=self._cases.replay.archived())
        except AgenticMemoryError as error:
            log.error("archive_not_replayed", cause=error.code, detail=error.message)

    def export(self, request: Request, _: Mapping[str, str]) -> Response:
        """Everything, or one caller, as JSON Lines."""
        caller_id = request.query.get("caller_id") or None
        if caller_id is not None:
            self._cases.callers.one(caller_id)
        chunks = json_lines(self._cases.callers.everything(caller_id))
        return Response(200, content_type="application/x-ndjson", chunks=chunks)

    def describe(self, _: Request, __: Mapping[str, str]) -> Response:
        """The OpenAPI description of all routes."""
        return json_response(200, self._cases.description())

    def metrics(self, _: Request, __: Mapping[str, str]) -> Response:
        """For Prometheus."""
        return Response(
            200, self._cases.metrics(), content_type="text/plain; version=0.0.4; charset=utf-8"
        )

    def _guarded(self, handler: Handler) -> Handler:
        def guarded(request: Request, path: Mapping[str, str]) -> Response:
            if not self._allows(request):
                raise InvalidAdminKey
            return handler(request, path)

        guarded.__doc__ = handler.__doc__
        return guarded

    def _allows(self, request: Request) -> bool:
        kind, _, given = request.headers.get("authorization", "").partition(" ")
        if self._keys:
            matches = [hmac.compare_digest(given.strip().encode('latin-1', 'replace'), key) for key in self._keys]
            return kind.lower() == "bearer" and any(matches)
        return self._access.open_on_loopback and _is_local(request)


def _ids(value: object) -> Sequence[str] | None:
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise InvalidField(field="ids", expected="a list of dead-letter ids")
    return [str(item) for item in _bounded(value)]


def _bounded(items: list[object]) -> Iterable[object]:
    if len(items) > LARGEST_PAGE:
        raise InvalidField(field="ids", expected=f"at most {LARGEST_PAGE} ids")
    return items


def _is_local(request: Request) -> bool:
    """From this machine, to this machine's own name, and not from a page in its browser.

    A tunnel or proxy to the outside shows in the host or in a forwarding header, a page in its origin.
    """
    host = request.headers.get("host", "")
    name = host if host.endswith("]") else host.rpartition(":")[0] or host
    foreign = any(header in request.headers for header in FOREIGN_HEADERS)
    return is_loopback(request.client) and name.lower() in LOOPBACK_NAMES and not foreign
