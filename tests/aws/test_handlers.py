"""The handlers as they are deployed: from the layer, under Lambda's own runtime client, in a process each."""

import json
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from agentic_memory.bootstrap import SystemClock
from agentic_memory.platforms.elevenlabs.signature import sign
from tests.aws.runtime_api import LAYER, ROOT, function
from tests.unit.test_aws_lambda import VARIABLES, event

NOWHERE = "http://127.0.0.1:9"
STACK = {
    "ELEVENLABS_WORKSPACE_KEY": "wk_test",
    "ELEVENLABS_HMAC_KEY": "wsec_test",
    "S3_BUCKET_NAME": "bucket",
    "MEMORY_QUEUE_URL": f"{NOWHERE}/queue",
    "AWS_ENDPOINT_URL": NOWHERE,
    "AWS_MAX_ATTEMPTS": "1",
}
MEM0 = {**STACK, "MEMORY_BACKEND": "mem0", "MEM0_API_KEY": "m0-test", "MEM0_BASE_URL": NOWHERE}
TABLE = {**STACK, "MEMORY_BACKEND": "engine", "MEMORY_TABLE_NAME": "table"}
WORDS = {**TABLE, "EMBEDDER": "lexical"}
KEY = {"X-Workspace-Key": "wk_test"}
STEFAN = "+15550100042"

# Seconds of processor until the function asks for its first event.
BUDGETS: list[tuple[str, Mapping[str, str], float]] = [
    ("client_data", MEM0, 0.25),
    ("retrieve", MEM0, 0.25),
    ("client_data", TABLE, 0.4),
    ("retrieve", WORDS, 0.4),
    ("retrieve", TABLE, 2.0),  # with the model: docs/benchmarks-aws.md says what that buys
    ("post_call", MEM0, 0.5),
    ("worker", MEM0, 0.6),
    ("replay", MEM0, 0.5),
]
MEASURED = ROOT / "build" / "aws-measured.jsonl"


def _note(**figures: object) -> None:
    """Kept for docs/benchmarks-aws.md."""
    with MEASURED.open("a") as out:
        out.write(json.dumps(figures) + "\n")


@pytest.mark.parametrize(("name", "environment", "budget"), BUDGETS)
def test_a_function_is_ready_within_its_budget(
    name: str, environment: Mapping[str, str], budget: float, tmp_path: Path
) -> None:
    taken, memory = [], 0.0
    for _ in range(3):
        with function(name, environment, tmp_path / "log") as api:
            taken.append(api.first_ask())
            memory = api.memory()
    about = environment["MEMORY_BACKEND"], environment.get("EMBEDDER", "")
    _note(what="initialisation", function=name, about=about, cpu_seconds=sorted(taken), megabytes=memory)
    assert median(taken) <= budget


def test_a_ring_is_answered_with_every_variable_while_mem0_is_down(tmp_path: Path) -> None:
    ring = event("/client-data", {"caller_id": STEFAN, "agent_id": "agent_x"}, KEY, encoded=True)
    with function("client_data", MEM0, tmp_path / "log") as api:
        answer = api.invoke(ring)
        before = api.cpu()
        for _ in range(50):
            api.invoke(ring)
        _note(what="warm", function="client_data", cpu_milliseconds=(api.cpu() - before) * 20)
    assert answer["statusCode"] == 200
    assert 'tier;desc="unknown"' in answer["headers"]["server-timing"]
    assert set(json.loads(answer["body"])["dynamic_variables"]) >= VARIABLES
    assert STEFAN not in (tmp_path / "log").read_text()


def test_a_search_says_that_memory_is_down(tmp_path: Path) -> None:
    with function("retrieve", MEM0, tmp_path / "log") as api:
        answer = api.invoke(event("/retrieve", {"query": "tea", "user_id": STEFAN}))
    assert (answer["statusCode"], json.loads(answer["body"])) == (503, {"error": "Memory is temporarily unavailable"})


@pytest.mark.parametrize("environment", [MEM0, TABLE])
def test_a_call_that_cannot_be_kept_is_to_be_sent_again(environment: Mapping[str, str], tmp_path: Path) -> None:
    body = b'{"type": "post_call_transcription"}'
    with function("post_call", environment, tmp_path / "log") as api:
        signature = sign(body, "wsec_test", _now())
        answer = api.invoke(event("/post-call", body, {"ElevenLabs-Signature": signature}))
    assert answer["statusCode"] == 503


@pytest.mark.parametrize("strange", [None, [], {}, {"body": 7}, {"version": "1.0", "httpMethod": "POST"}])
@pytest.mark.parametrize("name", ["client_data", "retrieve", "post_call"])
def test_a_strange_event_ends_nothing(name: str, strange: Any, tmp_path: Path) -> None:
    with function(name, MEM0, tmp_path / "log") as api:
        assert 400 <= api.invoke(strange)["statusCode"] < 500


def test_a_wrong_setting_stops_the_start_and_says_which(tmp_path: Path) -> None:
    with function("client_data", {**MEM0, "MEM0_TIMEOUT": "soon"}, tmp_path / "log") as api:
        api.asked.wait(20)
        assert api.initialisation_error["errorType"] == "SettingsError"
        assert "MEM0_TIMEOUT" in api.initialisation_error["errorMessage"]


def test_every_log_line_is_json(tmp_path: Path) -> None:
    with function("retrieve", MEM0, tmp_path / "log") as api:
        api.invoke(event("/retrieve", {"query": "tea", "user_id": STEFAN}))
    lines = (tmp_path / "log").read_text().splitlines()
    values = [json.loads(line) for line in lines]
    assert any("_aws" in value for value in values)


def test_layer_and_functions_fit() -> None:
    size = sum(f.stat().st_size for f in LAYER.rglob("*") if f.is_file())
    _note(what="layer", megabytes=round(size / 1e6, 1))
    assert size < 250e6
    assert not (LAYER / "boto3").exists()
    assert not any("tests" in path.parts for path in LAYER.rglob("*.py"))
    assert any(LAYER.rglob("*.pyc")), "not precompiled"


def _now() -> int:
    return int(SystemClock().now())
