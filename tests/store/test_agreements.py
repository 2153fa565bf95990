"""What callers agreed to is kept word for word, once, and its notice is done with the acknowledgement."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy.exc import IntegrityError

from ivr.core.money import Money
from ivr.reading.scalars import BILL
from ivr.store import (
    Accepted,
    AgreedBill,
    Agreement,
    BankWord,
    BeingPaid,
    Bill,
    DueChanged,
    DueNow,
    FollowUp,
    Store,
    bank_queue,
)
from ivr.store.outbox import NOTICES, Which
from tests.patience import PATIENCE_S
from tests.store.parts import DUE, pay_part
from tests.store.payments import ACCOUNT, NOW, begin

PROMISE = Agreement(
    reference="CA1-promise-0a1b2c3d",
    kind="promise",
    subject="promise",
    merchant="demo-merchant",
    call="CA1",
    flow="payment-plan",
    flow_version="f" * 64,
    account="12345678",
    amount=Money(4250),
    wording="You promise to pay 42 dollars and 50 cents by January 15, 2026.",
    language="en-US",
    key="1",
    at=NOW,
    terms={"by": "2026-01-15"},
)


def test_it_comes_back_as_it_was_kept(store: Store):
    assert store.record_agreement(PROMISE)
    assert store.agreements_of("CA1") == [PROMISE] == store.latest_agreements(10)
    assert store.agreement(PROMISE.reference) == PROMISE
    assert store.outbox_depth().get("agreement", 0) == 0


def test_a_repeated_key_is_one_agreement(store: Store):
    assert store.record_agreement(PROMISE, tell_billing=True)
    assert not store.record_agreement(replace(PROMISE, wording="other words"), tell_billing=True)
    assert [one.wording for one in store.agreements_of("CA1")] == [PROMISE.wording]
    assert store.outbox_depth()["agreement"] == 1


def test_one_that_cannot_be_kept_is_no_repeated_one(store: Store):
    with pytest.raises(IntegrityError):
        store.record_agreement(replace(PROMISE, subject=None))  # type: ignore[arg-type]
    assert store.agreements_of("CA1") == []


def test_the_latest_come_first_and_can_be_of_one_kind(store: Store):
    plan = replace(PROMISE, reference="CA2-plan-00000000", kind="plan", call="CA2", at=NOW.replace(year=2027))
    store.record_agreement(PROMISE)
    store.record_agreement(plan)
    assert [one.kind for one in store.latest_agreements(10)] == ["plan", "promise"]
    assert store.latest_agreements(10, "promise") == [PROMISE]


def test_an_acknowledged_one_is_not_told_again(store: Store):
    store.record_agreement(PROMISE, tell_billing=True)
    (job,) = store.claim_jobs(NOW, 60.0, 10, Which(NOTICES))
    assert store.acknowledge_agreement(job, NOW)
    assert not store.acknowledge_agreement(job, NOW)
    assert store.agreements_of("CA1")[0].acknowledged_at == NOW
    assert store.outbox_depth().get("agreement", 0) == 0


# ---- on a bill, of which what is due is read in the same transaction


def pay(store: Store, *, tell_billing: bool = False) -> None:
    """The bank approves what has begun."""
    (job,) = store.claim_jobs(NOW, 60.0, 10, Which(bank_queue("acme_bank")))
    assert store.mark_sent(job) is not None
    assert store.record(job, "approved", NOW, BankWord("123456", "00"), FollowUp(tell_billing))


def on_bill(owed: int | None = None, minor: int = 4250, said: DueNow | None = None) -> AgreedBill:
    """`owed`: what was due when the amount was made of it; none for an amount of the caller's own."""
    return AgreedBill(BILL, ACCOUNT, Money(minor), None if owed is None else Money(owed), said)


@pytest.mark.parametrize(
    ("due", "bill", "refusal"),
    [
        (4250, on_bill(owed=4250), None),
        (4250, on_bill(), None),
        (4251, on_bill(), None),
        (4251, on_bill(owed=4250), DueChanged(Money(4251))),
        (4249, on_bill(owed=4250), DueChanged(Money(4249))),
        (4249, on_bill(), DueChanged(Money(4249))),
        (0, on_bill(owed=4250), DueChanged(Money(0))),
    ],
)
def test_it_is_kept_where_it_is_owed_and_nowhere_else(
    store: Store, due: int, bill: AgreedBill, refusal: DueChanged | None
):
    store.renew_bills([Bill(ACCOUNT, Money(due), Money(min(due, 1000)))])
    assert store.record_agreement_on_bill(PROMISE, bill, tell_billing=True) == refusal
    assert store.agreements_of("CA1") == ([] if refusal else [PROMISE])
    assert store.outbox_depth().get("agreement", 0) == (0 if refusal else 1)


