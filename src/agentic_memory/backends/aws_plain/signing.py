"""AWS Signature Version 4 for one kind of request: a POST of JSON to `/`."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from agentic_memory.settings import Keys

ALGORITHM = "AWS4-HMAC-SHA256"


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who asks; `secret` and `token` are never shown."""

    access_key: str
    secret: Keys
    token: Keys
    """Of a session; empty where there is none."""


def signed(
    credentials: Credentials, region: str, service: str, headers: Mapping[str, str], body: bytes, now: float
) -> dict[str, str]:
    """`headers` (with `Host`) and what proves them; `now` in Unix seconds."""
    moment = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ")
    given = {**headers, "X-Amz-Date": moment}
    if credentials.token:
        given["X-Amz-Security-Token"] = credentials.token[0]
    scope = f"{moment[:8]}/{region}/{service}/aws4_request"
    names = ";".join(sorted(name.lower() for name in given))
    claim = f"{ALGORITHM}\n{moment}\n{scope}\n{_sha256(_canonical(given, names, body).encode())}"
    proof = _mac(_key(credentials.secret[0], scope), claim).hex()
    held = f"Credential={credentials.access_key}/{scope}, SignedHeaders={names}, Signature={proof}"
    return {**given, "Authorization": f"{ALGORITHM} {held}"}


def _canonical(headers: Mapping[str, str], names: str, body: bytes) -> str:
    lines = sorted(f"{name.lower()}:{' '.join(value.split())}\n" for name, value in headers.items())
    return f"POST\n/\n\n{''.join(lines)}\n{names}\n{_sha256(body)}"


def _key(secret: str, scope: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = _mac(key, part)
    return key


def _mac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), hashlib.sha256)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
