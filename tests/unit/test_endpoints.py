"""The three endpoints, health and errors, over the real use-cases in this process."""

import json
from collections.abc import Callable

import pytest

from agentic_memory.errors import StorageUnavailable
from agentic_memory.interfaces.http import Response
from tests.wire import HMAC_KEY, LUCIA, OURS, START, STEFAN, WORKSPACE_KEY, House, post_call

VARIABLES = {
    "caller_id", "caller_name", "returning_caller", "memory_count", "memory_summary",
    "memory_context", "last_call_date", "preferred_language",
}  # fmt: skip
NEW_CALLER = "Hello! Welcome to our memoir interview service. Could you please tell me your name?"
Build = Callable[..., House]


def error(response: Response) -> tuple[int, str]:
    assert response.content_type == "application/json"
    answer = json.loads(response.body)
    assert list(answer) == ["error"]
    return response.status, answer["error"]


def stefan(house: House) -> House:
    calls = [
        ("I prefer e-mail updates.", "User prefers email updates"),
        ("I want to hear about my invoice.", "User asked about an invoice"),
        ("I live in Ghent now.", "User moved to Ghent"),
        ("I want to update my email address.", "User wants to update email address"),
    ]
    for i, (said, summary) in enumerate(calls):
        turns = [("agent", "How can I help?"), ("user", said)]
        house.remember(
            post_call(
                f"conv_{i}", STEFAN, turns, at=START + i * 86_400, summary=summary,
                collected={"user_name": "Stefan"},
            )
        )
    return house


def test_the_known_caller_is_greeted_letter_by_letter(house: House):
    answer = json.loads(stefan(house).ring().body)
    agent = answer["conversation_config_override"]["agent"]
    greeting = "Hello Stefan! I know you prefer email updates. How can I assist you today?"
    assert answer["type"] == "conversation_initiation_client_data"
    assert agent["first_message"] == greeting
    assert agent["prompt"]["prompt"].startswith(
        "CALLER CONTEXT: This caller has 4 previous interactions"
    )
    variables = answer["dynamic_variables"]
    assert variables["caller_name"] == "Stefan"
    assert variables["memory_count"] == "4"
    assert variables["memory_summary"] == "User wants to update email address"
    assert variables["returning_caller"] == "yes"


def test_a_new_number_is_asked_for_a_name(house: House):
    answer = json.loads(house.ring("+15550100099").body)
    assert answer["conversation_config_override"]["agent"]["first_message"] == NEW_CALLER
    assert answer["dynamic_variables"]["memory_summary"] == "New caller"


@pytest.mark.parametrize(
    "caller", ["", None, "anonymous", "Unknown", "+266696687", "None", " restricted ", STEFAN, "web-user-7"]
)
def test_the_whole_variable_set_comes_every_time(house: House, caller: object):
    variables = house.variables(caller)
    assert set(variables) >= VARIABLES
    assert all(isinstance(value, str) for value in variables.values())
    assert variables["returning_caller"] == "no"


def test_withheld_callers_never_share_a_memory(house: House):
    turns = [("user", "My name is Ana and I prefer tea.")]
    house.remember(post_call("conv_anon", "anonymous", turns))
    assert house.variables("anonymous")["caller_name"] == ""
    assert house.search("tea", "anonymous") == []
    assert house.services.storage.records.counts("lexical").callers == 0


@pytest.mark.parametrize("key", ["", "wk_tes", "wk_test ", "wk_tést", "WK_TEST"])
def test_a_wrong_workspace_key_is_refused(house: House, key: str):
    assert error(house.ring(key=key)) == (401, "Invalid workspace key")


