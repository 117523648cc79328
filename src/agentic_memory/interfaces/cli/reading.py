"""`callers`, `memories` and `search`: what is remembered, read from the database itself."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from agentic_memory.interfaces.cli.group import Refused, WrongUsage
from agentic_memory.interfaces.cli.opening import data_dir, opened
from agentic_memory.interfaces.cli.terminal import (
    as_json,
    counted,
    day,
    note,
    shown,
    working,
    write_json,
    write_table,
)

if TYPE_CHECKING:
    from agentic_memory.bootstrap import Services
    from agentic_memory.domain.caller import Caller
    from agentic_memory.domain.memory import Change, Evidence, Found, Memory
    from agentic_memory.engine.recall import Explained

LARGEST_PAGE = 500


@click.command(short_help="List callers, newest call first.")
@click.argument("query", default="")
@click.option("--limit", type=click.IntRange(1, LARGEST_PAGE), default=20, show_default=True, help="How many at most.")
@data_dir
@as_json
def callers(query: str, limit: int, data_dir: str | None, machine: bool) -> None:
    """List callers, newest call first.

    QUERY is part of a number or of a name.

    \b
    Examples:
      agentic-memory callers
      agentic-memory callers stefan
      agentic-memory callers +1555 --limit 100 --json
    """
    from agentic_memory.service.export import caller_with_brief

    with opened(data_dir) as services:
        page = services.callers.page(query, limit, None)
        if machine:
            write_json({"callers": [caller_with_brief(c) for c in page.callers]})
        elif page.callers:
            write_table(
                ("caller", "name", "lang", "calls>", "last call", "remembered"),
                [_caller_row(c) for c in page.callers],
                wide={"remembered": 1},
            )
        if page.next_cursor and not machine:
            note(f"\nThere are more: --limit {min(limit * 5, LARGEST_PAGE)}, or part of a name.")
        if not page.callers:
            _nothing(f"No caller matches {query!r}." if query else "Nobody has called yet.", failed=bool(query))


@click.command(short_help="What is remembered of a caller, and why.")
@click.argument("caller")
@click.option("--all", "everything", is_flag=True, help="Show superseded memories too.")
@click.option("--history", is_flag=True, help="Show every change instead, oldest first.")
@data_dir
@as_json
def memories(caller: str, everything: bool, history: bool, data_dir: str | None, machine: bool) -> None:
    """Show what is remembered of a caller, each with the words it rests on.

    \b
    Examples:
      agentic-memory memories +15550100042
      agentic-memory memories +15550100042 --all
      agentic-memory memories +15550100042 --history --json
    """
    with opened(data_dir) as services:
        known = known_caller(services, caller)
        if history:
            _write_history(services.callers.history(known.caller_id), machine)
            return
        found = [m for m in services.callers.memories(caller) if everything or m.is_current]
        if machine:
            from agentic_memory.service.export import memory_value

            write_json({"memories": [memory_value(m) for m in found]})
            return
        _write_caller(known)
        write_table(
            ("date", "what", "memory", "because"),
            [_memory_row(m) for m in reversed(found)],
            wide={"memory": 1, "because": 1},
        )


@click.command(short_help="Search what a caller and the agent said.")
@click.argument("caller")
@click.argument("query")
@click.option("--limit", type=click.IntRange(1, 50), help="How many at most.  [default: MEM0_SEARCH_LIMIT, else 3]")
@click.option("--explain", is_flag=True, help="Show what each step of the ranking gave.")
@click.option("--at", "when", type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M"]), metavar="TIME", help="When it is asked: `last week` counts from it. 2026-11-20 or 2026-11-20T15:30, UTC.  [default: now]")
@data_dir
@as_json
def search(
    caller: str,
    query: str,
    limit: int | None,
    explain: bool,
    when: datetime | None,
    data_dir: str | None,
    machine: bool,
) -> None:
    """Search what a caller and the agent said, by meaning, in any of the model's languages.

    Finds what `/retrieve` finds, directly in the database; for the operator card numbers and codes are not masked.

    \b
    Examples:
      agentic-memory search +15550100042 "the grandfather's boat"
      agentic-memory search +15550100042 "when did they marry?" --limit 5 --explain
    """
    if not query.strip():
        raise WrongUsage("QUERY is empty.")
    with opened(data_dir) as services:
        at = when.replace(tzinfo=UTC).timestamp() if when else services.clock.now()
        wanted = limit or services.settings.mem0_search_limit
        known = known_caller(services, caller)
        with working("loading the model ..."):
            services.model.load()
        ranked = _ranked(services, known, query, wanted, at)
        if services.model.is_degraded:
            note("The model cannot be used: these results go by words alone.")
    if machine:
        write_json({"results": [_explained_value(e, explain) for e in ranked]})
    elif explain and ranked:
        _write_steps(ranked)
    elif ranked:
        write_table(("nearness>", "found", "where"), [_found_row(e.found) for e in ranked], wide={"found": 1})
    if not ranked:
        _nothing("Nothing of this caller's is remembered.", failed=True)


def _ranked(services: "Services", known: "Caller", query: str, limit: int, at: float) -> "tuple[Explained, ...]":
    """What is found, with the steps of the ranking where it is our own."""
    from agentic_memory.engine.recall import Explained

    if services.mem0 is None:
        return services.engine.explain(known.tenant, known.caller_id, query, limit, at)
    findings = services.memory.search(known.tenant, known.caller_id, query, limit, at)
    return tuple(Explained(found, {}) for found in findings.results)


def known_caller(services: "Services", given: str) -> "Caller":
    """The caller of that number. Raises Refused where nobody is remembered by it."""
    from agentic_memory.errors import NotFound

    try:
        return services.callers.one(given)
    except NotFound:
        raise Refused(f"No caller {given!r} is remembered. `agentic-memory callers` lists them.") from None


def _nothing(text: str, *, failed: bool) -> None:
    if failed:
        raise Refused(text)
    note(text)


def _caller_row(caller: "Caller") -> tuple[str, ...]:
    return (
        caller.caller_id,
        caller.name.text if caller.name else "",
        caller.language or "",
        str(caller.call_count),
        day(caller.last_call_at),
        caller.brief.memory_summary if caller.brief else "",
    )


def _write_caller(caller: "Caller") -> None:
    name = caller.name.text if caller.name else "a caller whose name is not known"
    calls = counted(caller.call_count, "call")
    click.echo(f"{shown(caller.caller_id)}  {shown(name)}  {calls}, the last on {day(caller.last_call_at)}\n")


def _memory_row(memory: "Memory") -> tuple[str, ...]:
    what = str(memory.category) if memory.is_current else f"{memory.category}, old"
    return (day(memory.created_at), what, memory.text, _because(memory.evidence[0]))


def _because(evidence: "Evidence") -> str:
    """The words a memory rests on, or the field that reported it."""
    if evidence.quote:
        where = f"turn {evidence.turn}, " if evidence.turn is not None else ""
        return f"“{evidence.quote}” ({where}{evidence.conversation_id})"
    return f"{evidence.field or 'the call'} ({evidence.conversation_id})"


def _write_history(changes: "Sequence[Change]", machine: bool) -> None:
    if machine:
        from agentic_memory.service.export import change_value

        write_json({"history": [change_value(c) for c in changes]})
        return
    rows = [
        (day(c.at), c.action, c.conversation_id or c.actor, c.old_text or "", c.new_text or "")
        for c in changes
    ]
    write_table(("date", "change", "by", "before", "after"), rows, wide={"before": 1, "after": 1})


def _found_row(found: "Found") -> tuple[str, ...]:
    turn = "" if found.turn is None else f", turn {found.turn}"
    return (f"{found.similarity:.2f}", found.text, f"{found.conversation_id}{turn}")


def _explained_value(explained: "Explained", with_steps: bool) -> dict[str, object]:
    found = explained.found
    value: dict[str, object] = {
        "id": found.id,
        "kind": str(found.kind),
        "text": found.text,
        "similarity": found.similarity,
        "date": day(found.at),
        "conversation_id": found.conversation_id,
        "turn": found.turn,
        "quote": found.quote,
        "superseded": found.superseded,
    }
    if with_steps:
        value["steps"] = {name: round(given, 4) for name, given in explained.steps.items()}
    return value


def _write_steps(ranked: "Sequence[Explained]") -> None:
    """The results, numbered, then a row a step; steps that gave nobody anything are left out."""
    numbers = [str(i) for i in range(1, len(ranked) + 1)]
    found = [(number, e.found.text) for number, e in zip(numbers, ranked, strict=True)]
    write_table(("#>", "found"), found, wide={"found": 1})
    click.echo()
    names = [n for n in ranked[0].steps if any(abs(e.steps[n]) >= 0.005 for e in ranked)]
    rows = [(name, *(f"{e.steps[name]:+.2f}" for e in ranked)) for name in names]
    rows.append(("sum", *(f"{e.total:+.2f}" for e in ranked)))
    write_table(("step", *(f"#{number}>" for number in numbers)), rows, wide={})
