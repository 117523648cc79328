from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentic_memory.domain.initiation import Initiation, Ring
from agentic_memory.engine.identity import PhoneBook
from agentic_memory.errors import InvalidField, MissingField, RequestError
from agentic_memory.platforms.elevenlabs.initiation import answer, ring
from tests.unit.elevenlabs.payloads import document


@pytest.mark.parametrize(
    ("name", "person"),
    [
        ("ring_twilio_inbound", "+15550100001"),
        ("ring_sip_inbound", "+15550100005"),
        ("ring_whatsapp_inbound", "+15550100009"),
        ("ring_outbound", "+15550100006"),
    ],
)
def test_who_it_rings_for(name: str, person: str) -> None:
    assert PhoneBook(("+15550199001",)).person_at_ring(ring(document(name))) == person


def test_all_fields() -> None:
    assert ring(document("ring_twilio_inbound")) == Ring("+15550100001", "+15550199001", "agent_garden", "CA-garden", "conv_ring")


def test_caller_id_must_be_there() -> None:
    with pytest.raises(MissingField, match=r"^Missing caller_id$"):
        ring({"called_number": "+15550199001"})


@pytest.mark.parametrize(("given_", "expected"), [(None, ""), ("", ""), (15550100001, "15550100001"), (15550100001.0, "15550100001"), ("a\ud800\u0007", "a\ufffd ")])
def test_caller_ids_that_are_borne(given_: object, expected: str) -> None:
    assert ring({"caller_id": given_}).caller_id == expected


@pytest.mark.parametrize("field", ["caller_id", "called_number", "agent_id", "call_sid", "conversation_id"])
@pytest.mark.parametrize("odd", [True, 1.5, [], {}])
def test_wrong_types_are_named(field: str, odd: object) -> None:
    with pytest.raises(InvalidField, match=f"Invalid {field}: expected a string"):
        ring({"caller_id": "+15550100001", field: odd})


def test_ids_that_name_nothing_are_left_out() -> None:
    found = ring({"caller_id": "x", "agent_id": " ", "conversation_id": "c" * 257})
    assert (found.agent_id, found.conversation_id) == (None, None)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(["caller_id", "called_number", "agent_id", "call_sid", "conversation_id", "z"]), st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text())))
def test_total(payload: dict[str, Any]) -> None:
    try:
        found = ring(payload)
    except RequestError:
        return
    found.caller_id.encode()


def test_answer_whole() -> None:
    told = Initiation({"caller_name": "Stefan", "secret__memory_token": "t"}, "Be kind.", "Hello Stefan!", "es")
    assert answer(told) == {
        "type": "conversation_initiation_client_data",
        "dynamic_variables": {"caller_name": "Stefan", "secret__memory_token": "t"},
        "conversation_config_override": {"agent": {"prompt": {"prompt": "Be kind."}, "first_message": "Hello Stefan!", "language": "es"}},
    }


@pytest.mark.parametrize("empty", [None, ""])
def test_what_is_not_overridden_is_left_out(empty: str | None) -> None:
    told = Initiation({"caller_name": ""}, empty, empty, empty)
    assert answer(told) == {"type": "conversation_initiation_client_data", "dynamic_variables": {"caller_name": ""}}
    assert answer(Initiation({}, None, "Hi.")) == {"type": "conversation_initiation_client_data", "conversation_config_override": {"agent": {"first_message": "Hi."}}}


def test_only_texts_under_our_own_names_are_sent() -> None:
    odd: Any = {"caller_name": "Ana", "count": 4, "nothing": None, "system__caller_id": "x"}
    assert answer(Initiation(odd))["dynamic_variables"] == {"caller_name": "Ana"}