def test_several_workspace_keys_serve_while_they_rotate(build: Build):
    house = build(elevenlabs_workspace_key="old, new")
    assert house.ring(key="old").status == house.ring(key="new").status == 200
    assert house.ring(key="old, new").status == 401


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        ("/client-data", {}, (400, "Missing caller_id")),
        ("/client-data", {"callerid": STEFAN}, (400, "Missing caller_id")),
        ("/client-data", b"not json", (400, "Invalid body: expected a JSON object")),
        ("/client-data", [], (400, "Invalid body: expected a JSON object")),
        ("/client-data", b"\xff\xfe", (400, "Invalid body: expected a JSON object")),
        ("/retrieve", {"user_id": STEFAN}, (400, "Missing query")),
        ("/retrieve", {"query": "  ", "user_id": STEFAN}, (400, "Missing query")),
        ("/retrieve", {"query": "tea"}, (400, "Missing user_id")),
        ("/retrieve", {"query": [], "user_id": STEFAN}, (400, "Invalid query: expected a string")),
        ("/retrieve", {"query": "x", "user_id": {}}, (400, "Invalid user_id: expected a string")),
        ("/retrieve", {"query": "x", "user_id": STEFAN, "limit": 0}, (400, "Invalid limit: expected a whole number from 1 to 50")),
        ("/retrieve", {"query": "x", "user_id": STEFAN, "detail": "yes"}, (400, "Invalid detail: expected true or false")),
        ("/nowhere", {}, (404, "Path not found")),
    ],
)  # fmt: skip
def test_bad_input_names_the_field(house: House, path: str, body: object, expected: tuple[int, str]):
    assert error(house.ask("POST", path, body, {"X-Workspace-Key": WORKSPACE_KEY})) == expected


@pytest.mark.parametrize("path", ["/client-data", "/retrieve", "/post-call", "/Prod/retrieve"])
def test_the_wrong_method_is_told_the_right_one(house: House, path: str):
    response = house.ask("GET", path)
    assert error(response) == (405, "Method not allowed: use POST")
    assert ("Allow", "POST") in response.headers


def test_the_stage_prefix_changes_nothing(house: House):
    stefan(house)
    payload = {"query": "invoice", "user_id": STEFAN}
    assert house.value("POST", "/Prod/retrieve", payload) == house.value("POST", "/retrieve", payload)
    assert house.ask("GET", "/Prod/healthz").status == 200


def test_a_search_answers_lines_and_with_detail_their_evidence(house: House):
    stefan(house)
    lines = house.search("Ghent")
    assert lines and all(isinstance(line, str) and "\n" not in line for line in lines)
    assert "Ghent" in lines[0] and len(lines) <= 3
    found = house.search("Ghent", detail=True)
    best = next(memory for memory in found if memory["turn"] is not None)
    assert best["conversation_id"] == "conv_2"
    assert (best["turn"], best["quote"]) == (1, "I live in Ghent now.")
    assert 1 in best["turns"]
    assert best["date"] == "2026-11-08"


def test_results_never_cross_callers(house: House):
    stefan(house)
    house.remember(post_call("conv_l", LUCIA, [("user", "Mi gata se llama Ghent.")]))
    assert {m["conversation_id"] for m in house.search("Ghent", LUCIA, detail=True)} == {"conv_l"}
    assert house.search("Ghent", "+15550100098") == []


def test_the_limit_of_the_settings_holds_unless_asked_otherwise(build: Build):
    house = stefan(build(mem0_search_limit="2"))
    assert len(house.search("email")) == 2
    assert len(house.search("email", limit=5)) == 5


def test_a_storage_failure_is_trouble_remembering_not_nothing_found(house: House, monkeypatch: pytest.MonkeyPatch):
    def fail(*_: object, **__: object) -> None:
        raise StorageUnavailable(reason="test")

    stefan(house)
    house.ring()
    monkeypatch.setattr(house.services.storage.records, "caller", fail)
    answer = house.ask("POST", "/retrieve", {"query": "x", "user_id": STEFAN})
    assert error(answer) == (503, "Memory is temporarily unavailable")
    told = house.ring()
    assert json.loads(told.body)["dynamic_variables"]["caller_name"] == "Stefan"
    assert ("Server-Timing", 'tier;desc="last_good"') in told.headers
    assert set(house.variables(LUCIA)) >= VARIABLES


