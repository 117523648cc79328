"""uvicorn's HTTP protocol with a bound it lacks: on what a request sends that is not its body; and one write an answer.

Without the bound, a header that never ends is gathered in memory, and each piece copies all before it on the event
loop: 150 MB hold up everybody for half a minute. Without the other, head and body of an answer are two writes, two
packets, and two awakenings of the client.
"""

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MOST_FRAMING = 1_000_000
"""Bytes of request line, headers, chunk sizes and trailers of one request; a few thousand are usual."""
TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-type: application/json\r\ncontent-length: 28\r\nconnection: close\r\n\r\n"
    b'{"error": "Headers too big"}'
)


class OneWrite:
    """A transport that holds the head of an answer back until what follows it, its end or the connection's."""

    __slots__ = ("_head", "_transport")

    def __init__(self, transport: asyncio.Transport) -> None:
        """Everything else is the transport's own."""
        self._transport = transport
        self._head = b""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def is_closing(self) -> bool:
        """The transport's."""
        return self._transport.is_closing()

    def write(self, data: bytes) -> None:
        """Hold a head, write everything else; "100 Continue" is no head: the client waits for it."""
        if self._head:
            self._transport.write(self._head + data)
            self._head = b""
        elif data.startswith(b"HTTP/1.1 ") and not data.startswith(b"HTTP/1.1 1"):
            self._head = data
        else:
            self._transport.write(data)

    def flush(self) -> None:
        """Write what is held."""
        if self._head:
            self._transport.write(self._head)
            self._head = b""

    def close(self) -> None:
        """Write what is held, then close."""
        if not self._transport.is_closing():
            self.flush()
        self._transport.close()


class BoundedHttp(HttpToolsProtocol):
    """Hangs up on a request whose framing has no end; writes each answer at once."""

    _framing = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client."""
        super().connection_made(transport)
        self._one_write = OneWrite(transport)
        self.transport = cast("asyncio.Transport", self._one_write)

    def on_response_complete(self) -> None:
        """An answer has ended."""
        self._one_write.flush()
        super().on_response_complete()

    def data_received(self, data: bytes) -> None:
        """Bytes from the client: what is left of them beside bodies adds up until the next request."""
        self._framing += len(data)
        super().data_received(data)
        if self._framing > MOST_FRAMING and not self.transport.is_closing():
            self.transport.write(TOO_LARGE)
            self.transport.close()

    def on_message_begin(self) -> None:
        """A new request."""
        self._framing = 0
        super().on_message_begin()

    def on_body(self, body: bytes) -> None:
        """A piece of the body, which the application bounds."""
        self._framing -= len(body)
        super().on_body(body)
