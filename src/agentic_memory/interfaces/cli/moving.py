"""`migrate`: from one kind of memory to another."""

import time

import click

from agentic_memory.interfaces.cli.group import Refused
from agentic_memory.interfaces.cli.opening import data_dir, opened
from agentic_memory.interfaces.cli.terminal import counted, note, progress, sentence

KINDS = click.Choice(["engine", "mem0"])


@click.command(short_help="Move memories to or from Mem0 Cloud.")
@click.option("--from", "source", type=KINDS, required=True, help="Where memories are.")
@click.option("--to", "target", type=KINDS, required=True, help="Where they are to be.")
@data_dir
def migrate(source: str, target: str, data_dir: str | None) -> None:
    """Move memories from the engine's database to Mem0 Cloud, or back.

    Calls with their turns, memories with their evidence, metadata and times, what was set and deleted by
    hand. Nothing is taken away at the source. Each caller is read again where they arrive and counted on
    both sides. Ended and begun anew, it goes on where it was. Both sides may be in use meanwhile. Where Mem0
    asks for time, or fails once in a while, it waits and tries again.

    \b
    Examples:
      agentic-memory migrate --from mem0 --to engine
      agentic-memory migrate --from engine --to mem0
    """
    if source == target:
        raise click.UsageError("--from and --to are the same.")
    from agentic_memory import bootstrap
    from agentic_memory.domain.caller import DEFAULT_TENANT
    from agentic_memory.service.migrate import Migrate

    with opened(data_dir, must_exist=source == "engine") as services, bootstrap.sides(services) as sides:
        move = Migrate(sides[source], sides[target], time.sleep)
        with progress("moving callers", None) as done:
            tally = move(DEFAULT_TENANT, done)
    click.echo(
        f"{sentence(counted(tally.callers, 'caller'))}, {counted(tally.calls, 'call')}, "
        f"{counted(tally.memories, 'memory')}: counted at both sides."
    )
    if tally.already_there:
        note(f"There before: {counted(tally.already_there, 'caller')}.")
    if not tally.is_complete:
        raise Refused(
            f"Missing at the target: {counted(tally.missing_calls, 'call')}, "
            f"{counted(tally.missing_memories, 'memory')}. Run it again: what is there is not moved twice."
        )
