"""The demonstration's server: what is said when it does not come, and that it goes."""

from pathlib import Path

import pytest

from agentic_memory.bootstrap import SystemClock
from agentic_memory.interfaces.cli.client import Client
from agentic_memory.interfaces.cli.group import Refused
from agentic_memory.interfaces.demo.process import DemoServer, demo_server


class Misconfigured(DemoServer):
    def _environment(self, folder: Path) -> dict[str, str]:
        return super()._environment(folder) | {"EMBEDDER": "none"}


def test_a_server_that_does_not_start_says_why(tmp_path: Path) -> None:
    server = Misconfigured(tmp_path, SystemClock())
    with pytest.raises(Refused, match="the server ended by itself with exit code 2") as failure:
        server.wait()
    assert "EMBEDDER: 'none' is not one of" in failure.value.message
    server.stop()


def test_a_call_that_cannot_be_remembered_is_a_failure(tmp_path: Path) -> None:
    from agentic_memory.platforms.elevenlabs.signature import sign

    clock = SystemClock()
    body = b'{"type": "post_call_transcription", "data": 3}'
    with demo_server(clock) as server:
        client: Client = server.wait()
        signature = sign(body, server.webhook_secret, int(clock.now()))
        assert client.post("/post-call", body, {"ElevenLabs-Signature": signature}).status == 200
        with pytest.raises(Refused, match="a call could not be remembered") as failure:
            server.wait_until_remembered(client)
    assert "MalformedPayload" in failure.value.message
