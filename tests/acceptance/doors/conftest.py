"""Both doors, opened once for all tests that share them, and new ones for tests with settings of their own."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import pytest

from tests.acceptance.doors.cloud import CloudProcess, Stack
from tests.acceptance.doors.door import Door
from tests.acceptance.doors.functions import Functions
from tests.acceptance.doors.served import Served

OpenDoor = Callable[..., Door]

KINDS = ("served", "functions")
DOORS = (*KINDS, "functions, base64")


class Builder:
    """Builds doors by name; closes them all in the end."""

    def __init__(self, folders: Callable[[str], Path]) -> None:
        self._folders = folders
        self._ending = ExitStack()
        self._cloud: CloudProcess | None = None
        self._numbers = count(1)

    def __enter__(self) -> "Builder":
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.close()

    def open(self, name: str, **settings: str) -> Door:
        """A door of this kind over a memory that is empty."""
        folder = self._folders("door")
        if name == "served":
            return self._ending.enter_context(Served(folder, **settings))
        encoded = name.endswith("base64")
        return self._ending.enter_context(Functions(self._stack(), folder, encoded=encoded, **settings))

    def _stack(self) -> Stack:
        if self._cloud is None:
            self._cloud = self._ending.enter_context(CloudProcess())
        return Stack(self._cloud, f"memory-{next(self._numbers)}")


@pytest.fixture(scope="session")
def builder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Builder]:
    with Builder(tmp_path_factory.mktemp) as builder:
        yield builder


@pytest.fixture(scope="session", params=DOORS)
def bare_door(builder: Builder, request: pytest.FixtureRequest) -> Door:
    """Any door, for what is decided at the door: nothing is remembered behind it."""
    return builder.open(request.param)


@pytest.fixture(scope="session", params=KINDS)
def door(builder: Builder, request: pytest.FixtureRequest) -> Door:
    """A door with default settings. Tests share it: each has callers of its own."""
    return builder.open(request.param)


@pytest.fixture(params=KINDS)
def open_door(builder: Builder, request: pytest.FixtureRequest) -> Iterator[OpenDoor]:
    """Opens a door with settings of its own and nothing behind it yet."""
    opened: list[Door] = []

    def make(**settings: str) -> Door:
        opened.append(builder.open(request.param, **settings))
        return opened[-1]

    yield make
    for door in opened:
        door.close()


_numbers = count(1)


@pytest.fixture
def new_caller() -> Callable[[], str]:
    """Makes numbers that nobody has called from."""
    return lambda: f"+1555{2_000_000 + next(_numbers)}"


@pytest.fixture
def caller(new_caller: Callable[[], str]) -> str:
    return new_caller()
