"""Send a signed call without words to /post-call of a deployed or local system: it is kept, nothing is learnt."""

import json
import time

from system import NOBODY, Checks, System, main


def call() -> bytes:
    """A call that failed: archived, counted, never remembered."""
    now = int(time.time())
    phone = {"direction": "inbound", "agent_number": "+15550100000", "external_number": NOBODY, "type": "twilio"}
    data = {
        "agent_id": "agent_check",
        "conversation_id": f"conv_check_{now}",
        "status": "failed",
        "transcript": [],
        "metadata": {"start_time_unix_secs": now, "call_duration_secs": 0, "phone_call": phone},
    }
    return json.dumps({"type": "post_call_transcription", "event_timestamp": now, "data": data}).encode()


def check(system: System, checks: Checks) -> None:
    """What a webhook must be answered with."""
    body = call()
    checks.status("/post-call keeps a signed call", system.hang_up(body), 200)
    checks.status("/post-call takes it a second time", system.hang_up(body), 200)


if __name__ == "__main__":
    main(__doc__ or "", check)
