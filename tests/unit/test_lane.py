"""Work handed from an event loop to threads."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from agentic_memory.interfaces.lane import Lane


@pytest.fixture
def lane() -> Iterator[Lane]:
    lane = Lane(1, "test")
    yield lane
    lane.close()


def test_work_is_answered_from_a_thread_of_its_name(lane: Lane) -> None:
    assert asyncio.run(lane.run(lambda: threading.current_thread().name, 5)) == "test-0"


def test_what_work_raises_is_raised_and_the_thread_lives_on(lane: Lane) -> None:
    async def ask() -> int:
        with pytest.raises(ZeroDivisionError):
            await lane.run(lambda: 1 // 0, 5)
        return await lane.run(lambda: 7, 5)

    assert asyncio.run(ask()) == 7


def test_nobody_waits_longer_than_asked_and_work_not_begun_is_dropped(lane: Lane) -> None:
    go_on, done = threading.Event(), []

    async def ask() -> None:
        with pytest.raises(TimeoutError):
            await lane.run(go_on.wait, 0.01)
        with pytest.raises(TimeoutError):
            await lane.run(lambda: done.append("not begun"), 0.01)
        go_on.set()
        await lane.run(lambda: done.append("begun"), 5)

    asyncio.run(ask())
    assert done == ["begun"]


def test_an_answer_after_its_loop_has_ended_harms_nobody(lane: Lane) -> None:
    go_on = threading.Event()

    async def ask() -> None:
        with pytest.raises(TimeoutError):
            await lane.run(go_on.wait, 0.01)

    asyncio.run(ask())
    go_on.set()
    assert asyncio.run(lane.run(lambda: "still here", 5)) == "still here"


def test_threads_are_as_many_as_asked_for_and_end() -> None:
    lane = Lane(3, "several")

    async def ask() -> list[str]:
        at_once = threading.Barrier(3)

        def name() -> str:
            at_once.wait(5)
            return threading.current_thread().name

        return await asyncio.gather(*(lane.run(name, 5) for _ in range(6)))

    assert set(asyncio.run(ask())) == {"several-0", "several-1", "several-2"}
    lane.close()
    assert not [t for t in threading.enumerate() if t.name.startswith("several")]


def test_the_thread_that_was_idle_last_goes_on() -> None:
    lane = Lane(3, "several")

    async def ask() -> list[str]:
        both = threading.Barrier(2)
        await asyncio.gather(*(lane.run(lambda: both.wait(5), 5) for _ in range(2)))
        return [await lane.run(lambda: threading.current_thread().name, 5) for _ in range(4)]

    names = asyncio.run(ask())
    assert len(set(names)) == 1
    lane.close()


def test_work_waits_for_a_thread_when_all_are_busy(lane: Lane) -> None:
    go_on, done = threading.Event(), []

    async def ask() -> None:
        works = [lane.run(lambda: go_on.wait(5), 5), *(lane.run(lambda i=i: done.append(i), 5) for i in range(3))]
        begun = [asyncio.ensure_future(work) for work in works]
        await asyncio.sleep(0)
        go_on.set()
        await asyncio.gather(*begun)

    asyncio.run(ask())
    assert done == [0, 1, 2]


def test_a_closed_lane_begins_nothing_more(lane: Lane) -> None:
    lane.close()

    async def ask() -> None:
        with pytest.raises(TimeoutError):
            await lane.run(lambda: None, 0.01)

    asyncio.run(ask())
