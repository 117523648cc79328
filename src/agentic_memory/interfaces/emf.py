"""Metrics of a Lambda function: one line a request in CloudWatch's embedded metric format.

CloudWatch reads them out of the log; nothing is sent and nothing is waited for. Dimensions are the
endpoint's name alone: never a caller, never an agent.
"""

import json
import sys
from collections.abc import Iterable
from typing import TextIO

from agentic_memory.telemetry import Metrics

NAMESPACE = "AgenticMemory"


class EmbeddedMetrics(Metrics):
    """Counts what happens during one request, and writes it as one line at its end."""

    def __init__(self, function: str, stream: TextIO | None = None) -> None:
        """`function` is the dimension: `client_data`. `stream`: standard error by default."""
        self._function = function
        self._stream = stream
        self._counts: dict[str, float] = {}
        self._milliseconds: dict[str, float] = {}
        self._is_cold = True

    def count(self, name: str, *labels: str) -> None:
        """Add one: `searches`, `found` is the metric `SearchesFound`."""
        key = "".join(_capitals(part) for part in (name, *labels))
        self._counts[key] = self._counts.get(key, 0) + 1

    def observe(self, name: str, seconds: float, *labels: str) -> None:
        """A duration: `request` is the metric `RequestMilliseconds`."""
        self._milliseconds[f"{_capitals(name)}Milliseconds"] = round(seconds * 1000, 2)

    def amount(self, name: str, value: float) -> None:
        """How many of something this request had: memories found, for one."""
        self._counts[_capitals(name)] = value

    def exposition(self, gauges: Iterable[tuple[str, float]] = ()) -> bytes:
        """Nothing: there is no `/metrics` on Lambda."""
        return b""

    def flush(self, now: float) -> None:
        """Write what was counted since the last time; `now` in Unix seconds."""
        counts = {"ColdStarts": float(self._is_cold), **self._counts}
        metrics = [{"Name": name, "Unit": "Count"} for name in counts]
        metrics += [{"Name": name, "Unit": "Milliseconds"} for name in self._milliseconds]
        about = {"Namespace": NAMESPACE, "Dimensions": [["Endpoint"]], "Metrics": metrics}
        line = {
            "_aws": {"Timestamp": int(now * 1000), "CloudWatchMetrics": [about]},
            "Endpoint": self._function,
            **counts,
            **self._milliseconds,
        }
        print_line(json.dumps(line), self._stream or sys.stderr)
        self._counts, self._milliseconds, self._is_cold = {}, {}, False


def print_line(line: str, stream: TextIO) -> None:
    """One whole line at once: lines of several threads must not mix."""
    stream.write(line + "\n")
    stream.flush()


def _capitals(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))
