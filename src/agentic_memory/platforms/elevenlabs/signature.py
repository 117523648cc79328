"""The signature of a post-call webhook: `t=<unix seconds>,v0=<hex>` over `<t>.<raw body>`, HMAC-SHA256.

The body is never decoded or written anew: the sender signs the bytes it sends, and the smallest change
of a space or an escape would break the match.
"""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass

MAX_HEADER_CHARS = 4096
"""A header with a few signatures takes 200; what is longer is not one of ours."""
MAX_TIMESTAMP_DIGITS = 15


@dataclass(frozen=True, slots=True)
class Signature:
    """The outcome of a verification."""

    ok: bool
    reason: str = ""
    """missing | malformed | stale | future | mismatch | no_secret; empty when ok."""

    @property
    def mendable(self) -> bool:
        """Whether it has the form that the sender always gives it."""
        return self.reason not in {"missing", "malformed"}

    def __bool__(self) -> bool:
        """True when ok, so that a check in a condition means what it says."""
        return self.ok


@dataclass(frozen=True, slots=True)
class _Header:
    timestamp: str
    """As it came: these very digits are part of what was signed."""
    digests: tuple[bytes, ...]


def sign(body: bytes, secret: str, timestamp: int) -> str:
    """The header that the sender would put on `body` at `timestamp` (Unix seconds)."""
    return f"t={timestamp},v0={_digest(body, secret, str(timestamp)).decode()}"


def verify(
    body: bytes,
    header: str,
    secrets: Sequence[str],
    now: float,
    *,
    tolerance: float = 1800.0,
    skew: float = 300.0,
) -> Signature:
    """Whether one of `secrets` signed these very bytes, at most `tolerance` s ago and `skew` s ahead.

    Any of several `v0` values and any of several secrets may match, so that keys can be rotated. Every
    pair is compared, each in constant time. Total over any header.
    """
    form, parsed = plausible(header, now, tolerance=tolerance, skew=skew), _parsed(header)
    if parsed is None:
        return form
    keys = [secret for secret in secrets if secret]
    if not keys:
        return Signature(False, "no_secret")
    if not form.ok:
        return form
    wanted = [_digest(body, key, parsed.timestamp) for key in keys]
    matches = [hmac.compare_digest(a, b) for a in wanted for b in parsed.digests]
    return Signature(True) if any(matches) else Signature(False, "mismatch")


def plausible(
    header: str, now: float, *, tolerance: float = 1800.0, skew: float = 300.0
) -> Signature:
    """Whether the header is well formed and fresh: the cheap check before a large body is read."""
    if not header.strip():
        return Signature(False, "missing")
    parsed = _parsed(header)
    if parsed is None:
        return Signature(False, "malformed")
    age = now - int(parsed.timestamp)
    if age > tolerance:
        return Signature(False, "stale")
    return Signature(False, "future") if age < -skew else Signature(True)


def _parsed(header: str) -> _Header | None:
    if len(header) > MAX_HEADER_CHARS or not header.isascii():
        return None
    pairs = [part.strip().partition("=") for part in header.split(",")]
    stamps = {value.strip() for name, _, value in pairs if name.strip() == "t"}
    digests = tuple(value.strip().encode() for name, _, value in pairs if name.strip() == "v0")
    if len(stamps) != 1 or not any(digests):
        return None
    stamp = stamps.pop()
    return _Header(stamp, digests) if _is_timestamp(stamp) else None


def _is_timestamp(text: str) -> bool:
    return text.isdigit() and len(text) <= MAX_TIMESTAMP_DIGITS


def _digest(body: bytes, secret: str, timestamp: str) -> bytes:
    mac = hmac.new(secret.encode("utf-8", "surrogatepass"), digestmod=hashlib.sha256)
    mac.update(timestamp.encode() + b".")
    mac.update(body)
    return mac.hexdigest().encode()
