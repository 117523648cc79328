"""The functions in a process of their own: a line with an event in, a line with its answer out.

As Lambda does it, an event and an answer are JSON, and the process's environment is the function's. It
ends with its input.
"""

import importlib
import json
import os
import sys
from dataclasses import dataclass

NAMES = ("client_data", "retrieve", "post_call", "worker", "replay", "forget")


@dataclass(frozen=True)
class Context:
    """What Lambda tells a function of its request."""

    aws_request_id: str


def main() -> None:
    """Answer until the input ends. What the functions print goes where the log goes."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    functions = {name: importlib.import_module(f"{name}.handler").handler for name in NAMES}
    for number, line in enumerate(sys.stdin):
        asked = json.loads(line)
        answer = functions[asked["function"]](asked["event"], Context(f"request-{number}"))
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
