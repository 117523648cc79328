"""The backend over an account of the emulator, in a hurry."""

import time
from collections.abc import Callable

from agentic_memory.backends.mem0_cloud.backend import Mem0Memory, Patience, connect
from agentic_memory.bootstrap import SystemClock
from agentic_memory.engine.extract.rules import RuleExtractor
from agentic_memory.ports import Clock
from tests.mem0_emulator.process import Account


def at_once(account: Account) -> Account:
    """The account of a service that does everything at once."""
    account.delays(extraction=0, categories=0, deletion=0)
    return account


def mem0_memory(
    account: Account, *, timeout: float = 2.0, clock: Clock | None = None,
    pause: Callable[[float], object] = time.sleep, follow: float = 2.0, keys: tuple[str, ...] = (), observed: list[tuple[str, str]] | None = None,
) -> Mem0Memory:  # fmt: skip
    """`observed` collects what became of each request."""
    clock = clock or SystemClock()
    seen: list[tuple[str, str]] = [] if observed is None else observed

    def observe(operation: str, outcome: str, seconds: float) -> None:
        seen.append((operation, outcome))

    client, _ = connect(account.url, keys or (account.key,), timeout, clock, pause, observe)
    return Mem0Memory(client, RuleExtractor(), clock, pause, Patience(timeout, timeout, follow, follow, 0.01))
