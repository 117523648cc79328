"""What a call changes in what is remembered: restating, superseding, correcting. Pure and deterministic.

A memory is compiled from its *claims*: one for every time somebody stated it, with the words and the
weight of that statement. The claims are kept beside the evidence (`metadata["claims"]`, entry i for
evidence i), so that calls may come in any order and a conversation may come again: its earlier claims
are taken out, its new ones put in, and everything is settled anew from the claims alone.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace

from agentic_memory.domain.call import Call
from agentic_memory.domain.caller import Caller, CallerName, NameSource
from agentic_memory.domain.memory import Category, Change, Evidence, Fact, Memory, Sensitivity
from agentic_memory.domain.naming import corrects, extends, reported_name
from agentic_memory.domain.retention import KEEP, Retention
from agentic_memory.domain.sensitivity import is_secret
from agentic_memory.domain.wording import comparable
from agentic_memory.errors import InvalidField

NAME_SLOT = "name"
LANGUAGE_SLOT = "language"
OPERATOR = "operator"
NEWEST_CLAIMS = 16
"""How many restatements are kept beside the first and the strongest."""

_SIDES = {Category.PREFERENCE: "for", Category.INTENT: "for", Category.DISLIKE: "against"}


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What one call changes; empty where it teaches nothing new."""

    put_memories: tuple[Memory, ...] = ()
    drop_memory_ids: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing changes."""
        return not (self.put_memories or self.drop_memory_ids)


@dataclass(frozen=True, slots=True)
class Claim:
    """One statement of a fact: when, by which evidence, in which words, with which weight."""

    evidence: Evidence
    at: float
    text: str
    value: str | None = None
    language: str | None = None
    importance: float = 0.5
    sensitivity: Sensitivity = Sensitivity.ORDINARY
    strength: int = 0

    @property
    def order(self) -> tuple[float, str, float, str, str, str]:
        """Chronological and total: what was reported of a call counts as said at its end."""
        e = self.evidence
        turn = float("inf") if e.turn is None else float(e.turn)
        return (self.at, e.conversation_id, turn, e.field or "", e.quote or "", self.text)

    @property
    def weight(self) -> tuple[object, ...]:
        """Strongest source first, then the newest."""
        return (self.strength, self.order)


@dataclass(slots=True, eq=False)
class _Record:
    """A memory while it is being settled."""

    id: str
    category: Category
    slot: str | None
    claims: list[Claim]
    before: Memory | None = None
    valid_from: float = 0.0
    valid_until: float | None = None
    superseded_by: str | None = None
    metadata: Mapping[str, object] = field(default_factory=dict)

    @property
    def edited(self) -> bool:
        return bool(self.metadata.get("edited"))

    @property
    def value(self) -> str | None:
        if self.edited and self.before:
            return self.before.value
        return max(self.claims, key=lambda c: c.weight).value

    def sides(self) -> Iterator[tuple[str, str]]:
        """Each question this record answers, with the side it takes: two sides cannot both be current."""
        if self.slot:
            yield f"slot {self.slot}", self.id
        if self.category in _SIDES and self.value:
            yield f"about {comparable(self.value)}", _SIDES[self.category]


def memory_id(call: Call, fact: Fact) -> str:
    """The id under which a fact is remembered: the same for every restatement by the same caller.

    A summary is about its call, so each call has its own.
    """
    content = comparable(fact.value or "") if fact.slot else comparable(fact.text)
    scope = call.conversation_id if fact.category is Category.SUMMARY else ""
    parts = (call.tenant, call.caller_id or "", fact.slot or fact.category.value, scope, content)
    framed = "".join(f"{len(part)}:{part}" for part in parts)
    return "mem_" + hashlib.sha256(framed.encode("utf-8", "surrogatepass")).hexdigest()[:24]


def after(memories: Iterable[Memory], learnt: Reconciled) -> tuple[Memory, ...]:
    """The caller's memories once `learnt` is applied, oldest first."""
    held = {memory.id: memory for memory in memories}
    for gone in learnt.drop_memory_ids:
        held.pop(gone, None)
    held.update((memory.id, memory) for memory in learnt.put_memories)
    return tuple(sorted(held.values(), key=lambda m: (m.created_at, m.id)))


def headed(caller: Caller, calls: Sequence[Call], memories: Sequence[Memory]) -> Caller:
    """The caller as these calls, oldest first, and memories make them known; the brief is left as it is."""
    return replace(
        caller,
        name=caller_name(memories),
        language=caller_language(memories, calls),
        first_call_at=calls[0].started_at if calls else caller.first_call_at,
        last_call_at=calls[-1].started_at if calls else caller.last_call_at,
        call_count=len(calls),
    )


