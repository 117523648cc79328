"""The phone rings: who is calling, and what the agent is told. The use-case behind `POST /client-data`."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Literal

from agentic_memory.domain.briefing import (
    CONTEXT_LIMIT,
    NAME_LIMIT,
    NEW_CALLER_CONTEXT,
    SUMMARY_LIMIT,
    Brief,
    context_header,
    in_words,
    primary_tag,
)
from agentic_memory.domain.caller import DEFAULT_TENANT
from agentic_memory.domain.greeting import greeting, language_override
from agentic_memory.domain.initiation import TOKEN_VARIABLE, Initiation, Profile, Ring
from agentic_memory.domain.neutral import fence, is_fenced, neutral, neutral_id
from agentic_memory.errors import MemoryUnavailable, StorageError
from agentic_memory.ports import MemoryBackend, Profiles
from agentic_memory.telemetry import Log

log = Log("brief")

Tier = Literal["fresh", "last_good", "unknown"]
"""How an answer was had: from the store, from the last brief we saw, or without knowing anybody."""

NO_MEMORY = "New caller"
LAST_GOOD_BRIEFS = 2000


@dataclass(frozen=True, slots=True)
class BriefedCaller:
    """The answer to a ring."""

    person: str | None
    """The caller id; None for nobody (withheld numbers)."""
    initiation: Initiation
    known: bool
    """Whether a brief of this person stands behind the answer."""
    served_by_default: bool
    """The agent has no profile of its own and was given the default one: log it once, by agent id."""
    tier: Tier
    brief: Brief | None = None
    """What it was made of, with the profile."""
    profile: Profile | None = None


class BriefCaller:
    """Tells the agent about its caller; whatever fails, the whole variable set comes back."""

    def __init__(
        self,
        backend: MemoryBackend,
        profiles: Profiles,
        identify: Callable[[Ring], str | None],
        prompt_override: str = "compose",
        mint_token: Callable[[str, str], str] | None = None,
        last_good_briefs: int = LAST_GOOD_BRIEFS,
        kept: Callable[[str, str], Brief | None] | None = None,
    ) -> None:
        """`identify` must be pure; `mint_token(tenant, caller_id)` makes the call's bearer token.

        `prompt_override`: `compose`, `context` or `off`. `last_good_briefs` bounds what is kept for
        the time when the store cannot be read (at most about 2 KB each); `kept(tenant, caller_id)` is
        where else a last good brief may be had, by one local read.
        """
        self._backend = backend
        self._profiles = profiles
        self._identify = identify
        self._prompt_override = prompt_override
        self._mint_token = mint_token
        self._last_good = _LastGood(last_good_briefs)
        self._kept = kept
        self.also_forgets: Callable[[str, str], None] | None = None
        """Whoever else keeps what was told, if anybody; set once it exists."""

    def person(self, ring: Ring) -> str | None:
        """Who the ring is about; None for nobody. No input or output."""
        return self._identify(ring)

    def __call__(self, ring: Ring, tenant: str = DEFAULT_TENANT) -> BriefedCaller:
        """The answer from the store; where that cannot be read, what `fallback` gives. One indexed read."""
        person = self._identify(ring)
        brief, tier = self._brief(tenant, person)
        return self._briefed(ring, tenant, person, brief, tier, self._profiles.profile(ring.agent_id))

    def fallback(self, ring: Ring, tenant: str = DEFAULT_TENANT) -> BriefedCaller:
        """The answer when time is up: the last good brief, else a new caller's. No input or output."""
        person = self._identify(ring)
        brief = self._last_good.get(tenant, person) if person else None
        tier: Tier = "unknown" if brief is None else "last_good"
        return self._briefed(ring, tenant, person, brief, tier, self._profiles.known(ring.agent_id))

    def kept(self) -> Sequence[tuple[str, str, Brief]]:
        """(tenant, caller id, last good brief) of whoever has one."""
        return self._last_good.all()

    def drop(self, tenant: str, caller_id: str) -> None:
        """Drop what is kept of a caller: to be called when one is erased."""
        self._last_good.drop(tenant, caller_id)
        if self.also_forgets is not None:
            self.also_forgets(tenant, caller_id)

    def _brief(self, tenant: str, person: str | None) -> tuple[Brief | None, Tier]:
        if person is None:
            return None, "fresh"
        turn = self._last_good.turn
        try:
            brief = self._backend.brief(tenant, person)
        except (StorageError, MemoryUnavailable) as error:
            last = self._last_good.get(tenant, person)
            if last is None and self._kept is not None:
                last = self._kept(tenant, person)
            tier: Tier = "unknown" if last is None else "last_good"
            log.warning("brief_not_fresh", tier=tier, cause=error.code)
            return last, tier
        self._last_good.put(tenant, person, brief, turn)
        return brief, "fresh"

    def _briefed(
        self, ring: Ring, tenant: str, person: str | None, brief: Brief | None, tier: Tier, profile: Profile | None
    ) -> BriefedCaller:
        context = _context(brief)
        variables = dict(profile.variables) if profile else {}
        variables |= _variables(ring, person, brief, context)
        if self._mint_token is not None:
            variables[TOKEN_VARIABLE] = self._mint_token(tenant, person) if person else ""
        initiation = Initiation(variables)
        if profile is not None and self._prompt_override != "off":
            initiation = self._overriding(variables, profile, brief, context)
        by_default = profile is not None and profile.name != ring.agent_id
        return BriefedCaller(person, initiation, brief is not None, by_default, tier, brief, profile)

    def _overriding(
        self, variables: dict[str, str], profile: Profile, brief: Brief | None, context: str
    ) -> Initiation:
        language = language_override(profile, brief)
        return Initiation(
            variables,
            prompt=context if self._prompt_override == "context" else _composed(context, profile.prompt),
            first_message=greeting(profile, brief, language or "") or None,
            language=language,
        )


