"""What one Mem0 project holds, and what the service does to it in its own time."""

import re
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from hashlib import md5
from math import sqrt
from typing import Any

from tests.mem0_emulator.filters import ENTITIES, InvalidFilter, checked, matches

PACIFIC = timezone(timedelta(hours=-7))
QUEUED = "Memory processing has been queued for background execution"
BAD_ADD = (
    "Invalid input data. Please refer to the memory creation documentation at "
    "https://docs.mem0.ai/platform/quickstart#4-1-create-memories for correct formatting and required fields."
)
DELETING = "Delete in progress. This may take some time."
Value = dict[str, Any]


@dataclass
class Delays:
    """Seconds until the service has done what it took on; `manual`: not before it is told to."""

    extraction: float | str = 0.05
    categories: float = 0.1
    index: float = 0.0
    """How much later than the list a search sees a memory."""
    deletion: float = 0.05


class Refused(Exception):
    """An answer that is not a success."""

    def __init__(self, status: int, body: object) -> None:
        super().__init__(status)
        self.status = status
        self.body = body


def invalid(text: str) -> Refused:
    return Refused(400, {"error": text})


def bad_add() -> Refused:
    return Refused(400, {"error": "400 Bad Request", "details": {"message": BAD_ADD}})


@dataclass
class Project:
    """One project: its memories in the order they came, its events, its users."""

    org_id: str
    project_id: str
    now: Callable[[], float]
    delays: Delays = field(default_factory=Delays)
    memories: dict[str, Value] = field(default_factory=dict)
    events: dict[str, Value] = field(default_factory=dict)
    history: list[Value] = field(default_factory=list)
    users: dict[str, Value] = field(default_factory=dict)
    event_faults: list[str] = field(default_factory=list)
    """What befalls the next inferred adds: `fail` or `stick`."""
    _due: list[tuple[float, Callable[[], None]]] = field(default_factory=list)

    def settle(self, *, all_of_it: bool = False) -> None:
        """Do what has fallen due."""
        while True:
            due = [item for item in self._due if all_of_it or item[0] <= self.now()]
            if not due:
                return
            self._due = [item for item in self._due if item not in due]
            for _, work in sorted(due, key=lambda item: item[0]):
                work()

    def add(self, body: Value) -> Value:
        messages, scope = body.get("messages"), _scope(body)
        usable = isinstance(messages, list) and bool(messages) and all(_is_message(m) for m in messages)
        if not usable or not any(scope.values()):
            raise bad_add()
        if any(not isinstance(item, dict) for item in body.get("custom_categories") or ()):
            raise Refused(400, {"custom_categories": ['Expected a dictionary of items but got type "str".']})
        assert isinstance(messages, list)
        if body.get("infer", True) is False:
            return self._add_verbatim(messages, scope, body)
        return self._add_inferred(messages, scope, body)

    def search(self, body: Value) -> Value:
        self._refuse_entities(body)
        query, filters = body.get("query"), self._filters(body)
        if not isinstance(query, str) or not query.strip():
            raise invalid("query: This field may not be blank.")
        if "keywords" in str(filters):
            raise Refused(500, {"error": "Internal server error"})
        top_k, threshold = int(body.get("top_k", 10)), float(body.get("threshold", 0.1))
        if not 1 <= top_k <= 1000:
            raise invalid("top_k: expected 1 to 1000")
        seen = [m for m in self._visible(body) if m["_searchable_at"] <= self.now() and matches(m, filters)]
        scored = [(similarity(query, m["memory"]), m) for m in seen]
        kept = sorted(((s, m) for s, m in scored if s >= threshold), key=lambda p: -p[0])[:top_k]
        return {"results": [_found(m, s) for s, m in kept]}

    def listing(self, body: Value, page: int, page_size: int, base: str) -> Value:
        self._refuse_entities(body)
        filters = self._filters(body)
        kept = [m for m in self._visible(body) if matches(m, filters)]
        page_size = min(max(1, page_size), 200)
        if page < 1 or (page > 1 and (page - 1) * page_size >= len(kept)):
            raise Refused(404, {"detail": "Invalid page."})
        more = page * page_size < len(kept)
        return {
            "count": len(kept),
            "next": f"{base}?page={page + 1}&page_size={page_size}" if more else None,
            "previous": f"{base}?page={page - 1}&page_size={page_size}" if page > 1 else None,
            "results": [_listed(m) for m in kept[(page - 1) * page_size : page * page_size]],
        }

    def get(self, memory_id: str) -> Value:
        return {**_listed(self._memory(memory_id)), "lifecycle_state": "active"}

    def update(self, memory_id: str, body: Value) -> Value:
        memory = self._memory(memory_id)
        old = memory["memory"]
        if isinstance(body.get("text"), str):
            memory["memory"] = body["text"]
        for key in ("metadata", "expiration_date"):
            if key in body:
                memory[key] = body[key]
        memory["updated_at"] = _pacific(self.now())
        self._note("UPDATE", memory, old, memory["memory"])
        return _listed(memory)

    def delete(self, memory_id: str) -> Value:
        self._drop(self._memory(memory_id))
        return {"message": "Memory deleted successfully!"}

    def delete_all(self, entities: Mapping[str, str]) -> Value:
        named = {key: value for key, value in entities.items() if key in ENTITIES}
        if not named:
            raise invalid("At least one filter is required")

        def gone(memory: Value) -> bool:
            return all(value == "*" or memory.get(key) == value for key, value in named.items())

        return self._delete_later(gone, lambda: None)

    def delete_entity(self, kind: str, name: str) -> Value:
        if kind not in ("user", "agent", "app", "run"):
            raise Refused(400, {"message": "Invalid entity type"})
        return self._delete_later(lambda m: m.get(f"{kind}_id") == name, lambda: self.users.pop(name, None))

    def history_of(self, memory_id: str) -> list[Value]:
        return [entry for entry in self.history if entry["memory_id"] == memory_id]

    def event(self, event_id: str) -> Value:
        if event_id not in self.events:
            raise Refused(404, {"error": "Event not found or you don't have permission to access it."})
        event = self.events[event_id]
        if event["status"] == "PENDING" and self.delays.extraction == 0:
            self.settle(all_of_it=True)
        return event

    def entities(self) -> Value:
        found = list(self.users.values())
        return {"count": len(found), "next": None, "previous": None, "results": found, "total_users": len(found)}

    def _add_verbatim(self, messages: Any, scope: Value, body: Value) -> Value:
        results = []
        for message in messages:
            text = message["content"]
            if message["role"] == "system" or not isinstance(text, str):
                continue
            digest = md5(text.encode("utf-8", "surrogatepass")).hexdigest()
            if any(m["_hash"] == digest and _in_scope(m, scope) for m in self.memories.values()):
                continue
            memory = self._keep(text, scope, body, digest)
            results.append({"id": memory["id"], "data": {"memory": text}, "event": "ADD"})
        event = self._event(body, "SUCCEEDED", results)
        return {
            "message": "Memories stored successfully", "status": "SUCCEEDED", "event_id": event["id"],
            "results": results,
        }  # fmt: skip

    def _add_inferred(self, messages: Any, scope: Value, body: Value) -> Value:
        event = self._event(body, "PENDING", [])
        fault = self.event_faults.pop(0) if self.event_faults else ""
        delay = self.delays.extraction

        def extract() -> None:
            if fault == "fail":
                event.update(status="FAILED", error="Extraction failed", completed_at=_pacific(self.now()))
                return
            event["results"] = [*self._extracted(messages, scope, body)]
            event.update(status="SUCCEEDED", completed_at=_pacific(self.now()))

        if fault != "stick":
            later = float("inf") if isinstance(delay, str) else delay
            self._due.append((self.now() + later, extract))
        return {"event_id": event["id"], "status": "PENDING", "message": QUEUED}

    def _extracted(self, messages: Any, scope: Value, body: Value) -> Iterator[Value]:
        """One fact a sentence, of each speaker; what is known already in other words is not kept."""
        split = bool(scope["user_id"] and scope["agent_id"])
        for message in messages:
            spoken = {"user": "user_id", "assistant": "agent_id"}.get(message["role"])
            if spoken is None or (spoken == "agent_id" and not split):
                continue
            other = "agent_id" if spoken == "user_id" else "user_id"
            of_speaker = {**scope, other: None} if split else scope
            for sentence in re.split(r"(?<=[.!?])\s+|\n+", str(message["content"])):
                words = set(_words(sentence))
                near = any(words == set(_words(m["memory"])) for m in self.memories.values() if _in_scope(m, of_speaker))
                if not words or near:
                    continue
                memory = self._keep(sentence.strip(), of_speaker, body, "")
                yield {"id": memory["id"], "event": "ADD", "user_id": memory["user_id"], "data": {"memory": memory["memory"]}}

    def _keep(self, text: str, scope: Value, body: Value, digest: str) -> Value:
        now = self.now()
        memory: Value = {
            "id": str(uuid.uuid4()), "memory": text, **scope,
            "metadata": dict(body["metadata"]) if isinstance(body.get("metadata"), dict) else None,
            "categories": None, "expiration_date": body.get("expiration_date"),
            "created_at": _pacific(float(body.get("timestamp") or now)), "updated_at": _pacific(now),
            "replaced_by": None, "synthesized": False,
            "_hash": digest, "_searchable_at": now + self.delays.index,
        }  # fmt: skip
        self.memories[memory["id"]] = memory
        if scope["user_id"]:
            known = {
                "id": str(len(self.users) + 1), "name": scope["user_id"], "type": "user", "owner": "user",
                "created_at": _pacific(now), "updated_at": _pacific(now), "metadata": {},
            }  # fmt: skip
            self.users.setdefault(scope["user_id"], known)
        self._note("ADD", memory, None, text)
        self._due.append((now + self.delays.categories, lambda: memory.update(categories=["misc"])))
        return memory

    def _delete_later(self, gone: Callable[[Value], bool], then: Callable[[], object]) -> Value:
        event = self._event({}, "PENDING", [])

        def delete() -> None:
            for memory in [m for m in self.memories.values() if gone(m)]:
                self._drop(memory)
            then()
            event["status"] = "SUCCEEDED"

        self._due.append((self.now() + self.delays.deletion, delete))
        return {"message": DELETING, "event_id": event["id"]}

    def _drop(self, memory: Value) -> None:
        self.memories.pop(memory["id"], None)
        self._note("DELETE", memory, memory["memory"], None)

    def _event(self, body: Value, status: str, results: Any) -> Value:
        now = _pacific(self.now())
        event: Value = {
            "id": str(uuid.uuid4()), "event_type": "ADD", "status": status, "payload": {}, "metadata": body.get("metadata"),
            "results": results, "created_at": now, "updated_at": now, "started_at": now, "completed_at": None,
            "latency": None, "graph_status": None, "error": None,
        }  # fmt: skip
        self.events[event["id"]] = event
        return event

    def _note(self, kind: str, memory: Value, old: str | None, new: str | None) -> None:
        self.history.append({
            "id": str(uuid.uuid4()), "memory_id": memory["id"], "input": [], "old_memory": old, "new_memory": new,
            "user_id": memory["user_id"], "agent_id": memory["agent_id"], "app_id": memory["app_id"],
            "session_id": memory["run_id"], "categories": memory["categories"], "event": kind,
            "metadata": memory["metadata"], "created_at": memory["created_at"], "updated_at": _pacific(self.now()),
        })  # fmt: skip

    def _memory(self, memory_id: str) -> Value:
        try:
            uuid.UUID(memory_id)
        except ValueError:
            raise invalid("memory_id should be a valid UUID") from None
        if memory_id not in self.memories:
            raise Refused(404, {"error": "Memory not found!"})
        return self.memories[memory_id]

    def _visible(self, body: Value) -> Any:
        today = datetime.fromtimestamp(self.now(), UTC).date().isoformat()
        return [
            m for m in self.memories.values()
            if body.get("show_expired") or not m["expiration_date"] or str(m["expiration_date"]) >= today
        ]  # fmt: skip

    def _filters(self, body: Value) -> Mapping[str, Any]:
        try:
            return checked(body.get("filters"))
        except InvalidFilter as error:
            raise invalid(str(error)) from None

    def _refuse_entities(self, body: Value) -> None:
        if set(body) & {"user_id", "agent_id", "run_id"}:
            raise invalid("Entity ids must be given in filters")


