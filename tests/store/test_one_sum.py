"""Several bills in one charge: each is stopped, credited, counted and owed again by itself, and all of them together."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from ivr.core.actions import SplitPart
from ivr.core.money import Money
from ivr.store import (
    Accepted,
    Attempter,
    AttemptLimits,
    BeingPaid,
    Bill,
    DueChanged,
    DueNow,
    Limit,
    Modification,
    ModificationState,
    ModificationWord,
    OverLimit,
    PaymentFilter,
    Status,
    Store,
    WantedModification,
)
from tests.store.payments import NO_LIMITS, NOW, begin, intent, stage
from tests.store.sums import OWED, SOURCE, TOTAL, answer, begin_sum, next_job, sum_intent

FIRST, SECOND, THIRD = OWED


@pytest.fixture(autouse=True)
def bills(store: Store) -> None:
    store.renew_bills([Bill(key, Money(minor), Money(0)) for key, minor in OWED.items()])


def owed(store: Store) -> dict[str, int]:
    found = {key: store.find_bill(key) for key in OWED}
    return {key: bill.due.minor for key, bill in found.items() if bill}


def test_an_approval_pays_each_bill_its_own_part(store: Store):
    assert begin_sum(store) == Accepted()
    answer(store, "approved")
    assert owed(store) == dict.fromkeys(OWED, 0)
    payment = store.payment("CA1-1")
    assert payment is not None
    assert [(bill.key, bill.amount.minor) for bill in payment.intent.bills] == list(OWED.items())
    assert payment.intent == replace(sum_intent(), of_due=None)
    assert store.payments_of("CA1") == [payment]


@pytest.mark.parametrize("ending", [["declined"], ["not_sent"], ["unknown", "reversed"], ["unknown", "declined"]])
def test_every_other_ending_pays_none_of_them_and_frees_all(store: Store, ending: list[Status]):
    begin_sum(store)
    for status in ending:
        answer(store, status)
    assert owed(store) == OWED
    assert not any(store.is_being_paid(SOURCE, key) for key in OWED)
    assert begin_sum(store, "CA2-1", caller="b", card="b") == Accepted()


def test_an_unknown_sum_that_is_found_approved_pays_all_of_them(store: Store):
    begin_sum(store)
    answer(store, "unknown")
    assert all(store.is_being_paid(SOURCE, key) for key in OWED)
    answer(store, "approved")
    assert owed(store) == dict.fromkeys(OWED, 0)


# ---- one at a time


def test_an_open_charge_on_any_of_them_stops_the_sum_and_is_named(store: Store):
    begin(store, "CA1-1", pays=SECOND, minor=100, caller="a", card="a")
    assert begin_sum(store, "CA2-1") == BeingPaid((SECOND,))
    assert store.payment("CA2-1") is None
    assert not store.is_staged("CA2-1")


def test_an_open_sum_stops_a_charge_on_any_of_them(store: Store):
    begin_sum(store, owed={FIRST: 6420, SECOND: 7185})
    assert begin(store, "CA2-1", pays=SECOND, minor=100, caller="b", card="b") == BeingPaid()
    assert begin_sum(store, "CA3-1", {SECOND: 7185, THIRD: 1800}, caller="c", card="c") == BeingPaid((SECOND,))
    assert begin(store, "CA4-1", pays=THIRD, minor=1800, caller="d", card="d") == Accepted()


def test_of_overlapping_sums_at_once_each_bill_is_in_one(store: Store):
    pairs: list[Mapping[str, int]] = [{one: OWED[one], other: OWED[other]} for one, other in
                                      [(FIRST, SECOND), (SECOND, FIRST), (SECOND, THIRD), (THIRD, FIRST)]]  # fmt: skip
    with ThreadPoolExecutor(4) as pool:
        begun = list(pool.map(lambda n: begin_sum(store, f"CA{n}-1", pairs[n], caller=f"c{n}", card=f"k{n}"), range(4)))
    assert begun.count(Accepted()) == 1
    assert sum(isinstance(one, BeingPaid) for one in begun) == 3


def begin_part(store: Store, reference: str, minor: int) -> None:
    """Of the second bill, which several cards may pay elsewhere."""
    stage(store, reference, card="part")
    part = SplitPart(reference, Money(OWED[SECOND]), "keep")
    made = replace(intent(reference, minor=minor, caller="part", pays=SECOND), part=part)
    assert store.begin_payment(made, NO_LIMITS, NOW) == Accepted()


def test_a_bill_of_which_another_call_has_paid_a_part_stops_the_sum(store: Store):
    begin_part(store, "CA1-1", 1000)
    answer(store, "approved")
    assert begin_sum(store, "CA2-1") == BeingPaid((SECOND,))


def test_a_part_that_the_same_call_has_paid_is_off_what_the_bill_owes(store: Store):
    begin_part(store, "CA1-1", 1000)
    answer(store, "approved")
    left = {**OWED, SECOND: OWED[SECOND] - 1000}
    assert begin_sum(store, "CA1-2") == DueChanged(Money(TOTAL - 1000), tuple((k, Money(v)) for k, v in left.items()))


def test_a_sum_is_no_part(store: Store):
    part = SplitPart("CA1-1", Money(TOTAL), "keep")
    with pytest.raises(ValueError, match="by one card"):
        store.begin_payment(replace(sum_intent(), part=part), NO_LIMITS, NOW)


# ---- never more than is due on any


@pytest.mark.parametrize("now", [5000, 8000, 0])
def test_another_sum_due_on_one_of_them_is_told_and_nothing_charged(store: Store, now: int):
    store.renew_bills([Bill(SECOND, Money(now), Money(0))])
    dues = {**OWED, SECOND: now}
    told = tuple((key, Money(minor)) for key, minor in dues.items())
    assert begin_sum(store) == DueChanged(Money(sum(dues.values())), told)
    left = {key: minor for key, minor in dues.items() if minor}
    assert begin_sum(store, "CA1-2", left) == Accepted()


def test_as_much_more_on_one_as_less_on_another_is_another_sum_too(store: Store):
    store.renew_bills([Bill(FIRST, Money(6520), Money(0)), Bill(SECOND, Money(7085), Money(0))])
    changed = begin_sum(store)
    assert isinstance(changed, DueChanged)
    assert changed.due == Money(TOTAL)


def test_a_bill_in_another_currency_stops_the_sum(store: Store):
    store.renew_bills([Bill(THIRD, Money(1800, "EUR"), Money(0, "EUR"))])
    assert begin_sum(store) == DueChanged(Money(1800, "EUR"))


def test_a_sum_that_is_not_what_its_bills_come_to_is_a_fault(store: Store):
    with pytest.raises(ValueError, match="no more and no less"):
        store.begin_payment(replace(sum_intent(), amount=Money(TOTAL - 1)), AttemptLimits(), NOW)


def test_what_a_billing_system_does_not_know_of_is_taken_off_each_bill(store: Store):
    due = {key: DueNow(Money(minor), NOW) for key, minor in OWED.items()}
    assert begin_sum(store, due=due) == Accepted()
    answer(store, "approved", tell_billing=True)
    assert owed(store) == OWED, "they are not ours to lower"
    later = NOW + timedelta(minutes=1)
    for key, one in due.items():
        assert store.left_to_pay(SOURCE, key, one) == Money(0)
    first = next_job(store)
    assert first.reference == "CA1-1-b1"
    assert store.acknowledge(first, NOW)
    left = [store.left_to_pay(SOURCE, key, DueNow(Money(minor), later)).minor for key, minor in OWED.items()]
    assert left == [6420, 0, 0], "each is told of by itself"


def test_a_billing_system_is_told_of_each_bill_once(store: Store):
    begin_sum(store, due={key: DueNow(Money(minor), NOW) for key, minor in OWED.items()})
    answer(store, "approved", tell_billing=True)
    waiting = store.waiting_notices(9)
    assert [(one.id, one.bill and (one.bill.key, one.bill.amount.minor)) for one in waiting] == [
        (f"CA1-1-b{number}", pair) for number, pair in enumerate(OWED.items(), 1)
    ]
    assert store.resend_notices(NOW, "CA1-1") == 3
    assert store.resend_notices(NOW, "CA1-1-b2") == 1
    assert store.told_of("CA1-1-b4") is None


# ---- limits


def test_a_sum_counts_for_each_of_its_bills_and_each_counts_for_it(store: Store):
    begin_sum(store)
    answer(store, "declined")
    begin(store, "CA2-1", pays=SECOND, minor=100, caller="b", card="b")
    answer(store, "declined")

    def over(key: str, count: int) -> OverLimit | None:
        by = Attempter(payable_source=SOURCE, payable_key=key)
        return store.limit_reached(by, AttemptLimits(per_account=Limit(count, 60)), NOW)

    assert over(FIRST, 1)
    assert not over(FIRST, 2)
    assert over(SECOND, 2)
    two = AttemptLimits(per_account=Limit(2, 60))
    assert begin_sum(store, "CA3-1", caller="c", card="c", limits=two) == OverLimit("attempts_per_account")
    assert begin_sum(store, "CA4-1", {FIRST: 6420, THIRD: 1800}, caller="d", card="d", limits=two) == Accepted()


def test_what_counts_is_shown_and_reset_bill_by_bill(store: Store):
    begin_sum(store)
    answer(store, "declined")
    shown = {one.whom: one.count for one in store.counted_attempts(NOW - timedelta(hours=1)) if one.what == "account"}
    assert shown == dict.fromkeys(OWED, 1)
    assert store.reset_limits(Attempter(payable_source=SOURCE, payable_key=THIRD)) == 1
    assert store.counted_attempts(NOW - timedelta(hours=1)) == []


# ---- afterwards


def refund(store: Store, minor: int, left: int = TOTAL, *, reopens: bool = True) -> Modification:
    asked = store.ask_modification(
        WantedModification("CA1-1", "refund", Money(minor), Money(left), "ada", reopens), NOW
    )
    assert isinstance(asked, Modification)
    return asked


def end(store: Store, status: ModificationState) -> None:
    job = next_job(store)
    assert store.mark_modification_sent(job)
    assert store.end_modification(job, status, ModificationWord(), NOW)


def test_a_full_refund_owes_each_bill_what_was_paid_of_it(store: Store):
    begin_sum(store)
    answer(store, "approved")
    refund(store, TOTAL)
    end(store, "done")
    assert owed(store) == OWED


def test_a_fee_is_of_the_sum_and_of_none_of_its_bills(store: Store):
    stage(store, "CA1-1")
    assert (
        store.begin_payment(replace(sum_intent(), amount=Money(TOTAL + 200), fee=Money(200)), NO_LIMITS, NOW)
        == Accepted()
    )
    answer(store, "approved")
    assert owed(store) == dict.fromkeys(OWED, 0)
    refund(store, TOTAL + 200, TOTAL + 200)
    end(store, "done")
    assert owed(store) == OWED


def test_a_refund_that_leaves_them_paid_touches_none(store: Store):
    begin_sum(store)
    answer(store, "approved")
    refund(store, 1000, reopens=False)
    end(store, "done")
    assert owed(store) == dict.fromkeys(OWED, 0)


def test_a_part_of_a_sum_is_of_no_bill_and_reopens_none(store: Store):
    begin_sum(store)
    answer(store, "approved")
    with pytest.raises(ValueError, match="owed again together"):
        refund(store, 1000)
    assert store.balance_of(store.payments_of("CA1")[0]).refundable == Money(TOTAL)


def test_a_sum_is_found_by_any_of_its_bills(store: Store):
    begin_sum(store)
    begin(store, "CA2-1", caller="b", card="b")
    found = [[one.intent.reference for one in store.find_payments(PaymentFilter(bill=key), 9)] for key in OWED]
    assert found == [["CA1-1"]] * 3
