"""After hang-up: kept when it is answered, remembered once, buried with its cause, and processed again."""

import base64
import json

import pytest

from tests.acceptance.doors.conftest import OpenDoor, own_memory
from tests.acceptance.doors.door import KEPT, Counts, Door
from tests.wire import START, post_call

BEES = [("agent", "What do you do?"), ("user", "My name is Bea. I keep bees.")]


def changed(body: bytes, **data: object) -> bytes:
    """The same call with other fields in its data."""
    document = json.loads(body)
    document["data"] |= data
    return json.dumps(document).encode()


def known(door: Door, caller: str) -> bool:
    """Whether anything at all is remembered of a caller."""
    told = door.variables(caller)
    return bool(told["memory_count"] != "0" or told["caller_name"] or door.found(caller, "bees", limit=50))


def test_a_delivery_that_comes_again_adds_nothing(door: Door, caller: str):
    body = post_call(f"{caller}-1", caller, BEES)
    assert [door.hang_up(body).status for _ in range(3)] == [200, 200, 200]
    door.settle()
    before = door.ring(caller).body, door.search(caller, "bees", detail=True, limit=50).body
    door.remember(body, body)
    assert (door.ring(caller).body, door.search(caller, "bees", detail=True, limit=50).body) == before
    assert door.variables(caller)["memory_count"] == "1"


def test_a_call_that_is_reported_anew_is_still_one_call(door: Door, caller: str):
    body = post_call(f"{caller}-1", caller, BEES)
    later = json.loads(body)
    later["event_timestamp"] += 60
    door.remember(body, json.dumps(later).encode())
    assert door.variables(caller)["memory_count"] == "1"


@own_memory
def test_the_bytes_that_were_signed_are_those_that_count(door: Door, caller: str):
    body = post_call(f"{caller}-1", caller, [("user", "My name is Zoë.")]).replace(b": ", b" :\t") + b"\r\n "
    plain = json.dumps(json.loads(body), ensure_ascii=False).encode()
    door.remember(body, plain)
    assert door.variables(caller)["caller_name"] == "Zoë"
    assert door.variables(caller)["memory_count"] == "1"


def test_calls_may_be_reported_in_any_order(door: Door, caller: str):
    early = post_call(f"{caller}-1", caller, BEES, collected={"city": "Ghent"})
    late = post_call(f"{caller}-2", caller, [("user", "Hello.")], collected={"city": "Bruges"}, at=START + 86_400)
    door.remember(late, early)
    told = door.variables(caller)
    assert (told["memory_count"], told["last_call_date"], told["caller_name"]) == ("2", "7 November 2026", "Bea")
    assert "Bruges" in told["memory_context"]


HOSTILE = ("", "v0=", "t=99999999999999999999,v0=00", "t=\xe9,v0=\xe9", "x" * 5_000, "t=1794000000,v0=")


@own_memory
def test_what_is_not_signed_is_neither_kept_nor_believed(door: Door, caller: str):
    refused = (401, {"error": "Invalid signature"})
    for number, signature in enumerate(HOSTILE):
        body = post_call(f"{caller}-{number}", caller, BEES)
        answer = door.post("/post-call", body, {"ElevenLabs-Signature": signature})
        assert (answer.status, answer.value) == refused, signature
    answer = door.post("/post-call", post_call(f"{caller}-unsigned", caller, BEES))
    assert (answer.status, answer.value) == refused
    door.remember()
    assert not known(door, caller)


@own_memory
def test_what_is_signed_by_somebody_else_or_too_late_is_kept_and_not_believed(door: Door, caller: str):
    for number, signature in enumerate(("t=1,v0=00", f"t={START},v0={'0' * 64}")):
        body = post_call(f"{caller}-{number}", caller, BEES)
        answer = door.post("/post-call", body, {"ElevenLabs-Signature": signature})
        assert (answer.status, answer.value) == KEPT, signature
    door.remember()
    assert not known(door, caller)


def test_a_wrong_key_costs_no_memory(open_door: OpenDoor, caller: str):
    door = open_door()
    body = post_call(f"{caller}-1", caller, BEES)
    forged = post_call(f"{caller}-2", caller, [("user", "My name is Eve.")])
    for secret in ("wsec_theirs", "wsec_theirs"):
        assert door.hang_up(body, secret).status == 200
    assert door.hang_up(forged, "wsec_nobodys").status == 200
    door.settle()
    assert not known(door, caller)
    assert door.counts().quarantined == 2
    assert door.replay("quarantine") == 0
    door.reopen(ELEVENLABS_HMAC_KEY="wsec_theirs")
    assert door.replay("quarantine") == 1
    door.settle()
    assert (door.variables(caller)["caller_name"], door.variables(caller)["memory_count"]) == ("Bea", "1")
    assert door.counts().quarantined == 1


