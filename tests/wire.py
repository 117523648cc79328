"""The wire as ElevenLabs speaks it: signed webhooks, rings, searches; all people and numbers made up."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from agentic_memory.bootstrap import Services
from agentic_memory.errors import AgenticMemoryError
from agentic_memory.interfaces import server
from agentic_memory.interfaces.http import Request, Response, Routes
from agentic_memory.interfaces.problems import problem
from agentic_memory.platforms.elevenlabs.signature import sign
from tests.fakes import FrozenClock

WORKSPACE_KEY = "wk_test"
HMAC_KEY = "wsec_test"
STEFAN = "+15550100042"
LUCIA = "+15550100077"
OURS = "+15550199000"
START = 1_794_000_000
UNHURRIED = {"CLIENT_DATA_TIMEOUT": "10", "RETRIEVE_TIMEOUT": "30"}
"""However busy the machine is, nobody is told what was at hand instead."""


def environment(folder: Path, **given: str) -> dict[str, str]:
    """The settings of a house whose files lie in `folder`, by words alone; `given` by their names in small letters."""
    return {
        "ELEVENLABS_WORKSPACE_KEY": WORKSPACE_KEY,
        "ELEVENLABS_HMAC_KEY": HMAC_KEY,
        "EMBEDDER": "lexical",
        **UNHURRIED,
        "DATA_DIR": str(folder / "data"),
        "AGENTS_DIR": str(folder / "agents"),
        **{name.upper(): value for name, value in given.items()},
    }


def post_call(
    conversation: str,
    caller: str | None = STEFAN,
    turns: Sequence[tuple[str, str]] = (),
    *,
    at: int = START,
    collected: Mapping[str, object] | None = None,
    summary: str | None = None,
    **metadata: object,
) -> bytes:
    """A transcription webhook's body as the platform writes it."""
    phone = {"type": "twilio", "direction": "inbound", "agent_number": OURS, "external_number": caller}
    document = {
        "type": "post_call_transcription",
        "event_timestamp": at + 5 * len(turns) + 1,
        "data": {
            "agent_id": "agent_test",
            "conversation_id": conversation,
            "status": "done",
            "user_id": None,
            "transcript": [
                {"role": role, "message": text, "time_in_call_secs": 5 * i}
                for i, (role, text) in enumerate(turns)
            ],
            "metadata": {
                "start_time_unix_secs": at,
                "call_duration_secs": 5 * len(turns),
                "main_language": "en",
                "phone_call": phone,
                **metadata,
            },
            "analysis": {
                "transcript_summary": summary,
                "call_successful": "success",
                "data_collection_results": {
                    name: {"data_collection_id": name, "value": value}
                    for name, value in (collected or {}).items()
                },
            },
            "conversation_initiation_client_data": {"dynamic_variables": {}},
        },
    }
    return json.dumps(document).encode()


@dataclass
class House:
    """All services in this process, asked as a door would ask them."""

    services: Services
    clock: FrozenClock
    routes: Routes = field(init=False)

    def __post_init__(self) -> None:
        three = server.endpoints(self.services)
        admin = server.admin(self.services, development=True)
        self.routes = Routes((*three.routes(), *admin.routes()))

    def ask(
        self,
        method: str,
        path: str,
        body: object = b"",
        headers: Mapping[str, str] | None = None,
        **query: str,
    ) -> Response:
        """One request through the table of routes, errors answered as a door answers them."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        lowered = {key.lower(): value for key, value in (headers or {}).items()}
        request = Request(method, path, {"host": "localhost:8000", **lowered}, query, raw, "127.0.0.1")
        try:
            route, parameters = self.routes.find(method, path)
            return route.handler(request, parameters)
        except AgenticMemoryError as error:
            return problem(error)

    def value(self, *given: object, **more: object) -> dict[str, object]:
        """The answer's JSON, which must be a 200."""
        response = self.ask(*given, **more)  # type: ignore[arg-type]
        assert response.status == 200, response
        return json.loads(response.body)

    def ring(self, caller: object = STEFAN, key: str = WORKSPACE_KEY, **fields: object) -> Response:
        """The phone rings."""
        payload = {"caller_id": caller, "agent_id": "agent_test", "called_number": OURS, **fields}
        return self.ask("POST", "/client-data", payload, {"X-Workspace-Key": key})

    def variables(self, caller: object = STEFAN, **fields: object) -> dict[str, str]:
        """What the agent is told."""
        response = self.ring(caller, **fields)
        assert response.status == 200, response
        if response.afterwards is not None:
            response.afterwards()
        return json.loads(response.body)["dynamic_variables"]

    def search(self, query: str, caller: str = STEFAN, **more: object) -> list[object]:
        """What `/retrieve` finds."""
        payload = {"query": query, "user_id": caller, **more}
        return self.value("POST", "/retrieve", payload)["memories"]  # type: ignore[return-value]

    def hang_up(self, body: bytes, key: str = HMAC_KEY) -> Response:
        """A signed webhook comes in."""
        signature = sign(body, key, int(self.clock.now()))
        return self.ask("POST", "/post-call", body, {"ElevenLabs-Signature": signature})

    def work(self) -> int:
        """The worker runs until nothing is due."""
        return server.worker(self.services).run_until_empty()

    def remember(self, body: bytes) -> None:
        """A webhook comes in and is worked on."""
        assert self.hang_up(body).status == 200
        self.work()
        counts = self.services.storage.inbox.counts()
        assert (counts.pending, counts.dead) == (0, 0), self.services.storage.inbox.dead_letters()
