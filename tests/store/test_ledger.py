"""One intent, one charge: what is begun, what may follow what, and what is deleted with it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from ivr.core.money import Money
from ivr.store import (
    Accepted,
    AlreadyBegun,
    Attempter,
    AttemptLimits,
    BankWord,
    DatabaseError,
    Job,
    Limit,
    NoCard,
    OverLimit,
    StaleCall,
    Status,
    Store,
)
from tests.store.payments import ACCOUNT, FIELDS, NOW, a_call, begin, intent, jwe_of, stage

LATER = NOW + timedelta(minutes=5)


def lease(store: Store, kind: str = "authorize") -> Job:
    job = store.claim(NOW, 60)
    assert job is not None
    assert job.kind == kind
    return job


def status_of(store: Store, reference: str = "CA1-1") -> str:
    payment = store.payment(reference)
    assert payment is not None
    return payment.status


def test_a_charge_is_on_record_with_its_job_or_not_at_all(store: Store, monkeypatch: pytest.MonkeyPatch):
    def die(*_arguments: object) -> None:
        raise RuntimeError("the process is gone")

    monkeypatch.setattr("ivr.store.ledger.add_job", die)
    with pytest.raises(RuntimeError):
        begin(store, "CA1-1")
    assert store.payment("CA1-1") is None


# ---- begun


def test_an_intent_is_begun_once_however_often_it_is_asked_for(store: Store):
    assert begin(store) == Accepted()
    assert store.begin_payment(intent(minor=9999), AttemptLimits(), LATER) == AlreadyBegun()
    assert store.outbox_depth()["authorize"] == 1
    payment = store.payment("CA1-1")
    assert payment is not None
    assert (payment.intent, payment.status) == (intent(), "accepted")


def test_of_many_who_begin_the_same_intent_at_once_one_does(store: Store):
    stage(store, "CA1-1")
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: store.begin_payment(intent(), AttemptLimits(), NOW), range(8)))
    assert sorted(type(answer).__name__ for answer in answers) == ["Accepted", *["AlreadyBegun"] * 7]
    assert store.entries("CA1-1") == ["requested"]


def test_without_sealed_fields_nothing_is_begun(store: Store):
    with pytest.raises(NoCard):
        store.begin_payment(intent(), AttemptLimits(), NOW)
    assert store.payment("CA1-1") is None
    assert store.outbox_depth()["authorize"] == 0


def test_a_call_that_has_ended_begins_no_charge(store: Store):
    store.save_call(a_call(phase="over", outcome="unpaid", hung_up=True), 0, NOW)
    with pytest.raises(StaleCall):
        begin(store)
    assert store.payment("CA1-1") is None


def test_nor_does_one_that_ends_while_its_card_lies_sealed(store: Store):
    store.save_call(a_call(), 0, NOW)
    stage(store, "CA1-1")
    store.save_call(a_call(phase="over", outcome="unpaid", hung_up=True), 1, NOW)
    with pytest.raises(StaleCall):
        store.begin_payment(intent("CA1-1"), AttemptLimits(), NOW)
    assert store.payment("CA1-1") is None


def test_a_card_that_is_forgotten_begins_no_charge_and_a_begun_charge_keeps_its_card(store: Store):
    stage(store, "CA1-1")
    assert store.forget_card("CA1-1")
    with pytest.raises(NoCard):
        store.begin_payment(intent(), AttemptLimits(), NOW)
    begin(store)
    assert not store.forget_card("CA1-1")
    assert store.mark_sent(lease(store)) == {field: jwe_of("CA1-1", field) for field in FIELDS}


def test_of_a_hang_up_and_a_charge_at_once_one_wins_whole(store: Store):
    """Whichever is first: either nothing is charged, or the charge has all its fields."""
    for number in range(12):
        reference = f"CA{number}-1"
        stage(store, reference)

        def charge(reference: str = reference) -> bool:
            try:
                return store.begin_payment(intent(reference), AttemptLimits(), NOW) == Accepted()
            except NoCard:
                return False

        with ThreadPoolExecutor(2) as pool:
            is_begun = pool.submit(charge)
            is_forgotten = pool.submit(store.forget_card, reference)
        assert is_begun.result() is not is_forgotten.result()
        if is_begun.result():
            assert len(store.mark_sent(lease(store)) or {}) == len(FIELDS)


def test_a_field_keyed_again_replaces_the_first(store: Store):
    stage(store, "CA1-1", card="first")
    begin(store, card="second", limits=AttemptLimits(per_card=Limit(1, 60)))
    assert begin(store, "CA2-1", card="first", limits=AttemptLimits(per_card=Limit(1, 60))) == Accepted()
    assert begin(store, "CA3-1", card="second", limits=AttemptLimits(per_card=Limit(1, 60))) == OverLimit(
        "attempts_per_card"
    )


# ---- limits


def test_a_caller_over_the_limit_charges_nothing_and_leaves_nothing(store: Store):
    limits = AttemptLimits(per_caller=Limit(2, 3600))
    assert [begin(store, f"CA{n}-1", limits=limits) for n in range(2)] == [Accepted(), Accepted()]
    assert begin(store, "CA3-1", limits=limits) == OverLimit("attempts_per_caller")
    assert store.payment("CA3-1") is None
    assert store.drop_unsent_cards(LATER) == 0
    assert begin(store, "CA4-1", caller="another", limits=limits) == Accepted()
    caller = Attempter(ani_hash="caller")
    assert store.limit_reached(caller, limits, NOW) == OverLimit("attempts_per_caller")
    assert store.limit_reached(caller, AttemptLimits(per_caller=Limit(3, 3600)), NOW) is None


def test_attempts_are_forgotten_after_the_window(store: Store):
    limits = AttemptLimits(per_caller=Limit(1, 60))
    begin(store, limits=limits)
    assert begin(store, "CA2-1", limits=limits, now=NOW + timedelta(seconds=59)) == OverLimit("attempts_per_caller")
    assert begin(store, "CA3-1", limits=limits, now=NOW + timedelta(seconds=61)) == Accepted()


def test_one_card_from_many_callers_is_counted_exactly_even_at_once(store: Store):
    limits = AttemptLimits(per_card=Limit(3, 3600))
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: begin(store, f"CA{n}-1", caller=f"caller {n}", limits=limits), range(10)))
    assert answers.count(Accepted()) == 3
    assert answers.count(OverLimit("attempts_per_card")) == 7
    assert store.limit_reached(Attempter(card_fingerprint="card"), limits, NOW) == OverLimit("attempts_per_card")


def test_cards_whose_number_we_do_not_know_are_not_counted_as_one(store: Store):
    limits = AttemptLimits(per_card=Limit(1, 3600))
    assert begin(store, "CA1-1", card="", limits=limits) == Accepted()
    assert begin(store, "CA2-1", card="", limits=limits) == Accepted()


# ---- sent and answered


def test_a_charge_is_marked_sent_once(store: Store):
    begin(store)
    job = lease(store)
    assert store.mark_sent(job) is not None
    assert store.mark_sent(job) is None
    assert status_of(store) == "sent"


def test_a_lost_lease_marks_nothing_and_records_nothing(store: Store):
    begin(store)
    old = lease(store)
    new = store.claim(NOW + timedelta(seconds=61), 60)
    assert new is not None
    assert (new.id, new.fence) == (old.id, old.fence + 1)
    assert store.mark_sent(old) is None
    assert status_of(store) == "accepted"
    assert store.mark_sent(new) is not None
    assert not store.record(old, "approved", NOW)
    assert not store.put_back(old, 0, NOW)
    assert not store.finish(old)
    assert not store.postpone(old, 0, NOW)
    assert not store.renew(old, 60, NOW)
    assert status_of(store) == "sent"
    assert store.record(new, "approved", NOW)


@pytest.mark.parametrize("final", ["approved", "declined", "not_sent"])
def test_a_final_answer_ends_the_job_and_deletes_the_card(store: Store, final: Status):
    begin(store)
    job = lease(store)
    store.mark_sent(job)
    assert store.record(job, final, NOW, BankWord("123456", "00"))
    payment = store.payment("CA1-1")
    assert payment is not None
    assert (payment.status, payment.authorization_code, payment.response_code) == (final, "123456", "00")
    assert store.entries("CA1-1") == ["requested", final]
    assert store.claim(LATER, 60) is None
    assert not store.record(job, "approved", NOW)
    assert status_of(store) == final


def test_unknown_keeps_the_card_and_leaves_a_job_to_resolve_it(store: Store):
    begin(store)
    job = lease(store)
    store.mark_sent(job)
    assert store.record(job, "unknown", NOW)
    assert {kind: waiting for kind, waiting in store.outbox_depth().items() if waiting} == {"resolve": 1}
    assert store.record(lease(store, "resolve"), "reversed", NOW)
    assert store.entries("CA1-1") == ["requested", "unknown", "reversed"]


def test_what_may_not_follow_is_refused(store: Store):
    begin(store)
    job = lease(store)
    assert not store.record(job, "approved", NOW)
    assert status_of(store) == "accepted"


def test_an_approval_lowers_the_bill_in_the_same_transaction(store: Store, tmp_path: Path):
    accounts = tmp_path / "accounts.csv"
    accounts.write_text(f"account,due,minimum,currency\n{ACCOUNT},42.50,10.00,USD\n")
    assert (store.seed_bills(accounts), store.seed_bills(accounts)) == (1, 0)
    for number, minor, left in ((1, 4000, 250), (2, 250, 0)):
        assert begin(store, f"CA{number}-1", minor=minor, pays=ACCOUNT) == Accepted()
        job = lease(store)
        store.mark_sent(job)
        store.record(job, "approved", NOW)
        bill = store.find_bill(ACCOUNT)
        assert bill is not None
        assert bill.due == Money(left)
        assert bill.minimum == Money(min(left, 1000))
    assert store.seed_bills(accounts) == 0
    assert store.find_bill("87654321") is None


def test_the_database_itself_refuses_to_change_the_ledger(store: Store, url: str):
    begin(store)
    engine = create_engine(url, hide_parameters=True)
    for change in ("UPDATE ledger_entry SET amount_minor = 1", "DELETE FROM ledger_entry"):
        with pytest.raises(DatabaseError, match="never changed"), engine.begin() as connection:
            connection.execute(text(change))
    engine.dispose()
    assert store.entries("CA1-1") == ["requested"]


def test_the_ledger_takes_one_entry_of_a_kind(store: Store, url: str):
    begin(store)
    engine = create_engine(url, hide_parameters=True)
    again = "INSERT INTO ledger_entry (reference, kind, amount_minor, currency, at) SELECT reference, kind, 1, 'USD', 1 FROM ledger_entry"
    with pytest.raises(DatabaseError), engine.begin() as connection:
        connection.execute(text(again))
    engine.dispose()
