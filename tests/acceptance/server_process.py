"""The real server as a process of its own: `agentic-memory serve` on a free loopback port.

    with ServerProcess(tmp_path, EMBEDDER="lexical") as server:
        server.post_call(payload)
        server.wait_until_remembered()
        answer = server.ring("+15550100001")

The process gets known keys, a data folder under the given one and nothing of our environment. It writes
its log lines to `server.log`. `stop` ends it as an operator would, `kill` as a power cut would; `start`
starts it anew over the same data.
"""

import http.client
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from agentic_memory.bootstrap import SystemClock
from agentic_memory.platforms.elevenlabs.signature import sign
from tests.wire import UNHURRIED

WORKSPACE_KEY = "wk_acceptance"
WEBHOOK_SECRET = "wsec_acceptance"
ADMIN_KEY = "ak_acceptance"

LONGEST_START = 30.0
LONGEST_STOP = 20.0
LONGEST_WORK = 30.0
LOOK_AGAIN = 0.01
"""Seconds between two looks at something that will be there any moment."""


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    """By lower-case name."""
    body: bytes

    @property
    def value(self) -> Any:
        return json.loads(self.body)


class ServerProcess:
    """One server; a context manager that starts it, waits until it answers, and ends it."""

    def __init__(self, folder: Path, *, port: int = 0, wait_for_model: bool = False, **settings: str) -> None:
        """`settings` by their names, over the ones below; `port` 0 takes a free one at the first start.

        `wait_for_model`: a start waits for `/readyz` to say `ready`, not only for an answer.
        """
        self.folder = folder
        self.data_dir = folder / "data"
        self.log_path = folder / "server.log"
        self.port = port
        self.wait_for_model = wait_for_model
        self.environment = {
            "PYTHONUTF8": "1",
            "PYTHONPATH": str(Path(__file__).parents[2] / "src"),
            "DATA_DIR": str(self.data_dir),
            "ELEVENLABS_WORKSPACE_KEY": WORKSPACE_KEY,
            "ELEVENLABS_HMAC_KEY": WEBHOOK_SECRET,
            "ADMIN_KEY": ADMIN_KEY,
            "LOG_FORMAT": "json",
            **UNHURRIED,
            **settings,
        }
        self._process: subprocess.Popen[bytes] | None = None
        self._logged = 0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        return self._running().pid

    @property
    def log(self) -> str:
        """Everything the server wrote, over all its starts."""
        return self.log_path.read_text("utf-8", "replace") if self.log_path.exists() else ""

    @property
    def events(self) -> list[dict[str, Any]]:
        """Its log lines."""
        lines = [line for line in self.log.splitlines() if line.startswith("{")]
        return [json.loads(line) for line in lines if line.endswith("}")]

    def start(self) -> None:
        """Start it and wait until it answers."""
        self._logged = len(self.log)
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "agentic_memory", "serve", "--port", str(self.port)],
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        try:
            self.wait_until(self._serves, LONGEST_START, "the server does not answer")
        except BaseException:
            self.kill()
            raise

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End it with one signal; return its exit code. Idempotent."""
        return self._end(number)

    def kill(self) -> int:
        """End it with SIGKILL, in the middle of whatever it does. Idempotent."""
        return self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Stop it and start it over the same data, on the same port."""
        self.stop()
        self.start()

    def request(
        self,
        method: str,
        path: str,
        body: bytes | object | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = 30.0,
    ) -> Answer:
        """One request on a connection of its own; a body that is not bytes is sent as JSON."""
        content = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, path, content, dict(headers or {}))
            response = connection.getresponse()
            named = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, named, response.read())
        finally:
            connection.close()

    def ring(self, caller_id: str, **fields: object) -> Answer:
        """The phone rings."""
        ring = {"caller_id": caller_id, "agent_id": "agent_acceptance", "called_number": "+15550100000"}
        return self.request("POST", "/client-data", ring | fields, {"X-Workspace-Key": WORKSPACE_KEY})

    def search(self, user_id: str, query: str, **fields: object) -> Answer:
        """The agent searches during the call."""
        return self.request("POST", "/retrieve", {"user_id": user_id, "query": query} | fields)

    def post_call(self, payload: bytes | object, secret: str = WEBHOOK_SECRET) -> Answer:
        """The platform reports a finished call, signed now."""
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        signature = sign(body, secret, int(SystemClock().now()))
        return self.request("POST", "/post-call", body, {"ElevenLabs-Signature": signature})

    def admin(self, method: str, path: str, body: object | None = None) -> Answer:
        """The admin API, with its key."""
        return self.request(method, path, body, {"Authorization": f"Bearer {ADMIN_KEY}"})

    def inbox(self) -> dict[str, int]:
        """`pending`, `dead` and `quarantined`."""
        found: dict[str, int] = self.request("GET", "/readyz").value["inbox"]
        return found

    def wait_until_remembered(self) -> None:
        """Until nothing is pending."""
        self.wait_until(lambda: self.inbox()["pending"] == 0, LONGEST_WORK, "deliveries are still pending")

    def wait_until(self, holds: Callable[[], bool], seconds: float, otherwise: str) -> None:
        """Look until it holds; fail with the server's last words when it ends or the time is up."""
        deadline = time.monotonic() + seconds
        while not holds():
            code = self._running().poll()
            if code is not None:
                raise AssertionError(f"the server ended with {code}\n{self._last_words()}")
            if time.monotonic() > deadline:
                raise AssertionError(f"{otherwise}\n{self._last_words()}")
            time.sleep(LOOK_AGAIN)

    def command(self, *arguments: str, text: str = "", timeout: float = 60.0) -> "Done":
        """Run `agentic-memory` with the server's settings and folder."""
        return run_command(*arguments, folder=self.folder, environment=self.environment | {"PORT": str(self.port)}, text=text, timeout=timeout)

    def _serves(self) -> bool:
        announced = self._announced_port()
        if not announced:  # another process may hold the port that was asked for
            return False
        self.port = announced
        try:
            answer = self.request("GET", "/readyz", timeout=5.0)
        except OSError:
            return False
        wanted = {"ready"} if self.wait_for_model else {"ready", "degraded"}
        return answer.status == 200 and answer.value["status"] in wanted

    def _announced_port(self) -> int:
        for line in self.log[self._logged :].splitlines():
            if '"serving"' in line and line.endswith("}"):
                return int(json.loads(line)["url"].rpartition(":")[2])
        return 0

    def _running(self) -> "subprocess.Popen[bytes]":
        assert self._process is not None, "the server was not started"
        return self._process

    def _end(self, number: int) -> int:
        process = self._running()
        if process.poll() is None:
            process.send_signal(number)
        try:
            return process.wait(LONGEST_STOP)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"the server did not end\n{self._last_words()}") from None

    def _last_words(self) -> str:
        return "\n".join(self.log[self._logged :].splitlines()[-20:])


@dataclass(frozen=True)
class Done:
    """What a command did."""

    code: int
    out: str
    err: str


def run_command(
    *arguments: str,
    folder: Path,
    environment: Mapping[str, str] | None = None,
    text: str = "",
    timeout: float = 60.0,
) -> Done:
    """Run `agentic-memory` in a folder with this environment and nothing of ours; `text` is its input."""
    base = {"PYTHONUTF8": "1", "PYTHONPATH": str(Path(__file__).parents[2] / "src")}
    done = subprocess.run(
        [sys.executable, "-m", "agentic_memory", *arguments],
        cwd=folder,
        env={**base, **(environment or {})},
        input=text.encode(),
        capture_output=True,
        timeout=timeout,
        check=False,
    )
    return Done(done.returncode, done.stdout.decode(), done.stderr.decode())
