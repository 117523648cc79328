"""The record store in DynamoDB."""

import secrets
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from agentic_memory.backends.dynamodb import codec, schema
from agentic_memory.backends.dynamodb.codec import PackedVectors
from agentic_memory.backends.dynamodb.folding import Folded, Rows, fold
from agentic_memory.backends.dynamodb.schema import (
    EXPIRES,
    HEADING,
    INDEX,
    NOTE,
    caller_key,
    conversation_key,
    digest,
    part,
)
from agentic_memory.backends.dynamodb.table import Row, Table, connect, end_of, typed
from agentic_memory.backends.dynamodb.taught import Taught
from agentic_memory.domain.call import Call
from agentic_memory.domain.caller import Caller, CallerPage
from agentic_memory.domain.memory import Change
from agentic_memory.domain.records import (
    CallerCommit,
    CallerRecords,
    Hold,
    StoreCounts,
    Traces,
    Vectors,
)
from agentic_memory.errors import LeaseLost, RevisionConflict, StorageUnavailable

NOTE_LIFE = 90 * 86_400
"""Seconds that a ring's note is kept when nothing more is ever heard of the conversation."""

_TRIES = 5
_LIGHT, _WHOLE = ("audio/", end_of("commit/")), ("audio/", end_of("data/"))


class DynamoRecords:
    """A RecordStore in one DynamoDB table: `schema` says where everything lies.

    A commit is one transaction of at most six items, whatever it holds: what it taught is one item,
    and values too large for one lie in parts that are written before and that nothing points to until
    then. Its heading is put on condition of the revision, so of two writers one wins. A read applies
    the lessons in order and leaves out what its heading does not know yet: that is its snapshot.

    `callers`, `stale` and `counts` read the index, which follows the table within a second or so.
    """

    def __init__(self, table_name: str, client: Any | None = None) -> None:
        """`client`: botocore's for DynamoDB; without one, the environment names region and keys."""
        self._table = Table(table_name, connect() if client is None else client)

    def caller(self, tenant: str, caller_id: str) -> Caller | None:
        """See RecordStore.caller. One GetItem."""
        row = self._table.get(caller_key(tenant, caller_id), HEADING)
        return None if row is None else codec.caller_of(row["record"], int(row["revision"]))

    def load(self, tenant: str, caller_id: str, *, with_calls: bool = True) -> CallerRecords | None:
        """See RecordStore.load. One query, a page for each megabyte."""
        if with_calls:
            loaded = self._whole(tenant, caller_id)
            return None if loaded is None else loaded[1]
        folded = self._folded(tenant, caller_id)
        return None if folded is None else folded.headings()

    def commit(self, commit: CallerCommit) -> Caller:
        """See RecordStore.commit.

        The table knows no lease, but `note_archived` came before: where an erasure has taken that note
        since, a commit with a `hold` raises LeaseLost.
        """
        caller, expected = commit.caller, commit.caller.revision
        taught, notes = Taught.by(commit), _notes_of(commit)
        for _ in range(_TRIES):
            self._check_noted(commit, notes)
            folded = self._folded(caller.tenant, caller.caller_id)
            found = folded.caller.revision if folded else 0
            if found != expected:
                raise RevisionConflict(expected=expected, found=found)
            call = commit.put_call.call if commit.put_call else None
            if call is not None and not self._point_to(caller, call.conversation_id):
                continue
            if self._append(folded, caller, taught, notes):
                return replace(caller, revision=expected + 1)
        raise StorageUnavailable(reason="a caller's items are in other transactions all the time")

    def put_call_vectors(self, tenant: str, caller_id: str, records: CallerRecords) -> None:
        """See RecordStore.put_call_vectors. All vectors are written anew and the former ones deleted."""
        for _ in range(_TRIES):
            loaded = self._whole(tenant, caller_id)
            if loaded is None:
                return
            folded, stored = loaded
            former = [*folded.embedded]
            if self._append(folded, stored.caller, Taught.renewed(stored.caller, _merged(stored, records))):
                self._drop_vectors(folded, former)
                return
        raise StorageUnavailable(reason="a caller's items are in other transactions all the time")

    def stale(self, model_id: str, limit: int) -> list[tuple[str, str]]:
        """See RecordStore.stale. Scans the index."""
        found: list[tuple[str, str]] = []
        for row in self._stale(model_id):
            found.append((str(row["tenant"]), str(row["caller_id"])))
            if len(found) == limit:
                break
        return found

    def callers(
        self, tenant: str, *, query: str = "", limit: int = 50, cursor: str | None = None
    ) -> CallerPage:
        """See RecordStore.callers. A query reads the index until the page is full, or to its end."""
        after = codec.cursor_of(cursor) if cursor is not None else "~"
        found: list[Row] = []
        for row in self._newest(tenant, query, after):
            found.append(row)
            if len(found) > limit:
                break
        page = found[:limit]
        headings = {r["pk"]: r for r in self._table.get_all([(str(r["pk"]), HEADING) for r in page])}
        # One that was erased since the index was written has no heading any more.
        kept = [headings[r["pk"]] for r in page if r["pk"] in headings]
        callers = tuple(codec.caller_of(r["record"], int(r["revision"])) for r in kept)
        more = len(found) > limit
        return CallerPage(callers, codec.cursor_text(str(page[-1]["last_call"])) if more else None)

    def call(self, tenant: str, caller_id: str, conversation_id: str) -> Call | None:
        """See RecordStore.call."""
        for _ in range(_TRIES):
            folded = self._folded(tenant, caller_id)
            if folded is None or conversation_id not in folded.calls:
                return None
            sk = schema.data_key(folded.life, folded.calls[conversation_id].revision, "turns")
            content = self._content(caller_key(tenant, caller_id), sk)
            if content is not None:
                turns = codec.turns_of(content)
                return replace(folded.heading(conversation_id), turns=turns)
        raise StorageUnavailable(reason="a call's turns are not there")

    def history(self, tenant: str, caller_id: str, memory_id: str | None = None) -> tuple[Change, ...]:
        """See RecordStore.history."""
        pk = caller_key(tenant, caller_id)
        heading = self._table.get(pk, HEADING)
        if heading is None:
            return ()
        life = str(heading["life"])
        rows = _by_key(self._table.below(pk, f"history/{life}/"))
        found: list[Change] = []
        for revision in range(1, int(heading["revision"]) + 1):
            content = codec.content_of(rows, schema.history_key(life, revision))
            found += codec.changes_of(content) if content is not None else ()
        chosen = (c for c in found if memory_id is None or c.memory_id == memory_id)
        return tuple(sorted(chosen, key=lambda c: c.at))

    def note_person(self, tenant: str, conversation_id: str, caller_id: str, at: float) -> None:
        """See RecordStore.note_person. Kept for NOTE_LIFE, or for good once the webhook has come."""
        pk = conversation_key(tenant, conversation_id)
        for _ in range(_TRIES):
            note = self._table.get(pk, NOTE) or {}
            if "caller_id" in note or self._note(pk, note, tenant, conversation_id, caller_id, at):
                return
        raise StorageUnavailable(reason="a conversation's note is in other transactions all the time")

    def person_of(self, tenant: str, conversation_id: str) -> str | None:
        """See RecordStore.person_of."""
        note = self._table.get(conversation_key(tenant, conversation_id), NOTE)
        return str(note["caller_id"]) if note and "caller_id" in note else None

    def active_since(self, tenant: str, caller_id: str, since: float) -> bool:
        """See RecordStore.active_since."""
        rings = [
            str(row["conversation_id"])
            for row in self._table.below(caller_key(tenant, caller_id), "ring/")
            if float(row["noted_at"]) >= since
        ]
        notes = self._table.get_all([(conversation_key(tenant, c), NOTE) for c in rings])
        return any("ended" not in note for note in notes)

    def end_conversation(self, tenant: str, conversation_id: str) -> None:
        """See RecordStore.end_conversation."""
        self._keep_note(tenant, conversation_id, "SET kept = :yes, ended = :yes REMOVE expires_at")

    def note_archived(
        self,
        tenant: str,
        key: str,
        caller_id: str | None,
        conversation_id: str | None,
        *,
        ended: bool = False,
        hold: Hold | None = None,
    ) -> None:
        """See RecordStore.note_archived. With neither person nor conversation there is nothing to note."""
        if conversation_id and ended:
            self.end_conversation(tenant, conversation_id)
        elif conversation_id:
            self._keep_note(tenant, conversation_id)
        if caller_id:
            pk = caller_key(tenant, caller_id)
            self._table.put(_archived(pk, key))
            if conversation_id:
                self._table.put(_about(pk, conversation_id))
        elif conversation_id:
            self._table.put(_archived(conversation_key(tenant, conversation_id), key))

    def attach_audio(
        self, tenant: str, conversation_id: str, key: str, hold: Hold | None = None
    ) -> None:
        """See RecordStore.attach_audio.

        The recording is noted before callers are looked for, and a commit points to its caller before
        it looks for recordings: whichever comes second finds the other.
        """
        pk = conversation_key(tenant, conversation_id)
        self._table.put({"pk": pk, "sk": f"audio/{digest(key)}", "key": key})
        for row in list(self._table.below(pk, "caller/")):
            self._table.put(_recording(str(row["caller"]), conversation_id, key))
        self._keep_note(tenant, conversation_id)

    def traces(self, tenant: str, caller_id: str) -> Traces:
        """See RecordStore.traces."""
        pk = caller_key(tenant, caller_id)
        rows = _by_key(self._table.between(pk, "about/", _LIGHT[1]))
        rows |= _by_key(self._table.below(pk, "ring/"))
        conversations = {str(r["conversation_id"]) for r in rows.values() if "conversation_id" in r}
        keys = {str(row["key"]) for row in rows.values() if "key" in row}
        keys |= set(_keys_of_calls(rows))
        for conversation_id in conversations:
            keys |= set(self._keys_of(conversation_key(tenant, conversation_id)))
        return Traces(tuple(sorted(conversations)), tuple(sorted(keys)))

    def erase(
        self, tenant: str, caller_id: str, deleted: Collection[str] | None = None
    ) -> bool:
        """See RecordStore.erase.

        The heading goes first, so that nobody is known any more; what says where the rest lies goes
        last, so that an erasure that was cut short can be finished by another. Copies in backups and
        in point-in-time recovery last as long as those are kept.
        """
        pk = caller_key(tenant, caller_id)
        keys = [sk for sk in self._sort_keys(pk) if sk != HEADING]
        last = ("about/", "ring/", "archived/", "commit/")
        found = True
        if deleted is None or set(self.traces(tenant, caller_id).archive_keys) <= set(deleted):
            found = self._erase_conversations(tenant, caller_id)
        else:  # what was noted meanwhile is for the next round
            keys = [sk for sk in keys if not sk.startswith((*last, "audio/"))]
        if not keys and self._table.get(pk, HEADING) is None:
            return found
        keys.sort(key=lambda sk: sk.startswith(last))
        self._table.delete_all((pk, sk) for sk in (HEADING, *keys))
        return True

    def scrub(self) -> None:
        """See RecordStore.scrub. What is deleted from a table cannot be read."""

    def erasures(self) -> int:
        """See RecordStore.erasures. Not counted: no server of many rings stands before a table."""
        return 0

    def counts(self, model_id: str) -> StoreCounts:
        """See RecordStore.counts. Scans the index."""
        rows = list(self._table.index("scan", IndexName=INDEX))
        return StoreCounts(
            callers=len(rows),
            calls=sum(int(row["calls"]) for row in rows),
            memories=sum(int(row["memories"]) for row in rows),
            stale_vectors=sum(row["models"] not in ("", model_id) for row in rows),
        )

    def ping(self) -> None:
        """See RecordStore.ping."""
        self._table.put({"pk": "ping", "sk": "ping"})
        self._table.get("ping", "ping")

    def _folded(self, tenant: str, caller_id: str) -> Folded | None:
        """The caller without what is long."""
        pk = caller_key(tenant, caller_id)
        for _ in range(_TRIES):
            rows = _by_key(self._table.between(pk, *_LIGHT))
            if HEADING not in rows:
                return None
            folded = fold(rows)
            if folded is not None:
                return folded
        raise StorageUnavailable(reason="a caller's items are being written all the time")

    def _whole(self, tenant: str, caller_id: str) -> tuple[Folded, CallerRecords] | None:
        """The caller with everything."""
        pk = caller_key(tenant, caller_id)
        for _ in range(_TRIES):
            rows = _by_key(self._table.between(pk, *_WHOLE))
            if HEADING not in rows:
                return None
            folded = fold(rows)
            records = folded.whole(rows) if folded is not None else None
            if folded is not None and records is not None:
                return folded, records
        raise StorageUnavailable(reason="a caller's items are being written all the time")

    def _check_noted(self, commit: CallerCommit, notes: Sequence[Row]) -> None:
        """Raises LeaseLost where the caller was erased since their delivery's body was noted."""
        if commit.hold and any(self._table.get(str(n["pk"]), str(n["sk"])) is None for n in notes):
            raise LeaseLost(delivery=commit.hold.delivery)

    def _append(
        self, former: Folded | None, caller: Caller, taught: Taught, notes: Sequence[Row] = ()
    ) -> bool:
        """Write what was taught as the next revision; False when somebody else was first.

        So it is too when one of the `notes` is there no more.
        """
        folded = former or Folded(caller, secrets.token_hex(4))
        revision = caller.revision + 1
        folded.apply(taught.lesson, revision)
        pk = caller_key(caller.tenant, caller.caller_id)
        heading = taught.heading(pk, caller, folded, revision)
        groups = taught.rows(pk, folded.life, revision)
        parts = [row for group in groups for row in group[:-1]]
        self._table.put_all(parts)
        if former is None:
            put = self._table.putting(heading, "attribute_not_exists(pk)")
        else:
            condition = "revision = :revision AND life = :life"
            put = self._table.putting(
                heading, condition, revision=caller.revision, life=former.life
            )
        kept = [self._table.putting(note, "attribute_exists(pk)") for note in notes]
        lessons = [self._table.putting(group[-1]) for group in groups]
        done = self._table.transact(put, *kept, *lessons)
        if not done:
            self._table.delete_all((pk, str(row["sk"])) for row in parts)
        return done

    def _point_to(self, caller: Caller, conversation_id: str) -> bool:
        """Let recordings of this call find the caller, and bring those that came first.

        Both ways at once: an erasure finds the way back by the way there. False when somebody else was first.
        """
        home = caller_key(caller.tenant, caller.caller_id)
        away = conversation_key(caller.tenant, conversation_id)
        pointer = {"pk": away, "sk": f"caller/{part(caller.caller_id)}", "caller": home}
        about = _about(home, conversation_id)
        if not self._table.transact(self._table.putting(about), self._table.putting(pointer)):
            return False
        for row in list(self._table.below(away, "audio/")):
            self._table.put(_recording(home, conversation_id, str(row["key"])))
        return True

    def _drop_vectors(self, folded: Folded, revisions: Iterable[int]) -> None:
        """Delete vectors that no lesson counts any more."""
        pk = caller_key(folded.caller.tenant, folded.caller.caller_id)
        for revision in revisions:
            sk = schema.data_key(folded.life, revision, "vectors")
            rows = self._table.between(pk, sk, end_of(f"{sk}/"), only="pk, sk")
            self._table.delete_all([(pk, str(row["sk"])) for row in rows])

    def _content(self, pk: str, sk: str) -> bytes | None:
        """One value, its parts joined."""
        return codec.content_of(_by_key(self._table.between(pk, sk, end_of(f"{sk}/"))), sk)

    def _stale(self, model_id: str) -> Iterator[Row]:
        return self._table.index(
            "scan",
            IndexName=INDEX,
            FilterExpression="models <> :none AND models <> :model",
            ExpressionAttributeValues=typed({":none": "", ":model": model_id}),
        )

    def _newest(self, tenant: str, query: str, after: str) -> Iterator[Row]:
        values = {":tenant": tenant, ":after": after}
        filtered: dict[str, object] = {}
        if query:
            values[":query"] = query.casefold()
            filtered["FilterExpression"] = "contains(searchable, :query)"
        return self._table.index(
            "query",
            IndexName=INDEX,
            KeyConditionExpression="tenant = :tenant AND last_call < :after",
            ExpressionAttributeValues=typed(values),
            ScanIndexForward=False,
            **filtered,
        )

    def _note(
        self, pk: str, note: Row, tenant: str, conversation_id: str, caller_id: str, at: float
    ) -> bool:
        """Put the note and, in the caller's partition, the ring; False when somebody else was first."""
        expires: dict[str, int] = {} if "kept" in note else {EXPIRES: int(at) + NOTE_LIFE}
        ring: Row = {
            "pk": caller_key(tenant, caller_id),
            "sk": f"ring/{part(conversation_id)}",
            "conversation_id": conversation_id,
            "noted_at": repr(at),
            **expires,
        }
        expression, condition = "SET caller_id = :caller_id", "attribute_not_exists(caller_id)"
        if expires:
            expression += ", expires_at = :expires_at"
            condition += " AND attribute_not_exists(kept)"
        update = self._table.updating(pk, NOTE, expression, condition, caller_id=caller_id, **expires)
        return self._table.transact(update, self._table.putting(ring))

    def _keep_note(
        self,
        tenant: str,
        conversation_id: str,
        expression: str = "SET kept = :yes REMOVE expires_at",
    ) -> None:
        """Something came of the conversation: whom it was with is kept for good."""
        pk = conversation_key(tenant, conversation_id)
        note = self._table.update(pk, NOTE, expression, yes=True)
        if note is not None and "caller_id" in note:
            ring = (caller_key(tenant, str(note["caller_id"])), f"ring/{part(conversation_id)}")
            self._table.update(*ring, "REMOVE expires_at", "attribute_exists(pk)")

    def _keys_of(self, pk: str) -> Iterator[str]:
        """Archive keys that are known by their conversation alone."""
        for row in self._table.between(pk, "archived/", end_of("audio/")):
            yield str(row["key"])

    def _sort_keys(self, pk: str) -> list[str]:
        rows = self._table.between(pk, " ", "~", only="pk, sk")
        return [str(row["sk"]) for row in rows]

    def _erase_conversations(self, tenant: str, caller_id: str) -> bool:
        """Erase what lies with the caller's conversations: notes, recordings, archive notes."""
        found = False
        pointer = f"caller/{part(caller_id)}"
        for conversation_id in self.traces(tenant, caller_id).conversation_ids:
            pk = conversation_key(tenant, conversation_id)
            mine = [
                (pk, sk)
                for sk in self._sort_keys(pk)
                if sk == pointer or not sk.startswith("caller/")
            ]
            self._table.delete_all(mine)
            found = found or bool(mine)
        return found


