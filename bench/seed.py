"""Fill a data folder with callers the way the worker would, without HTTP."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from payloads import hangup, number
from processes import environment

from agentic_memory import bootstrap, settings
from agentic_memory.bootstrap import Services
from agentic_memory.domain.delivery import CallEnded

BEGAN = 1_780_000_000
DAY = 86_400


@contextmanager
def services(data_dir: Path, **given: str) -> Iterator[Services]:
    """The services of a server on this folder, in this process, model loaded."""
    data_dir.mkdir(parents=True, exist_ok=True)
    read = settings.read(environment(data_dir, **given), folder=data_dir)
    built = bootstrap.build(read)
    built.model.load()
    try:
        yield built
    finally:
        built.close()


def callers(built: Services, count: int, *, calls: int, turns: int) -> None:
    """Remember `calls` calls of each of `count` callers."""
    for index in range(count):
        for nth in range(calls):
            body = hangup(
                f"conv_seed_{index}_{nth}",
                number(index),
                turns=turns,
                at=BEGAN + nth * DAY,
                seed=index * 1000 + nth,
            )
            remember(built, body, number(index))


def remember(built: Services, body: bytes, caller_id: str) -> None:
    """What the worker does with one body."""
    for event in built.platform.parse(body, "default", float(BEGAN)):
        if isinstance(event, CallEnded):
            built.engine.remember(replace(event.call, caller_id=caller_id))
