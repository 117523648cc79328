"""The commands as processes of their own, beside a real server."""

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from agentic_memory.interfaces.demo.script import CALLS, LUCIA, STEFAN
from tests.acceptance.server_process import ServerProcess, run_command

Start = Callable[..., ServerProcess]


@pytest.fixture(scope="module")
def told(server: ServerProcess) -> ServerProcess:
    """The server with the demonstration's calls, sent by `call`."""
    for call in CALLS:
        done = server.command("call", call.name)
        assert (done.code, done.err) == (0, "")
        assert done.out.startswith('200 {"status":"ok"}')
    server.wait_until_remembered()
    return server


class TestBesideAServer:
    def test_what_was_sent_is_remembered(self, told: ServerProcess) -> None:
        done = told.command("callers", "--json")
        assert {c["caller_id"]: c["call_count"] for c in json.loads(done.out)["callers"]} == {STEFAN: 4, LUCIA: 1}

    def test_sending_it_again_changes_nothing(self, told: ServerProcess) -> None:
        before = told.command("memories", STEFAN, "--history", "--json").out
        assert told.command("call", "stefan-1", "--follow").code == 0
        assert told.command("memories", STEFAN, "--history", "--json").out == before

    def test_search_finds_what_the_endpoint_finds(self, told: ServerProcess) -> None:
        question = "What was his grandfather's boat called?"
        done = told.command("search", STEFAN, question, "--json")
        found = [result["text"] for result in json.loads(done.out)["results"]]
        assert found == told.search(STEFAN, question).value["memories"]

    def test_a_foreign_signature_is_noticed(self, told: ServerProcess) -> None:
        done = told.command("call", "stefan-1", "--key", "wsec_foreign", "--follow")
        assert done.code == 1
        assert "did not accept the signature" in done.err

    def test_a_forgotten_caller_is_new_to_the_running_server(self, told: ServerProcess) -> None:
        assert told.ring(LUCIA).value["dynamic_variables"]["returning_caller"] == "yes"
        assert told.command("forget", LUCIA, text="y\n").code == 0
        assert told.ring(LUCIA).value["dynamic_variables"]["returning_caller"] == "no"

    def test_its_port_is_taken(self, told: ServerProcess, tmp_path: Path) -> None:
        done = run_command("serve", "--port", str(told.port), folder=tmp_path, environment=told.environment)
        assert done.code == 2
        assert f"PORT: {told.port} is in use on 127.0.0.1" in done.err
        assert "Traceback" not in done.err


def test_the_first_start_makes_keys_and_shows_them_once(start_server: Start) -> None:
    server = start_server(ELEVENLABS_WORKSPACE_KEY="", ELEVENLABS_HMAC_KEY="", EMBEDDER="lexical")
    kept = (server.data_dir / "development-keys.env").read_text("utf-8")
    keys = [line.partition("=")[2] for line in kept.splitlines() if "=" in line]
    assert [server.log.count(key) for key in keys] == [1, 1]
    assert "made just now and shown this once" in server.log
    assert (server.data_dir / "development-keys.env").stat().st_mode & 0o077 == 0
    assert server.command("call", "stefan-4", "--follow").code == 0
    server.restart()
    assert [server.log.count(key) for key in keys] == [1, 1]
    assert server.ring(STEFAN).status == 401
    assert server.request("POST", "/client-data", {"caller_id": STEFAN}, {"X-Workspace-Key": keys[1]}).status == 200


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_ending_a_server_is_a_success(start_server: Start, number: int) -> None:
    server = start_server(EMBEDDER="lexical")
    assert server.stop(number) == 0
    assert [event["event"] for event in server.events][-1] == "ended"
    assert "Traceback" not in server.log


def test_a_worker_of_its_own_does_the_work(start_server: Start) -> None:
    server = start_server(WORKER="off", EMBEDDER="lexical")
    assert server.command("call", "stefan-4").code == 0
    assert server.inbox()["pending"] == 1
    with subprocess.Popen(
        [sys.executable, "-m", "agentic_memory", "worker"],
        cwd=server.folder,
        env=server.environment,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        server.wait_until_remembered()
        process.terminate()
        _, log = process.communicate(timeout=30)
    assert process.returncode == 0
    assert [json.loads(line)["event"] for line in log.splitlines()][-1] == "ended"
    assert server.ring(STEFAN).value["dynamic_variables"]["memory_count"] == "1"


def test_a_server_that_was_killed_is_taken_over_by_the_next(start_server: Start) -> None:
    server = start_server(WORKER="off", EMBEDDER="lexical")
    for call in CALLS:
        assert server.post_call(call.webhook()).status == 200
    server.kill()
    server.environment["WORKER"] = "on"
    server.start()
    server.wait_until_remembered()
    assert server.ring(STEFAN).value["dynamic_variables"]["memory_count"] == "4"


def test_two_servers_never_share_a_port(start_server: Start) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(AssertionError, match=f"PORT: {port} is in use"):
            start_server(port=port)


def test_errors_go_to_standard_error(tmp_path: Path) -> None:
    done = run_command("callers", folder=tmp_path, environment={"MEM0_SEARCH_LIMIT": "many"})
    assert (done.code, done.out) == (2, "")
    assert done.err == "Error: MEM0_SEARCH_LIMIT: 'many' is not a whole number. Example: MEM0_SEARCH_LIMIT=3\n"


def test_a_reader_that_goes_away_is_no_fault(told: ServerProcess) -> None:
    command = [sys.executable, "-m", "agentic_memory", "export", STEFAN]
    with subprocess.Popen(
        command, cwd=told.folder, env=told.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        errors = process.stderr.read()
    assert b"Traceback" not in errors
