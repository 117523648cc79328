"""`check`: a line for each part, with the way out; and the lines themselves."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from agentic_memory.domain.delivery import InboxCounts
from agentic_memory.engine.memory import Model
from agentic_memory.errors import EmbedderCorrupt, StorageCorrupt, StorageLocked
from agentic_memory.service import check
from agentic_memory.service.check import Line
from agentic_memory.settings import Keys, Settings, read
from tests.unit.cli.conftest import Run, services_over
from tests.unit.cli.test_keeping import bury, set_aside

PARTS = ["settings", "keys", "data folder", "disk", "database", "archive", "model", "agent profiles", "other agents", "inbox"]


def settings(**given: str) -> Settings:
    return read({}, **given)


def lines_of(run: Run, **env: str) -> dict[str, Line]:
    report = json.loads(run("check", "--json", **env).stdout)
    return {found["name"]: Line(**found) for found in report["checks"]}


class TestCommand:
    def test_all_is_well(self, run: Run, data: Path) -> None:
        done = run("check")
        assert done.exit_code == 0
        assert [line[4:20].strip() for line in done.stdout.splitlines() if line.startswith("OK  ")] == PARTS
        assert "\n--" not in done.stdout

    def test_before_the_first_start_nothing_is_made(self, run: Run, tmp_path: Path) -> None:
        done = run("check")
        assert done.exit_code == 0
        assert "the first start makes it" in done.stdout
        assert list(tmp_path.iterdir()) == []

    def test_what_waits_for_us_is_a_failure_with_its_way_out(self, run: Run, data: Path) -> None:
        bury(data)
        set_aside(data, b"{}", "wsec")
        done = run("check")
        assert done.exit_code == 1
        assert "--  inbox           0 pending, 1 dead, 1 quarantined" in done.stdout
        assert "agentic-memory replay --dead" in done.stdout
        assert "agentic-memory replay --quarantine" in done.stdout

    def test_a_wrong_setting(self, run: Run) -> None:
        done = run("check", PORT="http")
        assert done.exit_code == 1
        assert done.stdout.startswith("--  settings        PORT: 'http' is not a whole number.")

    def test_a_name_that_no_setting_has(self, run: Run, data: Path) -> None:
        Path(".env").write_text("PROT=9000\nWHATEVER_THIS_IS=secret-value\nwsec_part_of_a_key=1\nADMIN_KEY_FILE=\n")
        done = run("check")
        assert done.exit_code == 0
        assert "PROT (is it PORT?), WHATEVER_THIS_IS." in done.stdout
        assert "secret-value" not in done.stdout
        assert "wsec" not in done.stdout

    def test_a_damaged_database(self, run: Run, data: Path) -> None:
        (data / "agentic-memory.db").write_bytes(b"this is no database" * 1000)
        found = lines_of(run)
        assert not found["database"].ok
        assert "replay --archive" in found["database"].detail

    def test_a_broken_profile(self, run: Run, data: Path, tmp_path: Path) -> None:
        (tmp_path / "agents").mkdir()
        (tmp_path / "agents" / "agent_x.toml").write_text("prompt = 3\n")
        found = lines_of(run)
        assert not found["agent profiles"].ok
        assert "line 1" in found["agent profiles"].detail

    @pytest.mark.parametrize("fresh", [True, False])
    def test_a_placeholder_that_nothing_fills(self, run: Run, data: Path, tmp_path: Path, fresh: bool) -> None:
        (tmp_path / "agents").mkdir()
        (tmp_path / "agents" / "agent_x.toml").write_text('prompt = "You speak with {{caller_nmae}}."\n')
        if fresh:
            (data / "agentic-memory.db").unlink()
        found = lines_of(run)["agent profiles"]
        assert found.ok
        assert found.way_out == "Nothing fills agent_x.toml: {{caller_nmae}} in prompt (is it {{caller_name}}?)"

    def test_agents_that_are_given_the_default_profile_are_named(self, run: Run, data: Path) -> None:
        found = lines_of(run)["other agents"]
        assert found.ok
        assert "agent_demo_memoir" in found.detail
        assert "DEFAULT_PROFILE=none" in found.way_out

    def test_an_agent_of_its_own_profile_is_not(self, run: Run, data: Path, tmp_path: Path) -> None:
        (tmp_path / "agents").mkdir()
        (tmp_path / "agents" / "agent_demo_memoir.toml").write_text('prompt = "Be kind."\n')
        found = lines_of(run)
        assert "agent_demo_memoir" in found["agent profiles"].detail
        assert "agent_demo_memoir" not in found["other agents"].detail


class TestLines:
    def test_an_error_of_ours_is_a_line(self) -> None:
        def locked() -> Line:
            raise StorageLocked(seconds=5)

        (line,) = check.lines([("database", locked)])
        assert (line.name, line.ok) == ("database", False)
        assert "locked by another process" in line.detail

    def test_keys(self, tmp_path: Path) -> None:
        set_ones = replace(settings(), elevenlabs_workspace_key=Keys(("a",)), elevenlabs_hmac_key=Keys(("b",)))
        assert check.keys_line(set_ones, tmp_path / "none").ok
        assert "`serve` will make" in check.keys_line(settings(), tmp_path / "none").detail
        exposed = check.keys_line(settings(host="0.0.0.0"), tmp_path / "none")
        assert not exposed.ok
        assert exposed.way_out.startswith("Set ELEVENLABS_WORKSPACE_KEY")

    def test_a_folder_that_cannot_be_written(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        line = check.folder_line(tmp_path / "file")
        assert not line.ok
        assert "DATA_DIR" in line.way_out
        assert "will be made" in check.folder_line(tmp_path / "a" / "b").detail
        assert list(tmp_path.iterdir()) == [tmp_path / "file"]

    def test_a_disk_that_fills_up(self) -> None:
        assert check.disk_line(500_000_000, 10**12).ok
        full = check.disk_line(499_999_999, 10**12)
        assert not full.ok
        assert "503" in full.way_out

    def test_a_damaged_database(self, tmp_path: Path) -> None:
        services = services_over(tmp_path)
        with pytest.raises(StorageCorrupt, match="page 3"):
            check.database_line(lambda: "page 3 is lost", services.storage.records, "m")
        services.close()

    def test_a_model_with_strange_weights(self) -> None:
        line = check.model_line(Model(Corrupt()))
        assert not line.ok
        assert "sha256" in line.detail
        assert "words alone" in line.way_out

    @pytest.mark.parametrize(
        ("counts", "ok", "words"),
        [
            (InboxCounts(0, 0, 0), True, ""),
            (InboxCounts(3, 0, 0, oldest_pending_at=701.0), True, ""),
            (InboxCounts(3, 0, 0, oldest_pending_at=699.0), False, "Is a worker running?"),
            (InboxCounts(0, 1, 0), False, "replay --dead"),
            (InboxCounts(0, 0, 1), False, "replay --quarantine"),
        ],
    )
    def test_the_inbox(self, counts: InboxCounts, ok: bool, words: str) -> None:
        line = check.inbox_line(counts, now=1000.0)
        assert line.ok is ok
        assert words in line.way_out

    @pytest.mark.parametrize("given", [{"default_profile": "none"}, {"prompt_override": "off"}])
    def test_agents_whose_prompt_is_left_alone(self, given: dict[str, str]) -> None:
        line = check.default_profile_line((), {"agent_x"}, settings(**given))
        assert line.detail == "get variables only"


class Corrupt:
    """An embedder whose weights are not the ones we know."""

    model_id = "corrupt"
    dimension = 3

    def load(self) -> None:
        raise EmbedderCorrupt(model="corrupt", found="0", expected="1")

    def embed(self, texts: object) -> None:
        raise AssertionError("it must not be asked")

    embed_questions = embed
