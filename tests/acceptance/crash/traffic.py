"""Callers who ring, search and hang up all the while, and keep account of what they were answered."""

import json
import random
import threading
import time
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException

from agentic_memory.platforms.elevenlabs.signature import sign
from tests.acceptance.crash.victim import HMAC_KEY, WORKSPACE_KEY

PATIENCE = 10.0
BEGAN = 1_790_000_000


def caller(index: int) -> str:
    return f"+155501000{index:02d}"


def conversation(index: int) -> str:
    return f"conv_crash_{index:05d}"


def parcel(index: int) -> str:
    """A word that one delivery alone contains."""
    return f"parcel{index:05d}"


def body(index: int, callers: int) -> bytes:
    """A short call with a summary of its own."""
    said = f"I promised to send {parcel(index)} to the harbour."
    event = {
        "type": "post_call_transcription",
        "event_timestamp": BEGAN + index,
        "data": {
            "agent_id": "agent_crash",
            "conversation_id": conversation(index),
            "status": "done",
            "transcript": [
                {"role": "agent", "message": "What may I note?", "time_in_call_secs": 0},
                {"role": "user", "message": said, "time_in_call_secs": 2},
            ],
            "metadata": {
                "start_time_unix_secs": BEGAN + index,
                "call_duration_secs": 4,
                "phone_call": {
                    "direction": "inbound",
                    "external_number": caller(index % callers),
                    "agent_number": "+15550199001",
                },
            },
            "analysis": {"transcript_summary": f"The caller will send {parcel(index)} to the harbour."},
        },
    }
    return json.dumps(event).encode()


@dataclass
class Account:
    """What the senders were told; shared by their threads."""

    answered: set[int] = field(default_factory=set)
    """Deliveries that got a 200."""
    tried: set[int] = field(default_factory=set)
    """Deliveries that were sent at all."""
    unexpected: list[str] = field(default_factory=list)
    broken: int = 0
    """Requests that a kill cut off."""
    fresh_answer: threading.Event = field(default_factory=threading.Event)
    """Set whenever a delivery has just been answered 200: the worst moment to be killed."""


class Sender(threading.Thread):
    """Rings, searches and hangs up with pauses between; sends again what was not answered, as a platform does."""

    def __init__(self, port: int, first: int, step: int, callers: int, account: Account) -> None:
        super().__init__(name=f"sender-{first}", daemon=True)
        self._port = port
        self._indices = iter(range(first, 100_000, step))
        self._callers = callers
        self._account = account
        self._dice = random.Random(first)
        self._ending = threading.Event()

    def end(self) -> None:
        """Stop after the request in hand."""
        self._ending.set()

    def run(self) -> None:
        while not self._ending.is_set():
            index = next(self._indices)
            self._ring(index)
            self._search(index)
            self._hang_up(index)
            self._ending.wait(self._dice.uniform(0.0, 0.12))

    def _ring(self, index: int) -> None:
        payload = {"caller_id": caller(index % self._callers), "conversation_id": conversation(index)}
        headers = {"X-Workspace-Key": WORKSPACE_KEY}
        self._expect("/client-data", json.dumps(payload).encode(), headers)

    def _search(self, index: int) -> None:
        payload = {"query": "harbour", "user_id": caller(index % self._callers)}
        self._expect("/retrieve", json.dumps(payload).encode(), {})

    def _hang_up(self, index: int) -> None:
        """Most are sent until they are answered, some given up; some are sent again though answered."""
        self._account.tried.add(index)
        gives_up = self._dice.random() < 0.2
        while not self._ending.is_set():
            if self._delivered(index):
                self._account.fresh_answer.set()
                self._account.answered.add(index)
                break
            if gives_up:
                return
            time.sleep(0.02)
        if self._dice.random() < 0.1:
            self._delivered(index)

    def _delivered(self, index: int) -> bool:
        content = body(index, self._callers)
        signature = sign(content, HMAC_KEY, int(time.time()))  # noqa: TID251  the server checks the age
        return self._expect("/post-call", content, {"ElevenLabs-Signature": signature})

    def _expect(self, path: str, content: bytes, headers: dict[str, str]) -> bool:
        """Whether it was answered 200; nothing at all is fair of a killed server, another status is not."""
        connection = HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE)
        try:
            connection.request("POST", path, content, headers)
            answer = connection.getresponse()
            text = answer.read()
        except (OSError, HTTPException):
            self._account.broken += 1
            return False
        finally:
            connection.close()
        if answer.status != 200:
            self._account.unexpected.append(f"{path}: {answer.status} {text[:200]!r}")
        return answer.status == 200
