"""Do the three latencies stay flat while the number of callers in one file grows?

    python bench/growth.py                          1,000, 10,000 and 100,000 callers
    python bench/growth.py --sizes 1000,1000000     as many as the disk holds: about 11 KB each

Callers are copied from a few that were remembered the usual way, row by row and under ids of their own; then
a server asks the file over HTTP: one caller after another, drawn evenly from all, rings, searches and hangs up.
"""

import argparse
import asyncio
import random
import sqlite3
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import processes
import seed
from figures import keep, machine_line, median, percentile, table
from latency import as_echo
from load import Answered, Pool, run
from payloads import hangup, hangup_request, question, ring_request, search_request

TEMPLATES = 20
CALLS = 2
TURNS = 2
BATCH = 2000
TABLES = ("callers", "calls", "memories", "history", "archive_notes")
PAUSE = 0.02
"""Seconds between ring and search: what is done behind the answer is done by then, as it is on the telephone."""
HEADS = (
    "callers", "file MB", "ring p50", "p99", "search p50", "p99", "hang-up p50", "p99", "echo p50",
    "remember ms", "x ring", "x search", "x hang-up",
)  # fmt: skip


def user(index: int) -> str:
    """A caller by a web user id: there are more of them than reserved numbers."""
    return f"web_{index:07d}"


def conversation(index: int, nth: int) -> str:
    return f"conv_{index:07d}_{nth}"


def first_callers(folder: Path) -> None:
    """The templates, remembered by the engine."""
    with seed.services(folder) as built:
        for index in range(TEMPLATES):
            for nth in range(CALLS):
                at = seed.BEGAN + nth * seed.DAY + index
                body = hangup(conversation(index, nth), user(index), turns=TURNS, at=at, seed=index * 10 + nth)
                seed.remember(built, body, user(index))


Rows = dict[str, tuple[str, list[tuple[object, ...]]]]


def template(connection: sqlite3.Connection, index: int) -> Rows:
    """The rows of one caller by table, each with the statement that inserts such a row."""
    found: Rows = {}
    for name in TABLES:
        columns = [row[1] for row in connection.execute(f"PRAGMA table_info({name})") if row[1] != "id"]
        picked = ", ".join(columns)
        rows = connection.execute(f"SELECT {picked} FROM {name} WHERE caller_id = ?", (user(index),)).fetchall()
        marks = ", ".join("?" * len(columns))
        found[name] = (f"INSERT INTO {name} ({picked}) VALUES ({marks})", rows)
    return found


def renamed(row: tuple[object, ...], old: int, new: int) -> tuple[object, ...]:
    """The same row of another caller: their ids are as long and differ in the number alone."""
    return tuple(v.replace(f"_{old:07d}", f"_{new:07d}") if isinstance(v, str) else v for v in row)


def fill(path: Path, start: int, size: int) -> float:
    """Grow the file from `start` to `size` callers; seconds."""
    began = time.monotonic()
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous = OFF")
    templates = [template(connection, index) for index in range(TEMPLATES)]
    for low in range(start, size, BATCH):
        connection.execute("BEGIN")
        batch = range(low, min(low + BATCH, size))
        for name in TABLES:
            connection.executemany(templates[0][name][0], _copies(templates, name, batch))
        connection.execute("COMMIT")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.execute("PRAGMA synchronous = FULL")
    connection.close()
    return time.monotonic() - began


def _copies(templates: list[Rows], name: str, batch: Iterable[int]) -> Iterator[tuple[object, ...]]:
    for index in batch:
        for row in templates[index % TEMPLATES][name][1]:
            yield renamed(row, index % TEMPLATES, index)


async def conversations(port: int, echo: int, size: int, count: int, dice: random.Random) -> list[Answered]:
    """Ring, search, hang up, one caller after another; and an echo between."""
    pool, floor = Pool(port), Pool(echo)
    answers: list[Answered] = []
    stamp = time.time_ns()

    async def ask(name: str, data: bytes, to: Pool = pool) -> None:
        began = time.perf_counter()
        status, length = await to.ask(data)
        assert status == 200, (name, status)
        answers.append(Answered(name, 0.0, 0.0, time.perf_counter() - began, status, length))

    for n in range(count):
        caller, fresh = user(dice.randrange(size)), f"conv_{stamp}_{n}"
        ring = ring_request(caller, fresh)
        await ask("ring", ring)
        await asyncio.sleep(PAUSE)
        await ask("search", search_request(caller, question(dice)))
        now = int(time.time())
        body = hangup(fresh, caller, turns=TURNS, at=now, seed=n)
        await ask("hang-up", hangup_request(body, now))
        await ask("echo", as_echo(ring, 3000), floor)
        await asyncio.sleep(PAUSE)
    pool.close()
    floor.close()
    return answers


def measured(folder: Path, size: int, count: int, rounds: int) -> list[object]:
    """One size: medians over rounds, then how long a delivery takes to be remembered."""
    dice = random.Random(size)
    figures: dict[tuple[str, float], list[float]] = {}
    with processes.echo() as echo, processes.server(folder, WORKER="off") as server:
        run(conversations(server.port, echo.port, size, 30, dice))
        for _ in range(rounds):
            answers = run(conversations(server.port, echo.port, size, count, dice))
            for name in ("ring", "search", "hang-up", "echo"):
                for share in (0.5, 0.99):
                    taken = percentile((a.done for a in answers if a.name == name), share) * 1e3
                    figures.setdefault((name, share), []).append(taken)
    row: list[object] = [size, sum(f.stat().st_size for f in folder.glob("*.db*")) // 1_000_000]
    for name in ("ring", "search", "hang-up"):
        row += [median(figures[name, 0.5]), median(figures[name, 0.99])]
    return [*row, median(figures["echo", 0.5]), remembering(folder)]


def remembering(folder: Path) -> float:
    """Milliseconds to process one of the deliveries that wait."""
    with seed.services(folder) as built:
        began, handled = time.monotonic(), 0
        while count := built.work_inbox():
            handled += count
        return (time.monotonic() - began) / max(1, handled) * 1e3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="1000,10000,100000", help="numbers of callers, growing, by commas")
    parser.add_argument("--count", type=int, default=200, help="callers asked about in a round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--markdown", action="store_true", help="the table of docs/benchmarks.md")
    given = parser.parse_args()
    print(machine_line(), flush=True)
    rows: list[list[object]] = []
    with tempfile.TemporaryDirectory(prefix="bench-") as made:
        folder, held = Path(made), TEMPLATES
        first_callers(folder)
        for size in (int(part) for part in given.sizes.split(",")):
            took = fill(folder / "agentic-memory.db", held, size)
            held = size
            print(f"filled up to {size:,} in {took:.1f} s", flush=True)
            row = measured(folder, size, given.count, given.rounds)
            first = rows[0] if rows else row
            row += [float(row[i]) / float(first[i]) for i in (2, 4, 6)]  # type: ignore[arg-type]
            rows.append(row)
            print(table(HEADS, [row], markdown=False), "\n", flush=True)
    print(table(HEADS, rows, markdown=given.markdown))
    print("kept in", keep("growth", [HEADS, *rows]))


if __name__ == "__main__":
    main()
