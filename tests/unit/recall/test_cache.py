import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from agentic_memory.engine.recall import CallerCache, CallerIndex
from tests.unit.recall.people import MAY, MODEL, call, records

INDEX = CallerIndex.build(records(call("c1", MAY, "caller: hello")), MODEL)


class Builder:
    def __init__(self) -> None:
        self.built = 0

    def __call__(self) -> CallerIndex:
        self.built += 1
        return INDEX


def test_a_caller_is_built_once_per_revision() -> None:
    cache, build = CallerCache(10**6), Builder()
    for revision in (1, 1, 2, 2):
        assert cache.get("t", "a", (0.0, revision), build) is INDEX
    assert build.built == 2
    assert (cache.stats.hits, cache.stats.misses, cache.stats.callers) == (2, 2, 1)
    assert cache.stats.bytes == INDEX.nbytes


def test_an_older_revision_does_not_push_out_a_newer_one() -> None:
    cache, build = CallerCache(10**6), Builder()
    cache.get("t", "a", (0.0, 2), build)
    cache.get("t", "a", (0.0, 1), build)
    cache.get("t", "a", (0.0, 2), build)
    assert build.built == 2


def test_the_least_recently_used_goes_when_bytes_run_out() -> None:
    cache, build = CallerCache(2 * INDEX.nbytes), Builder()
    for caller in ("a", "b", "a", "c", "a"):
        cache.get("t", caller, (0.0, 1), build)
    assert build.built == 3
    cache.get("t", "b", (0.0, 1), build)
    assert (build.built, cache.stats.callers, cache.stats.bytes) == (4, 2, 2 * INDEX.nbytes)


def test_what_is_larger_than_the_cache_is_served_and_not_kept() -> None:
    cache, build = CallerCache(INDEX.nbytes - 1), Builder()
    assert cache.get("t", "a", (0.0, 1), build) is INDEX
    assert cache.stats.bytes == 0


def test_tenants_do_not_share_a_caller() -> None:
    cache, build = CallerCache(10**6), Builder()
    cache.get("t", "a", (0.0, 1), build)
    cache.get("u", "a", (0.0, 1), build)
    assert build.built == 2


def test_dropping_forgets_the_caller() -> None:
    cache, build = CallerCache(10**6), Builder()
    cache.get("t", "a", (0.0, 1), build)
    cache.drop("t", "a")
    cache.drop("t", "nobody")
    assert (cache.stats.callers, cache.stats.bytes) == (0, 0)


def test_an_index_dropped_while_it_is_built_is_not_kept() -> None:
    cache = CallerCache(10**6)

    def build() -> CallerIndex:
        cache.drop("t", "a")
        return INDEX

    assert cache.get("t", "a", (0.0, 1), build) is INDEX
    assert cache.stats.callers == 0
    cache.get("t", "a", (0.0, 1), lambda: INDEX)
    cache.clear()
    assert cache.stats.bytes == 0


def test_threads_that_ask_together_build_once() -> None:
    cache, build, go = CallerCache(10**6), Builder(), threading.Event()

    def slow() -> CallerIndex:
        go.wait(5)
        return build()

    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(cache.get, "t", "a", 1, slow) for _ in range(4)]
        while cache.stats.misses < 4:
            pass
        go.set()
        assert all(a.result(5) is INDEX for a in asked)
    assert build.built == 1


def test_a_failed_build_is_raised_and_tried_again() -> None:
    cache = CallerCache(10**6)

    def fail() -> CallerIndex:
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        cache.get("t", "a", (0.0, 1), fail)
    assert cache.get("t", "a", (0.0, 1), lambda: INDEX) is INDEX


def test_a_caller_who_was_erased_and_calls_again_is_built_anew_at_the_same_revision() -> None:
    cache = CallerCache(10**6)
    other = CallerIndex.build(records(call("c2", MAY, "caller: anew")), MODEL)
    cache.get("t", "a", (0.0, 1), lambda: INDEX)
    assert cache.get("t", "a", (9.0, 1), lambda: other) is other
    assert cache.get("t", "a", (9.0, 1), lambda: INDEX) is other
