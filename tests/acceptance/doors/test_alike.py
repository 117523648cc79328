"""The same story through both doors: the same answers, byte for byte."""

from collections.abc import Iterator

from agentic_memory.platforms.elevenlabs.signature import sign
from tests.acceptance.doors.conftest import BASE64, Builder
from tests.acceptance.doors.door import KEY, Door
from tests.acceptance.server_process import Answer
from tests.wire import HMAC_KEY, LUCIA, OURS, START, STEFAN, post_call

DAY = 86_400
TRANSPORT = {"date", "content-length", "connection"}
"""Headers of the connection, not of the answer."""
CALLS = (
    post_call(
        "conv_1", STEFAN,
        [("agent", "Who is calling?"), ("user", "My name is Stefan. I prefer email updates."), ("agent", "Noted."), ("user", "My sister Clara restores old violins.")],
        collected={"city": "Ghent"}, summary="User wants to update email address",
    ),
    post_call("conv_2", STEFAN, [("user", "Now I live in Bruges.")], at=START + DAY, collected={"city": "Bruges"}),
    post_call("conv_1", STEFAN, [("user", "The same conversation once more.")], at=START),
    post_call("conv_3", LUCIA, [("agent", "¿Quién llama?"), ("user", "Me llamo María José, y mi perro se llama Ñandú 🐕.")], main_language="es"),
    post_call("conv_4", LUCIA, [("user", "Hello.")], phone_call={"direction": "outbound", "external_number": LUCIA, "call_result": "voicemail"}),
    post_call("conv_5", "anonymous", [("user", "My name is Nobody.")]),
    b'{"type": "something_new"}',
    b"this is no JSON",
)  # fmt: skip
QUESTIONS = ("Who restores violins?", "Where does he live now?", "dónde vive el perro", "email", "6 November", "zzz")


def plain(answer: Answer) -> tuple[object, ...]:
    """An answer without what no two answers have in common."""
    headers = {name: value for name, value in answer.headers.items() if name not in TRANSPORT}
    _, _, told = headers.pop("server-timing").partition(", ")
    return answer.status, headers, told, answer.body


def story(door: Door) -> Iterator[tuple[object, ...]]:
    """Everything the platform is answered, from the first ring to the last."""
    for body in (b"", *CALLS):
        if body:
            yield plain(door.hang_up(body))
            door.settle()
        for caller in (STEFAN, LUCIA, "anonymous"):
            yield plain(door.ring(caller))
    yield plain(door.ring(OURS, called_number=STEFAN))
    yield plain(door.ring(STEFAN, agent_id=None, conversation_id="conv_ring", sip_headers={"X-A": "b"}))
    for caller in (STEFAN, LUCIA, "anonymous", OURS):
        for question in QUESTIONS:
            yield plain(door.search(caller, question))
            yield plain(door.search(caller, question, detail=True, limit=50))
    yield plain(door.post("/client-data", {"caller_id": STEFAN}))
    yield plain(door.post("/Prod/client-data", "not an object", KEY))
    yield plain(door.search(STEFAN, "violins", limit=0))
    yield plain(door.post("/post-call", CALLS[0], {"ElevenLabs-Signature": sign(CALLS[0], HMAC_KEY, 1)}))


def test_a_story_is_told_alike_through_both_doors(builder: Builder):
    """What the functions are handed is in base64: beside that, their answers are those of plain bodies."""
    served, functions = (list(story(builder.open(name))) for name in ("served", BASE64))
    assert len(served) == len(functions) > 80
    for step, (theirs, ours) in enumerate(zip(served, functions, strict=True)):
        assert ours == theirs, f"step {step}"
