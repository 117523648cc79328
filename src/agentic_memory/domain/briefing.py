"""The brief: what an agent is told about a caller when the phone rings, compiled at hang-up."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Brief:
    """All that `/client-data` needs of a caller, ready to be said."""

    caller_name: str = ""
    """First name or the name the caller goes by; empty if unknown."""
    memory_count: int = 0
    memory_summary: str = ""
    """The most recent or most important memory, one line."""
    context: str = ""
    """The memory block: plain text of at most about 300 tokens, already neutral."""
    greeting_preference: str = ""
    """A preference that may be said aloud: "email updates"; empty if there is none."""
    last_call_at: float = 0.0
    language: str = ""
    """BCP 47 primary tag, empty if unknown."""
