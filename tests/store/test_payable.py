"""One bill is charged once at a time, never more than is due, and never nothing; limits count attempts that failed."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from ivr.core.call import Charge
from ivr.core.money import Money
from ivr.store import (
    Accepted,
    Attempter,
    AttemptLimits,
    BeingPaid,
    DueChanged,
    DueNow,
    Limit,
    NoCard,
    OverLimit,
    SealedField,
    StaleCall,
    Status,
    Store,
)
from tests.store.payments import ACCOUNT, FIELDS, NOW, a_call, begin, intent, stage

LATER = NOW + timedelta(minutes=5)


@pytest.fixture(autouse=True)
def bill(store: Store, tmp_path: Path) -> None:
    accounts = tmp_path / "accounts.csv"
    accounts.write_text(f"account,due,minimum,currency\n{ACCOUNT},42.50,10.00,USD\n87654321,42.50,10.00,USD\n")
    store.seed_bills(accounts)


def answer(store: Store, status: Status) -> None:
    job = store.claim(NOW, 60)
    assert job is not None
    store.mark_sent(job)
    assert store.record(job, status, NOW)


# ---- one at a time


@pytest.mark.parametrize("status", ["accepted", "sent", "unknown"])
def test_an_open_charge_stops_another_on_the_same_bill(store: Store, status: Status):
    assert begin(store, "CA1-1", pays=ACCOUNT) == Accepted()
    if status != "accepted":
        job = store.claim(NOW, 60)
        assert job is not None
        store.mark_sent(job)
        if status == "unknown":
            store.record(job, "unknown", NOW)
    assert store.is_being_paid("billing.find_bill", ACCOUNT)
    assert begin(store, "CA2-1", caller="another", card="another", pays=ACCOUNT) == BeingPaid()
    assert store.payment("CA2-1") is None
    assert not store.is_staged("CA2-1")
    assert begin(store, "CA3-1", pays="87654321") == Accepted()


@pytest.mark.parametrize(
    ("ended", "then"),
    [("approved", DueChanged(Money(0))), ("declined", Accepted()), ("not_sent", Accepted())],
)
def test_a_charge_that_has_ended_leaves_what_is_due_to_the_next(store: Store, ended: Status, then: object):
    begin(store, "CA1-1", pays=ACCOUNT)
    answer(store, ended)
    assert not store.is_being_paid("billing.find_bill", ACCOUNT)
    assert begin(store, "CA2-1", caller="another", pays=ACCOUNT) == then


def test_of_many_who_pay_one_bill_at_once_one_does(store: Store):
    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(lambda n: begin(store, f"CA{n}-1", caller=f"c{n}", card=f"k{n}", pays=ACCOUNT), range(10))
        )
    assert (answers.count(Accepted()), answers.count(BeingPaid())) == (1, 9)


def test_two_at_once_and_an_approval_in_between_never_charge_more_than_is_due(store: Store):
    """The bank's approval is recorded while others begin: whichever goes first, 42.50 is all."""
    for number in range(12):
        begin(store, f"A{number}-1", caller=f"a{number}", card=f"a{number}", pays="87654321", minor=100)
        with ThreadPoolExecutor(2) as pool:
            answered = pool.submit(answer, store, "approved")
            other = {"caller": f"b{number}", "card": f"b{number}", "pays": "87654321"}
            begun = pool.submit(begin, store, f"B{number}-1", minor=4250 - 100 * number, **other)  # type: ignore[arg-type]
        assert (answered.result(), begun.result() is None) == (None, False)
        while (job := store.claim(NOW, 60)) is not None:
            store.mark_sent(job)
            store.record(job, "approved", NOW)
    left = store.find_bill("87654321")
    assert left is not None
    approved = [
        p for n in range(12) for call in (f"A{n}", f"B{n}") for p in store.payments_of(call) if p.status == "approved"
    ]
    assert sum(payment.intent.amount.minor for payment in approved) == 4250 - left.due.minor <= 4250


# ---- never more than is due, never nothing


