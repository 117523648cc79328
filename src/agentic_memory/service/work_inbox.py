"""Work through the inbox: claim, process, and on failure retry later or bury with the cause."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from agentic_memory.domain.delivery import Delivery
from agentic_memory.errors import AgenticMemoryError, LeaseLost, StorageError
from agentic_memory.ports import Clock, Inbox
from agentic_memory.service.remember_call import EventOutcome
from agentic_memory.telemetry import Log, where

log = Log("worker")

LONGEST_WAIT = 3600.0
"""Seconds: what a service may ask for at most before it is tried again."""


@dataclass(frozen=True, slots=True)
class RetryRules:
    """How often and when a failed delivery is tried again."""

    attempts: int = 8
    first_delay: float = 2.0
    """Seconds before the second attempt; each further one waits four times as long."""
    longest_delay: float = 1800.0
    lease: float = 120.0
    """Seconds a delivery is held while it is processed."""

    def delay(self, attempts: int, jitter: float) -> float:
        """Seconds to wait after the `attempts`-th failure; `jitter` in [0, 1) adds up to a fifth."""
        base = min(self.first_delay * 4.0 ** (attempts - 1), self.longest_delay)
        return base * (1 + jitter / 5)


class Observer(Protocol):
    """Told what became of attempts and events, for metrics."""

    def attempt(self, outcome: str, seconds: float) -> None:
        """`done`, `retried`, `buried` or `lost`."""

    def event(self, outcome: str) -> None:
        """An `EventOutcome`."""


@dataclass(frozen=True, slots=True)
class _Retry:
    helps: bool
    wait: float = 0.0
    """Seconds that a service asked to be left alone."""


def _asked_to_wait(error: AgenticMemoryError) -> float:
    wait = error.fields.get("retry_after")
    return min(float(wait), LONGEST_WAIT) if isinstance(wait, int | float) else 0.0


class WorkInbox:
    """One pass over what is due. Several may run at once, in threads or processes."""

    def __init__(
        self,
        inbox: Inbox,
        process: Callable[[Delivery], tuple[EventOutcome, ...]],
        clock: Clock,
        rules: RetryRules,
        jitter: Callable[[], float],
        observer: Observer,
    ) -> None:
        """`process` raises what went wrong; `jitter` gives a number in [0, 1)."""
        self._inbox = inbox
        self._process = process
        self._clock = clock
        self._rules = rules
        self._jitter = jitter
        self._observer = observer
        self._in_hand: Delivery | None = None

    def __call__(self) -> int:
        """Work on the delivery that is due longest; return how many there were: 1 or 0. Raises StorageError.

        One at a time: a delivery that waits behind a long one is not held, so another worker may take it.
        """
        deliveries = self._inbox.claim(1, self._clock.now(), self._rules.lease)
        for delivery in deliveries:
            self._in_hand = delivery
            try:
                self.work_on(delivery)
            finally:
                self._in_hand = None
        return len(deliveries)

    @property
    def renewal(self) -> float:
        """Seconds between two calls of `renew`."""
        return self._rules.lease / 3

    def renew(self) -> None:
        """Hold on to what is in hand; called from another thread while it takes long.

        A lease that is lost meanwhile shows when the delivery is committed or done.
        """
        delivery = self._in_hand
        if delivery is not None:
            try:
                self._inbox.renew(delivery, self._clock.now() + self._rules.lease)
            except StorageError as error:
                log.info("lease_not_renewed", delivery=delivery.id, cause=error.code)

    def work_on(self, delivery: Delivery) -> None:
        """Process one claimed delivery to its end: done, due again, or dead."""
        started = self._clock.monotonic()
        if delivery.attempts > self._rules.attempts:
            # Claimed again and again and never ended: it takes its workers down with it.
            self._failed(delivery, "WorkerDied", "no attempt came to an end", _Retry(False), started)
            return
        try:
            outcomes = self._process(delivery)
        except LeaseLost:
            self._ended("lost", started)
        except AgenticMemoryError as error:
            retry = _Retry(error.retryable, _asked_to_wait(error))
            self._failed(delivery, error.code, error.message, retry, started)
        except Exception as error:  # noqa: BLE001  a fault of ours in one delivery must neither stop the others nor lose it: it is tried again and then buried with its cause
            self._failed(delivery, type(error).__name__, where(error), _Retry(True), started)
        else:
            for outcome in outcomes:
                self._observer.event(str(outcome))
            self._ended("done", started)

    def _failed(
        self, delivery: Delivery, code: str, text: str, retry: "_Retry", started: float
    ) -> None:
        now = self._clock.now()
        again = retry.helps and delivery.attempts < self._rules.attempts
        log.warning(
            "delivery_failed",
            delivery=delivery.id,
            cause=code,
            detail=text,
            attempts=delivery.attempts,
            again=again,
        )
        try:
            if again:
                delay = max(retry.wait, self._rules.delay(delivery.attempts, self._jitter()))
                self._inbox.retry(delivery, now + delay, code, text)
            else:
                self._inbox.bury(delivery, now, code, text)
        except LeaseLost:
            self._ended("lost", started)
        else:
            self._ended("retried" if again else "buried", started)

    def _ended(self, outcome: str, started: float) -> None:
        self._observer.attempt(outcome, self._clock.monotonic() - started)

