"""Requests that cannot be used: an answer in one form, never a stack trace, whatever was sent."""

from collections.abc import Mapping

import pytest

from tests.acceptance.doors.conftest import any_body
from tests.acceptance.doors.door import KEY, Door
from tests.wire import STEFAN

NOT_JSON = "Invalid body: expected a JSON object"
RING, SEARCH = "/client-data", "/retrieve"
Case = tuple[str, str, object, Mapping[str, str], int, str]

NO_KEY: list[Case] = [
    ("POST", RING, {"caller_id": STEFAN}, {}, 401, "Invalid workspace key"),
    ("POST", RING, {"caller_id": STEFAN}, {"X-Workspace-Key": "wrong"}, 401, "Invalid workspace key"),
    ("POST", RING, {"caller_id": STEFAN}, {"X-Workspace-Key": ""}, 401, "Invalid workspace key"),
    ("POST", RING, {"caller_id": STEFAN}, {"X-Workspace-Key": "wk_tést"}, 401, "Invalid workspace key"),
    ("POST", RING, b"{", {}, 401, "Invalid workspace key"),
]
MISSING: list[Case] = [
    ("POST", RING, {}, KEY, 400, "Missing caller_id"),
    ("POST", RING, {"agent_id": "a"}, KEY, 400, "Missing caller_id"),
    ("POST", SEARCH, {"user_id": STEFAN}, {}, 400, "Missing query"),
    ("POST", SEARCH, {"user_id": STEFAN, "query": ""}, {}, 400, "Missing query"),
    ("POST", SEARCH, {"user_id": STEFAN, "query": None}, {}, 400, "Missing query"),
    ("POST", SEARCH, {"query": "tea"}, {}, 400, "Missing user_id"),
    ("POST", SEARCH, {"query": "tea", "user_id": " "}, {}, 400, "Missing user_id"),
    ("POST", SEARCH, {}, {}, 400, "Missing query"),
]
BROKEN = (b"", b"{", b"[]", b"null", b'"x"', b"7", b"\xff\xfe", b'{"a": "\xc3\x28"}', b'{"a": "\\ud800"}', b"{}{}", b"caller_id=1")
NO_OBJECT: list[Case] = [
    ("POST", path, body, headers, 400, NOT_JSON)
    for path, headers in ((RING, KEY), (SEARCH, {}))
    for body in BROKEN
]
WRONG_TYPES: list[Case] = [
    ("POST", RING, {"caller_id": []}, KEY, 400, "Invalid caller_id: expected a string"),
    ("POST", RING, {"caller_id": True}, KEY, 400, "Invalid caller_id: expected a string"),
    ("POST", RING, {"caller_id": STEFAN, "agent_id": {}}, KEY, 400, "Invalid agent_id: expected a string"),
    ("POST", RING, {"caller_id": STEFAN, "called_number": 1.5}, KEY, 400, "Invalid called_number: expected a string"),
    ("POST", SEARCH, {"query": [], "user_id": STEFAN}, {}, 400, "Invalid query: expected a string"),
    ("POST", SEARCH, {"query": "tea", "user_id": {}}, {}, 400, "Invalid user_id: expected a string"),
    ("POST", SEARCH, {"query": "tea", "user_id": "x" * 1_001}, {}, 400, "Invalid user_id: expected at most 1000 characters"),
]
TOO_LARGE: list[Case] = [
    ("POST", RING, {"caller_id": STEFAN, "more": "x" * 64_000}, KEY, 413, "Body too large: at most 64000 bytes"),
    ("POST", SEARCH, b" " * 64_001, {}, 413, "Body too large: at most 64000 bytes"),
    ("POST", "/post-call", b" " * 200_001, {}, 413, "Body too large: at most 200000 bytes"),
    ("POST", RING, b"[" * 5_000, KEY, 400, "Invalid body: nested deeper than 64 levels"),
]
MANY = "&".join(f"a{i}=b" for i in range(101))
NO_SUCH: list[Case] = [
    ("POST", f"{RING}?{MANY}", {"caller_id": STEFAN}, KEY, 400, "Invalid query: expected at most 100 parameters"),
    ("POST", f"{SEARCH}?{MANY}", {"query": "tea", "user_id": STEFAN}, {}, 400, "Invalid query: expected at most 100 parameters"),
    ("POST", "/client-data/", {}, KEY, 404, "Path not found"),
    ("POST", "/clientdata", {}, KEY, 404, "Path not found"),
    ("POST", "/Prod/Prod/client-data", {}, KEY, 404, "Path not found"),
    ("POST", "/prod/client-data", {}, KEY, 404, "Path not found"),
    ("GET", "/", b"", {}, 404, "Path not found"),
    ("GET", "/../etc/passwd", b"", {}, 404, "Path not found"),
    *(
        (method, path, b"", KEY, 405, "Method not allowed: use POST")
        for method in ("GET", "PUT", "DELETE", "OPTIONS", "PATCH")
        for path in (RING, SEARCH, "/post-call", "/Prod/retrieve")
    ),
]
CASES = [*NO_KEY, *MISSING, *NO_OBJECT, *WRONG_TYPES, *TOO_LARGE, *NO_SUCH]


@any_body
@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "status", "error"),
    CASES,
    ids=[f"{number}: {case[0]} {case[1][:20]} {case[4]}" for number, case in enumerate(CASES)],
)
def test_what_cannot_be_used_is_refused_in_words(
    door: Door, method: str, path: str, body: object, headers: Mapping[str, str], status: int, error: str
):
    answer = door.post(path, body, headers) if method == "POST" else door.ask(method, path, b"", headers)
    assert (answer.status, answer.value) == (status, {"error": error})
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers.get("allow") == ("POST" if status == 405 else None)
    assert answer.headers.get("www-authenticate") == ("Bearer" if status == 401 else None)
