"""Fakes written by hand: a clock that stands still, and the like."""


class FrozenClock:
    """A clock that moves only when told."""

    def __init__(self, now: float = 1_795_000_000.0) -> None:
        self.time = now

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time

    def tick(self, seconds: float) -> None:
        self.time += seconds