def test_nothing_is_owed_on_a_bill_that_is_gone(store: Store):
    assert store.record_agreement_on_bill(PROMISE, on_bill(owed=4250)) == DueChanged(Money(0))


def test_one_that_is_kept_stays_whatever_is_paid_afterwards(store: Store):
    store.renew_bills([Bill(ACCOUNT, Money(4250), Money(1000))])
    assert store.record_agreement_on_bill(PROMISE, on_bill(owed=4250)) is None
    store.renew_bills([Bill(ACCOUNT, Money(0), Money(0))])
    assert store.record_agreement_on_bill(PROMISE, on_bill(owed=4250)) is None
    assert store.agreements_of("CA1") == [PROMISE]


def test_a_bill_that_is_being_paid_is_not_agreed_to_until_that_has_its_answer(store: Store):
    store.renew_bills([Bill(ACCOUNT, Money(4250), Money(1000))])
    assert begin(store, "CA9-1", pays=ACCOUNT) == Accepted()
    assert store.record_agreement_on_bill(PROMISE, on_bill(owed=4250)) == BeingPaid()
    pay(store)
    assert store.record_agreement_on_bill(PROMISE, on_bill(owed=4250)) == DueChanged(Money(0))
    assert store.agreements_of("CA1") == []


def test_what_has_been_paid_here_and_a_billing_system_does_not_know_is_not_owed(store: Store):
    said = DueNow(Money(4250), NOW)
    assert store.record_agreement_on_bill(PROMISE, on_bill(4250, said=said)) is None
    assert begin(store, "CA9-1", minor=2000, pays=ACCOUNT, due=said) == Accepted()
    pay(store, tell_billing=True)
    another = replace(PROMISE, reference="CA2-promise-0a1b2c3d", call="CA2")
    assert store.record_agreement_on_bill(another, on_bill(4250, said=said)) == DueChanged(Money(2250))
    assert store.agreements_of("CA2") == []


def test_a_part_that_is_paid_is_in_the_way_of_another_calls_promise_and_not_of_its_own(store: Store):
    store.renew_bills([Bill(ACCOUNT, Money(DUE), Money(1000))])
    pay_part(store, 1, 2000)
    rest = AgreedBill("billing.find_bill", ACCOUNT, Money(DUE - 2000), Money(DUE - 2000))
    another = replace(PROMISE, reference="CA2-promise-0a1b2c3d", call="CA2")
    assert store.record_agreement_on_bill(another, rest) == BeingPaid()
    assert store.record_agreement_on_bill(PROMISE, rest) is None


def test_whoever_begins_to_pay_the_bill_waits_for_the_agreement_or_is_seen_by_it(store: Store):
    """Both at once, over and over: never is one recorded in the face of a charge that had begun before."""
    with ThreadPoolExecutor(2) as pool:
        for number in range(12):
            account = f"{70_000_000 + number}"
            store.renew_bills([Bill(account, Money(4250), Money(1000))])
            one = replace(PROMISE, reference=f"CA{number}A-promise", call=f"CA{number}A", account=account)
            bill = replace(on_bill(owed=4250), key=account)
            both = threading.Barrier(2, timeout=PATIENCE_S)

            def agree(one: Agreement = one, bill: AgreedBill = bill, both: threading.Barrier = both) -> object:
                both.wait()
                return store.record_agreement_on_bill(one, bill)

            def charge(account: str = account, number: int = number, both: threading.Barrier = both) -> object:
                both.wait()
                return begin(store, f"CA{number}P-1", pays=account)

            refusal, begun = pool.submit(agree), pool.submit(charge)
            assert begun.result() == Accepted()
            assert refusal.result() in (None, BeingPaid())
            assert len(store.agreements_of(f"CA{number}A")) == (refusal.result() is None)
            assert store.record_agreement_on_bill(replace(one, reference=f"{one.reference}-2"), bill) == BeingPaid()
