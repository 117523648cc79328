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
from tests.mem0_emulator.process import EmulatorProcess
from tests.wire import HMAC_KEY, WORKSPACE_KEY

OpenDoor = Callable[..., Door]

KINDS = ("served", "functions")
MEM0_KINDS = ("served, mem0", "functions, mem0")
"""With memories in Mem0 Cloud: an emulator of it, in a process of its own."""
BASE64 = "functions, base64"

own_memory = pytest.mark.parametrize("door", KINDS, indirect=True, scope="session")
"""For what our own memory promises, and Mem0 does not."""
any_body = pytest.mark.parametrize("door", (*KINDS, BASE64), indirect=True, scope="session")
"""For what is decided at the door."""


class Builder:
    """Builds doors by name; closes them all in the end."""

    def __init__(self, folders: Callable[[str], Path]) -> None:
        self._folders = folders
        self._ending = ExitStack()
        self._cloud: CloudProcess | None = None
        self._mem0: EmulatorProcess | None = None
        self._numbers = count(1)
        self._shared: dict[str, Door] = {}

    def __enter__(self) -> "Builder":
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.close()

    def door(self, name: str) -> Door:
        """The one that tests share."""
        if name not in self._shared:
            self._shared[name] = self.open(name)
        return self._shared[name]

    def open(self, name: str, **settings: str) -> Door:
        """A door of this kind over a memory that is empty."""
        folder, kind = self._folders("door"), name.partition(", ")[0]
        if name.endswith("mem0"):
            settings |= self._mem0_settings()
        if kind == "served":
            return self._ending.enter_context(Served(folder, **settings))
        encoded = name.endswith("base64")
        return self._ending.enter_context(Functions(self._stack(), folder, encoded=encoded, **settings))

    def _mem0_settings(self) -> dict[str, str]:
        if self._mem0 is None:
            self._mem0 = self._ending.enter_context(EmulatorProcess())
        account = self._mem0.account()
        account.delays(extraction=0.01, categories=0.02, deletion=0.01)
        return {
            "MEMORY_BACKEND": "mem0", "MEM0_API_KEY": account.key, "MEM0_BASE_URL": account.url,
            "MEMORY_TABLE_NAME": "",
        }  # fmt: skip

    def _stack(self) -> Stack:
        if self._cloud is None:
            self._cloud = self._ending.enter_context(CloudProcess())
        return Stack(self._cloud, f"memory-{next(self._numbers)}")


@pytest.fixture(scope="session")
def builder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Builder]:
    with Builder(tmp_path_factory.mktemp) as builder:
        yield builder


@pytest.fixture(scope="session", params=(*KINDS, *MEM0_KINDS))
def door(builder: Builder, request: pytest.FixtureRequest) -> Door:
    """A door with default settings. Tests share it: each has callers of its own.

    Those about what our own memory alone can do, or about bodies, name the kinds they are for.
    """
    return builder.door(request.param)


@pytest.fixture(scope="session", params=KINDS)
def strict_door(builder: Builder, request: pytest.FixtureRequest) -> Door:
    """A door that asks for more than it does by default. Tests share it."""
    return builder.open(
        request.param,
        RETRIEVE_AUTH="key",
        POST_CALL_REJECT_STATUS="401",
        ELEVENLABS_WORKSPACE_KEY=f"wk_old,{WORKSPACE_KEY}",
        ELEVENLABS_HMAC_KEY=f"wsec_old,{HMAC_KEY}",
    )


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
