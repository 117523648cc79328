"""Calls written as dialogues: "A:" is the agent, "C:" the caller."""

from agentic_memory.domain.call import Call, CollectedValue, Role, Scalar, Turn


def dialogue(*lines: str, summary: str | None = None, **collected: Scalar) -> Call:
    """A call with these turns, five seconds each, and these data-collection values."""
    speakers = {"A": Role.AGENT, "C": Role.CALLER}
    turns = [Turn(i, speakers[line[0]], line[3:], 5.0 * i) for i, line in enumerate(lines)]
    return Call(
        tenant="default", conversation_id="conv_1", platform="test", started_at=1_790_000_000.0,
        caller_id="+15550100001", turns=tuple(turns), summary=summary,
        collected=tuple(CollectedValue(k, v) for k, v in collected.items()),
    )
