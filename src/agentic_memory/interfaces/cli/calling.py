"""`demo` and `call`: conversations for those who have no telephone at hand."""

import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from agentic_memory.interfaces.cli.group import Refused, WrongUsage
from agentic_memory.interfaces.cli.opening import data_dir, settings_of
from agentic_memory.interfaces.cli.terminal import as_json, note, shown, working, write_json

if TYPE_CHECKING:
    from agentic_memory.interfaces.cli.client import Answer, Client
    from agentic_memory.settings import Settings

LOOK_AGAIN = 0.05
"""Seconds between looks at what is pending."""


@click.command(short_help="See a caller being remembered.")
def demo() -> None:
    """See a caller being remembered, in a few seconds.

    Starts a real server with a fresh database, plays five calls to it as signed webhooks, then lets the
    phone ring and shows what the agent is told. Needs no keys and no network, and leaves nothing behind.
    """
    from agentic_memory.bootstrap import SystemClock
    from agentic_memory.interfaces.demo.play import play

    play(SystemClock())


@click.command(short_help="Send a finished call to a running server.")
@click.argument("payload", required=False, metavar="FILE|SAMPLE")
@click.option("--url", help="Where the server is.  [default: HOST and PORT of the settings]")
@click.option("--key", help="Webhook secret to sign with.  [default: ELEVENLABS_HMAC_KEY, else the development key]")
@click.option("--follow", is_flag=True, help="Wait until nothing is pending any more.")
@data_dir
@as_json
def call(
    payload: str | None,
    url: str | None,
    key: str | None,
    follow: bool,
    data_dir: str | None,
    machine: bool,
) -> None:
    """Send a finished call to a running server, signed as the platform signs it.

    FILE is a post-call payload, `-` for standard input; SAMPLE is a call of the demonstration, listed
    when nothing is given.

    \b
    Examples:
      agentic-memory call stefan-1 --follow
      agentic-memory call payload.json --url https://memory.example.com --key wsec_...
      cat payload.json | agentic-memory call -
    """
    from agentic_memory.bootstrap import SystemClock
    from agentic_memory.interfaces.cli.client import Client
    from agentic_memory.platforms.elevenlabs.signature import sign

    if payload is None:
        list_samples()
        return
    clock = SystemClock()
    settings = settings_of(data_dir=data_dir)
    body = body_of(payload)
    signature = sign(body, key or webhook_secret(settings), int(clock.now()))
    client = Client(url or url_of(settings), clock)
    before = counts(client) if follow else {}
    answer = client.post("/post-call", body, {"ElevenLabs-Signature": signature})
    report(answer, len(body), machine)
    if follow:
        wait_until_processed(client, before)


def report(answer: "Answer", size: int, machine: bool) -> None:
    """Say what came back. Raises Refused for all but 200."""
    value = {"status": answer.status, "milliseconds": round(answer.milliseconds, 2), "answer": answer.value}
    if machine:
        write_json(value)
    else:
        text = answer.body.decode("utf-8", "replace")[:200]
        click.echo(f"{answer.status} {shown(text)}  ({size:,} bytes, {answer.milliseconds:.1f} ms)")
    if answer.status != 200:
        raise Refused(f"The server answered {answer.status}: the call was not accepted.")


def wait_until_processed(client: "Client", before: Mapping[str, int]) -> None:
    """Wait until nothing is pending. Raises Refused where a signature was not accepted or a delivery died."""
    now = counts(client)
    if now.get("quarantined", 0) > before.get("quarantined", 0):
        raise Refused(
            "The server answered 200 but did not accept the signature: the call is in quarantine. Sign "
            "with the server's own secret, or mend its ELEVENLABS_HMAC_KEY and run "
            "`agentic-memory replay --quarantine`."
        )
    with working("remembering ..."):
        while (now := counts(client)).get("pending"):
            time.sleep(LOOK_AGAIN)
    if now.get("dead", 0) > before.get("dead", 0):
        raise Refused("It could not be processed: `agentic-memory dead-letters` tells why.")
    note("Nothing is pending any more: it is processed.")
    if now.get("dead"):
        note("Dead letters remain of earlier deliveries: `agentic-memory dead-letters` lists them.")


def counts(client: "Client") -> Mapping[str, int]:
    """The inbox as `/readyz` reports it."""
    inbox = client.get("/readyz").value.get("inbox")
    return {name: n for name, n in inbox.items() if isinstance(n, int)} if isinstance(inbox, dict) else {}


def list_samples() -> None:
    """Print the samples that can be sent."""
    from agentic_memory.interfaces.cli.terminal import minute, write_table
    from agentic_memory.interfaces.demo.script import SAMPLES

    rows = [
        (s.name, s.number, minute(s.started_at), str(len(s.turns)), s.title)
        for s in SAMPLES.values()
    ]
    write_table(("sample", "caller", "began (UTC)", "turns>", "about"), rows, wide={"about": 1})
    note("\nSend one: agentic-memory call stefan-1 --follow")


def body_of(payload: str) -> bytes:
    """The bytes of a file, of standard input, or of a sample. Raises Refused."""
    import json

    from agentic_memory.interfaces.demo.script import SAMPLES

    if payload == "-":
        return sys.stdin.buffer.read()
    path = Path(payload)
    if path.is_file():
        return path.read_bytes()
    if payload in SAMPLES:
        return json.dumps(SAMPLES[payload].webhook(), ensure_ascii=False).encode()
    raise WrongUsage(
        f"{payload!r} is neither a file nor a sample. Samples: {', '.join(SAMPLES)}.")


def webhook_secret(settings: "Settings") -> str:
    """The secret to sign with: the first one set, else the development server's. Raises Refused."""
    from agentic_memory import bootstrap

    made = settings.data_dir / bootstrap.DEVELOPMENT_KEYS
    if not settings.elevenlabs_hmac_key and made.is_file():
        settings, _ = bootstrap.with_keys(settings)
    if not settings.elevenlabs_hmac_key:
        raise WrongUsage(
            "There is no webhook secret: set ELEVENLABS_HMAC_KEY, give --key, or name the data folder "
            f"of a development server with --data-dir (looked in {settings.data_dir}).")
    return settings.elevenlabs_hmac_key[0]


def url_of(settings: "Settings") -> str:
    """Where a server with these settings is reached from this machine."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)
    return f"http://[{host}]:{settings.port}" if ":" in host else f"http://{host}:{settings.port}"
