"""The ASGI door: deadlines, sizes, and what a client never sees."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from agentic_memory.interfaces import server
from agentic_memory.interfaces.asgi import App
from agentic_memory.ports import RecordStore
from tests.wire import STEFAN, WORKSPACE_KEY, House, post_call

Build = Callable[..., House]
Answer = tuple[int, dict[str, str], bytes]


async def exchange(
    app: App, path: str, chunks: Iterable[bytes] = (b"",), method: str = "POST", client: str = "127.0.0.1", **headers: str
) -> Answer:
    """One request as an ASGI server would make it."""
    pieces = list(chunks)
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if not pieces:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": pieces.pop(0), "more_body": bool(pieces)}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {
        "type": "http", "method": method, "path": path, "raw_path": path.encode(),
        "query_string": b"", "headers": named, "client": (client, 1234),
    }  # fmt: skip
    await app(scope, receive, send)
    assert sent[0]["type"] == "http.response.start"
    body = b"".join(message.get("body", b"") for message in sent[1:])
    assert not sent[-1].get("more_body")
    return sent[0]["status"], {k.decode(): v.decode() for k, v in sent[0]["headers"]}, body


def ask(house: House, path: str, *given: Any, **more: Any) -> Answer:
    app = server.application(house.services, development=True)
    return asyncio.run(exchange(app, path, *given, **more))


def ring(caller: str = STEFAN) -> list[bytes]:
    return [json.dumps({"caller_id": caller}).encode()]


@pytest.fixture
def stuck(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Callable[[House], None]]:
    """Make the house's store hang until the test ends."""
    release = threading.Event()

    def hang(house: House) -> None:
        store: RecordStore = house.services.storage.records
        monkeypatch.setattr(store, "caller", lambda *_: release.wait(10))

    yield hang
    release.set()


def test_a_ring_that_takes_too_long_gets_what_is_at_hand(build: Build, stuck):
    house = build()
    house.remember(post_call("conv_1", collected={"user_name": "Stefan"}))
    app = server.application(house.services)
    _, headers, _ = asyncio.run(exchange(app, "/client-data", ring(), x_workspace_key=WORKSPACE_KEY))
    assert 'tier;desc="fresh"' in headers["server-timing"]
    stuck(house)
    hurried = replace(house.services.settings, client_data_timeout=0.05)
    house = replace(house, services=replace(house.services, settings=hurried))
    status, headers, body = ask(house, "/client-data", ring(), x_workspace_key=WORKSPACE_KEY)
    assert (status, json.loads(body)["dynamic_variables"]["caller_name"]) == (200, "Stefan")
    assert 'tier;desc="last_good"' in headers["server-timing"]
    status, _, body = ask(house, "/client-data", ring("+15550100098"), x_workspace_key=WORKSPACE_KEY)
    variables = json.loads(body)["dynamic_variables"]
    assert (status, variables["returning_caller"], variables["caller_name"]) == (200, "no", "")


def test_a_late_ring_still_needs_its_key(build: Build, stuck):
    house = build(client_data_timeout="0.05")
    stuck(house)
    assert ask(house, "/client-data", ring(), x_workspace_key="no")[0] == 401


def test_a_search_that_takes_too_long_is_trouble_remembering(build: Build, stuck):
    house = build(retrieve_timeout="0.05")
    stuck(house)
    body = json.dumps({"query": "x", "user_id": STEFAN}).encode()
    status, headers, answer = ask(house, "/retrieve", [body])
    assert (status, json.loads(answer)) == (503, {"error": "Memory is temporarily unavailable"})
    assert headers["retry-after"] == "30"


def test_a_fault_of_ours_shows_no_stack_trace(house: House, monkeypatch, caplog):
    def fault(*_: object) -> None:
        raise RuntimeError("secret words of a caller")

    monkeypatch.setattr(house.services.storage.records, "caller", fault)
    body = json.dumps({"query": "x", "user_id": STEFAN}).encode()
    with caplog.at_level("ERROR", "agentic_memory"):
        status, _, answer = ask(house, "/retrieve", [body])
    assert (status, json.loads(answer)) == (500, {"error": "Internal error"})
    logged = [record for record in caplog.records if record.getMessage() == "internal_error"]
    assert logged and logged[0].fields["at"].startswith("RuntimeError at test_asgi.py:")
    assert "secret words" not in caplog.text


