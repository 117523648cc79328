"""Whatever is done in whatever order, DynamoDB's store says what the reference says."""

import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import pytest

from agentic_memory.backends.dynamodb.records import DynamoRecords
from agentic_memory.backends.in_memory.records import InMemoryRecords
from agentic_memory.domain.records import CallerCommit, CallRecord
from agentic_memory.errors import RevisionConflict
from agentic_memory.ports import RecordStore
from tests.contract.samples import (
    ANA,
    BEN,
    TENANT,
    call,
    caller,
    change,
    memory,
    silent_call,
    vectors,
)

PEOPLE, MEMORIES, MODELS = (ANA, BEN), ("m1", "m2", "m3"), ("old", "new")
CONVERSATIONS = {"c1": ANA, "c2": ANA, "c3": BEN, "c4": BEN}
TEXTS = ("User plays the piano", "User sings")
Step = Callable[[RecordStore], object]


def commit(dice: random.Random) -> Step:
    name, who = dice.choice(tuple(CONVERSATIONS.items()))
    model = dice.choice(MODELS)
    put = None
    if dice.random() < 0.7:
        said = silent_call(name) if dice.random() < 0.2 else call(name, caller_id=who, at=dice.choice((1.0, 2.0)))
        put = CallRecord(replace(said, caller_id=who), dice.choice((None, vectors(2, model))))
    chosen = dice.sample(MEMORIES, dice.randrange(3))
    memories = tuple(memory(m, dice.choice(TEXTS), at=dice.choice((1.0, 2.0))) for m in chosen)
    embedded = {m: vectors(1, model) for m in dice.sample(MEMORIES, dice.randrange(3))}
    dropped = tuple(dice.sample(MEMORIES, dice.randrange(2)))
    changes = tuple(change(m.id, at=m.created_at, text=m.text) for m in memories)
    late = dice.random() < 0.1

    def step(store: RecordStore) -> object:
        known = store.caller(TENANT, who)
        revision = (known.revision if known else 0) + late
        with suppress(RevisionConflict):
            return store.commit(
                CallerCommit(caller(who, revision=revision), put, memories, embedded, dropped, changes)
            )
        return None

    return step


def embed(dice: random.Random) -> Step:
    who, model, other = dice.choice(PEOPLE), dice.choice(MODELS), dice.random() < 0.3

    def step(store: RecordStore) -> object:
        found = store.load(TENANT, who)
        if found is None:
            return None
        calls = [replace(r, vectors=vectors(2, model)) for r in found.calls]
        if other:
            calls = [replace(r, call=replace(r.call, turns=())) for r in calls]
        embedded = {m.id: vectors(1, model) for m in found.memories[1:]}
        return store.put_call_vectors(
            TENANT, who, replace(found, calls=tuple(calls), memory_vectors=embedded)
        )

    return step


def note(dice: random.Random) -> Step:
    name, who = dice.choice(tuple(CONVERSATIONS.items()))
    key = f"raw/{dice.randrange(4)}"
    steps: tuple[Step, ...] = (
        lambda store: store.note_person(TENANT, name, who, 5.0),
        lambda store: store.end_conversation(TENANT, name),
        lambda store: store.attach_audio(TENANT, name, f"audio/{key}"),
        lambda store: store.note_archived(TENANT, f"{who}/{key}", who, name),
        lambda store: store.note_archived(TENANT, f"{name}/{key}", None, name),
    )
    return dice.choice(steps)


def erase(dice: random.Random) -> Step:
    who = dice.choice(PEOPLE)
    return lambda store: store.erase(TENANT, who)


def seen(store: RecordStore) -> list[object]:
    """Everything that a reader can ask."""
    told: list[object] = [store.counts("new"), sorted(store.stale("new", 10))]
    told.append({c.caller_id for c in store.callers(TENANT).callers})
    for who in PEOPLE:
        told += [store.caller(TENANT, who), store.load(TENANT, who), store.load(TENANT, who, with_calls=False)]
        told += [store.history(TENANT, who), store.traces(TENANT, who), store.active_since(TENANT, who, 1.0)]
        told += [store.call(TENANT, who, name) for name in CONVERSATIONS]
    return [*told, *(store.person_of(TENANT, name) for name in CONVERSATIONS)]


@pytest.mark.parametrize("seed", range(5))
def test_any_order_of_doings_gives_what_the_reference_gives(records: DynamoRecords, seed: int) -> None:
    dice = random.Random(seed)
    reference = InMemoryRecords()
    for number in range(24):
        (make,) = dice.choices((commit, embed, note, erase), (8, 2, 6, 1))
        step = make(dice)
        assert step(records) == step(reference), number
        if number % 6 == 5:
            assert seen(records) == seen(reference), number
