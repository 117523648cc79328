"""The demonstration's conversations hold what they promise."""

import json
import re

import pytest

from agentic_memory.domain.call import Call
from agentic_memory.domain.delivery import CallEnded, dedupe_key
from agentic_memory.interfaces.demo.script import CALLS, LUCIA, QUESTIONS, STEFAN, DemoCall
from agentic_memory.platforms.elevenlabs.platform import ElevenLabs

RESERVED = re.compile(r"\+155501000\d\d")
LAST_DAY = "2026-11-20"


def parsed(call: DemoCall) -> Call:
    body = json.dumps(call.webhook()).encode()
    (event,) = ElevenLabs().parse(body, "default", 0.0)
    assert isinstance(event, CallEnded)
    return event.call


@pytest.mark.parametrize("call", CALLS, ids=lambda c: c.name)
def test_each_is_a_whole_conversation(call: DemoCall) -> None:
    told = parsed(call)
    assert 8 <= len(told.turns) <= 14
    assert {turn.role.value for turn in told.spoken_turns} == {"agent", "caller"}
    assert (told.title, told.summary, told.language) == (call.title, call.summary, call.language)
    assert told.started_at == call.started_at
    assert told.hints.external_number == call.number
    assert RESERVED.fullmatch(call.number)


def test_they_are_played_in_order_of_their_days() -> None:
    began = [call.began for call in CALLS]
    assert began == sorted(began)
    assert len({day.partition("T")[0] for day in began}) == len(CALLS)
    assert began[-1] < LAST_DAY


def test_four_of_stefan_and_one_of_lucia_in_spanish() -> None:
    assert [call.number for call in CALLS].count(STEFAN) == 4
    (lucia,) = (call for call in CALLS if call.number == LUCIA)
    assert lucia.language == "es"


def test_no_two_are_the_same_delivery() -> None:
    platform = ElevenLabs()
    bodies = [json.dumps(call.webhook()).encode() for call in CALLS]
    assert len({dedupe_key(platform.envelope(body), body) for body in bodies}) == len(CALLS)


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda q: q.answer)
def test_each_answer_was_said_by_the_one_it_is_asked_of(question: object) -> None:
    assert isinstance(question, type(QUESTIONS[0]))
    said = [t.text for call in CALLS if call.number == question.number for t in parsed(call).spoken_turns]
    assert any(question.answer in text for text in said)