def test_less_due_than_was_chosen_is_not_charged(store: Store):
    assert begin(store, "CA1-1", minor=4251, pays=ACCOUNT) == DueChanged(Money(4250))
    assert begin(store, "CA2-1", minor=4250, pays=ACCOUNT) == Accepted()


@pytest.mark.parametrize(("of_due", "then"), [(4250, Accepted()), (4249, DueChanged(Money(4250))), (None, Accepted())])
def test_an_amount_made_of_what_was_due_is_good_for_that_alone(store: Store, of_due: int | None, then: object):
    stage(store, "CA1-1")
    agreed = replace(intent("CA1-1", minor=4000, pays=ACCOUNT), of_due=None if of_due is None else Money(of_due))
    assert store.begin_payment(agreed, AttemptLimits(), NOW) == then


def test_a_bill_that_is_gone_owes_nothing(store: Store):
    assert begin(store, "CA1-1", pays="00000000") == DueChanged(Money(0))


@pytest.mark.parametrize("minor", [0, -1, -4250])
def test_nothing_and_less_is_never_charged(store: Store, minor: int):
    with pytest.raises(ValueError, match="more than nothing"):
        begin(store, "CA1-1", minor=minor, pays=ACCOUNT)
    assert store.payment("CA1-1") is None


def due(minor: int, at: timedelta = timedelta()) -> DueNow:
    return DueNow(Money(minor), NOW + at)


def test_what_another_billing_system_says_is_due_is_less_what_it_does_not_know_of(store: Store):
    def begin_elsewhere(reference: str, minor: int, asked: DueNow) -> object:
        stage(store, reference)
        return store.begin_payment(intent(reference, minor=minor, pays="F-1"), AttemptLimits(), NOW, asked)

    assert begin_elsewhere("CA1-1", 5000, due(4250)) == DueChanged(Money(4250))
    assert begin_elsewhere("CA2-1", 2000, due(4250)) == Accepted()
    answer(store, "approved")
    assert store.left_to_pay("billing.find_bill", "F-1", due(4250)) == Money(2250)
    assert begin_elsewhere("CA3-1", 2251, due(4250)) == DueChanged(Money(2250))
    assert begin_elsewhere("CA4-1", 2250, due(4250)) == Accepted()


def test_a_bill_in_another_currency_is_not_charged(store: Store):
    stage(store, "CA1-1")
    answer = store.begin_payment(intent("CA1-1", pays="F-1"), AttemptLimits(), NOW, DueNow(Money(9999, "EUR"), NOW))
    assert answer == DueChanged(Money(9999, "EUR"))


# ---- limits


def fail(store: Store, status: Status, count: int, **more: str) -> None:
    for number in range(count):
        begin(store, f"F{more.get('card', '')}{number}{status}-1", **{"pays": ACCOUNT, **more})  # type: ignore[arg-type]
        answer(store, status)


@pytest.mark.parametrize(("status", "counts"), [("declined", True), ("not_sent", False)])
def test_attempts_that_failed_count_for_caller_card_and_account(store: Store, status: Status, counts: bool):
    fail(store, status, 3)
    for attempter in (Attempter(ani_hash="caller"), Attempter(card_fingerprint="card"), by_account(ACCOUNT)):
        limits = AttemptLimits(per_caller=Limit(3, 60), per_card=Limit(3, 60), per_account=Limit(3, 60))
        assert (store.limit_reached(attempter, limits, NOW) is not None) == counts


def by_account(key: str) -> Attempter:
    return Attempter(payable_source="billing.find_bill", payable_key=key)


def test_approved_payments_never_are_too_many_tries(store: Store):
    limits = AttemptLimits(1, *[Limit(1, 3600)] * 4)
    for number in range(5):
        assert begin(store, f"CA-{number}", minor=100, limits=limits, pays=ACCOUNT) == Accepted()
        answer(store, "approved")


