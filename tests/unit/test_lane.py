"""Work handed from an event loop to threads."""

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from agentic_memory.interfaces.lane import Lane

LONG = 60
"""Seconds nobody waits for, however busy the machine is."""


@pytest.fixture
def lane() -> Iterator[Lane]:
    lane = Lane(1, "test")
    yield lane
    lane.close()


def test_work_is_answered_from_a_thread_of_its_name(lane: Lane) -> None:
    assert asyncio.run(lane.run(lambda: threading.current_thread().name, LONG)) == "test-0"


def test_what_work_raises_is_raised_and_the_thread_lives_on(lane: Lane) -> None:
    async def ask() -> int:
        with pytest.raises(ZeroDivisionError):
            await lane.run(lambda: 1 // 0, LONG)
        return await lane.run(lambda: 7, LONG)

    assert asyncio.run(ask()) == 7


def test_nobody_waits_longer_than_asked_and_work_not_begun_is_dropped(lane: Lane) -> None:
    begun, go_on, done = threading.Event(), threading.Event(), []

    def hold() -> None:
        begun.set()
        go_on.wait()

    async def ask() -> None:
        held = asyncio.ensure_future(lane.run(hold, LONG))
        assert await asyncio.to_thread(begun.wait, LONG)
        with pytest.raises(TimeoutError):
            await lane.run(lambda: done.append("not begun"), 0.01)
        go_on.set()
        await held
        await lane.run(lambda: done.append("begun"), LONG)

    asyncio.run(ask())
    assert done == ["begun"]


def test_an_answer_after_its_loop_has_ended_harms_nobody(lane: Lane) -> None:
    go_on = threading.Event()

    async def ask() -> None:
        with pytest.raises(TimeoutError):
            await lane.run(go_on.wait, 0.01)

    asyncio.run(ask())
    go_on.set()
    assert asyncio.run(lane.run(lambda: "still here", LONG)) == "still here"


def test_threads_are_as_many_as_asked_for_and_end() -> None:
    lane = Lane(3, "several")

    async def ask() -> list[str]:
        at_once = threading.Barrier(3)

        def name() -> str:
            at_once.wait(LONG)
            return threading.current_thread().name

        return await asyncio.gather(*(lane.run(name, LONG) for _ in range(6)))

    assert set(asyncio.run(ask())) == {"several-0", "several-1", "several-2"}
    lane.close()
    assert not [t for t in threading.enumerate() if t.name.startswith("several")]


def test_the_thread_that_was_idle_last_goes_on() -> None:
    lane = Lane(3, "several")

    async def ask() -> list[str]:
        both = threading.Barrier(2)
        await asyncio.gather(*(lane.run(lambda: both.wait(LONG), LONG) for _ in range(2)))
        return [await lane.run(lambda: threading.current_thread().name, LONG) for _ in range(4)]

    names = asyncio.run(ask())
    lane.close()
    assert len(set(names)) == 1


def test_whoever_is_answered_finds_the_thread_idle() -> None:
    """However long the thread that answered is held up after that."""
    lane = Lane(2, "several")

    class Loop(asyncio.SelectorEventLoop):
        """Returns from telling the answer only when the next question has been asked."""

        def call_soon_threadsafe(self, *given: Any, **more: Any) -> asyncio.Handle:
            told = super().call_soon_threadsafe(*given, **more)
            assert asked_again.wait(LONG)
            return told

    asked_again = threading.Event()

    async def ask() -> list[str]:
        first = await lane.run(lambda: threading.current_thread().name, LONG)
        second = asyncio.ensure_future(lane.run(lambda: threading.current_thread().name, LONG))
        await asyncio.sleep(0)
        asked_again.set()
        return [first, await second]

    with asyncio.Runner(loop_factory=Loop) as runner:
        names = runner.run(ask())
    lane.close()
    assert names == ["several-0", "several-0"]


def test_work_waits_for_a_thread_when_all_are_busy(lane: Lane) -> None:
    go_on, done = threading.Event(), []

    async def ask() -> None:
        works = [lane.run(lambda: go_on.wait(LONG), LONG), *(lane.run(lambda i=i: done.append(i), LONG) for i in range(3))]
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
