"""The three endpoints and the health checks as plain functions of a request: what every door serves."""

import hmac
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Protocol

from agentic_memory.domain.caller import DEFAULT_TENANT
from agentic_memory.domain.initiation import Initiation, Ring
from agentic_memory.domain.memory import Findings, Found
from agentic_memory.errors import (
    AgenticMemoryError,
    InvalidField,
    InvalidMemoryToken,
    InvalidWorkspaceKey,
    MemoryUnavailable,
    MissingField,
    NoActiveCall,
    SignatureRejected,
    StorageError,
    TooLarge,
)
from agentic_memory.interfaces.at_hand import AtHand
from agentic_memory.interfaces.http import (
    Request,
    Response,
    Route,
    bounded_integer,
    json_object,
    json_response,
)
from agentic_memory.interfaces.problems import problem
from agentic_memory.service.accept_call import AcceptCall, Outcome
from agentic_memory.service.brief_caller import BriefCaller, BriefedCaller
from agentic_memory.service.search_memory import SearchMemory
from agentic_memory.service.tokens import MemoryTokens
from agentic_memory.telemetry import Log

log = Log("endpoints")

LARGEST_LIMIT = 50
LONGEST_QUERY = 2_000
"""Characters of a query that are searched for; what comes after is not read."""
LONGEST_ID = 1_000
MOST_AGENTS = 1_000
OK = json_response(200, {"status": "ok"})
FRESH = (("Server-Timing", 'tier;desc="fresh"'),)


class PlatformWire(Protocol):
    """The platform's form of the ringing phone."""

    def ring(self, payload: Mapping[str, object]) -> Ring:
        """The ring in a request's object. Raises MissingField or InvalidField."""

    def answer(self, initiation: Initiation) -> Mapping[str, object]:
        """The object that the platform wants back."""


class Afterwards(Protocol):
    """What is done behind the answer to a ring, never before it."""

    def __call__(self, conversation_id: str | None, person: str) -> None:
        """Note who the conversation is with and warm their memory."""


class Note(Protocol):
    """The part of `Afterwards` that waits for nothing: enough where their memory is warm."""

    def __call__(self, conversation_id: str | None, person: str) -> None:
        """Note who the conversation is with."""


class KeepRing(Protocol):
    """Keeps a ring with its answer, behind it."""

    def __call__(self, call_id: str | None, person: str | None, received: bytes, response: bytes) -> None:
        """`response` holds no secret."""


class Health(Protocol):
    """What `/readyz` reports."""

    def __call__(self) -> tuple[bool, Mapping[str, object]]:
        """Whether requests can be served, and the object to answer with."""


@dataclass(frozen=True, slots=True)
class Access:
    """Who may ask."""

    workspace_keys: Sequence[str]
    retrieve_auth: str
    tokens: MemoryTokens
    has_active_call: Callable[[str, str], bool]
    """(tenant, caller id) -> whether a call of theirs is open."""


@dataclass(frozen=True, slots=True)
class UseCases:
    """What the endpoints speak to."""

    brief_caller: BriefCaller
    search_memory: SearchMemory
    accept_call: AcceptCall
    wire: PlatformWire
    afterwards: Afterwards
    health: Health
    keep_ring: KeepRing | None = None
    """None: nobody asked for it."""
    note: Note | None = None
    at_hand: AtHand | None = None
    """None: every ring is answered by a thread."""


class Counter(Protocol):
    """`telemetry.Metrics.count`, or nothing."""

    def __call__(self, name: str, *labels: str) -> None:
        """Add one."""


