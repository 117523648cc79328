"""uvicorn's HTTP protocol with a bound it lacks: on what a request sends that is not its body.

Without one, a header that never ends is gathered in memory, and each piece copies all before it on the event
loop: 150 MB hold up everybody for half a minute.
"""

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MOST_FRAMING = 1_000_000
"""Bytes of request line, headers, chunk sizes and trailers of one request; a few thousand are usual."""
TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-type: application/json\r\ncontent-length: 28\r\nconnection: close\r\n\r\n"
    b'{"error": "Headers too big"}'
)


class BoundedHttp(HttpToolsProtocol):
    """Hangs up on a request whose framing has no end."""

    _framing = 0

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
