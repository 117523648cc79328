"""`call`: what is sent, how it is signed, what is said about the answer."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from agentic_memory.bootstrap import SystemClock
from agentic_memory.interfaces.demo.script import CALLS, SAMPLES
from agentic_memory.platforms.elevenlabs.signature import verify
from tests.unit.cli.conftest import Run

SECRET = "wsec_call"


class Receiver:
    """A server that keeps what it is sent."""

    def __init__(self) -> None:
        self.received: list[tuple[str, bytes]] = []
        self.status = 200
        self.pending = [9, 9, 2, 1, 0]  # the looks before and after sending come first
        self.quarantined = [0]
        self.dead = [0]
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.received.append((self.headers["ElevenLabs-Signature"], body))
                self.answer(receiver.status, b'{"status":"ok"}')

            def do_GET(self) -> None:
                names = ("pending", "quarantined", "dead")
                inbox = {name: receiver.next(getattr(receiver, name)) for name in names}
                self.answer(200, json.dumps({"inbox": inbox}).encode())

            def answer(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    @staticmethod
    def next(values: list[int]) -> int:
        return values.pop(0) if len(values) > 1 else values[0]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    thread = threading.Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


def is_signed(receiver: Receiver, secret: str) -> bool:
    header, body = receiver.received[-1]
    return verify(body, header, [secret], SystemClock().now()).ok


def test_a_sample_goes_out_signed(run: Run, receiver: Receiver) -> None:
    done = run("call", "stefan-1", "--url", receiver.url, "--key", SECRET)
    assert done.exit_code == 0
    assert done.stdout.startswith('200 {"status":"ok"}')
    assert is_signed(receiver, SECRET)
    assert json.loads(receiver.received[0][1]) == SAMPLES["stefan-1"].webhook()


def test_a_file_goes_out_byte_for_byte(run: Run, receiver: Receiver, tmp_path: Path) -> None:
    (tmp_path / "payload.json").write_bytes(b' {"any": "thing"}\n')
    run("call", "payload.json", "--url", receiver.url, "--key", SECRET)
    assert receiver.received[0][1] == b' {"any": "thing"}\n'
    assert is_signed(receiver, SECRET)


def test_standard_input_too(run: Run, receiver: Receiver) -> None:
    run("call", "-", "--url", receiver.url, input="\N{SNOWMAN}", ELEVENLABS_HMAC_KEY=f"{SECRET},older")
    assert receiver.received[0][1] == "\N{SNOWMAN}".encode()
    assert is_signed(receiver, SECRET)


def test_the_development_key_of_the_data_folder(run: Run, receiver: Receiver, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "development-keys.env").write_text(f"ELEVENLABS_HMAC_KEY={SECRET}\nELEVENLABS_WORKSPACE_KEY=w\n")
    run("call", "stefan-1", "--url", receiver.url)
    assert is_signed(receiver, SECRET)


def test_with_no_key_at_all(run: Run, tmp_path: Path) -> None:
    done = run("call", "stefan-1")
    assert done.exit_code == 2
    assert "There is no webhook secret" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_address_is_the_settings(run: Run, receiver: Receiver) -> None:
    run("call", "stefan-1", "--key", SECRET, PORT=str(receiver.server.server_port), HOST="0.0.0.0")
    assert len(receiver.received) == 1


def test_following_waits_until_nothing_is_pending(run: Run, receiver: Receiver) -> None:
    done = run("call", "stefan-1", "--url", receiver.url, "--key", SECRET, "--follow")
    assert done.exit_code == 0
    assert receiver.pending == [0]
    assert "Nothing is pending any more" in done.stderr


def test_a_signature_that_was_not_accepted(run: Run, receiver: Receiver) -> None:
    receiver.quarantined = [3, 4]
    done = run("call", "stefan-1", "--url", receiver.url, "--key", SECRET, "--follow")
    assert done.exit_code == 1
    assert "did not accept the signature" in done.stderr


def test_a_delivery_that_died(run: Run, receiver: Receiver) -> None:
    receiver.dead = [1, 1, 1, 1, 2]
    done = run("call", "stefan-1", "--url", receiver.url, "--key", SECRET, "--follow")
    assert done.exit_code == 1
    assert "It could not be processed" in done.stderr


def test_what_died_earlier_is_no_failure_but_told(run: Run, receiver: Receiver) -> None:
    receiver.dead = [1]
    done = run("call", "stefan-1", "--url", receiver.url, "--key", SECRET, "--follow")
    assert done.exit_code == 0
    assert "Dead letters remain of earlier deliveries" in done.stderr


def test_a_refusal_is_a_failure(run: Run, receiver: Receiver) -> None:
    receiver.status = 401
    done = run("call", "stefan-1", "--url", receiver.url, "--key", SECRET, "--json")
    assert done.exit_code == 1
    assert json.loads(done.stdout)["status"] == 401
    assert "answered 401" in done.stderr


def test_nobody_there(run: Run) -> None:
    done = run("call", "stefan-1", "--url", "http://127.0.0.1:1", "--key", SECRET)
    assert done.exit_code == 1
    assert "No answer from http://127.0.0.1:1" in done.stderr


@pytest.mark.parametrize("url", ["ftp://127.0.0.1", "http://", "http://127.0.0.1:port", "http://[::1", ""])
def test_an_address_that_is_none(run: Run, url: str) -> None:
    done = run("call", "stefan-1", "--url", url or "//", "--key", SECRET)
    assert done.exit_code == 2
    assert "no http address" in done.stderr


def test_neither_file_nor_sample(run: Run) -> None:
    done = run("call", "nothing.json", "--key", SECRET)
    assert done.exit_code == 2
    assert "neither a file nor a sample" in done.stderr


def test_without_arguments_it_lists_the_samples(run: Run) -> None:
    done = run("call")
    assert done.exit_code == 0
    assert all(call.name in done.stdout for call in CALLS)
