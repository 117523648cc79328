"""How long the three endpoints take, against a bare echo on the same server software.

    python bench/latency.py              about eight minutes
    python bench/latency.py --quick      about one minute, for a look
    python bench/latency.py --markdown   the tables of docs/benchmarks.md
"""

import argparse
import random
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import processes
import seed
from figures import keep, machine_line, median, percentile, table
from load import Answered, Planned, closed_loop, open_loop, run
from payloads import hangup, hangup_request, number, question, ring_request, search_request

CALL_SECONDS = 180.0
SEARCH_EVERY = 10.0
PAUSE = 0.002
"""Seconds between serial requests, so that what is done behind an answer does not meet the next request."""
SETTLE = 0.5
"""Seconds until what is done behind the answers is done and counts as their cost."""
TURNS = 30
BODY_BYTES = 20_000
ENDPOINTS = ("client-data", "retrieve", "post-call")
PROBES = {"client-data": 10.0, "retrieve": 10.0, "post-call": 2.0}
"""Requests a second at least, so that few calls still give enough figures for a percentile."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is measured."""

    callers: int
    rounds: int
    seconds: float
    serial: int
    """Requests one after another, for the cost of one."""
    saturating: int
    levels: tuple[int, ...] = (1, 10, 100, 1000)


FULL = Scale(callers=200, rounds=3, seconds=15.0, serial=500, saturating=1000)
QUICK = Scale(callers=40, rounds=1, seconds=5.0, serial=200, saturating=500)


@dataclass(slots=True)
class Maker:
    """Makes requests; every conversation id is used once in a run."""

    callers: int
    dice: random.Random
    made: int = 0
    stamp: str = field(default_factory=lambda: f"{time.time_ns():x}")

    def request(self, endpoint: str, caller: str | None = None) -> bytes:
        self.made += 1
        caller = caller or number(self.dice.randrange(self.callers))
        conversation = f"conv_{self.stamp}_{self.made}"
        if endpoint == "client-data":
            return ring_request(caller, conversation)
        if endpoint == "retrieve":
            return search_request(caller, question(self.dice))
        now = time.time()
        body = hangup(conversation, caller, turns=TURNS, at=int(now), seed=self.made, size=BODY_BYTES)
        return hangup_request(body, now)

    def requests(self, endpoint: str, count: int) -> list[bytes]:
        return [self.request(endpoint) for _ in range(count)]


def as_echo(request: bytes, size: int) -> bytes:
    """The same bytes to the echo, which answers `size` bytes."""
    _, _, rest = request.split(b" ", 2)
    return b"POST /%d " % size + rest


def calls_in_progress(maker: Maker, calls: int, seconds: float) -> list[Planned]:
    """A ring, searches every ten seconds on average, a hang-up after three minutes; random times."""
    plan: list[Planned] = []
    for _ in range(calls):
        began = -maker.dice.uniform(0, CALL_SECONDS)
        while began < seconds:
            plan.extend(_one_call(maker, began, seconds))
            began += CALL_SECONDS
    return plan


def _one_call(maker: Maker, began: float, seconds: float) -> Iterator[Planned]:
    caller = number(maker.dice.randrange(maker.callers))
    if began >= 0:
        yield Planned("client-data", began, maker.request("client-data", caller))
    at = max(began, 0.0) + maker.dice.expovariate(1 / SEARCH_EVERY)
    ends = began + CALL_SECONDS
    while at < min(seconds, ends):
        yield Planned("retrieve", at, maker.request("retrieve", caller))
        at += maker.dice.expovariate(1 / SEARCH_EVERY)
    if ends < seconds:
        yield Planned("post-call", ends, maker.request("post-call", caller))


def probes(maker: Maker, plan: Sequence[Planned], seconds: float) -> list[Planned]:
    """Further requests at random times, up to the least rate of each endpoint."""
    extra: list[Planned] = []
    for endpoint, least in PROBES.items():
        held = sum(p.name == endpoint for p in plan) / seconds
        rate = least - held
        at = maker.dice.expovariate(rate) if rate > 0 else seconds
        while at < seconds:
            extra.append(Planned(endpoint, at, maker.request(endpoint)))
            at += maker.dice.expovariate(rate)
    return extra


