"""A client of our own server: one connection, each request timed."""

import http.client
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from agentic_memory.interfaces.cli.group import Refused, WrongUsage
from agentic_memory.ports import Clock

JSON = {"Content-Type": "application/json"}


class NoAnswer(Refused):
    """The server cannot be asked."""

    def __init__(self, url: str, reason: str) -> None:
        """`reason`: what the connection died of."""
        super().__init__(
            f"No answer from {url} ({reason}). Start the server with `agentic-memory serve`, "
            "or name another with --url."
        )


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, and how long it took."""

    status: int
    body: bytes
    milliseconds: float
    """From before the request was sent until its answer was read."""

    @property
    def value(self) -> dict[str, object]:
        """The JSON object in the body; empty where there is none."""
        try:
            found = json.loads(self.body)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}


class Client:
    """Asks one server, over one connection that is kept open."""

    def __init__(self, url: str, clock: Clock, timeout: float = 10.0) -> None:
        """`url`: scheme, host and port, and a path that goes before every other; `timeout` in seconds.

        Raises Refused for what is no such address.
        """
        parts = _parts(url)
        self.url = f"{parts.scheme}://{parts.netloc}{parts.path}".rstrip("/")
        self._prefix = parts.path.rstrip("/")
        self._clock = clock
        self._connection = _connection(parts, timeout)

    def get(self, path: str) -> Answer:
        """Raises NoAnswer."""
        return self._ask("GET", path, b"", {})

    def post(self, path: str, body: bytes, headers: Mapping[str, str] | None = None) -> Answer:
        """`body` is JSON. Raises NoAnswer."""
        return self._ask("POST", path, body, JSON | dict(headers or {}))

    def post_value(
        self, path: str, value: object, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Raises NoAnswer."""
        return self.post(path, json.dumps(value).encode(), headers)

    def close(self) -> None:
        """Let go of the connection."""
        self._connection.close()

    def _ask(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        started = self._clock.monotonic()
        try:
            self._connection.request(method, self._prefix + path, body or None, dict(headers))
            response = self._connection.getresponse()
            answered = response.read()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            reason = (isinstance(error, OSError) and error.strerror) or type(error).__name__
            raise NoAnswer(self.url, reason) from error
        took = (self._clock.monotonic() - started) * 1000
        return Answer(response.status, answered, took)


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url if "//" in url else f"http://{url}")
        named = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
        valid = named and url.isascii() and url.isprintable() and " " not in url
    except ValueError:  # a port that is no number
        valid = None
    if not valid:
        raise WrongUsage(f"{url!r} is no http address such as http://127.0.0.1:8000.")
    return parts


def _connection(parts: SplitResult, timeout: float) -> http.client.HTTPConnection:
    host, port = parts.hostname or "", parts.port
    if parts.scheme == "https":
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(host, port, timeout=timeout, context=context)
    return http.client.HTTPConnection(host, port, timeout=timeout)
