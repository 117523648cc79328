"""The whole house in this process, on the reference backends and words alone."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agentic_memory import bootstrap
from agentic_memory.backends.in_memory.archive import InMemoryArchive
from agentic_memory.backends.in_memory.inbox import InMemoryInbox
from agentic_memory.backends.in_memory.records import InMemoryRecords
from agentic_memory.bootstrap import Services, Storage
from agentic_memory.settings import read
from tests.fakes import FrozenClock
from tests.wire import House, environment


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock()


@pytest.fixture
def build(tmp_path: Path, clock: FrozenClock) -> Iterator[Callable[..., House]]:
    """Make a house with these settings."""
    built: list[Services] = []

    (tmp_path / "agents").mkdir()

    def make(**given: str) -> House:
        settings = read(environment(tmp_path, **given), folder=tmp_path)
        storage = Storage(InMemoryRecords(), InMemoryInbox(), InMemoryArchive())
        services = bootstrap.build(settings, clock, storage)
        built.append(services)
        return House(services, clock)

    yield make
    for services in built:
        services.close()


@pytest.fixture
def house(build: Callable[..., House]) -> House:
    return build()