@dataclass(slots=True)
class Taken:
    """Answers of one endpoint over all rounds, and the CPU they cost."""

    answers: list[Answered] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    """Microseconds per request, a value a round."""
    rate: list[float] = field(default_factory=list)

    def ms(self, share: float) -> float:
        return percentile((a.latency for a in self.answers), share) * 1e3

    @property
    def failures(self) -> int:
        return sum(a.status != 200 for a in self.answers)


def fill(folder: Path, scale: Scale, dice: random.Random) -> float:
    """Callers to ask about; returns the CPU microseconds of embedding a question in this process."""
    with seed.services(folder) as built:
        seed.callers(built, scale.callers, calls=3, turns=20)
        times = []
        for _ in range(200):
            text = question(dice)
            began = time.thread_time()
            built.model.embed_question(text)
            times.append(time.thread_time() - began)
        return median(times) * 1e6


class Bench:
    """A server and an echo, asked in turn."""

    def __init__(
        self, scale: Scale, maker: Maker, server: processes.Process, echo: processes.Process, works: bool
    ) -> None:
        self.scale = scale
        self.maker = maker
        self.server = server
        self.echo = echo
        self._works = works
        self._ring_everybody()
        self.sizes = {e: self._size(e) for e in ENDPOINTS}

    def _ring_everybody(self) -> None:
        """So that every caller is in memory: `warm` in the design's words."""
        rings = [self.maker.request("client-data", number(n)) for n in range(self.scale.callers)]
        run(closed_loop(self.server.port, "client-data", rings, 1))
        time.sleep(2.0)

    def _size(self, endpoint: str) -> int:
        answers = run(closed_loop(self.server.port, endpoint, self.maker.requests(endpoint, 20), 1))
        assert all(a.status == 200 for a in answers), answers
        return int(median(a.size for a in answers))

    def drained(self) -> float:
        """Wait until nothing is pending; how many seconds that took."""
        began = time.monotonic()
        while self._works and self.server.pending():
            time.sleep(0.1)
        return time.monotonic() - began

    def closed(self, connections: int, count: int) -> dict[str, Taken]:
        """Each endpoint alone, in turn with the echo of the same bytes."""
        taken = {name: Taken() for e in ENDPOINTS for name in (e, f"echo of {e}")}
        for _ in range(self.scale.rounds):
            for endpoint in ENDPOINTS:
                requests = self.maker.requests(endpoint, count)
                echoed = [as_echo(r, self.sizes[endpoint]) for r in requests]
                self._once(taken[f"echo of {endpoint}"], self.echo, endpoint, echoed, connections)
                self._once(taken[endpoint], self.server, endpoint, requests, connections)
                self.drained()
        return taken

    def _once(
        self, taken: Taken, process: processes.Process, name: str, requests: list[bytes], connections: int
    ) -> None:
        run(closed_loop(process.port, name, requests[:20], connections))
        before, began = process.cpu(), time.monotonic()
        pause = PAUSE if connections == 1 else 0.0
        answers = run(closed_loop(process.port, name, requests[20:], connections, pause))
        took = time.monotonic() - began
        time.sleep(SETTLE)
        taken.cpu.append((process.cpu() - before) / len(answers) * 1e6)
        taken.rate.append(len(answers) / took)
        taken.answers.extend(answers)

    def open(self, calls: int) -> tuple[dict[str, Taken], dict[str, float]]:
        """All endpoints together at random times, in turn with the echo of the same."""
        taken = {name: Taken() for e in ENDPOINTS for name in (e, f"echo of {e}")}
        late: list[float] = []
        drain: list[float] = []
        for _ in range(self.scale.rounds):
            own = calls_in_progress(self.maker, calls, self.scale.seconds)
            plan = sorted([*own, *probes(self.maker, own, self.scale.seconds)], key=lambda p: p.due)
            echoed = [Planned(f"echo of {p.name}", p.due, as_echo(p.data, self.sizes[p.name])) for p in plan]
            answers = run(open_loop(self.echo.port, echoed)) + run(open_loop(self.server.port, plan))
            drain.append(self.drained())
            for answer in answers:
                taken[answer.name].answers.append(answer)
                late.append(answer.sent - answer.due)
        return taken, {"generator late, p99 ms": percentile(late, 0.99) * 1e3, "drained after s": median(drain)}


