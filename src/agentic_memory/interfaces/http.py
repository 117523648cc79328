"""A request and a response as values, and the table of routes: no server in sight."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote

import msgspec

from agentic_memory.errors import InvalidField, MethodNotAllowed, NotFound, NotJSON, TooDeep

STAGE_PREFIX = "/Prod"
DEPTH_LIMIT = 64
MOST_PARAMETERS = 100
REQUEST_BODY = 64_000
"""Largest body of everything but /post-call, in bytes."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a door hands in."""

    method: str
    path: str
    """As sent (percent-encoded), without a query string; with or without the stage prefix."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Names in lower case."""
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    client: str = ""
    """The client's address; empty where a door does not know it."""


@dataclass(frozen=True, slots=True)
class Response:
    """What a door sends."""

    status: int
    body: bytes = b""
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()
    chunks: Iterable[bytes] | None = None
    """A long body in pieces, in place of `body`."""
    afterwards: Callable[[], None] | None = None
    """What is left to do once the answer is on its way."""
    afterwards_waits: bool = True
    """Whether that may wait for something: then a thread does it."""


def json_response(status: int, value: object, **more: object) -> Response:
    """`value` as JSON."""
    return Response(status, msgspec.json.encode(value), **more)  # type: ignore[arg-type]


def json_object(body: bytes) -> dict[str, object]:
    """The body as a JSON object. Raises NotJSON or TooDeep."""
    try:
        value = msgspec.json.decode(body)
    except RecursionError:
        raise TooDeep(limit=DEPTH_LIMIT) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise NotJSON from None
    if not isinstance(value, dict):
        raise NotJSON
    return value


def query_of(raw: str) -> Mapping[str, str]:
    """The parameters of a query string; of several of one name the last. Raises InvalidField for too many."""
    try:
        return dict(parse_qsl(raw, max_num_fields=MOST_PARAMETERS))
    except ValueError:
        raise InvalidField(field="query", expected=f"at most {MOST_PARAMETERS} parameters") from None


def bounded_integer(value: object, name: str, low: int, high: int) -> int:
    """`value` as a whole number between `low` and `high`. Raises InvalidField."""
    expected = f"a whole number from {low} to {high}"
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 12:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise InvalidField(field=name, expected=expected)
    return value


Handler = Callable[[Request, Mapping[str, str]], Response]
"""Answers a request; the mapping holds the path's parameters."""


@dataclass(frozen=True, slots=True)
class Route:
    """One method on one path template: `/v1/callers/{caller_id}`."""

    method: str
    template: str
    handler: Handler
    name: str
    """Label in metrics and operation id in the OpenAPI description."""


class Routes:
    """Finds the route of a request."""

    def __init__(self, routes: Iterable[Route]) -> None:
        """Plain paths are found by a dictionary; templates by their patterns, in order."""
        self.routes = tuple(routes)
        self._plain: dict[str, dict[str, Route]] = {}
        self._patterns: list[tuple[re.Pattern[str], dict[str, Route]]] = []
        patterns: dict[str, dict[str, Route]] = {}
        for route in self.routes:
            table = patterns if "{" in route.template else self._plain
            table.setdefault(route.template, {})[route.method] = route
        for template, methods in patterns.items():
            pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template)
            self._patterns.append((re.compile(pattern), methods))

    def find(self, method: str, path: str) -> tuple[Route, Mapping[str, str]]:
        """The route and its path parameters. Raises NotFound or MethodNotAllowed."""
        methods, parameters = self._methods(path)
        route = methods.get(method)
        if route is None:
            raise MethodNotAllowed(allowed=", ".join(sorted(methods)))
        return route, parameters

    def _methods(self, path: str) -> tuple[dict[str, Route], Mapping[str, str]]:
        path = path.removeprefix(STAGE_PREFIX) if path.startswith(STAGE_PREFIX + "/") else path
        methods = self._plain.get(path)
        if methods is not None:
            return methods, {}
        for pattern, found in self._patterns:
            match = pattern.fullmatch(path)
            if match:
                return found, {key: unquote(value) for key, value in match.groupdict().items()}
        raise NotFound(what="Path")
