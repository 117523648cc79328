"""The functions of the AWS stack: each door with what stands behind it."""

from collections.abc import Callable

from agentic_memory import settings
from agentic_memory.bootstrap import Services
from agentic_memory.bootstrap_aws import ForgetInStack, ReplayInStack, Stack
from agentic_memory.interfaces.aws_lambda import (
    Batch,
    ForgetDoor,
    HttpDoor,
    Opened,
    QueueDoor,
    ReplayDoor,
    ReplayOrder,
)
from agentic_memory.interfaces.emf import EmbeddedMetrics
from agentic_memory.interfaces.wiring import endpoints
from agentic_memory.ports import Clock
from agentic_memory.telemetry import configure_logging


def http_function(name: str) -> HttpDoor:
    """`client_data`, `retrieve` or `post_call`."""
    stack, metrics = _stack(name), EmbeddedMetrics(name)
    held: dict[str, tuple[Services, Opened]] = {}

    def opened() -> Opened:
        services = stack.services(metrics)
        if name not in held or held[name][0] is not services:
            seconds = _seconds(name, services)
            made = Opened(endpoints(services, warms=False), metrics, services.clock, seconds)
            held[name] = (services, made)
        if services.mem0 is not None:
            metrics.amount("circuit_open", services.mem0.breaker.gauge)
        return held[name][1]

    return HttpDoor(name, opened)


def worker_function() -> QueueDoor:
    """The worker."""
    stack, metrics = _stack("worker"), EmbeddedMetrics("worker")

    def opened() -> tuple[Batch, EmbeddedMetrics, Clock]:
        return stack.work(metrics), metrics, stack.clock

    return QueueDoor(opened)


def replay_function() -> ReplayDoor:
    """The replay, invoked by hand."""
    stack, metrics = _stack("replay"), EmbeddedMetrics("replay")

    def opened() -> Callable[[ReplayOrder], int]:
        replay = ReplayInStack(stack.services(metrics))
        return lambda o: replay(o.source, o.prefix, o.conversation_id, dry_run=o.dry_run)

    return ReplayDoor(opened)


def forget_function() -> ForgetDoor:
    """The erasing of a caller, invoked by hand."""
    stack, metrics = _stack("forget"), EmbeddedMetrics("forget")
    return ForgetDoor(lambda: ForgetInStack(stack.services(metrics)))


def _stack(name: str) -> Stack:
    configure_logging(settings.read(embedder="lexical").log_level, "json")
    return Stack(name)


def _seconds(name: str, services: Services) -> float | None:
    if name == "client_data":
        return services.settings.client_data_timeout
    return services.settings.retrieve_timeout if name == "retrieve" else None