def taught(memories: Iterable[Memory], conversation_id: str) -> tuple[Fact, ...]:
    """What one call taught, as the claims of these memories hold it: `reconcile` makes the same of it."""
    return tuple(
        Fact(
            c.text, m.category, c.evidence, m.slot, c.value, c.language, c.importance, c.sensitivity, c.strength
        )
        for m in memories
        for c in _claims(m)
        if c.evidence.conversation_id == conversation_id and c.evidence.field != OPERATOR
    )


def forgotten(changes: Iterable[Change]) -> dict[str, float]:
    """Memory ids that an operator deleted, with when: what was said before then is not learnt again."""
    gone: dict[str, float] = {}
    for change in changes:
        if change.actor == OPERATOR and change.action == "deleted":
            gone[change.memory_id] = max(change.at, gone.get(change.memory_id, change.at))
    return gone


def reconcile(
    existing: Sequence[Memory],
    facts: Sequence[Fact],
    call: Call,
    forgotten: Mapping[str, float] | None = None,
    retention: Retention = KEEP,
) -> Reconciled:
    """What changes in one caller's memories when `call` teaches `facts`.

    `existing` is all of the caller's memories, superseded ones included; `forgotten` maps ids that an
    operator deleted to when. The outcome of a set of calls does not depend on their order, and a call
    processed again changes nothing; a new version of a conversation takes the place of the old one. A
    fact that holds a card number, a code or a password is not kept, whoever found it.
    """
    records = {m.id: _opened(m, without=call.conversation_id) for m in existing}
    for fact in facts:
        if is_secret(fact.text) or is_secret(fact.value or ""):
            continue
        key = memory_id(call, fact)
        if call.started_at > (forgotten or {}).get(key, float("-inf")):
            record = records.setdefault(key, _Record(key, fact.category, fact.slot, []))
            record.claims.append(_claim(fact, call))
    return _outcome(existing, records.values(), call.started_at, call.conversation_id, retention)


def resettle(existing: Sequence[Memory], at: float, retention: Retention = KEEP) -> Reconciled:
    """What changes in the others after an operator edited or deleted one of a caller's memories."""
    records = [_opened(m) for m in existing]
    return _outcome(existing, records, at, None, retention)


def edit(memory: Memory, text: str, at: float, value: str | None = None) -> Memory:
    """The memory as an operator words it: later calls restate it but never reword or drop it.

    The new value is read from the text where that keeps its form ("User's name is ..."), else it is `value`.
    Raises InvalidField where the name is edited and `text` gives none.
    """
    value = _edited_name(text) if memory.slot == NAME_SLOT else _reworded_value(memory, text) or value or text
    strength = int(NameSource.OPERATOR) if memory.slot == NAME_SLOT else memory.strength
    claim = Claim(
        Evidence("", field=OPERATOR), at, text, value if memory.value else None, memory.language,
        memory.importance, memory.sensitivity, strength,
    )
    kept = [c for c in _claims(memory) if c.evidence.field != OPERATOR]
    claims = _kept([*kept, claim])
    return replace(
        memory, text=text, value=claim.value, strength=strength, version=len(claims),
        evidence=tuple(c.evidence for c in claims),
        metadata={**memory.metadata, "edited": True, "claims": [_packed(c) for c in claims]},
    )


def caller_name(memories: Iterable[Memory]) -> CallerName | None:
    """The name to call the caller by: the strongest source's, then the newest; None if unknown."""
    named = [m for m in memories if m.slot == NAME_SLOT and m.value and m.is_current]
    if not named:
        return None
    best = max(named, key=lambda m: (m.strength, m.valid_from, m.id))
    sources = [s for s in NameSource if s <= best.strength] or [NameSource.SUMMARY]
    return CallerName(best.value or "", sources[-1], best.created_at, best.evidence[0].conversation_id)


def caller_language(memories: Iterable[Memory], calls: Iterable[Call]) -> str | None:
    """BCP 47 primary tag: the language the caller asked for, else that of their newest call."""
    asked = [m for m in memories if m.slot == LANGUAGE_SLOT and m.value and m.is_current]
    if asked:
        value = max(asked, key=lambda m: (m.valid_from, m.id)).value or ""
        if len(value) in (2, 3) and value.isalpha():
            return value.lower()
    spoken = [c for c in calls if c.language]
    if not spoken:
        return None
    newest = max(spoken, key=lambda c: (c.started_at, c.conversation_id))
    return (newest.language or "").replace("_", "-").split("-")[0].lower() or None


def _edited_name(text: str) -> str:
    name = reported_name(text)
    if name is None:
        raise InvalidField(field="text", expected="a name")
    return name


