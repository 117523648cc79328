"""Answers to rings that are at hand: told again for as long as the caller's brief and the agent's profile stand."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import TypeVar

from agentic_memory.domain.caller import DEFAULT_TENANT, Caller
from agentic_memory.domain.initiation import TOKEN_VARIABLE, Profile, Ring
from agentic_memory.errors import StorageError
from agentic_memory.ports import Clock
from agentic_memory.service.brief_caller import BriefedCaller

Look = Callable[[str, str], Caller | None]
"""(tenant, caller id) -> the caller as of the last commit, in microseconds. Raises StorageError instead of waiting."""

MOST_ANSWERS = 2_000
"""Of two to three kilobytes each."""
LONGEST_AGENT_ID = 100
ANSWER_SECONDS = 600.0
"""How long an answer nobody asked for is kept: until then what must be looked at is in the system's memory."""
PROFILE_SECONDS = 1.0
"""How long a profile's file is not looked at again."""
SLOW_SECONDS = 0.05
"""A look that takes longer does not find its pages in memory: others must not wait for such."""
REST_SECONDS = 30.0
"""How long every ring goes by a thread after a slow look."""
WARM_SECONDS = 60.0
"""For so long a caller who was warmed is taken to be so."""

NEVER = float("-inf")
K = TypeVar("K")
V = TypeVar("V")
_Key = tuple[str, str | None]
_Version = tuple[float, int]


@dataclass(slots=True)
class Answer:
    """What a ring was told, and what that rested on."""

    body: bytes
    briefed: BriefedCaller
    used_at: float
    """Monotonic, as all times here."""
    version: _Version | None = None
    """Of the caller, when last warmed for a search."""
    warmed_at: float = 0.0


class AtHand:
    """Finds the answer to a ring without waiting for anything, where that can be done.

    An answer is compared with the brief as it stands in the store at this moment, whichever process wrote it: a call
    remembered, an edit or an erasure is seen by the next ring. Safe from several threads; `find` is for one of them.
    """

    def __init__(self, look: Look, known: Callable[[str | None], Profile | None], clock: Clock) -> None:
        """`known(agent_id)` is the agent's profile as last read."""
        self._look = look
        self._known = known
        self._clock = clock
        self._lock = Lock()
        self._answers: OrderedDict[_Key, Answer] = OrderedDict()
        self._profiles_read: OrderedDict[str | None, float] = OrderedDict()
        self._rests_until = NEVER
        self._erasures = 0

    def begin(self) -> tuple[float, int]:
        """To be called before an answer is made that is to be kept; goes to `keep`."""
        return self._clock.monotonic(), self._erasures

    def find(self, person: str, agent_id: str | None) -> tuple[Answer, bool] | None:
        """The answer, and whether the caller is to be warmed; None where a thread must make one."""
        now = self._clock.monotonic()
        answer = self._recent(person, agent_id, now)
        if answer is None:
            return None
        try:
            caller = self._look(DEFAULT_TENANT, person)
        except StorageError:
            return None
        if self._clock.monotonic() - now > SLOW_SECONDS:
            self._rests_until = now + REST_SECONDS
        brief = caller.brief if caller else None
        if brief != answer.briefed.brief or self._known(agent_id) is not answer.briefed.profile:
            self._drop(person, agent_id)
            return None
        answer.used_at = now
        return answer, _is_cold(answer, caller, now)

    def keep(self, ring: Ring, briefed: BriefedCaller, body: bytes, begun: tuple[float, int]) -> None:
        """Have what a ring was told at hand for the next one; what holds for this ring alone is not kept."""
        person, agent_id = briefed.person, ring.agent_id
        if person is None or briefed.tier != "fresh" or TOKEN_VARIABLE in briefed.initiation.variables:
            return
        if agent_id is not None and len(agent_id) > LONGEST_AGENT_ID:
            return
        at, erasures = begun
        with self._lock:
            _put(self._profiles_read, agent_id, at)
            if erasures == self._erasures:
                _put(self._answers, (person, agent_id), Answer(body, briefed, at))

    def forget(self, tenant: str, caller_id: str) -> None:
        """Drop what is kept of a caller, and what is being made meanwhile: to be called when one is erased."""
        with self._lock:
            self._erasures += 1
            for key in [key for key in self._answers if key[0] == caller_id]:
                del self._answers[key]

    def _recent(self, person: str, agent_id: str | None, now: float) -> Answer | None:
        with self._lock:
            answer = self._answers.get((person, agent_id))
            if answer is None or now < self._rests_until:
                return None
            if now - self._profiles_read.get(agent_id, NEVER) > PROFILE_SECONDS:
                return None
            self._answers.move_to_end((person, agent_id))
            return answer if now - answer.used_at <= ANSWER_SECONDS else None

    def _drop(self, person: str, agent_id: str | None) -> None:
        with self._lock:
            self._answers.pop((person, agent_id), None)


def _is_cold(answer: Answer, caller: Caller | None, now: float) -> bool:
    """Whether a caller is to be warmed; they count as warm from then on."""
    version = (caller.first_call_at, caller.revision) if caller else None
    if version == answer.version and now - answer.warmed_at <= WARM_SECONDS:
        return False
    answer.version, answer.warmed_at = version, now
    return True


def _put(held: OrderedDict[K, V], key: K, value: V) -> None:
    held[key] = value
    held.move_to_end(key)
    if len(held) > MOST_ANSWERS:
        held.popitem(last=False)
