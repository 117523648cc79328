"""The admin API over the real use-cases in this process."""

import json
from collections.abc import Callable

import pytest

from agentic_memory.errors import InvalidAdminKey
from agentic_memory.interfaces import server
from agentic_memory.interfaces.http import Request
from agentic_memory.interfaces.openapi import PATHS, description
from tests.wire import LUCIA, START, STEFAN, House, post_call

Build = Callable[..., House]
ONE = "/v1/callers/%2B15550100042"


@pytest.fixture
def remembered(house: House) -> House:
    turns = [("agent", "What may I do?"), ("user", "I prefer email updates. I live in Ghent.")]
    house.remember(post_call("conv_1", STEFAN, turns, collected={"user_name": "Stefan"}))
    turns = [("user", "Mi hija se llama Anna.")]
    house.remember(post_call("conv_2", LUCIA, turns, at=START + 60, collected={"nombre": "Lucía"}))
    return house


def memory_id(house: House, words: str) -> str:
    memories = house.value("GET", f"{ONE}/memories")["memories"]
    return next(m["id"] for m in memories if words in m["text"])


def test_every_route_is_described_and_every_description_has_a_route(house: House):
    routed = {(r.method.lower(), r.template, r.name) for r in house.routes.routes}
    described = {
        (method, path, operation["operationId"])
        for path, item in PATHS.items()
        for method, operation in item.items()
        if method != "parameters"
    }
    assert routed == described


def test_the_description_names_only_schemas_that_exist():
    text = json.dumps(description())
    schemas = description()["components"]["schemas"]
    named = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert named <= set(schemas)
    assert set(schemas) - named == set()


def test_callers_newest_first_page_by_page_and_by_words(remembered: House):
    page = remembered.value("GET", "/v1/callers", limit="1")
    assert [c["caller_id"] for c in page["callers"]] == [LUCIA]
    rest = remembered.value("GET", "/v1/callers", limit="1", cursor=page["next_cursor"])
    assert [c["caller_id"] for c in rest["callers"]] == [STEFAN]
    assert rest["next_cursor"] is None
    found = remembered.value("GET", "/v1/callers", q="stef")
    assert [c["name"] for c in found["callers"]] == ["Stefan"]


def test_one_caller_with_brief_memories_and_calls(remembered: House):
    caller = remembered.value("GET", ONE)
    assert caller["brief"]["caller_name"] == "Stefan"
    memories = remembered.value("GET", f"{ONE}/memories")["memories"]
    assert memories and all(m["evidence"] for m in memories)
    calls = remembered.value("GET", f"{ONE}/calls")["calls"]
    assert [c["conversation_id"] for c in calls] == ["conv_1"] and "turns" not in calls[0]
    call = remembered.value("GET", f"{ONE}/calls/conv_1")
    assert [t["role"] for t in call["turns"]] == ["agent", "caller"]


def test_a_memory_is_edited_with_its_history_and_told_at_the_next_ring(remembered: House):
    one = memory_id(remembered, "prefers email")
    edited = remembered.value("PATCH", f"{ONE}/memories/{one}", {"text": "User prefers phone calls"})
    assert edited["text"] == "User prefers phone calls"
    history = remembered.value("GET", f"{ONE}/memories/{one}/history")["history"]
    assert [h["action"] for h in history] == ["created", "edited"]
    assert history[1]["actor"] == "operator"
    greeting = json.loads(remembered.ring().body)["conversation_config_override"]["agent"]
    assert "phone calls" in greeting["first_message"]


def test_a_deleted_memory_stays_deleted_when_its_call_comes_again(remembered: House):
    one = memory_id(remembered, "Ghent")
    assert remembered.value("DELETE", f"{ONE}/memories/{one}") == {"deleted": True}
    remembered.services.replay.archived()
    remembered.work()
    texts = [m["text"] for m in remembered.value("GET", f"{ONE}/memories")["memories"]]
    assert not any("Ghent" in text for text in texts)
    history = remembered.value("GET", f"{ONE}/memories/{one}/history")["history"]
    assert history[-1]["action"] == "deleted"


def test_erasing_a_caller_leaves_nothing_and_touches_nobody_else(remembered: House):
    waiting = post_call("conv_3", STEFAN, [("user", "One more thing.")], at=START + 99)
    remembered.hang_up(waiting)
    remembered.hang_up(post_call("conv_4", STEFAN, at=START + 100), key="wrong")
    remembered.ring()
    assert remembered.value("DELETE", ONE) == {"erased": True}
    assert remembered.work() == 0
    assert remembered.ask("GET", ONE).status == 404
    assert remembered.search("Ghent") == []
    assert remembered.variables()["returning_caller"] == "no"
    assert remembered.services.storage.inbox.counts().quarantined == 0
    keys = [e.key for e in remembered.services.storage.archive.entries()]
    assert keys and not any("conv_1" in key for key in keys)
    assert remembered.variables(LUCIA)["caller_name"] == "Lucía"
    assert remembered.value("DELETE", ONE) == {"erased": False}