class Endpoints:
    """`/client-data`, `/retrieve`, `/post-call`, `/healthz`, `/readyz`."""

    def __init__(
        self,
        cases: UseCases,
        access: Access,
        search_limit: int,
        transcript_bytes: int,
        count: Counter,
    ) -> None:
        """`search_limit` is how many memories `/retrieve` returns unless it is asked for others.

        `transcript_bytes` bounds every post-call body that is not a recording.
        """
        self._cases = cases
        self._access = access
        self._search_limit = search_limit
        self._transcript_bytes = transcript_bytes
        self._count = count
        self._served_by_default: set[str] = set()
        self._keys = tuple(key.encode() for key in access.workspace_keys)

    def routes(self) -> tuple[Route, ...]:
        """The table of these endpoints."""
        return (
            Route("POST", "/client-data", self.client_data, "client_data"),
            Route("POST", "/retrieve", self.retrieve, "retrieve"),
            Route("POST", "/post-call", self.post_call, "post_call"),
            Route("GET", "/healthz", self.healthz, "healthz"),
            Route("GET", "/readyz", self.readyz, "readyz"),
        )

    def client_data(self, request: Request, _: Mapping[str, str] | None = None) -> Response:
        """Who is calling, and what to tell the agent about them."""
        return self._brief(request, self._ring(request))

    def client_data_begin(self, request: Request) -> Response | Callable[[], Response]:
        """The same without waiting: the answer where it is at hand, else the work that makes it."""
        ring = self._ring(request)
        told = self._at_hand(ring)
        return partial(self._brief, request, ring) if told is None else told

    def client_data_late(self, request: Request) -> Response:
        """The same when the time has run out: what can be told without waiting for anything."""
        ring = self._ring(request)
        log.warning("client_data_late", conversation=ring.conversation_id)
        return self._told(request, ring, self._cases.brief_caller.fallback(ring, DEFAULT_TENANT))

    def retrieve(self, request: Request, _: Mapping[str, str] | None = None) -> Response:
        """What this caller said before."""
        payload = json_object(request.body)
        query = _text(payload, "query", 1_000_000)
        user_id = _text(payload, "user_id", LONGEST_ID)
        limit = self._search_limit
        if payload.get("limit") is not None:
            limit = bounded_integer(payload["limit"], "limit", 1, LARGEST_LIMIT)
        detail = payload.get("detail") or False
        if not isinstance(detail, bool):
            raise InvalidField(field="detail", expected="true or false")
        person = self._cases.search_memory.person(user_id)
        self._check_retrieve(request, person)
        try:
            findings = self._cases.search_memory(person, query[:LONGEST_QUERY], limit)
        except (StorageError, MemoryUnavailable) as error:
            self._count("searches", "unavailable")
            log.error("search_failed", cause=error.code)
            raise MemoryUnavailable from error
        return self._found(findings, detail)

    def post_call(self, request: Request, _: Mapping[str, str] | None = None) -> Response:
        """Take in what happened: answered when it is durable."""
        return self.post_call_begin(request).result()

    def post_call_begin(self, request: Request) -> "Future[Response]":
        """The same without waiting: the future resolves when the delivery is durable.

        Raises TooLarge; the future itself never raises.
        """
        self._check_size(request.body)
        signature = request.headers.get("elevenlabs-signature", "")
        return _then(self._cases.accept_call(request.body, signature), self._received)

    def healthz(self, request: Request, _: Mapping[str, str] | None = None) -> Response:
        """The process runs."""
        return OK

    def readyz(self, request: Request, _: Mapping[str, str] | None = None) -> Response:
        """Whether it can serve, how well, and what waits in the inbox."""
        can_serve, report = self._cases.health()
        return json_response(200 if can_serve else 503, report)

    def _ring(self, request: Request) -> Ring:
        self._check_workspace_key(request)
        return self._cases.wire.ring(json_object(request.body))

    def _brief(self, request: Request, ring: Ring) -> Response:
        at_hand, note = self._cases.at_hand, self._cases.note
        if at_hand is None or note is None:
            return self._told(request, ring, self._cases.brief_caller(ring, DEFAULT_TENANT))
        begun = at_hand.begin()
        briefed = self._cases.brief_caller(ring, DEFAULT_TENANT)
        told = self._told(request, ring, briefed)
        at_hand.keep(ring, briefed, told.body, begun)
        if briefed.person is None or briefed.known or briefed.tier != "fresh":
            return told
        # Of somebody who never called there is nothing to warm.
        noting = partial(note, ring.conversation_id, briefed.person)
        return replace(told, afterwards=noting, afterwards_waits=False)

    def _at_hand(self, ring: Ring) -> Response | None:
        person = self._cases.brief_caller.person(ring)
        if self._cases.at_hand is None or person is None:
            return None
        found = self._cases.at_hand.find(person, ring.agent_id)
        if found is None:
            return None
        answer, is_cold = found
        self._count("briefs", "fresh")
        behind = self._cases.afterwards if is_cold else self._cases.note
        afterwards = partial(behind, ring.conversation_id, person) if behind else None
        return Response(200, answer.body, headers=FRESH, afterwards=afterwards, afterwards_waits=is_cold)

    def _told(self, request: Request, ring: Ring, briefed: BriefedCaller) -> Response:
        self._count("briefs", briefed.tier)
        if briefed.served_by_default:
            self._note_default_profile(ring.agent_id or "unnamed")
        afterwards = None
        if briefed.person is not None or self._cases.keep_ring is not None:

            def afterwards() -> None:
                self._after(request, ring, briefed)

        return json_response(
            200,
            self._cases.wire.answer(briefed.initiation),
            headers=(("Server-Timing", f'tier;desc="{briefed.tier}"'),),
            afterwards=afterwards,
        )

    def _after(self, request: Request, ring: Ring, briefed: BriefedCaller) -> None:
        """What is done behind the answer."""
        if briefed.person is not None:
            self._cases.afterwards(ring.conversation_id, briefed.person)
        if self._cases.keep_ring is not None:
            call_id = ring.call_sid or ring.conversation_id
            told = json_response(200, self._cases.wire.answer(briefed.initiation.without_secrets()))
            self._cases.keep_ring(call_id, briefed.person, request.body, told.body)

    def _note_default_profile(self, agent_id: str) -> None:
        """Said once for each agent: replacing a stranger's prompt must never go unnoticed."""
        if agent_id not in self._served_by_default and len(self._served_by_default) < MOST_AGENTS:
            self._served_by_default.add(agent_id)
            log.warning("default_profile_served", agent=agent_id[:100])

    def _found(self, findings: Findings, detail: bool) -> Response:
        outcome = "found" if findings.results else "nothing"
        self._count("searches", "degraded" if findings.degraded else outcome)
        memories = [_detailed(f) if detail else f.text for f in findings.results]
        headers = (("Server-Timing", 'degraded;desc="words alone"'),) if findings.degraded else ()
        return json_response(200, {"memories": memories}, headers=headers)

    def _received(self, outcome: Outcome | None, error: BaseException | None) -> Response:
        if isinstance(error, AgenticMemoryError):
            self._count("deliveries", "unavailable")
            log.error("delivery_not_kept", cause=error.code)
            return problem(error)
        if error is not None or outcome is None:
            self._count("deliveries", "unavailable")
            log.error("delivery_not_kept", cause=type(error).__name__)
            return problem(StorageError(reason="unexpected"))
        self._count("deliveries", str(outcome))
        return problem(SignatureRejected()) if outcome is Outcome.REJECTED else OK

    def _check_size(self, body: bytes) -> None:
        if len(body) > self._transcript_bytes and not self._cases.accept_call.is_recording(body):
            raise TooLarge(limit=self._transcript_bytes)

    def _check_workspace_key(self, request: Request) -> None:
        if not self._has_workspace_key(request):
            raise InvalidWorkspaceKey

    def _has_workspace_key(self, request: Request) -> bool:
        given = request.headers.get("x-workspace-key", "").encode("latin-1", "replace")
        matches = [hmac.compare_digest(given, key) for key in self._keys]
        return any(matches)

    def _check_retrieve(self, request: Request, person: str | None) -> None:
        token = _bearer(request)
        mode = self._access.retrieve_auth
        if token is not None:
            self._access.tokens.check(token, DEFAULT_TENANT, person or "")
        elif mode == "token":
            raise InvalidMemoryToken
        if mode == "key":
            self._check_workspace_key(request)
        if mode == "active_call" and not (
            person and self._access.has_active_call(DEFAULT_TENANT, person)
        ):
            raise NoActiveCall


