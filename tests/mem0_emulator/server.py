"""Mem0 Cloud on loopback: `python -m tests.mem0_emulator.server` prints its address and serves until it is ended.

Every path but `/__control__` asks for `Authorization: Token m0-...`; each such key is a project of its own.
`POST /__control__` says what befalls the next requests of a key, and how long the service takes for things.
"""

import json
import re
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from agentic_memory.bootstrap import SystemClock
from tests.mem0_emulator.projects import Delays, Project, Refused

BAD_KEY = {"detail": "Invalid API key. You can find your API key on https://app.mem0.ai/dashboard/api-keys."}
LIST = "/v3/memories/"
Value = dict[str, Any]


@dataclass
class Fault:
    """What befalls a request: see `Handler._suffer` and `Handler._altered`."""

    kind: str
    path: str = ""
    """The beginning of the paths it befalls."""
    method: str = ""
    times: int = 1
    status: int = 500
    seconds: float = 0.0
    headers: dict[str, str] = field(default_factory=dict)

    def befalls(self, method: str, path: str) -> bool:
        return self.times > 0 and path.startswith(self.path) and self.method in ("", method)


@dataclass
class Account:
    """What belongs to one key."""

    project: Project
    faults: list[Fault] = field(default_factory=list)
    requests: list[Value] = field(default_factory=list)
    is_revoked: bool = False


class Cloud:
    """All accounts."""

    def __init__(self, *, legacy: bool = False) -> None:
        self.lock = threading.RLock()
        self.accounts: dict[str, Account] = {}
        self.legacy = legacy
        self.closing = threading.Event()

    def account(self, key: str) -> Account:
        with self.lock:
            if key not in self.accounts:
                name = re.sub(r"\W", "_", key)[:60]
                self.accounts[key] = Account(Project(f"org_{name}", f"proj_{name}", SystemClock().now))
            return self.accounts[key]

    def control(self, body: Value) -> Value:
        with self.lock:
            account = self.account(body["key"])
            if "fault" in body:
                account.faults.append(Fault(**body["fault"]))
            if "delays" in body:
                account.project.delays = Delays(**body["delays"])
            account.project.event_faults += body.get("events", [])
            account.is_revoked = body.get("revoked", account.is_revoked)
            account.project.settle(all_of_it=bool(body.get("settle")))
            if body.get("clear"):
                account.faults.clear()
                account.requests.clear()
            memories = [dict(m) for m in account.project.memories.values()]
            return {"requests": list(account.requests), "memories": memories, "users": sorted(account.project.users)}


@dataclass(frozen=True)
class Asked:
    """A request as the routes see it."""

    project: Project
    body: Value
    query: dict[str, str]
    host: str
    groups: tuple[str, ...] = ()


def _ping(asked: Asked) -> object:
    project = asked.project
    return {"status": "ok", "org_id": project.org_id, "project_id": project.project_id, "user_email": "a@example.com"}


def _list(asked: Asked) -> object:
    sizes = {**asked.body, **asked.query}
    page, size = int(sizes.get("page", 1)), int(sizes.get("page_size", 100))
    return asked.project.listing(asked.body, page, size, f"http://{asked.host}{LIST}")


def _batch_update(asked: Asked) -> object:
    items = _batch(asked, "updated")
    for item in items:
        asked.project.update(item["memory_id"], {"text": item["text"]})
    return {"message": f"Successfully updated {len(items)} memories"}


def _batch_delete(asked: Asked) -> object:
    items = _batch(asked, "deleted")
    for item in items:
        asked.project.delete(item["memory_id"])
    return {"message": f"Successfully deleted {len(items)} memories"}


def _batch(asked: Asked, done: str) -> list[Value]:
    items: list[Value] = asked.body.get("memories") or []
    if len(items) > 1000:
        raise Refused(400, {"error": f"Maximum of 1000 memories can be {done} in a single request"})
    return items


def _feedback(asked: Asked) -> object:
    return {"id": asked.body["memory_id"], "feedback": asked.body.get("feedback"), "feedback_reason": asked.body.get("feedback_reason")}


def _events(asked: Asked) -> object:
    found = list(asked.project.events.values())
    return {"count": len(found), "next": None, "previous": None, "results": found}


def _old_add(asked: Asked) -> object:
    made = asked.project.add({**asked.body, "infer": asked.body.get("infer", True)})
    return {"results": [made], "relations": []}


def _old_search(asked: Asked) -> object:
    user = asked.body.get("filters") or {"user_id": asked.body.get("user_id")}
    wanted = {"query": asked.body.get("query"), "filters": user, "top_k": asked.body.get("limit", 10)}
    return asked.project.search(wanted)["results"]


