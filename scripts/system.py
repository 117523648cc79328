"""What the scripts that ask a system share: where it is, its keys, one request, readable results."""

import argparse
import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).parents[1] / "src"))

from agentic_memory.platforms.elevenlabs.signature import sign
from agentic_memory.settings import SettingsError, read

OUTPUTS = {"/client-data": "ClientDataApiUrl", "/retrieve": "RetrieveApiUrl", "/post-call": "PostCallApiUrl"}
KEYS = {"/client-data": "elevenlabs_workspace_key", "/post-call": "elevenlabs_hmac_key"}
NOBODY = "+15550100099"
"""A number that reaches nobody."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    value: Mapping[str, object]
    milliseconds: float


class System:
    """A deployed stack, or a server."""

    def __init__(self, urls: Mapping[str, str], keys: Mapping[str, str]) -> None:
        """`urls` and `keys` by path."""
        self.urls = urls
        self.keys = keys

    def ring(self, caller_id: str = NOBODY, key: str | None = None) -> Answer:
        """The phone rings."""
        payload = {"caller_id": caller_id, "called_number": "+15550100000", "agent_id": "agent_check", "call_sid": "CAcheck"}
        given = self.keys["/client-data"] if key is None else key
        return self.ask("/client-data", json.dumps(payload).encode(), {"X-Workspace-Key": given})

    def search(self, query: str, user_id: str = NOBODY) -> Answer:
        """The agent searches."""
        given = {"X-Workspace-Key": self.keys["/client-data"]}
        return self.ask("/retrieve", json.dumps({"query": query, "user_id": user_id}).encode(), given)

    def hang_up(self, body: bytes, key: str | None = None) -> Answer:
        """The call has ended."""
        secret = self.keys["/post-call"] if key is None else key
        return self.ask("/post-call", body, {"ElevenLabs-Signature": sign(body, secret, int(time.time()))})

    def ready(self) -> Answer:
        """What a server says of itself; a stack has no such address."""
        address = self.urls["/client-data"].removesuffix("/client-data") + "/readyz"
        return self._answered(urllib.request.Request(address))

    def ask(self, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """One request; a refusal is an answer too."""
        return self._answered(urllib.request.Request(self.urls[path], body, {"Content-Type": "application/json", **headers}))

    def _answered(self, request: urllib.request.Request) -> Answer:
        started = time.perf_counter()
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                status, raw = response.status, response.read()
        except urllib.error.HTTPError as error:
            status, raw = error.code, error.read()
        except OSError as error:
            sys.exit(f"No answer from {request.full_url} ({error}).")
        took = (time.perf_counter() - started) * 1000
        try:
            value = json.loads(raw)
        except ValueError:
            value = {}
        return Answer(status, value if isinstance(value, dict) else {}, took)


def arguments(about: str) -> argparse.ArgumentParser:
    """A parser that knows how to name a system."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--url", help="a server, e.g. http://127.0.0.1:8000 (the default: HOST and PORT of this folder's settings)")
    where.add_argument("--stack", help="a deployed stack; its URLs and keys are asked of the aws command line")
    return parser


def system(given: argparse.Namespace) -> System:
    """The system that the arguments name; keys from the environment, `.env`, development keys or the stack."""
    return _stack(given.stack) if given.stack else _server(given.url)


def _server(given: str | None) -> System:
    try:
        settings = read()
    except SettingsError as error:
        sys.exit(error.message)
    url = given or f"http://{settings.host}:{settings.port}"
    if urlsplit(url).scheme not in ("http", "https"):
        sys.exit(f"{url} is no address; expected http://... or https://...")
    made = settings.data_dir / "development-keys.env"
    lines = made.read_text().splitlines() if made.is_file() else []
    held = dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    keys = {path: next(iter(getattr(settings, name)), held.get(name.upper(), "")) for path, name in KEYS.items()}
    return System({path: url.rstrip("/") + path for path in OUTPUTS}, keys)


def aws(*command: str) -> str:
    """What the aws command line answers."""
    try:
        done = subprocess.run(["aws", *command], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        sys.exit("The aws command line is not installed.")
    if done.returncode:
        sys.exit(done.stderr.strip() or "aws failed")
    return done.stdout


def _stack(name: str) -> System:
    query = ("--query", "Stacks[0].Outputs", "--output", "json")
    outputs = {o["OutputKey"]: o["OutputValue"] for o in json.loads(aws("cloudformation", "describe-stacks", "--stack-name", name, *query))}
    secret = aws("secretsmanager", "get-secret-value", "--secret-id", outputs["SecretName"], "--query", "SecretString", "--output", "text")
    held = json.loads(secret)
    keys = {path: held.get(setting.upper(), "") for path, setting in KEYS.items()}
    return System({path: outputs[output] for path, output in OUTPUTS.items()}, keys)


class Checks:
    """Prints each check as it is made, and counts what failed."""

    def __init__(self) -> None:
        """Nothing checked yet."""
        self.failed = 0

    def __call__(self, what: str, holds: bool, more: str = "") -> None:
        """One line: OK or FAILED, what, and what else there is to say."""
        self.failed += not holds
        print(f"{'OK    ' if holds else 'FAILED'} {what}{f'  ({more})' if more else ''}")

    def status(self, what: str, answer: Answer, expected: int) -> None:
        """An answer's status, with its milliseconds."""
        error = answer.value.get("error", "")
        self(what, answer.status == expected, f"{answer.status}, {answer.milliseconds:.0f} ms{f': {error}' if error else ''}")

    def end(self) -> None:
        """Exit with 1 when anything failed."""
        print(f"\n{self.failed} failed" if self.failed else "\nall well")
        sys.exit(1 if self.failed else 0)


def main(about: str, *parts: Callable[[System, Checks], None]) -> None:
    """Run parts of a check against the system that the command line names."""
    given = arguments(about).parse_args()
    asked, checks = system(given), Checks()
    for part in parts:
        part(asked, checks)
    checks.end()