def test_bodies_beyond_the_bound_are_refused_before_they_are_read(build: Build):
    house = build(max_body_bytes="1000", max_audio_bytes="2000")
    long = [b"x" * 600] * 2
    assert ask(house, "/post-call", long)[0] == 413
    assert ask(house, "/post-call", [b""], content_length="1001")[0] == 413
    assert ask(house, "/client-data", [b"x" * 70_000], x_workspace_key=WORKSPACE_KEY)[0] == 413
    status, _, body = ask(house, "/retrieve", [b"", b"x" * 70_000])
    assert (status, json.loads(body)) == (413, {"error": "Body too large: at most 64000 bytes"})


def test_only_what_seems_signed_may_be_as_long_as_a_recording(build: Build):
    from agentic_memory.platforms.elevenlabs.signature import sign
    from tests.wire import HMAC_KEY

    house = build(max_body_bytes="1000", max_audio_bytes="5000")
    audio = b'{"type":"post_call_audio","data":{"conversation_id":"c","full_audio":"' + b"A" * 2000 + b'"}}'
    transcript = post_call("c", turns=[("user", "x" * 2000)])

    def send(body: bytes, *, signed: bool) -> int:
        header = sign(body, HMAC_KEY, int(house.clock.now())) if signed else "t=1,v0=00"
        return ask(house, "/post-call", [body[:900], body[900:]], elevenlabs_signature=header)[0]

    assert send(audio, signed=True) == 200
    assert send(audio, signed=False) == 413
    assert send(transcript, signed=True) == 413
    assert send(audio.replace(b"A" * 2000, b"A" * 6000), signed=True) == 413


def test_a_body_that_does_not_come_is_not_waited_for(house: House, monkeypatch):
    monkeypatch.setattr("agentic_memory.interfaces.asgi.BODY_SECONDS", 0.05)
    app = server.application(house.services)
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if not sent:
            await asyncio.Event().wait()
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/retrieve", "query_string": b"", "headers": []}
    asyncio.run(asyncio.wait_for(app(scope, receive, send), 60))
    assert sent[0]["status"] == 408


def test_too_many_requests_of_one_address(build: Build):
    house = build(rate_limit="0.1")
    app = server.application(house.services)

    async def twice(client: str) -> list[Answer]:
        return [await exchange(app, "/healthz", method="GET", client=client) for _ in range(2)]

    first, second = asyncio.run(twice("192.0.2.1"))
    assert (first[0], second[0]) == (200, 429)
    assert json.loads(second[2])["error"].startswith("Too many requests")
    assert int(second[1]["retry-after"]) >= 1
    assert [answer[0] for answer in asyncio.run(twice("127.0.0.1"))] == [200, 200]


def test_too_many_parameters_are_a_request_error(house: House):
    app = server.application(house.services, development=True)
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    query = "&".join(f"a{i}=1" for i in range(101)).encode()
    scope = {"type": "http", "method": "GET", "path": "/v1/callers", "query_string": query, "headers": []}
    asyncio.run(app(scope, receive, send))
    assert sent[0]["status"] == 400
    assert json.loads(sent[1]["body"]) == {"error": "Invalid query: expected at most 100 parameters"}


def test_head_answers_as_get_without_a_body(house: House):
    status, headers, body = ask(house, "/healthz", method="HEAD")
    assert (status, body) == (200, b"")
    assert headers["content-type"] == "application/json"


def test_every_answer_says_how_long_it_took(house: House):
    headers: Mapping[str, str] = ask(house, "/healthz", method="GET")[1]
    name, duration = headers["server-timing"].split(";dur=")
    assert name == "total" and float(duration) >= 0


def test_a_streamed_answer_comes_whole(house: House):
    for i in range(5):
        house.remember(post_call(f"conv_{i}", f"+1555010001{i}"))
    status, headers, body = ask(house, "/v1/export", method="GET", host="localhost")
    assert (status, len(body.splitlines())) == (200, 5)
    assert "content-length" not in headers


def test_life_starts_the_worker_and_ends_it(house: House):
    house.services.bell.listener = None
    app = server.application(replace(house.services))
    messages = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
    sent: list[str] = []

    async def receive() -> dict[str, Any]:
        return messages.pop(0)

    async def send(message: dict[str, Any]) -> None:
        sent.append(message["type"])

    asyncio.run(app({"type": "lifespan"}, receive, send))
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert house.services.bell.is_heard is not None and not house.services.bell.is_heard()
