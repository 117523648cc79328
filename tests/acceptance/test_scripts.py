"""The operator's scripts against a real server, and against a stack that an `aws` command of ours describes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.acceptance.server_process import WEBHOOK_SECRET, WORKSPACE_KEY, ServerProcess

SCRIPTS = Path(__file__).parents[2] / "scripts"
ASKING = ["test_clientdata.py", "test_retrieve.py", "test_postcall.py", "test_production_ready.py"]
STACK = "elevenlabs-agentic-memory-stack"


def run(server: ServerProcess, name: str, *arguments: str, **settings: str) -> tuple[int, str]:
    """A script's exit code and all that it prints, run in the server's folder with its settings."""
    environment = {**server.environment, "PORT": str(server.port), "PATH": os.defpath, **settings}
    command = [sys.executable, str(SCRIPTS / name), *arguments]
    done = subprocess.run(command, cwd=server.folder, env=environment, capture_output=True, text=True, check=False, timeout=60)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("name", "where"),
    [*((name, "settings") for name in ASKING), *((name, "address") for name in [*ASKING, "validate_env.py"])],
)
def test_a_server_that_does_as_it_should_passes(server: ServerProcess, name: str, where: str) -> None:
    code, told = run(server, name, *(["--url", server.url] if where == "address" else []))
    assert (code, told.splitlines()[-1]) == (0, "all well"), told
    assert "OK" in told
    assert "FAILED" not in told
    assert WORKSPACE_KEY not in told
    assert WEBHOOK_SECRET not in told


@pytest.mark.parametrize(
    ("name", "wrong", "line"),
    [
        ("test_clientdata.py", {"ELEVENLABS_WORKSPACE_KEY": "wrong"}, "FAILED /client-data answers a ring  (401"),
        ("test_production_ready.py", {"ELEVENLABS_WORKSPACE_KEY": "wrong"}, "FAILED /client-data answers a ring  (401"),
        ("validate_env.py", {"ELEVENLABS_HMAC_KEY": "short"}, "FAILED there is a key for /post-call  (5 characters)"),
    ],
)
def test_what_is_wrong_is_told_and_fails(server: ServerProcess, name: str, wrong: dict[str, str], line: str) -> None:
    code, told = run(server, name, "--url", server.url, **wrong)
    assert code == 1
    assert line in told
    assert told.splitlines()[-1].endswith(" failed")


@pytest.mark.parametrize("name", [*ASKING, "validate_env.py", "send_post_call.py"])
@pytest.mark.parametrize(("url", "told"), [("http://127.0.0.1:9", "No answer from http://127.0.0.1:9/"), ("ftp://x", "ftp://x is no address")])
def test_a_server_that_is_not_there_is_told_in_a_sentence(server: ServerProcess, name: str, url: str, told: str) -> None:
    sample = ["stefan-1"] if name == "send_post_call.py" else []
    code, said = run(server, name, *sample, "--url", url)
    assert (code, said.splitlines()[-1].startswith(told)) == (1, True), said
    assert "Traceback" not in said


def test_a_sample_or_a_file_is_sent_signed(server: ServerProcess, tmp_path: Path) -> None:
    assert run(server, "send_post_call.py", "stefan-1")[1].startswith('200 {"status": "ok"}')
    server.wait_until_remembered()
    assert server.ring("+15550100042").value["dynamic_variables"]["caller_name"] == "Stefan"
    file = tmp_path / "payload.json"
    file.write_text("no JSON at all", "utf-8")
    assert run(server, "send_post_call.py", str(file))[0] == 0
    server.wait_until(lambda: server.inbox()["dead"] == 1, 20, "no dead letter")
    code, told = run(server, "send_post_call.py", "nothing")
    assert (code, told.startswith("nothing is neither a file nor one of stefan-1")) == (1, True)


@pytest.fixture
def aws(server: ServerProcess, tmp_path: Path) -> str:
    """A folder with an `aws` command that describes the server as a stack."""
    outputs = {"ClientDataApiUrl": "/client-data", "RetrieveApiUrl": "/retrieve", "PostCallApiUrl": "/post-call"}
    described = [{"OutputKey": key, "OutputValue": server.url + path} for key, path in outputs.items()]
    described.append({"OutputKey": "SecretName", "OutputValue": "keys"})
    answers = {
        "Stacks[0].Outputs": described,
        "Stacks[0].StackStatus": "UPDATE_COMPLETE",
        "SecretString": {"ELEVENLABS_WORKSPACE_KEY": WORKSPACE_KEY, "ELEVENLABS_HMAC_KEY": WEBHOOK_SECRET},
    }
    text = f"#!{sys.executable}\nimport json, sys\nprint(json.dumps({answers!r}[sys.argv[sys.argv.index('--query') + 1]]))\n"
    command = tmp_path / "aws"
    command.write_text(text, "utf-8")
    command.chmod(0o755)
    return str(tmp_path)


@pytest.mark.parametrize("name", [*ASKING, "validate_env.py"])
def test_a_stack_is_asked_for_its_addresses_and_keys(server: ServerProcess, aws: str, name: str) -> None:
    code, told = run(server, name, "--stack", STACK, PATH=f"{aws}:{os.defpath}", ELEVENLABS_WORKSPACE_KEY="another")
    assert (code, told.splitlines()[-1]) == (0, "all well"), told


def test_a_stack_without_the_aws_command_is_told(server: ServerProcess, tmp_path: Path) -> None:
    code, told = run(server, "test_retrieve.py", "--stack", STACK, PATH=str(tmp_path))
    assert (code, told) == (1, "The aws command line is not installed.\n")
