"""A real process that is started, killed without warning, and started again on the same folder."""

import json
import os
import signal
import subprocess
import sys
import time
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from socket import socket

from tests.wire import UNHURRIED

WORKSPACE_KEY = "crash_workspace_key"
HMAC_KEY = "crash_hmac_key"
ADMIN_KEY = "crash_admin_key"
START_SECONDS = 60.0


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Victim:
    """`agentic-memory serve` or `worker`, on one folder and one port for all its lives."""

    def __init__(self, folder: Path, port: int, command: str = "serve", **settings: str) -> None:
        self.port = port
        self.lives = 0
        self._folder = folder
        self._command = [sys.executable, "-m", "agentic_memory", command]
        self._environment = {
            "PATH": os.environ["PATH"],  # noqa: TID251
            "PORT": str(port),
            "DATA_DIR": str(folder / "data"),
            "AGENTS_DIR": str(folder / "agents"),
            "ELEVENLABS_WORKSPACE_KEY": WORKSPACE_KEY,
            "ELEVENLABS_HMAC_KEY": HMAC_KEY,
            "ADMIN_KEY": ADMIN_KEY,
            "EMBEDDER": "lexical",
            "LOG_LEVEL": "WARNING",
            "LOG_FORMAT": "json",
            **UNHURRIED,
            **settings,
        }
        self._log = (folder / f"{command}.log").open("ab")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Begin a life; does not wait."""
        self.lives += 1
        self._process = subprocess.Popen(
            self._command,
            env=self._environment,
            cwd=self._folder,
            stdout=self._log,
            stderr=self._log,
        )

    def kill(self) -> None:
        """SIGKILL: no handler runs, nothing is flushed."""
        assert self._process is not None
        assert self._process.poll() is None, f"it died by itself: {self.log[-2000:]}"
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def end(self) -> None:
        """SIGTERM, as an operator would."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(30)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._log.close()

    def wait_until_up(self) -> None:
        """Wait for the first answer."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            try:
                if self.get("/healthz")[0] == 200:
                    return
            except (OSError, HTTPException):
                time.sleep(0.01)
        raise TimeoutError(f"no answer: {self.log[-2000:]}")

    def get(self, path: str) -> tuple[int, object]:
        """Status and JSON of an admin or health route."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", path, headers={"Authorization": f"Bearer {ADMIN_KEY}"})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    @property
    def log(self) -> str:
        """What all its lives have logged."""
        return "".join(p.read_text("utf-8", "replace") for p in sorted(self._folder.glob("*.log")))
