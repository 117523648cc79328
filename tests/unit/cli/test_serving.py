"""The parts of `serve` and `worker` that can be held without a process: sockets, keys, endings."""

import os
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from agentic_memory.errors import SettingsError
from agentic_memory.interfaces.cli.group import Refused
from agentic_memory.interfaces.cli.serving import (
    agents_in_words,
    listening,
    run_until_ended,
    tell_unfilled,
    url_of,
)
from agentic_memory.settings import Settings, read
from tests.unit.cli.conftest import Run, services_over


def settings(**given: str) -> Settings:
    return read({}, **given)


@pytest.fixture
def signals() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_a_free_port_is_taken_and_named() -> None:
    with listening(settings(port="0")) as bound:
        assert url_of(bound) == f"http://127.0.0.1:{bound.getsockname()[1]}"


def test_a_taken_port_is_said_in_one_sentence() -> None:
    with listening(settings(port="0")) as bound:
        port = bound.getsockname()[1]
        with pytest.raises(SettingsError, match=rf"PORT: {port} is in use on 127.0.0.1.*PORT={port + 1}"):
            listening(settings(port=str(port)))


@pytest.mark.parametrize("host", ["203.0.113.9", "no.such.host.invalid"])
def test_an_address_of_another_machine(host: str) -> None:
    with pytest.raises(SettingsError, match="HOST"):
        listening(settings(host=host, port="0"))


@pytest.mark.skipif(not socket.has_ipv6, reason="this machine has no IPv6")
def test_ipv6_addresses_are_bracketed() -> None:
    try:
        bound = listening(settings(host="::1", port="0"))
    except SettingsError:
        pytest.skip("this machine has no IPv6 loopback")
    with bound:
        assert url_of(bound).startswith("http://[::1]:")


def test_beyond_loopback_keys_must_be_set(run: Run, tmp_path: Path) -> None:
    done = run("serve", "--host", "0.0.0.0")
    assert done.exit_code == 2
    assert "ELEVENLABS_WORKSPACE_KEY: is not set, but HOST is '0.0.0.0'" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_no_setting_has_is_told_before_it_is_missed(run: Run, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("ELEVENLABS_WORKSPACE_KEYS=wk_do-not-show-me\n")
    done = run("serve", "--host", "0.0.0.0")
    assert done.exit_code == 2
    assert "ELEVENLABS_WORKSPACE_KEYS (is it ELEVENLABS_WORKSPACE_KEY?)" in done.stderr
    assert "do-not-show-me" not in done.stdout + done.stderr


def test_the_agents_are_told(tmp_path: Path) -> None:
    services = services_over(tmp_path / "data")
    assert agents_in_words(services) == "none in agents; any other agent is given the profile 'memoir'"
    services.close()


def test_placeholders_that_nothing_fills_are_told_at_the_start(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "agents").mkdir()
    (tmp_path / "agents" / "agent_x.toml").write_text('greeting_returning = "Hello {nmae}!"\n')
    services = services_over(tmp_path / "data", AGENTS_DIR=str(tmp_path / "agents"))
    tell_unfilled(services)
    services.close()
    assert capsys.readouterr().err == "Nothing fills agent_x.toml: {nmae} in greeting_returning (is it {name}?)\n"


class Working:
    """A worker that runs until told, or gives up by itself."""

    def __init__(self, gives_up: bool = False) -> None:
        self.gives_up = gives_up
        self.ended = threading.Event()
        self.was_asked = False

    def run(self) -> None:
        if not self.gives_up:
            os.kill(os.getpid(), signal.SIGTERM)
            self.ended.wait(10)

    def end(self) -> None:
        self.was_asked = True
        self.ended.set()


@pytest.mark.usefixtures("signals")
class TestEndings:
    def test_a_signal_ends_the_worker(self) -> None:
        working = Working()
        run_until_ended(working)  # type: ignore[arg-type]
        assert working.was_asked
        assert not [t for t in threading.enumerate() if t.name == "worker"]

    def test_a_worker_that_ends_by_itself_is_a_failure(self) -> None:
        with pytest.raises(Refused, match="ended by itself"):
            run_until_ended(Working(gives_up=True))  # type: ignore[arg-type]