def test_export_is_one_json_object_a_line(remembered: House):
    response = remembered.ask("GET", "/v1/export")
    lines = [json.loads(line) for line in response.chunks or ()]
    assert [line["caller_id"] for line in lines] == [LUCIA, STEFAN]
    assert lines[1]["calls"][0]["turns"] and lines[1]["memories"]
    only = remembered.ask("GET", "/v1/export", caller_id=STEFAN)
    assert len(list(only.chunks or ())) == 1


def test_dead_letters_are_listed_and_replayed(house: House):
    house.hang_up(b"no json")
    house.work()
    letters = house.value("GET", "/v1/dead-letters")["dead_letters"]
    assert len(letters) == 1
    none = {"source": "dead_letters", "ids": ["none"]}
    assert house.value("POST", "/v1/replay", none) == {"replayed": 0}
    assert house.value("POST", "/v1/replay", {"source": "dead_letters"})["replayed"] == 1
    assert house.services.storage.inbox.counts().pending == 1


def test_the_quarantine_is_listed_and_dropped(house: House):
    body = post_call("conv_q", STEFAN)
    house.hang_up(body, key="wrong")
    answer = house.value("GET", "/v1/quarantine")
    (one,) = answer["quarantine"]
    assert answer["total"] == 1
    assert (one["size"], one["reason"], one["platform"]) == (len(body), "mismatch", "elevenlabs")
    assert house.ask("DELETE", f"/v1/quarantine/{'0' * 64}").status == 404
    assert house.ask("DELETE", f"/v1/quarantine/{one['id'][:7]}").status == 404
    assert house.value("DELETE", f"/v1/quarantine/{one['id']}") == {"dropped": True}
    assert house.value("GET", "/v1/quarantine") == {"quarantine": [], "total": 0}


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "message"),
    [
        ("GET", "/v1/callers/nobody", None, 404, "Caller not found"),
        ("GET", f"{ONE}/memories/none/history", None, 404, "Memory not found"),
        ("DELETE", f"{ONE}/memories/none", None, 404, "Memory not found"),
        ("GET", f"{ONE}/calls/none", None, 404, "Call not found"),
        ("PATCH", f"{ONE}/memories/x", {"text": 7}, 400, "Invalid text: expected a string"),
        ("POST", "/v1/replay", {"source": "x"}, 400, "Invalid source: expected `dead_letters`, `archive` or `quarantine`"),
        ("POST", "/v1/replay", {"source": "dead_letters", "ids": 7}, 400, "Invalid ids: expected a list of dead-letter ids"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_said(remembered: House, method, path, body, status, message):
    response = remembered.ask(method, path, body or b"")
    assert (response.status, json.loads(response.body)) == (status, {"error": message})


def test_a_bad_cursor_names_the_field(remembered: House):
    response = remembered.ask("GET", "/v1/callers", cursor="nonsense")
    assert response.status == 400 and b"Invalid cursor" in response.body


class TestAccess:
    def status(self, house: House, *, development: bool = True, client: str = "127.0.0.1", **headers: str) -> int:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = Request("GET", "/metrics", {"host": "127.0.0.1:8000", **named}, client=client)
        routes = server.admin(house.services, development=development).routes()
        guarded = next(r.handler for r in routes if r.name == "metrics")
        try:
            return guarded(request, {}).status
        except InvalidAdminKey:
            return 401

    def test_a_key_opens_from_anywhere_and_nothing_else_does(self, build: Build):
        house = build(admin_key="one,two")
        assert self.status(house, authorization="Bearer two", client="192.0.2.7") == 200
        assert self.status(house) == 401
        assert self.status(house, authorization="Bearer three") == 401
        assert self.status(house, authorization="two") == 401

    def test_without_a_key_only_this_machine_in_development(self, house: House):
        assert self.status(house) == 200
        assert self.status(house, development=False) == 401
        assert self.status(house, client="192.0.2.7") == 401

    def test_a_tunnel_a_proxy_or_a_page_shows_and_is_refused(self, house: House):
        assert self.status(house, host="memory.example.com") == 401
        assert self.status(house, x_forwarded_for="192.0.2.7") == 401
        assert self.status(house, origin="http://evil.example") == 401
        assert self.status(house, host="localhost:8000") == 200
        assert self.status(house, host="[::1]:8000") == 200
