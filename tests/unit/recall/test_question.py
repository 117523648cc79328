import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentic_memory.engine.recall.question import Question, understand


def ask(query: str) -> Question:
    return understand(query, ("Ana Torres",), ("Robin",), 1781000000.0)


@pytest.mark.parametrize(
    ("query", "dense"),
    [
        ("What did Ana order?", "What did I order?"),
        ("What is Ana's dog called?", "What is my dog called?"),
        ("Does Ana like her job?", "do I like my job?"),
        ("Who gave Ana her ring, and who told her?", "Who gave I my ring, and who told me?"),
        ("What did Robin recommend?", "What did I recommend?"),
        ("What food does the caller prefer?", "What food do I prefer?"),
        ("¿Qué prefiere la clienta?", "¿Qué prefiere ?"),
        ("When does my sprint end?", "When does my sprint end?"),
    ],
)
def test_the_question_is_put_in_the_first_person(query: str, dense: str) -> None:
    assert ask(query).dense == dense


@pytest.mark.parametrize(
    ("query", "subject"),
    [
        ("What did Ana order?", "caller"),
        ("What did Robin say?", "agent"),
        ("What did Ana tell Robin?", "caller"),
        ("What did Robin tell Ana?", "agent"),
        ("What do Ana and Robin share?", ""),
        ("What is my budget?", "caller"),
        ("What did you recommend to me?", "agent"),
        ("What does the customer want?", "caller"),
        ("¿Qué quiere el cliente?", "caller"),
        ("What did the agent promise?", "agent"),
        ("favourite dessert", ""),
    ],
)
def test_who_is_asked_about(query: str, subject: str) -> None:
    assert ask(query).subject == subject


def test_names_of_the_two_sides_are_not_looked_for() -> None:
    assert ask("What did Ana's daughter order?").terms == ("daughter", "order")
    assert ask("Ana").terms == ("ana",)


def test_a_name_that_is_an_everyday_word_has_to_be_written_as_one() -> None:
    def subject(query: str) -> str:
        return understand(query, ("Will Canning",), (), 0.0).subject

    assert subject("what will happen") == subject("Can it wait, or will it rain?") == ""
    assert subject("What did Will order?") == "caller"
    assert subject("What did Cann order?") == "caller"


def test_a_role_is_the_caller_only_where_it_stands_for_them() -> None:
    assert ask("user preferred contact").terms == ("preferred", "contact")
    assert ask("How many user roles are there?").terms == ("user", "roles")
    assert ask("How many user roles are there?").subject == ""


def test_words_about_the_conversation_are_left_out() -> None:
    assert ask("Can you tell me what I said about the garden fence in our calls?").terms == ("garden", "fence")
    assert ask("Can you list it in order?").terms


@pytest.mark.parametrize(
    ("query", "asks"),
    [
        ("When is it?", "asks_when"), ("¿Cuándo es?", "asks_when"), ("How many cats?", "asks_number"), ("¿Cuánto cuesta?", "asks_number"),
        ("Who came?", "asks_name"), ("¿Cómo se llama?", "asks_name"), ("What would you suggest?", "asks_advice"),
        ("Where does she live now?", "asks_now"), ("¿Dónde vive ahora?", "asks_now"),
        ("Where did she live before?", "asks_before"), ("¿Dónde vivía antes?", "asks_before"),
    ],
)
def test_what_kind_of_answer_is_wanted(query: str, asks: str) -> None:
    assert getattr(ask(query), asks)
    assert not getattr(ask("dog"), asks)


@given(st.text(), st.text(min_size=1), st.floats())
def test_total_over_any_text(query: str, name: str, at: float) -> None:
    question = understand(query, (name,), (), at)
    assert question.subject in {"caller", "agent", ""}


def test_a_name_that_is_a_month_is_no_month() -> None:
    assert understand("What did June say?", (), ("June",), 1781000000.0).windows == ()
    assert understand("What did Ana say in June?", ("Ana",), (), 1781000000.0).windows != ()


@pytest.mark.parametrize(
    ("query", "asked"),
    [
        ("Wann kommt der Techniker?", "asks_when"),
        ("Quand vient le technicien ?", "asks_when"),
        ("Wie viel kostet das?", "asks_number"),
        ("Combien coûte la réparation ?", "asks_number"),
        ("Wie heißt ihr Hund?", "asks_name"),
        ("Où habite-t-elle maintenant ?", "asks_now"),
        ("Wo wohnte sie früher?", "asks_before"),
    ],
)
def test_german_and_french_are_understood(query: str, asked: str) -> None:
    assert getattr(ask(query), asked)


@pytest.mark.parametrize("query", ["Was braucht die Kundin noch?", "Que veut la cliente ?", "¿Qué quiere la clienta?"])
def test_the_caller_is_known_by_their_role(query: str) -> None:
    assert ask(query).subject == "caller"
    assert ask(query).terms in {("braucht",), ("veut",), ("quiere",)}


def test_a_title_beside_a_name_is_not_asked_about() -> None:
    german = understand("Welche Haarfarbe hat Frau Torres?", ("Ana Torres",), (), 1781000000.0)
    assert german.terms == ("haarfarbe",)
    assert ask("Wer ist die Frau von Ana?").terms == ("frau",)


@pytest.mark.parametrize("query", ["What did the repair cost?", "¿Cuánto paga al mes?", "Was kostet das?", "Quel est le montant ?"])
def test_a_question_about_money(query: str) -> None:
    assert ask(query).asks_money and not ask("Where does she live?").asks_money


@pytest.mark.parametrize("query", ["¿Qué le ofrecieron?", "Was wurde versprochen?", "Which refund was offered?"])
def test_promises_are_the_agents(query: str) -> None:
    assert ask(query).subject == "agent"
    assert ask("What was Ana offered?").subject == "caller"


def test_keywords_are_told_from_questions() -> None:
    assert ask("wedding Pamplona").is_bare and not ask("When is the wedding?").is_bare


@pytest.mark.parametrize(
    ("query", "terms"),
    [
        ("list order brought up different aspects garden fence throughout our conversations", ("garden", "fence")),
        ("walk through order mentioned garden fence", ("garden", "fence")),
        ("dog breeds discussed across sessions", ("dog", "breeds")),
        ("training sessions across the river", ("training", "sessions", "across", "river")),
        ("online order number", ("online", "order", "number")),
        ("mentioned order", ("mentioned", "order")),
    ],
)
def test_keywords_about_the_conversation_are_left_out_too(query: str, terms: tuple[str, ...]) -> None:
    assert ask(query).terms == terms


@pytest.mark.parametrize(
    "query", ["should organize workday", "help structure essay", "how to store wine", "looking for sneakers", "debo llamar antes", "sollte essen"]
)
def test_keywords_that_want_advice(query: str) -> None:
    assert ask(query).asks_advice and not ask("helper essay shoulder").asks_advice
