"""Requests, routes and JSON bodies."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentic_memory.errors import InvalidField, MethodNotAllowed, NotFound, NotJSON, TooDeep
from agentic_memory.interfaces.http import (
    Request,
    Response,
    Route,
    Routes,
    bounded_integer,
    json_object,
)


def handler(_: Request, path: object) -> Response:
    return Response(200)


ROUTES = Routes(
    [
        Route("POST", "/retrieve", handler, "retrieve"),
        Route("GET", "/v1/callers", handler, "list"),
        Route("GET", "/v1/callers/{caller_id}", handler, "get"),
        Route("DELETE", "/v1/callers/{caller_id}", handler, "erase"),
        Route("GET", "/v1/callers/{caller_id}/calls/{conversation_id}", handler, "call"),
    ]
)


@pytest.mark.parametrize(
    ("method", "path", "name", "parameters"),
    [
        ("POST", "/retrieve", "retrieve", {}),
        ("POST", "/Prod/retrieve", "retrieve", {}),
        ("GET", "/v1/callers", "list", {}),
        ("GET", "/v1/callers/%2B15550100001", "get", {"caller_id": "+15550100001"}),
        ("DELETE", "/Prod/v1/callers/web-7", "erase", {"caller_id": "web-7"}),
        ("GET", "/v1/callers/a%2Fb/calls/c", "call", {"caller_id": "a/b", "conversation_id": "c"}),
    ],
)
def test_a_request_finds_its_route(method: str, path: str, name: str, parameters: dict[str, str]):
    route, found = ROUTES.find(method, path)
    assert (route.name, dict(found)) == (name, parameters)


@pytest.mark.parametrize("path", ["/", "/Prod", "/Production/retrieve", "/retrieve/", "/v1/callers/", "/v1"])
def test_an_unknown_path_is_not_found(path: str):
    with pytest.raises(NotFound, match="Path not found"):
        ROUTES.find("GET", path)


def test_another_method_is_told_which_to_use():
    with pytest.raises(MethodNotAllowed, match="use DELETE, GET"):
        ROUTES.find("PUT", "/v1/callers/x")


@given(st.binary())
def test_any_bytes_are_an_object_or_a_request_error(body: bytes):
    with contextlib.suppress(NotJSON):
        assert isinstance(json_object(body), dict)


def test_deep_nesting_is_an_error_not_a_crash():
    with pytest.raises(TooDeep):
        json_object(b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}")


@pytest.mark.parametrize("value", [0, 51, True, 1.0, "x", "", None, "-1", [], "9" * 30])
def test_a_limit_out_of_bounds_names_the_field(value: object):
    with pytest.raises(InvalidField, match="Invalid limit: expected a whole number from 1 to 50"):
        bounded_integer(value, "limit", 1, 50)


def test_a_limit_may_be_written_as_digits():
    assert bounded_integer("7", "limit", 1, 50) == bounded_integer(7, "limit", 1, 50) == 7
