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