def similarity(query: str, text: str) -> float:
    """Cosine of the two texts' words: the same every time, between 0 and 1."""
    a, b = Counter(_words(query)), Counter(_words(text))
    shared = sum(a[word] * b[word] for word in a)
    length = sqrt(sum(n * n for n in a.values())) * sqrt(sum(n * n for n in b.values()))
    return shared / length if length else 0.0


def _words(text: str) -> Any:
    return re.findall(r"\w+", text.lower())


def _scope(body: Value) -> Value:
    return {key: body.get(key) for key in ENTITIES}


def _in_scope(memory: Value, scope: Value) -> bool:
    return all(memory[key] == scope[key] for key in ("user_id", "agent_id"))


def _is_message(message: object) -> bool:
    return isinstance(message, dict) and message.get("role") in ("user", "assistant", "system") and "content" in message


def _pacific(at: float) -> str:
    return datetime.fromtimestamp(at, PACIFIC).isoformat()


def _public(memory: Value) -> Value:
    return {key: value for key, value in memory.items() if not key.startswith("_")}


def _listed(memory: Value) -> Value:
    """As list and get have it: the session is `session_id`."""
    value = _public(memory)
    value["session_id"] = value.pop("run_id")
    return value


def _found(memory: Value, score: float) -> Value:
    """As search has it: the session is `run_id`, and there is a score."""
    value = _public(memory)
    for key in ("replaced_by", "synthesized"):
        value.pop(key)
    return {**value, "score": score, "score_breakdown": {"semantic": score, "bm25": 0.0, "entity": 0.0}}
