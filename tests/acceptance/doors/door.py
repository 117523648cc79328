"""A door to the memory: what the voice platform and the operator may do, whichever way the requests go in."""

import json
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from agentic_memory.bootstrap import SystemClock
from agentic_memory.platforms.elevenlabs.signature import sign
from tests.acceptance.server_process import LONGEST_WORK, LOOK_AGAIN, Answer
from tests.wire import HMAC_KEY, OURS, UNHURRIED, WORKSPACE_KEY

KEY = {"X-Workspace-Key": WORKSPACE_KEY}
KEPT = 200, {"status": "ok"}
"""What a delivery is answered that is safe now."""

SETTINGS = {
    "ELEVENLABS_WORKSPACE_KEY": WORKSPACE_KEY,
    "ELEVENLABS_HMAC_KEY": HMAC_KEY,
    "EMBEDDER": "lexical",
    "MAX_BODY_BYTES": "200000",
    "OWN_NUMBERS": OURS,
    **UNHURRIED,
}
"""In force behind every door."""


@dataclass(frozen=True)
class Counts:
    """What lies in the inbox."""

    pending: int
    dead: int
    quarantined: int


class Door(ABC):
    """One way in, with all that stands behind it; a context manager that opens and closes it.

    A door gives `ask` for the platform, `settle`, and what the operator can do. What a telephone call
    makes of `ask` is the same for all.
    """

    dead = 0
    """Dead letters that a test knows of."""

    @abstractmethod
    def ask(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Answer:
        """One HTTP request as the voice platform would send it."""

    @abstractmethod
    def settle(self) -> None:
        """Return when nothing is pending: all deliveries are remembered, or dead."""

    @abstractmethod
    def counts(self) -> Counts:
        """What the inbox holds."""

    @abstractmethod
    def replay(self, source: str) -> int:
        """The operator has `dead_letters` or the `quarantine` processed again; how many those were."""

    @abstractmethod
    def forget(self, caller: str) -> bool:
        """The operator erases a caller; whether there was anything."""

    @abstractmethod
    def archived(self, prefix: str) -> Mapping[str, bytes]:
        """What the archive holds under keys that begin so."""

    @abstractmethod
    def reopen(self, **settings: str) -> None:
        """Start anew with these settings changed, over what was kept."""

    @abstractmethod
    def close(self) -> None:
        """End it. Idempotent."""

    def __enter__(self) -> "Door":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def post(self, path: str, value: object, headers: Mapping[str, str] | None = None) -> Answer:
        """A request with a body: bytes as they are, anything else as JSON."""
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        return self.ask("POST", path, body, {"Content-Type": "application/json", **(headers or {})})

    def ring(self, caller: object, **fields: object) -> Answer:
        """The phone rings."""
        ring = {"caller_id": caller, "agent_id": "agent_test", "called_number": OURS, "call_sid": "CA1"}
        return self.post("/client-data", ring | fields, KEY)

    def variables(self, caller: object, **fields: object) -> dict[str, str]:
        """What the agent is told when the phone rings."""
        answer = self.ring(caller, **fields)
        assert answer.status == 200, answer
        told: dict[str, str] = answer.value["dynamic_variables"]
        return told

    def search(self, caller: object, query: object, headers: Mapping[str, str] | None = None, **more: object) -> Answer:
        """The agent searches during the call."""
        return self.post("/retrieve", {"user_id": caller, "query": query} | more, headers)

    def found(self, caller: object, query: object, **more: object) -> list[Any]:
        """What it finds."""
        answer = self.search(caller, query, **more)
        assert answer.status == 200, answer
        memories: list[Any] = answer.value["memories"]
        return memories

    def hang_up(self, body: bytes, secret: str = HMAC_KEY) -> Answer:
        """The platform reports the call, signed now."""
        signature = sign(body, secret, int(SystemClock().now()))
        return self.post("/post-call", body, {"ElevenLabs-Signature": signature})

    def remember(self, *bodies: bytes) -> None:
        """Calls end one after the other, and are remembered: none of them becomes a dead letter."""
        for body in bodies:
            answer = self.hang_up(body)
            assert (answer.status, answer.value) == KEPT, answer
        self.settle()
        assert self.counts().dead == self.dead

    def until(self, holds: Callable[[], bool]) -> None:
        """Look until it holds: for what is done behind an answer."""
        deadline = time.monotonic() + LONGEST_WORK
        while not holds():
            assert time.monotonic() < deadline, "it does not come to hold"
            time.sleep(LOOK_AGAIN)
