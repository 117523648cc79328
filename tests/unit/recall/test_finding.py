import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentic_memory.domain.memory import Found, MemoryKind
from agentic_memory.domain.records import CallerRecords
from agentic_memory.engine.recall import CallerIndex, asked, explain, search
from tests.unit.recall.people import JUNE, MAY, MODEL, NOW, call, fact, letters, records

DENTIST = call(
    "c1", MAY,
    "agent: Hello, how can I help you today?",
    "caller: I have an appointment with doctor Keller, the dentist.",
    "tool: {\"found\": true}",
    "agent: Which day suits you best?",
    "caller: Thursday at ten, please.",
)
GARDEN = call(
    "c2", JUNE,
    "agent: Welcome back, what is new?",
    "caller: My tomatoes in the garden are finally ripe.",
    "agent: I recommend to pick them in the morning.",
)


def ask(held: CallerRecords, query: str, limit: int = 3, at: float = NOW, *, by_words: bool = False) -> tuple[Found, ...]:
    index = CallerIndex.build(held, MODEL)
    question = asked(index, query, at)
    return search(index, question, None if by_words else letters([question.dense])[0], limit)


def test_finds_the_turn_and_names_where_it_was_said() -> None:
    best = ask(records(DENTIST, GARDEN), "What does Ana grow in her garden?")[0]
    assert (best.conversation_id, best.turn, best.turns) == ("c2", 1, (1,))
    assert best.quote == "My tomatoes in the garden are finally ripe."
    assert best.text == "[3 Jun 2026] Caller: My tomatoes in the garden are finally ripe."
    assert (best.kind, best.at, best.superseded) == (MemoryKind.SEMANTIC, JUNE, False)


def test_turn_is_the_index_in_the_transcript_tool_turns_counted() -> None:
    assert ask(records(DENTIST), "Thursday at ten", limit=1)[0].turn == 4


def test_tool_turns_are_never_found() -> None:
    assert all(f.turn != 2 for f in ask(records(DENTIST), "found true", limit=50))


def test_words_alone_find_when_there_is_no_vector() -> None:
    assert ask(records(DENTIST, GARDEN), "tomatoes", by_words=True)[0].turn == 1
    assert ask(records(DENTIST, GARDEN, embed=None), "tomatoes")[0].turn == 1


def test_accents_do_not_matter_to_words() -> None:
    held = records(call("c1", MAY, "caller: Vivo en Málaga con mi perro.", "caller: Me gusta el té."))
    assert ask(held, "malaga", by_words=True)[0].turn == 0


def test_vectors_of_another_model_or_another_length_are_not_compared() -> None:
    index = CallerIndex.build(records(DENTIST, model="other@1"), MODEL)
    assert not index.has_vectors
    index = CallerIndex.build(records(DENTIST), MODEL)
    assert search(index, asked(index, "dentist", NOW), np.ones(7, dtype=np.float32), 1)[0].turn == 1


def test_no_vectors_of_a_lexical_only_embedder() -> None:
    index = CallerIndex.build(records(DENTIST, embed=lambda texts: np.empty((len(texts), 0), dtype=np.float32)), MODEL)
    assert search(index, asked(index, "dentist", NOW), np.empty(0, dtype=np.float32), 1)[0].turn == 1


def test_a_question_about_the_agent_prefers_what_the_agent_said() -> None:
    held = records(call("c1", MAY, "caller: pick cherries in the morning", "agent: hm", "agent: hm hm", "agent: pick cherries in the morning!"))
    assert ask(held, "What did you recommend, pick cherries in the morning?", limit=1)[0].turn == 3
    assert ask(held, "Did Ana pick cherries in the morning?", limit=1)[0].turn == 0


def test_the_answer_is_found_by_the_words_of_the_question_before_it() -> None:
    held = records(
        call("c1", MAY, "agent: Hello.", "caller: Hello.", "agent: What is your favourite dessert?", "caller: Tiramisu.", "agent: Good."),
        embed=None,
    )
    assert {f.turn for f in ask(held, "favourite dessert", limit=2)} == {2, 3}


