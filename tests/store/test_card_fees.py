"""A fee is charged with the amount and credited to nothing: bills, what is due elsewhere, and refunds that owe a bill again."""

from dataclasses import replace

import pytest

from ivr.core.money import Money
from ivr.store import (
    Accepted,
    BankWord,
    Bill,
    DueChanged,
    DueNow,
    FollowUp,
    ModificationState,
    ModificationWord,
    News,
    Payment,
    Store,
    WantedModification,
)
from tests.store.payments import ACCOUNT, NO_LIMITS, NOW, intent, stage

DUE, FEE = Money(4250), Money(200)
BOTH = Money(4450)


def owing(store: Store, due: Money = DUE) -> None:
    store.renew_bills([Bill(ACCOUNT, due, Money(1000))])


def begin(store: Store, reference: str = "CA1-1", amount: Money = BOTH, of_due: Money | None = DUE, due=None):
    stage(store, reference)
    made = replace(intent(reference, pays=ACCOUNT), amount=amount, fee=FEE, of_due=of_due)
    return store.begin_payment(made, NO_LIMITS, NOW, due)


def approve(store: Store, follow_up: FollowUp | None = None) -> Payment:
    job = store.claim(NOW, 60)
    assert job is not None
    store.mark_sent(job)
    assert store.record(job, "approved", NOW, None, follow_up)
    payment = store.payment(job.reference)
    assert payment is not None
    return payment


def due(store: Store) -> int:
    bill = store.find_bill(ACCOUNT)
    assert bill is not None
    return bill.due.minor


def give_back(store: Store, minor: int, left: int, ends: ModificationState = "done") -> None:
    asked = WantedModification("CA1-1", "refund", Money(minor), Money(left), "ada", reopens_bill=True)
    store.ask_modification(asked, NOW)
    job = store.claim(NOW, 60)
    assert job is not None
    assert store.mark_modification_sent(job)
    assert store.end_modification(job, ends, ModificationWord(), NOW)


def test_the_bank_is_asked_for_both_and_the_bill_is_credited_without_the_fee(store: Store):
    owing(store)
    assert begin(store) == Accepted()
    payment = approve(store)
    assert (payment.intent.amount, payment.intent.fee, payment.intent.credited) == (BOTH, FEE, DUE)
    assert due(store) == 0
    assert store.balance_of(payment).charged == BOTH


@pytest.mark.parametrize(("amount", "of_due"), [(BOTH, DUE), (Money(4451), None)])
def test_never_more_than_what_is_due_and_the_fee(store: Store, amount: Money, of_due: Money | None):
    owing(store, DUE if of_due is None else Money(4240))
    assert isinstance(begin(store, amount=amount, of_due=of_due), DueChanged)
    assert store.payment("CA1-1") is None


def test_a_billing_system_that_does_not_know_of_it_yet_owes_less_by_what_it_is_credited(store: Store):
    asked = DueNow(Money(10_000), NOW)
    assert begin(store, of_due=None, due=asked) == Accepted()
    approve(store, FollowUp(tell_billing=True))
    assert store.left_to_pay("billing.find_bill", ACCOUNT, asked) == Money(10_000 - DUE.minor)


@pytest.mark.parametrize("fee", [Money(0), Money(-1), BOTH])
def test_a_fee_is_more_than_nothing_and_a_part_of_what_is_charged(store: Store, fee: Money):
    stage(store, "CA1-1")
    with pytest.raises(ValueError, match="a fee is"):
        store.begin_payment(replace(intent(pays=ACCOUNT), amount=BOTH, fee=fee), NO_LIMITS, NOW)


def test_a_full_refund_includes_the_fee_and_owes_the_bill_again_without_it(store: Store):
    owing(store)
    begin(store)
    approve(store)
    give_back(store, 4450, 4450)
    assert due(store) == DUE.minor


def test_a_part_is_of_the_bill_first_and_the_fee_is_given_back_last(store: Store):
    owing(store)
    begin(store)
    approve(store)
    owed = []
    for minor, left in ((4000, 4450), (300, 450), (150, 150)):
        give_back(store, minor, left)
        owed.append(due(store))
    assert owed == [4000, 4250, 4250]


def test_a_refund_that_came_back_leaves_the_bill_as_if_it_had_not_been_made(store: Store):
    owing(store)
    begin(store)
    approve(store)
    give_back(store, 4450, 4450, "failed")
    assert due(store) == 0


def test_a_part_that_came_back_after_all_was_given_back_leaves_no_fee_on_the_bill(store: Store):
    """The second part had the fee in it, and the first one comes back: the bill is paid by that, to the cent."""
    owing(store)
    begin(store)
    payment = approve(store)
    give_back(store, 4000, 4450)
    give_back(store, 450, 450)
    assert due(store) == 4250
    came_back = News("acme_bank", "came back", "CA1-1-m1", "refund_failed", BankWord(), Money(4000))
    assert store.hear(came_back, NOW, FollowUp()) == "moved"
    paid = store.paid_on_bill("billing.find_bill", ACCOUNT)[0].paid.minor
    assert (due(store), paid, list(store.book_faults())) == (250, 4000, [])
    give_back(store, 4000, 4000)
    assert store.balance_of(payment).refundable == Money(0)
    assert {one.account for one in store.account_balances() if one.minor} == set()
    assert due(store) == 4250