def _reworded_value(memory: Memory, text: str) -> str | None:
    """What stands in `text` where the value stood in the memory's text."""
    before, found, after = memory.text.partition(memory.value or "\0")
    if not found or not (text.startswith(before) and text.endswith(after)):
        return None
    return text[len(before) : len(text) - len(after)].strip() or None


def _claim(fact: Fact, call: Call) -> Claim:
    return Claim(
        fact.evidence, call.started_at, fact.text, fact.value, fact.language,
        fact.importance, fact.sensitivity, fact.strength,
    )


def _packed(claim: Claim) -> dict[str, object]:
    packed = asdict(claim)
    del packed["evidence"]
    packed["sensitivity"] = claim.sensitivity.value
    return packed


def _claims(memory: Memory) -> list[Claim]:
    """The claims of a stored memory; one made elsewhere has its own fields as its claims."""
    stored = memory.metadata.get("claims")
    if isinstance(stored, list) and len(stored) == len(memory.evidence):
        return [_unpacked(e, c) for e, c in zip(memory.evidence, stored, strict=True)]
    return [
        Claim(
            e, memory.created_at, memory.text, memory.value, memory.language,
            memory.importance, memory.sensitivity, memory.strength,
        )
        for e in memory.evidence
    ]


def _unpacked(evidence: Evidence, packed: Mapping[str, object]) -> Claim:
    fields = {**packed, "sensitivity": Sensitivity(str(packed["sensitivity"]))}
    return Claim(evidence, **fields)  # type: ignore[arg-type]


def _opened(memory: Memory, without: str | None = None) -> _Record:
    claims = [
        c for c in _claims(memory)
        if c.evidence.field == OPERATOR or c.evidence.conversation_id != without
    ]
    return _Record(memory.id, memory.category, memory.slot, claims, memory, metadata=memory.metadata)


def _kept(claims: Iterable[Claim]) -> list[Claim]:
    """First, strongest, newest and the operator's, in order: whatever came when, the same ones stay."""
    distinct = {c.evidence: c for c in sorted(claims, key=lambda c: c.order)}
    ordered = sorted(distinct.values(), key=lambda c: c.order)
    if len(ordered) <= NEWEST_CLAIMS:
        return ordered
    by_operator = (c for c in ordered if c.evidence.field == OPERATOR)
    kept = {ordered[0], max(ordered, key=lambda c: c.weight), *ordered[-NEWEST_CLAIMS:], *by_operator}
    return sorted(kept, key=lambda c: c.order)


def _outcome(
    existing: Sequence[Memory],
    records: Iterable[_Record],
    at: float,
    conversation_id: str | None,
    retention: Retention,
) -> Reconciled:
    alive = [r for r in records if r.claims or r.edited]
    for record in alive:
        record.claims = _kept(record.claims or _claims_of_edited(record))
    _settle(alive)
    settled = [_compiled(r, retention) for r in sorted(alive, key=lambda r: r.claims[0].order)]
    before = {m.id: m for m in existing}
    put = tuple(m for m in settled if before.get(m.id) != m)
    gone = tuple(m for m in existing if m.id not in {s.id for s in settled})
    changes = [c for m in put for c in _changes(before.get(m.id), m, at, conversation_id)]
    changes += [
        Change(m.id, "deleted", at, _actor(conversation_id), conversation_id, m.text) for m in gone
    ]
    return Reconciled(put, tuple(m.id for m in gone), tuple(changes))


def _claims_of_edited(record: _Record) -> list[Claim]:
    """An edited memory stays, whatever became of the call that taught it."""
    return _claims(record.before) if record.before else []


def _settle(records: Sequence[_Record]) -> None:
    """Play all claims in the order of time: each ends what contradicts it, unless that weighs more."""
    holders: dict[str, list[_Record]] = {}
    weights: dict[str, int] = {}
    reported = _ReportedNames()
    ordered = sorted(((c, r) for r in records for c in r.claims), key=lambda p: (p[0].order, p[1].id))
    for claim, record in ordered:
        rivals = _rivals(record, holders)
        mistaken = record.slot == NAME_SLOT and reported.is_mistaken(claim)
        stronger = next((r for r in rivals if mistaken or not _gives_way(r, weights[r.id], record, claim)), None)
        if stronger:
            _refuse(record, stronger, claim.at)
            continue
        for rival in rivals:
            rival.valid_until, rival.superseded_by = claim.at, record.id
        _hold(record, claim, holders, weights)
        if record.slot == NAME_SLOT:
            reported.note(claim)


