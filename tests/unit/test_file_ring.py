"""A ring kept by number, where asked for: behind the answer, whole, without secrets, and gone with its caller."""

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentic_memory.errors import ArchiveUnavailable
from agentic_memory.interfaces.http import Request
from agentic_memory.interfaces.wiring import endpoints
from agentic_memory.service.file_ring import AnsweredRing, key_of, message_of, name_in_key, ring_in
from tests.wire import LUCIA, OURS, STEFAN, WORKSPACE_KEY, House, post_call

Build = Callable[..., House]
WHEN = "20261118T110640Z"
"""The frozen clock's moment."""


def kept(house: House) -> dict[str, bytes]:
    archive = house.services.storage.archive
    return {entry.key: archive.get(entry.key) for entry in archive.entries("client-data/")}


def ring(house: House, caller: object = STEFAN, **fields: object) -> bytes:
    """One ring with what is done behind its answer; the answer's body."""
    response = house.ring(caller, **fields)
    assert response.status == 200
    if response.afterwards is not None:
        response.afterwards()
    return response.body


def test_nothing_is_kept_unless_it_is_asked_for(house: House) -> None:
    ring(house, call_sid="CA1")
    assert kept(house) == {}


def test_what_was_asked_and_told_is_kept_by_number(build: Build) -> None:
    house = build(archive_client_data="on")
    told = ring(house, call_sid="CA1")
    folder = f"client-data/{STEFAN}/{WHEN}_CA1"
    assert set(kept(house)) == {f"{folder}/received.json", f"{folder}/response.json"}
    asked = {"caller_id": STEFAN, "agent_id": "agent_test", "called_number": OURS, "call_sid": "CA1"}
    assert kept(house)[f"{folder}/received.json"] == json.dumps(asked).encode()
    assert kept(house)[f"{folder}/response.json"] == told


def test_it_is_kept_behind_the_answer(build: Build) -> None:
    house = build(archive_client_data="on")
    response = house.ring(STEFAN)
    assert kept(house) == {}
    assert response.afterwards is not None


def test_no_secret_is_kept(build: Build) -> None:
    house = build(archive_client_data="on", retrieve_auth="token")
    told = json.loads(ring(house))
    assert told["dynamic_variables"].pop("secret__memory_token")
    (response,) = [body for key, body in kept(house).items() if key.endswith("response.json")]
    assert json.loads(response) == told
    assert not any(b"secret__" in body or WORKSPACE_KEY.encode() in body for body in kept(house).values())


def test_a_late_answer_is_kept_too(build: Build) -> None:
    house = build(archive_client_data="on")
    body = json.dumps({"caller_id": STEFAN, "call_sid": "CA2"}).encode()
    asked = Request("POST", "/client-data", {"x-workspace-key": WORKSPACE_KEY}, {}, body)
    response = endpoints(house.services).client_data_late(asked)
    assert response.afterwards is not None
    response.afterwards()
    assert kept(house)[f"client-data/{STEFAN}/{WHEN}_CA2/received.json"] == body


@pytest.mark.parametrize("caller", ["anonymous", "", None])
def test_nobodys_ring_is_kept_where_no_person_lies(build: Build, caller: object) -> None:
    house = build(archive_client_data="on")
    ring(house, caller, call_sid="CA1")
    assert {key.rpartition("/")[0] for key in kept(house)} == {f"client-data/unknown/{WHEN}_CA1"}


def test_without_the_carriers_id_the_platforms_is_taken_and_else_the_bodys_own(build: Build) -> None:
    house = build(archive_client_data="on")
    ring(house, conversation_id="conv_7")
    ring(house)
    ring(house, called_number="+15550199001")
    calls = {key.split("/")[2].removeprefix(f"{WHEN}_") for key in kept(house)}
    assert "conv_7" in calls
    assert len(calls) == 3


def test_a_ring_is_answered_though_it_cannot_be_kept(build: Build, caplog: pytest.LogCaptureFixture) -> None:
    house = build(archive_client_data="on")

    def down(_: AnsweredRing) -> None:
        raise ArchiveUnavailable(reason="no disk")

    object.__setattr__(house.services.storage, "keep_ring", down)
    with caplog.at_level("WARNING", "agentic_memory"):
        ring(house)
    assert [r.getMessage() for r in caplog.records if r.getMessage() == "ring_not_kept"] == ["ring_not_kept"]
    assert STEFAN not in caplog.text


def test_erasing_a_caller_takes_their_rings_and_nobody_elses(build: Build) -> None:
    house = build(archive_client_data="on")
    for caller in (STEFAN, LUCIA, f"{STEFAN}1"):
        ring(house, caller, call_sid="CA1")
    assert house.services.forget.survey(STEFAN).archived == 2
    assert house.services.forget(STEFAN)
    assert {key.split("/")[1] for key in kept(house)} == {LUCIA, f"{STEFAN}1"}
    assert not house.services.forget(STEFAN)


def test_a_survey_counts_and_changes_nothing(house: House) -> None:
    house.remember(post_call("conv_1", STEFAN, [("user", "I keep bees. My name is Stefan.")]))
    house.hang_up(post_call("conv_2", STEFAN, [("user", "I like tea.")]))
    house.hang_up(post_call("conv_3", STEFAN, [("user", "I like tea.")]), key="wrong")
    before = [house.services.forget.survey(STEFAN) for _ in range(2)]
    assert before[0] == before[1]
    assert (before[0].conversations, before[0].archived, before[0].deliveries) == (1, 1, 2)
    assert before[0].memories > 0
    assert house.services.forget(STEFAN)
    after = house.services.forget.survey(STEFAN)
    assert (after.conversations, after.memories, after.archived, after.deliveries) == (0, 0, 0, 0)


@given(st.text(max_size=30), st.text(max_size=30))
def test_two_names_never_share_a_key(one: str, other: str) -> None:
    a, b = name_in_key(one), name_in_key(other)
    assert (a == b) == (one == other)
    assert a
    assert not set(a) & set("/.\0")


@given(st.none() | st.text(), st.none() | st.text(), st.binary(), st.binary())
def test_a_ring_travels_by_a_message(person: str | None, call: str | None, received: bytes, told: bytes) -> None:
    given_ring = AnsweredRing(person, call, 1_795_000_000.0, received, told)
    message = message_of(given_ring)
    assert message.isascii()
    assert ring_in(message) == given_ring
    assert key_of(given_ring).startswith("client-data/")


@pytest.mark.parametrize("message", [None, 7, "", "{", "[]", '{"ring": {}}', '{"key": "inbox/x"}', "\udc80"])
def test_what_is_no_ring_is_none(message: object) -> None:
    assert ring_in(message) is None
