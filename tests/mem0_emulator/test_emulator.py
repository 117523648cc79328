"""Mem0's own client judges the emulator: what it sends is understood, what comes back is what it expects."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest

from tests.mem0_emulator.process import ROOT, Account, EmulatorProcess

JUDGE = ROOT / ".venv-mem0" / "bin" / "python"
USER = "+15550100001"


@pytest.fixture(scope="module")
def emulator() -> Iterator[EmulatorProcess]:
    with EmulatorProcess("--legacy") as running:
        yield running


@pytest.fixture
def account(emulator: EmulatorProcess) -> Account:
    return emulator.account()


def status_of(account: Account, method: str, path: str, body: object = None) -> tuple[int, Any]:
    try:
        return 200, account.call(method, path, body)
    except HTTPError as error:
        with error:
            return error.code, json.load(error)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_official_client_is_content_with_it(account: Account, tmp_path: Path) -> None:
    subprocess.run(["make", "--silent", "judge"], cwd=ROOT, check=True, capture_output=True)
    environment = {"MEM0_DIR": str(tmp_path), "MEM0_TELEMETRY": "False", "HOME": str(tmp_path)}
    script = ROOT / "tests" / "mem0_emulator" / "judge.py"
    done = subprocess.run([JUDGE, "-I", script, account.url, account.key], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    seen = json.loads(done.stdout)
    assert seen["project"][0].startswith("org_")
    assert seen["verbatim"] == ["SUCCEEDED", "ADD", []]
    assert seen["inferred"] == ["PENDING", "SUCCEEDED", "I live in Lisbon."]
    assert [(m["memory"], m["run_id"]) for m in seen["search"]] == [("I like tea.", None)]
    assert seen["search"][0]["created_at"].endswith("-07:00")
    assert [m["memory"] for m in seen["of_type"]] == ["I live in Lisbon."]
    assert (seen["pages"], seen["stranger"]) == ([2, 2], [])
    assert (seen["one"], seen["updated"], seen["history"]) == ("I like tea.", "I like green tea.", ["ADD", "UPDATE"])
    assert seen["users"] == [USER]
    errors = {key: seen[key] for key in ("gone", "no_uuid", "no_entity", "unknown_key", "bad_key")}
    assert errors == {
        "gone": "MemoryNotFoundError", "no_uuid": "ValidationError", "no_entity": "ValidationError",
        "unknown_key": "ValidationError", "bad_key": "ValueError",
    }  # fmt: skip


def test_a_key_that_is_none_is_refused(account: Account) -> None:
    stranger = Account(account.url, "sk-none")
    assert status_of(stranger, "GET", "/v1/ping/")[0] == 401
    account.revoke()
    assert status_of(account, "GET", "/v1/ping/")[0] == 401


def test_accounts_do_not_see_each_other(emulator: EmulatorProcess, account: Account) -> None:
    account.add(USER, "I like tea.")
    other = emulator.account()
    assert other.call("POST", "/v3/memories/", {"filters": {"user_id": USER}})["count"] == 0


@pytest.mark.parametrize("body", [{}, {"messages": []}, {"messages": [{"role": "user", "content": "x"}]}, {"messages": "x", "user_id": "u"}, {"messages": [{"role": "tool", "content": "x"}], "user_id": "u"}])
def test_an_add_needs_messages_and_somebody(account: Account, body: dict[str, object]) -> None:
    status, answer = status_of(account, "POST", "/v3/memories/add/", body)
    assert (status, answer["error"]) == (400, "400 Bad Request")


@pytest.mark.parametrize(
    "body",
    [
        {"query": "tea"},
        {"query": "tea", "filters": {}},
        {"query": " ", "filters": {"user_id": USER}},
        {"query": "tea", "filters": {"categories": {"in": ["food"]}}},
        {"query": "tea", "filters": {"user": USER}},
        {"query": "tea", "filters": {"user_id": USER}, "user_id": USER},
        {"query": "tea", "filters": {"NOT": {"user_id": USER}}},
        {"query": "tea", "filters": {"AND": [{"user_id": USER}, {"metadata": {"n": {"gt": 1}}}]}},
    ],
)
def test_a_search_that_is_about_nobody_or_unheard_of_is_refused(account: Account, body: dict[str, object]) -> None:
    assert status_of(account, "POST", "/v3/memories/search/", body)[0] == 400


def test_inferring_takes_its_time_and_drops_what_is_known(account: Account) -> None:
    account.delays(extraction="manual")
    body = {"messages": [{"role": "user", "content": "I like tea. I live in Lisbon."}], "user_id": USER}
    first = account.call("POST", "/v3/memories/add/", body)
    event = f"/v1/event/{first['event_id']}/"
    assert (first["status"], account.call("GET", event)["status"], account.memories) == ("PENDING", "PENDING", [])
    account.settle()
    assert len(account.call("GET", event)["results"]) == 2
    second = account.call("POST", "/v3/memories/add/", body)
    account.settle()
    assert account.call("GET", f"/v1/event/{second['event_id']}/")["results"] == []


def test_inferring_parts_the_speakers(account: Account) -> None:
    said = [{"role": "user", "content": "I like tea."}, {"role": "assistant", "content": "We sell tea."}]
    account.call("POST", "/v3/memories/add/", {"messages": said, "user_id": USER, "agent_id": "agent_1"})
    account.settle()
    assert [(m["user_id"], m["agent_id"]) for m in account.memories] == [(USER, None), (None, "agent_1")]


def test_the_index_and_the_categories_come_later_than_the_list(account: Account) -> None:
    account.delays(categories=60.0, index=60.0)
    account.add(USER, "I like tea.", expiration_date="2990-01-31")
    account.add(USER, "I liked milk.", expiration_date="2020-01-31")
    listed = account.call("POST", "/v3/memories/", {"filters": {"user_id": USER}})["results"]
    assert [(m["memory"], m["categories"]) for m in listed] == [("I like tea.", None)]
    search = {"query": "tea", "filters": {"user_id": USER}}
    assert account.call("POST", "/v3/memories/search/", search)["results"] == []
    account.settle()
    shown = {"filters": {"AND": [{"user_id": USER}, {"categories": {"in": ["misc"]}}]}, "show_expired": True}
    assert account.call("POST", "/v3/memories/", shown)["count"] == 2


def test_what_is_not_alike_enough_is_not_found(account: Account) -> None:
    account.add(USER, "I like tea.")
    search = {"query": "bicycle", "filters": {"user_id": USER}}
    assert account.call("POST", "/v3/memories/search/", search)["results"] == []
    assert len(account.call("POST", "/v3/memories/search/", {**search, "threshold": 0.0})["results"]) == 1
    assert status_of(account, "POST", "/v3/memories/search/", {**search, "top_k": 1001})[0] == 400


def test_all_of_a_user_go_in_the_services_own_time(account: Account) -> None:
    account.delays(deletion=60.0)
    account.add(USER, "I like tea.")
    account.add("+15550100002", "I like coffee.")
    account.call("DELETE", "/v1/memories/?user_id=%2B15550100001")
    assert len(account.memories) == 2
    account.settle()
    assert [m["user_id"] for m in account.memories] == ["+15550100002"]
    assert status_of(account, "DELETE", "/v1/memories/")[0] == 400


def test_faults_befall_as_often_as_they_were_asked_for(account: Account) -> None:
    account.fault("status", "/v1/ping/", status=429, times=2, headers={"Retry-After": "7"})
    assert [status_of(account, "GET", "/v1/ping/")[0] for _ in range(3)] == [429, 429, 200]


def test_the_old_routes_answer_a_bare_list(account: Account) -> None:
    account.add(USER, "I like tea.")
    found = account.call("POST", "/v1/memories/search/", {"query": "tea", "user_id": USER, "limit": 3})
    assert [m["memory"] for m in found] == ["I like tea."]
