"""What one call leaves for the next: told in a brief or found by a search, over the real use-cases."""

import json

import pytest

from tests.wire import START, STEFAN, House, post_call


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


@pytest.mark.parametrize("detail", [False, True])
@pytest.mark.parametrize(
    ("said", "secret"),
    [
        ("My card is 4111 1111 1111 1111, it runs out in May.", "1111"),
        ("The card is four one one one, one one one one, one one one one, one one one one.", "one one"),
        ("The password of my account is hunter2, I think.", "hunter2"),
        ("My PIN is 4821, and I want to pay my invoice with the card.", "4821"),
        ("My social security number is 123-45-6789.", "6789"),
    ],
)
def test_no_search_tells_a_card_number_or_a_code(house: House, said: str, secret: str, detail: bool):
    house.remember(post_call("conv_1", STEFAN, [("agent", "How would you like to pay?"), ("user", said)]))
    found = house.search(said, detail=detail)
    assert secret not in str(found) and "[number removed]" in str(found)
    calls = house.value("GET", f"/v1/callers/{STEFAN}/calls/conv_1")
    assert said in str(calls)


@pytest.mark.parametrize("query", ["what did they say of the oak tree in the garden?", "card number"])
def test_a_card_number_that_was_trimmed_is_not_told_in_part(house: House, query: str):
    filler = "and then the oak tree in the garden fell over and we had to wait for a very long time for the men with the saw "
    said = f"{filler} so my card number is 4111, 1111, 1111, 1111, {filler} {filler} {filler}"
    house.remember(post_call("conv_1", STEFAN, [("user", said)]))
    (line,) = house.search(query)
    assert "1111" not in str(line)


@pytest.mark.parametrize("detail", [False, True])
def test_an_answer_to_the_question_for_a_pin_is_not_told(house: House, detail: bool):
    turns = [("agent", "What is your PIN, please?"), ("user", "It's four eight two one.")]
    house.remember(post_call("conv_1", STEFAN, turns))
    assert "eight" not in str(house.search("PIN", detail=detail))


def test_other_numbers_are_told(house: House):
    turns = [("user", "My order is 4821-77 and you can call me at +15550100042.")]
    house.remember(post_call("conv_1", STEFAN, turns))
    assert "4821-77" in str(house.search("order")) and "+15550100042" in str(house.search("order"))


def karin(house: House, *turns: tuple[str, str], collected: dict[str, object] | None = None) -> str:
    """The name that is told after a call that reported Karin and one with these turns."""
    house.remember(post_call("conv_1", STEFAN, [("user", "Hello.")], at=START, collected={"name": "Karin"}))
    house.remember(post_call("conv_2", STEFAN, turns, at=START + 86_400, collected=collected))
    return house.variables()["caller_name"]


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("No, it's Katrin, not Karin.", "Katrin"),
        ("Actually, it's Katrin.", "Katrin"),
        ("Sorry, my name is actually Katrin.", "Katrin"),
        ("No, my daughter is called Katrin.", "Karin"),
        ("No, this is Maria, her sister.", "Karin"),
        ("I'm looking for a refund.", "Karin"),
        ("My name is Katrin.", "Karin"),
    ],
)
def test_a_caller_corrects_the_name_that_an_earlier_call_reported(house: House, said: str, name: str):
    assert karin(house, ("agent", "Hello Karin! How can I help?"), ("user", said)) == name


def test_a_corrected_name_stays_corrected_while_data_collection_repeats_the_old_one(house: House):
    turns = [("agent", "Hello Karin! How can I help?"), ("user", "No, it's Katrin, not Karin.")]
    assert karin(house, *turns, collected={"name": "Karin"}) == "Katrin"
    house.remember(post_call("conv_3", STEFAN, [("user", "Hi.")], at=START + 2 * 86_400, collected={"name": "Karin"}))
    assert house.variables()["caller_name"] == "Katrin"
    house.remember(post_call("conv_4", STEFAN, [("user", "Hi.")], at=START + 3 * 86_400, collected={"name": "Kathrin"}))
    assert house.variables()["caller_name"] == "Kathrin"


@pytest.mark.parametrize(
    "turns",
    [
        [("agent", "Hello Stefan! How can I help?")],
        [("agent", "Hello?"), ("user", "..."), ("agent", "Are you still there?"), ("user", "")],
    ],
)
def test_a_call_that_nobody_answered_is_no_interaction(house: House, turns: list[tuple[str, str]]):
    house.remember(post_call("conv_1", STEFAN, turns, summary="Nobody spoke.", collected={"name": "Stefan"}))
    told = house.variables()
    assert (told["returning_caller"], told["memory_count"], told["caller_name"]) == ("no", "0", "")
    house.remember(post_call("conv_2", STEFAN, [*turns, ("user", "Hi, Stefan here.")], at=START + 86_400, collected={"name": "Stefan"}))
    told = house.variables()
    assert (told["memory_count"], told["caller_name"]) == ("1", "Stefan")


@pytest.mark.parametrize("transcript", [None, [], "Hello! I live in Ghent.", ["Hello!", "I live in Ghent."]])
def test_a_call_whose_speakers_are_not_told_counts(house: House, transcript: object):
    document = json.loads(post_call("conv_1", STEFAN, collected={"name": "Stefan"}))
    document["data"]["transcript"] = transcript
    house.remember(json.dumps(document).encode())
    assert house.variables()["memory_count"] == "1"


def test_keys_and_a_murmur_are_an_answer(house: House):
    document = json.loads(post_call("conv_1", STEFAN, [("agent", "Press one."), ("user", "1")]))
    document["data"]["transcript"][1]["source_medium"] = "dtmf"
    house.remember(json.dumps(document).encode())
    document = json.loads(post_call("conv_2", STEFAN, [("agent", "Hello?"), ("user", "mhm")], at=START + 86_400))
    document["data"]["transcript"][1]["ignored_as_backchannel"] = True
    house.remember(json.dumps(document).encode())
    assert house.variables()["memory_count"] == "2"
