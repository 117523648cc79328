"""Who may ask: keys that rotate, tokens of one call, calls that are open."""

from collections.abc import Callable

from tests.acceptance.doors.conftest import OpenDoor
from tests.acceptance.doors.door import KEY, Door
from tests.acceptance.server_process import Answer
from tests.wire import OURS, STEFAN, post_call

REFUSED = 401, {"error": "Invalid memory token"}


def outcome(answer: Answer) -> tuple[int, object]:
    return answer.status, answer.value


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_any_of_several_keys_is_accepted(strict_door: Door, caller: str):
    for key, status in (("wk_test", 200), ("wk_old", 200), ("wk_test,wk_old", 401), ("wk", 401)):
        answer = strict_door.post("/client-data", {"caller_id": caller}, {"x-workspace-KEY": key})
        assert answer.status == status, key
    for number, (secret, status) in enumerate((("wsec_test", 200), ("wsec_old", 200), ("wsec", 401))):
        assert strict_door.hang_up(post_call(f"{caller}-{number}", "anonymous"), secret).status == status


def test_a_token_opens_the_memory_of_its_caller_alone(open_door: OpenDoor, new_caller: Callable[[], str]):
    door, caller, other = open_door(RETRIEVE_AUTH="token"), new_caller(), new_caller()
    for one in (caller, other):
        door.remember(post_call(f"{one}-1", one, [("user", "I keep bees.")]))
    token = door.variables(caller)["secret__memory_token"]
    assert "bees" in door.search(caller, "bees", bearer(token)).value["memories"][0]
    assert door.search(caller, "bees", {"authorization": token}).status == 200
    for refused in ({}, bearer(""), bearer("forged"), bearer(token + "0"), bearer("9" + token), {"Authorization": "é"}):
        assert outcome(door.search(caller, "bees", refused)) == REFUSED
    assert outcome(door.search(other, "bees", bearer(token))) == REFUSED
    assert door.variables("anonymous")["secret__memory_token"] == ""
    door.reopen()
    assert door.search(caller, "bees", bearer(token)).status == 200


def test_a_token_is_checked_even_where_none_is_asked_for(door: Door, caller: str):
    assert outcome(door.search(caller, "bees", bearer("forged"))) == REFUSED
    assert "secret__memory_token" not in door.variables(caller)


def test_a_search_may_ask_for_the_key(strict_door: Door, caller: str):
    assert outcome(strict_door.search(caller, "bees")) == (401, {"error": "Invalid workspace key"})
    assert strict_door.search(caller, "bees", KEY).value == {"memories": []}


def test_a_search_may_ask_for_an_open_call(open_door: OpenDoor, caller: str):
    """Who was called is noted at the ring, and goes before what the report of the call says."""
    door = open_door(RETRIEVE_AUTH="active_call", OWN_NUMBERS=OURS)
    closed = (401, {"error": "No active call of this caller"})
    assert outcome(door.search(caller, "bees")) == closed
    assert door.ring(OURS, called_number=caller, conversation_id="conv_out").status == 200
    door.until(lambda: door.search(caller, "bees").status == 200)
    assert outcome(door.search(STEFAN, "bees")) == closed
    door.remember(post_call("conv_out", "anonymous", [("user", "My name is Bea. I keep bees.")]))
    assert door.variables(caller)["caller_name"] == "Bea"
    assert outcome(door.search(caller, "bees")) == closed
