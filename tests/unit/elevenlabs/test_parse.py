"""Every fixture parsed, down to the person, the kinds of turns, the values and the result."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from agentic_memory.domain.call import Call, CollectedValue, Role, TurnKind
from agentic_memory.domain.caller import Direction
from agentic_memory.domain.delivery import AudioRecorded, CallEnded, NothingToRemember
from agentic_memory.engine.identity import PhoneBook
from agentic_memory.errors import MalformedPayload, PayloadOutOfBounds
from agentic_memory.platforms.elevenlabs.platform import ElevenLabs
from tests.unit.elevenlabs.payloads import AFTER_CALL, body, document, wire

T0 = 1_790_000_000.0
RECEIVED = T0 + 500
PLATFORM = ElevenLabs()
BOOK = PhoneBook(("+15550199001",))
KINDS = {"s": TurnKind.SPOKEN, "t": TurnKind.TOOL, "b": TurnKind.BACKCHANNEL, "-": TurnKind.SILENT}


@dataclass
class Expected:
    person: str | None
    turns: str = ""
    """One pair a turn: A(gent) or C(aller), then the kind's letter."""
    direction: Direction = Direction.UNKNOWN
    status: str = "done"
    result: str | None = None
    language: str | None = "en"
    title: str | None = None
    summary: str | None = None
    duration: float | None = 120.0
    started_at: float = T0
    collected: dict[str, Any] = field(default_factory=dict)


IN, OUT = Direction.INBOUND, Direction.OUTBOUND
CALLS = {
    "web_without_phone_call": Expected("web-user-77", "As Cs As", language=None, summary="A visitor asks for red tulip bulbs."),
    "inbound_agent_only": Expected("+15550100001", "As", IN, duration=6.0, summary="The agent greets Pavel; the line drops.", collected={"user_name": "Pavel"}),
    "inbound_without_event_timestamp": Expected("+15550100002", "As Cs As Cs As", IN, title="Name given", summary="Ines Quiroga gives her name.", collected={"first_name": "Ines", "last_name": "Quiroga"}),
    "sip_inbound_tools": Expected("+15550100005", "As Cs At At As Cb Cs As", IN, result="answered", title="Beans", summary="Omar wants beans this year."),
    "outbound_voicemail": Expected("+15550100006", "As Cs At", OUT, result="voicemail", summary="A machine answers."),
    "without_transcript": Expected("+15550100007", "", IN, title="Compost", summary="Lena orders compost for Saturday."),
    "failed_call": Expected("+15550100008", "", IN, status="failed", duration=0.0),
    "whatsapp_mixed_languages": Expected("+15550100009", "Cs As Cs C-", IN, language="es", summary="Quiere rosales blancos."),
    "sms": Expected("+15550100010", "Cs As", IN, summary="Asks for Sunday hours."),
    "withheld_number": Expected(None, "As Cs", IN),
    "custom_bridge": Expected("+15550100011", "As Cs", summary="The hedge is discussed."),
    "collected_values": Expected("+15550100012", "Cs", IN, collected={"phone": 15550100012, "wants_news": True, "rating": 4.5, "visits": 0, "plants": "fern, moss", "plain": "kept", "only_listed": "Ivy"}),
    "odd_turns": Expected("+15550100013", "C- C- Ct At As C- At Cs A- C- As", IN, language=None),
    "array_of_one": Expected("+15550100014", "Cs", IN, summary="One."),
    "typeless": Expected("+15550100016", "As Cs", IN, summary="The caller moved."),
    "flat_pairs": Expected("+15550100017", "As Cs Cs", language=None, summary="Stefan prefers email.", duration=75.0, started_at=RECEIVED),
    "flat_dialogue": Expected("+15550100018", "As Cs As", language=None, summary="Mara needs a spade.", duration=61.0, started_at=RECEIVED),
    "otel_history": Expected("+15550100020", "As Cs At", language=None, title="Moss", summary="Bruno asks for moss.", duration=90.0, started_at=T0 + 10, collected={"name": "Bruno"}),
    "otel_spans": Expected("+15550100021", "As Cs As", IN, language=None, title="Moss", summary="Bruno asks for moss.", duration=90.0),
}
NON_EVENTS = {
    "initiation_failure_twilio": NothingToRemember("call_initiation_failure", "busy", "conv_busy", "+15550100003"),
    "initiation_failure_sip": NothingToRemember("call_initiation_failure", "no-answer", "conv_silent", "15550100004"),
    "unknown_type": NothingToRemember("answering_machine_report", "unknown type", "conv_amd", "+15550100019"),
}


