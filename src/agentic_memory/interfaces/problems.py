"""Errors to answers: one shape, `{"error": message}`, and never more than a client may know."""

from agentic_memory.errors import (
    AgenticMemoryError,
    MemoryUnavailable,
    MethodNotAllowed,
    NotAuthorized,
    NotFound,
    RequestError,
    RequestTimeout,
    StorageError,
    TooLarge,
    TooManyRequests,
)
from agentic_memory.interfaces.http import Response, json_response

STATUS: tuple[tuple[type[AgenticMemoryError], int], ...] = (
    (NotFound, 404),
    (MethodNotAllowed, 405),
    (TooLarge, 413),
    (TooManyRequests, 429),
    (RequestTimeout, 408),
    (RequestError, 400),
    (NotAuthorized, 401),
    (MemoryUnavailable, 503),
    (StorageError, 503),
)
"""The first that fits; 500 for the rest."""

RETRY_AFTER = (("Retry-After", "30"),)


def status_of(error: AgenticMemoryError) -> int:
    """The HTTP status of an error."""
    return next((status for kind, status in STATUS if isinstance(error, kind)), 500)


def problem(error: AgenticMemoryError) -> Response:
    """The answer to a request that failed with `error`."""
    status = status_of(error)
    message = error.message if error.public else _private(status)
    headers: tuple[tuple[str, str], ...] = ()
    if isinstance(error, MethodNotAllowed):
        headers = (("Allow", str(error.fields.get("allowed", ""))),)
    elif isinstance(error, TooManyRequests):
        headers = (("Retry-After", str(error.fields.get("seconds", 1))),)
    elif isinstance(error, NotAuthorized):
        headers = (("WWW-Authenticate", "Bearer"),)
    elif status == 503:
        headers = RETRY_AFTER
    return json_response(status, {"error": message}, headers=headers)


def _private(status: int) -> str:
    return "Temporarily unavailable" if status == 503 else "Internal error"
