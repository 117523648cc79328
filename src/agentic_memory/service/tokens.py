"""Per-call memory tokens: what `/client-data` mints and `/retrieve` checks, scoped to one caller."""

import base64
import hashlib
import hmac
from collections.abc import Sequence

from agentic_memory.errors import InvalidMemoryToken
from agentic_memory.ports import Clock


class MemoryTokens:
    """Mints and checks `<expiry>.<mac>`: bound to tenant and caller, naming neither."""

    def __init__(self, keys: Sequence[str], ttl: float, clock: Clock) -> None:
        """The first of `keys` signs, all of them verify; `ttl` in seconds."""
        self._keys = tuple(key.encode() for key in keys)
        self._ttl = ttl
        self._clock = clock

    def mint(self, tenant: str, caller_id: str) -> str:
        """A token that lets its bearer search this caller's memory until it expires."""
        expiry = int(self._clock.now() + self._ttl)
        return f"{expiry}.{self._mac(self._keys[0], tenant, caller_id, expiry)}"

    def check(self, token: str, tenant: str, caller_id: str) -> None:
        """Raise InvalidMemoryToken unless this token was minted for this caller and still holds."""
        head, _, mac = token.partition(".")
        if not (head.isascii() and head.isdecimal() and len(head) <= 12 and mac.isascii()):
            raise InvalidMemoryToken
        expiry = int(head)
        macs = [self._mac(key, tenant, caller_id, expiry) for key in self._keys]
        genuine = [hmac.compare_digest(mac, expected) for expected in macs]
        if not any(genuine) or self._clock.now() > expiry:
            raise InvalidMemoryToken

    @staticmethod
    def _mac(key: bytes, tenant: str, caller_id: str, expiry: int) -> str:
        claim = "\0".join(("memory-token", tenant, caller_id, str(expiry))).encode()
        digest = hmac.digest(key, claim, hashlib.sha256)
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
