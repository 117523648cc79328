"""Lambda's Runtime API, enough of it to run a handler as it is deployed, and to weigh it."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from typing import Any

ROOT = Path(__file__).parents[2]
TICKS = os.sysconf("SC_CLK_TCK")
PATIENCE = 60.0


@dataclass(frozen=True)
class Runtime:
    """A Python with Lambda's runtime client, and the layer built for it."""

    name: str
    interpreter: Path
    layer: Path


HERE = Runtime("here", ROOT / ".venv-lambda" / "bin" / "python", ROOT / "build" / "layer" / "python")
LAMBDAS = Runtime("lambda", ROOT / "build" / "lambda" / "venv" / "bin" / "python", ROOT / "build" / "lambda" / "layer" / "python")
"""Python 3.13, where this machine has one."""
RUNTIMES = [runtime for runtime in (HERE, LAMBDAS) if runtime is HERE or runtime.interpreter.exists()]


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A function that is ended while it waits for an event is no error."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class RuntimeAPI:
    """Hands events to one function's process, and takes what it answers."""

    def __init__(self) -> None:
        self.events: Queue[Any] = Queue()
        self.answers: Queue[tuple[str, Any]] = Queue()
        self.asked = threading.Event()
        self.process: subprocess.Popen[bytes] | None = None
        self.initialisation_error: Any = None
        self.cpu_at_first_ask = 0.0
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                if not api.asked.is_set():
                    api.cpu_at_first_ask = api.cpu()
                    api.asked.set()
                event = api.events.get()
                self.reply(200, json.dumps(event).encode(), {
                    "Lambda-Runtime-Aws-Request-Id": "req-1",
                    "Lambda-Runtime-Deadline-Ms": "9999999999999",
                    "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:eu-central-1:123456789012:function:f",
                    "Lambda-Runtime-Trace-Id": "Root=1-2-3",
                })  # fmt: skip

            def do_POST(self) -> None:
                value = json.loads(self.rfile.read(int(self.headers["Content-Length"] or 0)) or b"null")
                kind = self.path.rpartition("/")[2]
                if self.path.endswith("/init/error"):
                    api.initialisation_error = value
                    api.asked.set()
                else:
                    api.answers.put((kind, value))
                self.reply(202, b'{"status": "OK"}', {})

            def reply(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
                self.send_response(status)
                self.send_header("Content-Type", "application/json")  # the client crashes without one
                for name, header in {**headers, "Content-Length": str(len(body))}.items():
                    self.send_header(name, header)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = _Server(("127.0.0.1", 0), Handler)

    def cpu(self) -> float:
        """Seconds of processor that the function's process has taken so far."""
        assert self.process is not None
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def memory(self) -> float:
        """The most megabytes that it has held."""
        assert self.process is not None
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) / 1000

    def invoke(self, event: Any) -> Any:
        """The answer to one event."""
        self.events.put(event)
        kind, value = self.answers.get(timeout=PATIENCE)
        assert kind == "response", value
        return value

    def first_ask(self) -> float:
        """Wait until the function has initialised; the CPU that took."""
        assert self.asked.wait(PATIENCE), "the function never asked for an event"
        assert self.initialisation_error is None, self.initialisation_error
        return self.cpu_at_first_ask


@contextmanager
def function(
    name: str, environment: Mapping[str, str], log: Path, runtime: Runtime = HERE
) -> Iterator[RuntimeAPI]:
    """The function in `src/<name>` in a process of its own, under Lambda's own runtime client."""
    assert runtime.interpreter.exists() and runtime.layer.exists(), "run `make test-aws`, which makes what this needs"
    api = RuntimeAPI()
    threading.Thread(target=api.server.serve_forever, args=(0.02,), daemon=True).start()
    folder = ROOT / "src" / name
    given = {
        "PATH": os.defpath,
        "PYTHONPATH": str(runtime.layer),
        "PYTHONDONTWRITEBYTECODE": "1",
        "LAMBDA_TASK_ROOT": str(folder),
        "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{api.server.server_port}",
        "AWS_REGION": "eu-central-1",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "AKIA",
        "AWS_SECRET_ACCESS_KEY": "s",
        **environment,
    }
    command = [runtime.interpreter, "-m", "awslambdaric", "handler.handler"]
    with log.open("wb") as out:
        api.process = subprocess.Popen(command, cwd=folder, env=given, stdout=out, stderr=out)
        try:
            yield api
        finally:
            api.process.kill()
            api.process.wait()
            api.server.shutdown()
            api.server.server_close()
