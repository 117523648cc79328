"""Start and end the processes that are measured, and read what they cost."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from payloads import ADMIN_KEY, HMAC_KEY, WORKSPACE_KEY

HERE = Path(__file__).parent
START_SECONDS = 60.0
SERVE = [sys.executable, "-m", "agentic_memory", "serve"]


@dataclass(frozen=True, slots=True)
class Process:
    """One measured process."""

    pid: int
    port: int

    def cpu(self) -> float:
        """CPU seconds that all its threads have used so far, by the scheduler's own account."""
        total = 0
        for task in Path(f"/proc/{self.pid}/task").iterdir():
            try:
                total += int((task / "schedstat").read_text().split()[0])
            except OSError:
                continue  # a thread that has just ended
        return total / 1e9

    def memory(self) -> int:
        """Resident bytes."""
        fields = Path(f"/proc/{self.pid}/statm").read_text().split()
        return int(fields[1]) * os.sysconf("SC_PAGE_SIZE")

    def get(self, path: str) -> dict[str, object]:
        """A JSON answer of its health checks."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
            found: dict[str, object] = json.load(answer)
            return found

    def pending(self) -> int:
        """Deliveries accepted and neither done nor dead."""
        inbox = self.get("/readyz")["inbox"]
        assert isinstance(inbox, dict)
        return int(inbox["pending"])


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def echo() -> Iterator[Process]:
    """The bare echo."""
    port = free_port()
    with _started([sys.executable, str(HERE / "echo.py"), str(port)], port, {}, "/2") as process:
        yield process


@contextmanager
def server(data_dir: Path, **settings: str) -> Iterator[Process]:
    """The real server on `data_dir`, its model loaded."""
    port = free_port()
    with _started(SERVE, port, environment(data_dir, port, **settings), "/healthz") as process:
        deadline = time.monotonic() + START_SECONDS
        while process.get("/readyz")["status"] != "ready":
            if time.monotonic() > deadline:
                raise TimeoutError(f"not ready: {process.get('/readyz')}")
            time.sleep(0.1)
        yield process


def environment(data_dir: Path, port: int = 0, **settings: str) -> dict[str, str]:
    """All the settings of a measured server; nothing of the shell's own environment counts."""
    return {
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "DATA_DIR": str(data_dir),
        "AGENTS_DIR": str(data_dir / "agents"),
        "ELEVENLABS_WORKSPACE_KEY": WORKSPACE_KEY,
        "ELEVENLABS_HMAC_KEY": HMAC_KEY,
        "ADMIN_KEY": ADMIN_KEY,
        "LOG_LEVEL": "ERROR",
        **settings,
    }


@contextmanager
def _started(
    command: list[str], port: int, env: Mapping[str, str], path: str
) -> Iterator[Process]:
    inherited = {k: os.environ[k] for k in ("PATH", "HOME", "LANG") if k in os.environ}
    folder = env.get("DATA_DIR", str(HERE))
    started = subprocess.Popen(command, env={**inherited, **env}, cwd=folder)
    try:
        _wait(started, f"http://127.0.0.1:{port}{path}")
        yield Process(started.pid, port)
    finally:
        started.send_signal(signal.SIGTERM)
        try:
            started.wait(30)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()


def _wait(started: "subprocess.Popen[bytes]", url: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if started.poll() is not None:
            raise RuntimeError(f"ended with {started.returncode} before it answered")
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.02)
    raise TimeoutError(url)
