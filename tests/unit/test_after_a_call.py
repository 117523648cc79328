"""What one call leaves for the next: told in a brief or found by a search, over the real use-cases."""

from tests.wire import STEFAN, House, post_call


def test_what_was_taken_back_is_not_told_from_the_platforms_summary(house: House):
    turns = [("user", "I live in Lisbon."), ("agent", "Noted."), ("user", "Please forget that. I like jazz.")]
    summary = "The caller lives in Lisbon. The caller likes jazz."
    house.remember(post_call("conv_1", STEFAN, turns, summary=summary))
    told = house.variables()
    assert told["memory_summary"] == "The caller likes jazz"
    assert "Lisbon" not in str(told)
    memories = house.value("GET", f"/v1/callers/{STEFAN}/memories")["memories"]
    assert "The caller likes jazz." in [m["text"] for m in memories]
    assert not [m for m in memories if "Lisbon" in m["text"]]
