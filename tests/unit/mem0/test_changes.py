"""What Mem0 is not told and does not keep: what holds no longer, and how each memory came to be."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from agentic_memory.backends.mem0_cloud.backend import Mem0Memory
from agentic_memory.backends.mem0_cloud.changes import changes_told
from agentic_memory.backends.mem0_cloud.marking import ended
from agentic_memory.backends.mem0_cloud.rebuilding import known
from agentic_memory.backends.mem0_cloud.stored import stored
from agentic_memory.domain.call import Call
from agentic_memory.domain.memory import Category, Evidence, Memory
from agentic_memory.errors import MemoryUnavailable
from tests.mem0_emulator.process import Account
from tests.unit.extract.calls import dialogue

Opened = Callable[..., Mem0Memory]
TENANT, ANA, BEN = "default", "+15550100001", "+15550100002"
START, DAY = 1_790_000_000.0, 86_400.0


def lives_in(town: str, day: int) -> Call:
    call = dialogue("A: Where do you live?", f"C: I live in {town}.")
    return replace(call, conversation_id=f"conv_{day}", caller_id=ANA, started_at=START + day * DAY, language="en")


def home(memory: Mem0Memory, town: str) -> str:
    return next(m.id for m in memory.memories(TENANT, ANA) if m.value == town)


def test_how_a_memory_came_to_be_is_told(account: Account, opened: Opened) -> None:
    memory = opened(account)
    for town, day in (("Madrid", 1), ("Lisbon", 2)):
        memory.remember(lives_in(town, day))
    madrid, lisbon = home(memory, "Madrid"), home(memory, "Lisbon")
    memory.edit(TENANT, ANA, lisbon, "User lives in Porto", START + 3 * DAY)
    assert [(c.action, c.conversation_id or c.actor, c.old_text, c.new_text) for c in memory.history(TENANT, ANA, lisbon)] == [
        ("created", "conv_2", None, "User lives in Lisbon"),
        ("edited", "operator", "User lives in Lisbon", "User lives in Porto"),
    ]
    memory.delete(TENANT, ANA, lisbon, START + 4 * DAY)
    assert [(c.action, c.new_text) for c in memory.history(TENANT, ANA, lisbon)] == [
        ("created", "User lives in Lisbon"), ("deleted", None),
    ]  # fmt: skip
    assert [(c.action, c.at) for c in memory.history(TENANT, ANA, madrid)] == [
        ("created", START + DAY), ("superseded", START + 2 * DAY), ("restored", START + 4 * DAY),
    ]  # fmt: skip
    everything = memory.history(TENANT, ANA)
    assert {c.memory_id for c in everything} == {madrid, lisbon}
    assert [c.at for c in everything] == sorted(c.at for c in everything)
    assert memory.history(TENANT, ANA, "mem_none") == ()
    assert memory.history(TENANT, BEN) == ()


def test_of_what_other_software_left_mem0_tells_the_history(account: Account, opened: Opened) -> None:
    memory = opened(account)
    account.add(ANA, "User likes tea")
    (tea,) = memory.memories(TENANT, ANA)
    memory.edit(TENANT, ANA, tea.id, "User likes green tea", START)
    told = [(c.action, c.actor, c.old_text, c.new_text) for c in memory.history(TENANT, ANA, tea.id)]
    assert told == [("created", "call", None, "User likes tea"), ("edited", "operator", "User likes tea", "User likes green tea")]
    assert memory.history(TENANT, BEN, tea.id) == ()
    memory.delete(TENANT, ANA, tea.id, START)
    assert [c.action for c in memory.history(TENANT, ANA, tea.id)] == ["created", "edited", "deleted"]


def test_a_history_of_somebody_else_or_of_no_sense_is_not_told() -> None:
    told = [{"event": "ADD", "user_id": BEN, "new_memory": "x"}, {"event": "CATEGORIZE", "user_id": ANA}, "x", None]
    assert changes_told(told, ANA, "m") == ()


def test_what_mem0_says_was_replaced_is_not_current() -> None:
    held = [
        {"id": "1", "memory": "User's name is Ana", "user_id": ANA, "replaced_by": "2"},
        {"id": "2", "memory": "User likes tea", "user_id": ANA, "replaced_by": None},
    ]
    found = known(TENANT, ANA, stored(held, ANA))
    assert found is not None
    assert {(m.text, m.is_current) for m in found.records.memories} == {("User's name is Ana", False), ("User likes tea", True)}
    assert found.records.caller.name is None


def marks(account: Account) -> set[str]:
    return {m["memory"] for m in account.memories if m["metadata"].get("superseded") is True}


def test_what_is_marked_is_what_was_said_and_what_was_inferred(account: Account, opened: Opened) -> None:
    memory = opened(account)
    memory.remember(lives_in("Madrid", 1))
    before = {m["memory"]: m["metadata"] for m in account.memories}
    memory.remember(lives_in("Lisbon", 2))
    assert {text.rstrip(".") for text in marks(account)} == {"I live in Madrid", "User lives in Madrid"}
    for held in account.memories:
        if held["memory"] in marks(account):
            assert {k: v for k, v in held["metadata"].items() if k != "superseded"} == before[held["memory"]]


def test_a_mark_that_was_cut_short_is_made_when_the_delivery_comes_again(account: Account, opened: Opened) -> None:
    memory = opened(account)
    memory.remember(lives_in("Madrid", 1))
    account.fault("status", "/v1/memories/", method="PUT", status=500, times=2)
    with pytest.raises(MemoryUnavailable):
        memory.remember(lives_in("Lisbon", 2))
    account.clear()
    assert marks(account) == set()
    assert memory.remember(lives_in("Lisbon", 2)) is False
    assert len(marks(account)) == 2


def test_a_later_version_that_no_longer_contradicts_takes_the_mark_away(account: Account, opened: Opened) -> None:
    memory = opened(account)
    for town, day in (("Madrid", 1), ("Lisbon", 2)):
        memory.remember(lives_in(town, day))
    memory.remember(replace(lives_in("Lisbon", 2), turns=()))
    assert marks(account) == set()


def test_where_nothing_has_changed_nothing_is_marked_anew(account: Account, opened: Opened) -> None:
    memory = opened(account)
    for town, day in (("Madrid", 1), ("Lisbon", 2)):
        memory.remember(lives_in(town, day))
    account.clear()
    memory.remember(lives_in("Lisbon", 3))
    assert "PUT" not in {r["method"] for r in account.requests}


def test_a_turn_that_says_something_that_still_holds_is_not_marked(account: Account, opened: Opened) -> None:
    memory = opened(account)
    memory.remember(replace(lives_in("Madrid", 1), turns=dialogue("A: Yes?", "C: My name is Ana. I live in Madrid.").turns))
    memory.remember(lives_in("Lisbon", 2))
    assert {text.rstrip(".") for text in marks(account)} == {"User lives in Madrid"}


def test_words_that_another_memory_still_holds_are_not_ended() -> None:
    evidence = (Evidence("conv_1", 0),)
    past = Memory("m1", "User likes Madrid", Category.OTHER, evidence, START, metadata={"claims": [{"text": "User likes Madrid"}]})
    current = replace(past, id="m2")
    past = replace(past, superseded_by="m3")
    assert ended([past]).said == {("conv_1", "user likes madrid")}
    assert (ended([past, current]).said, ended([past, current]).turns) == (frozenset(), frozenset())


def test_a_turn_loses_its_mark_though_mem0_inferred_nothing_of_the_kind(account: Account, opened: Opened) -> None:
    memory = opened(account)
    for town, day in (("Madrid", 1), ("Lisbon", 2)):
        memory.remember(lives_in(town, day))
    for held in account.memories:
        if held["metadata"]["record"] == "inferred":
            account.call("DELETE", f"/v1/memories/{held['id']}/")
    assert len(marks(account)) == 1
    memory.remember(lives_in("Madrid", 3))
    assert not [text for text in marks(account) if "Madrid" in text]