class TestRetrieveAuth:
    def ask(self, house: House, **headers: str) -> int:
        payload = {"query": "email", "user_id": STEFAN}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return house.ask("POST", "/retrieve", payload, named).status

    def test_none_is_open_but_checks_a_token_that_is_presented(self, house: House):
        assert self.ask(house) == 200
        assert self.ask(house, authorization="Bearer nonsense") == 401
        assert self.ask(house, authorization="Basic abc") == 200

    def test_token_is_scoped_to_the_caller_and_expires(self, build: Build):
        house = build(retrieve_auth="token", memory_token_ttl="60")
        token = house.variables()["secret__memory_token"]
        assert self.ask(house) == 401
        assert self.ask(house, authorization=f"Bearer {token}") == 200
        assert self.ask(house, authorization=token) == 200
        other = house.variables(LUCIA)["secret__memory_token"]
        assert self.ask(house, authorization=f"Bearer {other}") == 401
        house.clock.tick(61)
        assert self.ask(house, authorization=f"Bearer {token}") == 401

    def test_key_asks_for_the_workspace_key(self, build: Build):
        house = build(retrieve_auth="key")
        assert self.ask(house) == 401
        assert self.ask(house, x_workspace_key=WORKSPACE_KEY) == 200

    def test_active_call_opens_with_the_ring_and_closes_with_the_hang_up(self, build: Build):
        house = build(retrieve_auth="active_call")
        assert self.ask(house) == 401
        house.variables(STEFAN, conversation_id="conv_open")
        assert self.ask(house) == 200
        house.remember(post_call("conv_open", STEFAN, [("user", "hello there")]))
        assert self.ask(house) == 401

    def test_active_call_closes_by_itself(self, build: Build):
        house = build(retrieve_auth="active_call", active_call_window="60")
        house.variables(STEFAN, conversation_id="conv_open")
        house.clock.tick(61)
        assert self.ask(house) == 401

    def test_the_variable_set_has_no_token_in_other_modes(self, house: House):
        assert "secret__memory_token" not in house.variables()


class TestOverrides:
    def test_off_sends_variables_only(self, build: Build):
        answer = json.loads(stefan(build(prompt_override="off")).ring().body)
        assert "conversation_config_override" not in answer
        assert answer["dynamic_variables"]["caller_name"] == "Stefan"

    def test_context_sends_the_block_alone(self, build: Build):
        answer = json.loads(stefan(build(prompt_override="context")).ring().body)
        prompt = answer["conversation_config_override"]["agent"]["prompt"]["prompt"]
        assert prompt == answer["dynamic_variables"]["memory_context"]

    def test_no_profile_sends_variables_only(self, build: Build):
        answer = json.loads(build(default_profile="none").ring().body)
        assert "conversation_config_override" not in answer

    def test_an_agent_with_a_profile_gets_its_own(self, build: Build, tmp_path):
        folder = tmp_path / "agents"
        text = 'prompt = "You sell tea to {{caller_name}}."\n[greetings.en]\nnew = "Tea?"\n'
        (folder / "agent_test.toml").write_text(text)
        answer = json.loads(build().ring("+15550100099").body)
        agent = answer["conversation_config_override"]["agent"]
        assert agent["first_message"] == "Tea?"
        assert agent["prompt"]["prompt"].endswith("You sell tea to {{caller_name}}.")


class TestOutbound:
    def test_the_person_is_the_called_number(self, build: Build):
        house = stefan(build(own_numbers=OURS))
        variables = house.variables(OURS, called_number=STEFAN, conversation_id="conv_out")
        assert (variables["caller_id"], variables["caller_name"]) == (STEFAN, "Stefan")

    def test_the_ring_decides_who_the_call_was_with(self, build: Build):
        house = build(own_numbers=OURS)
        house.variables(OURS, called_number=LUCIA, conversation_id="conv_out")
        house.remember(post_call("conv_out", "anonymous", [("user", "Prefiero llamadas por la tarde.")]))
        assert house.search("llamadas", LUCIA)


