"""Any sequence of what can happen to deliveries, held against a model: nothing lost, nothing done twice."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from agentic_memory.backends.in_memory.inbox import InMemoryInbox
from agentic_memory.backends.sqlite.database import Database
from agentic_memory.backends.sqlite.inbox import SqliteInbox
from agentic_memory.domain.delivery import Delivery
from agentic_memory.errors import LeaseLost
from agentic_memory.ports import Inbox
from tests.contract.samples import TENANT, delivery

NAMES = st.integers(0, 5).map(lambda n: f"d{n}")
SECONDS = st.integers(0, 50).map(float)


@dataclass
class Model:
    """What the port says of one delivery."""

    id: str
    state: str = "pending"
    due_at: float = 0.0
    attempts: int = 0
    held: Delivery | None = None
    lost: list[Delivery] = field(default_factory=list)

    def let_go(self) -> None:
        if self.held is not None:
            self.lost.append(self.held)
            self.held = None


class Machine(RuleBasedStateMachine):
    """Drives one inbox."""

    open: Callable[[], tuple[Inbox, Callable[[], None], Callable[[], None]]]

    def __init__(self) -> None:
        super().__init__()
        self.inbox, self.reopen_store, self.close_store = type(self).open()
        self.now = 100.0
        self.models: dict[str, Model] = {}

    def teardown(self) -> None:
        self.close_store()

    def new(self, name: str):
        return delivery(name, at=self.now, conversation_id=f"conv_{name}")

    @rule(name=NAMES)
    def submit(self, name: str) -> None:
        accepted = self.inbox.submit(self.new(name)).result(10)
        assert accepted.duplicate == (name in self.models)
        model = self.models.setdefault(name, Model(accepted.id, due_at=self.now))
        assert accepted.id == model.id

    @rule(seconds=SECONDS)
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule(limit=st.integers(1, 4), lease=SECONDS)
    def claim(self, limit: int, lease: float) -> None:
        due = [(m.due_at, int(m.id), n) for n, m in self.models.items() if m.state == "pending" and m.due_at <= self.now]
        expected = [name for _, _, name in sorted(due)[:limit]]
        claimed = self.inbox.claim(limit, self.now, lease)
        assert [d.id for d in claimed] == [self.models[name].id for name in expected]
        for name, held in zip(expected, claimed, strict=True):
            model = self.models[name]
            model.let_go()
            model.attempts += 1
            model.held, model.due_at = held, self.now + lease
            assert held.attempts == model.attempts
            assert held.body == self.new(name).body

    def held(self, data: st.DataObject) -> Model:
        return data.draw(st.sampled_from([m for m in self.models.values() if m.held]))

    @precondition(lambda self: any(m.held for m in self.models.values()))
    @rule(data=st.data())
    def done(self, data: st.DataObject) -> None:
        model = self.held(data)
        self.inbox.done(model.held)
        model.let_go()
        model.state = "done"

    @precondition(lambda self: any(m.held for m in self.models.values()))
    @rule(data=st.data(), delay=SECONDS)
    def retry(self, data: st.DataObject, delay: float) -> None:
        model = self.held(data)
        self.inbox.retry(model.held, self.now + delay, "StorageLocked", "locked")
        model.let_go()
        model.due_at = self.now + delay

    @precondition(lambda self: any(m.held for m in self.models.values()))
    @rule(data=st.data())
    def bury(self, data: st.DataObject) -> None:
        model = self.held(data)
        self.inbox.bury(model.held, self.now, "PayloadError", "odd")
        model.let_go()
        model.state = "dead"

    @precondition(lambda self: any(m.lost for m in self.models.values()))
    @rule(data=st.data())
    def a_lost_lease_has_no_effect(self, data: st.DataObject) -> None:
        lost = data.draw(st.sampled_from([d for m in self.models.values() for d in m.lost]))
        late = data.draw(st.sampled_from(["done", "retry", "bury", "check_held"]))
        arguments = {"done": (), "retry": (0.0, "E", "e"), "bury": (0.0, "E", "e"), "check_held": ()}[late]
        with pytest.raises(LeaseLost):
            getattr(self.inbox, late)(lost, *arguments)

    @rule(everything=st.booleans(), name=NAMES)
    def revive(self, everything: bool, name: str) -> None:
        chosen = [n for n, m in self.models.items() if m.state == "dead" and (everything or n == name)]
        ids = None if everything else [m.id for n, m in self.models.items() if n == name]
        assert self.inbox.revive(ids, self.now) == len(chosen)
        for which in chosen:
            model = self.models[which]
            model.state, model.due_at, model.attempts = "pending", self.now, 0

    @rule(name=NAMES)
    def replay(self, name: str) -> None:
        accepted = self.inbox.reopen(self.new(name))
        model = self.models.setdefault(name, Model(accepted.id))
        assert accepted.id == model.id
        assert accepted.duplicate == bool(model.held)
        if not model.held:
            model.state, model.due_at, model.attempts = "pending", self.now, 0

    @rule(name=NAMES)
    def purge(self, name: str) -> None:
        model = self.models.get(name)
        kept = model is not None and model.state != "done"
        assert self.inbox.purge(TENANT, [f"conv_{name}"], []) == int(kept)
        if model is not None:
            model.let_go()
            model.state = "done"

    @rule()
    def restart(self) -> None:
        self.reopen_store()

    @invariant()
    def counts_are_right(self) -> None:
        states = [model.state for model in self.models.values()]
        counts = self.inbox.counts()
        assert counts.pending == states.count("pending")
        assert counts.dead == states.count("dead")
        assert {letter.id for letter in self.inbox.dead_letters().letters} == {
            m.id for m in self.models.values() if m.state == "dead"
        }

    @invariant()
    def the_next_due_is_known(self) -> None:
        due = [model.due_at for model in self.models.values() if model.state == "pending"]
        assert self.inbox.next_due() == min(due, default=None)


def in_memory() -> tuple[Inbox, Callable[[], None], Callable[[], None]]:
    return InMemoryInbox(), lambda: None, lambda: None


class OnDisk(Machine):
    """The same on a file that is closed and opened again."""

    def __init__(self) -> None:
        self.folder = TemporaryDirectory()
        self.database = Database(Path(self.folder.name) / "memory.db")
        type(self).open = staticmethod(lambda: (SqliteInbox(self.database), self._restart, self._end))
        super().__init__()

    def _restart(self) -> None:
        self.database.close()
        self.database = Database(Path(self.folder.name) / "memory.db")
        self.inbox = SqliteInbox(self.database)

    def _end(self) -> None:
        self.database.close()
        self.folder.cleanup()


def test_in_memory() -> None:
    Machine.open = staticmethod(in_memory)
    run_state_machine_as_test(
        Machine, settings=settings(max_examples=60, stateful_step_count=40, deadline=None, derandomize=True)
    )


def test_sqlite() -> None:
    run_state_machine_as_test(
        OnDisk,
        settings=settings(
            max_examples=25,
            stateful_step_count=40,
            deadline=None,
            derandomize=True,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
