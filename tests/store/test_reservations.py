"""Amounts that are reserved: what becomes of them and of their bill, and when billing is told."""

import pytest

from ivr.core.money import Money
from ivr.store import (
    BankWord,
    Bill,
    Changed,
    DueNow,
    FollowUp,
    Modification,
    ModificationWord,
    News,
    Payment,
    PaymentFilter,
    Store,
    WantedModification,
    reservation_state,
)
from tests.store.payments import ACCOUNT, NOW, begin

RESERVED = Money(4250)
SOURCE = "billing.find_bill"


def reserve(store: Store, *, tells: bool = False) -> Payment:
    begin(store, "CA1-1", pays=ACCOUNT, captures_later=True, due=DueNow(RESERVED, NOW) if tells else None)
    job = store.claim(NOW, 60)
    assert job is not None
    store.mark_sent(job)
    assert store.record(job, "approved", NOW, BankWord("482913", "00"), FollowUp(tells, capture=True))
    payment = store.payment("CA1-1")
    assert payment is not None
    return payment


def ends(store: Store, kind: str, status: str = "done", *, tells: bool = False) -> None:
    asked = store.ask_modification(WantedModification("CA1-1", kind, RESERVED, RESERVED, "ada"), NOW)  # type: ignore[arg-type]
    assert isinstance(asked, Modification)
    job = store.claim(NOW, 60)
    assert job is not None
    assert store.mark_modification_sent(job)
    assert store.end_modification(job, status, ModificationWord(), NOW, FollowUp(tells))  # type: ignore[arg-type]


def owed(store: Store) -> int:
    bill = store.find_bill(ACCOUNT)
    assert bill is not None
    return bill.due.minor


def uncaptured(store: Store) -> list[str]:
    return [one.intent.reference for one in store.find_payments(PaymentFilter(uncaptured=True), 10)]


def jobs(store: Store) -> dict[str, int]:
    return {kind: count for kind, count in store.outbox_depth().items() if count}


def state(store: Store) -> str:
    return reservation_state(store.entries("CA1-1"))


@pytest.fixture
def billed(store: Store) -> Store:
    store.renew_bills([Bill(ACCOUNT, RESERVED, Money(1))])
    return store


def test_nothing_is_captured_by_itself_and_the_bill_is_held(billed: Store):
    reserve(billed)
    assert jobs(billed) == {}
    assert (state(billed), owed(billed), uncaptured(billed)) == ("reserved", 0, ["CA1-1"])


def test_a_capture_takes_it_once(billed: Store):
    reserve(billed)
    ends(billed, "capture")
    assert (state(billed), owed(billed), uncaptured(billed)) == ("captured", 0, [])
    void = WantedModification("CA1-1", "void", RESERVED, RESERVED, "ada")
    assert isinstance(billed.ask_modification(void, NOW), Changed)


def test_a_capture_that_failed_leaves_it_reserved(billed: Store):
    reserve(billed)
    ends(billed, "capture", "failed")
    assert (state(billed), uncaptured(billed)) == ("reserved", ["CA1-1"])


def test_what_is_let_go_of_is_owed_again(billed: Store):
    reserve(billed)
    ends(billed, "void")
    assert (state(billed), owed(billed), uncaptured(billed)) == ("voided", 4250, [])


def test_what_the_bank_lets_go_of_by_itself_is_owed_again_once(billed: Store):
    payment = reserve(billed)
    for event in ("let go", "let go again"):
        news = News("acme_bank", event, "CA1-1", "reversed", BankWord(), payment.intent.amount)
        assert billed.hear(news, NOW, FollowUp()) == "lapsed"
    assert (state(billed), owed(billed), uncaptured(billed)) == ("lapsed", 4250, [])


@pytest.mark.parametrize("told", [("let go",), ("let go", "void refused"), ("void refused", "let go")])
def test_what_the_bank_lets_go_of_while_a_void_is_with_it_is_owed_again_once(billed: Store, told: tuple[str, ...]):
    payment = reserve(billed)
    ends(billed, "void", "taken")
    for event in told:
        about = ("CA1-1", "reversed") if event == "let go" else ("CA1-1-m1", "undo_refused")
        billed.hear(News("acme_bank", event, *about, BankWord(), payment.intent.amount), NOW, FollowUp())  # type: ignore[arg-type]
    assert state(billed) == ("lapsed" if told[0] == "void refused" else "voided")
    assert (owed(billed), uncaptured(billed), list(billed.book_faults())) == (4250, [], [])
    assert not any(one.minor for one in billed.account_balances())


def test_what_the_bank_has_let_go_of_cannot_be_voided_so_that_its_bill_is_owed_once(billed: Store):
    payment = reserve(billed)
    ends(billed, "void", "failed")
    billed.hear(News("acme_bank", "let go", "CA1-1", "reversed", BankWord(), payment.intent.amount), NOW, FollowUp())
    late = WantedModification("CA1-1", "void", RESERVED, RESERVED, "ada")
    assert isinstance(billed.ask_modification(late, NOW), Changed)
    assert owed(billed) == 4250


def test_a_billing_system_is_told_when_the_money_is_taken(store: Store):
    payment = reserve(store, tells=True)
    assert jobs(store) == {}
    assert store.left_to_pay(SOURCE, ACCOUNT, DueNow(RESERVED, NOW)).minor == 0, "nobody is asked for it twice"
    ends(store, "capture", tells=True)
    assert jobs(store) == {"notice": 1}
    assert store.paid_at(payment) == NOW


def test_a_billing_system_is_not_told_of_what_is_let_go_of(store: Store):
    reserve(store, tells=True)
    ends(store, "void", tells=True)
    assert jobs(store) == {}
    assert store.left_to_pay(SOURCE, ACCOUNT, DueNow(RESERVED, NOW)) == RESERVED


def test_a_capture_that_the_bank_tells_of_by_itself_is_told_to_billing_once(store: Store):
    payment = reserve(store, tells=True)
    for event in ("captured", "captured again"):
        news = News("acme_bank", event, "CA1-1", "captured", BankWord(), payment.intent.amount)
        assert store.hear(news, NOW, FollowUp(tell_billing=True)) == "noted"
    assert jobs(store) == {"notice": 1}


def test_money_moves_with_the_capture_and_not_with_what_is_let_go_of(billed: Store):
    reserve(billed)
    assert list(billed.movements()) == []
    ends(billed, "capture")
    assert [(one.kind, one.amount) for one in billed.movements()] == [("charge", RESERVED)]


def test_what_is_let_go_of_moves_nothing(billed: Store):
    reserve(billed)
    ends(billed, "void")
    assert list(billed.movements()) == []
