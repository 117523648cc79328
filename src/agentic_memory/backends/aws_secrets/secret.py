"""One named secret: a JSON object of keys, its current version and the one before."""

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from agentic_memory.backends.aws_secrets.signing import Credentials, signed
from agentic_memory.errors import SecretUnavailable
from agentic_memory.settings import AwsSettings, Keys

CURRENT, PREVIOUS = "AWSCURRENT", "AWSPREVIOUS"
TIMEOUT = 2.0
"""Seconds one answer may take."""
LARGEST_ANSWER = 100_000
"""Bytes; a secret holds 64 KB at most."""


@dataclass(frozen=True, slots=True)
class Asked:
    """An answer of the service."""

    status: int
    body: bytes


class Secret:
    """Reads the secret; keeps nothing."""

    def __init__(self, settings: AwsSettings) -> None:
        """`settings` name the secret and say who asks."""
        self._settings = settings
        default = f"https://secretsmanager.{settings.aws_region}.amazonaws.com"
        self._url = urlsplit(settings.aws_endpoint_url or default)

    def versions(self, now: float) -> tuple[Mapping[str, str], Mapping[str, str]]:
        """Settings by name: the current version, and the one before it (empty where there is none).

        `now` in Unix seconds. Raises SecretUnavailable.
        """
        current = self._version(CURRENT, now)
        if not current:
            raise SecretUnavailable(reason="it has no current version")
        return current, self._version(PREVIOUS, now)

    def _version(self, stage: str, now: float) -> Mapping[str, str]:
        """The secret's object at a stage; empty where there is no such version."""
        asked = {"SecretId": self._settings.memory_secret_id, "VersionStage": stage}
        body = json.dumps(asked).encode()
        headers = {
            "Host": self._url.netloc,
            "Content-Type": "application/x-amz-json-1.1",
            "X-Amz-Target": "secretsmanager.GetSecretValue",
        }
        credentials = self._credentials()
        region = self._settings.aws_region
        signed_headers = signed(credentials, region, "secretsmanager", headers, body, now)
        answer = _ask(self._url, "POST", "/", signed_headers, body)
        if answer.status == 400 and b"ResourceNotFoundException" in answer.body and stage == PREVIOUS:
            return {}
        if answer.status != 200:
            raise SecretUnavailable(reason=f"status {answer.status}")
        return _strings(_object(answer.body).get("SecretString"))

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
        answer = _ask(url, "GET", url.path or "/", headers, None)
        given = _object(answer.body) if answer.status == 200 else {}
        values = [given.get(name) for name in ("AccessKeyId", "SecretAccessKey", "Token")]
        texts = [value for value in values if isinstance(value, str)]
        if len(texts) != len(values):
            raise SecretUnavailable(reason="there are no credentials")
        return Credentials(texts[0], Keys(texts[1:2]), Keys(texts[2:3]))


def _ask(
    url: SplitResult, method: str, path: str, headers: Mapping[str, str], body: bytes | None
) -> Asked:
    kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
    try:
        connection = kind(url.hostname or "", url.port, timeout=TIMEOUT)
        try:
            connection.request(method, path, body, dict(headers))
            response = connection.getresponse()
            return Asked(response.status, response.read(LARGEST_ANSWER))
        finally:
            connection.close()
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise SecretUnavailable(reason=type(error).__name__) from None


def _object(data: bytes | str) -> Mapping[str, object]:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise SecretUnavailable(reason="it is not a JSON object")
    return value


def _strings(text: object) -> Mapping[str, str]:
    given = _object(text if isinstance(text, str) else "")
    return {name: value for name, value in given.items() if isinstance(value, str) and value}
