"""`agentic-memory demo` as a person sees it: a process that prints, and leaves nothing behind."""

import os
import re
import signal
import subprocess
import sys
from http.client import HTTPConnection
from pathlib import Path

import pytest

from agentic_memory.interfaces.demo.script import CALLS, QUESTIONS
from tests.acceptance.server_process import Done, run_command

KNOWN = "Hello Stefan! I know you prefer email updates. How can I assist you today?"
NEW = "Hello! Welcome to our memoir interview service. Could you please tell me your name?"
MILLISECONDS = re.compile(r"\d ms\b")
ESCAPE = "\x1b"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def demo(folder: Path) -> Done:
    return run_command("demo", folder=folder, environment={"TMPDIR": str(folder)})


def test_it_succeeds_without_a_word_of_complaint(demo: Done) -> None:
    assert (demo.code, demo.err) == (0, "")


def test_both_greetings_come_out_letter_by_letter(demo: Done) -> None:
    lines = [line.strip() for line in demo.out.splitlines()]
    assert lines.count(KNOWN) == 1
    assert lines.count(NEW) == 1
    assert lines.index(KNOWN) < lines.index(NEW)


def test_the_agent_is_told_who_calls(demo: Done) -> None:
    told = dict(line.strip().split(None, 1) for line in demo.out.splitlines() if len(line.split()) > 1)
    assert told["caller_name"] == "Stefan"
    assert told["returning_caller"] == "yes"
    assert told["memory_count"] == "4"
    assert told["memory_summary"] == "User wants to update email address"


def test_the_prompt_begins_with_the_memory(demo: Done) -> None:
    _, _, prompt = demo.out.partition("its prompt begins")
    assert "CALLER CONTEXT: This caller has 4 previous interactions" in prompt.splitlines()[3]


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda q: q.answer)
def test_each_search_finds_its_answer(demo: Done, question: object) -> None:
    assert isinstance(question, type(QUESTIONS[0]))
    _, found, answer = demo.out.partition(question.words)
    answer = " ".join(answer.partition("The phone rings")[0].split())
    assert found
    assert question.answer in answer


def test_every_request_says_how_long_it_took(demo: Done) -> None:
    requests = len(CALLS) + 3 + len(QUESTIONS)
    start_and_remembering = 2
    assert len(MILLISECONDS.findall(demo.out)) == requests + start_and_remembering


def test_what_is_piped_is_plain_text(demo: Done) -> None:
    assert ESCAPE not in demo.out
    assert all(len(line) <= 100 and line == line.rstrip() for line in demo.out.splitlines())


def test_it_says_where_to_go_next(demo: Done) -> None:
    _, _, following = demo.out.partition("Where to go next")
    assert "make serve" in following
    assert "docs/" in following


def test_it_leaves_nothing_behind_and_works_again(demo: Done, folder: Path) -> None:
    assert list(folder.iterdir()) == []
    again = run_command("demo", folder=folder, environment={"TMPDIR": str(folder)})
    assert again.code == 0
    assert _without_numbers(again.out) == _without_numbers(demo.out)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ending_it_ends_the_server_too(tmp_path: Path, number: int) -> None:
    environment = {"PYTHONUTF8": "1", "PYTHONPATH": os.pathsep.join(sys.path), "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-m", "agentic_memory", "demo"]
    with subprocess.Popen(
        command,
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=_as_in_a_terminal,
    ) as process:
        assert process.stdout is not None
        port = _port(process.stdout)
        process.send_signal(number)
        assert process.wait(30) != 0
        assert process.stderr is not None
        assert "Traceback" not in process.stderr.read()
    assert not _answers(port)
    assert list(tmp_path.iterdir()) == []


def _as_in_a_terminal() -> None:
    """A shell starts what runs in the background deaf to Ctrl-C, and so are these tests' children then."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _port(lines: object) -> int:
    for line in iter(lines):  # type: ignore[call-overload]
        found = re.search(r"http://127\.0\.0\.1:(\d+)", line)
        if found:
            return int(found[1])
    raise AssertionError("it named no address")


def _answers(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=1)
    try:
        connection.request("GET", "/healthz")
    except OSError:
        return False
    else:
        return True
    finally:
        connection.close()


def _without_numbers(text: str) -> str:
    """What does not differ from run to run: times and the port do."""
    return re.sub(r"\s*[\d,.]+ ms|:\d{4,5}\b", "", text)
