"""Whatever is sent, the server answers in the form it promises, never with 5xx, and lives on."""

import json
import random
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import (
    load_all_checks,
    not_a_server_error,
)
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from agentic_memory.interfaces.openapi import description
from agentic_memory.platforms.elevenlabs.signature import sign
from tests.acceptance.crash.traffic import body, caller, conversation
from tests.acceptance.crash.victim import ADMIN_KEY, HMAC_KEY, WORKSPACE_KEY, Victim, free_port

pytestmark = [pytest.mark.acceptance, pytest.mark.slow, pytest.mark.timeout(180)]

load_all_checks()
CHECKS: list[Any] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
EXAMPLES = 50
PROMPT_SECONDS = 5.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Victim]:
    """A server that remembers a few calls and has a dead letter."""
    victim = Victim(tmp_path_factory.mktemp("fuzz"), free_port())
    victim.start()
    try:
        victim.wait_until_up()
        for index in range(4):
            deliver(victim, body(index, callers=2))
        deliver(victim, b"this is no JSON")
        wait_until_processed(victim)
        yield victim
        assert "internal_error" not in victim.log
    finally:
        victim.end()


def deliver(server: Victim, content: bytes) -> None:
    signature = sign(content, HMAC_KEY, int(time.time()))  # noqa: TID251  the server checks the age
    answer = exchange(server, post("/post-call", content, f"ElevenLabs-Signature: {signature}"))
    assert status(answer) == 200, answer


def wait_until_processed(server: Victim) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if server.get("/readyz")[1]["inbox"]["pending"] == 0:  # type: ignore[index]
            return
        time.sleep(0.02)
    raise TimeoutError(server.log[-2000:])


API = schemathesis.openapi.from_dict(description())
OPERATIONS = {found.ok().label: found.ok() for found in API.get_all_operations()}
KEYS = {"/client-data": {"X-Workspace-Key": WORKSPACE_KEY}, "/retrieve": {}}
ADMIN = {"Authorization": f"Bearer {ADMIN_KEY}"}


CASES = [
    (label, mode)
    for label in sorted(OPERATIONS, key=lambda label: label.startswith("DELETE"))
    for mode in GenerationMode
]
"""Each operation with what it expects, and with what it does not; what erases comes last."""
NOTHING_TO_GET_WRONG = {"GET /healthz", "GET /readyz", "GET /v1/openapi.json", "GET /metrics"}


@pytest.mark.parametrize(
    ("label", "mode"),
    [c for c in CASES if c[0] not in NOTHING_TO_GET_WRONG or c[1] is GenerationMode.POSITIVE],
    ids=lambda part: part.value if isinstance(part, GenerationMode) else part,
)
def test_every_answer_keeps_to_the_description(server: Victim, label: str, mode: GenerationMode) -> None:
    operation = OPERATIONS[label]
    known = known_ids(server)

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode), real=st.booleans())
    def holds(case: Any, real: bool) -> None:
        if real and case.path_parameters:
            case.path_parameters.update({k: known[k] for k in case.path_parameters if k in known})
        keys = KEYS.get(case.path, ADMIN)
        answer = case.call(base_url=f"http://127.0.0.1:{server.port}", headers=keys)
        case.validate_response(answer, checks=CHECKS)
        if answer.status_code >= 400:
            assert list(answer.json()) == ["error"]
            assert isinstance(answer.json()["error"], str)

    holds()


def known_ids(server: Victim) -> dict[str, str]:
    """Ids that stand for something, of the caller whom the fuzz may change and erase."""
    found = server.get(f"/v1/callers/%2B{caller(1)[1:]}/memories")[1]
    memories = found.get("memories") or [{"id": "none"}]  # type: ignore[attr-defined]
    return {"caller_id": caller(1), "conversation_id": conversation(1), "memory_id": memories[0]["id"]}


def test_the_description_is_served(server: Victim) -> None:
    assert server.get("/v1/openapi.json") == (200, json.loads(json.dumps(description())))


def post(path: str, content: bytes, *headers: str, length: int | None = None) -> bytes:
    """A request on the wire; `length` is what it claims, where that is not the truth."""
    claimed = len(content) if length is None else length
    lines = (f"POST {path} HTTP/1.1", "Host: localhost", f"Content-Length: {claimed}", *headers)
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + content


def ring(content: bytes, **more: Any) -> bytes:
    return post("/client-data", content, f"X-Workspace-Key: {WORKSPACE_KEY}", **more)


def chunked(path: str, chunks: bytes, *headers: str) -> bytes:
    lines = (f"POST {path} HTTP/1.1", "Host: localhost", "Transfer-Encoding: chunked", *headers)
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + chunks