Route = tuple[str, str, Callable[[Asked], object]]
ONE = r"/v1/memories/([^/]+)/"
ROUTES: tuple[Route, ...] = (
    ("GET", r"/v1/ping/", _ping),
    ("POST", r"/v3/memories/add/", lambda a: a.project.add(a.body)),
    ("POST", r"/v3/memories/search/", lambda a: a.project.search(a.body)),
    ("POST", LIST, _list),
    ("GET", r"/v1/event/([^/]+)/", lambda a: a.project.event(a.groups[0])),
    ("GET", r"/v1/events/", _events),
    ("GET", ONE + "history/", lambda a: a.project.history_of(a.groups[0])),
    ("GET", ONE, lambda a: a.project.get(a.groups[0])),
    ("PUT", ONE, lambda a: a.project.update(a.groups[0], a.body)),
    ("DELETE", ONE, lambda a: a.project.delete(a.groups[0])),
    ("DELETE", r"/v1/memories/", lambda a: a.project.delete_all(a.query)),
    ("PUT", r"/v1/batch/", _batch_update),
    ("DELETE", r"/v1/batch/", _batch_delete),
    ("GET", r"/v1/entities/", lambda a: a.project.entities()),
    ("DELETE", r"/v2/entities/([^/]+)/([^/]+)/", lambda a: a.project.delete_entity(a.groups[0], a.groups[1])),
    ("POST", r"/v1/feedback/", _feedback),
)
LEGACY: tuple[Route, ...] = (
    ("POST", r"/v1/memories/", _old_add),
    ("POST", r"/v1/memories/search/", _old_search),
    ("POST", r"/v2/memories/search/", _old_search),
    ("POST", r"/v2/memories/", _list),
)


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    cloud: Cloud

    def do_GET(self) -> None:
        self._serve()

    do_POST = do_PUT = do_DELETE = do_GET

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        raw = self.rfile.read(length)
        split = urlsplit(self.path)
        if split.path == "/__control__":
            self._send(200, self.cloud.control(json.loads(raw)))
            return
        account = self._authorized()
        if account is None:
            self._send(401, BAD_KEY)
            return
        query = dict(parse_qsl(split.query))
        body = json.loads(raw) if raw else {}
        account.requests.append({"method": self.command, "path": split.path, "query": query, "body": body})
        fault = self._fault(account, split.path)
        if fault is not None and self._suffer(fault):
            return
        status, answer = self._answer(account, split.path, query, body)
        if fault is not None and fault.kind == "lost":
            self._reset()
            return
        self._send(status, _altered(answer, fault))

    def _authorized(self) -> Account | None:
        kind, _, key = self.headers.get("Authorization", "").partition(" ")
        if kind != "Token" or not key.startswith("m0-"):
            return None
        account = self.cloud.account(key)
        return None if account.is_revoked else account

    def _answer(self, account: Account, path: str, query: dict[str, str], body: object) -> tuple[int, object]:
        with self.cloud.lock:
            account.project.settle()
            for method, pattern, route in (*ROUTES, *(LEGACY if self.cloud.legacy else ())):
                found = re.fullmatch(pattern, path)
                if found and method == self.command:
                    groups = tuple(unquote(group) for group in found.groups())
                    given = body if isinstance(body, dict) else {}
                    try:
                        return 200, route(Asked(account.project, given, query, self.headers.get("Host", ""), groups))
                    except Refused as refused:
                        return refused.status, refused.body
        return 404, {"detail": "Not found."}

    def _fault(self, account: Account, path: str) -> Fault | None:
        with self.cloud.lock:
            for fault in account.faults:
                if fault.befalls(self.command, path):
                    fault.times -= 1
                    return fault
        return None

    def _suffer(self, fault: Fault) -> bool:
        """What takes the place of the answer; whether there is nothing more to say."""
        if fault.kind == "slow":
            self.cloud.closing.wait(fault.seconds)
            return False
        if fault.kind == "reset":
            self._reset()
            return True
        if fault.kind == "drip":
            self._drip(fault.seconds)
            return True
        content = {"html": ("text/html", b"<html><body>Bad gateway</body></html>"), "malformed": ("application/json", b'{"results": [')}
        if fault.kind in content:
            kind, raw = content[fault.kind]
            self._send_raw(200, raw, kind, fault.headers)
            return True
        if fault.kind == "status":
            self._send_raw(fault.status, b'{"detail": "Injected"}', "application/json", fault.headers)
            return True
        return False

    def _reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def _drip(self, seconds: float) -> None:
        """A body that comes a byte at a time and never ends in time."""
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        deadline = time.monotonic() + seconds
        self.close_connection = True
        while time.monotonic() < deadline and not self.cloud.closing.wait(0.05):
            try:
                self.wfile.write(b" ")
            except OSError:
                return

    def _send(self, status: int, value: object) -> None:
        self._send_raw(status, json.dumps(value).encode(), "application/json", {})

    def _send_raw(self, status: int, body: bytes, kind: str, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


def _altered(answer: object, fault: Fault | None) -> object:
    """A whole answer with what no client should mind: unknown fields, nulls, no scores, other envelopes."""
    if fault is None or not isinstance(answer, dict) or "results" not in answer:
        return answer
    results = [dict(r) for r in answer["results"]]
    for result in results:
        if fault.kind == "extra":
            result.update(novelty={"a": [1]}, lifecycle_state="active")
        elif fault.kind == "nulls":
            result.update(updated_at=None, categories=None, score=None)
    if fault.kind == "bare":
        return results
    return {**answer, "results": results, **({"novelty": 1} if fault.kind == "extra" else {})}


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is no news."""


def main() -> None:
    handler = type("BoundHandler", (Handler,), {"cloud": Cloud(legacy="--legacy" in sys.argv)})
    server = Server(("127.0.0.1", 0), handler)
    sys.stdout.write(f"http://127.0.0.1:{server.server_address[1]}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()
