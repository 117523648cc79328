"""The set of calls: who called, what was said, what is asked about it, and which turns answer."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

PEOPLE = Path(__file__).parent / "people"
DAY = timedelta(days=1)
Place = tuple[str, int]
"""A conversation id and the index of a turn."""


@dataclass(frozen=True)
class PhoneCall:
    """One conversation."""

    id: str
    at: datetime
    language: str
    turns: tuple[tuple[str, str], ...]
    """(caller | agent, what was said)."""
    collected: Mapping[str, object]
    summary: str | None


@dataclass(frozen=True)
class Asked:
    """One question about a caller's calls."""

    question: str
    language: str
    said: str | None
    """The language of its evidence, `mixed` within one turn; None where nothing was ever said about it."""
    kind: str
    style: str
    """`question`, or `keywords` as agents like to write them."""
    at: datetime
    answers: tuple[str, ...]
    """Words of the evidence: each of its turns holds at least one."""
    parts: tuple[frozenset[Place], ...]
    """The evidence: all of these parts answer it together; of the turns of one part each says the same. None: never said."""
    behind: frozenset[Place]
    """Turns with the value that is not asked for, the outdated one or the newer: they come after the evidence."""

    @property
    def evidence(self) -> frozenset[Place]:
        """All turns that answer, or a part of it."""
        return frozenset().union(*self.parts)

    @property
    def group(self) -> str:
        """Under which heading it counts: the language of both sides, `mixed`, or `across` two languages."""
        if self.said in (self.language, "mixed"):
            return str(self.said)
        return "across"


@dataclass(frozen=True)
class Person:
    """One caller."""

    file: str
    caller: str
    """Their number."""
    name: str
    agent_name: str
    business: str
    languages: tuple[str, ...]
    calls: tuple[PhoneCall, ...]
    questions: tuple[Asked, ...]
    turns: Mapping[Place, str] = field(repr=False, default_factory=dict)


@cache
def everyone() -> tuple[Person, ...]:
    """All callers of the set, in the order of their files."""
    return read(PEOPLE)


def read(folder: Path) -> tuple[Person, ...]:
    """The callers in a folder, in the order of their files."""
    return tuple(_person(path.stem, json.loads(path.read_text("utf-8"))) for path in sorted(folder.glob("*.json")))


def questions() -> Iterator[tuple[Person, Asked]]:
    """Every question with the caller whom it is about."""
    for person in everyone():
        for asked in person.questions:
            yield person, asked


def _person(file: str, written: Mapping[str, object]) -> Person:
    calls = tuple(_call(call) for call in written["calls"])
    after = max(call.at for call in calls) + 7 * DAY
    return Person(
        file=file,
        caller=written["caller"],
        name=written["name"],
        agent_name=written["agent_name"],
        business=written["business"],
        languages=tuple(written["languages"]),
        calls=calls,
        questions=tuple(_asked(q, calls, after) for q in written["questions"]),
        turns={(call.id, i): text for call in calls for i, (_, text) in enumerate(call.turns)},
    )


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _call(written: Mapping[str, object]) -> PhoneCall:
    return PhoneCall(
        id=written["id"],
        at=_moment(written["at"]),
        language=written["language"],
        turns=tuple((role, text) for role, text in written["turns"]),
        collected=written.get("data_collection", {}),
        summary=written.get("summary"),
    )


def _asked(written: Mapping[str, object], calls: Sequence[PhoneCall], after: datetime) -> Asked:
    def places(turns: Sequence[tuple[int, int]]) -> frozenset[Place]:
        return frozenset((calls[call].id, turn) for call, turn in turns)

    return Asked(
        question=written["q"],
        language=written["lang"],
        said=written["said"],
        kind=written["kind"],
        style=written["style"],
        at=_moment(written["at"]) if "at" in written else after,
        answers=tuple(written["answer"]),
        parts=tuple(places(part) for part in written["evidence"]),
        behind=places(written.get("behind", ())),
    )
