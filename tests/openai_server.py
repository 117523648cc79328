"""A server on loopback that speaks the chat completions protocol, well or badly as a test asks."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Answer:
    """What the server sends: status, body, its type."""

    body: bytes
    status: int = 200
    content_type: str = "application/json"
    slow: bool = False
    """Hold the answer back until the server is closed."""
    dripping: bool = False
    """Send the headers and a space now and then, never the whole body."""


def completion(content: object) -> Answer:
    """A chat completion whose message is this text, or this value as JSON."""
    text = content if isinstance(content, str) else json.dumps(content)
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
    envelope = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "test", "choices": [choice]}
    return Answer(json.dumps(envelope).encode())


def refusal(status: int, message: str = "no") -> Answer:
    """An error as the protocol words it."""
    return Answer(json.dumps({"error": {"message": message, "type": "invalid_request_error"}}).encode(), status)


@dataclass
class OpenAIServer:
    """The running server: where it is, what it was asked, what it answers next."""

    respond: Callable[[dict[str, Any]], Answer]
    requests: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    """Names in lower case."""
    base_url: str = ""
    closing: threading.Event = field(default_factory=threading.Event)

    @property
    def prompt(self) -> str:
        """What the user message of the last request said."""
        return str(self.requests[-1]["messages"][-1]["content"])


@contextmanager
def openai_server(respond: Callable[[dict[str, Any]], Answer] | Answer) -> Iterator[OpenAIServer]:
    """Serve until the block ends; slow answers are let go then."""
    fixed = respond
    server = OpenAIServer(fixed if callable(fixed) else lambda _request: fixed)
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), _handler(server))
    httpd.daemon_threads = True
    server.base_url = f"http://127.0.0.1:{httpd.server_address[1]}/v1"
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.closing.set()
        httpd.shutdown()
        thread.join()
        httpd.server_close()


def _handler(server: OpenAIServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            server.requests.append({"path": self.path, **request})
            server.headers.append({name.lower(): value for name, value in self.headers.items()})
            answer = server.respond(request)
            if answer.slow:
                server.closing.wait(10)
                self.close_connection = True
                return
            self._answer(answer)

        def _answer(self, answer: Answer) -> None:
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.content_type)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            if answer.dripping:
                self._drip()
            else:
                self.wfile.write(answer.body)

        def _drip(self) -> None:
            self.close_connection = True
            while not server.closing.wait(0.02):
                try:
                    self.wfile.write(b" ")
                except OSError:
                    return

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler
