"""An answer leaves in one write, and nothing that is held is lost."""

import asyncio
from typing import Any

from agentic_memory.interfaces.bounded_http import OneWrite

HEAD = b"HTTP/1.1 200 OK\r\n\r\n"


class Wire(asyncio.Transport):
    """A transport that remembers."""

    def __init__(self) -> None:
        super().__init__({"peername": ("192.0.2.1", 7)})
        self.written: list[bytes] = []
        self.closed = False

    def write(self, data: Any) -> None:
        self.written.append(bytes(data))

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed


def test_head_and_body_are_one_write() -> None:
    wire = Wire()
    answer = OneWrite(wire)
    for _ in range(2):
        answer.write(HEAD)
        answer.write(b"body")
        answer.flush()
    assert wire.written == [HEAD + b"body"] * 2


def test_a_head_without_a_body_leaves_at_the_end() -> None:
    wire = Wire()
    answer = OneWrite(wire)
    answer.write(HEAD)
    assert wire.written == []
    answer.flush()
    assert wire.written == [HEAD]


def test_pieces_after_the_first_leave_as_they_come() -> None:
    wire = Wire()
    answer = OneWrite(wire)
    for piece in (HEAD, b"4\r\none,\r\n", b"4\r\ntwo.\r\n"):
        answer.write(piece)
    assert wire.written == [HEAD + b"4\r\none,\r\n", b"4\r\ntwo.\r\n"]


def test_a_client_that_waits_to_go_on_is_told_at_once() -> None:
    wire = Wire()
    OneWrite(wire).write(b"HTTP/1.1 100 Continue\r\n\r\n")
    assert len(wire.written) == 1


def test_closing_writes_what_is_held() -> None:
    wire = Wire()
    answer = OneWrite(wire)
    answer.write(HEAD)
    answer.close()
    assert (wire.written, wire.closed, answer.is_closing()) == ([HEAD], True, True)
    answer.write(HEAD)
    answer.close()
    assert wire.written == [HEAD]


def test_the_rest_is_the_transports_own() -> None:
    assert OneWrite(Wire()).get_extra_info("peername") == ("192.0.2.1", 7)
