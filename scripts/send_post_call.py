"""Send a finished call, signed as the platform signs it: a payload file, or a sample of the demonstration.

    python scripts/send_post_call.py payload.json --stack elevenlabs-agentic-memory-stack
    python scripts/send_post_call.py stefan-1
"""

import json
import sys
from pathlib import Path

from system import arguments, system

from agentic_memory.interfaces.demo.script import CALLS


def main() -> None:
    """Send it and say how it was answered."""
    parser = arguments(__doc__ or "")
    samples = {call.name: call for call in CALLS}
    parser.add_argument("payload", help=f"a file, `-`, or one of {', '.join(samples)}")
    given = parser.parse_args()
    if given.payload in samples:
        body = json.dumps(samples[given.payload].webhook()).encode()
    elif given.payload == "-":
        body = sys.stdin.buffer.read()
    elif Path(given.payload).is_file():
        body = Path(given.payload).read_bytes()
    else:
        sys.exit(f"{given.payload} is neither a file nor one of {', '.join(samples)}.")
    answer = system(given).hang_up(body)
    print(f"{answer.status} {json.dumps(answer.value)}  {answer.milliseconds:.0f} ms")
    sys.exit(0 if answer.status == 200 else 1)


if __name__ == "__main__":
    main()
