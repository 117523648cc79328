"""DynamoDB's errors in our own terms."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from agentic_memory.errors import StorageError, StorageUnavailable

_REFUSALS = {"ConditionalCheckFailed", "TransactionConflict"}
"""Why a transaction is cancelled when somebody else was first."""


@contextmanager
def reported() -> Iterator[None]:
    """Within it, what goes wrong with DynamoDB is a StorageError.

    A request that DynamoDB calls invalid is ours to mend and says so; all else (throttling, no network,
    a permission or a table that is missing) may pass: StorageUnavailable.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", "unknown"))
        causes = ", ".join(sorted(reasons(error.response)))
        told = f"DynamoDB answers {code}" + (f" ({causes})" if causes else "")
        if "Validation" in told:
            raise StorageError(reason=told) from error
        raise StorageUnavailable(reason=told) from error
    except BotoCoreError as error:
        raise StorageUnavailable(reason=f"DynamoDB: {type(error).__name__}") from error


def reasons(response: Mapping[str, Any]) -> set[str]:
    """Why a transaction was cancelled; empty where it was something else."""
    return {
        str(reason.get("Code"))
        for reason in response.get("CancellationReasons") or ()
        if reason.get("Code") not in (None, "None")
    }


def is_refusal(response: Mapping[str, Any]) -> bool:
    """Whether a transaction was cancelled because somebody else was first, and for no other reason."""
    found = reasons(response)
    return bool(found) and found <= _REFUSALS
