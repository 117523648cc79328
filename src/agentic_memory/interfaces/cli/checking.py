"""`check`: is everything in order?"""

import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from agentic_memory.interfaces.cli.group import FAILED
from agentic_memory.interfaces.cli.opening import data_dir, settings_of, unknown_settings
from agentic_memory.interfaces.cli.terminal import PIPED_WIDTH, as_json, shown, write_json

if TYPE_CHECKING:
    from agentic_memory.bootstrap import Services
    from agentic_memory.engine.memory import Model
    from agentic_memory.service.check import Line
    from agentic_memory.settings import Settings

WIDTH = 16
"""Columns of a part's name."""
Probe = tuple[str, "Callable[[], Line]"]


@click.command(short_help="See whether everything is in order.")
@data_dir
@as_json
@click.pass_context
def check(ctx: click.Context, data_dir: str | None, machine: bool) -> None:
    """See whether everything is in order, line by line, with the way out where it is not.

    Settings, keys, data folder, disk, database, archive, model or Mem0, agents and inbox. Changes nothing,
    and may run beside a server. The exit code is 1 when a line is not OK.

    \b
    Examples:
      agentic-memory check
      agentic-memory check --json --data-dir /var/lib/agentic-memory
    """
    found = []
    for line in _lines(data_dir):
        found.append(line)
        if not machine:
            _write(line)
    if machine:
        write_json({"ok": all(x.ok for x in found), "checks": [asdict(x) for x in found]})
    if not all(line.ok for line in found):
        ctx.exit(FAILED)


def _lines(folder: str | None) -> "Iterator[Line]":
    from agentic_memory.errors import SettingsError
    from agentic_memory.service import check

    try:
        settings = settings_of(data_dir=folder)
    except SettingsError as error:
        yield check.Line("settings", False, error.message, "Mend it; nothing else can be looked at before.")
        return
    yield from check.lines(_outside(settings))
    yield from _inside(settings)


def _outside(settings: "Settings") -> "Iterator[Probe]":
    """What can be told without opening anything."""
    from agentic_memory import bootstrap
    from agentic_memory.service import check

    development = settings.data_dir / bootstrap.DEVELOPMENT_KEYS
    yield "settings", lambda: check.settings_line(settings, unknown_settings())
    yield "keys", lambda: check.keys_line(settings, development)
    yield "data folder", lambda: check.folder_line(settings.data_dir)
    yield "disk", lambda: _disk(settings.data_dir)


def _disk(folder: Path) -> "Line":
    from agentic_memory.service import check

    while not folder.exists():
        folder = folder.parent
    usage = shutil.disk_usage(folder)
    return check.disk_line(usage.free, usage.total)


def _inside(settings: "Settings") -> "Iterator[Line]":
    """What needs the services; where they cannot be had, which part stands in the way."""
    from agentic_memory import bootstrap
    from agentic_memory.engine.memory import Model
    from agentic_memory.errors import AgenticMemoryError
    from agentic_memory.service import check
    from agentic_memory.telemetry import configure_logging

    configure_logging("ERROR", settings.log_format)
    path = bootstrap.database_path(settings)
    if not path.is_file():
        yield check.Line("database", True, f"none at {path} yet: the first start makes it")
        model = Model(bootstrap.embedder(settings))
        yield from check.lines([_memory_probe(settings, model)])
        yield from _agents(settings)
        return
    try:
        services = bootstrap.build(settings)
    except AgenticMemoryError as error:
        yield check.Line(_part(error), False, error.message, "What depends on it was not looked at.")
        return
    try:
        yield from check.lines(_probes(services))
    finally:
        services.close()


def _agents(settings: "Settings") -> "Iterator[Line]":
    """The agents' profiles alone."""
    from agentic_memory import bootstrap
    from agentic_memory.errors import SettingsError
    from agentic_memory.service import check

    try:
        profiles = bootstrap.profiles(settings)
        names = profiles.names()
    except SettingsError as error:
        yield check.Line("agent profiles", False, error.message, "Mend it; `serve` does not start before.")
    else:
        yield check.agents_line(names, settings, profiles.unfilled)


def _memory_probe(settings: "Settings", model: "Model") -> Probe:
    """What remembers: Mem0 Cloud, or our own model."""
    from agentic_memory import bootstrap
    from agentic_memory.service import check

    if not bootstrap.uses_mem0(settings):
        return "model", lambda: check.model_line(model)
    client, _ = bootstrap.mem0_client(settings, bootstrap.SystemClock())
    return "mem0", lambda: check.mem0_line(client.ping, settings)


def _part(error: Exception) -> str:
    """Which part an error at the start is about."""
    from agentic_memory.errors import ArchiveError, SettingsError, StorageError

    if isinstance(error, StorageError):
        return "database"
    if isinstance(error, ArchiveError):
        return "archive"
    if isinstance(error, SettingsError) and error.fields.get("name") in {"AGENTS_DIR", "DEFAULT_PROFILE"}:
        return "agent profiles"
    return "settings"


def _probes(services: "Services") -> "Iterator[Probe]":
    from agentic_memory import bootstrap
    from agentic_memory.service import check

    settings, storage, model = services.settings, services.storage, services.model
    where = bootstrap.archive_path(settings)
    integrity = storage.database.integrity if storage.database else lambda: "ok"
    names = services.profiles.names()
    yield "database", lambda: check.database_line(integrity, storage.records, model.vectors_id)
    yield "archive", lambda: check.archive_line(storage.archive, where)
    yield _memory_probe(settings, model)
    yield "agent profiles", lambda: check.agents_line(names, settings, services.profiles.unfilled)
    yield "other agents", lambda: check.default_profile_line(names, check.agents_seen(storage.records), settings)
    yield "inbox", lambda: check.inbox_line(storage.inbox.counts(), services.clock.now())


def _write(line: "Line") -> None:
    mark = click.style("OK", fg="green") if line.ok else click.style("--", fg="red", bold=True)
    first, *rest = _wrapped(line.detail)
    click.echo(f"{mark}  {line.name:<{WIDTH}}{first}")
    for text in rest:
        click.echo(f"    {'':<{WIDTH}}{text}")
    for way_out in line.way_out.splitlines():
        for text in _wrapped(way_out):
            click.echo(f"    {'':<{WIDTH}}{click.style(text, dim=line.ok)}")


def _wrapped(text: str) -> list[str]:
    """In lines that fit beside the name."""
    from textwrap import wrap

    columns = shutil.get_terminal_size((PIPED_WIDTH, 24)).columns if sys.stdout.isatty() else PIPED_WIDTH
    return wrap(shown(text), max(columns - WIDTH - 4, 20), break_on_hyphens=False) or [""]
