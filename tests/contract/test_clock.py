"""What every clock keeps."""

import pytest

from agentic_memory.bootstrap import SystemClock
from agentic_memory.ports import Clock
from tests.fakes import FrozenClock


@pytest.fixture(params=[SystemClock, FrozenClock])
def clock(request: pytest.FixtureRequest) -> Clock:
    made: Clock = request.param()
    return made


def test_now_is_unix_seconds(clock: Clock) -> None:
    year_2020, year_2100 = 1_577_836_800, 4_102_444_800
    assert year_2020 < clock.now() < year_2100


def test_monotonic_never_goes_back(clock: Clock) -> None:
    seen = [clock.monotonic() for _ in range(1000)]
    assert seen == sorted(seen)
