"""Whatever is asked: results are the caller's own and name the words they rest on."""

from itertools import pairwise

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from agentic_memory.domain.caller import DEFAULT_TENANT
from tests.recall.calls import Person, everyone
from tests.wire import House

SAID = sorted({text for person in everyone() for text in person.turns.values()})
ASKED = sorted({asked.question for person in everyone() for asked in person.questions})
QUERIES = st.one_of(
    st.text(max_size=80),
    st.sampled_from(ASKED),
    st.sampled_from(SAID),
    st.lists(st.sampled_from(sorted({w for text in SAID for w in text.split()})), min_size=1, max_size=8).map(" ".join),
)


@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(person=st.sampled_from(everyone()), query=QUERIES, limit=st.integers(1, 50))
@example(person=everyone()[0], query=everyone()[1].calls[0].turns[5][1], limit=10)
def test_results_are_the_callers_own_and_name_their_evidence(
    house: House, person: Person, query: str, limit: int
) -> None:
    at = person.questions[0].at.timestamp()
    results = house.services.engine.search(DEFAULT_TENANT, person.caller, query, limit, at).results
    own = {call.id for call in person.calls}
    assert len(results) <= limit
    assert len({result.id for result in results}) == len(results)
    assert all(a.similarity >= b.similarity for a, b in pairwise(results))
    for result in results:
        assert result.conversation_id in own
        assert 0 <= result.similarity <= 1
        if result.turn is None:
            assert result.turns == () and result.quote is None
        else:
            assert result.turn in result.turns
            assert all((result.conversation_id, turn) in person.turns for turn in result.turns)
            assert result.quote and result.quote in person.turns[result.conversation_id, result.turn]


def test_a_number_that_never_called_has_no_memory(house: House) -> None:
    found = house.services.engine.search(DEFAULT_TENANT, "+15550119999", SAID[0], 10, everyone()[0].questions[0].at.timestamp())
    assert found.results == ()
