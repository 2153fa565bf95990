"""What each entry posts, in cases that random lives seldom come to: single cents, several bills, captures told early or late."""

from dataclasses import replace

import pytest

from ivr.core.money import Money
from ivr.store import BankWord, FollowUp, News, Store
from ivr.store.intents import Payment, PaymentIntent
from ivr.store.postings import (
    ChargeAccounts,
    MoneyTransfer,
    Posted,
    balances,
    captured_in,
    when_concluded,
    when_noted,
    when_requested,
)
from tests.store.payments import NOW, begin, intent
from tests.store.sums import SOURCE, sum_intent

BILLS = [f"bill:{SOURCE}:{key}" for key in ("700101", "700102", "700103")]  # 64.20, 71.85 and 18.00
BANK, UNCOLLECTED, SALES = "bank:acme_bank", "uncollected:acme_bank", "sales:demo-merchant"


def approved(wanted: PaymentIntent) -> list[Posted]:
    """Of a charge that was asked for and approved."""
    payment = Payment(intent=wanted, status="approved", confirmation_number="1", response_code="00", begun_at=NOW)
    asked = Posted("requested", 0, tuple(when_requested(wanted)))
    return [asked, Posted("approved", 0, tuple(when_concluded(payment, "sent")))]


def noted(wanted: PaymentIntent, kind: str, minor: int, before: list[Posted], number: int = 0) -> Posted:
    return Posted(kind, number, tuple(when_noted(wanted, kind, minor, number, before)))


def standing(story: list[Posted]) -> dict[str, int]:
    found = balances(one for posted in story for one in posted.transfers)
    return {account: minor for account, minor in found.items() if minor}


def test_a_single_cent_is_posted():
    wanted = replace(intent(minor=2), fee=Money(1))
    assert standing(approved(wanted)) == {BANK: 2, SALES: -1, "fees:demo-merchant": -1}


@pytest.mark.parametrize(
    ("given_back", "minor", "taken"),
    [
        (0, 6421, [(BILLS[0], 6420), (BILLS[1], 1)]),
        (7000, 3000, [(BILLS[1], 3000)]),
        (7000, 8405, [(BILLS[1], 6605), (BILLS[2], 1800)]),
        (13606, 1799, [(BILLS[2], 1799)]),
    ],
)
def test_what_is_owed_again_comes_after_what_was_given_back_of_bills_that_stay_paid(
    given_back: int, minor: int, taken: list[tuple[str, int]]
):
    wanted = sum_intent()
    story = approved(wanted)
    story.append(noted(wanted, "refunded_at_bank", given_back, story))
    moved = balances(one for posted in story for one in posted.transfers)
    assert ChargeAccounts(wanted).still_paid(minor, moved) == taken


def test_a_capture_that_the_bank_makes_after_it_has_failed_is_owed_again_by_the_bank():
    wanted = intent()
    story = approved(wanted)
    story.append(noted(wanted, "capture_failed", 4250, story))
    assert standing(story) == {UNCOLLECTED: 4250, SALES: -4250}
    story.append(noted(wanted, "captured", 4250, story, -1))
    assert story[-1].transfers == (MoneyTransfer(BANK, UNCOLLECTED, 4250),)
    assert standing(story) == {BANK: 4250, SALES: -4250}


HELD, RESERVED, REFUNDS = "held:demo-merchant", "reserved:acme_bank", "refunds:demo-merchant"


def test_a_part_that_is_taken_back_is_no_refund_and_of_the_rest_nothing_was_collected():
    wanted = intent()
    story = [Posted("approved", 0, (MoneyTransfer(BANK, HELD, 4250),))]
    story.append(noted(wanted, "refunded_at_bank", 1000, story))
    story.append(noted(wanted, "part_undone", 4250, story))
    assert story[-1].transfers == (MoneyTransfer(HELD, REFUNDS, 1000), MoneyTransfer(HELD, UNCOLLECTED, 3250))


@pytest.mark.parametrize(
    ("done", "failed"),
    [("refunded_at_bank", "bank_refund_failed"), ("refunded", "refund_failed"), ("voided", "void_failed")],
)
def test_what_was_given_back_and_was_not_after_all_is_owed_by_the_bank_as_before(done: str, failed: str):
    wanted = intent()
    story = approved(wanted)
    story.append(noted(wanted, done, 4250, story, 1))
    assert standing(story) == {REFUNDS: 4250, SALES: -4250}
    story.append(noted(wanted, failed, 4250, story, 1))
    assert standing(story) == {BANK: 4250, SALES: -4250}


@pytest.mark.parametrize("lapses", [True, False])
@pytest.mark.parametrize("minor", [4250, 4000])
def test_of_a_reserved_amount_what_is_captured_is_paid_and_the_rest_released_also_after_it_had_lapsed(
    lapses: bool, minor: int
):
    wanted = replace(intent(), captures_later=True)
    story = approved(wanted)
    assert standing(story) == {RESERVED: 4250, HELD: -4250}
    if lapses:
        story.append(noted(wanted, "hold_lapsed", 4250, story))
        assert standing(story) == {}
    story.append(noted(wanted, "captured", minor, story, 1))
    assert standing(story) == {BANK: minor, SALES: -minor}
    story.append(noted(wanted, "capture_failed", minor, story, 1))
    assert standing(story) == ({} if lapses else {RESERVED: 4250, HELD: -4250})


@pytest.mark.parametrize(
    ("kind", "left"), [("voided", {REFUNDS: 4250}), ("refunded_at_bank", {REFUNDS: 4250, BANK: -4250})]
)
def test_a_void_of_what_the_bank_never_took_takes_nothing_from_it(kind: str, left: dict[str, int]):
    wanted = intent()
    story = approved(wanted)
    story.append(noted(wanted, "capture_failed", 4250, story))
    story.append(noted(wanted, kind, 4250, story, 1))
    owed = {} if kind == "voided" else {UNCOLLECTED: 4250}
    assert standing(story) == {SALES: -4250, **left, **owed}


def test_a_capture_that_failed_beside_one_that_stands_moves_nothing():
    wanted = intent()
    story = [*approved(wanted), Posted("captured", 1, ())]
    assert noted(wanted, "capture_failed", 4250, story, 2).transfers == ()


def test_a_cent_that_is_given_back_is_posted():
    wanted = intent()
    story = approved(wanted)
    assert noted(wanted, "refunded", 1, story, 1).transfers == (MoneyTransfer(REFUNDS, BANK, 1),)


def test_what_is_captured_is_what_has_not_failed_since():
    story = [Posted("captured", 1, ()), Posted("captured", 2, ()), Posted("capture_failed", 1, ())]
    assert captured_in(story[:2]) == {1, 2}
    assert captured_in(story) == {2}


def test_a_capture_that_the_bank_tells_of_before_the_approval_leaves_nothing_reserved(store: Store):
    begin(store, captures_later=True)
    job = store.claim(NOW, 60)
    assert job is not None
    store.mark_sent(job)
    store.record(job, "unknown", NOW)
    for told in ("captured", "approved"):
        store.hear(News("acme_bank", told, "CA1-1", told, BankWord("482913", "00"), Money(4250)), NOW, FollowUp())
    assert store.entries("CA1-1") == ["requested", "unknown", "captured", "approved"]
    assert {one.account: one.minor for one in store.account_balances() if one.minor} == {BANK: 4250, SALES: -4250}
    assert list(store.book_faults()) == []
