"""`callers`, `memories`, `search`: what is remembered, for people and for machines."""

import json
from pathlib import Path

import pytest

from agentic_memory.interfaces.demo.script import LUCIA, STEFAN
from tests.unit.cli.conftest import Run, services_over


@pytest.mark.usefixtures("data")
class TestCallers:
    def test_newest_call_first(self, run: Run) -> None:
        done = run("callers")
        assert done.exit_code == 0
        first, second = done.stdout.splitlines()[2:4]
        assert first.split()[:4] == [STEFAN, "Stefan", "en", "4"]
        assert "User wants to update email address" in first
        assert second.startswith(LUCIA)

    def test_part_of_a_name_or_number(self, run: Run) -> None:
        found = json.loads(run("callers", "luc", "--json").stdout)["callers"]
        assert [c["caller_id"] for c in found] == [LUCIA]
        found = json.loads(run("callers", "0042", "--json").stdout)["callers"]
        assert [c["name"] for c in found] == ["Stefan"]

    def test_no_match_is_a_failure(self, run: Run) -> None:
        done = run("callers", "nobody")
        assert (done.exit_code, done.stdout) == (1, "")
        assert "No caller matches 'nobody'" in done.stderr

    def test_a_limit_says_that_there_are_more(self, run: Run) -> None:
        done = run("callers", "--limit", "1")
        assert LUCIA not in done.stdout
        assert "There are more" in done.stderr
        assert run("callers", "--limit", "0").exit_code == 2


@pytest.mark.usefixtures("data")
class TestMemories:
    def test_each_with_the_words_it_rests_on(self, run: Run) -> None:
        shown = " ".join(run("memories", STEFAN).stdout.split())
        assert "Stefan 4 calls, the last on 2026-11-10" in shown
        assert "User prefers email updates" in shown
        assert "“I prefer email updates”" in shown

    def test_for_machines_with_evidence(self, run: Run) -> None:
        found = json.loads(run("memories", STEFAN, "--json").stdout)["memories"]
        preference = next(m for m in found if m["slot"] == "preferred_contact")
        assert preference["evidence"][0]["conversation_id"] == "conv_demo_stefan_1"
        assert preference["superseded_by"] is None

    def test_superseded_ones_when_asked(self, run: Run, data: Path) -> None:
        correct_the_name(data)
        current = [m["text"] for m in json.loads(run("memories", STEFAN, "--json").stdout)["memories"]]
        everything = json.loads(run("memories", STEFAN, "--all", "--json").stdout)["memories"]
        assert "User's name is Stefan" not in current
        assert "User's name is Stefanie" in current
        assert "User's name is Stefan" in [m["text"] for m in everything]
        assert "name, old" in run("memories", STEFAN, "--all").stdout

    def test_history(self, run: Run) -> None:
        changes = json.loads(run("memories", STEFAN, "--history", "--json").stdout)["history"]
        assert {c["action"] for c in changes} == {"created"}
        assert "created" in run("memories", STEFAN, "--history").stdout

    def test_a_stranger_is_not_found(self, run: Run) -> None:
        done = run("memories", "+15550100001")
        assert done.exit_code == 1
        assert "No caller '+15550100001' is remembered" in done.stderr


@pytest.mark.usefixtures("data")
class TestSearch:
    def test_finds_what_was_said(self, run: Run) -> None:
        done = run("search", STEFAN, "What was his grandfather's boat called?")
        assert done.exit_code == 0
        assert "Marlene" in done.stdout
        assert "conv_demo_stefan_1, turn 7" in done.stdout

    def test_at_most_the_limit(self, run: Run) -> None:
        found = json.loads(run("search", STEFAN, "bakery", "--json").stdout)["results"]
        assert len(found) == 3
        found = json.loads(run("search", STEFAN, "bakery", "--json", "--limit", "1").stdout)["results"]
        assert len(found) == 1

    def test_explains_each_step(self, run: Run) -> None:
        shown = run("search", STEFAN, "the bakery", "--explain").stdout
        assert "\nwords " in shown
        assert "\nsum " in shown
        found = json.loads(run("search", STEFAN, "the bakery", "--explain", "--json").stdout)["results"]
        assert "words" in found[0]["steps"]

    def test_from_another_day(self, run: Run) -> None:
        question = "What did we talk about last month?"
        asked = run("search", STEFAN, question, "--at", "2026-10-20", "--limit", "1", "--json")
        assert json.loads(asked.stdout)["results"][0]["date"].startswith("2026-09")
        assert run("search", STEFAN, question, "--at", "yesterday").exit_code == 2

    def test_of_a_stranger_there_is_nothing(self, run: Run) -> None:
        assert run("search", "+15550100001", "boat").exit_code == 1
        assert run("search", STEFAN, " ").exit_code == 2


def test_no_database_is_said_and_none_is_made(run: Run, tmp_path: Path) -> None:
    for arguments in (("callers",), ("memories", STEFAN), ("search", STEFAN, "x"), ("dead-letters",)):
        done = run(*arguments, "--data-dir", str(tmp_path / "elsewhere"))
        assert done.exit_code == 1
        assert "There is no database at" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_nothing_said_moves_the_cursor(run: Run, data: Path) -> None:
    services = services_over(data)
    memory = services.callers.memories(STEFAN)[0]
    services.callers.edit(STEFAN, memory.id, "\x1b[2JGone \x07 and [red]markup[/red]")
    services.close()
    shown = run("memories", STEFAN).stdout
    assert "\x1b" not in shown
    assert "\x07" not in shown
    assert "[red]markup[/red]" in " ".join(shown.split())


def correct_the_name(data: Path) -> None:
    """A later call in which data collection reports another name."""
    from dataclasses import replace

    from agentic_memory.interfaces.demo.script import ADDRESS

    later = replace(ADDRESS, name="stefan-5", began="2026-11-20T10:00", collected={"caller_name": "Stefanie"})
    services = services_over(data)
    body = json.dumps(later.webhook()).encode()
    services.storage.inbox.submit(services.accept_call.delivery(body, services.clock.now())).result()
    services.work_inbox()
    services.close()
