"""Invented callers and what they send: rings, searches, signed post-call webhooks."""

import json
import random
from collections.abc import Iterator

from agentic_memory.platforms.elevenlabs.signature import sign

WORKSPACE_KEY = "bench_workspace_key"
HMAC_KEY = "bench_hmac_key"
ADMIN_KEY = "bench_admin_key"
OWN_NUMBER = "+15550199001"

NAMES = ("Ines", "Stefan", "Marta", "Oluwaseun", "Akira", "Lucía", "Henrik", "Priya", "Tomás", "Grace")
TOPICS = ("the roses", "the delivery", "my invoice", "the garden path", "the apple trees", "the watering")
PLACES = ("Girona", "Leeds", "Bergen", "Osaka", "Lagos", "Valparaíso", "Porto", "Galway")
DAYS = ("on Monday", "last spring", "before Easter", "in the morning", "after the rain", "two weeks ago")
FEELINGS = ("worried", "glad", "uncertain", "tired", "curious", "content", "impatient")
SAID = (
    "My name is {name} and I am calling about {topic}.",
    "I live in {place} with my daughter, and we planted them {day}.",
    "I prefer email updates, the telephone is too loud in the workshop.",
    "We spoke {day} and I was {feeling} about {topic}.",
    "My brother moved to {place} {day}, so nobody looks after {topic}.",
    "Could you tell me what happened to {topic} {day}?",
    "I am {feeling} because {topic} never came back from {place}.",
    "Please call me {day}, I promised to measure the bed in {place}.",
)
ANSWERED = (
    "Thank you. I have noted that about {topic}.",
    "I see, and how was it in {place} {day}?",
    "We can send somebody to {place} {day} to look at {topic}.",
    "Is there anything else I should know about {topic}?",
)
QUESTIONS = (
    "Where does the caller live?",
    "What did we agree about {topic}?",
    "How does the caller want to be contacted?",
    "Who moved to {place}?",
    "¿Qué pasó con {topic}?",
)


def number(index: int) -> str:
    """The reserved number of one of 100,000 callers."""
    return f"+155501{index:05d}"


def _words(template: str, dice: random.Random) -> str:
    return template.format(
        name=dice.choice(NAMES),
        topic=dice.choice(TOPICS),
        place=dice.choice(PLACES),
        day=dice.choice(DAYS),
        feeling=dice.choice(FEELINGS),
    )


def _turns(count: int, dice: random.Random) -> Iterator[dict[str, object]]:
    for index in range(count):
        by_agent = index % 2 == 0
        yield {
            "role": "agent" if by_agent else "user",
            "message": _words(dice.choice(ANSWERED if by_agent else SAID), dice),
            "tool_calls": [],
            "tool_results": [],
            "feedback": None,
            "time_in_call_secs": index * 6,
            "conversation_turn_metrics": None,
            "interrupted": False,
            "original_message": None,
            "source_medium": "audio",
        }


def hangup(
    conversation_id: str, caller: str, *, turns: int, at: int, seed: int, size: int = 0
) -> bytes:
    """A post-call body of `turns` turns, padded by what a platform reports of a call to `size` bytes."""
    dice = random.Random(seed)
    said = list(_turns(turns, dice))
    data: dict[str, object] = {
        "agent_id": "agent_bench",
        "conversation_id": conversation_id,
        "status": "done",
        "user_id": None,
        "transcript": said,
        "metadata": {
            "start_time_unix_secs": at,
            "call_duration_secs": turns * 6,
            "main_language": "en",
            "phone_call": {
                "type": "twilio",
                "direction": "inbound",
                "agent_number": OWN_NUMBER,
                "external_number": caller,
            },
        },
        "analysis": {
            "evaluation_criteria_results": {},
            "data_collection_results": {},
            "call_successful": "success",
            "transcript_summary": _words("The caller spoke about {topic} in {place}.", dice),
        },
        "conversation_initiation_client_data": {"dynamic_variables": {}},
    }
    event = {"type": "post_call_transcription", "event_timestamp": at + turns * 6, "data": data}
    body = json.dumps(event).encode()
    if len(body) < size:
        data["has_audio"] = "x" * (size - len(body) - len(', "has_audio": ""'))
        body = json.dumps(event).encode()
    return body


def question(dice: random.Random) -> str:
    """Something an agent would look up."""
    return _words(dice.choice(QUESTIONS), dice)


def _request(path: str, body: bytes, *headers: str) -> bytes:
    lines = (
        f"POST {path} HTTP/1.1",
        "Host: 127.0.0.1",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        *headers,
    )
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def ring_request(caller: str, conversation_id: str, path: str = "/client-data") -> bytes:
    """The phone rings, as bytes on the wire."""
    body = {
        "caller_id": caller,
        "called_number": OWN_NUMBER,
        "agent_id": "agent_bench",
        "call_sid": "CA-bench",
        "conversation_id": conversation_id,
    }
    return _request(path, json.dumps(body).encode(), f"X-Workspace-Key: {WORKSPACE_KEY}")


def search_request(caller: str, query: str, path: str = "/retrieve") -> bytes:
    """A search during the call, as bytes on the wire."""
    return _request(path, json.dumps({"query": query, "user_id": caller}).encode())


def hangup_request(body: bytes, now: float, path: str = "/post-call") -> bytes:
    """A signed post-call webhook, as bytes on the wire."""
    signature = sign(body, HMAC_KEY, int(now))
    return _request(path, body, f"ElevenLabs-Signature: {signature}")
