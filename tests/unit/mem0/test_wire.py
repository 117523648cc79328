"""The exchange itself: encrypted, over connections that are kept."""

import select
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from agentic_memory.backends.mem0_cloud.wire import Wire
from agentic_memory.errors import MemoryServiceUnavailable


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    connections: set[object]

    def do_GET(self) -> None:
        self.connections.add(self.client_address)
        self.send_response(200)
        if self.path == "/until-the-end":
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(b"x" * 100_000)
            self.close_connection = True
            return
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")
        self.close_connection = self.path == "/and-hang-up"

    def log_message(self, format: str, *args: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        pass


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 with its key, in one file."""
    folder = tmp_path_factory.mktemp("tls")
    made, key = folder / "made.crt", folder / "made.secret"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    more = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(made)]
    subprocess.run([*command, *more], check=True, capture_output=True)
    made.write_text(made.read_text() + key.read_text())
    return made


@pytest.fixture(params=["http", "https"])
def served(request: pytest.FixtureRequest) -> Iterator[tuple[Wire, set[object]]]:
    connections: set[object] = set()
    server = Server(("127.0.0.1", 0), type("Bound", (Handler,), {"connections": connections}))
    trusted = None
    if request.param == "https":
        file = request.getfixturevalue("certificate")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        trusted = ssl.create_default_context(cafile=file)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    wire = Wire(f"{request.param}://127.0.0.1:{server.server_address[1]}", time.monotonic, trusted)
    yield wire, connections
    wire.close()
    server.shutdown()
    thread.join()
    server.server_close()


def get(wire: Wire, path: str = "/") -> bytes:
    return wire.exchange("GET", path, {}, None, time.monotonic() + 30).body


def wait_for_what_comes_unasked(wire: Wire) -> None:
    """On the connection that is kept: its end, or session tickets of TLS."""
    (connection,) = wire._kept
    assert select.select([connection._socket._inner], [], [], 30)[0]


def test_a_connection_is_kept(served: tuple[Wire, set[object]]) -> None:
    wire, connections = served
    assert [get(wire) for _ in range(3)] == [b"ok"] * 3
    assert len(connections) == 1


def test_a_connection_opened_in_advance_is_the_one_that_is_used(served: tuple[Wire, set[object]]) -> None:
    wire, connections = served
    wire.warm(time.monotonic() + 30)
    if wire._is_secure:
        wait_for_what_comes_unasked(wire)
    assert get(wire) == b"ok"
    assert get(wire) == b"ok"
    assert len(connections) == 1


def test_a_connection_that_was_closed_is_not_used_again(served: tuple[Wire, set[object]]) -> None:
    wire, connections = served
    assert get(wire, "/and-hang-up") == b"ok"
    wait_for_what_comes_unasked(wire)
    assert get(wire) == b"ok"
    assert len(connections) == 2


def test_a_body_that_ends_with_the_connection_is_whole(served: tuple[Wire, set[object]]) -> None:
    wire, _ = served
    assert len(get(wire, "/until-the-end")) == 100_000
    assert get(wire) == b"ok"


def test_several_threads_do_not_share_a_connection(served: tuple[Wire, set[object]]) -> None:
    wire, _ = served
    answers: list[bytes] = []
    threads = [threading.Thread(target=lambda: answers.extend(get(wire) for _ in range(5))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [b"ok"] * 20


def test_a_stranger_is_not_believed(certificate: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = Server(("127.0.0.1", 0), type("Bound", (Handler,), {"connections": set()}))
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        with pytest.raises(MemoryServiceUnavailable, match="SSLCertVerificationError"):
            get(Wire(f"https://127.0.0.1:{server.server_address[1]}", time.monotonic))
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_deadline_that_has_passed_sends_nothing(served: tuple[Wire, set[object]]) -> None:
    wire, connections = served
    acts: tuple[Callable[[], object], ...] = (lambda: wire.exchange("GET", "/", {}, None, time.monotonic() - 1),)
    for act in acts:
        with pytest.raises(MemoryServiceUnavailable, match="in time"):
            act()
    assert connections == set()