class TestPostCall:
    def test_a_repeated_delivery_is_kept_once(self, house: House):
        body = post_call("conv_r", STEFAN, [("user", "I live in Ghent.")])
        assert house.hang_up(body).body == house.hang_up(body).body == b'{"status":"ok"}'
        assert house.work() == 1
        assert house.hang_up(body).status == 200
        assert house.work() == 0
        assert house.variables()["memory_count"] == "1"

    def test_a_bad_signature_is_kept_aside_and_verified_again(self, house: House):
        body = post_call("conv_q", STEFAN, [("user", "I live in Ghent.")])
        assert house.hang_up(body, key="wrong").status == 200
        assert house.work() == 0
        assert house.services.storage.inbox.counts().quarantined == 1
        answer = house.value("POST", "/v1/replay", {"source": "quarantine"})
        assert answer == {"replayed": 0, "still_refused": 1}
        result = house.services.replay.quarantined(["right", "wrong"])
        assert (result.accepted, result.still_refused) == (1, 0)
        house.work()
        assert house.variables()["memory_count"] == "1"
        assert house.services.storage.inbox.counts().quarantined == 0

    def test_a_full_quarantine_refuses_and_evicts_nothing(self, build: Build):
        house = build(quarantine_max_count="1")
        first, second = (post_call(f"conv_{i}", STEFAN) for i in range(2))
        assert house.hang_up(first, key="wrong").status == 200
        assert error(house.hang_up(second, key="wrong")) == (401, "Invalid signature")
        assert house.hang_up(first, key="wrong").status == 200
        assert house.services.storage.inbox.counts().quarantined == 1

    @pytest.mark.parametrize("signature", ["", "v0=00", "t=1,v0=", "Basic 00"])
    def test_what_no_key_can_ever_verify_is_not_kept(self, house: House, signature: str):
        headers = {"ElevenLabs-Signature": signature} if signature else {}
        answer = house.ask("POST", "/post-call", post_call("conv_q"), headers)
        assert error(answer) == (401, "Invalid signature")
        assert house.services.storage.inbox.counts().quarantined == 0

    def test_those_who_prefer_it_refuse_a_bad_signature(self, build: Build):
        house = build(post_call_reject_status="401")
        assert error(house.hang_up(post_call("c"), key="wrong")) == (401, "Invalid signature")
        assert house.services.storage.inbox.counts().quarantined == 0

    def test_several_secrets_serve_while_they_rotate(self, build: Build):
        house = build(elevenlabs_hmac_key="old,new")
        assert house.hang_up(post_call("a"), key="old").status == 200
        assert house.hang_up(post_call("b"), key="new").status == 200
        assert house.services.storage.inbox.counts().pending == 2

    @pytest.mark.parametrize("body", [b"", b"no json", b'{"type":', b"[" * 5000, b"\xff\xfe\x00"])
    def test_an_authentic_body_that_cannot_be_parsed_is_a_dead_letter(self, house: House, body: bytes):
        assert house.hang_up(body).status == 200
        house.work()
        letters = house.value("GET", "/v1/dead-letters")["dead_letters"]
        assert [letter["attempts"] for letter in letters] == [1]
        assert letters[0]["cause"] == "MalformedPayload" or "PayloadOutOfBounds" in letters[0]["cause"]

    def test_when_nothing_durable_can_be_written_the_sender_is_asked_to_retry(self, house: House, monkeypatch):
        from concurrent.futures import Future

        def fail(_: object) -> "Future[object]":
            future: Future[object] = Future()
            future.set_exception(StorageUnavailable(reason="test"))
            return future

        monkeypatch.setattr(house.services.storage.inbox, "submit", fail)
        response = house.hang_up(post_call("c"))
        assert error(response) == (503, "Temporarily unavailable")
        assert ("Retry-After", "30") in response.headers


def test_health(house: House):
    assert house.value("GET", "/healthz") == {"status": "ok"}
    house.hang_up(post_call("c", STEFAN))
    report = house.value("GET", "/readyz")
    assert report["status"] == "ready"
    assert report["inbox"] == {"pending": 1, "dead": 0, "quarantined": 0}
    assert report["checks"] == {"database": "ok", "archive": "ok", "model": "ok"}


def test_an_answer_never_holds_a_key(house: House):
    stefan(house)
    for response in (house.ring(), house.ask("GET", "/readyz"), house.ask("GET", "/metrics")):
        assert HMAC_KEY.encode() not in response.body
        assert WORKSPACE_KEY.encode() not in response.body