def _then(
    begun: "Future[Outcome]", answer: Callable[[Outcome | None, BaseException | None], Response]
) -> "Future[Response]":
    answered: Future[Response] = Future()

    def resolve(done: "Future[Outcome]") -> None:
        error = done.exception()
        try:
            answered.set_result(answer(None if error else done.result(), error))
        except BaseException as fault:  # noqa: BLE001  a fault of ours must reach the door, not leave it waiting
            answered.set_exception(fault)

    begun.add_done_callback(resolve)
    return answered


def _bearer(request: Request) -> str | None:
    """The token presented: after `Bearer`, or alone, as a tool whose header is the bare variable sends it."""
    kind, _, value = request.headers.get("authorization", "").strip().partition(" ")
    if not value:
        return kind or None
    return value.strip() if kind.lower() == "bearer" else None


def _text(payload: Mapping[str, object], name: str, longest: int) -> str:
    value = payload.get(name)
    if value is None or (isinstance(value, str) and not value.strip()):
        raise MissingField(field=name)
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise InvalidField(field=name, expected="a string")
    if len(value) > longest:
        raise InvalidField(field=name, expected=f"at most {longest} characters")
    return value


def _detailed(found: Found) -> dict[str, object]:
    return {
        "id": found.id,
        "kind": str(found.kind),
        "text": found.text,
        "similarity": round(found.similarity, 4),
        "date": datetime.fromtimestamp(found.at, UTC).strftime("%Y-%m-%d"),
        "conversation_id": found.conversation_id,
        "turn": found.turn,
        "turns": list(found.turns),
        "quote": found.quote,
        "superseded": found.superseded,
    }
