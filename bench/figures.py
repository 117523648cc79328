"""Figures: percentiles, the machine they were had on, tables, and the files they are kept in."""

import json
import math
import os
import platform
import sqlite3
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

RESULTS = Path(__file__).parent / "results"


def percentile(values: Iterable[float], share: float) -> float:
    """The smallest value that at least `share` of all values do not exceed; nan of none."""
    ordered = sorted(values)
    if not ordered:
        return math.nan
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def median(values: Iterable[float]) -> float:
    return percentile(values, 0.5)


def machine() -> dict[str, object]:
    """What a reader needs to know to place the figures."""
    models = [
        line.split(":", 1)[1].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    return {
        "cores": os.cpu_count(),
        "processor": models[0] if models else platform.processor(),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "kernel": platform.release(),
        "load": round(os.getloadavg()[0], 2),
    }


def machine_line() -> str:
    m = machine()
    return (
        f"{m['cores']} cores ({m['processor']}), Python {m['python']}, SQLite {m['sqlite']}, "
        f"Linux {m['kernel']}; load of the machine before the run {m['load']}"
    )


def table(heads: Sequence[str], rows: Sequence[Sequence[object]], *, markdown: bool) -> str:
    """Right-aligned columns, but for the first."""
    cells = [[_shown(cell) for cell in row] for row in rows]
    if markdown:
        lines = ["| " + " | ".join(heads) + " |", "|---|" + "---:|" * (len(heads) - 1)]
        return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in cells])
    widths = [max(len(r[i]) for r in [list(heads), *cells]) for i in range(len(heads))]
    return "\n".join(
        "  ".join(c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True)))
        for row in [list(heads), *cells]
    )


def _shown(cell: object) -> str:
    if isinstance(cell, float):
        if math.isnan(cell):
            return "-"
        return f"{cell:.2f}" if abs(cell) < 100 else f"{cell:,.0f}"
    return f"{cell:,}" if isinstance(cell, int) else str(cell)


def keep(name: str, value: object) -> Path:
    """Write the raw figures to `results/`, which git does not keep."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}-{time.strftime('%Y%m%d-%H%M%S')}.json"
    path.write_text(json.dumps({"machine": machine(), "figures": value}, indent=1) + "\n")
    return path
