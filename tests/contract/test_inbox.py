"""What every inbox keeps, sentence by sentence of the port."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from agentic_memory.domain.delivery import Accepted, Delivery, InboxCounts
from agentic_memory.errors import InvalidField, LeaseLost
from agentic_memory.ports import Inbox
from tests.contract.samples import TENANT, delivery, refused


def accept(inbox: Inbox, name: str = "one", **fields: object) -> str:
    accepted = inbox.submit(delivery(name, **fields)).result(10)  # type: ignore[arg-type]
    assert not accepted.duplicate
    return accepted.id


def claim_one(inbox: Inbox, now: float = 100.0, lease: float = 60.0) -> Delivery:
    (claimed,) = inbox.claim(1, now, lease)
    return claimed


def bury_one(inbox: Inbox, name: str, **fields: object) -> str:
    accept(inbox, name, **fields)
    claimed = claim_one(inbox)
    inbox.bury(claimed, 101.0, "MalformedPayload", "The body cannot be parsed")
    return claimed.id


def test_what_was_handed_in_is_claimed(inbox: Inbox) -> None:
    new = delivery(body=b"\x00\xff not text")
    accepted = inbox.submit(new).result(10)
    claimed = claim_one(inbox)
    assert claimed == Delivery(
        id=accepted.id,
        tenant=new.tenant,
        platform=new.platform,
        body=new.body,
        received_at=new.received_at,
        envelope=new.envelope,
        attempts=1,
        lease=claimed.lease,
    )
    assert claimed.lease


def test_a_known_dedupe_key_is_a_duplicate(inbox: Inbox) -> None:
    first = accept(inbox)
    assert inbox.submit(delivery(body=b"other")).result(10) == Accepted(first, duplicate=True)
    claimed = claim_one(inbox)
    assert claimed.body == delivery().body
    assert inbox.submit(delivery()).result(10) == Accepted(first, duplicate=True)
    inbox.done(claimed)
    assert inbox.submit(delivery()).result(10) == Accepted(first, duplicate=True)
    assert inbox.claim(10, 1e9, 60.0) == []
    assert inbox.counts().pending == 0


def test_a_dead_letter_is_a_duplicate_too(inbox: Inbox) -> None:
    dead = bury_one(inbox, "one")
    assert inbox.submit(delivery()).result(10) == Accepted(dead, duplicate=True)
    assert inbox.counts() == InboxCounts(0, 1, 0)


def test_the_same_key_of_another_tenant_is_none(inbox: Inbox) -> None:
    first = accept(inbox)
    assert accept(inbox, tenant="other") != first
    assert {d.tenant for d in inbox.claim(10, 100.0, 60.0)} == {TENANT, "other"}


def test_of_the_same_delivery_handed_in_at_once_one_is_kept(inbox: Inbox) -> None:
    with ThreadPoolExecutor(8) as pool:
        receipts = list(pool.map(lambda _: inbox.submit(delivery()).result(10), range(32)))
    assert [receipt.duplicate for receipt in receipts].count(False) == 1
    assert len({receipt.id for receipt in receipts}) == 1
    assert inbox.counts().pending == 1


def test_the_oldest_is_claimed_first_and_only_once(inbox: Inbox) -> None:
    late = accept(inbox, "late", at=30.0)
    early = accept(inbox, "early", at=10.0)
    middle = accept(inbox, "middle", at=20.0)
    assert [d.id for d in inbox.claim(2, 100.0, 60.0)] == [early, middle]
    assert [d.id for d in inbox.claim(2, 100.0, 60.0)] == [late]
    assert inbox.claim(2, 100.0, 60.0) == []


def test_what_is_not_due_is_not_claimed(inbox: Inbox) -> None:
    accept(inbox, at=50.0)
    assert inbox.claim(1, 49.9, 60.0) == []
    assert len(inbox.claim(1, 50.0, 60.0)) == 1


def test_many_workers_never_hold_the_same(inbox: Inbox) -> None:
    ids = {accept(inbox, f"d{n}") for n in range(40)}
    with ThreadPoolExecutor(8) as pool:
        claims = list(pool.map(lambda _: inbox.claim(3, 100.0, 60.0), range(20)))
    held = [d.id for claim in claims for d in claim]
    assert len(held) == len(set(held)) == 40
    assert set(held) == ids


def test_a_lease_that_has_run_out_passes_on(inbox: Inbox) -> None:
    accept(inbox)
    first = claim_one(inbox, now=100.0, lease=60.0)
    assert inbox.claim(1, 159.9, 60.0) == []
    second = claim_one(inbox, now=160.0)
    assert second.id == first.id
    assert second.lease != first.lease
    assert second.attempts == 2
    for late in (
        lambda: inbox.done(first),
        lambda: inbox.check_held(first),
        lambda: inbox.retry(first, 1.0, "E", "e"),
        lambda: inbox.bury(first, 1.0, "E", "e"),
    ):
        with pytest.raises(LeaseLost, match=first.id):
            late()
    assert inbox.counts() == InboxCounts(1, 0, 0, oldest_pending_at=10.0)
    inbox.done(second)
    assert inbox.counts() == InboxCounts(0, 0, 0)


def test_a_lease_that_ran_out_but_passed_to_nobody_still_holds(inbox: Inbox) -> None:
    accept(inbox)
    claimed = claim_one(inbox, now=100.0, lease=1.0)
    inbox.done(claimed)
    assert inbox.claim(1, 1e9, 1.0) == []


@pytest.mark.parametrize("end", ["done", "retry", "bury"])
def test_a_lease_ends_with_the_work(inbox: Inbox, end: str) -> None:
    accept(inbox)
    claimed = claim_one(inbox)
    if end == "done":
        inbox.done(claimed)
    elif end == "retry":
        inbox.retry(claimed, 200.0, "E", "e")
    else:
        inbox.bury(claimed, 200.0, "E", "e")
    with pytest.raises(LeaseLost):
        inbox.done(claimed)


@pytest.mark.parametrize("never", ["", "0", "999", "x", "²", "9" * 30])
def test_an_id_that_never_was_has_no_lease(inbox: Inbox, never: str) -> None:
    accept(inbox)
    with pytest.raises(LeaseLost):
        inbox.done(replace(claim_one(inbox), id=never))


def test_a_worker_can_ask_whether_it_still_holds(inbox: Inbox) -> None:
    accept(inbox)
    claimed = claim_one(inbox)
    inbox.check_held(claimed)
    inbox.renew(claimed, 900.0)
    inbox.check_held(claimed)
    for never in (replace(claimed, lease="another"), replace(claimed, id="999"), replace(claimed, id="x")):
        with pytest.raises(LeaseLost):
            inbox.check_held(never)
    inbox.purge(TENANT, ["conv_1"], [])
    with pytest.raises(LeaseLost, match=claimed.id):
        inbox.check_held(claimed)


def test_retry_gives_it_back_for_later(inbox: Inbox) -> None:
    which = accept(inbox)
    inbox.retry(claim_one(inbox), 500.0, "StorageLocked", "locked")
    assert inbox.next_due() == 500.0
    assert inbox.counts().pending == 1
    assert inbox.claim(1, 499.0, 60.0) == []
    again = claim_one(inbox, now=500.0)
    assert (again.id, again.attempts, again.body) == (which, 2, delivery().body)


def test_a_dead_letter_keeps_its_cause_and_its_body(inbox: Inbox) -> None:
    new = delivery()
    which = bury_one(inbox, "one")
    (letter,) = inbox.dead_letters().letters
    assert (letter.id, letter.tenant, letter.platform) == (which, new.tenant, new.platform)
    assert (letter.envelope, letter.received_at) == (new.envelope, new.received_at)
    assert (letter.buried_at, letter.attempts, letter.size) == (101.0, 1, len(new.body))
    assert (letter.error_code, letter.error) == ("MalformedPayload", "The body cannot be parsed")
    assert inbox.claim(1, 1e9, 60.0) == []
    assert inbox.next_due() is None
    assert inbox.revive(None, 300.0) == 1
    assert claim_one(inbox, now=300.0).body == new.body


def test_dead_letters_come_oldest_first_page_by_page(inbox: Inbox) -> None:
    ids = [bury_one(inbox, f"d{n}", at=float(n)) for n in range(5)]
    assert [letter.id for letter in inbox.dead_letters().letters] == ids
    found, cursor = [], None
    for _ in range(3):
        page = inbox.dead_letters(limit=2, cursor=cursor)
        found += [letter.id for letter in page.letters]
        cursor = page.next_cursor
    assert found == ids
    assert cursor is None
    assert inbox.dead_letters(limit=5).next_cursor is None


@pytest.mark.parametrize("cursor", ["", "x", "-1", "²", "9" * 30])
def test_a_cursor_that_is_none_is_an_invalid_field(inbox: Inbox, cursor: str) -> None:
    with pytest.raises(InvalidField, match="cursor"):
        inbox.dead_letters(cursor=cursor)


def test_the_chosen_dead_are_revived(inbox: Inbox) -> None:
    first, second = bury_one(inbox, "one"), bury_one(inbox, "two")
    waiting = accept(inbox, "three", at=900.0)
    assert inbox.revive([first, waiting, "never", "999"], 200.0) == 1
    assert [letter.id for letter in inbox.dead_letters().letters] == [second]
    assert inbox.claim(1, 199.0, 60.0) == []
    revived = claim_one(inbox, now=200.0)
    assert (revived.id, revived.attempts) == (first, 1)
    assert inbox.revive([], 200.0) == 0
    assert inbox.revive(None, 200.0) == 1
    assert inbox.revive(None, 200.0) == 0


def test_reopening_takes_in_what_is_new(inbox: Inbox) -> None:
    accepted = inbox.reopen(delivery())
    assert not accepted.duplicate
    assert claim_one(inbox).id == accepted.id
    assert inbox.submit(delivery()).result(10).duplicate


def test_reopening_brings_back_what_is_done(inbox: Inbox) -> None:
    which = accept(inbox)
    claimed = claim_one(inbox)
    inbox.done(claimed)
    assert inbox.reopen(delivery()) == Accepted(which, duplicate=False)
    again = claim_one(inbox)
    assert (again.id, again.body, again.envelope) == (which, delivery().body, delivery().envelope)
    assert again.attempts == 1


def test_reopening_brings_back_the_dead_and_the_scheduled_once(inbox: Inbox) -> None:
    bury_one(inbox, "dead")
    accept(inbox, "later")
    inbox.retry(claim_one(inbox), 1e6, "E", "e")
    assert not inbox.reopen(delivery("dead")).duplicate
    assert not inbox.reopen(delivery("later")).duplicate
    assert inbox.counts() == InboxCounts(2, 0, 0, oldest_pending_at=10.0)
    assert len(inbox.claim(10, 100.0, 60.0)) == 2
    assert inbox.claim(10, 100.0, 60.0) == []


def test_reopening_leaves_it_to_the_worker_that_holds_it(inbox: Inbox) -> None:
    which = accept(inbox)
    claimed = claim_one(inbox)
    assert inbox.reopen(delivery()) == Accepted(which, duplicate=True)
    assert inbox.claim(10, 100.0, 60.0) == []
    inbox.done(claimed)
    assert inbox.counts().pending == 0


def test_purging_reaches_what_waits_is_held_dead_and_quarantined(inbox: Inbox) -> None:
    bury_one(inbox, "dead", conversation_id="conv_gone")
    accept(inbox, "held", conversation_id="conv_gone")
    held = claim_one(inbox)
    accept(inbox, "waits", conversation_id="conv_gone")
    accept(inbox, "stays", conversation_id="conv_stays")
    assert inbox.quarantine(refused(b'[{"conversation_id":"conv_gone"}]'), 10, 1000)
    assert inbox.quarantine(refused(b'[{"conversation_id":"conv_gone_not"}]'), 10, 1000)
    assert inbox.purge(TENANT, ["conv_gone", ""], [], dry_run=True) == 4
    assert inbox.purge(TENANT, ["conv_gone", ""], []) == 4
    assert inbox.counts().pending == 1
    assert inbox.counts().dead == 0
    assert [item.body for item in inbox.quarantined()] == [b'[{"conversation_id":"conv_gone_not"}]']
    with pytest.raises(LeaseLost):
        inbox.done(held)
    assert claim_one(inbox).envelope.conversation_id == "conv_stays"
    assert inbox.submit(delivery("waits")).result(10).duplicate
    assert inbox.purge(TENANT, ["conv_gone"], []) == 0


def test_purging_by_what_a_body_holds(inbox: Inbox) -> None:
    accept(inbox, "by number", body=b'{"from":"+15550100001"}', conversation_id=None)
    accept(inbox, "by batch", body=b'[{"id": "conv_\\u00e9"}]', conversation_id=None)
    accept(inbox, "other", body=b'{"from":"+15550100002","about":"conv_1"}', conversation_id=None)
    accept(inbox, "tenant", body=b'{"from":"+15550100001"}', conversation_id=None, tenant="other")
    inbox.quarantine(refused(b'{"from":"+15550100001"}'), 10, 1000)
    assert inbox.purge(TENANT, ["conv_é"], ['"+15550100001"', ""], dry_run=True) == 3
    assert inbox.purge(TENANT, ["conv_é"], ['"+15550100001"', ""]) == 3
    assert sorted(d.body for d in inbox.claim(10, 100.0, 60.0)) == [
        b'{"from":"+15550100001"}',
        b'{"from":"+15550100002","about":"conv_1"}',
    ]


def test_conversations_are_known_by_what_a_body_holds(inbox: Inbox) -> None:
    ana, ben = b'{"from":"+15550100001"}', b'{"from":"+15550100002"}'
    bury_one(inbox, "dead", body=ana, conversation_id="conv_dead")
    accept(inbox, "waits", body=ana, conversation_id="conv_waits")
    accept(inbox, "other", body=ben, conversation_id="conv_other")
    accept(inbox, "tenant", body=ana, conversation_id="conv_tenant", tenant="other")
    accept(inbox, "unnamed", body=ana, conversation_id=None)
    named = inbox.conversations_naming(TENANT, ['"+15550100001"', ""])
    assert set(named) == {"conv_dead", "conv_waits"}
    assert not inbox.conversations_naming(TENANT, ["", "nobody"])


def test_what_is_purged_can_be_reopened(inbox: Inbox) -> None:
    which = accept(inbox)
    inbox.purge(TENANT, ["conv_1"], [])
    assert inbox.reopen(delivery()) == Accepted(which, duplicate=False)
    assert claim_one(inbox).body == delivery().body


def test_next_due_is_the_soonest_of_waiting_and_leased(inbox: Inbox) -> None:
    assert inbox.next_due() is None
    accept(inbox, "one", at=70.0)
    accept(inbox, "two", at=20.0)
    assert inbox.next_due() == 20.0
    claim_one(inbox, now=20.0, lease=30.0)
    assert inbox.next_due() == 50.0
    claimed = claim_one(inbox, now=50.0, lease=30.0)
    inbox.done(claimed)
    assert inbox.next_due() == 70.0


def test_counts_tell_where_everything_is(inbox: Inbox) -> None:
    assert inbox.counts() == InboxCounts(0, 0, 0)
    bury_one(inbox, "dead", at=5.0)
    accept(inbox, "leased", at=7.0)
    claim_one(inbox)
    accept(inbox, "waiting", at=8.0)
    inbox.quarantine(refused(b"123"), 10, 1000)
    inbox.quarantine(refused(b"45"), 10, 1000)
    assert inbox.counts() == InboxCounts(2, 1, 2, quarantined_bytes=5, oldest_pending_at=7.0)


def test_the_same_body_is_quarantined_once(inbox: Inbox) -> None:
    assert inbox.quarantine(refused(b"123"), 1, 3)
    assert inbox.quarantine(refused(b"123", at=99.0), 1, 3)
    assert inbox.counts().quarantined == 1
    assert list(inbox.quarantined()) == [refused(b"123")]


def test_a_full_quarantine_keeps_what_it_has(inbox: Inbox) -> None:
    assert not inbox.quarantine(refused(b"1"), 0, 100)
    assert inbox.quarantine(refused(b"123"), 2, 5)
    assert not inbox.quarantine(refused(b"456"), 2, 5)
    assert inbox.quarantine(refused(b"45"), 2, 5)
    assert not inbox.quarantine(refused(b""), 2, 5)
    assert {item.body for item in inbox.quarantined()} == {b"123", b"45"}


def test_quarantine_comes_oldest_first_and_is_released_one_by_one(inbox: Inbox) -> None:
    for at in (30.0, 10.0, 20.0):
        inbox.quarantine(refused(str(at).encode(), at=at), 10, 1000)
    items = []
    for item in inbox.quarantined():
        items.append(item)
        inbox.release(item.id)
    assert [item.received_at for item in items] == [10.0, 20.0, 30.0]
    assert items[0] == refused(b"10.0", at=10.0)
    inbox.release("never")
    assert inbox.counts() == InboxCounts(0, 0, 0)


def test_scrubbing_changes_nothing(inbox: Inbox) -> None:
    accept(inbox)
    inbox.purge(TENANT, ["conv_1"], [])
    accept(inbox, "two", conversation_id="conv_2")
    inbox.scrub()
    inbox.scrub()
    assert claim_one(inbox).envelope.conversation_id == "conv_2"


def test_ping_changes_nothing(inbox: Inbox) -> None:
    inbox.ping()
    assert inbox.counts() == InboxCounts(0, 0, 0)
