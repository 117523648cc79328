"""How many deliveries a second are accepted when they come at once, and how many are processed.

    python bench/ingest.py                     4,000 deliveries of 20 KB over 64 connections
    python bench/ingest.py --deliveries 500    a look
"""

import argparse
import random
import tempfile
import time
from pathlib import Path

import processes
from figures import keep, machine_line, median, percentile, table
from latency import BODY_BYTES, Maker
from load import closed_loop, run

CALLERS = 500
HEADS = ("round", "accepted/s", "p50 ms", "p99 ms", "CPU us each", "not 200", "processed/s", "CPU us each, in all")


def one_round(name: str, deliveries: int, connections: int) -> list[object]:
    """A fresh folder: hand in everything at once, then wait until all is processed."""
    with tempfile.TemporaryDirectory(prefix="bench-") as made:
        maker = Maker(CALLERS, random.Random(11))
        requests = maker.requests("post-call", deliveries)
        with processes.server(Path(made)) as server:
            before, began = server.cpu(), time.monotonic()
            answers = run(closed_loop(server.port, "post-call", requests, connections))
            accepted, accepted_cpu = time.monotonic() - began, server.cpu() - before
            while server.pending():
                time.sleep(0.1)
            processed, cpu = time.monotonic() - began, server.cpu() - before
    latencies = [a.latency * 1e3 for a in answers]
    return [
        name,
        deliveries / accepted,
        percentile(latencies, 0.5),
        percentile(latencies, 0.99),
        accepted_cpu / deliveries * 1e6,
        sum(a.status != 200 for a in answers),
        deliveries / processed,
        cpu / deliveries * 1e6,
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--deliveries", type=int, default=4000)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--markdown", action="store_true", help="the table of docs/benchmarks.md")
    given = parser.parse_args()
    print(f"{machine_line()}\n{given.deliveries:,} deliveries of {BODY_BYTES:,} bytes, {given.connections} connections\n")
    rows = [one_round(f"round {n + 1}", given.deliveries, given.connections) for n in range(given.rounds)]
    middle: list[object] = [median(float(row[i]) for row in rows) for i in range(1, len(HEADS))]  # type: ignore[arg-type]
    rows.append(["median", *middle])
    print(table(HEADS, rows, markdown=given.markdown))
    print("kept in", keep("ingest", [HEADS, *rows]))


if __name__ == "__main__":
    main()
