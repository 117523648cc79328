"""Write `docs/reference/` from the code, so that the pages say what is.

    python scripts/make_reference.py            write the pages
    python scripts/make_reference.py --check    say which are stale, and fail
"""

import ast
import inspect
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from agentic_memory import errors, ports
from agentic_memory.errors import AgenticMemoryError
from agentic_memory.interfaces.openapi import description
from agentic_memory.interfaces.problems import status_of
from agentic_memory.settings import AWS_SETTINGS, SETTINGS, Setting
from agentic_memory.telemetry import METRICS

FOLDER = Path(__file__).parents[1] / "docs" / "reference"
NOTE = "<!-- Written by scripts/make_reference.py from the code: change that, not this. -->"
AUTHENTICATION = {
    "WorkspaceKey": "`X-Workspace-Key`",
    "MemoryToken": "`Authorization: Bearer` memory token",
    "AdminKey": "`Authorization: Bearer` admin key",
}
NESTED = frozenset({"Call", "Caller", "Change", "DeadLetter", "Evidence", "Found", "Memory"})
"""Values that stand inside answers."""


def page(title: str, *parts: str) -> str:
    """A page: its title, a note that it is generated, its parts."""
    return "\n\n".join((f"# {title}", NOTE, *(part.strip("\n") for part in parts if part))) + "\n"