def test_of_equals_the_later_wins_unless_before_is_asked_for() -> None:
    plans = (call(c, at, "agent: Hi.", "caller: Hi.", f"caller: My plan is {plan}.") for c, at, plan in (("c1", MAY, "red"), ("c2", JUNE, "tan")))
    held = records(*plans, embed=None)
    assert ask(held, "Which plan does Ana have?", limit=1)[0].conversation_id == "c2"
    assert ask(held, "Which plan did Ana have before?", limit=1)[0].conversation_id == "c1"


def test_an_answer_of_a_few_words_comes_with_its_question() -> None:
    best = ask(records(DENTIST), "Thursday at ten", limit=1)[0]
    assert best.text == "[3 May 2026] Agent: Which day suits you best? Caller: Thursday at ten, please."
    assert (best.turn, best.turns, best.quote) == (4, (3, 4), "Thursday at ten, please.")


def test_turns_name_only_what_the_text_holds() -> None:
    held = records(call("c1", MAY, "agent: Is it? I see that you have a garden there.", "caller: Yes, with tomatoes."))
    best = ask(held, "tomatoes", limit=1)[0]
    assert (best.text, best.turns) == ("[3 May 2026] Agent: Is it? Caller: Yes, with tomatoes.", (0, 1))
    held = records(call("c1", MAY, "agent: See https://x.test?id=1 for it.", "caller: Yes, with tomatoes."))
    best = ask(held, "tomatoes", limit=1)[0]
    assert (best.text, best.turns) == ("[3 May 2026] Caller: Yes, with tomatoes.", (1,))


def test_a_question_that_names_a_month_prefers_calls_of_that_month() -> None:
    held = records(call("c1", MAY, "caller: We went to the lake."), call("c2", JUNE, "caller: We went to the lake!"))
    assert ask(held, "When did Ana go to the lake in June?")[0].conversation_id == "c2"
    assert ask(held, "When did Ana go to the lake in May?")[0].conversation_id == "c1"


def test_a_fact_leads_to_the_turn_it_was_learnt_from() -> None:
    held = records(
        call("c1", MAY, "caller: Sure, electronic post is what I like.", "caller: Bye now.", "caller: See you."),
        memories=[fact("m1", "User prefers email", "c1", 0)],
        embed=None,
    )
    assert ask(held, "prefers email")[0].turn == 0


def test_a_fact_that_no_turn_says_is_a_result_of_its_own() -> None:
    held = records(DENTIST, memories=[fact("m1", "User's plan is Gold", "c1", None, field="data_collection.plan")], embed=None)
    best = ask(held, "Which plan, Gold?")[0]
    assert (best.id, best.kind, best.conversation_id, best.turn, best.turns, best.quote) == ("m1", MemoryKind.FACTUAL, "c1", None, (), None)
    assert best.text == "[3 May 2026] User's plan is Gold"


def test_an_expired_fact_is_not_found() -> None:
    held = records(DENTIST, memories=[fact("m1", "User's plan is Gold", "c1", None, field="summary", expires_at=JUNE)])
    assert ask(held, "plan Gold", at=MAY)[0].id == "m1"
    assert "m1" not in [f.id for f in ask(held, "plan Gold", limit=50, at=JUNE)]


def test_the_value_that_holds_comes_before_the_one_that_held() -> None:
    held = records(
        call("c1", MAY, "caller: I live in Bern, in Bern I live."),
        call("c2", JUNE, "caller: I have moved, I live in Basel."),
        memories=[fact("m1", "User lives in Bern", "c1", 0, superseded_by="m2"), fact("m2", "User lives in Basel", "c2", 0, JUNE)],
    )
    now = ask(held, "Does Ana live in Bern?")
    assert [f.conversation_id for f in now] == ["c2", "c1"]
    assert [f.superseded for f in now] == [False, True]
    assert now[1].text == "[3 May 2026] Caller: I live in Bern, in Bern I live. (no longer true)"
    assert [f.conversation_id for f in ask(held, "Where did Ana live before?")] == ["c1", "c2"]


