"""One service of AWS that takes JSON by POST: who asks, signed, and its answer."""

import http.client
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from urllib.parse import SplitResult, urlsplit

from agentic_memory.backends.aws_plain.signing import Credentials, signed
from agentic_memory.settings import AwsSettings, Keys

TIMEOUT = 2.0
"""Seconds one answer may take."""
LARGEST_ANSWER = 100_000
"""Bytes; a secret holds 64 KB at most."""


class NoAnswer(Exception):
    """The service cannot be asked, or does not say what it should; the text says why, and names no key."""


@dataclass(frozen=True, slots=True)
class Asked:
    """An answer of the service."""

    status: int
    body: bytes


class Service:
    """Asks one service; keeps nothing. Everything raises NoAnswer."""

    def __init__(self, settings: AwsSettings, name: str, version: str) -> None:
        """`settings` say who asks and where; `name` as in its addresses, `version` of its JSON: `1.1`."""
        self._settings = settings
        self._name = name
        self._type = f"application/x-amz-json-{version}"
        default = f"https://{name}.{settings.aws_region}.amazonaws.com"
        self._url = urlsplit(settings.aws_endpoint_url or default)

    def ask(self, action: str, given: Mapping[str, str], now: float) -> Asked:
        """`action` as its header wants it: `secretsmanager.GetSecretValue`; `now` in Unix seconds."""
        body = json.dumps(given).encode()
        headers = {"Host": self._url.netloc, "Content-Type": self._type, "X-Amz-Target": action}
        region = self._settings.aws_region
        return _asked(self._url, "POST", signed(self._credentials(), region, self._name, headers, body, now), body)

    def _credentials(self) -> Credentials:
        settings = self._settings
        if settings.aws_access_key_id and settings.aws_secret_access_key:
            return Credentials(
                settings.aws_access_key_id, settings.aws_secret_access_key, settings.aws_session_token
            )
        return self._container_credentials()

    def _container_credentials(self) -> Credentials:
        """What a function restored from a snapshot is given instead of keys in its environment."""
        url = urlsplit(self._settings.aws_container_credentials_full_uri)
        token = self._settings.aws_container_authorization_token
        headers = {"Authorization": token[0]} if token else {}
        answer = _asked(url, "GET", headers, None)
        given = json_object(answer.body) if answer.status == 200 else {}
        values = [given.get(name) for name in ("AccessKeyId", "SecretAccessKey", "Token")]
        texts = [value for value in values if isinstance(value, str)]
        if len(texts) != len(values):
            raise NoAnswer("there are no credentials")
        return Credentials(texts[0], Keys(texts[1:2]), Keys(texts[2:3]))


def json_object(data: bytes | str) -> Mapping[str, object]:
    """What must be a JSON object. Raises NoAnswer."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise NoAnswer("it is not a JSON object")
    return value


def _asked(url: SplitResult, method: str, headers: Mapping[str, str], body: bytes | None) -> Asked:
    try:
        connection = _connection(url)
        try:
            connection.request(method, url.path or "/", body, dict(headers))
            response = connection.getresponse()
            return Asked(response.status, response.read(LARGEST_ANSWER))
        finally:
            connection.close()
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise NoAnswer(type(error).__name__) from None


def _connection(url: SplitResult) -> http.client.HTTPConnection:
    host = url.hostname or ""
    if url.scheme == "https":
        return http.client.HTTPSConnection(host, url.port, timeout=TIMEOUT, context=trust())
    return http.client.HTTPConnection(host, url.port, timeout=TIMEOUT)


@cache
def trust() -> ssl.SSLContext:
    """Whom we believe over TLS. Read once: the authorities' certificates take longer than an answer."""
    return ssl.create_default_context()
