"""Logs and metrics. Nothing here leaves the process by itself.

Log lines are an event name and fields; personal data never goes into one: `PERSONAL` names the keys that
a log line must not have, a test holds the code to it, and the formatter drops them should one slip through.
"""

import json
import logging
import sys
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import accumulate
from threading import Lock
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

if TYPE_CHECKING:
    from prometheus_client.core import Metric as PrometheusMetric

T = TypeVar("T")

PERSONAL = frozenset(
    {
        "address", "body", "caller", "caller_id", "caller_name", "client", "email", "from_number",
        "memory", "message", "name", "number", "person", "phone", "query", "quote", "summary", "text",
        "to_number", "transcript", "turn", "user", "user_id",
    }
)  # fmt: skip

ROOT = "agentic_memory"


class Log:
    """A logger of events with fields: `log.warning("delivery_buried", delivery=id, cause=code)`."""

    def __init__(self, name: str) -> None:
        """`name` is the part of the house that speaks: `worker`, `accept`."""
        self._logger = logging.getLogger(f"{ROOT}.{name}")

    def debug(self, event: str, /, **fields: object) -> None:
        """Of use to those who look for a fault."""
        self._logger.debug(event, extra={"fields": fields})

    def info(self, event: str, /, **fields: object) -> None:
        """What happened."""
        self._logger.info(event, extra={"fields": fields})

    def warning(self, event: str, /, **fields: object) -> None:
        """Somebody should look at this, soon."""
        self._logger.warning(event, extra={"fields": fields})

    def error(self, event: str, /, **fields: object) -> None:
        """Somebody should look at this now."""
        self._logger.error(event, extra={"fields": fields})


def where(error: BaseException) -> str:
    """The kind of an unexpected error and the line it came from; never its message, which may quote."""
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    if frame is None:
        return type(error).__name__
    file = frame.tb_frame.f_code.co_filename.replace("\\", "/").rsplit("/", 1)[-1]
    return f"{type(error).__name__} at {file}:{frame.tb_lineno}"


def _fields(record: logging.LogRecord) -> dict[str, object]:
    fields = getattr(record, "fields", {})
    kept = {key: value for key, value in fields.items() if key not in PERSONAL}
    if record.exc_info and record.exc_info[0]:
        kept["exception"] = record.exc_info[0].__name__
    return kept


class JSONLines(logging.Formatter):
    """One JSON object a line: `time`, `level`, `logger`, `event` and the fields."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
            **_fields(record),
        }
        return json.dumps(line, ensure_ascii=False, default=str)


class Console(logging.Formatter):
    """For people: time, level, event, key=value."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        clock = datetime.fromtimestamp(record.created, UTC).strftime("%H:%M:%S")
        pairs = " ".join(f"{key}={value}" for key, value in _fields(record).items())
        return f"{clock} {record.levelname.lower():7} {record.getMessage()} {pairs}".rstrip()


