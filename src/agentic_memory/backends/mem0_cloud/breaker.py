"""A circuit breaker: while a service is down, nobody waits for it."""

import threading
from collections.abc import Callable

FAILURES = 5
"""Failures in a row after which nothing is tried any more ..."""
FIRST_PAUSE = 5.0
LONGEST_PAUSE = 60.0
"""... for this many seconds: the first time, and at most after each trial that fails too."""


class Breaker:
    """Closed (0): all is well. Open (2): nothing is tried. Half-open (1): one trial tells."""

    def __init__(self, monotonic: Callable[[], float], told: Callable[[str], None] = lambda state: None) -> None:
        """`told` hears of every change: `open` or `closed`."""
        self._monotonic = monotonic
        self._told = told
        self._lock = threading.Lock()
        self._failures = 0
        self._pause = FIRST_PAUSE
        self._open_until: float | None = None
        self._wait_until = 0.0
        self._trial_until = 0.0

    @property
    def state(self) -> str:
        """`closed`, `half-open` or `open`."""
        if self._open_until is None:
            return "closed"
        return "half-open" if self._monotonic() >= self._open_until else "open"

    @property
    def gauge(self) -> float:
        """The state as a number: 0 closed, 1 half-open, 2 open."""
        return float(("closed", "half-open", "open").index(self.state))

    def wait(self, trial_seconds: float) -> float:
        """Seconds to wait before a try makes sense; 0: try now, within `trial_seconds`, and tell how it went."""
        now = self._monotonic()
        with self._lock:
            if now < self._wait_until:
                return self._wait_until - now
            if self._open_until is None:
                return 0.0
            until = max(self._open_until, self._trial_until)
            if now < until:
                return until - now
            self._trial_until = now + trial_seconds
            return 0.0

    def worked(self) -> None:
        """A try gave an answer."""
        with self._lock:
            was_open = self._open_until is not None
            self._failures, self._pause = 0, FIRST_PAUSE
            self._open_until, self._trial_until = None, 0.0
        if was_open:
            self._told("closed")

    def failed(self) -> None:
        """A try gave none."""
        with self._lock:
            self._failures += 1
            self._trial_until = 0.0
            was_closed = self._open_until is None
            if self._failures < FAILURES:
                return
            self._open_until = self._monotonic() + self._pause
            self._pause = min(2 * self._pause, LONGEST_PAUSE)
        if was_closed:
            self._told("open")

    def asked_to_wait(self, seconds: float) -> None:
        """The service wants to be left alone for so long (429 with Retry-After): it lives, but has had enough."""
        with self._lock:
            self._wait_until = max(self._wait_until, self._monotonic() + seconds)
