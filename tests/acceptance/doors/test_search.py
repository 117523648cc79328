"""The agent searches during the call: what this caller said before."""

from collections.abc import Callable

import pytest

from tests.acceptance.doors.conftest import own_memory
from tests.acceptance.doors.door import Door
from tests.wire import START, post_call

DAY = 86_400
EVIDENCE = {"id", "kind", "text", "similarity", "date", "conversation_id", "turn", "turns", "quote", "superseded"}


@pytest.fixture(scope="session")
def known(door: Door) -> str:
    """A caller with two calls behind them, for tests that only ask."""
    caller = "+15550100021"
    door.remember(
        post_call(
            f"{caller}-1", caller,
            [
                ("agent", "What do you do all day?"),
                ("user", "I keep bees behind the old mill."),
                ("agent", "And in winter?"),
                ("user", "In winter I restore violins with my sister Clara."),
                ("user", "On Sundays we bake rye bread."),
            ],
            summary="The caller keeps bees and restores violins.",
        ),
        post_call(f"{caller}-2", caller, [("user", "My neighbour Otto paints ships.")], at=START + DAY),
    )  # fmt: skip
    return caller


def test_what_was_said_comes_back_in_one_line(door: Door, known: str):
    (best, *others) = door.found(known, "Who restores violins?")
    assert isinstance(best, str)
    assert "violins" in best
    assert all("\n" not in memory for memory in (best, *others))


def test_three_memories_come_back_unless_others_are_asked_for(door: Door, known: str):
    assert len(door.found(known, "bees violins bread ships")) == 3
    assert len(door.found(known, "bees violins bread ships", limit=1)) == 1
    assert len(door.found(known, "bees violins bread ships", limit="2")) == 2
    assert len(door.found(known, "bees violins bread ships", limit=50)) > 3
    assert len(door.found(known, "bees violins bread ships", limit=None)) == 3


@pytest.mark.parametrize("limit", [0, 51, -1, 1.5, True, "many", "", [], 10**30])
def test_a_limit_has_bounds(door: Door, caller: str, limit: object):
    answer = door.search(caller, "tea", limit=limit)
    assert (answer.status, answer.value) == (400, {"error": "Invalid limit: expected a whole number from 1 to 50"})


@own_memory
def test_every_memory_can_be_traced_to_the_words_it_rests_on(door: Door, known: str):
    best = door.found(known, "violins", detail=True)[0]
    assert set(best) == EVIDENCE
    assert (best["conversation_id"], best["turn"], best["date"]) == (f"{known}-1", 3, "2026-11-06")
    assert best["turn"] in best["turns"]
    assert best["quote"] in "In winter I restore violins with my sister Clara."
    assert 0 < best["similarity"] <= 1
    assert best["superseded"] is False
    assert [memory["text"] for memory in door.found(known, "violins", detail=True)] == door.found(known, "violins")


@pytest.mark.parametrize("detail", ["yes", 1, []])
def test_detail_is_true_or_false(door: Door, caller: str, detail: object):
    answer = door.search(caller, "tea", detail=detail)
    wanted = (200, {"memories": []}) if not detail else (400, {"error": "Invalid detail: expected true or false"})
    assert (answer.status, answer.value) == wanted


@pytest.mark.parametrize("nobody", ["anonymous", "+266696687", "None"])
def test_nobody_has_no_memories(door: Door, nobody: str):
    assert door.found(nobody, "bees") == []


def test_of_a_new_caller_nothing_is_known(door: Door, caller: str):
    answer = door.search(caller, "bees")
    assert (answer.status, answer.body) == (200, b'{"memories":[]}')


def test_callers_never_see_each_other(door: Door, new_caller: Callable[[], str]):
    words = {new_caller(): word for word in ("amber", "basalt", "cobalt")}
    for caller, word in words.items():
        door.remember(post_call(f"{caller}-1", caller, [("user", f"My lucky stone is {word}, I carry it always.")]))
    for caller, word in words.items():
        found = "".join(door.found(caller, "lucky stone amber basalt cobalt", limit=50))
        assert {other for other in words.values() if other in found} == {word}
        assert door.variables(caller)["memory_count"] == "1"


@own_memory
def test_what_was_said_later_comes_first_and_the_rest_says_that_it_is_old(door: Door, caller: str):
    door.remember(
        post_call(f"{caller}-1", caller, [("user", "Hello.")], collected={"city": "Ghent"}),
        post_call(f"{caller}-2", caller, [("user", "Hello.")], collected={"city": "Bruges"}, at=START + DAY),
    )
    facts = [m for m in door.found(caller, "city", detail=True, limit=50) if m["kind"] == "factual"]
    said = {"Bruges" if "Bruges" in fact["text"] else "Ghent": fact["superseded"] for fact in facts}
    assert said == {"Bruges": False, "Ghent": True}
    assert "Bruges" in facts[0]["text"]


@own_memory
def test_any_writing_is_found(door: Door, caller: str):
    said = ["Mi café se llama «El Ñandú».", "我住在南京路。", "I ❤️ my 🐝🐝.", "Zoe\u0308 Zoë\u00a0\u2028x"]
    door.remember(post_call(f"{caller}-1", caller, [("user", text) for text in said]))
    assert "Ñandú" in door.found(caller, "el café Ñandú", limit=1)[0]
    assert "南京路" in door.found(caller, "南京路", limit=1)[0]
    assert "🐝" in "".join(door.found(caller, "❤️ 🐝", limit=50))


@pytest.mark.parametrize("query", ["x" * 60_000, "\x00", "'; DROP TABLE callers; --", "%", 42, "  ?  "], ids=lambda query: str(query)[:10])
def test_any_question_is_answered(door: Door, caller: str, query: object):
    assert door.found(caller, query) == []


def test_the_user_may_be_written_as_a_number(door: Door, known: str):
    assert door.found(int(known[1:]), "violins") == door.found(known, "violins")
    assert door.found(f" {known[1:]} ", "violins") == door.found(known, "violins")
