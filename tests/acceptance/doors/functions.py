"""The Lambda functions as a door: the handlers of the stack over an AWS of this machine.

What API Gateway and the queue do between the world and the functions is done here: requests become events
of payload format 2.0, messages become batches for the worker until the queue is empty.
"""

import base64
import json
import select
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.acceptance.doors.cloud import ROOT, Stack
from tests.acceptance.doors.door import SETTINGS, Counts, Door
from tests.acceptance.server_process import LONGEST_WORK, LOOK_AGAIN, Answer

ROUTES = {"/client-data": "client_data", "/retrieve": "retrieve", "/post-call": "post_call"}
LONGEST_ANSWER = 30.0
IN_SECRET = ("ELEVENLABS_WORKSPACE_KEY", "ELEVENLABS_HMAC_KEY", "MEM0_API_KEY")
"""Settings that stand in the stack's secret, not in the environment."""


class Functions(Door):
    """`client_data`, `retrieve`, `post_call`, and behind them the `worker`; by hand `replay` and `forget`."""

    def __init__(self, stack: Stack, folder: Path, *, encoded: bool = False, **settings: str) -> None:
        """`encoded`: bodies come in base64, as API Gateway hands over what it does not take for text."""
        self._stack = stack
        self._encoded = encoded
        self._settings = {"MEMORY_BACKEND": "engine", **SETTINGS, **settings}
        self._log = folder / "functions.log"
        self._start()

    @property
    def log(self) -> str:
        """Everything the functions logged."""
        return self._log.read_text("utf-8", "replace")

    def ask(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Answer:
        """A path without a route goes to the first function: API Gateway itself would answer it."""
        plain = path.partition("?")[0].removeprefix("/Prod")
        answer = self._invoke(ROUTES.get(plain, "client_data"), self._event(method, path, body, headers or {}))
        assert answer["isBase64Encoded"] is False
        return Answer(answer["statusCode"], answer["headers"], answer["body"].encode())

    def settle(self) -> None:
        deadline = time.monotonic() + LONGEST_WORK
        while self._stack.pending():
            batch = self._stack.batch()
            if batch:
                answer = self._invoke("worker", {"Records": batch})
                failed = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
                self._stack.delete([record for record in batch if record["messageId"] not in failed])
            elif time.monotonic() > deadline:
                raise AssertionError(f"messages are still pending\n{self.log[-4000:]}")
            else:
                time.sleep(LOOK_AGAIN)

    def counts(self) -> Counts:
        return Counts(self._stack.pending(), self._stack.dead(), len(self._stack.keys("quarantine/")))

    def replay(self, source: str) -> int:
        answer = self._invoke("replay", {"source": source, "dry_run": False})
        replayed: int = answer["deliveries"]
        return replayed

    def forget(self, caller: str) -> bool:
        answer = self._invoke("forget", {"caller_id": caller, "dry_run": False})
        return any(count for what, count in answer.items() if what != "waiting")

    def archived(self, prefix: str) -> Mapping[str, bytes]:
        return {key: self._stack.content(key) for key in self._stack.keys(prefix)}

    def reopen(self, **settings: str) -> None:
        self.close()
        self._settings |= settings
        self._start()

    def close(self) -> None:
        if self._is_open:
            self._is_open = False
            self._process.communicate()
            assert self._process.returncode == 0, self.log[-4000:]

    def _start(self) -> None:
        given = {name: value for name, value in self._settings.items() if name in IN_SECRET}
        self._stack.set_keys(given)
        environment = {
            "PYTHONUTF8": "1",
            "PYTHONPATH": str(ROOT / "src"),
            **self._stack.environment,
            **{name: value for name, value in self._settings.items() if name not in IN_SECRET},
        }
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, Path(__file__).with_name("functions_process.py")],
                cwd=self._log.parent, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
            )  # fmt: skip
        self._is_open = True

    def _invoke(self, function: str, event: Mapping[str, Any]) -> Any:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(json.dumps({"function": function, "event": event}).encode() + b"\n")
        stdin.flush()
        ready, _, _ = select.select([stdout], [], [], LONGEST_ANSWER)
        line = stdout.readline() if ready else b""
        assert line, f"{function} does not answer\n{self.log[-4000:]}"
        return json.loads(line)

    def _event(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> dict[str, Any]:
        raw_path, _, query = path.partition("?")
        encoded = self._encoded or not _is_text(body)
        http = {"method": method, "path": raw_path, "protocol": "HTTP/1.1", "sourceIp": "203.0.113.7", "userAgent": "test"}
        event: dict[str, Any] = {
            "version": "2.0",
            "routeKey": f"{method} {raw_path.removeprefix('/Prod')}",
            "rawPath": raw_path,
            "rawQueryString": query,
            "headers": {"x-amzn-trace-id": "Root=1-2-3", **{name.lower(): value for name, value in headers.items()}},
            "requestContext": {"http": http, "stage": "Prod", "requestId": "r", "timeEpoch": 0},
            "isBase64Encoded": bool(body) and encoded,
        }
        if body:
            event["body"] = base64.b64encode(body).decode() if encoded else body.decode()
        return event


def _is_text(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True
