"""What is erased leaves no byte in any file of the store."""

import random
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from agentic_memory.backends.sqlite.database import Database
from agentic_memory.backends.sqlite.inbox import SqliteInbox
from agentic_memory.backends.sqlite.records import SqliteRecords
from agentic_memory.domain.briefing import Brief
from agentic_memory.domain.records import CallerCommit, CallRecord, Vectors
from agentic_memory.errors import StorageLocked
from tests.contract.samples import TENANT, call, caller, change, delivery, memory, refused

PEOPLE, ERASED = 200, 60


def bytes_of(path: Path) -> bytes:
    return b"".join(file.read_bytes() for file in sorted(path.parent.iterdir()))


def secret_of(number: int) -> tuple[str, str, bytes]:
    """A caller id, a word and a vector that stand nowhere else."""
    chance = random.Random(number)
    return f"+1555010{number:04}", f"zyx{chance.randrange(10**12):012}", chance.randbytes(1024)


def commit_of(number: int, revision: int, size: int) -> CallerCommit:
    caller_id, word, vector = secret_of(number)
    text = f"{word} " * size
    conversation = f"conv_{word}_{revision}"
    return CallerCommit(
        caller=replace(
            caller(caller_id, name=word, revision=revision, last=float(size)),
            brief=Brief(context=text),
        ),
        put_call=CallRecord(
            replace(call(conversation, caller_id=caller_id, said=(text, text)), summary=text),
            Vectors("m", 256, 2, vector),
        ),
        put_memories=(
            memory("m", text=text, conversation_id=conversation),
            memory(f"m{revision}", text=word, conversation_id=conversation),
        ),
        put_vectors={f"m{revision}": Vectors("m", 512, 1, vector)} if revision == 0 else {},
        changes=(replace(change(f"m{revision}", text=text), conversation_id=conversation),),
    )


def populate(records: SqliteRecords, people: int) -> None:
    """Many callers who call in no order: pages fill, split and move their rows."""
    chance = random.Random(1)
    for revision in range(6):
        numbers = chance.sample(range(people), people)
        commits = [commit_of(n, revision, chance.randrange(1, 60)) for n in numbers]
        with ThreadPoolExecutor(32) as pool:
            list(pool.map(records.commit, commits))
    for number in range(people):
        caller_id, word, _ = secret_of(number)
        records.note_person(TENANT, f"conv_{word}_rung", caller_id, 1.0)
        records.note_archived(TENANT, f"raw/{word}", caller_id, f"conv_{word}_rung")
        records.attach_audio(TENANT, f"conv_{word}_0", f"audio/{word}")


def test_an_erased_caller_leaves_no_byte(path: Path, records: SqliteRecords) -> None:
    """Among many others, because it is their rows, when they are moved, that leave copies behind."""
    populate(records, PEOPLE)
    for number in random.Random(2).sample(range(PEOPLE), ERASED):
        caller_id, word, vector = secret_of(number)
        assert records.erase(TENANT, caller_id)
        records.scrub()
        left = bytes_of(path)
        for trace in (caller_id.encode(), word.encode(), vector[:64], vector[-64:]):
            assert trace not in left
    assert records.counts("m").callers == PEOPLE - ERASED


def test_purged_bodies_leave_no_byte(path: Path, inbox: SqliteInbox) -> None:
    chance = random.Random(3)
    words = [f"zyx{chance.randrange(10**12):012}" for _ in range(60)]
    for word in words:
        body = f'{{"text": "{word * chance.randrange(1, 2000)}"}}'.encode()
        inbox.submit(delivery(word, body=body, conversation_id=f"conv_{word}")).result(10)
    for claimed in inbox.claim(20, 100.0, 60.0):
        inbox.bury(claimed, 100.0, "E", f"about {claimed.envelope.conversation_id}")
    inbox.quarantine(refused(f"again {words[0]}".encode()), 10, 1000)
    assert inbox.purge(TENANT, [], [words[0]]) == 2
    assert inbox.purge(TENANT, [f"conv_{word}" for word in words[1:]], []) == 59
    inbox.scrub()
    left = bytes_of(path)
    assert not any(word.encode() in left for word in words)


def test_what_is_done_leaves_no_byte_after_the_next_erasure(path: Path, inbox: SqliteInbox, records: SqliteRecords) -> None:
    records.commit(commit_of(1, 0, 3))
    inbox.submit(delivery(body=b"zyx-in-the-body" * 100, conversation_id="conv_zyx")).result(10)
    (claimed,) = inbox.claim(1, 100.0, 60.0)
    inbox.done(claimed)
    records.erase(TENANT, secret_of(1)[0])
    records.scrub()
    assert b"zyx" not in bytes_of(path)


def test_an_erasure_that_was_cut_short_is_finished_when_asked_again(path: Path, records: SqliteRecords) -> None:
    caller_id, word, _ = secret_of(1)
    records.commit(commit_of(1, 0, 3))
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM callers").fetchall()
    assert records.erase(TENANT, caller_id)
    with pytest.raises(StorageLocked):
        records.scrub()
    assert records.caller(TENANT, caller_id) is None
    reader.execute("ROLLBACK")
    reader.close()
    assert not records.erase(TENANT, caller_id)
    records.scrub()
    assert word.encode() not in bytes_of(path)


def test_the_file_is_rebuilt_once_where_something_was_erased(
    database: Database, records: SqliteRecords, inbox: SqliteInbox
) -> None:
    seen: list[str] = []
    database._writing.set_trace_callback(seen.append)
    records.erase(TENANT, secret_of(1)[0])
    inbox.purge(TENANT, ["conv_1"], ["zyx"])
    records.scrub()
    assert "VACUUM" not in seen
    records.commit(commit_of(1, 0, 3))
    inbox.submit(delivery()).result(10)
    assert inbox.purge(TENANT, ["conv_1"], []) == 1
    assert records.erase(TENANT, secret_of(1)[0])
    assert "VACUUM" not in seen
    inbox.scrub()
    records.scrub()
    assert seen.count("VACUUM") == 1


def test_life_goes_on_while_somebody_is_erased(inbox: SqliteInbox, records: SqliteRecords) -> None:
    populate(records, 10)
    with ThreadPoolExecutor(8) as pool:
        erased = pool.map(lambda n: records.erase(TENANT, secret_of(n)[0]) and records.scrub() is None, range(5))
        accepted = pool.map(lambda n: inbox.submit(delivery(f"d{n}")).result(30), range(50))
        read = pool.map(lambda n: records.load(TENANT, secret_of(5 + n % 5)[0]), range(50))
        assert all(erased)
        assert len({a.id for a in accepted}) == 50
        assert all(read)
