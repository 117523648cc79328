"""The pages say what is: links resolve, commands exist, the reference is what the code says."""

import ast
import json
import re
import subprocess
from datetime import date

import click
import pytest

from agentic_memory import __version__, errors
from agentic_memory.domain.initiation import VARIABLES
from agentic_memory.interfaces.cli import main
from agentic_memory.settings import AWS_SETTINGS, BY_NAME, SETTINGS
from agentic_memory.telemetry import METRICS
from scripts import make_reference
from tests.docs.pages import ROOT, anchors, blocks, commands, inline_commands, links, pages, prose
from tests.house.source import calls

README = pages()["README.md"]


@pytest.mark.parametrize("name", make_reference.PAGES)
def test_the_reference_says_what_the_code_says(name: str) -> None:
    written = (make_reference.FOLDER / name).read_text("utf-8")
    assert written == make_reference.PAGES[name](), "run scripts/make_reference.py"


@pytest.mark.parametrize("path", pages())
def test_links_resolve(path: str) -> None:
    broken = []
    for link in links(pages()[path]):
        if re.match(r"[a-z]+:", link):
            continue
        target, _, anchor = link.partition("#")
        file = (ROOT / path).parent / target if target else ROOT / path
        if not file.exists() or (anchor and anchor not in anchors(file.read_text("utf-8"))):
            broken.append(link)
    assert not broken, broken


def test_the_index_lists_every_page() -> None:
    listed = {f"docs/{link}" for link in links(pages()["docs/README.md"])}
    lost = {path for path in pages() if path.startswith("docs/")} - listed - {"docs/README.md"}
    assert not lost, lost
    assert "docs/README.md" in links(README)


def test_the_readme_is_short() -> None:
    assert len(README.split()) <= 500


