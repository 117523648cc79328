"""The whole system with its memories in Mem0 Cloud: a real server beside a real emulator."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.acceptance.server_process import ServerProcess, run_command
from tests.mem0_emulator.process import Account, EmulatorProcess

STEFAN = "+15550100001"
OTHER = "+15550100002"


@pytest.fixture(scope="module")
def emulator() -> Iterator[EmulatorProcess]:
    with EmulatorProcess() as running:
        yield running


@pytest.fixture
def account(emulator: EmulatorProcess) -> Account:
    account = emulator.account()
    account.delays(extraction=0.05, categories=0.1, deletion=0.05)
    return account


def settings(account: Account, **more: str) -> dict[str, str]:
    return {"MEMORY_BACKEND": "mem0", "MEM0_API_KEY": account.key, "MEM0_BASE_URL": account.url, "MEM0_TIMEOUT": "1", **more}


@pytest.fixture
def server(start_server: Callable[..., ServerProcess], account: Account) -> ServerProcess:
    return start_server(**settings(account))


def hang_up(conversation: str, *lines: str, summary: str = "", number: str = STEFAN, at: int = 1_790_000_000, name: str = "") -> object:
    """A post-call webhook: "A:" is the agent, "C:" the caller."""
    roles = {"A": "agent", "C": "user"}
    turns = [{"role": roles[line[0]], "message": line[3:], "time_in_call_secs": 5 * i} for i, line in enumerate(lines)]
    collected = {"name": {"data_collection_id": "name", "value": name}} if name else {}
    return {
        "type": "post_call_transcription", "event_timestamp": at + 200,
        "data": {
            "agent_id": "agent_acceptance", "conversation_id": conversation, "status": "done", "transcript": turns,
            "metadata": {
                "start_time_unix_secs": at, "call_duration_secs": 180,
                "phone_call": {"direction": "inbound", "external_number": number, "agent_number": "+15550100000", "type": "twilio"},
            },
            "analysis": {"call_successful": "success", "transcript_summary": summary, "data_collection_results": collected},
        },
    }  # fmt: skip


FIRST = hang_up(
    "conv_1", "A: How can I help you?", "C: My name is Stefan. I prefer email updates.", "A: Noted, Stefan.",
    "C: My sister Clara restores old violins.", summary="User wants to update email address",
)  # fmt: skip


def tier(answer: object) -> str:
    return str(getattr(answer, "headers")["server-timing"]).partition('tier;desc="')[2].partition('"')[0]  # noqa: B009


def test_hung_up_remembered_greeted_found(server: ServerProcess, account: Account) -> None:
    assert server.post_call(FIRST).status == 200
    assert server.post_call(FIRST).status == 200  # delivered twice
    server.wait_until_remembered()
    told = server.ring(STEFAN)
    variables = told.value["dynamic_variables"]
    assert (variables["caller_name"], variables["memory_count"], variables["returning_caller"]) == ("Stefan", "1", "yes")
    assert variables["memory_summary"] == "User wants to update email address"
    greeting = told.value["conversation_config_override"]["agent"]["first_message"]
    assert greeting == "Hello Stefan! I know you prefer email updates. How can I assist you today?"
    assert tier(told) == "fresh"
    found = server.search(STEFAN, "the violins that Clara restores", detail=True).value["memories"]
    assert "violins" in found[0]["text"]
    assert (found[0]["conversation_id"], found[0]["turn"]) == ("conv_1", 3)
    assert server.search(OTHER, "violins").value["memories"] == []
    assert server.inbox() == {"pending": 0, "dead": 0, "quarantined": 0}
    kinds = [(m["metadata"]["type"], m["metadata"]["record"]) for m in account.memories]
    assert (kinds.count(("semantic", "turns")), kinds.count(("factual", "call"))) == (4, 1)
    assert kinds.count(("factual", "inferred")) >= 2


def test_every_request_names_the_user(server: ServerProcess, account: Account) -> None:
    server.post_call(FIRST)
    server.wait_until_remembered()
    server.ring(STEFAN)
    server.search(STEFAN, "violins")
    asked = [r["body"]["filters"] for r in account.requests if r["path"] in ("/v3/memories/", "/v3/memories/search/")]
    assert len(asked) >= 3
    assert all({"user_id": STEFAN} in filters["AND"] for filters in asked)


def test_what_the_original_left_in_mem0_is_greeted_with(server: ServerProcess, account: Account) -> None:
    said = ("User's name is Stefan", "User prefers email updates", "User called about an invoice", "User wants to update email address")
    for day, text in enumerate(said):
        kind = {"type": "factual", "conversation_id": f"conv_{day}"}
        account.add(STEFAN, text, metadata=kind, timestamp=1_780_000_000 + 86_400 * day)
    told = server.ring(STEFAN).value
    assert told["dynamic_variables"]["memory_count"] == "4"
    assert told["dynamic_variables"]["memory_summary"] == "User wants to update email address"
    agent = told["conversation_config_override"]["agent"]
    assert agent["first_message"] == "Hello Stefan! I know you prefer email updates. How can I assist you today?"
    assert agent["prompt"]["prompt"].startswith("CALLER CONTEXT: This caller has 4 previous interactions")


def test_with_mem0_down_a_ring_is_told_the_last_good_brief(server: ServerProcess, account: Account) -> None:
    server.post_call(FIRST)
    server.wait_until_remembered()
    server.restart()  # nothing is cached in the process any more
    account.fault("slow", "/v3/", seconds=30, times=1000)
    told = server.ring(STEFAN)
    assert told.value["dynamic_variables"]["caller_name"] == "Stefan"
    assert tier(told) == "last_good"
    assert "client_data_late" not in {line["event"] for line in server.events}
    assert server.ring(OTHER).value["dynamic_variables"]["returning_caller"] == "no"
    refused = server.search(STEFAN, "violins")
    assert (refused.status, refused.value) == (503, {"error": "Memory is temporarily unavailable"})
    assert "brief_not_fresh" in {line["event"] for line in server.events}


def test_a_call_while_mem0_is_down_is_remembered_after(server: ServerProcess, account: Account) -> None:
    account.fault("status", "/v3/", status=503, times=2)
    server.post_call(FIRST)
    server.wait_until_remembered()
    assert server.ring(STEFAN).value["dynamic_variables"]["caller_name"] == "Stefan"


def test_what_mem0_fails_to_infer_is_a_dead_letter_that_can_be_replayed(server: ServerProcess, account: Account) -> None:
    account.event_faults("fail")
    server.post_call(FIRST)
    server.wait_until(lambda: server.inbox()["dead"] == 1, 20, "no dead letter")
    letter = server.admin("GET", "/v1/dead-letters").value["dead_letters"][0]
    assert letter["cause"] == "MemoryServiceFailed"
    assert server.admin("POST", "/v1/replay", {"source": "dead_letters"}).value == {"replayed": 1}
    server.wait_until_remembered()
    assert server.inbox()["dead"] == 0
    assert len([m for m in account.memories if m["metadata"]["record"] == "call"]) == 1


def test_an_erased_caller_is_gone_from_mem0_too(server: ServerProcess, account: Account) -> None:
    server.post_call(FIRST)
    server.post_call(hang_up("conv_2", "A: Yes?", "C: My name is Ben.", number=OTHER))
    server.wait_until_remembered()
    assert server.admin("DELETE", f"/v1/callers/{STEFAN}").value == {"erased": True}
    server.wait_until(lambda: account.users == [OTHER], 5, "the user is still there")
    assert {m["user_id"] for m in account.memories} == {OTHER}
    assert server.ring(STEFAN).value["dynamic_variables"]["returning_caller"] == "no"
    assert server.search(STEFAN, "violins").value["memories"] == []


def test_the_admin_api_shows_and_mends(server: ServerProcess) -> None:
    server.post_call(FIRST)
    server.wait_until_remembered()
    callers = server.admin("GET", "/v1/callers").value["callers"]
    assert [(c["caller_id"], c["name"], c["call_count"]) for c in callers] == [(STEFAN, "Stefan", 1)]
    memories = server.admin("GET", f"/v1/callers/{STEFAN}/memories").value["memories"]
    chosen = next(m for m in memories if "email updates" in m["text"])
    path = f"/v1/callers/{STEFAN}/memories/{chosen['id']}"
    assert server.admin("PATCH", path, {"text": "User prefers letters"}).status == 200
    greeting = server.ring(STEFAN).value["conversation_config_override"]["agent"]["first_message"]
    assert "email" not in greeting
    told = server.admin("GET", f"{path}/history").value["history"]
    assert [(c["action"], c["new_text"]) for c in told] == [("created", chosen["text"]), ("edited", "User prefers letters")]
    assert "User prefers letters" in server.command("memories", STEFAN, "--history").out
    assert server.admin("GET", f"/v1/callers/{STEFAN}/memories/mem_none/history").status == 404
    assert server.admin("DELETE", path).value == {"deleted": True}
    assert server.admin("DELETE", path).status == 404
    calls = server.admin("GET", f"/v1/callers/{STEFAN}/calls").value["calls"]
    assert [(c["conversation_id"], c["duration"]) for c in calls] == [("conv_1", 180.0)]
    turns = server.admin("GET", f"/v1/callers/{STEFAN}/calls/conv_1").value["turns"]
    assert [t["text"] for t in turns][3] == "My sister Clara restores old violins."
    assert server.admin("GET", f"/v1/callers/{STEFAN}/calls/conv_9").status == 404
    exported = server.command("export", STEFAN)
    assert "restores old violins" in exported.out
    assert "restores old violins" in server.command("search", STEFAN, "violins").out


def test_memories_move_to_the_engine_and_back(server: ServerProcess, emulator: EmulatorProcess) -> None:
    server.post_call(FIRST)
    server.post_call(hang_up("conv_2", "A: Yes?", "C: My name is Ben.", number=OTHER))
    server.wait_until_remembered()
    server.stop()
    moved = server.command("migrate", "--from", "mem0", "--to", "engine")
    assert moved.code == 0, moved.err
    assert moved.out.startswith("2 callers, 2 calls, ")
    server.environment |= {"MEMORY_BACKEND": "engine", "EMBEDDER": "lexical"}
    server.start()
    assert server.ring(STEFAN).value["dynamic_variables"]["caller_name"] == "Stefan"
    assert "violins" in server.search(STEFAN, "violins").value["memories"][0]
    server.stop()
    elsewhere = emulator.account()
    server.environment |= settings(elsewhere)
    back = server.command("migrate", "--from", "engine", "--to", "mem0")
    assert (back.code, back.out) == (0, moved.out)
    again = server.command("migrate", "--from", "engine", "--to", "mem0")
    assert (again.code, "There before" in again.err) == (0, True)
    server.start()
    assert server.ring(STEFAN).value["dynamic_variables"]["caller_name"] == "Stefan"
    assert "violins" in server.search(STEFAN, "violins Clara restores").value["memories"][0]


def test_check_tells_a_key_of_another_project(account: Account, tmp_path: Path) -> None:
    right = {"MEM0_ORG_ID": account.key.replace("m0-", "org_m0_").replace("-", "_")}
    done = run_command("check", folder=tmp_path, environment=settings(account, **right))
    assert "mem0" in done.out
    assert done.code == 0, done.out
    done = run_command("check", folder=tmp_path, environment=settings(account, MEM0_PROJECT_ID="proj_other"))
    assert (done.code, "proj_other" in done.out) == (1, True)


def test_check_and_migrate_say_what_is_wrong(tmp_path: Path) -> None:
    nobody = {"MEMORY_BACKEND": "mem0", "MEM0_API_KEY": "m0-x", "MEM0_BASE_URL": "http://127.0.0.1:9"}
    done = run_command("check", folder=tmp_path, environment=nobody)
    assert (done.code, "The memory service cannot be used: the connection failed" in " ".join(done.out.split())) == (1, True)
    done = run_command("migrate", "--from", "mem0", "--to", "engine", folder=tmp_path)
    assert (done.code, done.err.count("MEM0_API_KEY is not set") + done.err.count("MEM0_API_KEY: is not set")) == (2, 1), done.err
    done = run_command("migrate", "--from", "mem0", "--to", "engine", folder=tmp_path, environment=nobody)
    assert (done.code, "cannot be used" in done.err) == (1, True)
    done = run_command("migrate", "--from", "mem0", "--to", "mem0", folder=tmp_path, environment=nobody)
    assert done.code == 2


def test_mem0_without_a_key_does_not_start(tmp_path: Path) -> None:
    done = run_command("serve", folder=tmp_path, environment={"MEMORY_BACKEND": "mem0"})
    assert done.code == 2
    assert "MEM0_API_KEY" in done.err