def exchange(server: Victim, data: bytes, *, shut: bool = False, patience: float = PROMPT_SECONDS) -> bytes:
    """Send, and read until one answer is whole, the server hangs up or `patience` is over."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=patience) as wire:
        try:
            wire.sendall(data)
            if shut:
                wire.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # it has hung up already; its answer may still be there
        return read_answer(wire)


def read_answer(wire: socket.socket) -> bytes:
    answer = b""
    try:
        while not is_whole(answer):
            piece = wire.recv(65536)
            if not piece:
                break
            answer += piece
    except OSError:
        pass
    return answer


def is_whole(answer: bytes) -> bool:
    head, found, content = answer.partition(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    return bool(found) and bool(lengths) and len(content) >= int(lengths[0].split(b":")[1])


def status(answer: bytes) -> int:
    """0 for a connection that was closed, or left without an answer."""
    return int(answer[9:12]) if answer.startswith(b"HTTP/1.") else 0


def assert_lives(server: Victim) -> None:
    answer = exchange(server, ring(json.dumps({"caller_id": caller(0)}).encode()))
    assert status(answer) == 200, answer
    assert b'"returning_caller":"yes"' in answer


DEEP = b'{"caller_id":' + b"[" * 30_000 + b"]" * 30_000 + b"}"

BAD_RINGS = {
    "nothing": b"",
    "not JSON": b"{caller_id}",
    "an array": b'["+15550100001"]',
    "a bare number": b"5",
    "cut short": b'{"caller_id": "+1555',
    "too deep": DEEP,
    "not UTF-8": b'{"caller_id": "\xff\xfe"}',
    "UTF-16": '{"caller_id": "+15550100001"}'.encode("utf-16"),
    "a byte-order mark": b'\xef\xbb\xbf{"caller_id": "+15550100001"}',
    "no caller_id": b'{"callerid": "+15550100001"}',
    "a list for a number": b'{"caller_id": ["+15550100001"]}',
    "infinity": b'{"caller_id": Infinity}',
    "trailing bytes": b'{"caller_id": "x"} {"caller_id": "y"}',
}


@pytest.mark.parametrize("content", BAD_RINGS.values(), ids=BAD_RINGS.keys())
def test_a_body_of_no_use_is_refused_in_one_shape(server: Victim, content: bytes) -> None:
    answer = exchange(server, ring(content))
    assert status(answer) == 400, answer[:500]
    assert list(json.loads(answer.partition(b"\r\n\r\n")[2])) == ["error"]


HALF = ring(b'{"caller_id": "+15550100001"}')
BROKEN_WIRES = {
    "no HTTP at all": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "an endless line": b"A" * 100_000,
    "a negative length": ring(b"{}", length=-1),
    "a length in words": post("/client-data", b"{}", "Content-Length: two"),
    "two lengths": post("/client-data", b"{}", "Content-Length: 7"),
    "a length and chunks": post("/client-data", b"0\r\n\r\n", "Transfer-Encoding: chunked"),
    "a chunk size of no number": chunked("/client-data", b"zz\r\n{}\r\n0\r\n\r\n"),
    "a chunk size beyond all bounds": chunked("/client-data", b"ffffffffffffffffff\r\n{}\r\n0\r\n\r\n"),
    "a null in a header": b"GET /healthz HTTP/1.1\r\nHost: a\x00b\r\n\r\n",
    "a header without a colon": b"GET /healthz HTTP/1.1\r\nHost localhost\r\n\r\n",
    "a space in the path": b"GET /health z HTTP/1.1\r\nHost: localhost\r\n\r\n",
}


@pytest.mark.parametrize("data", BROKEN_WIRES.values(), ids=BROKEN_WIRES.keys())
def test_broken_http_is_refused_and_harms_nobody(server: Victim, data: bytes) -> None:
    assert status(exchange(server, data, shut=True)) in {0, 400, 401, 413}
    assert_lives(server)


def test_a_body_shorter_than_it_claims_is_not_answered(server: Victim) -> None:
    assert status(exchange(server, ring(b'{"caller_id": "x"}', length=500), shut=True)) == 0
    assert_lives(server)


def test_what_follows_a_body_is_read_as_the_next_request(server: Victim) -> None:
    two = ring(b'{"caller_id": "+15550100001"}') + b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=PROMPT_SECONDS) as wire:
        wire.sendall(two)
        first = read_answer(wire)
        rest = first.partition(b'{"status":"ok"}')[1] or read_answer(wire)
    assert status(first) == 200
    assert rest.endswith(b'{"status":"ok"}')


def test_chunks_make_a_body(server: Victim) -> None:
    content = b'{"caller_id": "+15550100000"}'
    pieces = b"".join(b"1\r\n%c\r\n" % byte for byte in content) + b"0\r\n\r\n"
    answer = exchange(server, chunked("/client-data", pieces, f"X-Workspace-Key: {WORKSPACE_KEY}"))
    assert status(answer) == 200, answer


def signed(content: bytes, secret: str = HMAC_KEY) -> str:
    return f"ElevenLabs-Signature: {sign(content, secret, int(time.time()))}"  # noqa: TID251  the server checks the age


ELEVEN_MB = b'{"type": "post_call_transcription", "x": "' + b"x" * 11_000_000 + b'"}'


def test_eleven_megabytes_of_transcript_are_too_much(server: Victim) -> None:
    pieces = b"%x\r\n" % len(ELEVEN_MB) + ELEVEN_MB + b"\r\n0\r\n\r\n"
    for data in (
        post("/post-call", ELEVEN_MB),
        post("/post-call", ELEVEN_MB, signed(ELEVEN_MB)),
        chunked("/post-call", pieces),
        chunked("/post-call", pieces, signed(ELEVEN_MB)),
    ):
        answer = exchange(server, data)
        assert status(answer) == 413, answer
    assert_lives(server)


def test_a_claim_of_a_terabyte_is_refused_before_it_comes(server: Victim) -> None:
    assert status(exchange(server, post("/post-call", b"{", length=10**12))) == 413
    assert status(exchange(server, ring(b"{", length=10**12))) == 413
    assert status(exchange(server, ring(b" " * 70_000))) == 413


def test_deep_json_that_is_signed_becomes_a_dead_letter(server: Victim) -> None:
    _, before = server.get("/v1/dead-letters?limit=500")
    deliver(server, b'{"type": "post_call_transcription", "data": ' + b"[" * 100_000 + b"]" * 100_000 + b"}")
    wait_until_processed(server)
    _, after = server.get("/v1/dead-letters?limit=500")
    assert len(after["dead_letters"]) == len(before["dead_letters"]) + 1  # type: ignore[index]
    assert_lives(server)


def test_headers_beyond_all_measure_harm_nobody(server: Victim) -> None:
    many = [f"X-Header-{n}: {n}" for n in range(20_000)]
    for headers in (many, [f"X-Long: {'x' * 2_000_000}"], [f"X-Workspace-Key: {chr(0xE9) * 5000}"]):
        answer = exchange(server, post("/client-data", b'{"caller_id": "x"}', *headers))
        assert status(answer) in {0, 400, 401, 431}, answer[:300]
    assert_lives(server)


def test_a_header_without_an_end_is_cut_off(server: Victim) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=PROMPT_SECONDS) as wire:
        wire.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Long: ")
        with pytest.raises(OSError, match=r"(?i)pipe|reset"):
            for _ in range(30):
                wire.sendall(b"x" * 1_000_000)
    assert_lives(server)


def test_slow_clients_do_not_hold_up_the_others(server: Victim) -> None:
    slow = [socket.create_connection(("127.0.0.1", server.port), timeout=30) for _ in range(100)]
    try:
        for n, wire in enumerate(slow):
            wire.sendall(HALF[: 1 + n % (len(HALF) - 1)])
        began = time.monotonic()
        assert_lives(server)
        assert time.monotonic() - began < PROMPT_SECONDS
        slow[-1].sendall(HALF[1 + 99 % (len(HALF) - 1) :])
        assert status(read_answer(slow[-1])) == 200
    finally:
        for wire in slow:
            wire.close()


@pytest.mark.parametrize("method", ["OPTIONS", "TRACE", "PUT", "DELETE", "PATCH", "FOO"])
def test_other_methods_are_not_allowed(server: Victim, method: str) -> None:
    answer = exchange(server, f"{method} /retrieve HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    assert status(answer) in ({400, 405} if method == "FOO" else {405}), answer
    assert_lives(server)


def test_an_upgrade_to_a_websocket_is_not_an_error_of_ours(server: Victim) -> None:
    upgrade = (
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    assert status(exchange(server, upgrade)) in {200, 400, 404, 426}


@pytest.mark.parametrize(
    "path",
    ["/v1/callers/%00", "/v1/callers/%FF%FE", "/v1/callers/..%2F..%2Fetc", "/v1/callers/%2B", "/%", "//", "/Prod"],
)
def test_odd_paths_are_not_found(server: Victim, path: str) -> None:
    request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {ADMIN_KEY}\r\n\r\n"
    assert status(exchange(server, request.encode())) in {400, 404}
    assert_lives(server)


def test_random_bytes_harm_nobody(server: Victim) -> None:
    dice = random.Random(5)
    good = ring(b'{"caller_id": "+15550100000"}')
    for _ in range(200):
        data = bytearray(good)
        for _ in range(dice.randrange(1, 12)):
            data[dice.randrange(len(data))] = dice.randrange(256)
        cut = dice.randrange(len(data) // 2, len(data) + 1)
        assert status(exchange(server, bytes(data[:cut]), shut=True)) < 500
    assert_lives(server)
