"""Rings answered without a thread: what was told stands exactly as long as what it rests on."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from agentic_memory import bootstrap
from agentic_memory.backends.sqlite.database import Database
from agentic_memory.backends.sqlite.records import SqliteRecords
from agentic_memory.bootstrap import Services
from agentic_memory.domain.caller import DEFAULT_TENANT, Caller
from agentic_memory.errors import StorageLocked
from agentic_memory.interfaces import at_hand as module
from agentic_memory.interfaces import server, wiring
from agentic_memory.interfaces.asgi import App
from agentic_memory.interfaces.http import Request, Response
from agentic_memory.settings import read
from tests.fakes import FrozenClock
from tests.unit.test_asgi import exchange
from tests.wire import LUCIA, STEFAN, WORKSPACE_KEY, House, environment, post_call

Build = Callable[..., House]


@pytest.fixture
def build(tmp_path: Path) -> Iterator[Build]:
    """Make a house over a file, which several processes may write."""
    built: list[Services] = []
    (tmp_path / "agents").mkdir()

    def make(**given: str) -> House:
        clock = FrozenClock()
        built.append(bootstrap.build(read(environment(tmp_path, **given), folder=tmp_path), clock))
        return House(built[-1], clock)

    yield make
    for services in built:
        services.close()


@pytest.fixture
def house(build: Build) -> House:
    return build()


def request(caller: str = STEFAN, key: str = WORKSPACE_KEY, **fields: object) -> Request:
    body = json.dumps({"caller_id": caller, "agent_id": "agent_test", **fields}).encode()
    return Request("POST", "/client-data", {"x-workspace-key": key}, body=body)


class Door:
    """The endpoints, asked as the ASGI door asks them; says whether a thread was needed."""

    def __init__(self, house: House) -> None:
        self.endpoints = wiring.endpoints(house.services)

    def ring(self, caller: str = STEFAN, **fields: object) -> tuple[bool, Response]:
        begun = self.endpoints.client_data_begin(request(caller, **fields))
        if isinstance(begun, Response):
            return False, begun
        return True, begun()

    def threaded(self, caller: str = STEFAN, **fields: object) -> bool:
        return self.ring(caller, **fields)[0]

    def name(self, caller: str = STEFAN, **fields: object) -> str:
        return json.loads(self.ring(caller, **fields)[1].body)["dynamic_variables"]["caller_name"]


@pytest.fixture
def known(house: House) -> House:
    house.remember(post_call("conv_1", collected={"user_name": "Stefan"}))
    return house


def test_the_second_ring_needs_no_thread_and_tells_the_same(known: House) -> None:
    door = Door(known)
    first, second = door.ring(), door.ring()
    assert (first[0], second[0]) == (True, False)
    assert (first[1].status, first[1].body, first[1].headers) == (second[1].status, second[1].body, second[1].headers)
    assert known.services.metrics.exposition().count(b'agentic_memory_briefs_total{tier="fresh"} 2.0') == 1


def test_another_agent_and_another_caller_have_answers_of_their_own(known: House) -> None:
    door = Door(known)
    assert door.threaded()
    assert door.threaded(agent_id="agent_other")
    assert door.threaded(LUCIA)
    assert not door.threaded(LUCIA)
    assert (door.name(), door.name(LUCIA)) == ("Stefan", "")


def test_a_call_that_is_remembered_is_told_at_the_next_ring(known: House) -> None:
    door = Door(known)
    before = door.ring()[1]
    known.remember(post_call("conv_2", summary="The caller wants a new kettle.", at=1_794_100_000))
    threaded, after = door.ring()
    assert threaded
    assert (b"kettle" in before.body, b"kettle" in after.body) == (False, True)


def test_another_process_that_writes_is_seen_by_the_next_ring(known: House) -> None:
    door = Door(known)
    assert (door.threaded(), door.threaded()) == (True, False)
    database = known.services.storage.database
    assert database is not None
    other = Database(database.path)
    try:
        assert SqliteRecords(other).erase(DEFAULT_TENANT, STEFAN)
    finally:
        other.close()
    threaded, told = door.ring()
    variables = json.loads(told.body)["dynamic_variables"]
    assert threaded
    assert (variables["caller_name"], variables["returning_caller"]) == ("", "no")


def test_an_erased_caller_is_dropped_from_memory(known: House) -> None:
    door = Door(known)
    door.ring()
    at_hand = door.endpoints._cases.at_hand
    assert at_hand is not None
    assert b"Stefan" in b"".join(answer.body for answer in at_hand._answers.values())
    known.services.forget(STEFAN)
    assert not at_hand._answers
    assert door.name() == ""


def test_an_answer_made_while_its_caller_was_erased_is_not_kept(known: House) -> None:
    door = Door(known)
    begun = door.endpoints.client_data_begin(request())
    assert not isinstance(begun, Response)
    brief = known.services.engine.brief
    def erased_meanwhile(*who: str):
        found = brief(*who)
        known.services.brief_caller.drop(DEFAULT_TENANT, STEFAN)
        return found

    known.services.brief_caller._backend = type("Backend", (), {"brief": staticmethod(erased_meanwhile)})()
    begun()
    at_hand = door.endpoints._cases.at_hand
    assert at_hand is not None and not at_hand._answers


def test_a_profile_that_changes_is_told_within_a_second(build: Build, tmp_path: Path) -> None:
    profile = tmp_path / "agents" / "agent_test.toml"
    profile.write_text('prompt = "You sell kettles."\n')
    house = build()
    door = Door(house)
    assert b"kettles" in door.ring()[1].body
    assert not door.threaded()
    profile.write_text('prompt = "You sell umbrellas now."\n')
    house.clock.tick(module.PROFILE_SECONDS + 0.1)
    threaded, told = door.ring()
    assert threaded
    assert b"umbrellas" in told.body


def test_an_old_profile_read_by_another_callers_ring_is_not_told(build: Build, tmp_path: Path) -> None:
    profile = tmp_path / "agents" / "agent_test.toml"
    profile.write_text('prompt = "You sell kettles."\n')
    house = build()
    door = Door(house)
    door.ring()
    profile.write_text('prompt = "You sell umbrellas now."\n')
    house.clock.tick(module.PROFILE_SECONDS + 0.1)
    door.ring(LUCIA)
    threaded, told = door.ring()
    assert threaded
    assert b"umbrellas" in told.body


def test_what_nobody_asked_for_in_a_while_is_made_by_a_thread(known: House) -> None:
    door = Door(known)
    door.ring()
    known.clock.tick(module.ANSWER_SECONDS + 1)
    door.ring(LUCIA)
    assert door.threaded()


def test_a_token_is_made_for_each_ring(build: Build) -> None:
    house = build(retrieve_auth="token")
    door = Door(house)
    assert door.threaded() and door.threaded()


def test_nobody_and_bad_keys_are_answered_as_ever(known: House) -> None:
    door = Door(known)
    assert door.threaded("anonymous") and door.threaded("anonymous")
    app = server.application(known.services)
    refused = asyncio.run(exchange(app, "/client-data", [request().body], x_workspace_key="no"))
    assert refused[0] == 401


def test_a_store_that_cannot_be_looked_at_leaves_it_to_a_thread(known: House) -> None:
    def locked(*_: str) -> Caller:
        raise StorageLocked(seconds=0)

    services = replace(known.services, storage=replace(known.services.storage, glance=locked))
    door = Door(House(services, known.clock))
    assert door.threaded() and door.threaded()
    assert door.name() == "Stefan"


def test_after_a_slow_look_rings_go_by_threads_for_a_while(known: House) -> None:
    glance = known.services.storage.glance
    assert glance is not None

    def slow(*who: str) -> Caller | None:
        known.clock.tick(module.SLOW_SECONDS + 0.01)
        return glance(*who)

    services = replace(known.services, storage=replace(known.services.storage, glance=slow))
    door = Door(House(services, known.clock))
    assert [door.threaded() for _ in range(3)] == [True, False, True]
    known.clock.tick(module.REST_SECONDS)
    door.ring(LUCIA)
    assert not door.threaded()


def test_answers_are_bounded(known: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_ANSWERS", 2)
    door = Door(known)
    for caller in (STEFAN, LUCIA, "+15550100055"):
        door.ring(caller)
    assert not door.threaded(LUCIA)
    assert door.threaded(STEFAN)


def test_a_ring_at_hand_is_noted_and_its_caller_warmed_when_that_is_due(known: House) -> None:
    door = Door(known)
    door.ring()
    _, second = door.ring(conversation_id="conv_second")
    _, third = door.ring(conversation_id="conv_third")
    assert (second.afterwards_waits, third.afterwards_waits) == (True, False)
    for told in (second, third):
        assert told.afterwards is not None
        told.afterwards()
    assert known.services.cache.stats.callers == 1
    for conversation in ("conv_second", "conv_third"):
        assert known.services.storage.records.person_of(DEFAULT_TENANT, conversation) == STEFAN
    known.clock.tick(module.WARM_SECONDS + 1)
    door.ring(LUCIA)
    assert door.ring()[1].afterwards_waits


def test_somebody_who_never_called_is_noted_without_a_thread(known: House) -> None:
    _, told = Door(known).ring(LUCIA, conversation_id="conv_new")
    assert told.afterwards is not None and not told.afterwards_waits
    told.afterwards()
    assert known.services.storage.records.person_of(DEFAULT_TENANT, "conv_new") == LUCIA


def test_the_door_answers_from_its_loop_and_notes_behind_the_answer(known: House) -> None:
    glance = known.services.storage.glance
    assert glance is not None
    looks: list[str] = []

    def look(*who: str) -> Caller | None:
        looks.append(threading.current_thread().name)
        return glance(*who)

    app: App = server.application(replace(known.services, storage=replace(known.services.storage, glance=look)))
    asked = [request(conversation_id=f"conv_{n}").body for n in range(3)]

    async def rings() -> list[bytes]:
        return [(await exchange(app, "/client-data", [body], x_workspace_key=WORKSPACE_KEY))[2] for body in asked]

    told = asyncio.run(rings())
    assert len(set(told)) == 1
    assert looks == [threading.current_thread().name] * 2
    assert known.services.storage.records.person_of(DEFAULT_TENANT, "conv_2") == STEFAN
