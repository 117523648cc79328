"""What is kept beside the memories, and what is left of a caller who is erased."""

import json
import re
from collections.abc import Callable

from tests.acceptance.doors.conftest import OpenDoor
from tests.acceptance.doors.door import KEY, Door
from tests.wire import post_call

BEES = [("user", "My name is Bea. I keep bees.")]


def test_a_body_is_archived_as_it_came(door: Door, caller: str):
    body = post_call(f"{caller}-1", caller, BEES).replace(b", ", b",\t")
    door.remember(body)
    assert body in door.archived("post-call/").values()


def test_rings_are_kept_with_their_answers(open_door: OpenDoor, caller: str):
    door = open_door(ARCHIVE_CLIENT_DATA="on", RETRIEVE_AUTH="token")
    asked = [b'{"caller_id":  "%s", "call_sid": "CA%d"}' % (caller.encode(), i) for i in range(2)]
    told = [door.post("/client-data", body, KEY).value for body in asked]

    def both_are_kept() -> bool:
        door.settle()
        return len(door.archived("client-data/")) == 4

    door.until(both_are_kept)
    kept = door.archived(f"client-data/{caller}/")
    assert all(re.fullmatch(r"client-data/[^/]+/\d{8}T\d{6}Z_CA\d/(received|response)\.json", key) for key in kept)
    by_call = {key.rpartition("_")[2]: content for key, content in kept.items()}
    for i in range(2):
        assert by_call[f"CA{i}/received.json"] == asked[i]
        assert told[i]["dynamic_variables"].pop("secret__memory_token")
        assert json.loads(by_call[f"CA{i}/response.json"]) == told[i]


def test_who_is_erased_is_a_new_caller_and_nobody_else_is(door: Door, new_caller: Callable[[], str]):
    erased, other = new_caller(), new_caller()
    for caller in (erased, other):
        door.remember(post_call(f"{caller}-1", caller, BEES))
        assert door.found(caller, "bees")
    assert door.forget(erased)
    assert not door.forget(erased)
    told = door.variables(erased)
    assert (told["caller_name"], told["returning_caller"], told["memory_count"]) == ("", "no", "0")
    assert door.found(erased, "bees") == []
    left = [key for key, body in door.archived("").items() if erased in key or erased.encode() in body]
    assert not left
    assert door.variables(other)["caller_name"] == "Bea"
    assert door.found(other, "bees")
    door.remember(post_call(f"{erased}-2", erased, BEES))
    assert door.variables(erased)["memory_count"] == "1"
