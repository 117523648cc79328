"""What every extractor keeps, whatever it reads the call with."""

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agentic_memory.backends.extractors.openai_compatible import OpenAIExtractor
from agentic_memory.bootstrap import RulesOnDemand
from agentic_memory.domain.call import Call, Role, Turn, TurnKind
from agentic_memory.domain.memory import Fact
from agentic_memory.engine.extract.rules import RuleExtractor
from agentic_memory.ports import Extractor
from tests.openai_server import completion, openai_server
from tests.unit.extract.calls import dialogue

CALL = replace(
    dialogue(
        "A: Hello! Could you please tell me your name?",
        "C: My name is Ana. I prefer email updates. We adopted two greyhounds.",
        "A: Thank you, Ana. I will send you the form.",
        "C: I live in Lisbon, and I will call back tomorrow.",
        summary="Ana asked for the form.",
        preferred_contact="email",
    ),
    language="en",
)
LEARNT = {
    "text": "User adopted two greyhounds", "category": "profile", "turn": 1, "quote": "adopted two greyhounds",
    "slot": None, "value": None, "importance": 0.6, "sensitive": False,
}  # fmt: skip
INVENTED = {**LEARNT, "text": "User owns a boat", "quote": "I own a boat"}


@pytest.fixture(scope="module", params=["rules", "rules on demand", "openai", "openai_down"])
def extractor(request: pytest.FixtureRequest) -> Iterator[Extractor]:
    rules: Extractor = RuleExtractor() if request.param == "rules" else RulesOnDemand()
    if request.param.startswith("rules"):
        yield rules
        return
    answer = completion({"facts": [LEARNT, INVENTED]}) if request.param == "openai" else completion("no JSON")
    with openai_server(answer) as server:
        made = OpenAIExtractor(rules, base_url=server.base_url, model="test", api_key="none", timeout=5.0, on_fallback=lambda cause: None)
        yield made
        made.close()


def _rests_on_the_call(fact: Fact, call: Call) -> bool:
    evidence = fact.evidence
    if evidence.turn is None:
        return bool(evidence.field)
    turn = call.turns[evidence.turn]
    return bool(evidence.quote) and str(evidence.quote) in turn.text


def test_every_fact_has_its_evidence(extractor: Extractor) -> None:
    facts = extractor.extract(CALL)
    assert facts
    for fact in facts:
        assert fact.evidence.conversation_id == CALL.conversation_id
        assert _rests_on_the_call(fact, CALL), fact


def test_a_model_is_heard(request: pytest.FixtureRequest, extractor: Extractor) -> None:
    heard = [fact for fact in extractor.extract(CALL) if "greyhounds" in fact.text]
    assert bool(heard) == ("[openai]" in request.node.name)


def test_what_nobody_said_is_not_a_fact(extractor: Extractor) -> None:
    assert not [fact for fact in extractor.extract(CALL) if "boat" in fact.text]


def test_what_the_platform_reported_is_kept(extractor: Extractor) -> None:
    fields = {fact.evidence.field for fact in extractor.extract(CALL)}
    assert {"summary", "data_collection.preferred_contact"} <= fields


def test_facts_come_in_the_order_of_the_call(extractor: Extractor) -> None:
    turns = [fact.evidence.turn for fact in extractor.extract(CALL) if fact.evidence.turn is not None]
    assert turns == sorted(turns)


def test_the_same_call_teaches_the_same(extractor: Extractor) -> None:
    assert extractor.extract(CALL) == extractor.extract(CALL)


def test_nothing_is_learnt_from_tools_and_backchannels(extractor: Extractor) -> None:
    kinds = (TurnKind.TOOL, TurnKind.BACKCHANNEL)
    said = tuple(Turn(i, Role.CALLER, "My name is Ana. I live in Lisbon.", i, kind) for i, kind in enumerate(kinds))
    quiet = replace(CALL, turns=said, summary=None, collected=())
    assert not extractor.extract(quiet)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(max_size=200), max_size=6))
def test_any_words_are_read(texts: list[str]) -> None:
    call = replace(CALL, turns=tuple(Turn(i, Role.CALLER, text, i) for i, text in enumerate(texts)))
    for fact in RuleExtractor().extract(call):
        assert _rests_on_the_call(fact, call)
        assert json.dumps(fact.text)