def test_a_named_time_decides_which_value_is_meant() -> None:
    held = records(
        call("c1", MAY, "caller: I live in Bern, in Bern I live."),
        call("c2", JUNE, "caller: I have moved, I live in Basel."),
        memories=[fact("m1", "User lives in Bern", "c1", 0, superseded_by="m2"), fact("m2", "User lives in Basel", "c2", 0, JUNE)],
    )
    assert [f.conversation_id for f in ask(held, "Where did Ana live in the first call?")] == ["c1", "c2"]
    assert [f.conversation_id for f in ask(held, "Where did Ana live?")] == ["c2", "c1"]


def test_of_what_holds_in_part_it_is_said() -> None:
    held = records(
        call("c1", MAY, "caller: I am Ana and I live in Bern."),
        call("c2", JUNE, "caller: I have moved, I live in Basel."),
        memories=[
            fact("m1", "User lives in Bern", "c1", 0, superseded_by="m2"),
            fact("m2", "User lives in Basel", "c2", 0, JUNE),
            fact("m3", "User's name is Ana", "c1", 0),
        ],
    )
    found = ask(held, "Where does Ana live?")
    assert [(f.conversation_id, f.superseded) for f in found] == [("c2", False), ("c1", False)]
    assert found[1].text == "[3 May 2026] Caller: I am Ana and I live in Bern. (partly no longer true)"


def test_the_same_words_are_given_once() -> None:
    held = records(call("c1", MAY, "caller: I like chess.", "agent: Nice.", "caller: I like chess."))
    assert sum(f.quote == "I like chess." for f in ask(held, "chess", limit=10)) == 1


def test_similarity_is_weak_for_what_was_never_said() -> None:
    held = records(DENTIST, GARDEN)
    said = ask(held, "appointment with the dentist Keller")[0].similarity
    assert said > 0.6 > 2 * ask(held, "xylophone quiz", by_words=True)[0].similarity


def test_explanation_sums_to_the_order() -> None:
    index = CallerIndex.build(records(DENTIST, GARDEN), MODEL)
    question = asked(index, "When is the appointment with the dentist?", NOW)
    found = explain(index, question, letters([question.dense])[0], 5)
    assert [e.total for e in found] == sorted((e.total for e in found), reverse=True)
    assert {"words", "meaning", "speaker", "kind"} <= set(found[0].steps)
    assert all(math.isfinite(v) for e in found for v in e.steps.values())


@pytest.mark.parametrize("limit", [0, -1])
def test_no_room_no_results(limit: int) -> None:
    assert ask(records(DENTIST), "dentist", limit=limit) == ()


def test_a_caller_without_calls_has_no_results() -> None:
    assert ask(records(name=None), "anything") == ()


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(st.text(min_size=1, max_size=40), max_size=6), max_size=4),
    st.text(max_size=60),
    st.integers(1, 12),
    st.floats(allow_nan=False, allow_infinity=False, width=32),
    st.booleans(),
)
def test_any_words_give_results_of_this_caller_with_their_evidence(
    said: list[list[str]], query: str, limit: int, at: float, by_words: bool
) -> None:
    calls = [call(f"c{i}", MAY + i, *(f"caller: {text}" for text in texts)) for i, texts in enumerate(said)]
    held = records(*calls)
    found = ask(held, query, limit, at, by_words=by_words)
    assert len(found) <= limit
    assert found == ask(held, query, limit, at, by_words=by_words)
    assert [f.similarity for f in found] == sorted((f.similarity for f in found), reverse=True)
    texts = {(c.conversation_id, t.index): t.text for c in calls for t in c.turns}
    for f in found:
        assert 0 <= f.similarity <= 1
        assert f.turn is not None and f.quote == texts[f.conversation_id, f.turn]
        assert "\n" not in f.text and len(f.text) <= 330
