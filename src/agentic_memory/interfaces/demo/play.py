"""The demonstration: five calls are remembered, then the phone rings."""

import signal
import sys
from collections.abc import Mapping
from textwrap import wrap
from typing import TYPE_CHECKING

from agentic_memory.interfaces.cli.client import Answer, Client
from agentic_memory.interfaces.cli.terminal import console, minute, shown, working
from agentic_memory.interfaces.demo.process import DemoServer, demo_server
from agentic_memory.interfaces.demo.script import (
    AGENT_ID,
    CALLS,
    LUCIA,
    OWN_NUMBER,
    QUESTIONS,
    SOMEBODY_NEW,
    STEFAN,
    DemoCall,
    Question,
)
from agentic_memory.platforms.elevenlabs.signature import sign
from agentic_memory.ports import Clock

if TYPE_CHECKING:
    from rich.console import Console

LABEL = 18
"""Columns of the names on the left."""


class Demo:
    """Plays the script against one server and prints what happens."""

    def __init__(self, server: DemoServer, clock: Clock) -> None:
        """`server` is starting."""
        self._server = server
        self._clock = clock
        self._out: Console = console()
        self._client: Client | None = None

    def play(self) -> None:
        """All of it. Raises Refused with what failed."""
        self._out.print("AgenticMemory remembers callers.", style="bold")
        with working("starting the server ..."):
            self._client = self._server.wait()
        started = f"{self._server.milliseconds_to_start:,.0f} ms"
        self._out.print(f"A real server with an empty database: {self._server.url}, started in {started}.\n")
        self._past_calls()
        self._ring_of_stefan()
        self._search(QUESTIONS[0])
        self._ring_of_lucia()
        self._search(QUESTIONS[1])
        self._ring_of_somebody_new()
        self._next()

    def _past_calls(self) -> None:
        self._heading("After hang-up", "five calls of the last weeks come in as signed webhooks")
        with working("remembering ..."):
            for call in CALLS:
                self._told(call)
            took = self._server.wait_until_remembered(self._asked)
        self._out.print(f"\n  All five are remembered, {took:,.0f} ms after the last answer (the model loads meanwhile).\n")

    def _told(self, call: DemoCall) -> None:
        import json

        body = json.dumps(call.webhook(), ensure_ascii=False).encode()
        signature = sign(body, self._server.webhook_secret, int(self._clock.now()))
        answer = self._asked.post("/post-call", body, {"ElevenLabs-Signature": signature})
        self._check(answer, "/post-call")
        left = f"  {minute(call.started_at)}  {call.who:<7} {call.title}"
        self._out.print(f"{left:<64}{len(call.turns):>3} turns   {_timed(answer):>9}")

    def _ring_of_stefan(self) -> None:
        self._heading("The phone rings", f"{STEFAN}: Stefan, for the fifth time")
        answer = self._ring(STEFAN)
        self._say(answer)
        variables = answer.value.get("dynamic_variables")
        self._variables(variables if isinstance(variables, dict) else {})
        self._prompt(_prompt(answer))

    def _ring_of_lucia(self) -> None:
        self._heading("The phone rings", f"{LUCIA}: Lucía, whose first call was in Spanish")
        self._say(self._ring(LUCIA))

    def _ring_of_somebody_new(self) -> None:
        self._heading("The phone rings", f"{SOMEBODY_NEW}: a new number")
        self._say(self._ring(SOMEBODY_NEW))

    def _ring(self, number: str) -> Answer:
        ring = {
            "caller_id": number,
            "called_number": OWN_NUMBER,
            "agent_id": AGENT_ID,
            "call_sid": f"CA{'0' * 32}",
        }
        key = {"X-Workspace-Key": self._server.workspace_key}
        answer = self._asked.post_value("/client-data", ring, key)
        self._check(answer, "/client-data")
        return answer

    def _search(self, question: Question) -> None:
        self._heading("During the call", question.remark)
        answer = self._asked.post_value(
            "/retrieve", {"query": question.words, "user_id": question.number, "limit": 1}
        )
        self._check(answer, "/retrieve")
        self._row("POST /retrieve", _timed(answer), "dim")
        self._row("The agent asks", question.words, "bold")
        memories = answer.value.get("memories")
        for memory in memories if isinstance(memories, list) else []:
            self._row("Memory answers", str(memory), "bold green")
        self._out.print()

    def _say(self, answer: Answer) -> None:
        """The greeting, on a line of its own: it is to be read in one go."""
        agent = _agent(answer)
        self._row("POST /client-data", _timed(answer), "dim")
        speaks = f" ({agent['language']})" if "language" in agent else ""
        self._row(f"The agent says{speaks}", "")
        greeting = shown(str(agent.get("first_message", "")))
        self._out.print(f"\n    {greeting}\n", style="bold green", soft_wrap=True)

    def _variables(self, variables: Mapping[str, object]) -> None:
        self._out.print("  It is told these variables:\n", style="dim")
        for name, value in variables.items():
            text = str(value) if name != "memory_context" else "(the block below)"
            self._row(name, text or "(empty)")
        self._out.print()

    def _prompt(self, prompt: str) -> None:
        from rich.panel import Panel
        from rich.text import Text

        end = "</caller_memory>"
        block, found, own = prompt.partition(end)
        self._out.print("  And its prompt begins:\n", style="dim")
        text = Text(shown_lines(block + found))
        rest = f"then the agent's own prompt, {len(own.strip()):,} characters"
        self._out.print(Panel(text, subtitle=rest, subtitle_align="right", border_style="dim"))
        self._out.print()

    def _next(self) -> None:
        self._heading("Where to go next")
        self._row("make serve", "run it: the three endpoints on http://127.0.0.1:8000")
        self._row("", "and play these calls to it: .venv/bin/agentic-memory call stefan-1 --follow")
        self._row("docs/quickstart.md", "your first agent, step by step")
        self._row("docs/howto/", "connect an ElevenLabs agent, operate, back up, erase a caller")

    def _heading(self, moment: str, remark: str = "") -> None:
        from rich.text import Text

        title = Text(moment, style="bold cyan")
        if remark:
            title.append(f"  {remark}", style="default not bold")
        self._out.rule(title, align="left", style="cyan", characters="─")
        self._out.print()

    def _row(self, label: str, text: str, style: str = "") -> None:
        """A name on the left, what it stands for on the right, wrapped in its own column."""
        from rich.text import Text

        lines = wrap(shown(text), self._out.width - LABEL - 4) or [""]
        for i, line in enumerate(lines):
            row = Text(f"  {'' if i else label:<{LABEL}}  ", style="dim")
            row.append(line, style=style or "not dim")
            row.rstrip()
            self._out.print(row, soft_wrap=True)

    @property
    def _asked(self) -> Client:
        if self._client is None:
            raise self._server.failure("the server was asked before it was there")
        return self._client

    def _check(self, answer: Answer, path: str) -> None:
        if answer.status != 200:
            raise self._server.failure(f"{path} answered {answer.status}: {answer.body[:200]!r}")


def play(clock: Clock) -> None:
    """Start a server, play the script, end the server. Raises Refused."""
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        with demo_server(clock) as server:
            Demo(server, clock).play()
    finally:
        signal.signal(signal.SIGTERM, before)


def shown_lines(text: str) -> str:
    """Several lines as a terminal may show them."""
    return "\n".join(shown(line) for line in text.splitlines())


def _agent(answer: Answer) -> Mapping[str, object]:
    override = answer.value.get("conversation_config_override")
    agent = override.get("agent") if isinstance(override, dict) else None
    return agent if isinstance(agent, dict) else {}


def _prompt(answer: Answer) -> str:
    prompt = _agent(answer).get("prompt")
    return str(prompt.get("prompt", "")) if isinstance(prompt, dict) else ""


def _timed(answer: Answer) -> str:
    return f"{answer.milliseconds:.1f} ms"
