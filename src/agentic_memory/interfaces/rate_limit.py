"""A bound on requests per client address: a token bucket each."""

import ipaddress
from collections import OrderedDict
from functools import lru_cache

BURST = 10.0
"""Seconds of the rate that may come at once."""
MOST_ADDRESSES = 10_000


class TokenBuckets:
    """Refills `rate` tokens a second up to ten seconds' worth; one request takes one."""

    def __init__(self, rate: float) -> None:
        """`rate` in requests a second; 0 for no bound."""
        self._rate = rate
        self._capacity = max(1.0, rate * BURST)
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, address: str, now: float) -> float:
        """0.0 when a request may pass now, else the seconds until one may. `now` is monotonic."""
        if not self._rate or not address or is_loopback(address):
            return 0.0
        tokens, since = self._buckets.pop(address, (self._capacity, now))
        tokens = min(self._capacity, tokens + (now - since) * self._rate)
        passes = tokens >= 1.0
        self._buckets[address] = (tokens - 1.0 if passes else tokens, now)
        if len(self._buckets) > MOST_ADDRESSES:
            self._buckets.popitem(last=False)
        return 0.0 if passes else (1.0 - tokens) / self._rate


@lru_cache(maxsize=1024)
def is_loopback(address: str) -> bool:
    """Whether an address is this machine's own."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
