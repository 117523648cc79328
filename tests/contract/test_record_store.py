"""What every record store keeps, sentence by sentence of the port."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from agentic_memory.domain.records import CallerCommit, CallerRecords, CallRecord, Traces
from agentic_memory.errors import InvalidField, RevisionConflict
from agentic_memory.ports import RecordStore
from tests.contract.samples import (
    ANA,
    BEN,
    MODEL,
    TENANT,
    call,
    caller,
    change,
    memory,
    silent_call,
    vectors,
    whole_commit,
)


def stored(records: RecordStore, commit: CallerCommit) -> CallerRecords:
    records.commit(commit)
    found = records.load(commit.caller.tenant, commit.caller.caller_id)
    assert found is not None
    return found


def test_what_was_committed_is_loaded_whole(records: RecordStore) -> None:
    commit = whole_commit()
    found = stored(records, commit)
    assert found == CallerRecords(
        caller=replace(commit.caller, revision=1),
        calls=(commit.put_call,),
        memories=commit.put_memories,
        memory_vectors=commit.put_vectors,
    )


def test_an_unknown_caller_is_none(records: RecordStore) -> None:
    assert records.caller(TENANT, ANA) is None
    assert records.load(TENANT, ANA) is None
    assert records.load(TENANT, ANA, with_calls=False) is None
    assert records.call(TENANT, ANA, "conv_1") is None
    assert records.history(TENANT, ANA) == ()


def test_the_caller_comes_with_their_brief(records: RecordStore) -> None:
    commit = whole_commit()
    records.commit(commit)
    assert records.caller(TENANT, ANA) == replace(commit.caller, revision=1)


def test_a_caller_may_have_no_name_and_no_brief(records: RecordStore) -> None:
    nobody_yet = replace(caller(), name=None, brief=None, language=None)
    assert stored(records, CallerCommit(nobody_yet)).caller == replace(nobody_yet, revision=1)


def test_one_caller_is_never_read_through_another_id(records: RecordStore) -> None:
    records.commit(whole_commit(ANA))
    records.commit(whole_commit(BEN))
    records.commit(whole_commit(ANA, tenant="other"))
    found = records.load(TENANT, ANA)
    assert found is not None
    assert [r.call.conversation_id for r in found.calls] == [f"conv_{ANA}"]
    assert [r.call.tenant for r in found.calls] == [TENANT]
    assert len(found.memories) == 1
    assert records.call(TENANT, ANA, f"conv_{BEN}") is None
    assert len(records.history(TENANT, ANA)) == 1
    assert records.caller("none", ANA) is None


def test_without_calls_turns_and_vectors_are_left_out(records: RecordStore) -> None:
    commit = whole_commit()
    records.commit(commit)
    found = records.load(TENANT, ANA, with_calls=False)
    assert commit.put_call is not None
    heading = replace(commit.put_call.call, turns=())
    assert found == CallerRecords(replace(commit.caller, revision=1), (CallRecord(heading),), commit.put_memories)


def test_calls_and_memories_come_oldest_first(records: RecordStore) -> None:
    for revision, at in enumerate((300.0, 100.0, 200.0)):
        records.commit(
            CallerCommit(
                caller(revision=revision),
                CallRecord(call(f"conv_{at}", at=at)),
                (memory(f"m{at}", at=at),),
            )
        )
    for with_calls in (True, False):
        found = records.load(TENANT, ANA, with_calls=with_calls)
        assert found is not None
        assert [r.call.started_at for r in found.calls] == [100.0, 200.0, 300.0]
        assert [m.created_at for m in found.memories] == [100.0, 200.0, 300.0]


def test_a_commit_returns_the_caller_as_stored(records: RecordStore) -> None:
    first = records.commit(whole_commit())
    assert first == records.caller(TENANT, ANA)
    assert first.revision == 1
    assert records.commit(whole_commit(revision=1)).revision == 2


@pytest.mark.parametrize("revision", [0, 2, 7])
def test_a_stale_revision_changes_nothing(records: RecordStore, revision: int) -> None:
    before = stored(records, whole_commit())
    late = replace(
        whole_commit(revision=revision),
        put_call=CallRecord(call("conv_late")),
        put_memories=(memory("late"),),
        drop_memories=("m1",),
        changes=(change("late"),),
    )
    with pytest.raises(RevisionConflict) as conflict:
        records.commit(late)
    assert conflict.value.retryable
    assert conflict.value.fields == {"expected": revision, "found": 1}
    assert records.load(TENANT, ANA) == before
    assert records.history(TENANT, ANA) == (change(),)


def test_a_caller_that_is_not_stored_has_revision_zero(records: RecordStore) -> None:
    with pytest.raises(RevisionConflict):
        records.commit(whole_commit(revision=1))
    assert records.caller(TENANT, ANA) is None


def test_of_many_writers_of_one_revision_one_wins(records: RecordStore) -> None:
    def attempt(number: int) -> bool:
        try:
            records.commit(CallerCommit(caller(), put_memories=(memory(f"m{number}"),)))
        except RevisionConflict:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(attempt, range(16)))
    found = records.load(TENANT, ANA)
    assert won.count(True) == 1
    assert found is not None
    assert [m.id for m in found.memories] == [f"m{won.index(True)}"]


def test_a_call_takes_the_place_of_the_same_conversation(records: RecordStore) -> None:
    records.commit(whole_commit())
    later = CallRecord(call(f"conv_{ANA}", said=("Hello", "Again", "And again")), vectors(3, "other"))
    found = stored(records, CallerCommit(caller(revision=1), later))
    assert found.calls == (later,)
    assert stored(records, CallerCommit(caller(revision=2), CallRecord(later.call))).calls == (CallRecord(later.call),)


def test_a_memory_takes_the_place_of_the_same_id(records: RecordStore) -> None:
    records.commit(whole_commit())
    edited = replace(memory(text="User sold the piano"), version=2, superseded_by="m2", valid_until=5.0)
    found = stored(records, CallerCommit(caller(revision=1), put_memories=(edited,), put_vectors={"m1": vectors(1, "new")}))
    assert found.memories == (edited,)
    assert found.memory_vectors == {"m1": vectors(1, "new")}


def test_vectors_of_a_memory_last_as_long_as_its_text(records: RecordStore) -> None:
    records.commit(whole_commit())
    same = stored(records, CallerCommit(caller(revision=1), put_memories=(replace(memory(), version=2),)))
    assert same.memory_vectors == {"m1": vectors(1)}
    other = stored(records, CallerCommit(caller(revision=2), put_memories=(memory(text="User sings"),)))
    assert other.memory_vectors == {}


def test_vectors_without_their_memory_are_not_kept(records: RecordStore) -> None:
    assert stored(records, CallerCommit(caller(), put_vectors={"m9": vectors(1)})).memory_vectors == {}


def test_dropped_memories_are_gone_with_their_vectors(records: RecordStore) -> None:
    records.commit(whole_commit())
    found = stored(records, CallerCommit(caller(revision=1), drop_memories=("m1", "never")))
    assert found.memories == ()
    assert found.memory_vectors == {}
    again = stored(records, CallerCommit(caller(revision=2), put_memories=(memory(),)))
    assert again.memory_vectors == {}


def test_one_call_with_its_turns(records: RecordStore) -> None:
    commit = whole_commit()
    records.commit(commit)
    assert commit.put_call is not None
    assert records.call(TENANT, ANA, f"conv_{ANA}") == commit.put_call.call
    assert records.call(TENANT, ANA, "conv_none") is None
    assert records.call("other", ANA, f"conv_{ANA}") is None


def test_turns_of_every_kind_come_back_as_they_were(records: RecordStore) -> None:
    odd = replace(silent_call(), status="", summary="", title=None, duration=0.0, collected=call().collected)
    assert stored(records, CallerCommit(caller(), CallRecord(odd))).calls[0].call == odd


def test_history_is_oldest_first_and_only_grows(records: RecordStore) -> None:
    records.commit(CallerCommit(caller(), changes=(change(at=200.0), change("m2", at=200.0))))
    records.commit(CallerCommit(caller(revision=1), changes=(change(at=300.0, action="edited"), change(at=100.0))))
    assert [(c.at, c.memory_id) for c in records.history(TENANT, ANA)] == [
        (100.0, "m1"), (200.0, "m1"), (200.0, "m2"), (300.0, "m1"),
    ]  # fmt: skip
    assert records.history(TENANT, ANA, "m2") == (change("m2", at=200.0),)
    assert records.history(TENANT, ANA, "m9") == ()


def test_new_vectors_go_to_unchanged_texts(records: RecordStore) -> None:
    before = stored(records, whole_commit())
    embedded = replace(
        before,
        calls=(CallRecord(before.calls[0].call, vectors(2, "new")),),
        memory_vectors={"m1": vectors(1, "new")},
    )
    records.put_call_vectors(TENANT, ANA, embedded)
    after = records.load(TENANT, ANA)
    assert after == replace(embedded, caller=replace(before.caller, revision=2))


def test_new_vectors_leave_changed_or_gone_texts_alone(records: RecordStore) -> None:
    before = stored(records, whole_commit())
    other_call = call("conv_other", said=("Other", "words"))
    outdated = CallerRecords(
        before.caller,
        calls=(
            CallRecord(replace(before.calls[0].call, turns=other_call.turns), vectors(2, "new")),
            CallRecord(other_call, vectors(2, "new")),
        ),
        memories=(memory(text="User had a piano"), memory("gone")),
        memory_vectors={"m1": vectors(1, "new"), "gone": vectors(1, "new")},
    )
    records.put_call_vectors(TENANT, ANA, outdated)
    after = records.load(TENANT, ANA)
    assert after is not None
    assert replace(after, caller=before.caller) == before
    records.put_call_vectors(TENANT, BEN, outdated)
    assert records.caller(TENANT, BEN) is None


def test_new_vectors_make_a_commit_of_the_old_revision_fail(records: RecordStore) -> None:
    before = stored(records, whole_commit())
    records.put_call_vectors(TENANT, ANA, before)
    with pytest.raises(RevisionConflict):
        records.commit(whole_commit(revision=1))


def test_stale_are_callers_without_vectors_of_the_model(records: RecordStore) -> None:
    assert records.stale(MODEL, 10) == []
    records.commit(whole_commit(ANA))
    assert records.stale(MODEL, 10) == []
    assert records.stale("a-newer-one", 10) == [(TENANT, ANA)]
    assert records.stale("words-2", 10) == [(TENANT, ANA)]
    records.commit(CallerCommit(caller(BEN), CallRecord(call(caller_id=BEN))))
    assert records.stale(MODEL, 10) == [(TENANT, BEN)]
    assert sorted(records.stale("other", 10)) == [(TENANT, ANA), (TENANT, BEN)]
    assert len(records.stale("other", 1)) == 1


@pytest.mark.parametrize("model_id", ["a-newer-one", "z-newer-one"])
def test_a_call_alone_can_be_stale(records: RecordStore, model_id: str) -> None:
    records.commit(CallerCommit(caller(), CallRecord(call(), vectors(2))))
    assert records.stale(model_id, 10) == [(TENANT, ANA)]
    assert records.counts(model_id).stale_vectors == 1
    assert records.counts(MODEL).stale_vectors == 0


def test_a_memory_alone_can_be_stale(records: RecordStore) -> None:
    records.commit(CallerCommit(caller(), put_memories=(memory(),)))
    assert records.stale(MODEL, 10) == [(TENANT, ANA)]
    records.commit(CallerCommit(caller(revision=1), put_vectors={"m1": vectors(1)}))
    assert records.stale(MODEL, 10) == []
    for model_id in ("a-newer-one", "z-newer-one"):
        assert records.stale(model_id, 10) == [(TENANT, ANA)]
        assert records.counts(model_id).stale_vectors == 1


def test_a_call_without_spoken_words_is_never_stale(records: RecordStore) -> None:
    records.commit(CallerCommit(caller(), CallRecord(silent_call())))
    assert records.stale(MODEL, 10) == []
    assert records.counts(MODEL).stale_vectors == 0


def people(records: RecordStore) -> None:
    for number, name in enumerate(("Ana", "", "María José", "Ben", "Ana Ben")):
        records.commit(CallerCommit(caller(f"+1555010000{number}", name=name, last=100.0 + number // 2)))
    records.commit(CallerCommit(caller("+15550100099", tenant="other", name="Ana")))


def test_callers_come_newest_call_first(records: RecordStore) -> None:
    people(records)
    page = records.callers(TENANT)
    assert [c.last_call_at for c in page.callers] == [102.0, 101.0, 101.0, 100.0, 100.0]
    assert page.callers[0] == records.caller(TENANT, "+15550100004")
    assert page.next_cursor is None


@pytest.mark.parametrize("limit", [1, 2, 5])
def test_pages_join_to_the_whole(records: RecordStore, limit: int) -> None:
    people(records)
    found, cursor = [], None
    for _ in range(6):
        page = records.callers(TENANT, limit=limit, cursor=cursor)
        assert len(page.callers) <= limit
        found += page.callers
        cursor = page.next_cursor
        if cursor is None:
            break
    assert found == list(records.callers(TENANT).callers)
    assert len(found) == 5


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("ana", {"Ana", "Ana Ben"}),
        ("MARÍA", {"María José"}),
        ("0100002", {"María José"}),
        ("%", set()),
        ("_", set()),
        ("nobody", set()),
    ],
)
def test_a_query_matches_part_of_id_or_name(records: RecordStore, query: str, expected: set[str]) -> None:
    people(records)
    page = records.callers(TENANT, query=query)
    assert {c.name.text for c in page.callers if c.name} == expected
    paged = records.callers(TENANT, query=query, limit=1)
    assert len(paged.callers) == min(1, len(expected))
    assert (paged.next_cursor is not None) == (len(expected) > 1)


@pytest.mark.parametrize("cursor", ["", "x", "é", "MTIz", "bnVsbA==", "{}", "\x00"])
def test_a_cursor_that_is_none_is_an_invalid_field(records: RecordStore, cursor: str) -> None:
    with pytest.raises(InvalidField, match="cursor"):
        records.callers(TENANT, cursor=cursor)


def test_the_first_note_of_a_person_stands(records: RecordStore) -> None:
    assert records.person_of(TENANT, "conv_1") is None
    records.note_person(TENANT, "conv_1", ANA, 10.0)
    records.note_person(TENANT, "conv_1", BEN, 20.0)
    assert records.person_of(TENANT, "conv_1") == ANA
    assert records.person_of("other", "conv_1") is None
    assert not records.active_since(TENANT, BEN, 0.0)


def test_a_conversation_is_active_until_it_ends(records: RecordStore) -> None:
    records.note_person(TENANT, "conv_1", ANA, 10.0)
    assert records.active_since(TENANT, ANA, 10.0)
    assert not records.active_since(TENANT, ANA, 10.5)
    assert not records.active_since(TENANT, BEN, 0.0)
    assert not records.active_since("other", ANA, 0.0)
    records.note_person(TENANT, "conv_2", ANA, 20.0)
    records.end_conversation(TENANT, "conv_1")
    assert records.active_since(TENANT, ANA, 10.5)
    records.end_conversation(TENANT, "conv_2")
    assert not records.active_since(TENANT, ANA, 0.0)
    assert records.person_of(TENANT, "conv_1") == ANA


def test_an_end_that_comes_before_the_note_stays(records: RecordStore) -> None:
    records.end_conversation(TENANT, "conv_1")
    assert records.person_of(TENANT, "conv_1") is None
    records.note_person(TENANT, "conv_1", ANA, 10.0)
    assert records.person_of(TENANT, "conv_1") == ANA
    assert not records.active_since(TENANT, ANA, 0.0)


@pytest.mark.parametrize("call_first", [True, False])
def test_a_recording_and_its_call_may_come_in_either_order(records: RecordStore, call_first: bool) -> None:
    commit = CallerCommit(caller(), CallRecord(call("conv_1"), vectors(2)))
    if call_first:
        records.commit(commit)
    records.attach_audio(TENANT, "conv_1", "audio/1.mp3")
    records.attach_audio(TENANT, "conv_1", "audio/1.mp3")
    records.attach_audio("other", "conv_1", "audio/other.mp3")
    if not call_first:
        records.commit(commit)
    found = records.load(TENANT, ANA)
    assert found is not None
    assert found.calls == (CallRecord(replace(call("conv_1"), audio_key="audio/1.mp3"), vectors(2)),)
    again = stored(records, replace(commit, caller=caller(revision=1)))
    assert again.calls[0].call.audio_key == "audio/1.mp3"
    heading = records.load(TENANT, ANA, with_calls=False)
    assert heading is not None
    assert heading.calls[0].call.audio_key == "audio/1.mp3"


@pytest.mark.parametrize("keys", [("audio/1", "audio/2"), ("audio/2", "audio/1")])
def test_of_several_recordings_one_is_chosen_whatever_the_order(records: RecordStore, keys: tuple[str, str]) -> None:
    records.commit(CallerCommit(caller(), CallRecord(call("conv_1"))))
    for key in keys:
        records.attach_audio(TENANT, "conv_1", key)
    found = records.call(TENANT, ANA, "conv_1")
    assert found is not None
    assert found.audio_key == "audio/2"
    assert records.traces(TENANT, ANA).archive_keys == ("audio/1", "audio/2")


def scattered(records: RecordStore) -> None:
    """Traces of Ana in every place that keeps any, beside some of Ben."""
    records.commit(CallerCommit(caller(), CallRecord(call("conv_1", raw_key="raw/1"))))
    records.note_person(TENANT, "conv_rung", ANA, 10.0)
    records.note_archived(TENANT, "raw/2", ANA, "conv_failed")
    records.note_archived(TENANT, "raw/2", ANA, "conv_failed")
    records.note_archived(TENANT, "raw/3", None, "conv_rung")
    records.note_archived(TENANT, "raw/4", ANA, None)
    records.note_archived(TENANT, "raw/5", None, "conv_nobody")
    records.note_archived(TENANT, "raw/6", None, None)
    records.attach_audio(TENANT, "conv_1", "audio/1")
    records.attach_audio(TENANT, "conv_rung", "audio/2")
    records.commit(CallerCommit(caller(BEN), CallRecord(call("conv_ben", caller_id=BEN, raw_key="raw/b"))))
    records.note_archived(TENANT, "raw/b", BEN, "conv_ben")
    records.note_archived("other", "raw/o", ANA, "conv_o")


def test_traces_are_found_wherever_they_lie(records: RecordStore) -> None:
    assert records.traces(TENANT, ANA) == Traces()
    scattered(records)
    assert records.traces(TENANT, ANA) == Traces(
        ("conv_1", "conv_failed", "conv_rung"),
        ("audio/1", "audio/2", "raw/1", "raw/2", "raw/3", "raw/4"),
    )
    assert records.traces(TENANT, BEN) == Traces(("conv_ben",), ("raw/b",))


def test_a_later_note_fills_in_the_person(records: RecordStore) -> None:
    records.note_archived(TENANT, "raw/1", None, "conv_1")
    assert records.traces(TENANT, ANA) == Traces()
    records.note_archived(TENANT, "raw/1", ANA, "conv_1")
    records.note_archived(TENANT, "raw/1", None, "conv_1")
    assert records.traces(TENANT, ANA) == Traces(("conv_1",), ("raw/1",))


def test_a_body_about_two_people_is_a_trace_of_both(records: RecordStore) -> None:
    records.note_archived(TENANT, "raw/batch", ANA, "conv_a")
    records.note_archived(TENANT, "raw/batch", BEN, "conv_b")
    assert records.traces(TENANT, ANA) == Traces(("conv_a",), ("raw/batch",))
    assert records.traces(TENANT, BEN) == Traces(("conv_b",), ("raw/batch",))


def test_erasing_leaves_nothing_of_one_caller_and_all_of_the_others(records: RecordStore) -> None:
    scattered(records)
    records.commit(replace(whole_commit(revision=1), changes=(change(),)))
    ben = records.load(TENANT, BEN)
    assert records.erase(TENANT, ANA)
    assert records.load(TENANT, ANA) is None
    assert records.history(TENANT, ANA) == ()
    assert records.traces(TENANT, ANA) == Traces()
    assert records.person_of(TENANT, "conv_rung") is None
    assert not records.active_since(TENANT, ANA, 0.0)
    assert records.stale("other", 10) == [(TENANT, BEN)]
    assert records.callers(TENANT, query="Ana").callers == records.callers(TENANT).callers
    assert records.load(TENANT, BEN) == ben
    assert records.traces(TENANT, BEN) == Traces(("conv_ben",), ("raw/b",))
    assert records.traces("other", ANA).archive_keys == ("raw/o",)
    assert records.commit(whole_commit()).revision == 1


def test_what_was_noted_meanwhile_is_left_for_the_next_round(records: RecordStore) -> None:
    scattered(records)
    found = records.traces(TENANT, ANA).archive_keys
    records.note_archived(TENANT, "raw/late", ANA, "conv_1")
    assert records.erase(TENANT, ANA, deleted=found)
    assert records.load(TENANT, ANA) is None
    assert records.history(TENANT, ANA) == ()
    again = records.traces(TENANT, ANA).archive_keys
    assert set(again) == {*found, "raw/late"}
    assert records.erase(TENANT, ANA, deleted=(*again, "raw/of nobody"))
    assert records.traces(TENANT, ANA) == Traces()
    assert not records.erase(TENANT, ANA, deleted=())
    assert records.traces(TENANT, BEN) == Traces(("conv_ben",), ("raw/b",))


def test_scrubbing_changes_nothing(records: RecordStore) -> None:
    records.commit(whole_commit())
    records.commit(whole_commit(BEN))
    records.erase(TENANT, BEN)
    before = records.load(TENANT, ANA)
    records.scrub()
    records.scrub()
    assert records.load(TENANT, ANA) == before


def test_a_note_of_the_body_may_end_the_conversation(records: RecordStore) -> None:
    records.note_person(TENANT, "conv_1", ANA, 10.0)
    records.note_archived(TENANT, "raw/1", ANA, "conv_1")
    assert records.active_since(TENANT, ANA, 0.0)
    records.note_archived(TENANT, "raw/1", ANA, "conv_1", ended=True)
    assert not records.active_since(TENANT, ANA, 0.0)
    records.note_archived(TENANT, "raw/2", ANA, None, ended=True)
    assert records.traces(TENANT, ANA) == Traces(("conv_1",), ("raw/1", "raw/2"))


def test_erasing_says_whether_there_was_anything(records: RecordStore) -> None:
    assert not records.erase(TENANT, ANA)
    records.commit(whole_commit())
    assert not records.erase("other", ANA)
    assert records.erase(TENANT, ANA)
    assert not records.erase(TENANT, ANA)
    records.note_person(TENANT, "conv_1", ANA, 1.0)
    assert records.erase(TENANT, ANA)
    records.note_archived(TENANT, "raw/1", ANA, None)
    assert records.erase(TENANT, ANA)


def test_counts_follow_what_is_stored(records: RecordStore) -> None:
    def counted(model_id: str = MODEL) -> tuple[int, int, int, int]:
        found = records.counts(model_id)
        return found.callers, found.calls, found.memories, found.stale_vectors

    assert counted() == (0, 0, 0, 0)
    records.commit(whole_commit(ANA))
    records.commit(whole_commit(ANA, revision=1))
    records.commit(whole_commit(BEN))
    assert counted() == (2, 2, 2, 0)
    assert counted("newer") == (2, 2, 2, 2)
    records.commit(CallerCommit(caller(revision=2), put_memories=(memory("m2"),), drop_memories=("m1",)))
    assert counted() == (2, 2, 2, 1)
    records.erase(TENANT, ANA)
    assert counted() == (1, 1, 1, 0)


def test_ping_changes_nothing(records: RecordStore) -> None:
    records.ping()
    assert records.counts(MODEL).callers == 0
