"""The client takes any address, or refuses it in one sentence."""

import contextlib

from hypothesis import given
from hypothesis import strategies as st

from agentic_memory.interfaces.cli.client import Answer, Client
from agentic_memory.interfaces.cli.group import WrongUsage
from agentic_memory.interfaces.cli.terminal import shown
from tests.fakes import FrozenClock


@given(st.text() | st.from_regex(r"https?://[a-z\[\]:.0-9@/]{0,20}", fullmatch=True))
def test_any_text_is_an_address_or_refused(url: str) -> None:
    with contextlib.suppress(WrongUsage):
        assert Client(url, FrozenClock()).url.startswith("http")


def test_a_bare_host_is_http() -> None:
    assert Client("127.0.0.1:8000", FrozenClock()).url == "http://127.0.0.1:8000"


@given(st.binary())
def test_any_body_has_a_value(body: bytes) -> None:
    assert isinstance(Answer(200, body, 1.0).value, dict)


@given(st.text())
def test_what_is_shown_is_printable(text: str) -> None:
    assert all(c.isprintable() for c in shown(text))
    assert len(shown(text)) == len(text)
