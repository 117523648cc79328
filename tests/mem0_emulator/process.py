"""The emulator as a process of its own, and one account of it."""

import json
import subprocess
import sys
import urllib.request
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).parents[2]


class EmulatorProcess:
    """Started on entry, ended on exit."""

    def __init__(self, *arguments: str) -> None:
        self._arguments = arguments
        self.url = ""
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "tests.mem0_emulator.server", *self._arguments]
        self._process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().strip()
        assert self.url, "the emulator did not start"
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def account(self, name: str = "") -> "Account":
        """An account of one's own: nobody else's memories and faults are in it."""
        return Account(self.url, f"m0-{name or 'test'}-{uuid.uuid4().hex[:12]}")


@dataclass(frozen=True)
class Account:
    """A key of the emulator, with a hand on what befalls it."""

    url: str
    key: str = field(repr=False)

    def fault(self, kind: str, path: str = "", **more: object) -> None:
        """The next requests to paths that begin with `path` meet this fault; `times` says how many."""
        self._control(fault={"kind": kind, "path": path, **more})

    def delays(self, **delays: object) -> None:
        self._control(delays=delays)

    def event_faults(self, *faults: str) -> None:
        """What befalls the next inferred adds: `fail`, `stick`, or nothing (an empty text)."""
        self._control(events=list(faults))

    def revoke(self, revoked: bool = True) -> None:
        self._control(revoked=revoked)

    def settle(self) -> None:
        """Everything the service took on is done now."""
        self._control(settle=True)

    def clear(self) -> None:
        """Forget faults and requests."""
        self._control(clear=True)

    @property
    def requests(self) -> list[dict[str, Any]]:
        return list(self._control()["requests"])

    @property
    def memories(self) -> list[dict[str, Any]]:
        return list(self._control()["memories"])

    @property
    def users(self) -> list[str]:
        return list(self._control()["users"])

    def add(self, user_id: str, text: str, **more: object) -> Any:
        """A memory as somebody else's software would have left it."""
        body = {"messages": [{"role": "user", "content": text}], "user_id": user_id, "infer": False, **more}
        return self.call("POST", "/v3/memories/add/", body)

    def call(self, method: str, path: str, body: object = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Token {self.key}", "Content-Type": "application/json"}
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=10) as response:
            return json.load(response)

    def _control(self, **body: object) -> Any:
        return self.call("POST", "/__control__", {"key": self.key, **body})
