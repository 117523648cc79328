"""One emulator for a module; each test has an account of its own."""

from collections.abc import Callable, Iterator

import pytest

from agentic_memory.backends.mem0_cloud.backend import Mem0Memory
from tests.mem0_emulator.process import Account, EmulatorProcess
from tests.mem0_emulator.remembering import at_once, mem0_memory


@pytest.fixture(scope="module")
def emulator() -> Iterator[EmulatorProcess]:
    with EmulatorProcess() as running:
        yield running


@pytest.fixture
def account(emulator: EmulatorProcess) -> Account:
    return at_once(emulator.account())


@pytest.fixture
def opened() -> Iterator[Callable[..., Mem0Memory]]:
    """`mem0_memory`, closed again at the end of the test."""
    made: list[Mem0Memory] = []

    def open_memory(account: Account, **more: object) -> Mem0Memory:
        made.append(mem0_memory(account, **more))  # type: ignore[arg-type]
        return made[-1]

    yield open_memory
    for memory in made:
        memory.close()