def test_callers_without_a_number_are_counted_by_call_by_account_and_by_line(store: Store):
    for number in range(3):
        begin(store, f"CA{number}-1", caller="", card=f"card {number}", line="rent 1555")
        answer(store, "declined")
    limits = AttemptLimits(per_call=3, per_caller=Limit(1, 3600), per_line=Limit(3, 3600))
    assert begin(store, "CA4-1", caller="", card="x", line="rent 1555", limits=limits) == OverLimit("attempts_per_line")
    assert begin(store, "CA5-1", caller="", card="y", line="rent 1666", limits=limits) == Accepted()
    assert begin(store, "CA6-1", caller="somebody", card="z", line="rent 1555", limits=limits) == Accepted()


def test_a_call_has_its_own_limit(store: Store):
    for number in range(3):
        begin(store, f"CA1-{number}", caller="", card=f"card {number}")
        answer(store, "declined")
    assert begin(store, "CA1-4", caller="", card="x", limits=AttemptLimits(per_call=3)) == OverLimit(
        "attempts_per_call"
    )


def test_what_was_reset_counts_no_more(store: Store):
    fail(store, "declined", 3)
    assert store.counted_attempts(NOW - timedelta(hours=1))[0].count == 3
    assert store.reset_limits(by_account("87654321")) == 0
    assert store.reset_limits(by_account(ACCOUNT)) == 3
    assert store.counted_attempts(NOW - timedelta(hours=1)) == []
    assert store.limit_reached(by_account(ACCOUNT), AttemptLimits(per_account=Limit(1, 3600)), NOW) is None


# ---- sealed fields that come too late


@pytest.mark.parametrize("status", ["approved", "declined", "not_sent"])
def test_a_delayed_duplicate_after_the_final_answer_stages_nothing(store: Store, status: Status):
    begin(store, "CA1-1")
    answer(store, status)
    with pytest.raises(StaleCall):
        stage(store, "CA1-1")
    assert not store.is_staged("CA1-1")


def test_a_delayed_duplicate_while_the_bank_works_changes_nothing(store: Store):
    begin(store, "CA1-1")
    with pytest.raises(StaleCall):
        store.stage_sealed(SealedField("CA1-1", "card_number", "another", "another"), NOW)
    job = store.claim(NOW, 60)
    assert job is not None
    assert (store.mark_sent(job) or {})["card_number"] != "another"


def test_a_call_that_is_over_stages_nothing(store: Store):
    store.save_call(a_call(phase="over", outcome="unpaid"), 0, NOW)
    with pytest.raises(StaleCall):
        stage(store, "CA1-1")


def test_fields_without_a_charge_under_way_are_dropped_in_time(store: Store):
    stage(store, "CA1-1")
    begin(store, "CA2-1", now=NOW)
    assert store.drop_unsent_cards(LATER) == len(FIELDS)
    assert store.is_staged("CA2-1")


def test_a_charge_without_a_card_is_a_fault_and_no_stale_call(store: Store):
    with pytest.raises(NoCard):
        store.begin_payment(intent("CA1-1"), AttemptLimits(), NOW)


# ---- promises


def test_every_charge_that_the_caller_has_not_heard_of_is_told_by_text(store: Store):
    charges = (Charge(1, Money(1), "declined", told=True), Charge(2, Money(2), "approved"), Charge(3, Money(3)))
    store.save_call(a_call(attempt=3), 0, NOW)
    store.save_call(a_call(attempt=3, charges=charges, phase="over", outcome="pending"), 1, NOW)
    jobs = [job.reference for job in store.claim_jobs(NOW, 60, 9) if job.kind == "result"]
    assert jobs == ["CA1-2", "CA1-3"]


def test_nobody_is_promised_a_text_that_cannot_reach_them(store: Store):
    charges = (Charge(1, Money(1), "approved"),)
    store.save_call(a_call(attempt=1), 0, NOW)
    over = a_call(attempt=1, charges=charges, phase="over", outcome="paid", can_text=False)
    store.save_call(over, 1, NOW)
    assert store.outbox_depth()["result"] == 0


def test_a_callers_number_may_be_of_any_length(store: Store):
    number = "sip:" + "9" * 300 + "@gateway.example"
    store.save_call(a_call(), 0, NOW)
    assert store.queue_sms("CA1-receipt", number, "Paid.", NOW)
    message = store.text_message("CA1-receipt")
    assert message is not None
    assert message.recipient == number