def configure_logging(level: str, form: str, stream: TextIO | None = None) -> None:
    """Send this package's log lines to `stream` (standard error by default). Touches no other logger."""
    out = stream or sys.stderr
    handler = logging.StreamHandler(out)
    as_console = form == "console" or (form == "auto" and out.isatty())
    handler.setFormatter(Console() if as_console else JSONLines())
    logger = logging.getLogger(ROOT)
    logger.handlers[:] = [handler]
    logger.setLevel(level)
    logger.propagate = False


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric of `/metrics`."""

    name: str
    kind: str
    """counter | histogram | gauge."""
    help: str
    labels: tuple[str, ...] = ()


METRICS: tuple[Metric, ...] = (
    Metric("agentic_memory_requests_total", "counter", "Requests answered.", ("endpoint", "status")),
    Metric("agentic_memory_request_seconds", "histogram", "Time to answer, in seconds.", ("endpoint",)),
    Metric("agentic_memory_briefs_total", "counter", "Rings answered, by tier: fresh, last_good or unknown.", ("tier",)),
    Metric("agentic_memory_searches_total", "counter", "Searches, by outcome: found, nothing, degraded or unavailable.", ("outcome",)),
    Metric("agentic_memory_deliveries_total", "counter", "Deliveries to /post-call, by outcome: accepted, duplicate, quarantined, rejected or unavailable.", ("outcome",)),
    Metric("agentic_memory_events_total", "counter", "Events processed, by what became of them: remembered, unchanged, nobody, audio or nothing.", ("outcome",)),
    Metric("agentic_memory_attempts_total", "counter", "Attempts at a delivery, by outcome: done, retried, buried or lost.", ("outcome",)),
    Metric("agentic_memory_attempt_seconds", "histogram", "Time to process a delivery, in seconds."),
    Metric("agentic_memory_extractor_fallbacks_total", "counter", "Times the rules took over from the configured extractor, by cause.", ("cause",)),
    Metric("agentic_memory_inbox_pending", "gauge", "Deliveries accepted and neither done nor dead."),
    Metric("agentic_memory_inbox_oldest_seconds", "gauge", "Age of the oldest pending delivery, in seconds."),
    Metric("agentic_memory_inbox_dead", "gauge", "Dead letters."),
    Metric("agentic_memory_quarantine_bodies", "gauge", "Bodies in quarantine."),
    Metric("agentic_memory_quarantine_bytes", "gauge", "Bytes in quarantine."),
    Metric("agentic_memory_callers", "gauge", "Callers remembered."),
    Metric("agentic_memory_calls", "gauge", "Calls remembered."),
    Metric("agentic_memory_memories", "gauge", "Memories kept, superseded ones included."),
    Metric("agentic_memory_cache_bytes", "gauge", "Bytes of callers kept in memory."),
    Metric("agentic_memory_cache_hits", "gauge", "Searches and warm-ups that found the caller in memory, since the start."),
    Metric("agentic_memory_cache_misses", "gauge", "Searches and warm-ups that had to load the caller, since the start."),
    Metric("agentic_memory_mem0_requests_total", "counter", "Requests to Mem0 Cloud, by outcome: ok, refused, limited, failed or not_tried.", ("operation", "outcome")),
    Metric("agentic_memory_mem0_request_seconds", "histogram", "Time that Mem0 Cloud took for a request, in seconds.", ("operation",)),
    Metric("agentic_memory_mem0_breaker", "gauge", "Mem0 Cloud's circuit breaker: 0 closed (all is well), 1 half-open, 2 open (left alone after failures)."),
    Metric("agentic_memory_degraded", "gauge", "1 while recall works on words alone."),
)  # fmt: skip

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class _Durations:
    """A histogram: how many fell between one bound and the next, and their sum."""

    __slots__ = ("counts", "total")

    def __init__(self) -> None:
        self.counts = [0] * (len(BUCKETS) + 1)
        self.total = 0.0

    def cumulative(self) -> list[tuple[str, float]]:
        """Upper bound and how many were at or below it, as Prometheus wants them."""
        bounds = (*(repr(bound) for bound in BUCKETS), "+Inf")
        return list(zip(bounds, accumulate(self.counts), strict=True))


_Series = tuple[str, ...]
"""Name as in the code, without prefix and unit, and labels."""


class Metrics:
    """The metrics of one process, in a registry of their own.

    Counting is done on the path of every request: a number in a dictionary, a fifth of what a counter of the client
    library takes. The library writes them when they are asked for.
    """

    def __init__(self) -> None:
        """Register everything in METRICS; nothing global is touched."""
        from prometheus_client import CollectorRegistry, Gauge

        self.registry = CollectorRegistry()
        self._lock = Lock()
        self._counted: dict[_Series, int] = {}
        self._durations: dict[_Series, _Durations] = {}
        self._gauges: dict[str, Any] = {}
        for metric in METRICS:
            if metric.kind == "gauge":
                made = Gauge(metric.name, metric.help, metric.labels, registry=self.registry)
                self._gauges[metric.name] = made
            elif not metric.labels and metric.kind == "counter":
                self._counted[(_short(metric),)] = 0
            elif not metric.labels:
                self._durations[(_short(metric),)] = _Durations()
        self.registry.register(self)

    def count(self, name: str, *labels: str) -> None:
        """Add one to a counter; `name` without `agentic_memory_` and `_total`."""
        series = (name, *labels)
        with self._lock:
            if series in self._counted:
                self._counted[series] += 1
            else:
                self._counted[_checked(series, "counter")] = 1

    def observe(self, name: str, seconds: float, *labels: str) -> None:
        """Add a duration to a histogram; `name` without `agentic_memory_` and `_seconds`."""
        series = (name, *labels)
        with self._lock:
            durations = self._durations.get(series)
            if durations is None:
                durations = self._durations[_checked(series, "histogram")] = _Durations()
            durations.counts[bisect_left(BUCKETS, seconds)] += 1
            durations.total += seconds

    def exposition(self, gauges: Iterable[tuple[str, float]] = ()) -> bytes:
        """The text that Prometheus reads, with these gauges set first."""
        from prometheus_client import generate_latest

        for name, value in gauges:
            self._gauges[f"{ROOT}_{name}"].set(value)
        return generate_latest(self.registry)

    def collect(self) -> "Iterator[PrometheusMetric]":
        """Counters and histograms as they stand, for the registry."""
        from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily

        for metric in METRICS:
            short = _short(metric)
            if metric.kind == "counter":
                counter = CounterMetricFamily(metric.name, metric.help, labels=metric.labels)
                for series, count in self._held(self._counted, short):
                    counter.add_metric(series[1:], count)
                yield counter
            elif metric.kind == "histogram":
                histogram = HistogramMetricFamily(metric.name, metric.help, labels=metric.labels)
                for series, durations in self._held(self._durations, short):
                    histogram.add_metric(series[1:], durations.cumulative(), durations.total)
                yield histogram

    def _held(self, held: dict[_Series, T], short: str) -> list[tuple[_Series, T]]:
        with self._lock:
            return [(series, value) for series, value in held.items() if series[0] == short]


def _checked(series: _Series, kind: str) -> _Series:
    """A series that METRICS knows. Raises ValueError."""
    labels = [len(m.labels) for m in METRICS if m.kind == kind and _short(m) == series[0]]
    if labels != [len(series) - 1]:
        raise ValueError(f"no {kind} {series[0]!r} with {len(series) - 1} labels")
    return series


def _short(metric: Metric) -> str:
    """The name that the code says: `requests` for `agentic_memory_requests_total`."""
    return metric.name.removeprefix(f"{ROOT}_").removesuffix("_total").removesuffix("_seconds")
