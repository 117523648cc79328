"""Ours beside what else remembers: the same words, the same vectors, one run.

    python bench/peers.py                                  the project's own calls; 1,000, 10,000 and 100,000 memories
    python bench/peers.py --data calls.json.gz --sizes 1000,10000
    python bench/peers.py --sizes ''                       quality alone

Peers live in `bench/.venv-peers`, which the first run makes from `requirements/peers.txt`. Each runs in a process of
its own (`bench/peers/`), without network or telemetry, and looks its vectors up in a file, so that nobody's figures
hold the embedder's time. Quality: every turn of every caller is kept by every peer in one store, then every question is
asked (`bench/recall.py` says what is counted). Speed: calls of ten turns are added one after another, 100 callers for
1,000 memories and 1,000 for more; then each peer in turn is asked about callers drawn without repetition, twice each:
the first search of a caller, and the next.
"""

import argparse
import contextlib
import hashlib
import json
import math
import os
import random
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import payloads
import recall
from figures import keep, machine_line, median, percentile, table
from processes import Process
from recall import Hit, Person

from agentic_memory.ports import Said

HERE = Path(__file__).resolve().parent
ADAPTERS = HERE / "peers"
ENVIRONMENT = HERE / ".venv-peers"
REQUIREMENTS = HERE.parent / "requirements" / "peers.txt"
OURS = "AgenticMemory"
PEERS = {
    OURS: "ours",
    "mem0, local Qdrant": "mem0_qdrant",
    "LangGraph SqliteStore": "langgraph_sqlite",
    "LangGraph InMemoryStore": "langgraph_memory",
    "Chroma, persistent": "chroma",
}
TURNS = 10
ROUNDS = 9
CALLERS_A_ROUND = 10
BATCH = 20
"""Calls added between two looks at the clock."""
LIMIT = 3
ANSWER_SECONDS = 120.0
ROWS = 100_000

Row = dict[str, str]
Call = list[Row]


class Unable(Exception):
    """A peer cannot do it; the message says why."""


# --- the peers' processes ---


def python_of_peers() -> Path:
    """The interpreter of their environment, made where it is missing or made from other requirements."""
    python, stamp = ENVIRONMENT / "bin" / "python", ENVIRONMENT / "made-from"
    wanted = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    if not stamp.is_file() or stamp.read_text() != wanted:
        print(f"making {ENVIRONMENT.name} (a few minutes, once) ...", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(ENVIRONMENT)], check=True)
        install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
        subprocess.run([*install, "-r", str(REQUIREMENTS)], check=True)
        stamp.write_text(wanted)
    return python


def surroundings(folder: Path) -> dict[str, str]:
    """What an adapter finds in its environment: nothing of the shell's, no network, no telemetry."""
    inherited = {k: os.environ[k] for k in ("PATH", "LANG") if k in os.environ}
    nowhere = "http://127.0.0.1:9"
    return {
        **inherited,
        "HOME": str(folder),
        "MEM0_DIR": str(folder / "mem0"),
        "MEM0_TELEMETRY": "False",
        "ANONYMIZED_TELEMETRY": "False",
        "LANGSMITH_TRACING": "false",
        "HF_HUB_OFFLINE": "1",
        "OPENAI_API_KEY": "none",
        "HTTP_PROXY": nowhere,
        "HTTPS_PROXY": nowhere,
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
    }