def test_the_readmes_commands_are_targets_that_make_knows() -> None:
    makes = [words[1] for words in commands(README) if words[0] == "make"]
    assert {"demo", "serve"} <= set(makes)
    for target in [*makes, "test", "check"]:
        done = subprocess.run(
            ["make", "--dry-run", target], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("path", pages())
def test_make_targets_exist(path: str) -> None:
    known = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    inline = re.findall(r"`make ([a-z-]+)`", pages()[path])
    used = {words[1] for words in commands(pages()[path]) if words[0] == "make" and len(words) > 1}
    assert used | set(inline) <= known


def _problem(words: list[str]) -> str | None:
    """What is wrong with a command line of ours; None when it parses."""
    command: click.Command = main
    names = main.context_settings["help_option_names"]
    context = click.Context(main, info_name="agentic-memory", resilient_parsing=True, help_option_names=names)
    arguments = words[1:]
    while isinstance(command, click.Group) and arguments and not arguments[0].startswith("-"):
        found = command.get_command(context, arguments[0])
        if found is None:
            return f"no command {arguments[0]}"
        command, arguments = found, arguments[1:]
    known = {option for p in command.params if isinstance(p, click.Option) for option in (*p.opts, *p.secondary_opts)}
    unknown = [a for a in arguments if re.match(r"--?[a-z]", a) and a.split("=")[0] not in known | {"--help", "-h", "--version"}]
    return f"{command.name} has no {', '.join(unknown)}" if unknown else None


def test_a_command_that_does_not_exist_is_seen() -> None:
    assert _problem(["agentic-memory", "remember"])
    assert _problem(["agentic-memory", "serve", "--colour"])
    assert not _problem(["agentic-memory", "serve", "--port", "8080"])


@pytest.mark.parametrize("path", pages())
def test_commands_exist_with_their_options(path: str) -> None:
    found = []
    for words in [*commands(pages()[path]), *inline_commands(pages()[path])]:
        while words and re.fullmatch(r"[A-Z_]+=\S*", words[0]):
            words = words[1:]
        if words and words[0].endswith("agentic-memory"):
            problem = _problem([word for word in words if word != "&"])
            if problem:
                found.append(f"{' '.join(words)}: {problem}")
    assert not found, found


def test_every_command_is_documented() -> None:
    text = (make_reference.FOLDER / "commands.md").read_text("utf-8")
    for name in main.commands:
        assert f"## `agentic-memory {name}`" in text
        command = main.commands[name]
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                assert parameter.help, f"{name} {parameter.opts} has no help"


def test_every_variable_is_documented() -> None:
    text = pages()["docs/reference/variables.md"]
    for name in VARIABLES:
        assert f"| `{name}` |" in text


# Names in capitals that are not settings of ours.
FOREIGN = {
    "API", "XI", "ELEVENLABS_API_KEY", "AGENT_ID", "SECRET_ID", "WEBHOOK_ID", "MEMORY_ID", "FORWARDED_ALLOW_IPS",
    "METRICS", "SETTINGS", "PERSONAL", "OUT_DIR",
}  # fmt: skip
AWS = {setting.name: setting for setting in AWS_SETTINGS}
SETTING = re.compile(r"(?<![\w$])([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)(?=\b)")


@pytest.mark.parametrize("path", [p for p in pages() if p.startswith(("docs/howto", "docs/why", "docs/quick", "README"))])
def test_settings_that_pages_name_exist(path: str) -> None:
    named = set(SETTING.findall(pages()[path])) - FOREIGN
    unknown = {n for n in named if n not in {**BY_NAME, **AWS} and not (n.endswith("_FILE") and n.removesuffix("_FILE") in BY_NAME)}
    assert not unknown, unknown


@pytest.mark.parametrize("path", pages())
def test_metrics_that_pages_name_exist(path: str) -> None:
    known = {metric.name for metric in METRICS}
    named = set(re.findall(r"\bagentic_memory_[a-z_]+\b", pages()[path]))
    named = {re.sub(r"_(?:bucket|count|sum)$", "", name) for name in named}
    assert named <= known, named - known


def test_every_log_event_is_documented() -> None:
    page = pages()["docs/howto/operating.md"]
    speaking = {f"log.{level}" for level in ("info", "warning", "error")}
    events = {ast.literal_eval(call.args[0]) for _, call in calls() if ast.unparse(call.func) in speaking}
    assert len(events) > 10
    assert {event for event in events if f"`{event}`" not in page} == set()


def test_pages_that_the_program_names_exist() -> None:
    for path in (ROOT / "src").rglob("*.py"):
        for name in re.findall(r"\bdocs/[\w./-]+\.md\b", path.read_text("utf-8")):
            assert (ROOT / name).is_file(), f"{path.name} points to {name}"


def test_messages_in_the_troubleshooting_page_are_said_by_the_code() -> None:
    page = pages()["docs/howto/troubleshooting.md"]
    templates = [re.escape(" ".join((kind.__doc__ or "").split())) for kind in vars(errors).values() if isinstance(kind, type)]
    patterns = [re.compile(re.sub(r"\\\{\w+\\\}", ".+", t)) for t in templates]
    said = re.findall(r"^\| \d{3} `([^`]+)`", page, re.MULTILINE)
    assert {"Invalid workspace key", "Missing caller_id"} <= set(said)
    unsaid = [m for m in said if m != "Temporarily unavailable" and not any(p.match(m) for p in patterns)]
    assert not unsaid, unsaid


def test_the_changelog_keeps_its_form() -> None:
    text = pages()["CHANGELOG.md"]
    assert text.startswith("# Changelog\n")
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert headings[0] == "[Unreleased]"
    versions = []
    for heading in headings[1:]:
        match = re.fullmatch(r"\[(\d+\.\d+\.\d+)\] - (\d{4}-\d\d-\d\d)", heading)
        assert match, heading
        date.fromisoformat(match[2])
        versions.append(tuple(map(int, match[1].split("."))))
    assert versions == sorted(versions, reverse=True)
    assert ".".join(map(str, versions[0])) == __version__
    kinds = set(re.findall(r"^### (.+)$", text, re.MULTILINE))
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_third_party_names_what_is_installed() -> None:
    core = (ROOT / "requirements" / "core.txt").read_text("utf-8")
    installed = set(re.findall(r"^([\w.-]+)==", core, re.MULTILINE))
    needed = prose(pages()["THIRD_PARTY.md"]).split("## Needed to run")[1].split("## Optional")[0]
    named = {n for row in re.findall(r"^\| (`.+?) \|", needed, re.MULTILINE) for n in re.findall(r"`([^`]+)`", row)}
    assert named == installed


def test_decisions_are_a_page_each() -> None:
    for path in (ROOT / "docs" / "why").glob("*.md"):
        text = path.read_text("utf-8")
        told = " ".join(line for line in text.splitlines() if not line.startswith("|"))
        assert len(told.split()) < 1000, f"{path.name} is more than a page"
        assert "**Decision.**" in text, path.name


def test_blocks_are_of_a_language_that_is_checked_or_shown() -> None:
    for path, text in pages().items():
        kinds = set(re.findall(r"^```(\w+)", text, re.MULTILINE))
        assert kinds <= {"sh", "text", "toml", "json", "ini", "yaml", "python", "http"}, (path, kinds)


def test_json_in_the_pages_parses() -> None:
    for path, text in pages().items():
        for block in blocks(text, "json"):
            assert json.loads(block) is not None, path
        for body in re.findall(r"-d '(\{.*?\})'\n", "\n".join(blocks(text, "sh")), re.DOTALL):
            assert json.loads(body), path


def test_settings_are_written_once() -> None:
    assert len({setting.name for setting in SETTINGS}) == len(SETTINGS)
