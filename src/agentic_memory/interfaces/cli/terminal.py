"""What commands write: tables and progress for people, JSON for machines."""

import json
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

PIPED_WIDTH = 100
"""Columns of what is not written to a terminal."""

as_json = click.option("--json", "machine", is_flag=True, help="Write JSON for machines.")


def console(*, stderr: bool = False) -> "Console":
    """Where to write: plain and 100 columns wide unless it is a terminal.

    Markup is off: what callers said is printed as it is.
    """
    from rich.console import Console

    made = Console(stderr=stderr, highlight=False, markup=False, emoji=False)
    if made.is_terminal:
        return made
    return Console(
        stderr=stderr, highlight=False, markup=False, emoji=False, width=PIPED_WIDTH, no_color=True
    )


def write_json(value: object) -> None:
    """One JSON document on standard output."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def note(text: str) -> None:
    """A remark for people, on standard error."""
    click.echo(text, err=True)


def shown(text: str | None) -> str:
    """Text as a terminal may show it: nothing in it moves the cursor or changes a colour."""
    return "".join(c if c.isprintable() else " " for c in text or "")


def day(at: float | None) -> str:
    """The UTC day of a time: `2026-05-03`; empty for none."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d") if at else ""


def minute(at: float) -> str:
    """The UTC minute of a time: `2026-05-03 14:05`."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M")


def counted(number: int, noun: str) -> str:
    """`1 call`, `1,200 calls`, `no memories`."""
    if number == 1:
        return f"1 {noun}"
    several = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{number:,} {several}" if number else f"no {several}"


def sentence(text: str) -> str:
    """The text with a capital at its beginning."""
    return text[:1].upper() + text[1:]


def write_table(
    columns: Sequence[str], rows: Sequence[Sequence[str]], wide: Mapping[str, int]
) -> None:
    """A table on standard output. A column ending in `>` is aligned right.

    `wide`: the columns that share the room that the others leave, each with its part; they wrap.
    """
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False, show_edge=False)
    for column in columns:
        name = column.rstrip(">")
        table.add_column(
            name,
            justify="right" if column.endswith(">") else "left",
            ratio=wide.get(name),
            no_wrap=name not in wide,
            overflow="fold",
        )
    for row in rows:
        table.add_row(*map(shown, row))
    _write_lines(table)


def _write_lines(table: "Table") -> None:
    """Without the blanks that fill up each line."""
    out = console()
    with out.capture() as captured:
        out.print(table)
    click.echo("\n".join(line.rstrip() for line in captured.get().splitlines()), color=True)


@contextmanager
def progress(label: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """A bar on standard error; the yielded function takes how many are done so far."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    out = console(stderr=True)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=out,
        transient=True,
        disable=not out.is_terminal,
    )
    with bar:
        task = bar.add_task(label, total=total)
        yield lambda done: bar.update(task, completed=done)


@contextmanager
def working(label: str) -> Iterator[None]:
    """A spinner on standard error while something takes its time."""
    out = console(stderr=True)
    if not out.is_terminal:
        yield
        return
    with out.status(label):
        yield


def typed() -> str:
    """How this command was typed, so that what we advise can be typed as well: `.venv/bin/agentic-memory`."""
    command = Path(sys.argv[0])
    if command.name != "agentic-memory" or shutil.which("agentic-memory"):
        return "agentic-memory"
    return str(command)
