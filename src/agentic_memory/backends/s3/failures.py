"""S3's errors in our own terms."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from agentic_memory.errors import ArchiveUnavailable

MISSING = frozenset({"404", "NoSuchKey", "NotFound"})
THERE_ALREADY = "PreconditionFailed"
AT_ONCE = "ConditionalRequestConflict"
"""Somebody else is putting the same key just now."""


@contextmanager
def reported() -> Iterator[None]:
    """Within it, what goes wrong with S3 is ArchiveUnavailable."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        code = code_of(error.response)
        told = f"S3 answers {code}"
        if code == "InvalidObjectState":
            told = "the object is in a cold storage class: restore it in S3 first"
        raise ArchiveUnavailable(reason=told) from error
    except BotoCoreError as error:
        raise ArchiveUnavailable(reason=f"S3: {type(error).__name__}") from error


def code_of(response: Any) -> str:
    """The code in an error's response."""
    return str(response.get("Error", {}).get("Code", "unknown"))
