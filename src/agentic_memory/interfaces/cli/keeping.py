"""`export`, `forget`, `replay`, `dead-letters` and `quarantine`: keeping what is remembered in order."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from agentic_memory.interfaces.cli.group import Refused
from agentic_memory.interfaces.cli.opening import data_dir, opened, settings_of
from agentic_memory.interfaces.cli.reading import known_caller
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
    from agentic_memory.domain.delivery import DeadLetter
    from agentic_memory.service.replay import LookedAt

SHOWN_ID = 12
"""Characters of a quarantined body's id in a table."""
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
            known_caller(services, caller)
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
      agentic-memory replay 15 --work
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
        raise Refused(f"No dead letter has {'that id' if len(ids) == 1 else f'{len(ids) - count} of those ids'}.")


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
    rows = [(x.id, minute(x.received_at), str(x.attempts), _why(x)) for x in page.letters]
    write_table(("id", "received (UTC)", "attempts>", "cause"), rows, wide={"cause": 1})
    more = " There are more: --limit." if page.next_cursor else ""
    note(f"\nOnce the cause is mended: agentic-memory replay --dead{more}")


def _why(letter: "DeadLetter") -> str:
    """Cause, error and conversation in one column: an id beside them leaves no room for words."""
    conversation = letter.envelope.conversation_id
    return f"{letter.error_code}: {letter.error}" + (f" ({conversation})" if conversation else "")


@click.command(short_help="Bodies whose signature did not verify.")
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--drop", is_flag=True, help="Drop these IDs, or all where none is given, for good.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True, help="How many to list at most.")
@data_dir
@as_json
def quarantine(
    ids: tuple[str, ...], drop: bool, yes: bool, limit: int, data_dir: str | None, machine: bool
) -> None:
    """List bodies whose signature did not verify, oldest first, and why; or drop them.

    The reason is what the keys in your settings make of the signature today. What no key will ever verify
    is somebody else's: drop it. An ID may be cut to its first 8 characters.

    \b
    Examples:
      agentic-memory quarantine
      agentic-memory quarantine --drop 3f786850 --yes
      agentic-memory quarantine --drop
    """
    if ids and not drop:
        raise click.UsageError("IDs are given with --drop.")
    with opened(data_dir) as services:
        if drop:
            _drop_quarantined(services, ids, yes)
            return
        kept = services.storage.inbox.counts().quarantined
        found = list(islice(services.replay.look_at_quarantine(_hmac_keys(services)), limit))
    _write_quarantine(found, kept, machine)


def _drop_quarantined(services: "Services", ids: tuple[str, ...], yes: bool) -> None:
    kept = services.storage.inbox.counts().quarantined
    if not yes and kept:
        what = counted(len(ids), "body") if ids else f"everything in quarantine ({counted(kept, 'body')})"
        click.confirm(f"Drop {what} for good?", abort=True, err=True)
    dropped = services.replay.drop_quarantined(ids or None)
    click.echo(f"{sentence(counted(dropped, 'body'))} dropped.")
    if dropped < len(ids):
        raise Refused(f"{len(ids) - dropped} of {len(ids)} ids name nothing in quarantine.")


def _write_quarantine(found: "Sequence[LookedAt]", kept: int, machine: bool) -> None:
    from agentic_memory.service.export import quarantined_value

    if machine:
        write_json({"quarantine": [quarantined_value(one) for one in found], "total": kept})
        return
    if not found:
        note("The quarantine is empty.")
        return
    rows = [
        (one.item.id[:SHOWN_ID], minute(one.item.received_at), f"{len(one.item.body):,}", one.reason or "verifies now")
        for one in found
    ]
    write_table(("id", "received (UTC)", "bytes>", "reason"), rows, wide={"reason": 1})
    more = " There are more: --limit." if kept > len(found) else ""
    note(f"\nOnce the key is mended: agentic-memory replay --quarantine{more}")


def _hmac_keys(services: "Services") -> "Sequence[str]":
    from agentic_memory import bootstrap

    settings, _ = bootstrap.with_keys(services.settings)
    return settings.elevenlabs_hmac_key


@contextmanager
def _output(path: Path | None) -> Iterator[IO[bytes]]:
    """Where an export goes: a file takes its name only when it is whole."""
    if path is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    if not path.parent.is_dir():
        raise Refused(f"No such file or directory: {path.parent}")
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
    total = services.storage.inbox.counts().quarantined
    with progress("verifying", total) as done:
        result = services.replay.quarantined(_hmac_keys(services), done)
    if result.still_refused:
        note(f"Still refused, and still in quarantine: {counted(result.still_refused, 'body')}.")
    return result.accepted


def _work(services: "Services") -> None:
    """Process what is due, with a bar, and say what came of it."""
    services.model.load()
    total = services.storage.inbox.counts().pending
    handled = 0
    with progress("processing", total) as done:
        while count := services.work_inbox():
            handled += count
            done(handled)
    counts = services.storage.inbox.counts()
    told = f"{sentence(counted(handled, 'delivery'))} processed. Pending: {counts.pending:,}, dead letters: {counts.dead:,}."
    note(f"{told} See: agentic-memory dead-letters" if counts.dead else told)
