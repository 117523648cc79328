"""`export`, `forget`, `replay`, `dead-letters`."""

import json
from pathlib import Path

import pytest

from agentic_memory.domain.delivery import Quarantined
from agentic_memory.interfaces.demo.script import ADDRESS, LUCIA, STEFAN
from agentic_memory.platforms.elevenlabs.signature import sign
from tests.unit.cli.conftest import Run, services_over

LONG_ID = "conv_01jc2zj8k4fqrt9v5bxy7n3m"
BROKEN = b'{"type": "post_call_transcription", "data": 3}'


@pytest.mark.usefixtures("data")
class TestExport:
    def test_a_caller_a_line(self, run: Run) -> None:
        done = run("export")
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        assert {line["caller_id"]: len(line["calls"]) for line in lines} == {STEFAN: 4, LUCIA: 1}
        assert "2 callers written." in done.stderr

    def test_a_memory_is_told_without_its_bookkeeping(self, run: Run) -> None:
        lines = [json.loads(line) for line in run("export").stdout.splitlines()]
        memories = [memory for line in lines for memory in line["memories"]]
        assert memories and all(memory["evidence"] for memory in memories)
        assert [memory["metadata"] for memory in memories] == [{}] * len(memories)

    def test_one_caller_into_a_file(self, run: Run, tmp_path: Path) -> None:
        done = run("export", STEFAN, "-o", "stefan.jsonl")
        assert done.stdout == ""
        assert "1 caller written to stefan.jsonl." in done.stderr
        (line,) = (tmp_path / "stefan.jsonl").read_text("utf-8").splitlines()
        assert json.loads(line)["name"] == "Stefan"

    def test_a_stranger_makes_no_file(self, run: Run, tmp_path: Path) -> None:
        done = run("export", "+15550100001", "-o", "x.jsonl")
        assert done.exit_code == 1
        assert "No caller '+15550100001' is remembered." in done.stderr
        assert not list(tmp_path.glob("x.jsonl*"))

    def test_a_file_appears_whole_or_not_at_all(self, run: Run, tmp_path: Path) -> None:
        (tmp_path / "taken").mkdir()
        (tmp_path / "taken.unfinished").mkdir()
        done = run("export", "-o", "nowhere/memory.jsonl")
        assert done.exit_code == 1
        assert "No such file or directory: nowhere\n" in done.stderr
        assert "Traceback" not in done.output


class TestForget:
    def test_asks_and_takes_no_for_an_answer(self, run: Run, data: Path) -> None:
        done = run("forget", LUCIA, input="n\n")
        assert done.exit_code == 1
        assert f"{LUCIA} (Lucía): 1 call, the last on 2026-10-27, and 4 memories." in done.stderr
        assert run("memories", LUCIA).exit_code == 0

    def test_leaves_no_byte(self, run: Run, data: Path) -> None:
        assert run("forget", LUCIA, input="y\n").exit_code == 0
        assert run("memories", LUCIA).exit_code == 1
        assert run("memories", STEFAN).exit_code == 0
        files = [path.read_bytes() for path in data.rglob("*") if path.is_file()]
        assert not [1 for content in files if b"Oaxaca" in content or LUCIA.encode() in content]

    def test_does_not_ask_when_told(self, run: Run, data: Path) -> None:
        assert run("forget", LUCIA, "--yes").stdout == f"{LUCIA} is forgotten.\n"
        again = run("forget", LUCIA, "--yes")
        assert again.exit_code == 1
        assert f"Nothing is kept of {LUCIA}." in again.stderr


class TestDeadLetters:
    def test_none_is_good_news(self, run: Run, data: Path) -> None:
        done = run("dead-letters")
        assert (done.exit_code, done.stdout) == (0, "")
        assert "There are no dead letters." in done.stderr
        assert json.loads(run("dead-letters", "--json").stdout) == {"dead_letters": []}

    def test_each_with_its_cause(self, run: Run, data: Path) -> None:
        bury(data)
        assert "MalformedPayload" in run("dead-letters").stdout
        (letter,) = json.loads(run("dead-letters", "--json").stdout)["dead_letters"]
        assert letter["cause"] == "MalformedPayload"
        assert letter["size"] == len(BROKEN)

    def test_a_long_conversation_id_leaves_room_for_the_words(self, run: Run, data: Path) -> None:
        turns = [{"role": "user", "message": "x"}] * 20_001
        document = {"type": "post_call_transcription", "data": {"conversation_id": LONG_ID, "transcript": turns}}
        bury(data, json.dumps(document).encode())
        head, _, first, *rest = run("dead-letters").stdout.splitlines()
        assert head.split() == ["id", "received", "(UTC)", "attempts", "cause"]
        assert "PayloadOutOfBounds: The delivery's body" in first
        assert any(LONG_ID in line for line in rest) and len(rest) < 3

    def test_one_is_replayed_by_its_id(self, run: Run, data: Path) -> None:
        bury(data)
        (letter,) = json.loads(run("dead-letters", "--json").stdout)["dead_letters"]
        done = run("replay", letter["id"])
        assert done.stdout == "1 delivery handed in.\n"
        assert json.loads(run("dead-letters", "--json").stdout) == {"dead_letters": []}

    def test_all_are_replayed_and_worked_on_here(self, run: Run, data: Path) -> None:
        bury(data)
        done = run("replay", "--dead", "--work")
        assert done.stdout == "1 delivery handed in.\n"
        assert "1 delivery processed. Pending: 0, dead letters: 1. See: agentic-memory dead-letters\n" in done.stderr

    def test_an_id_that_is_none(self, run: Run, data: Path) -> None:
        done = run("replay", "999")
        assert done.exit_code == 1
        assert "No dead letter has that id." in done.stderr


