import io
import json
import logging
import re
import threading
from collections.abc import Iterator

import pytest

from agentic_memory.telemetry import METRICS, PERSONAL, ROOT, Log, Metrics, configure_logging, where

NUMBER = "+15550100001"


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    out = io.StringIO()
    yield out
    logging.getLogger(ROOT).handlers.clear()
    logging.getLogger(ROOT).propagate = True


def test_a_line_is_an_event_with_fields(stream: io.StringIO) -> None:
    configure_logging("INFO", "json", stream)
    Log("worker").warning("delivery_buried", delivery="d-1", cause="StorageFull")
    line = json.loads(stream.getvalue())
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", line.pop("time"))
    assert line == {
        "level": "warning",
        "logger": f"{ROOT}.worker",
        "event": "delivery_buried",
        "delivery": "d-1",
        "cause": "StorageFull",
    }


@pytest.mark.parametrize("form", ["json", "console"])
@pytest.mark.parametrize("key", sorted(PERSONAL))
def test_personal_data_that_slips_in_is_dropped(stream: io.StringIO, form: str, key: str) -> None:
    configure_logging("INFO", form, stream)
    Log("worker").info("call_remembered", **{key: NUMBER, "kept": "yes"})
    assert NUMBER not in stream.getvalue()
    assert "yes" in stream.getvalue()


@pytest.mark.parametrize("form", ["json", "console"])
def test_the_message_of_an_exception_is_not_logged(stream: io.StringIO, form: str) -> None:
    configure_logging("INFO", form, stream)
    try:
        raise ValueError(NUMBER)
    except ValueError:
        logging.getLogger(f"{ROOT}.worker").exception("delivery_failed")
    assert NUMBER not in stream.getvalue()
    assert "ValueError" in stream.getvalue()
    assert stream.getvalue().count("\n") == 1


def test_a_line_is_one_line(stream: io.StringIO) -> None:
    configure_logging("INFO", "json", stream)
    Log("worker").info("odd", reason="one\ntwo\u2028three")
    assert stream.getvalue().count("\n") == 1


def test_the_level_is_kept(stream: io.StringIO) -> None:
    configure_logging("WARNING", "json", stream)
    Log("worker").info("quiet")
    Log("worker").error("loud")
    assert [json.loads(line)["event"] for line in stream.getvalue().splitlines()] == ["loud"]


def test_people_get_a_readable_line(stream: io.StringIO) -> None:
    configure_logging("INFO", "console", stream)
    Log("accept").info("signature_refused", reason="stale")
    assert re.fullmatch(r"\d\d:\d\d:\d\d info +signature_refused reason=stale\n", stream.getvalue())


def test_no_other_logger_is_touched(stream: io.StringIO) -> None:
    before = (list(logging.getLogger().handlers), logging.getLogger().level)
    configure_logging("DEBUG", "json", stream)
    logging.getLogger("somebody.else").warning("not ours")
    assert (list(logging.getLogger().handlers), logging.getLogger().level) == before
    assert stream.getvalue() == ""


def test_where_says_the_line_and_never_the_message() -> None:
    try:
        raise KeyError(NUMBER)
    except KeyError as error:
        assert re.fullmatch(r"KeyError at test_telemetry\.py:\d+", where(error))
    assert where(ValueError(NUMBER)) == "ValueError"


@pytest.mark.parametrize("metric", METRICS, ids=lambda m: m.name)
def test_a_metric_is_named_for_what_it_counts(metric) -> None:  # type: ignore[no-untyped-def]
    assert metric.name.startswith(f"{ROOT}_")
    assert metric.kind in {"counter", "histogram", "gauge"}
    assert (metric.kind == "counter") == metric.name.endswith("_total")
    assert (metric.kind != "histogram") or metric.name.endswith("_seconds")
    assert metric.help.endswith(".")
    assert not set(metric.labels) & PERSONAL


def test_every_metric_is_in_the_exposition() -> None:
    text = Metrics().exposition().decode()
    for metric in METRICS:
        assert f"# TYPE {metric.name} {metric.kind}" in text
        assert f"# HELP {metric.name} {metric.help}" in text


def test_metrics_are_counted() -> None:
    metrics = Metrics()
    metrics.count("requests", "retrieve", "200")
    metrics.count("requests", "retrieve", "200")
    metrics.observe("request", 0.004, "retrieve")
    text = metrics.exposition([("inbox_dead", 3)]).decode()
    assert 'agentic_memory_requests_total{endpoint="retrieve",status="200"} 2.0' in text
    assert 'agentic_memory_request_seconds_bucket{endpoint="retrieve",le="0.005"} 1.0' in text
    assert "agentic_memory_inbox_dead 3.0" in text


def test_two_processes_worth_of_metrics_do_not_meet() -> None:
    one, other = Metrics(), Metrics()
    one.count("requests", "retrieve", "200")
    assert 'status="200"' not in other.exposition().decode()


def test_a_duration_falls_in_every_bucket_that_reaches_it() -> None:
    metrics = Metrics()
    for seconds in (0.001, 0.0011, 7.0):
        metrics.observe("request", seconds, "retrieve")
    text = metrics.exposition().decode()
    for bound, count in (("0.001", 1.0), ("0.0025", 2.0), ("5.0", 2.0), ("+Inf", 3.0)):
        assert f'agentic_memory_request_seconds_bucket{{endpoint="retrieve",le="{bound}"}} {count}' in text
    assert 'agentic_memory_request_seconds_count{endpoint="retrieve"} 3.0' in text
    assert 'agentic_memory_request_seconds_sum{endpoint="retrieve"} 7.0021' in text


def test_metrics_without_labels_begin_at_nothing() -> None:
    assert "agentic_memory_attempt_seconds_count 0.0" in Metrics().exposition().decode()


@pytest.mark.parametrize("series", [("nothing",), ("requests",), ("requests", "a", "b", "c"), ("request", "a")])
def test_a_metric_that_nobody_listed_is_refused(series: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="no counter"):
        Metrics().count(*series)
    with pytest.raises(ValueError, match="no histogram"):
        Metrics().observe(series[0], 0.1, *series[1:], "one", "too many")


def test_counting_from_several_threads_loses_nothing() -> None:
    metrics = Metrics()

    def count() -> None:
        for _ in range(1000):
            metrics.count("requests", "retrieve", "200")

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 'requests_total{endpoint="retrieve",status="200"} 4000.0' in metrics.exposition().decode()