class _ReportedNames:
    """The names that data collection gave in calls so far, and those of them that the caller corrected."""

    def __init__(self) -> None:
        self._given: set[str] = set()
        self._mistaken: frozenset[str] = frozenset()

    def is_mistaken(self, claim: Claim) -> bool:
        """Whether data collection only repeats what the caller has corrected since."""
        name = claim.value or ""
        forms = (comparable(name) == w or extends(name, w) or extends(w, name) for w in self._mistaken)
        return claim.strength == NameSource.DATA_COLLECTION and any(forms)

    def note(self, claim: Claim) -> None:
        """A claim that holds from now on."""
        name = comparable(claim.value or "")
        if claim.strength == NameSource.CORRECTION:
            self._mistaken = frozenset(self._given - {name})
        elif claim.strength >= NameSource.DATA_COLLECTION:
            self._given.add(name)


def _rivals(record: _Record, holders: Mapping[str, Sequence[_Record]]) -> list[_Record]:
    """The current records that answer one of this record's questions otherwise."""
    return [
        other
        for question, side in record.sides()
        for other in holders.get(question, ())
        if other.superseded_by is None and (question, side) not in set(other.sides())
    ]


def _gives_way(holder: _Record, strength: int, record: _Record, claim: Claim) -> bool:
    if claim.strength < strength and not _corrects(holder, strength, record, claim):
        return False
    shortened = record.slot == NAME_SLOT and extends(holder.value or "", claim.value or "")
    return not shortened


def _corrects(holder: _Record, strength: int, record: _Record, claim: Claim) -> bool:
    """Whether the caller corrects a name that data collection gave before, in an earlier call."""
    spoken = claim.strength == NameSource.CORRECTION and strength == NameSource.DATA_COLLECTION
    return (
        record.slot == NAME_SLOT
        and spoken
        and corrects(claim.evidence.quote or "", claim.value or "", holder.value or "")
    )


def _refuse(record: _Record, holder: _Record, at: float) -> None:
    if record.superseded_by is None:
        record.valid_from = record.valid_until = at
        record.superseded_by = holder.id


def _hold(
    record: _Record, claim: Claim, holders: dict[str, list[_Record]], weights: dict[str, int]
) -> None:
    if record.id not in weights or record.superseded_by is not None:
        record.valid_from, record.valid_until, record.superseded_by = claim.at, None, None
        weights[record.id] = claim.strength
    weights[record.id] = max(claim.strength, weights[record.id])
    for question, _ in record.sides():
        answers = holders.setdefault(question, [])
        if record not in answers:
            answers.append(record)


def _compiled(record: _Record, retention: Retention) -> Memory:
    claims, best = record.claims, max(record.claims, key=lambda c: c.weight)
    memory = Memory(
        id=record.id, text=best.text, category=record.category, slot=record.slot, value=best.value,
        evidence=tuple(c.evidence for c in claims), created_at=claims[0].at, language=best.language,
        importance=_grown(claims), sensitivity=_sensitivity(claims), strength=best.strength,
        valid_from=record.valid_from, valid_until=record.valid_until, version=len(claims),
        superseded_by=record.superseded_by,
        expires_at=retention.expires_at(record.category, claims[-1].at),
        metadata={**record.metadata, "claims": [_packed(c) for c in claims]},
    )
    if not (record.edited and record.before):
        return memory
    kept = record.before
    return replace(
        memory, text=kept.text, value=kept.value, importance=kept.importance,
        sensitivity=kept.sensitivity, language=kept.language, expires_at=kept.expires_at,
    )


def _grown(claims: Sequence[Claim]) -> float:
    """Said again, a fact matters a little more: at most .1, and never beyond 1."""
    conversations = {c.evidence.conversation_id for c in claims}
    extra = min(0.1, 0.02 * (len(conversations) - 1))
    return round(min(1.0, max(c.importance for c in claims) + extra), 4)


def _sensitivity(claims: Sequence[Claim]) -> Sensitivity:
    sensitive = any(c.sensitivity is Sensitivity.SENSITIVE for c in claims)
    return Sensitivity.SENSITIVE if sensitive else Sensitivity.ORDINARY


def _actor(conversation_id: str | None) -> str:
    return OPERATOR if conversation_id is None else "call"


def _changes(
    old: Memory | None, new: Memory, at: float, conversation_id: str | None
) -> Iterator[Change]:
    base = Change(new.id, "", at, _actor(conversation_id), conversation_id, old.text if old else None, new.text)
    if old is None:
        yield replace(base, action="created")
    elif set(new.evidence) - set(old.evidence):
        yield replace(base, action="restated")
    elif old.text != new.text:
        yield replace(base, action="edited")
    if not new.is_current and (old is None or old.is_current):
        yield replace(base, action="superseded")
    if old is not None and new.is_current and not old.is_current:
        yield replace(base, action="restored")