def test_a_bad_signature_is_refused_where_that_is_preferred(strict_door: Door, caller: str):
    answer = strict_door.hang_up(post_call(f"{caller}-1", caller, BEES), "wsec_wrong")
    assert (answer.status, answer.value) == (401, {"error": "Invalid signature"})
    assert strict_door.counts().quarantined == 0


def test_what_no_longer_fits_into_quarantine_is_not_called_kept(open_door: OpenDoor):
    door = open_door(QUARANTINE_MAX_COUNT="2")
    bodies = [post_call(f"conv_{i}", None) for i in range(3)]
    assert [door.hang_up(body, "wsec_wrong").status for body in bodies] == [200, 200, 401]
    assert door.hang_up(bodies[0], "wsec_wrong").status == 200
    assert door.counts().quarantined == 2


@own_memory
@pytest.mark.parametrize("result", ["voicemail", "busy", "no_answer", "failed"])
def test_a_call_in_which_nobody_spoke_teaches_nothing(door: Door, caller: str, result: str):
    phone = {"type": "twilio", "direction": "outbound", "external_number": caller, "call_result": result}
    door.remember(post_call(f"{caller}-1", caller, BEES, phone_call=phone))
    assert not known(door, caller)


@own_memory
def test_a_failed_call_teaches_nothing(door: Door, caller: str):
    door.remember(changed(post_call(f"{caller}-1", caller, BEES), status="failed"))
    assert not known(door, caller)


NO_CALLS: list[object] = [
    {"type": "something_new", "event_timestamp": START, "data": {"conversation_id": "conv_x"}},
    {
        "type": "call_initiation_failure", "event_timestamp": START,
        "data": {"agent_id": "a", "conversation_id": "conv_y", "failure_reason": "busy", "metadata": {}},
    },
    {"type": "agent_qa", "event_timestamp": "soon", "data": None},
    {"type": 7, "data": []},
    [],
    {
        "type": "post_call_audio", "event_timestamp": START,
        "data": {"agent_id": "a", "conversation_id": "conv_z", "full_audio": base64.b64encode(b"ID3").decode()},
    },
]  # fmt: skip


@own_memory
def test_an_event_that_is_no_call_is_kept_and_teaches_nothing(door: Door):
    door.remember(*(json.dumps(event).encode() for event in NO_CALLS))


def test_a_body_that_nobody_can_read_is_buried_and_can_be_tried_again(open_door: OpenDoor, caller: str):
    door = open_door()
    unreadable = [b"this is no JSON", b'{"type": "post_call_transcription", "data": {', b"\xff\xfe\x00", b"", b"null", b"'"]
    for body in unreadable:
        answer = door.hang_up(body)
        assert (answer.status, answer.value) == KEPT
    door.settle()
    assert door.counts() == Counts(pending=0, dead=len(unreadable), quarantined=0)
    assert door.replay("dead_letters") == len(unreadable)
    door.settle()
    assert door.counts().dead == len(unreadable)
    assert door.hang_up(post_call(f"{caller}-1", caller, BEES)).status == 200
    door.settle()
    assert known(door, caller)


@own_memory
def test_a_call_of_nobody_is_kept_and_teaches_nothing(door: Door, caller: str):
    door.remember(post_call(f"{caller}-1", None, BEES, phone_call=None))
    assert door.variables("")["memory_count"] == "0"


@own_memory
def test_an_id_cannot_leave_its_folder(door: Door, caller: str):
    for conversation in ("../../etc/passwd", "a/b", "..", "x" * 2_000, "süß\x00 \ud800", ""):
        door.remember(post_call(conversation or f"{caller}-0", caller, BEES))
    assert door.variables(caller)["memory_count"] == "6"


@own_memory
def test_a_transcript_may_be_longer_than_other_bodies(door: Door, caller: str):
    turns = [("user", f"Story number {i}: " + "once upon a time " * 10) for i in range(800)]
    body = post_call(f"{caller}-1", caller, turns)
    assert len(body) < 200_000
    door.remember(body)
    assert "number 77" in door.found(caller, "story number 77", limit=1)[0]
    assert door.hang_up(body + b" " * 200_000).status == 413
