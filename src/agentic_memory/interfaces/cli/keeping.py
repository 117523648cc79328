"""`export`, `forget`, `replay` and `dead-letters`: keeping what is remembered in order."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from agentic_memory.interfaces.cli.group import Refused
from agentic_memory.interfaces.cli.opening import data_dir, opened, settings_of
from agentic_memory.interfaces.cli.terminal import (
    as_json,
    counted,
    day,
    minute,
    note,
    progress,
    sentence,
    shown,
    write_json,
    write_table,
)

if TYPE_CHECKING:
    from agentic_memory.bootstrap import Services

SOURCES = "ID..., --dead, --archive or --quarantine"


@click.command(short_help="Write everything as JSON Lines.")
@click.argument("caller", required=False)
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="File to write.  [default: standard output]")
@data_dir
def export(caller: str | None, output: Path | None, data_dir: str | None) -> None:
    """Write everything that is remembered as JSON Lines, a caller a line.

    With CALLER, that caller alone: their brief, memories with evidence, calls with every turn. A file
    appears whole or not at all.

    \b
    Examples:
      agentic-memory export -o memory.jsonl
      agentic-memory export +15550100042 | jq .memories
    """
    from agentic_memory.service.export import json_lines

    with opened(data_dir) as services:
        if caller is not None:
            services.callers.one(caller)
        total = 1 if caller else services.storage.records.counts(services.model.vectors_id).callers
        with _output(output) as out, progress("exporting", total) as done:
            written = _written(json_lines(services.callers.everything(caller)), out, done)
    note(f"{sentence(counted(written, 'caller'))} written{f' to {output}' if output else ''}.")


@click.command(short_help="Erase a caller: every trace, for good.")
@click.argument("caller")
@click.option("--yes", is_flag=True, help="Do not ask.")
@data_dir
def forget(caller: str, yes: bool, data_dir: str | None) -> None:
    """Erase a caller: every trace, for good.

    Memories, calls, recordings, raw bodies, what waits in the inbox, dead letters and quarantine. It
    cannot be undone, and a backup or an export made before still holds what you made it of.

    \b
    Examples:
      agentic-memory forget +15550100042
      agentic-memory forget +15550100042 --yes
    """
    with opened(data_dir) as services:
        if not yes:
            note(_what_goes(services, caller))
            click.confirm("Erase it for good?", abort=True, err=True)
        if not services.forget(caller):
            raise Refused(f"Nothing is kept of {caller}.")
    click.echo(f"{shown(caller)} is forgotten.")


@click.command(short_help="Process deliveries again.")
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--dead", is_flag=True, help="All dead letters.")
@click.option("--archive", is_flag=True, help="Every body in the archive: rebuilds an empty database.")
@click.option("--quarantine", is_flag=True, help="Verify quarantined bodies again; accept what is authentic now.")
@click.option("--work", is_flag=True, help="Process them here, now, rather than by the running server.")
@data_dir
def replay(
    ids: tuple[str, ...], dead: bool, archive: bool, quarantine: bool, work: bool, data_dir: str | None
) -> None:
    """Process deliveries again.

    Give the ids of dead letters, or one of --dead, --archive and --quarantine. They are handed in; the
    running server processes them, or with --work this command does. Processing twice changes nothing.

    \b
    Examples:
      agentic-memory replay --dead
      agentic-memory replay 01JC2ZJ8 --work
      agentic-memory replay --archive --work --data-dir restored/
    """
    if [bool(ids), dead, archive, quarantine].count(True) != 1:
        raise click.UsageError(f"Give exactly one of {SOURCES}.")
    if archive:
        _check_archive(data_dir)
    with opened(data_dir, must_exist=not archive) as services:
        if quarantine:
            count = _replay_quarantine(services)
        elif archive:
            count = _replay_archive(services)
        else:
            count = services.replay.dead(ids or None)
        click.echo(f"{sentence(counted(count, 'delivery'))} handed in.")
        if work:
            _work(services)
        elif count:
            note("The running server or `agentic-memory worker` processes them; --work does it here.")
    if ids and count < len(ids):
        raise Refused(f"{len(ids) - count} of {len(ids)} ids name no dead letter.")


@click.command("dead-letters", short_help="What could not be processed, and why.")
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True, help="How many at most.")
@data_dir
@as_json
def dead_letters(limit: int, data_dir: str | None, machine: bool) -> None:
    """List deliveries that could not be processed, with the cause, oldest first.

    \b
    Examples:
      agentic-memory dead-letters
      agentic-memory replay --dead
    """
    from agentic_memory.service.export import timestamp

    with opened(data_dir) as services:
        page = services.storage.inbox.dead_letters(limit=limit)
    if machine:
        letters = [
            {
                "id": x.id,
                "type": x.envelope.type,
                "conversation_id": x.envelope.conversation_id,
                "received_at": timestamp(x.received_at),
                "buried_at": timestamp(x.buried_at),
                "attempts": x.attempts,
                "cause": x.error_code,
                "error": x.error,
                "size": x.size,
            }
            for x in page.letters
        ]
        write_json({"dead_letters": letters})
        return
    if not page.letters:
        note("There are no dead letters.")
        return
    rows = [
        (x.id, minute(x.received_at), x.envelope.conversation_id or "", str(x.attempts), x.error_code, x.error)
        for x in page.letters
    ]
    write_table(("id", "received (UTC)", "conversation", "attempts>", "cause", "error"), rows, wide={"error": 1})
    more = " There are more: --limit." if page.next_cursor else ""
    note(f"\nOnce the cause is mended: agentic-memory replay --dead{more}")


@contextmanager
def _output(path: Path | None) -> Iterator[IO[bytes]]:
    """Where an export goes: a file takes its name only when it is whole."""
    if path is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    unfinished = path.with_name(path.name + ".unfinished")
    try:
        unfinished.touch(mode=0o600)
        with unfinished.open("wb") as out:
            yield out
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _written(lines: Iterator[bytes], out: IO[bytes], done: Callable[[int], None]) -> int:
    count = 0
    for line in lines:
        out.write(line)
        count += 1
        done(count)
    return count


def _what_goes(services: "Services", given: str) -> str:
    from agentic_memory.errors import NotFound

    try:
        caller = services.callers.one(given)
    except NotFound:
        return f"{shown(given)} is not a known caller, but deliveries and quarantine may hold traces."
    memories = len(services.callers.memories(given))
    name = f" ({shown(caller.name.text)})" if caller.name else ""
    return (
        f"{shown(caller.caller_id)}{name}: {counted(caller.call_count, 'call')}, the last on "
        f"{day(caller.last_call_at)}, and {counted(memories, 'memory')}."
    )


def _check_archive(data_dir: str | None) -> None:
    from agentic_memory import bootstrap

    path = bootstrap.archive_path(settings_of(data_dir=data_dir))
    if not path.is_dir():
        raise Refused(f"There is no archive at {path}. --data-dir names another folder.")


def _replay_archive(services: "Services") -> int:
    with progress("handing in", None) as done:
        return services.replay.archived(done)


def _replay_quarantine(services: "Services") -> int:
    from agentic_memory import bootstrap

    settings, _ = bootstrap.with_keys(services.settings)
    total = services.storage.inbox.counts().quarantined
    with progress("verifying", total) as done:
        result = services.replay.quarantined(settings.elevenlabs_hmac_key, done)
    if result.still_refused:
        note(f"Still refused, and still in quarantine: {counted(result.still_refused, 'body')}.")
    return result.accepted


def _work(services: "Services") -> None:
    """Process what is due, with a bar."""
    services.model.load()
    total = services.storage.inbox.counts().pending
    with progress("processing", total) as done:
        handled = 0
        while count := services.work_inbox():
            handled += count
            done(handled)
    counts = services.storage.inbox.counts()
    note(f"Processed. Pending: {counts.pending}, dead letters: {counts.dead}.")
