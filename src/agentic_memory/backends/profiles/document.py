"""A profile's TOML document, read and checked: what it may hold, how long it may be."""

import re
import tomllib
from collections.abc import Mapping
from typing import Any

from agentic_memory.domain.greeting import GREETING_KINDS
from agentic_memory.domain.initiation import TOKEN_VARIABLE, VARIABLES, Profile

# A platform takes answers of up to 256 KB (ElevenLabs, personalisation page, 2026-09): a prompt of
# this size, written as JSON, leaves room for everything else.
PROMPT_BYTES = 64 * 1024
GREETING_CHARS = 1000
VARIABLE_CHARS = 1000
VARIABLE_COUNT = 50

_GREETINGS = tuple(f"greeting_{kind}" for kind in GREETING_KINDS)
_KEYS = ("prompt", *_GREETINGS, "language", "languages", "greetings", "variables")
_TAG = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")


class ProfileProblem(Exception):
    """What is wrong with a document, and where."""

    def __init__(self, message: str, key: str = "") -> None:
        """`key` is the one to blame, for finding its line."""
        super().__init__(message)
        self.key = key


def read_profile(name: str, data: bytes) -> Profile:
    """The profile in a TOML document. Raises ProfileProblem naming the line; total over any bytes."""
    text = _text(data)
    try:
        return _profile(name, _document(text))
    except ProfileProblem as problem:
        raise ProfileProblem(f"{problem}{_at_line(text, problem.key)}") from None


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ProfileProblem(f"not UTF-8 (at line {line})") from None


def _document(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # a number of 5,000 digits is a bare ValueError
        last_line = text.rstrip("\n").count("\n") + 1
        found = str(error).replace("at end of document", f"at line {last_line}")
        raise ProfileProblem(f"not TOML: {found}") from None


def _at_line(text: str, key: str) -> str:
    """Where a key stands, as the parser would say it; empty where it cannot be told."""
    name = re.escape(key.rpartition(".")[2])
    found = re.search(rf"""^[ \t]*(?:\[[^\]\n]*|[\w.]*\.)?["']?{name}["']?[ \t]*[=\].]""", text, re.MULTILINE)
    return f" (at line {text.count(chr(10), 0, found.start()) + 1})" if key and found else ""


def _profile(name: str, document: Mapping[str, Any]) -> Profile:
    _known_keys(document, _KEYS, "")
    languages = tuple(_tag(tag, "languages") for tag in _list(document, "languages"))
    return Profile(
        name=name,
        prompt=_prompt(document),
        **{key: _string(document, key, GREETING_CHARS) for key in _GREETINGS},
        language=_tag(document["language"], "language") if document.get("language") else "",
        languages=languages,
        greetings=_greetings(_table(document, "greetings")),
        variables=_variables(_table(document, "variables")),
    )


def _known_keys(table: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    for key in table:
        if key not in known:
            raise ProfileProblem(f"unknown key {where + key!r}: known are {', '.join(known)}", key)


def _prompt(document: Mapping[str, Any]) -> str:
    prompt = _string(document, "prompt", PROMPT_BYTES).strip()
    if len(prompt.encode()) > PROMPT_BYTES:
        raise ProfileProblem(f"prompt is longer than {PROMPT_BYTES} bytes", "prompt")
    return prompt


def _string(table: Mapping[str, Any], key: str, limit: int, where: str = "") -> str:
    value = table.get(key, "")
    if not isinstance(value, str):
        raise ProfileProblem(f"{where}{key} is {_kind(value)}, expected a string", key)
    if len(value) > limit:
        raise ProfileProblem(f"{where}{key} is longer than {limit} characters", key)
    return value


def _list(document: Mapping[str, Any], key: str) -> list[Any]:
    value = document.get(key, [])
    if not isinstance(value, list):
        raise ProfileProblem(f'{key} is {_kind(value)}, expected a list such as ["en", "es"]', key)
    return value


def _table(document: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = document.get(key, {})
    if not isinstance(value, dict):
        raise ProfileProblem(f"{key} is {_kind(value)}, expected a table [{key}]", key)
    return value


def _tag(value: object, key: str) -> str:
    if not (isinstance(value, str) and _TAG.fullmatch(value)):
        raise ProfileProblem(f'{key}: {value!r:.40} is no language tag, expected one such as "en" or "pt-br"', key)
    return value


def _greetings(table: Mapping[str, Any]) -> Mapping[str, Mapping[str, str]]:
    greetings = {}
    for tag in table:
        words = _table(table, _tag(tag, "greetings"))
        _known_keys(words, GREETING_KINDS, f"greetings.{tag}.")
        greetings[tag] = {kind: _string(words, kind, GREETING_CHARS, f"greetings.{tag}.") for kind in words}
    return greetings


def _variables(table: Mapping[str, Any]) -> Mapping[str, str]:
    if len(table) > VARIABLE_COUNT:
        raise ProfileProblem(f"more than {VARIABLE_COUNT} variables", "variables")
    for name in table:
        if not _VARIABLE.fullmatch(name):
            raise ProfileProblem(f"variables.{name:.70}: a name has letters, digits and underscores only", name)
        if name in VARIABLES or name == TOKEN_VARIABLE or name.startswith("system__"):
            raise ProfileProblem(f"variables.{name} is taken: it is filled for every call", name)
    return {name: _variable(name, value) for name, value in table.items()}


def _variable(name: str, value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str | int | float):
        raise ProfileProblem(f"variables.{name} is {_kind(value)}, expected a string, a number or a truth value", name)
    if isinstance(value, int) and abs(value) >= 2**63:
        raise ProfileProblem(f"variables.{name} is larger than 64 bits", name)
    return _string({name: str(value)}, name, VARIABLE_CHARS, "variables.")


def _kind(value: object) -> str:
    names = {dict: "a table", list: "a list", bool: "a truth value", int: "a number", float: "a number", str: "a string"}
    return names.get(type(value), "a date or time")