def _by_key(rows: Iterable[Row]) -> dict[str, Row]:
    return {str(row["sk"]): row for row in rows}


def _about(pk: str, conversation_id: str) -> Row:
    return {"pk": pk, "sk": f"about/{part(conversation_id)}", "conversation_id": conversation_id}


def _archived(pk: str, key: str) -> Row:
    return {"pk": pk, "sk": f"archived/{digest(key)}", "key": key}


def _notes_of(commit: CallerCommit) -> list[Row]:
    """The notes that a commit rests on: where the body of its delivery lies."""
    key = commit.put_call.call.raw_key if commit.hold and commit.put_call else None
    pk = caller_key(commit.caller.tenant, commit.caller.caller_id)
    return [_archived(pk, key)] if key else []


def _recording(pk: str, conversation_id: str, key: str) -> Row:
    sk = f"audio/{part(conversation_id)}/{digest(key)}"
    return {"pk": pk, "sk": sk, "conversation_id": conversation_id, "key": key}


def _keys_of_calls(rows: Rows) -> Iterator[str]:
    """Archive keys in the headings of calls, of every life and revision."""
    for sk in rows:
        content = codec.content_of(rows, sk) if sk.startswith("commit/") and sk.count("/") == 2 else None
        call = codec.lesson_of(content).call if content is not None else None
        if call is not None:
            yield from (key for key in (call.raw_key, call.audio_key) if key)


def _merged(stored: CallerRecords, given: CallerRecords) -> PackedVectors:
    """The stored vectors, and those given for texts that are still the same."""
    calls = {r.call.conversation_id: r.vectors for r in stored.calls if r.vectors is not None}
    memories: dict[str, Vectors] = dict(stored.memory_vectors)
    said = {r.call.conversation_id: _spoken(r.call) for r in stored.calls}
    texts = {memory.id: memory.text for memory in stored.memories}
    for record in given.calls:
        conversation_id = record.call.conversation_id
        if record.vectors is not None and said.get(conversation_id) == _spoken(record.call):
            calls[conversation_id] = record.vectors
    for memory in given.memories:
        if memory.id in given.memory_vectors and texts.get(memory.id) == memory.text:
            memories[memory.id] = given.memory_vectors[memory.id]
    return PackedVectors(calls, memories)


def _spoken(call: Call) -> list[str]:
    return [turn.text for turn in call.spoken_turns]