def cost_rows(taken: dict[str, Taken], embedding: float) -> list[list[object]]:
    rows: list[list[object]] = []
    for endpoint in ENDPOINTS:
        own, floor = taken[endpoint], taken[f"echo of {endpoint}"]
        base = median(floor.cpu)
        with_model = base + embedding if endpoint == "retrieve" else base
        rows.append(
            [endpoint, own.ms(0.5), own.ms(0.95), own.ms(0.99), floor.ms(0.5), median(own.cpu), base,
             median(own.cpu) / base, median(own.cpu) / with_model if endpoint == "retrieve" else float("nan")]
        )  # fmt: skip
    return rows


COST_HEADS = ("endpoint", "p50 ms", "p95 ms", "p99 ms", "echo p50", "CPU us", "echo CPU us", "x echo", "x (echo + embedding)")


def level_rows(levels: dict[int, tuple[dict[str, Taken], dict[str, float]]]) -> list[list[object]]:
    return [
        [f"{calls:,} {endpoint}", len(own.answers), own.ms(0.5), own.ms(0.95), own.ms(0.99), floor.ms(0.5), floor.ms(0.99), own.failures]
        for calls, (taken, _) in levels.items()
        for endpoint in ENDPOINTS
        for own, floor in [(taken[endpoint], taken[f"echo of {endpoint}"])]
    ]


LEVEL_HEADS = ("calls in progress", "requests", "p50 ms", "p95 ms", "p99 ms", "echo p50", "echo p99", "not 200")


def saturated_rows(taken: dict[str, Taken]) -> list[list[object]]:
    return [
        [name, median(t.rate), t.ms(0.5), t.ms(0.95), t.ms(0.99), median(t.cpu), t.failures]
        for name, t in taken.items()
    ]


SATURATED_HEADS = ("endpoint", "requests/s", "p50 ms", "p95 ms", "p99 ms", "CPU us", "not 200")


def measure(scale: Scale, markdown: bool, levels_asked: tuple[int, ...]) -> None:
    print(machine_line())
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        dice = random.Random(7)
        embedding = fill(folder / "full", scale, dice)
        print(f"embedding a question in process: {embedding:,.0f} us of CPU\n", flush=True)
        maker = Maker(scale.callers, dice)
        echo = stack.enter_context(processes.echo())
        shutil.copytree(folder / "full", folder / "doors")
        with processes.server(folder / "doors", WORKER="off") as doors:
            bench = Bench(scale, maker, doors, echo, works=False)
            serial = bench.closed(1, scale.serial)
            print("One request at a time; the worker is off\n")
            print(table(COST_HEADS, cost_rows(serial, embedding), markdown=markdown), "\n")
            saturated = bench.closed(32, scale.saturating)
            print("Saturated, 32 connections; the worker is off\n")
            print(table(SATURATED_HEADS, saturated_rows(saturated), markdown=markdown), "\n", flush=True)
        server = stack.enter_context(processes.server(folder / "full"))
        bench = Bench(scale, maker, server, echo, works=True)
        bench.drained()
        levels = {calls: bench.open(calls) for calls in levels_asked}
        print("Calls in progress, and the worker works\n")
        print(table(LEVEL_HEADS, level_rows(levels), markdown=markdown), "\n")
        for calls, (_, more) in levels.items():
            print(f"{calls:,}: " + ", ".join(f"{k} {v:.2f}" for k, v in more.items()))
        print("resident MB of the server:", server.memory() // 1_000_000)
        figures = {
            "embedding_us": embedding,
            "serial": [COST_HEADS, *cost_rows(serial, embedding)],
            "levels": [LEVEL_HEADS, *level_rows(levels)],
            "saturated": [SATURATED_HEADS, *saturated_rows(saturated)],
        }
        print("kept in", keep("latency", figures))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a look: one short round")
    parser.add_argument("--markdown", action="store_true", help="tables for docs/benchmarks.md")
    parser.add_argument("--levels", default="1,10,100,1000", help="calls in progress, by commas; empty for none")
    given = parser.parse_args()
    levels = tuple(int(level) for level in given.levels.split(",") if level)
    measure(QUICK if given.quick else FULL, given.markdown, levels)


if __name__ == "__main__":
    main()
