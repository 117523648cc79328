"""The Lambda doors: events to requests and back, and the same answers as the other doors give."""

import base64
import io
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from threading import Event as Signal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentic_memory.domain.initiation import VARIABLES as KNOWN
from agentic_memory.errors import NotJSON, SecretUnavailable, StorageUnavailable
from agentic_memory.interfaces.aws_lambda import (
    ForgetDoor,
    HttpDoor,
    Opened,
    QueueDoor,
    ReplayDoor,
    ReplayOrder,
    Traced,
    replay_order,
    request_of,
)
from agentic_memory.interfaces.emf import EmbeddedMetrics
from agentic_memory.interfaces.wiring import endpoints
from agentic_memory.platforms.elevenlabs.signature import sign
from agentic_memory.telemetry import ROOT
from tests.fakes import FrozenClock
from tests.wire import HMAC_KEY, STEFAN, WORKSPACE_KEY, House, post_call

PATHS = {"client_data": "/client-data", "retrieve": "/retrieve", "post_call": "/post-call"}
VARIABLES = set(KNOWN)
KEY = {"X-Workspace-Key": WORKSPACE_KEY}


def event(
    path: str, body: object = None, headers: Mapping[str, str] | None = None, *,
    method: str = "POST", encoded: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """As an HTTP API hands it in: payload format 2.0."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    text = base64.b64encode(raw).decode() if encoded else raw.decode("utf-8", "surrogatepass")
    return {
        "version": "2.0",
        "routeKey": f"{method} {path}",
        "rawPath": f"/Prod{path}",
        "rawQueryString": "",
        "headers": {name.lower(): value for name, value in (headers or {}).items()},
        "requestContext": {"http": {"method": method, "path": f"/Prod{path}", "sourceIp": "203.0.113.7"}, "stage": "Prod"},
        "body": text,
        "isBase64Encoded": encoded,
    }


class Function:
    """A house behind a Lambda door."""

    def __init__(self, house: House, name: str, seconds: float | None = None) -> None:
        self.lines = io.StringIO()
        self.metrics = EmbeddedMetrics(name, self.lines)
        services = replace(house.services, metrics=self.metrics)
        self.opened = Opened(endpoints(services), self.metrics, house.clock, seconds)
        self.door = HttpDoor(name, lambda: self.opened)

    def __call__(self, *given: Any, **more: Any) -> tuple[int, Any]:
        answer = self.door(event(*given, **more))
        assert answer["isBase64Encoded"] is False
        assert answer["headers"]["content-type"] == "application/json"
        return answer["statusCode"], json.loads(answer["body"])

    def counted(self) -> dict[str, Any]:
        return json.loads(self.lines.getvalue().splitlines()[-1])


def signed(house: House, body: bytes, key: str = HMAC_KEY) -> dict[str, str]:
    return {"ElevenLabs-Signature": sign(body, key, int(house.clock.now()))}


REQUESTS: list[tuple[str, object, Mapping[str, str]]] = [
    ("client_data", {"caller_id": STEFAN, "agent_id": "agent_test"}, KEY),
    ("client_data", {"caller_id": "+15550100099"}, KEY),
    ("client_data", {"caller_id": ""}, KEY),
    ("client_data", {"caller_id": None}, KEY),
    ("client_data", {"caller_id": STEFAN}, {"X-Workspace-Key": "wrong"}),
    ("client_data", {"caller_id": STEFAN}, {}),
    ("client_data", {}, KEY),
    ("client_data", {"caller_id": []}, KEY),
    ("client_data", [], KEY),
    ("client_data", b"{", KEY),
    ("client_data", b"", KEY),
    ("retrieve", {"query": "updates", "user_id": STEFAN}, {}),
    ("retrieve", {"query": "updates", "user_id": STEFAN, "detail": True, "limit": 1}, {}),
    ("retrieve", {"user_id": STEFAN}, {}),
    ("retrieve", {"query": "updates"}, {}),
    ("retrieve", {"query": 7, "user_id": STEFAN, "limit": "many"}, {}),
    ("retrieve", {"query": "updates", "user_id": STEFAN}, {"Authorization": "Bearer forged"}),
]


@pytest.mark.parametrize("encoded", [False, True])
@pytest.mark.parametrize(("name", "body", "headers"), REQUESTS)
def test_an_answer_is_the_same_through_this_door(
    house: House, name: str, body: object, headers: Mapping[str, str], encoded: bool
):
    turns = [("user", "My name is Stefan. I prefer e-mail updates.")]
    house.remember(post_call("conv_1", STEFAN, turns, collected={"user_name": "Stefan"}))
    direct = house.ask("POST", PATHS[name], body, headers)
    status, value = Function(house, name)(PATHS[name], body, headers, encoded=encoded)
    assert (status, value) == (direct.status, json.loads(direct.body))


@pytest.mark.parametrize("encoded", [False, True])
def test_a_call_is_accepted_over_the_bytes_that_were_signed(house: House, encoded: bool):
    body = post_call("conv_1", STEFAN, [("user", "My name is Zoë.")]).replace(b": ", b":  ")
    function = Function(house, "post_call")
    assert function("/post-call", body, signed(house, body), encoded=encoded) == (200, {"status": "ok"})
    assert function.counted()["DeliveriesAccepted"] == 1
    house.work()
    assert house.variables(STEFAN)["caller_name"] == "Zoë"


def test_a_body_that_was_changed_is_set_aside(house: House):
    body = post_call("conv_1", STEFAN, [("user", "My name is Ana.")])
    function = Function(house, "post_call")
    assert function("/post-call", body + b" ", signed(house, body))[0] == 200
    assert function.counted()["DeliveriesQuarantined"] == 1
    assert house.services.storage.inbox.counts().pending == 0


def test_a_refused_signature_counts_as_one(build: Callable[..., House]):
    house = build(post_call_reject_status="401")
    function = Function(house, "post_call")
    assert function("/post-call", b"{}", {"ElevenLabs-Signature": "t=1,v0=00"}) == (401, {"error": "Invalid signature"})
    assert function.counted()["AuthenticationFailures"] == 1


def test_a_function_serves_its_own_path_alone(house: House):
    function = Function(house, "client_data")
    assert function("/retrieve", {"query": "x", "user_id": STEFAN})[0] == 404
    assert function("/client-data", method="GET")[0] == 405


def test_what_is_too_large_is_refused(house: House):
    body = {"caller_id": STEFAN, "more": "x" * 64_000}
    assert Function(house, "client_data")("/client-data", body, KEY) == (413, {"error": "Body too large: at most 64000 bytes"})


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.binary(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=15), inner, max_size=3),
    max_leaves=8,
)
FIELDS = ["version", "rawPath", "rawQueryString", "headers", "requestContext", "body", "isBase64Encoded"]


@given(ANYTHING | st.dictionaries(st.sampled_from(FIELDS), ANYTHING))
def test_any_event_is_a_request_or_no_json(anything: object) -> None:
    try:
        request = request_of(anything)
    except NotJSON:
        return
    assert isinstance(request.body, bytes)
    assert all(isinstance(text, str) for text in (request.method, request.path, request.client, *request.headers.values()))


@pytest.mark.parametrize("name", PATHS)
@pytest.mark.parametrize("broken", [None, [], "", {}, {"body": 7}, {"body": "%", "isBase64Encoded": True}, {"headers": ["x"], "rawPath": 3}])
def test_a_strange_event_is_the_clients_fault(house: House, name: str, broken: object):
    assert 400 <= Function(house, name).door(broken)["statusCode"] < 500


@pytest.mark.parametrize("encoded", [False, True])
def test_the_bytes_are_those_that_were_sent(encoded: bool) -> None:
    body = '{"a": "é", "b":\t"\\u00e9"}\n'.encode()
    assert request_of(event("/post-call", body, encoded=encoded)).body == body


def test_a_ring_that_takes_too_long_is_told_what_is_at_hand(house: House):
    function, stuck = Function(house, "client_data", seconds=0.05), Signal()

    def slow(*_: object) -> None:
        stuck.wait(5)

    house.services.brief_caller._backend.brief = slow  # type: ignore[attr-defined]
    status, value = function("/client-data", {"caller_id": STEFAN}, KEY)
    stuck.set()
    assert status == 200
    assert value["dynamic_variables"]["caller_id"] == STEFAN
    assert function.counted()["BriefsUnknown"] == 1


def test_a_search_that_takes_too_long_says_so(house: House):
    function, stuck = Function(house, "retrieve", seconds=0.05), Signal()

    def slow(*_: object) -> None:
        stuck.wait(5)

    house.services.search_memory._backend.search = slow  # type: ignore[attr-defined]
    answer = function("/retrieve", {"query": "tea", "user_id": STEFAN})
    stuck.set()
    assert answer == (503, {"error": "Memory is temporarily unavailable"})


def test_who_is_calling_is_noted_before_the_function_is_frozen(house: House):
    Function(house, "client_data")("/client-data", {"caller_id": STEFAN, "conversation_id": "conv_9"}, KEY)
    assert house.services.storage.records.person_of("default", "conv_9") == STEFAN


def test_a_fault_of_ours_is_no_stack_trace(house: House):
    def broken(*_: object) -> None:
        raise ZeroDivisionError("what they said")

    function = Function(house, "retrieve")
    house.services.search_memory._backend.search = broken  # type: ignore[attr-defined]
    assert function("/retrieve", {"query": "tea", "user_id": STEFAN}) == (500, {"error": "Internal error"})


def test_without_keys_the_sender_is_told_to_try_again() -> None:
    def opened() -> Opened:
        raise SecretUnavailable(reason="status 500")

    answer = HttpDoor("post_call", opened)(event("/post-call", {}))
    assert answer["statusCode"] == 503
    assert "retry-after" in answer["headers"]


def test_metrics_are_one_line_that_cloudwatch_reads(house: House):
    function = Function(house, "retrieve")
    function("/retrieve", {"query": "tea", "user_id": STEFAN})
    line = function.counted()
    about = line["_aws"]["CloudWatchMetrics"][0]
    assert about["Dimensions"] == [["Endpoint"]]
    assert line["Endpoint"] == "retrieve"
    assert {metric["Name"] for metric in about["Metrics"]} == set(line) - {"_aws", "Endpoint"}
    assert (line["SearchesNothing"], line["Requests2xx"], line["ColdStarts"]) == (1, 1, 1.0)
    assert STEFAN not in function.lines.getvalue()
    function("/retrieve", {"query": "tea", "user_id": STEFAN})
    assert function.counted()["ColdStarts"] == 0.0


def test_log_lines_bear_the_ids_of_the_request() -> None:
    class Context:
        aws_request_id = "req-1"

    handler, record = logging.NullHandler(), logging.LogRecord("x", 20, "", 1, "event", (), None)
    logging.getLogger(ROOT).addHandler(handler)
    try:
        with Traced({"headers": {"X-Amzn-Trace-Id": "Root=1-2"}}, Context()):
            handler.filter(record)
            assert record.fields == {"request": "req-1", "trace": "Root=1-2"}  # type: ignore[attr-defined]
        assert not handler.filters
    finally:
        logging.getLogger(ROOT).removeHandler(handler)


def batch(*ids: str) -> dict[str, Any]:
    return {"Records": [{"messageId": one, "body": "{}"} for one in ids]}


def queue_door(outcomes: Mapping[str, object]) -> QueueDoor:
    def work(message: Mapping[str, Any]) -> bool:
        outcome = outcomes[message["messageId"]]
        if isinstance(outcome, Exception):
            raise outcome
        return bool(outcome)

    return QueueDoor(lambda: (work, EmbeddedMetrics("worker", io.StringIO()), FrozenClock()))


def test_only_the_messages_that_failed_come_again() -> None:
    door = queue_door({"a": True, "b": False, "c": StorageUnavailable(reason="x"), "d": KeyError("x"), "e": True})
    answer = door(batch("a", "b", "c", "d", "e"))
    assert answer == {"batchItemFailures": [{"itemIdentifier": i} for i in ("b", "c", "d")]}


@pytest.mark.parametrize("warms", [True, False])
def test_a_ring_warms_only_the_process_that_searches(warms: bool, house: House) -> None:
    house.remember(post_call("conv_1", STEFAN, [("user", "I keep bees behind the old mill.")]))
    services = house.services
    before = services.cache.stats.misses
    body = json.dumps({"caller_id": STEFAN, "conversation_id": "conv_2"}).encode()
    ring = request_of(event("/client-data", body, KEY))
    response = endpoints(services, warms=warms).client_data(ring)
    assert response.afterwards is not None
    response.afterwards()
    assert services.storage.records.person_of("default", "conv_2") == STEFAN
    assert (services.cache.stats.misses > before) is warms


def test_what_fails_behind_an_answer_does_not_take_its_place(house: House, caplog: pytest.LogCaptureFixture) -> None:
    function = Function(house, "client_data")
    cases = function.opened.endpoints._cases

    def fails(conversation_id: str | None, person: str) -> None:
        raise KeyError("behind")

    object.__setattr__(cases, "afterwards", fails)
    with caplog.at_level("ERROR", "agentic_memory"):
        assert function("/client-data", {"caller_id": STEFAN}, KEY)[0] == 200
    assert "internal_error" in caplog.text


class Ending:
    """A context whose time runs out."""

    def __init__(self, *milliseconds: int) -> None:
        self._left = list(milliseconds)

    def get_remaining_time_in_millis(self) -> int:
        return self._left.pop(0)


def test_what_time_is_too_short_for_is_not_begun_and_comes_again() -> None:
    door = queue_door({"a": True, "b": KeyError("begun")})
    answer = door(batch("a", "b"), Ending(25_000, 24_999))
    assert answer == {"batchItemFailures": [{"itemIdentifier": "b"}]}
    assert door(batch("a"), Ending(25_000)) == {"batchItemFailures": []}


@pytest.mark.parametrize("strange", [None, [], {}, {"Records": None}, {"Records": "x"}])
def test_an_event_without_messages_is_no_work(strange: object) -> None:
    assert queue_door({})(strange) == {"batchItemFailures": []}


def test_a_worker_that_cannot_open_fails_the_whole_batch() -> None:
    def opened() -> Any:
        raise SecretUnavailable(reason="x")

    with pytest.raises(SecretUnavailable):
        QueueDoor(opened)(batch("a"))


def test_a_replay_is_dry_unless_it_is_told_otherwise() -> None:
    assert replay_order({}) == ReplayOrder("dead_letters", "", "", True)
    given = {"source": "archive", "prefix": "post-call/", "dry_run": False}
    assert replay_order(given) == ReplayOrder("archive", "post-call/", "", False)


@pytest.mark.parametrize(
    "order",
    [{"source": "everything"}, {"source": 7}, {"dry_run": "no"}, {"prefix": []}, {"source": "archive", "prefix": "client-data/"}],
)
def test_a_replay_that_is_not_understood_does_nothing(order: dict[str, object]) -> None:
    done: list[ReplayOrder] = []
    answer = ReplayDoor(lambda: lambda o: done.append(o) or 1)(order)  # type: ignore[func-returns-value]
    assert list(answer) == ["error"]
    assert not done


def test_a_replay_says_how_many() -> None:
    answer = ReplayDoor(lambda: lambda _: 3)({"source": "dead_letters", "dry_run": False})
    assert answer == {"source": "dead_letters", "dry_run": False, "deliveries": 3}


EVENTS = Path(__file__).parents[2] / "events"
"""For invoking one function by hand."""


def by_hand(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text("utf-8"))
    return found


def test_events_to_invoke_a_function_with_are_answered(house: House) -> None:
    house.remember(post_call("conv_1", "+15550100042", [("user", "My name is Stefan. I prefer e-mail updates.")]))
    ring = by_hand("client-data")
    ring["headers"]["x-workspace-key"] = WORKSPACE_KEY
    answer = Function(house, "client_data").door(ring)
    assert (answer["statusCode"], json.loads(answer["body"])["dynamic_variables"]["caller_name"]) == (200, "Stefan")
    answer = Function(house, "retrieve").door(by_hand("retrieve"))
    assert (answer["statusCode"], "e-mail" in answer["body"]) == (200, True)
    assert Function(house, "post_call").door(by_hand("post-call"))["statusCode"] == 200
    assert house.services.storage.inbox.counts().quarantined == 1


def test_events_to_replay_and_to_forget_with_are_understood() -> None:
    orders = {name: replay_order(by_hand(name)) for name in ("replay-dry-run", "replay-conversation")}
    assert orders["replay-dry-run"] == ReplayOrder("dead_letters", "", "", True)
    assert orders["replay-conversation"] == ReplayOrder("dead_letters", "", "conv_example", False)
    asked: list[tuple[str, bool]] = []

    def erase(caller_id: str, *, dry_run: bool) -> Mapping[str, int]:
        asked.append((caller_id, dry_run))
        return {"waiting": 0}

    assert ForgetDoor(lambda: erase)(by_hand("forget-dry-run")) == {"dry_run": True, "waiting": 0}
    assert asked == [("+15550100042", True)]