class TestReplay:
    @pytest.mark.parametrize("arguments", [(), ("--dead", "--archive"), ("7", "--quarantine")])
    def test_wants_one_source(self, run: Run, arguments: tuple[str, ...]) -> None:
        done = run("replay", *arguments)
        assert done.exit_code == 2
        assert "Give exactly one of" in done.stderr

    def test_the_archive_rebuilds_the_database(self, run: Run, data: Path) -> None:
        before = run("memories", STEFAN, "--json").stdout
        for file in data.glob("agentic-memory.db*"):
            file.unlink()
        done = run("replay", "--archive", "--work")
        assert done.stdout == "5 deliveries handed in.\n"
        assert done.stderr.endswith("5 deliveries processed. Pending: 0, dead letters: 0.\n")
        assert run("memories", STEFAN, "--json").stdout == before

    def test_without_an_archive(self, run: Run, tmp_path: Path) -> None:
        done = run("replay", "--archive", "--data-dir", "nowhere")
        assert done.exit_code == 1
        assert "There is no archive at" in done.stderr
        assert list(tmp_path.iterdir()) == []

    def test_the_quarantine_is_verified_again(self, run: Run, data: Path) -> None:
        body = json.dumps(ADDRESS.webhook() | {"event_timestamp": 1}).encode()
        set_aside(data, body, "wsec_right")
        assert run("replay", "--quarantine", ELEVENLABS_HMAC_KEY="wsec_other").stdout.startswith("No deliveries")
        done = run("replay", "--quarantine", ELEVENLABS_HMAC_KEY="wsec_right", ELEVENLABS_WORKSPACE_KEY="w")
        assert done.stdout == "1 delivery handed in.\n"


class TestQuarantine:
    BODY = json.dumps(ADDRESS.webhook() | {"event_timestamp": 1}).encode()

    def test_is_listed_with_what_todays_keys_make_of_it(self, run: Run, data: Path) -> None:
        assert "The quarantine is empty." in run("quarantine").stderr
        set_aside(data, self.BODY, "wsec_right")
        done = run("quarantine", ELEVENLABS_HMAC_KEY="wsec_other", ELEVENLABS_WORKSPACE_KEY="w")
        assert "mismatch" in done.stdout
        assert f"{len(self.BODY):,}" in done.stdout
        assert "replay --quarantine" in done.stderr
        done = run("quarantine", "--json", ELEVENLABS_HMAC_KEY="wsec_right", ELEVENLABS_WORKSPACE_KEY="w")
        listed = json.loads(done.stdout)
        assert listed["total"] == 1
        assert (listed["quarantine"][0]["size"], listed["quarantine"][0]["reason"]) == (len(self.BODY), None)

    def test_is_dropped_by_id_or_whole(self, run: Run, data: Path) -> None:
        for n in range(3):
            set_aside(data, self.BODY + b" " * n, "wsec_right", f"{n}0123456789abcdef")
        assert run("quarantine", "--drop", "00123456", "--yes").stdout == "1 body dropped.\n"
        done = run("quarantine", "--drop", "1", "0", "--yes")
        assert (done.exit_code, done.stdout) == (1, "No bodies dropped.\n")
        assert "2 of 2 ids name nothing in quarantine." in done.stderr
        assert run("quarantine", "--drop").exit_code == 1  # nobody said yes
        assert run("quarantine", "--drop", "--yes").stdout == "2 bodies dropped.\n"
        assert "The quarantine is empty." in run("quarantine").stderr

    def test_wants_to_be_told_to_drop(self, run: Run, data: Path) -> None:
        assert run("quarantine", "00123456").exit_code == 2


def bury(data: Path, body: bytes = BROKEN) -> None:
    """A delivery that cannot be parsed."""
    services = services_over(data)
    delivery = services.accept_call.delivery(body, services.clock.now())
    services.storage.inbox.submit(delivery).result()
    services.work_inbox()
    services.close()


def set_aside(data: Path, body: bytes, secret: str, which: str = "id") -> None:
    """A body in quarantine, signed with this secret."""
    services = services_over(data)
    now = services.clock.now()
    item = Quarantined(which, "elevenlabs", body, sign(body, secret, int(now)), now)
    assert services.storage.inbox.quarantine(item, 10, 1_000_000)
    services.close()
