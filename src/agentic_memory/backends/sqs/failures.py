"""Errors of SQS and of the bucket of bodies in our own terms."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from agentic_memory.errors import StorageUnavailable

MISSING = frozenset({"404", "NoSuchKey", "NotFound"})
THERE_ALREADY = "PreconditionFailed"
AT_ONCE = "ConditionalRequestConflict"
"""Somebody else is putting the same key just now."""


@contextmanager
def reported(service: str) -> Iterator[None]:
    """Within it, what goes wrong with `service` is StorageUnavailable: nothing is durable until it is back."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        raise StorageUnavailable(reason=f"{service} answers {code_of(error.response)}") from error
    except BotoCoreError as error:
        raise StorageUnavailable(reason=f"{service}: {type(error).__name__}") from error


def code_of(response: Any) -> str:
    """The code in an error's response."""
    return str(response.get("Error", {}).get("Code", "unknown"))


def connect(service: str) -> Any:
    """A client as this process's environment names it."""
    from botocore.config import Config
    from botocore.session import get_session

    retries = {"mode": "standard", "total_max_attempts": 3}
    config = Config(connect_timeout=1, read_timeout=5, retries=retries)
    return get_session().create_client(service, config=config)