def table(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """A Markdown table."""
    lines = [heads, tuple("---" for _ in heads), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def settings_page() -> str:
    """Every setting: default, meaning, example."""
    secret = [f"`{s.name}`" for s in SETTINGS if s.secret]
    return page(
        "Settings",
        "Read from the environment and from a `.env` file in the working folder; the environment wins. "
        "An empty value counts as not set. A wrong value stops the start with one sentence that names "
        "the setting, what is wrong with it, and an example.",
        f"Keys are {', '.join(secret)}. Each of them also accepts `NAME_FILE`, the path of a file that "
        "holds it (`ADMIN_KEY_FILE=/run/secrets/admin_key`). Several values, one a line or separated by "
        "commas, are all accepted: that is how a key is rotated. Keys are never shown in logs, errors "
        "or `check`.",
        table(("setting", "default", "what for", "example"), [_setting_row(s) for s in SETTINGS]),
        "## On AWS",
        "What the stack and Lambda itself set for the functions; nobody sets these by hand.",
        table(("setting", "default", "what for", "example"), [_setting_row(s) for s in AWS_SETTINGS]),
    )


def _setting_row(setting: Setting) -> tuple[str, ...]:
    default = f"`{setting.default}`" if setting.default else "(empty)"
    name = f"`{setting.name}`" + (" (key)" if setting.secret else "")
    return name, default, setting.help, f"`{setting.example}`"


def metrics_page() -> str:
    """Every metric of `/metrics`."""
    rows = [
        (f"`{m.name}`", m.kind, ", ".join(f"`{label}`" for label in m.labels), m.help)
        for m in METRICS
    ]
    return page(
        "Metrics",
        "`GET /metrics` answers in the text form that Prometheus reads. It asks for the admin key. Nothing "
        "is sent anywhere: whoever wants the numbers fetches them. Counters and histograms start at zero "
        "with the process; gauges are read when they are asked for.",
        table(("metric", "kind", "labels", "what"), rows),
    )


def errors_page() -> str:
    """Every error: message, whether trying again may help, status."""
    tree = (errors.__doc__ or "").split("\n\n")[1]
    return page(
        "Errors",
        "Every answer that is not a success has one shape: `{\"error\": \"<message>\"}`. Clients read the "
        "message of errors marked public; of all others they read `Temporarily unavailable` (503) or "
        "`Internal error` (500), and the log and the dead letter hold the name and the cause.",
        f"```text\n{tree}\n```",
        table(
            ("error", "message", "retry may help", "status", "public"),
            [_error_row(kind) for kind in _family(AgenticMemoryError)],
        ),
        "*Retry may help*: a delivery that fails with such an error is tried again with growing delays; "
        "any other makes it a dead letter at once. *Status* is what a request answers that ends with it.",
    )


def _family(kind: type[AgenticMemoryError]) -> Iterator[type[AgenticMemoryError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _family(child)


def _error_row(kind: type[AgenticMemoryError]) -> tuple[str, ...]:
    said = _text(kind.__doc__)
    return (
        f"`{kind.__name__}`",
        re.sub(r"\{(\w+)\}", r"<i>\1</i>", said),
        "yes" if kind.retryable else "no",
        str(status_of(kind())),
        "yes" if kind.public else "no",
    )


def _text(docstring: str | None) -> str:
    return " ".join((docstring or "").split())


def routes_page() -> str:
    """Every route: who may ask, what it takes, what it answers."""
    described: Any = description()
    parts = [
        "All bodies are JSON objects. Every path also answers under the stage prefix `/Prod`. `HEAD` "
        "answers where `GET` does. The same description for machines is at `GET /v1/openapi.json`. "
        "What can go wrong: [errors](errors.md).",
        "The admin key is one of `ADMIN_KEY`. With none set, the admin routes are closed; only a server "
        "that made its own [development keys](../why/development-keys.md) answers them on loopback.",
    ]
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            if method != "parameters":
                shared = methods.get("parameters", [])
                parts.append(_route(f"{method.upper()} {path}", operation, shared, described))
    schemas = described["components"]["schemas"]
    parts.append("## Values")
    for name in sorted(NESTED & set(schemas)):
        parts.append(f"### `{name}`\n\n{_field_table(schemas[name], schemas)}")
    return page("Routes", *parts)


def _route(title: str, operation: Any, shared: list[Any], described: Any) -> str:
    schemas = described["components"]["schemas"]
    parts = [f"## `{title}`", operation["summary"], f"Authentication: {_security(operation)}."]
    parameters = [*shared, *operation.get("parameters", [])]
    if parameters:
        rows = [
            (f"`{p['name']}`", p["in"], _kind(p["schema"]), p.get("description", ""))
            for p in parameters
        ]
        parts.append(table(("parameter", "in", "type", ""), rows))
    body = operation.get("requestBody")
    if body:
        parts.append(_content("Takes", body["content"], schemas))
    for status, answer in operation["responses"].items():
        if status != "default" and answer.get("content"):
            parts.append(_content(f"Answers {status}", answer["content"], schemas))
    return "\n\n".join(parts)


def _security(operation: Any) -> str:
    ways = operation.get("security", [])
    names = [AUTHENTICATION[name] for way in ways for name in way]
    if not names:
        return "the signature header" if operation["operationId"] == "post_call" else "none"
    return ("none, or as `RETRIEVE_AUTH` asks: " if {} in ways else "") + ", ".join(names)


def _content(label: str, content: Mapping[str, Any], schemas: Any) -> str:
    kind, held = next(iter(content.items()))
    if "$ref" not in held["schema"]:
        return f"{label}: `{kind}`."
    name, schema = _named(held["schema"], schemas)
    if kind != "application/json":
        return f"{label} `{name}` values: `{kind}`."
    if name in NESTED:
        return f"{label} [`{name}`](#{name.lower()})."
    return f"{label} `{name}`:\n\n{_field_table(schema, schemas)}"


def _field_table(schema: Any, schemas: Any) -> str:
    required = _required(schema, schemas)
    rows = [
        (f"`{field}`" + ("" if field in required else " (may be missing)"), _kind(inner))
        for field, inner in _fields(schema, schemas).items()
    ]
    return table(("field", "type"), rows)


def _named(schema: Any, schemas: Any) -> tuple[str, Any]:
    name = schema["$ref"].rsplit("/", 1)[-1]
    return name, schemas[name]


def _fields(schema: Any, schemas: Any) -> dict[str, Any]:
    fields = dict(schema.get("properties", {}))
    for part in schema.get("allOf", []):
        fields |= _fields(_named(part, schemas)[1] if "$ref" in part else part, schemas)
    return fields


def _required(schema: Any, schemas: Any) -> set[str]:
    required = set(schema.get("required", ()))
    for part in schema.get("allOf", ()):
        required |= _required(_named(part, schemas)[1] if "$ref" in part else part, schemas)
    return required


def _kind(schema: Any) -> str:
    """A schema in a few words."""
    if "$ref" in schema:
        return f"`{schema['$ref'].rsplit('/', 1)[-1]}`"
    if "const" in schema:
        return f"`{schema['const']}`"
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if "oneOf" in schema:
        return " or ".join(_kind(one) for one in schema["oneOf"])
    kind = schema.get("type", "any")
    names = kind if isinstance(kind, list) else [kind]
    if "items" in schema:
        names = [f"list of {_kind(schema['items'])}" if n == "array" else n for n in names]
    return " or ".join(str(name) for name in names) + _bounds(schema)


def _bounds(schema: Any) -> str:
    if "minimum" in schema:
        return f", {schema['minimum']} to {schema['maximum']}"
    if "maxItems" in schema:
        return f", at most {schema['maxItems']}"
    if "maxLength" in schema:
        return f", text of {schema.get('minLength', 0)} to {schema['maxLength']} characters"
    return ", not empty" if "minLength" in schema else ""


def commands_page() -> str:
    """Every command with its help, as the terminal shows it."""
    from agentic_memory.interfaces.cli import main

    names = main.context_settings["help_option_names"]
    top = click.Context(main, info_name="agentic-memory", terminal_width=90, max_content_width=90, help_option_names=names)
    parts = [_help("agentic-memory", main, top)]
    for name in main.list_commands(top):
        command = main.get_command(top, name)
        if command is not None and not command.hidden:
            parts += _commands(name, command, top)
    return page(
        "Commands",
        "In a clone the command is `.venv/bin/agentic-memory`. Every command reads the same "
        "[settings](settings.md); options win over them.",
        *parts,
    )


def _commands(name: str, command: click.Command, parent: click.Context) -> Iterator[str]:
    context = click.Context(command, info_name=name, parent=parent)
    yield _help(context.command_path, command, context)
    if isinstance(command, click.Group):
        for inner in command.list_commands(context):
            found = command.get_command(context, inner)
            if found is not None:
                yield from _commands(inner, found, context)


def _help(path: str, command: click.Command, context: click.Context) -> str:
    text = "\n".join(line.rstrip() for line in command.get_help(context).splitlines())
    return f"## `{path}`\n\n```text\n{text}\n```"


def ports_page() -> str:
    """Every port with what it promises, from its docstrings."""
    tree = ast.parse(inspect.getsource(ports))
    found = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    return page(
        "Ports",
        inspect.cleandoc(ports.__doc__ or ""),
        *(_port(node) for node in found if any(ast.unparse(b) == "Protocol" for b in node.bases)),
    )


def _port(node: ast.ClassDef) -> str:
    parts = [f"## {node.name}", _text(ast.get_docstring(node))]
    for method in node.body:
        if isinstance(method, ast.FunctionDef):
            said = "\n".join(f"  {line}".rstrip() for line in (ast.get_docstring(method) or "").splitlines())
            parts.append(f"- `{_signature(method)}`\n\n{said}")
    return "\n\n".join(parts)


def _signature(method: ast.FunctionDef) -> str:
    arguments = ast.unparse(method.args).removeprefix("self").removeprefix(", ")
    returns = ast.unparse(method.returns).strip("'\"") if method.returns else "None"
    if any(ast.unparse(d) == "property" for d in method.decorator_list):
        return f"{method.name}: {returns}"
    return f"{method.name}({arguments}) -> {returns}"


PAGES: Mapping[str, Callable[[], str]] = {
    "settings.md": settings_page,
    "routes.md": routes_page,
    "errors.md": errors_page,
    "metrics.md": metrics_page,
    "commands.md": commands_page,
    "ports.md": ports_page,
}


def stale() -> list[str]:
    """The pages that do not say what the code says."""
    found = []
    for name, make in PAGES.items():
        path = FOLDER / name
        if not path.is_file() or path.read_text("utf-8") != make():
            found.append(name)
    return found


@click.command()
@click.option("--check", is_flag=True, help="Write nothing; fail when a page is stale.")
def main(check: bool) -> None:
    """Write docs/reference/ from the code."""
    names = stale()
    if check and names:
        click.echo(f"stale: {', '.join(names)}. Run scripts/make_reference.py", err=True)
        sys.exit(1)
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in names:
        (FOLDER / name).write_text(PAGES[name](), encoding="utf-8")
        click.echo(f"wrote docs/reference/{name}")


if __name__ == "__main__":
    main()