class _LastGood:
    """The briefs last read; those not read for longest are dropped first."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._briefs: OrderedDict[tuple[str, str], Brief] = OrderedDict()
        self._lock = Lock()
        self.turn = 0
        """Grows with every erasure, so that a read begun before one cannot bring the brief back."""

    def get(self, tenant: str, caller_id: str) -> Brief | None:
        with self._lock:
            return self._briefs.get((tenant, caller_id))

    def all(self) -> list[tuple[str, str, Brief]]:
        with self._lock:
            return [(*who, brief) for who, brief in self._briefs.items()]

    def put(self, tenant: str, caller_id: str, brief: Brief | None, turn: int) -> None:
        """Keep a brief read since `turn`; None says that there is none any more."""
        with self._lock:
            self._briefs.pop((tenant, caller_id), None)
            if brief is None or turn != self.turn:
                return
            self._briefs[tenant, caller_id] = brief
            if len(self._briefs) > self._limit:
                self._briefs.popitem(last=False)

    def drop(self, tenant: str, caller_id: str) -> None:
        with self._lock:
            self.turn += 1
            self._briefs.pop((tenant, caller_id), None)


def _variables(ring: Ring, person: str | None, brief: Brief | None, context: str) -> dict[str, str]:
    """All of `VARIABLES`, every time, strings only."""
    brief = brief or Brief()
    return {
        "caller_id": neutral_id(person or ring.caller_id),
        "caller_name": neutral(brief.caller_name, NAME_LIMIT),
        "returning_caller": "yes" if brief.memory_count > 0 else "no",
        "memory_count": str(max(0, brief.memory_count)),
        "memory_summary": neutral(brief.memory_summary, SUMMARY_LIMIT) or NO_MEMORY,
        "memory_context": context,
        "last_call_date": in_words(brief.last_call_at),
        "preferred_language": primary_tag(brief.language),
    }


def _context(brief: Brief | None) -> str:
    """The memory block: the brief's own where it is whole, fenced anew where it is not.

    Briefs come from storage and from other memory services: none reaches a prompt unchecked.
    """
    if brief is None:
        return NEW_CALLER_CONTEXT
    header = context_header(brief.memory_count)
    first, _, block = brief.context.partition("\n")
    if first == header and is_fenced(block, CONTEXT_LIMIT):
        return brief.context
    lines = brief.context[: 2 * CONTEXT_LIMIT].splitlines()
    text = [neutral(line, SUMMARY_LIMIT) for line in lines[:12]]
    return f"{header}\n{fence(text)}" if any(text) else header


def _composed(context: str, prompt: str) -> str | None:
    """The block before the agent's own prompt. With no prompt to put it before, none is sent: an
    override replaces the whole prompt, and the agent would lose its instructions."""
    return f"{context}\n\n{prompt}" if prompt else None