def call(value: Any) -> Call:
    (event,) = PLATFORM.parse(value if isinstance(value, bytes) else wire(value), "default", RECEIVED)
    assert isinstance(event, CallEnded)
    return event.call


def test_every_fixture_has_its_expectation() -> None:
    assert set(AFTER_CALL) == {*CALLS, *NON_EVENTS, "audio", "array_of_two"}


@pytest.mark.parametrize(("name", "expected"), CALLS.items(), ids=CALLS)
def test_calls(name: str, expected: Expected) -> None:
    found = call(body(name))
    assert BOOK.person(found.hints, None) == expected.person
    letters = {kind: letter for letter, kind in KINDS.items()}
    assert " ".join(("A" if t.role is Role.AGENT else "C") + letters[t.kind] for t in found.turns) == expected.turns
    assert {c.field: c.value for c in found.collected} == expected.collected
    for name_ in ("direction", "status", "result", "language", "title", "summary", "duration", "started_at"):
        assert getattr(found, name_) == getattr(expected, name_), name_
    assert (found.tenant, found.platform, found.caller_id) == ("default", "elevenlabs", None)


@pytest.mark.parametrize(("name", "expected"), NON_EVENTS.items(), ids=NON_EVENTS)
def test_stated_non_events(name: str, expected: NothingToRemember) -> None:
    assert PLATFORM.parse(body(name), "default", RECEIVED) == (expected,)


def test_audio() -> None:
    assert PLATFORM.parse(body("audio"), "default", RECEIVED) == (AudioRecorded("conv_web", "SUQzBAAAAAAAAA=="),)


def test_an_array_holds_several_events() -> None:
    events = PLATFORM.parse(body("array_of_two"), "default", RECEIVED)
    assert [e.call.conversation_id for e in events if isinstance(e, CallEnded)] == ["conv_array", "conv_array_b"]


def test_a_turn_keeps_its_place_in_the_array_as_sent() -> None:
    turns = call(body("odd_turns")).turns
    assert [t.index for t in turns] == [0, 1, 2, 4, 5, 6, 7, 8, 9, 10, 11]
    assert turns[4].text == "Once upon a time said the fox."
    assert turns[7].text == "broken \ufffd half, bell   and   nul"
    assert turns[9].offset is None


def test_an_interrupted_turn_is_what_was_heard() -> None:
    turn = call(body("sip_inbound_tools")).turns[4]
    assert (turn.text, turn.interrupted, turn.offset) == ("You took pumpkin seeds", True, 9.0)


def test_one_text_becomes_turns() -> None:
    texts = [t.text for t in call(body("flat_dialogue")).turns]
    assert texts == ["Garden line.", "Hello, I am Mara.\nAnd I need a spade.", "Of course."]


def test_rationales_stay_with_the_analysis() -> None:
    found = call(body("inbound_agent_only"))
    assert found.analysis["call_successful"] == "success"
    assert found.analysis["evaluation_criteria_results"] == {"polite": {"criteria_id": "polite", "result": "success", "rationale": "It said hello."}}
    kept = found.analysis["data_collection_results"]
    assert kept["user_name"] == {"data_collection_id": "user_name", "value": "Pavel", "rationale": "Why user_name is what it is."}  # type: ignore[index]
    assert "transcript_summary" not in found.analysis


def test_collected_keeps_its_types() -> None:
    values = {type(c.value) for c in call(body("collected_values")).collected}
    assert values == {int, bool, float, str}
    assert CollectedValue("wants_news", True) in call(body("collected_values")).collected


def test_without_a_conversation_id_the_same_body_has_the_same_one() -> None:
    flat = document("flat_pairs")
    del flat["conversation_id"]
    name = call(flat).conversation_id
    assert name.startswith("body-")
    assert call(flat).conversation_id == name
    flat["analysis"] = {}
    assert call(flat).conversation_id != name


@pytest.mark.parametrize(
    ("metadata", "event_timestamp", "expected"),
    [
        ({"start_time_unix_secs": T0, "call_duration_secs": 30}, T0 + 99, T0),
        ({"start_time_unix_secs": T0 * 1000}, None, T0),
        ({"call_duration_secs": 30}, T0 + 99, T0 + 69),
        ({"start_time_unix_secs": None}, T0 + 99, T0 + 99),
        ({"start_time_unix_secs": "soon"}, "now", RECEIVED),
        ({"start_time_unix_secs": 1e300}, -1, RECEIVED),
    ],
)
def test_when_a_call_began(metadata: dict[str, Any], event_timestamp: object, expected: float) -> None:
    event = {"type": "post_call_transcription", "event_timestamp": event_timestamp, "data": {"conversation_id": "c", "metadata": metadata}}
    assert call(event).started_at == expected


