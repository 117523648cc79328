"""A server of its own for the demonstration: a process with a fresh data folder, gone at the end."""

import json
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from agentic_memory.interfaces.cli.client import Client, NoAnswer
from agentic_memory.interfaces.cli.group import Refused
from agentic_memory.ports import Clock

LONGEST_START = 30.0
"""Seconds."""
LONGEST_STOP = 15.0
LOOK_AGAIN = 0.02
"""Seconds between looks at something that is about to be there."""
LAST_LINES = 12


class DemoServer:
    """A running `agentic-memory serve`."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        """Start it over `folder`; `wait` says when it answers."""
        self.workspace_key = secrets.token_urlsafe(24)
        self.webhook_secret = secrets.token_urlsafe(24)
        self.url = ""
        self.milliseconds_to_start = 0.0
        self._client: Client | None = None
        self._clock = clock
        self._started = clock.monotonic()
        self._log = folder / "server.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "agentic_memory", "serve", "--port", "0"],
                cwd=folder,
                env=self._environment(folder),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for us; the server is ended by its id
            )

    def wait(self) -> Client:
        """Until it answers. Raises Refused with its last words."""
        deadline = self._started + LONGEST_START
        while not self.url:
            self.url = self._announced()
            self._pause("the server did not start", deadline)
        client = self._client = Client(self.url, self._clock)
        while not self._answers(client):
            self._pause("the server does not answer", deadline)
        self.milliseconds_to_start = (self._clock.monotonic() - self._started) * 1000
        return client

    def wait_until_remembered(self, client: Client, seconds: float = 60.0) -> float:
        """Until nothing is pending; return the milliseconds that took. Raises Refused."""
        started = self._clock.monotonic()
        while True:
            inbox = client.get("/readyz").value.get("inbox")
            counts: Mapping[str, object] = inbox if isinstance(inbox, dict) else {}
            if counts.get("dead"):
                raise self.failure("a call could not be remembered")
            if counts.get("pending") == 0:
                return (self._clock.monotonic() - started) * 1000
            self._pause("the calls were not remembered in time", started + seconds)

    def failure(self, what: str) -> Refused:
        """An error with the server's last log lines."""
        lines = self._log.read_text("utf-8", "replace").splitlines()[-LAST_LINES:]
        tail = "\n".join(f"  {line}" for line in lines) or "  (it wrote nothing)"
        return Refused(f"{what}. The server's last lines:\n{tail}")

    def stop(self) -> None:
        """End it, kindly first. A request that we were sending would keep it waiting for its end."""
        if self._client is not None:
            self._client.close()
        self._process.terminate()
        try:
            self._process.wait(LONGEST_STOP)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _environment(self, folder: Path) -> dict[str, str]:
        """Nothing of ours but where the package lies: the demonstration is the same on every machine."""
        return {
            "PYTHONPATH": str(Path(__file__).parents[3]),
            "PYTHONUTF8": "1",
            "DATA_DIR": str(folder / "data"),
            "ELEVENLABS_WORKSPACE_KEY": self.workspace_key,
            "ELEVENLABS_HMAC_KEY": self.webhook_secret,
            "LOG_FORMAT": "json",
        }

    def _announced(self) -> str:
        """The address in the log line that says that it serves."""
        for line in self._log.read_text("utf-8", "replace").splitlines():
            if '"serving"' in line and line.endswith("}"):
                return str(json.loads(line).get("url", ""))
        return ""

    def _answers(self, client: Client) -> bool:
        try:
            return client.get("/readyz").status == 200
        except NoAnswer:
            return False

    def _pause(self, what: str, deadline: float) -> None:
        if self._process.poll() is not None:
            raise self.failure(f"the server ended by itself with exit code {self._process.returncode}")
        if self._clock.monotonic() > deadline:
            raise self.failure(what)
        time.sleep(LOOK_AGAIN)


@contextmanager
def demo_server(clock: Clock) -> Iterator[DemoServer]:
    """A server over a temporary folder; both are gone at the end, whatever happens."""
    with tempfile.TemporaryDirectory(prefix="agentic-memory-demo-", ignore_cleanup_errors=True) as name:
        server = DemoServer(Path(name), clock)
        try:
            yield server
        finally:
            server.stop()