@dataclass
class Worker:
    """One adapter's process, with an empty store."""

    name: str
    process: "subprocess.Popen[bytes]"
    opened: Mapping[str, Any] = field(default_factory=dict)
    memory_at_first: int = 0

    def ask(self, request: Mapping[str, object], seconds: float = ANSWER_SECONDS) -> dict[str, Any]:
        """One request and its answer. Raises Unable."""
        assert self.process.stdin is not None and self.process.stdout is not None
        try:
            self.process.stdin.write(json.dumps(request).encode() + b"\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise Unable(f"its process has ended with {self.process.wait()}") from None
        if not select.select([self.process.stdout], [], [], seconds)[0]:
            raise Unable(f"no answer within {seconds:.0f} s")
        line = self.process.stdout.readline()
        if not line:
            raise Unable(f"its process has ended with {self.process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise Unable(answer["error"])
        return answer

    @property
    def has_ended(self) -> bool:
        """Whether its process is no more."""
        return self.process.poll() is not None

    def memory(self) -> int:
        """Resident bytes."""
        return Process(self.process.pid, 0).memory()


@contextmanager
def working(name: str, vectors: Path) -> Iterator[Worker]:
    """A worker for this peer; its folder goes with it."""
    python, source = Path(sys.executable), {"PYTHONPATH": os.environ.get("PYTHONPATH", "")}
    if name != OURS:
        python, source = python_of_peers(), {}
    with tempfile.TemporaryDirectory(prefix="bench-peer-") as made:
        folder = Path(made)
        command = [str(python), str(ADAPTERS / f"{PEERS[name]}.py")]
        with (folder / "errors.log").open("wb") as errors:
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env={**surroundings(folder), **source},
                cwd=folder,
            )
        try:
            worker = Worker(name, process)
            worker.opened = worker.ask({"open": str(folder), "vectors": str(vectors)})
            worker.memory_at_first = worker.memory()
            yield worker
        finally:
            assert process.stdin is not None
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def size_on_disk(worker: Worker) -> int:
    """Bytes in the worker's folder."""
    folder = Path(f"/proc/{worker.process.pid}/cwd").readlink()
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


# --- quality ---


def said(people: Iterable[Person]) -> list[Call]:
    """Every call as the adapters take it, oldest first; turns without words are left out."""
    calls = sorted(((c.at, p.caller, c) for p in people for c in p.calls), key=lambda entry: entry[:2])
    return [
        [
            {"id": f"{call.id}#{i}", "caller": caller, "role": "agent" if role == "agent" else "user", "text": text.strip()}
            for i, (role, text) in enumerate(call.turns)
            if text.strip()
        ]
        for _, caller, call in calls
    ]


class Remote:
    """A peer as a System of `recall.py`: it keeps the seconds that the peer itself took."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self.seconds: list[float] = []

    def __call__(self, caller: str, query: str, limit: int, at: float) -> list[Hit]:
        answer = self._worker.ask({"search": [[caller, query]], "limit": limit})
        self.seconds += answer["seconds"]
        return [Hit(_place(found["id"]), found["text"]) for found in answer["results"][0]]


def _place(turn_id: str) -> tuple[str, int]:
    conversation_id, _, turn = turn_id.rpartition("#")
    return conversation_id, int(turn)


def record_vectors(folder: Path, people: Sequence[Person], style: str) -> None:
    """The vectors of all turns and questions, by the default embedder: each as what it is."""
    import numpy as np
    import seed

    sys.path.append(str(ADAPTERS))
    from recorded import record

    asked = [recall.keywords(q.text) if style == "keywords" else q.text for p in people for q in p.questions]
    turns = dict.fromkeys(row["text"] for call in said(people) for row in call)
    questions = [q for q in dict.fromkeys(q.strip() for q in asked) if q not in turns]
    with seed.services(folder / "model") as built:
        model = built.model.embedder
        rows = np.concatenate([model.embed([Said(text) for text in turns]), model.embed_questions(questions)])
    record(folder, dict(zip([*turns, *questions], rows, strict=True)))


QUALITY = ("", "R@1", "R@5", "R@10", "hit@5", "R<256t", "leaks", "p50 ms", "p95 ms")


def quality(people: Sequence[Person], style: str, names: Sequence[str]) -> list[list[object]]:
    """The rows of all systems on one set."""
    rows = [_quality_row(name, scored) for name, scored in recall.scores(people, style).items()]
    with tempfile.TemporaryDirectory(prefix="bench-vectors-") as made:
        record_vectors(Path(made), people, style)
        for name in (n for n in names if n != OURS):
            try:
                with working(name, Path(made)) as worker:
                    calls = said(people)
                    for i in range(0, len(calls), BATCH):
                        worker.ask({"add": calls[i : i + BATCH]})
                    system = Remote(worker)
                    scored = recall.score(system, people, style=style)
                    rows.append(_quality_row(name, replace(scored, without_embedding=tuple(system.seconds))))
            except Unable as reason:
                rows.append([name, *["-"] * (len(QUALITY) - 2), str(reason)])
    return rows


def _quality_row(name: str, scored: recall.Score) -> list[object]:
    shown = [f"{scored.figures[m]:.1f}" for m in ("R@1", "R@5", "R@10", "hit@5", "R<256t")]
    return [name, *shown, scored.leaks, *(percentile(scored.without_embedding, s) * 1e3 for s in (0.5, 0.95))]


# --- speed ---


def callers_of(size: int) -> list[str]:
    return [f"web_{i:06d}" for i in range(max(1, min(1000, size // TURNS)))]


def conversations(size: int) -> Iterator[Call]:
    """Calls of ten turns until there are `size` memories: everybody's first call, then everybody's second."""
    callers = callers_of(size)
    for number in range(size // TURNS):
        nth, index = divmod(number, len(callers))
        caller = callers[index]
        body = json.loads(payloads.hangup(f"{caller}-{nth}", caller, turns=TURNS, at=0, seed=number))
        yield [
            {
                "id": f"{caller}-{nth}#{i}",
                "caller": caller,
                "role": turn["role"],
                "text": f"{turn['message']} Reference {number * TURNS + i}.",
            }
            for i, turn in enumerate(body["data"]["transcript"])
        ]


def record_rows(folder: Path) -> None:
    """Rows like those of real sentences: 1,000 embedded ones, each a hundred times with a little noise."""
    import numpy as np
    import seed

    sys.path.append(str(ADAPTERS))
    from recorded import record_any

    texts = [row["text"] for call in conversations(1000) for row in call]
    with seed.services(folder / "model") as built:
        rows = built.model.embedder.embed([Said(text) for text in texts])
    noise = np.random.default_rng(1).standard_normal((ROWS, rows.shape[1]), dtype=np.float32)
    near = np.tile(rows, (ROWS // len(rows), 1)) + 0.3 / math.sqrt(rows.shape[1]) * noise
    record_any(folder, near / np.linalg.norm(near, axis=1, keepdims=True))


@dataclass
class Cell:
    """One peer at one size."""

    size: int
    worker: Worker
    added: int = 0
    adding: float = 0.0
    first: list[float] = field(default_factory=list)
    again: list[float] = field(default_factory=list)
    exact: list[float] = field(default_factory=list)
    leaks: int = 0
    spent: float = 0.0
    problem: str = ""

    def row(self) -> list[object]:
        figures = [percentile(v, s) * 1e3 for v in (self.first, self.again) for s in (0.5, 0.95)]
        share = f"{100 * sum(self.exact) / len(self.exact):.0f} %" if self.exact and self.worker.name != OURS else "-"
        megabytes = ["-", "-"] if self.worker.has_ended else [self.worker.memory() // 10**6, size_on_disk(self.worker) // 10**6]
        rate = round(self.added / self.adding) if self.adding else 0
        return [self.worker.name, self.size, self.added, rate, *figures, share, self.leaks, *megabytes, self.problem]


SPEED = (
    "", "wanted", "kept", "adds/s", "first search p50 ms", "p95", "next p50 ms", "p95", "exact top 3", "leaks",
    "memory MB", "disk MB", "",
)  # fmt: skip


def speed(size: int, names: Sequence[str], vectors: Path, bound: float) -> tuple[list[list[object]], list[Worker]]:
    """The rows of all peers at one size; adding and asking take each at most about `bound` seconds a peer."""
    calls = list(conversations(size))
    rows: list[list[object]] = []
    with ExitStack() as stack:
        cells: list[Cell] = []
        for name in names:
            try:
                cell = Cell(size, stack.enter_context(working(name, vectors)))
            except Unable as reason:
                rows.append([name, size, *["-"] * (len(SPEED) - 3), str(reason)])
                continue
            fill(cell, calls, bound)
            cells.append(cell)
            print(f"  {name}: {cell.added:,} added in {cell.adding:.1f} s {cell.problem}", flush=True)
        filled = [cell for cell in cells if cell.added]
        if filled:
            Asking(size, vectors, min(cell.added for cell in filled)).run(filled, bound)
        rows += [cell.row() for cell in cells]
        return rows, [cell.worker for cell in cells]


def fill(cell: Cell, calls: Sequence[Call], bound: float) -> None:
    """Add call by call, until all are in or the time is up."""
    for i in range(0, len(calls), BATCH):
        if cell.adding > bound:
            cell.problem = f"stopped adding after {bound:.0f} s"
            return
        try:
            answer = cell.worker.ask({"add": calls[i : i + BATCH]})
        except Unable as reason:
            cell.problem = f"stopped adding: {reason}"
            return
        cell.added += answer["added"]
        cell.adding += answer["seconds"]


class Asking:
    """Searches, the peers taking turns."""

    def __init__(self, size: int, vectors: Path, kept: int) -> None:
        """`kept` is what every peer has: nobody is asked about a caller of whom it knows nothing."""
        sys.path.append(str(ADAPTERS))
        from recorded import Recorded

        self._recorded = Recorded(vectors)
        self._dice = random.Random(size)
        self._calls = list(conversations(size))
        callers = callers_of(size)[: max(1, kept // TURNS)]
        self._order = self._dice.sample(callers, min(len(callers), ROUNDS * CALLERS_A_ROUND + 3))

    def run(self, cells: Sequence[Cell], bound: float) -> None:
        for cell in cells:
            self._ask(cell, self._order[:3], counts=False)
        for nth in range(ROUNDS):
            low = 3 + nth * CALLERS_A_ROUND
            for cell in cells:
                if cell.spent > bound:
                    cell.problem = cell.problem or f"stopped asking after {bound:.0f} s"
                else:
                    self._ask(cell, self._order[low : low + CALLERS_A_ROUND], counts=True)

    def _ask(self, cell: Cell, callers: Sequence[str], *, counts: bool) -> None:
        asked = [[caller, payloads.question(self._dice)] for caller in callers for _ in range(2)]
        began = time.monotonic()
        try:
            answer = cell.worker.ask({"search": asked, "limit": LIMIT})
        except Unable as reason:
            cell.problem, cell.spent = f"stopped asking: {reason}", math.inf
            return
        cell.spent += time.monotonic() - began
        if counts:
            cell.first += answer["seconds"][::2]
            cell.again += answer["seconds"][1::2]
            for (caller, query), found in zip(asked, answer["results"], strict=True):
                ids = {result["id"] for result in found}
                cell.leaks += sum(not i.startswith(f"{caller}-") for i in ids)
                cell.exact.append(len(ids & self._nearest(caller, query, cell.added)) / LIMIT)

    def _nearest(self, caller: str, query: str, added: int) -> set[str]:
        """The ids of this caller's nearest memories by cosine, of those that were added."""
        kept = [row for call in self._calls[: added // TURNS] if call[0]["caller"] == caller for row in call]
        near = self._recorded.vectors(row["text"] for row in kept) @ self._recorded.vectors([query])[0]
        return {kept[i]["id"] for i in (-near).argsort()[:LIMIT].tolist()}


START = ("", "import s", "open s", "memory MB, empty", "versions")


def starts(workers: Sequence[Worker]) -> list[list[object]]:
    """What it takes to start each peer: medians over the sizes."""
    rows: list[list[object]] = []
    for name in dict.fromkeys(worker.name for worker in workers):
        same = [worker for worker in workers if worker.name == name]
        times = [median(w.opened[key] for w in same) for key in ("import_seconds", "open_seconds")]
        versions = ", ".join(f"{package} {version}" for package, version in same[0].opened["versions"].items())
        rows.append([name, *times, round(median(w.memory_at_first for w in same) / 1e6), versions])
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="*", type=Path, default=[], help="files of callers, or folders of them; default: the project's own")
    parser.add_argument("--sizes", default="1000,10000,100000", help="numbers of memories, by commas; empty: quality alone")
    parser.add_argument("--seconds", type=float, default=60.0, help="bound of adding, and of asking, a peer and size")
    parser.add_argument("--style", choices=("question", "keywords"), default="question")
    parser.add_argument("--peers", default=",".join(PEERS.values()), help="adapters, by commas")
    parser.add_argument("--no-quality", action="store_true", help="speed alone")
    parser.add_argument("--markdown", action="store_true", help="the tables of docs/benchmarks.md")
    given = parser.parse_args()
    names = [name for name, adapter in PEERS.items() if adapter in given.peers.split(",")]
    sizes = [int(size) for size in given.sizes.split(",") if size]
    python_of_peers()
    print(machine_line(), flush=True)
    raw: dict[str, object] = {}
    for name, people in ({} if given.no_quality else recall.sets(given.data)).items():
        asked = sum(len(p.questions) for p in people)
        print(f"\n{name}: {len(people)} callers, {sum(len(p.turns) for p in people):,} turns, {asked} questions\n")
        raw[name] = rows = quality(people, given.style, names)
        print(table(QUALITY, rows, markdown=given.markdown), flush=True)
    if sizes:
        raw["speed"] = measured_speed(sizes, names, given.seconds, markdown=given.markdown)
    print("\nkept in", keep("peers", raw))


def measured_speed(sizes: Sequence[int], names: Sequence[str], bound: float, *, markdown: bool) -> list[object]:
    """Speed at each size, then what it takes to start."""
    rows: list[list[object]] = []
    workers: list[Worker] = []
    with tempfile.TemporaryDirectory(prefix="bench-vectors-") as made:
        record_rows(Path(made))
        for size in sizes:
            print(f"\n{size:,} memories of {len(callers_of(size)):,} callers", flush=True)
            found, worked = speed(size, names, Path(made), bound)
            rows += found
            workers += worked
    print("\n" + table(SPEED, rows, markdown=markdown) + "\n\n" + table(START, starts(workers), markdown=markdown))
    return [*rows, *starts(workers)]


if __name__ == "__main__":
    main()