@pytest.mark.parametrize(
    ("metadata", "result"),
    [
        ({"phone_call": {"call_result": "No-Answer"}}, "no_answer"),
        ({"phone_call": {"call_result": "busy"}}, "busy"),
        ({"whatsapp": {"call_result": "failed"}}, "failed"),
        ({"termination_reason": "voicemail_detection tool was called."}, "voicemail"),
        ({"termination_reason": "the caller spoke of voicemail_detection"}, None),
        ({"phone_call": {"call_result": 5}}, "5"),
    ],
)
def test_how_a_call_ended(metadata: dict[str, Any], result: str | None) -> None:
    assert call({"type": "post_call_transcription", "data": {"metadata": metadata}}).result == result


def test_a_webhook_tool_cannot_claim_a_voicemail() -> None:
    tool = {"type": "webhook", "result_value": "voicemail_detection_success"}
    transcript = [{"role": "agent", "message": None, "tool_results": [tool]}]
    assert call({"type": "post_call_transcription", "data": {"transcript": transcript}}).result is None
    tool["type"] = "system"
    assert call({"type": "post_call_transcription", "data": {"transcript": transcript}}).result == "voicemail"


def test_a_phone_call_without_its_number_is_a_withheld_one() -> None:
    for given in (None, "", [], "\u0000"):
        event = {"type": "post_call_transcription", "data": {"metadata": {"phone_call": {"external_number": given}}}}
        assert call(event).hints.external_number == ""
    assert call({"type": "post_call_transcription", "data": {"metadata": {"phone_call": {}}}}).hints.external_number is None


def test_integers_name_people_too() -> None:
    data = {"user_id": 15550100022, "metadata": {"phone_call": {"external_number": 15550100023}}}
    hints = call({"type": "post_call_transcription", "data": data}).hints
    assert (hints.user_id, hints.external_number) == ("15550100022", "15550100023")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"{} {}",
        b"null",
        b"7",
        b'"text"',
        b"\xff\xfe{\x00}\x00",
        b'{"type": "\xff"}',
        b'{"n": ' + b"9" * 5000 + b"}",
        b'{"type": "post_call_transcription", "data": null}',
        b'{"type": "post_call_audio", "data": {"full_audio": "AAAA"}}',
        '{"type": "post_call_audio", "data": {"conversation_id": "c", "full_audio": "é"}}'.encode(),
    ],
)
def test_malformed(raw: bytes) -> None:
    with pytest.raises(MalformedPayload):
        PLATFORM.parse(raw, "default", RECEIVED)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"[]", "empty array"),
        (b"[7]", "not an object"),
        (b"{}", "unknown type"),
        (b'{"type": null, "data": {"full_audio": "", "conversation_id": "c"}}', "no audio"),
    ],
)
def test_nothing_in_it(raw: bytes, reason: str) -> None:
    (event,) = PLATFORM.parse(raw, "default", RECEIVED)
    assert isinstance(event, NothingToRemember)
    assert event.reason == reason


@pytest.mark.parametrize("raw", [b"\xef\xbb\xbf%s", b"%s", b' \n%s\n'])
def test_harmless_oddities_are_borne(raw: bytes) -> None:
    text = raw.replace(b"%s", b'{"type": "post_call_transcription", "type": "post_call_transcription", "data": {"conversation_id": "c", "metadata": {"cost": NaN}, "x": "\\ud800"}}')
    assert call(text).conversation_id == "c"


def transcription(**data: Any) -> bytes:
    return wire({"type": "post_call_transcription", "data": {"conversation_id": "c", **data}})


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        (b'{"a": ' + b"[" * 101 + b"]" * 101 + b"}", "nesting"),
        (b"[" * 1_000_000, "nesting"),
        (b"[" + b",".join([b"{}"] * 1001) + b"]", "events"),
        (transcription(transcript=[{"role": "user", "message": "x"}] * 6), "transcript"),
        (transcription(transcript="User: a\n" * 6), "transcript"),
        (transcription(transcript=[{"role": "user", "message": "x" * 41}]), "transcript[0].message"),
        (transcription(analysis={"transcript_summary": "x" * 41}), "analysis.transcript_summary"),
        (transcription(analysis={"call_summary_title": "x" * 41}), "analysis.call_summary_title"),
        (transcription(analysis={"data_collection_results": {"a": "x" * 41}}), "analysis.data_collection_results.a"),
        (transcription(analysis={"data_collection_results": {"a": {"value": ["x" * 21] * 2}}}), "analysis.data_collection_results.a"),
        (transcription(analysis={"data_collection_results": {str(i): i for i in range(1001)}}), "analysis.data_collection_results"),
    ],
)
def test_bounds(raw: bytes, field: str) -> None:
    small = ElevenLabs(max_turns=5, max_text_chars=40)
    with pytest.raises(PayloadOutOfBounds) as caught:
        small.parse(raw, "default", RECEIVED)
    assert caught.value.fields.get("field") == field


