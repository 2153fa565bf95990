"""What has been kept for long enough goes, kind by kind and a few rows at a time; money, and what is still needed, stays."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from ivr.store import FORGOTTEN, Guess, GuessLimits, KeptKind, Limit, Store, TextProblem, TurnRecord, open_store
from ivr.store.retention import KINDS
from tests.store.databases import NUMBERS
from tests.store.payments import NOW, a_call, begin

CALLER = "+15557013998"
LATER = NOW + timedelta(days=100)
BEFORE = NOW + timedelta(days=1)


def a_call_over(store: Store, call_id: str = "CA1", *, days: int = 0, over: bool = True) -> None:
    call, at = a_call(call_id, ani=CALLER), NOW + timedelta(days=days)
    store.save_call(call, 0, at)
    store.note_turn(TurnRecord(call_id, 1, at, "call began", "", "language", (), 3))
    if over:
        store.save_call(replace(call, phase="over", outcome="unpaid"), 1, at)


def approve(store: Store) -> None:
    job = store.claim(NOW, 60)
    assert job is not None
    store.mark_sent(job)
    assert store.record(job, "approved", NOW)


def send(store: Store, message: str) -> None:
    store.queue_sms(message, CALLER, "a receipt", NOW)
    for job in store.claim_jobs(NOW, 60, 9):
        if job.reference == message:
            assert store.text_sent(job, NOW)


def numbers_on_record(store: Store) -> list[str]:
    return [one.call.ani for one in store.latest_calls(9)]


def test_calls_that_are_over_go_and_take_their_turns_with_them(store: Store):
    a_call_over(store, "CA1")
    a_call_over(store, "CA2", over=False)
    a_call_over(store, "CA3", days=50)
    assert store.kept_so_far("calls", BEFORE).due == 1
    assert store.drop_old("calls", BEFORE) == 1
    assert [store.load_call(one) is not None for one in ("CA1", "CA2", "CA3")] == [False, True, True]
    assert store.turns_of("CA1") == []
    assert store.drop_old("calls", BEFORE) == 0


def test_a_call_with_an_open_charge_stays_until_it_has_its_answer_and_its_charge_stays_for_ever(store: Store):
    begin(store, "CA1-1", caller=NUMBERS.hash(CALLER))
    a_call_over(store)
    for kind in ("calls", "numbers"):
        assert store.drop_old(kind, LATER) == 0
    approve(store)
    assert store.drop_old("numbers", LATER) == 2
    assert store.drop_old("calls", LATER) == 1
    payment = store.payment("CA1-1")
    assert payment is not None
    assert payment.status == "approved"
    assert store.entries("CA1-1") == ["requested", "approved"]


def test_a_forgotten_number_is_nowhere_and_no_two_charges_are_known_to_be_one_callers(store: Store):
    for reference in ("CA1-1", "CA1-2"):
        begin(store, reference, caller=NUMBERS.hash(CALLER), card=reference)
        approve(store)
    send(store, "CA1-x")
    a_call_over(store)
    assert store.kept_so_far("numbers", BEFORE).due == 4
    assert store.drop_old("numbers", BEFORE) == 4
    assert store.kept_so_far("numbers", BEFORE) == store.kept_so_far("numbers", None)
    marks = {store.payment(one).intent.ani_hash for one in ("CA1-1", "CA1-2")}  # type: ignore[union-attr]
    assert len(marks) == 2
    assert all(one.startswith(FORGOTTEN) for one in marks)
    stored = store.load_call("CA1")
    assert stored is not None
    assert stored.is_whole
    assert (stored.call.ani, store.texts_of("CA1")[0].recipient) == ("", "")
    assert store.drop_old("numbers", LATER) == 0


def test_a_call_that_was_forgotten_can_still_be_settled(store: Store):
    a_call_over(store)
    store.drop_old("numbers", BEFORE)
    stored = store.load_call("CA1")
    assert stored is not None
    store.settle_call(stored, replace(stored.call, outcome="paid"))
    assert numbers_on_record(store) == [""]


def test_texts_go_once_they_were_sent(store: Store):
    send(store, "CA1-x")
    store.queue_sms("CA1-y", CALLER, "a receipt", NOW)
    assert store.kept_so_far("texts", BEFORE).due == 1
    assert store.drop_old("texts", BEFORE) == 1
    assert [one.id for one in store.texts_of("CA1")] == ["CA1-y"]
    (job,) = store.claim_jobs(NOW + timedelta(hours=1), 60, 9)
    assert store.text_refused(job, TextProblem("no such number"), NOW)
    assert store.drop_old("texts", BEFORE) == 1


def test_no_more_rows_than_asked_for_at_once(store: Store):
    for number in range(5):
        a_call_over(store, f"CA{number}")
    assert [store.drop_old("calls", BEFORE, limit=2) for _ in range(4)] == [2, 2, 1, 0]


@pytest.mark.parametrize("kind", KINDS)
def test_an_empty_database_has_nothing_old(store: Store, kind: KeptKind):
    assert store.drop_old(kind, LATER) == 0
    assert (store.kept_so_far(kind, LATER).oldest, store.kept_so_far(kind, None).due) == (None, 0)


def test_guesses_are_forgotten_with_the_number_they_were_made_from(store: Store):
    limits = GuessLimits(Limit(3, 3600), Limit(3, 3600))
    assert store.begin_guess(Guess("CA1 1.0", "CA1", "account", NUMBERS.hash(CALLER)), limits, NOW) is None
    assert store.drop_old("numbers", BEFORE) == 1


def test_the_audit_trail_is_of_no_kind_and_stays_whole(store: Store):
    store.note("ada", "receipt resent", "CA1-1", NOW)
    for kind in KINDS:
        store.drop_old(kind, LATER)
    assert store.broken_audit_event() is None
    assert len(store.audit_events(9)) == 1


def test_of_what_sqlite_has_deleted_no_byte_is_left(sqlite_url: str, tmp_path: Path):
    store = open_store(sqlite_url)  # in clear, so that it can be searched for
    for number in range(50):
        store.save_call(a_call(f"CA{number}", ani=CALLER, phase="over"), 0, NOW)
    while store.drop_old("calls", BEFORE):
        pass
    assert [file.name for file in tmp_path.iterdir() if CALLER.encode() in file.read_bytes()] == []
    store.close()
