"""HTTP to one host: kept connections, and a deadline for a whole exchange rather than for each read.

The standard library does it: no client to install, and a fraction of one's import time on a cold start.
"""

import http.client
import io
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from agentic_memory.errors import MemoryServiceUnavailable

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

CONNECT_SECONDS = 1.0
KEPT_SECONDS = 50.0
"""A connection unused for longer is not trusted: servers close theirs after a minute."""
KEPT_CONNECTIONS = 8
LARGEST_ANSWER = 32_000_000
_CHUNK = 65_536


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer."""

    status: int
    headers: Mapping[str, str]
    """By lower-case name."""
    body: bytes


class Wire:
    """Exchanges with one host. Safe to use from several threads."""

    def __init__(
        self, base_url: str, monotonic: Callable[[], float], context: ssl.SSLContext | None = None
    ) -> None:
        """`base_url` is `https://host[:port][/prefix]`; plain `http` is for an emulator. Nothing is opened yet.

        `context`: whom to trust; by default whom the system trusts.
        """
        split = urlsplit(base_url)
        self._is_secure = split.scheme == "https"
        self._host = split.hostname or ""
        self._port = split.port
        self._prefix = split.path.rstrip("/")
        self._monotonic = monotonic
        self._kept: list[_Connection] = []
        self._lock = threading.Lock()
        self._context = context

    def exchange(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes | None, deadline: float
    ) -> Answer:
        """One request and its whole answer before `deadline` (monotonic). Raises MemoryServiceUnavailable."""
        try:
            connection = self._taken(deadline)
            answer = connection.exchange(method, self._prefix + target, headers, body, deadline)
        except TimeoutError:
            raise MemoryServiceUnavailable(reason="it did not answer in time") from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise MemoryServiceUnavailable(reason=f"the connection failed ({type(error).__name__})") from None
        self._keep(connection)
        return answer

    def warm(self, deadline: float) -> None:
        """Have a connection at hand. Raises MemoryServiceUnavailable."""
        try:
            self._keep(self._taken(deadline))
        except OSError as error:
            raise MemoryServiceUnavailable(reason=f"the connection failed ({type(error).__name__})") from None

    def close(self) -> None:
        """Give back the connections."""
        with self._lock:
            kept, self._kept = self._kept, []
        for connection in kept:
            connection.close()

    def _taken(self, deadline: float) -> "_Connection":
        while True:
            with self._lock:
                connection = self._kept.pop() if self._kept else None
            if connection is None:
                return self._opened(deadline)
            if connection.is_alive(self._monotonic()):
                return connection
            connection.close()

    def _opened(self, deadline: float) -> "_Connection":
        left = deadline - self._monotonic()
        if left <= 0:
            raise TimeoutError
        seconds = min(CONNECT_SECONDS, left)
        if not self._is_secure:
            return _Connection(http.client.HTTPConnection(self._host, self._port, seconds), self._monotonic)
        if self._context is None:
            self._context = ssl.create_default_context()
        secure = http.client.HTTPSConnection(self._host, self._port, timeout=seconds, context=self._context)
        return _Connection(secure, self._monotonic)

    def _keep(self, connection: "_Connection") -> None:
        connection.used_at = self._monotonic()
        with self._lock:
            if connection.is_open and len(self._kept) < KEPT_CONNECTIONS:
                self._kept.append(connection)
                return
        connection.close()


class _Connection:
    """One connection of `http.client`, over a socket that keeps a deadline."""

    def __init__(self, connection: http.client.HTTPConnection, monotonic: Callable[[], float]) -> None:
        self._http = connection
        connection.connect()
        self._socket = _TimedSocket(connection.sock, monotonic)
        connection.sock = self._socket
        self.used_at = 0.0

    @property
    def is_open(self) -> bool:
        return self._http.sock is not None

    def is_alive(self, now: float) -> bool:
        """Whether it was used lately and the other side has not closed it: then there is nothing to read."""
        return now - self.used_at < KEPT_SECONDS and self._socket.is_quiet()

    def exchange(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes | None, deadline: float
    ) -> Answer:
        self._socket.deadline = deadline
        try:
            self._http.request(method, target, body, dict(headers))
            response = self._http.getresponse()
            named = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, named, _whole(response))
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self._http.close()


def _whole(response: http.client.HTTPResponse) -> bytes:
    body = bytearray()
    while chunk := response.read(_CHUNK):
        body += chunk
        if len(body) > LARGEST_ANSWER:
            raise http.client.HTTPException("too large")
    return bytes(body)


class _TimedSocket:
    """As much of a socket as `http.client` uses; every wait ends at the deadline."""

    def __init__(self, inner: socket.socket, monotonic: Callable[[], float]) -> None:
        self._inner = inner
        self._monotonic = monotonic
        self._readers = 0
        self._is_closing = False
        self.deadline = 0.0

    def is_quiet(self) -> bool:
        """Whether there is nothing to read, not even an end. Session tickets of TLS do not count."""
        try:
            self._inner.settimeout(0)
            self._inner.recv(1)
        except (BlockingIOError, ssl.SSLWantReadError):
            return True
        except OSError:
            return False
        return False

    def sendall(self, data: bytes) -> None:
        self._inner.settimeout(self._left())
        self._inner.sendall(data)

    def receive(self, buffer: "WriteableBuffer") -> int:
        self._inner.settimeout(self._left())
        return self._inner.recv_into(buffer)

    def makefile(self, mode: str) -> io.BufferedReader:
        """For reading; the socket stays open until the last of them is closed."""
        self._readers += 1
        return io.BufferedReader(_TimedReads(self), _CHUNK)

    def reader_closed(self) -> None:
        self._readers -= 1
        self._end()

    def close(self) -> None:
        self._is_closing = True
        self._end()

    def _end(self) -> None:
        if self._is_closing and self._readers <= 0:
            self._inner.close()

    def _left(self) -> float:
        left = self.deadline - self._monotonic()
        if left <= 0:
            raise TimeoutError
        return left


class _TimedReads(io.RawIOBase):
    def __init__(self, over: _TimedSocket) -> None:
        self._over = over

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        return self._over.receive(buffer)

    def close(self) -> None:
        if not self.closed:
            super().close()
            self._over.reader_closed()