def test_brackets_in_strings_do_not_nest() -> None:
    assert call(transcription(transcript=[{"role": "user", "message": "[{" * 300 + '\\"['}])).turns[0].text.startswith("[{[{")


def test_as_deep_as_allowed() -> None:
    deep = b'{"type": "post_call_transcription", "data": {"x": ' + b"[" * 98 + b"]" * 98 + b"}}"
    assert call(deep).turns == ()
    with pytest.raises(PayloadOutOfBounds):
        ElevenLabs(max_depth=99).parse(deep, "default", RECEIVED)


def test_numbers_that_cannot_be_stored_are_made_so() -> None:
    results = {"huge": {"value": 10**30}, "nan": {"value": float("nan")}, "far": {"value": float("inf")}}
    found = call(transcription(analysis={"call_success_score": float("nan"), "scoped": [10**30], "data_collection_results": results}))
    assert found.collected == (CollectedValue("huge", str(10**30)),)
    assert found.analysis["call_success_score"] is None
    assert found.analysis["scoped"] == [str(10**30)]


def test_the_analysis_says_nothing_twice() -> None:
    rated = {"polite": {"result": "success"}}
    found = call(transcription(analysis={"evaluation_criteria_results": rated, "evaluation_criteria_results_list": [rated["polite"]], "scoped": []}))
    assert found.analysis == {"evaluation_criteria_results": rated}
    alone = call(transcription(analysis={"evaluation_criteria_results_list": [rated["polite"]]}))
    assert alone.analysis == {"evaluation_criteria_results_list": [rated["polite"]]}


def otel(*spans: dict[str, Any]) -> Call:
    traces = {"resourceSpans": [None, {"scopeSpans": [{"spans": [{"name": name, "attributes": [{"key": k, "value": v} for k, v in said.items()]} for span in spans for name, said in span.items()]}]}]}
    return call(wire({"type": "post_call_transcription_otel", "data": {"conversation_id": "c", "otlp_traces": traces}}))


def test_spans_of_turns_say_nothing_about_the_call() -> None:
    root = {"elevenlabs.conversation": {"elevenlabs.status": {"stringValue": "failed"}}}
    turn = {"elevenlabs.turn": {"elevenlabs.status": {"stringValue": "done"}, "elevenlabs.user.text": {"stringValue": "Hi."}}}
    assert (otel(root, turn).status, otel(turn).status) == ("failed", "done")


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("{'value': 'Ana'}", ["Ana"]),
        ("{'value': True, 'rationale': \"it's so\"}", [True]),
        ("['fern', 'moss']", ["fern, moss"]),
        ("plain", ["plain"]),
        ("None", []),
        ("{'value': None}", []),
        ("{'value': Ana}", []),
        ("{'value': " + "[" * 5000, []),
        ("{'value': " + "-" * 15_000 + "1}", []),
        ("{'value': '" + "x" * 20_000 + "'}", []),
    ],
)
def test_values_as_python_literals(text: str, values: list[object]) -> None:
    key = "elevenlabs.analysis.data_collection_results.thing"
    assert [c.value for c in otel({"elevenlabs.conversation": {key: {"stringValue": text}}}).collected] == values


@pytest.mark.parametrize("history", ["", "{", "[1]", '{"entries": {}}', '{"entries": [1, null]}'])
def test_a_broken_history_has_no_turns(history: str) -> None:
    key = "elevenlabs.dynamic_variable.system__conversation_history"
    assert otel({"elevenlabs.conversation": {key: {"stringValue": history}}}).turns == ()


def test_a_transcription_may_carry_spans_in_place_of_a_transcript() -> None:
    value = document("otel_spans") | {"type": "post_call_transcription"}
    assert [t.text for t in call(value).turns] == ["Garden line.", "A bag of peat.", "One bag, noted."]


def test_who_failed_to_reach_us_is_the_one_who_called() -> None:
    value = document("initiation_failure_twilio")
    value["data"]["metadata"]["body"] |= {"Direction": "inbound", "From": "+15550100003", "To": "+15550199001"}
    (event,) = PLATFORM.parse(wire(value), "default", RECEIVED)
    assert isinstance(event, NothingToRemember)
    assert event.person == "+15550100003"
