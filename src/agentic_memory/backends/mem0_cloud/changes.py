"""A memory's history, made anew: calls and an operator's hand are played again in the order of time."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from agentic_memory.backends.mem0_cloud.rebuilding import Known
from agentic_memory.backends.mem0_cloud.stored import instant, items
from agentic_memory.backends.mem0_cloud.writing import Taught
from agentic_memory.domain.conflict import OPERATOR, Reconciled, after, reconcile, resettle
from agentic_memory.domain.memory import Change, Memory

_ACTIONS = {"ADD": "created", "UPDATE": "edited", "DELETE": "deleted"}


@dataclass(slots=True)
class _Play:
    """What has been played so far."""

    memories: tuple[Memory, ...] = ()
    changes: list[Change] = field(default_factory=list)

    def learn(self, learnt: Reconciled) -> None:
        self.memories = after(self.memories, learnt)
        self.changes += learnt.changes

    def text(self, memory_id: str) -> str | None:
        return next((m.text for m in self.memories if m.id == memory_id), None)


def changes(found: Known) -> tuple[Change, ...]:
    """What happened to all memories, oldest first, as if each call had come at its time."""
    play = _Play()
    for m in found.foreign.values():
        play.changes.append(Change(m.id, "created", m.at, "call", m.conversation_id or None, None, m.text))
    for at, _, step in sorted(_steps(found), key=lambda s: s[:2]):
        if isinstance(step, Taught):
            play.learn(reconcile(play.memories, step.facts, step.call))
        else:
            _by_hand(play, at, step)
    return tuple(sorted(play.changes, key=lambda change: change.at))


def _steps(found: Known) -> Iterator[tuple[float, str, "Taught | Memory | str"]]:
    """When, what comes first of two at the same time, and a call, a memory as edited, or the id of a deleted one."""
    for call in (record.call for record in found.records.calls):
        taught = found.taught.get(call.conversation_id)
        if taught is not None:
            yield call.started_at, f"0 {call.conversation_id}", Taught(call, taught.facts)
    for taught in found.taught.values():
        for memory in taught.edited:
            yield _edited_at(memory), f"1 {memory.id}", memory
        for memory_id, at in taught.forgotten.items():
            yield at, f"2 {memory_id}", memory_id


def _by_hand(play: _Play, at: float, step: Memory | str) -> None:
    if isinstance(step, Memory):
        change = Change(step.id, "edited", at, OPERATOR, None, play.text(step.id), step.text)
        play.learn(Reconciled((step,), (), (change,)))
    else:
        change = Change(step, "deleted", at, OPERATOR, None, play.text(step))
        play.learn(Reconciled((), (step,), (change,)))
    play.learn(resettle(play.memories, at))


def _edited_at(memory: Memory) -> float:
    """When the operator worded it last."""
    claims = memory.metadata.get("claims")
    for evidence, claim in zip(memory.evidence, claims if isinstance(claims, list) else [], strict=False):
        if evidence.field == OPERATOR and isinstance(claim, Mapping):
            return instant(claim.get("at"))
    return memory.created_at


def changes_told(value: object, user_id: str, memory_id: str) -> tuple[Change, ...]:
    """What Mem0's own history of one memory of this user says, oldest first. Raises MemoryServiceUnavailable."""
    told = [item for item in items(value) if isinstance(item, Mapping) and item.get("user_id") == user_id]
    made = (_told(item, memory_id) for item in told)
    return tuple(sorted((change for change in made if change is not None), key=lambda c: c.at))


def _told(item: Mapping[str, object], memory_id: str) -> Change | None:
    action = _ACTIONS.get(str(item.get("event")).upper())
    if action is None:
        return None
    actor = "call" if action == "created" else OPERATOR
    old, new = (text if isinstance(text, str) else None for text in (item.get("old_memory"), item.get("new_memory")))
    at = instant(item.get("created_at" if action == "created" else "updated_at"))
    return Change(memory_id, action, at or instant(item.get("created_at")), actor, None, old, new)
