"""Each step of a refund, void or capture at the store itself: put back, in doubt, ended, settled by hand, and who is told of it."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from ivr.core.money import Money
from ivr.store import (
    AlreadyAsked,
    BankWord,
    Bill,
    Changed,
    DueNow,
    FollowUp,
    Job,
    Modification,
    ModificationWord,
    News,
    Payment,
    Store,
    WantedModification,
    Which,
    open_store,
    reservation_state,
)
from tests.store.parts import DUE, begin_part, end_call, pay_part, void_ends
from tests.store.payments import ACCOUNT, NO_LIMITS, NOW, a_call, begin, intent, stage
from tests.store.sums import OWED, TOTAL, begin_sum

CHARGED = Money(4250)
BANK = Which("bank:acme_bank")
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
LATER = NOW + MINUTE
KINDS = ("payment.captured", "payment.refunded", "payment.voided")


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """One that the merchant's own systems listen to."""
    store = open_store(url, tells=KINDS)
    yield store
    store.close()


def leased(store: Store, kind: str = "modification", at: timedelta = timedelta()) -> Job:
    (job,) = store.claim_jobs(NOW + at, 60, 1, BANK)
    assert job.kind == kind
    return job


def charge(store: Store, follow_up: FollowUp | None = None, **how: Any) -> Payment:
    begin(store, **how)
    job = leased(store, "authorize")
    assert store.mark_sent(job)
    assert store.record(job, "approved", NOW, BankWord(), follow_up or FollowUp())
    return found(store)


def found(store: Store, reference: str = "CA1-1") -> Payment:
    payment = store.payment(reference)
    assert payment is not None
    return payment


def wanted(kind: str = "refund", minor: int = 1000, left: int = 4250, **how: Any) -> WantedModification:
    return WantedModification("CA1-1", kind, Money(minor), Money(left), "ada", **how)  # type: ignore[arg-type]


def ask(store: Store, kind: str = "refund", minor: int = 1000, left: int = 4250, **how: Any) -> Modification:
    asked = store.ask_modification(wanted(kind, minor, left, **how), NOW)
    assert isinstance(asked, Modification)
    return asked


def sent(store: Store) -> Job:
    job = leased(store)
    assert store.mark_modification_sent(job)
    return job


def stands(store: Store, key: str = "CA1-1-m1") -> tuple[str, str | None]:
    one = store.modification(key)
    assert one is not None
    return one.status, one.reason


def lost(store: Store) -> Job:
    """The job of a sent request, which somebody else holds by now."""
    job = sent(store)
    leased(store, at=61 * SECOND)
    return job


def told(store: Store) -> list[tuple[str, dict[str, Any]]]:
    return [(one.kind, json.loads(one.body)["data"]) for one in store.merchant_notices(9)]


# ---- asked for


def test_a_request_is_read_back_whole(store: Store):
    charge(store)
    asked = ask(store, reopens_bill=True)
    assert asked == Modification(
        *("CA1-1-m1", "CA1-1", 1, "refund", Money(1000), CHARGED, "asked", "ada", NOW, True),  # type: ignore[arg-type]
        *(None, None, None),
    )
    assert store.modification(asked.id) == asked == store.modifications_of("CA1-1")[0]
    assert store.modification("CA1-1-m2") is None


def test_a_request_is_in_the_charges_own_currency(store: Store):
    stage(store, "CA1-1")
    store.begin_payment(replace(intent(), amount=Money(4250, "EUR")), NO_LIMITS, NOW)
    job = leased(store, "authorize")
    store.mark_sent(job)
    assert store.record(job, "approved", NOW)
    balance = store.balance_of(found(store))
    assert {balance.charged, balance.refundable} == {Money(4250, "EUR")}
    assert {balance.asked, balance.returned} == {Money(0, "EUR")}
    asked = store.ask_modification(replace(wanted(), amount=Money(1000, "EUR"), left=Money(4250, "EUR")), NOW)
    assert isinstance(asked, Modification)
    assert store.modifications_of("CA1-1") == [asked]


def test_a_request_that_was_made_before_is_found_and_one_that_failed_is_not(store: Store):
    charge(store)
    assert store.asked_before(wanted()) is None
    first = ask(store)
    assert store.asked_before(wanted()) == first
    for other in (wanted("void"), wanted(minor=999), wanted(left=4249), replace(wanted(), reference="CA2-1")):
        assert store.asked_before(other) is None
    assert store.end_modification(sent(store), "failed", ModificationWord(), NOW)
    assert store.asked_before(wanted()) is None


def test_of_two_alike_requests_the_latest_that_has_not_failed_is_meant(store: Store):
    charge(store)
    ask(store)
    assert store.end_modification(sent(store), "failed", ModificationWord(), NOW)
    second = ask(store)
    assert store.ask_modification(wanted(), NOW) == AlreadyAsked(second)


def test_the_last_cent_can_be_given_back_and_not_one_more(store: Store):
    charge(store)
    with pytest.raises(ValueError, match="more than nothing"):
        store.ask_modification(wanted(minor=0), NOW)
    assert store.ask_modification(wanted(minor=4251), NOW) == Changed(CHARGED)
    assert ask(store, minor=4250).amount == CHARGED
    assert store.ask_modification(wanted(minor=1, left=0), NOW) == Changed(Money(0))


def test_bills_that_were_paid_in_one_sum_are_owed_again_together(store: Store):
    store.renew_bills([Bill(key, Money(minor), Money(1)) for key, minor in OWED.items()])
    begin_sum(store)
    job = leased(store, "authorize")
    store.mark_sent(job)
    assert store.record(job, "approved", NOW)
    with pytest.raises(ValueError, match="one sum"):
        store.ask_modification(wanted(left=TOTAL, reopens_bill=True), NOW)
    assert ask(store, left=TOTAL).amount == Money(1000), "without its bills"
    store.end_modification(sent(store), "failed", ModificationWord(), NOW)
    assert ask(store, minor=TOTAL, left=TOTAL, reopens_bill=True).reopens_bill


@pytest.mark.parametrize(
    ("kind", "captures_later", "pays", "reopens"),
    [
        ("void", True, ACCOUNT, True),
        ("void", True, "", False),
        ("void", False, ACCOUNT, False),
        ("refund", True, ACCOUNT, False),
    ],
)
def test_a_void_of_what_was_reserved_for_a_bill_has_it_owed_again(
    store: Store, kind: str, captures_later: bool, pays: str, reopens: bool
):
    store.renew_bills([Bill(ACCOUNT, CHARGED, Money(1))])
    charge(store, pays=pays, captures_later=captures_later)
    assert ask(store, kind, 4250).reopens_bill is reopens


def test_what_was_asked_to_be_owed_again_stays_so(store: Store):
    store.renew_bills([Bill(ACCOUNT, CHARGED, Money(1))])
    charge(store, pays=ACCOUNT)
    assert ask(store, "void", 4250, reopens_bill=True).reopens_bill


@pytest.mark.parametrize("kind", ["capture", "void"])
def test_after_a_capture_that_failed_the_next_may_be_asked_for(store: Store, kind: str):
    charge(store, captures_later=True)
    ask(store, "capture", 4250)
    assert store.end_modification(sent(store), "failed", ModificationWord(), NOW)
    assert ask(store, kind, 4250).id == "CA1-1-m2"


@pytest.mark.parametrize("what", ["open", "being taken back", "taken back", "let go"])
def test_a_part_that_is_not_decided_or_gone_is_not_for_hands(store: Store, what: str):
    store.renew_bills([Bill(ACCOUNT, Money(DUE), Money(1000))])
    store.save_call(a_call("CA1"), 0, NOW)
    pay_part(store, 1, 2000)
    if what == "let go":
        store.hear(News("acme_bank", "e1", "CA1-1", "reversed", BankWord(), Money(2000)), NOW, FollowUp())
    elif what != "open":
        end_call(store, 1)
    if what == "taken back":
        void_ends(store, "done")
    answer = store.ask_modification(wanted(minor=2000, left=2000), NOW)
    assert isinstance(answer, Changed)
    assert [one.asked_by for one in store.modifications_of("CA1-1") if one.asked_by == "ada"] == []


def test_a_part_that_counts_is_for_hands(store: Store):
    store.renew_bills([Bill(ACCOUNT, Money(DUE), Money(1000))])
    pay_part(store, 1, 2000)
    begin_part(store, 2, 2250)
    job = leased(store, "authorize")
    store.mark_sent(job)
    assert store.record(job, "approved", NOW)
    assert ask(store, minor=2000, left=2000).amount == Money(2000)


def test_a_charge_that_the_bank_let_go_of_is_not_for_hands(store: Store):
    charge(store)
    store.hear(News("acme_bank", "e1", "CA1-1", "reversed", BankWord(), CHARGED), NOW, FollowUp())
    assert store.ask_modification(wanted(), NOW) == Changed(CHARGED)


# ---- the forwarder's side


def test_what_surely_did_not_leave_is_sent_for_the_first_time_after_its_pause(store: Store):
    charge(store)
    ask(store)
    job = sent(store)
    assert store.put_back_modification(job, 60, NOW, "no connection")
    assert stands(store) == ("asked", "no connection")
    assert store.claim_jobs(NOW + 59 * SECOND, 60, 1, BANK) == []
    again = leased(store, at=MINUTE)
    assert store.mark_modification_sent(again)
    assert stands(store) == ("sent", None)


def test_what_is_in_doubt_stays_so_with_its_latest_reason_until_its_pause_is_over(store: Store):
    charge(store)
    ask(store)
    job = sent(store)
    assert store.doubt_modification(job, 60, NOW, "no answer")
    assert stands(store) == ("unknown", "no answer")
    assert store.claim_jobs(NOW + 59 * SECOND, 60, 1, BANK) == []
    job = leased(store, at=MINUTE)
    assert not store.mark_modification_sent(job)
    assert store.doubt_modification(job, 60, LATER, "still no answer")
    assert stands(store) == ("unknown", "still no answer")


def test_a_reason_is_cut_where_there_is_no_more_room(store: Store):
    charge(store)
    ask(store)
    assert store.end_modification(sent(store), "failed", ModificationWord(reason="r" * 130), NOW)
    assert stands(store) == ("failed", "r" * 120)


def test_who_has_lost_the_job_neither_puts_it_back_nor_doubts_nor_ends_it(store: Store):
    charge(store)
    ask(store)
    job = lost(store)
    assert not store.put_back_modification(job, 60, NOW, "why")
    assert not store.doubt_modification(job, 60, NOW, "why")
    assert not store.end_modification(job, "done", ModificationWord(), NOW)
    assert stands(store) == ("sent", None)


def test_what_was_never_sent_cannot_be_in_doubt_nor_end(store: Store):
    charge(store)
    ask(store)
    assert not store.doubt_modification(leased(store), 0, NOW, "why")
    assert not store.end_modification(leased(store), "done", ModificationWord(), NOW)
    assert stands(store) == ("asked", None)


def test_the_banks_words_stay_where_it_says_nothing_new(store: Store):
    charge(store)
    ask(store)
    assert store.end_modification(sent(store), "taken", ModificationWord("re-1", "00"), NOW)
    assert store.settle_modification("CA1-1-m1", "done", "grace", NOW)
    one = store.modification("CA1-1-m1")
    assert one is not None
    assert (one.bank_reference, one.response_code) == ("re-1", "00")


# ---- who is told


def test_a_refund_is_told_when_it_is_done(store: Store):
    charge(store)
    ask(store)
    assert store.end_modification(sent(store), "done", ModificationWord(), LATER)
    ((kind, data),) = told(store)
    assert (kind, data["reference"], data["refund"], data["refunded"]) == (
        "payment.refunded",
        "CA1-1",
        "CA1-1-m1",
        "10.00 USD",
    )
    assert store.merchant_notices(9)[0].at == LATER


def test_a_void_is_told_when_it_is_done(store: Store):
    charge(store)
    ask(store, "void", 4250)
    assert store.end_modification(sent(store), "done", ModificationWord(), LATER)
    ((kind, data),) = told(store)
    assert (kind, data["reference"]) == ("payment.voided", "CA1-1")
    assert store.merchant_notices(9)[0].at == LATER


def test_a_capture_of_what_was_reserved_is_told_when_it_is_done(store: Store):
    charge(store, captures_later=True)
    ask(store, "capture", 4250)
    assert store.end_modification(sent(store), "done", ModificationWord(), LATER)
    ((kind, data),) = told(store)
    assert (kind, data["reference"]) == ("payment.captured", "CA1-1")
    assert store.merchant_notices(9)[0].at == LATER


def test_a_capture_that_was_made_at_the_bank_is_told_when_the_bank_tells_of_it(store: Store):
    charge(store, captures_later=True)
    store.hear(News("acme_bank", "e1", "CA1-1", "captured", BankWord(), CHARGED), LATER, FollowUp())
    assert [(one.kind, one.about, one.at) for one in store.merchant_notices(9)] == [
        ("payment.captured", "CA1-1", LATER)
    ]


@pytest.mark.parametrize("kind", ["refund", "void", "capture"])
@pytest.mark.parametrize("status", ["taken", "failed"])
def test_nobody_is_told_of_what_is_not_done(store: Store, kind: str, status: str):
    charge(store, captures_later=True)
    ask(store, kind, 4250)
    assert store.end_modification(sent(store), status, ModificationWord(), NOW)  # type: ignore[arg-type]
    assert told(store) == []


def test_a_capture_of_what_was_not_reserved_was_told_with_its_approval(store: Store):
    charge(store)
    ask(store, "capture", 4250)
    assert store.end_modification(sent(store), "done", ModificationWord(), NOW)
    assert told(store) == []


@pytest.mark.parametrize("by_hand", [False, True])
@pytest.mark.parametrize(("tells", "notices"), [(True, 1), (False, 0)])
def test_billing_is_told_of_a_capture_where_it_is_to_be(store: Store, tells: bool, notices: int, by_hand: bool):
    charge(store, pays=ACCOUNT, captures_later=True, due=DueNow(CHARGED, NOW))
    asked = ask(store, "capture", 4250)
    job, follow_up = sent(store), FollowUp(tell_billing=tells)
    if by_hand:
        assert store.end_modification(job, "taken", ModificationWord(), NOW)
        assert store.settle_modification(asked.id, "done", "grace", NOW, follow_up)
    else:
        assert store.end_modification(job, "done", ModificationWord(), NOW, follow_up)
    assert store.outbox_depth()["notice"] == notices


@pytest.mark.parametrize(("tells", "owes"), [(False, 1000), (True, 0)])
@pytest.mark.parametrize("by_hand", [False, True])
def test_a_bill_of_ours_is_owed_again_and_one_of_a_billing_system_is_not_ours_to_change(
    store: Store, tells: bool, owes: int, by_hand: bool
):
    store.renew_bills([Bill(ACCOUNT, CHARGED, Money(1))])
    charge(store, pays=ACCOUNT)
    asked = ask(store, reopens_bill=True)
    job, follow_up = sent(store), FollowUp(tell_billing=tells)
    if by_hand:
        assert store.doubt_modification(job, 300, NOW, None)
        assert store.settle_modification(asked.id, "done", "grace", NOW, follow_up)
    else:
        assert store.end_modification(job, "done", ModificationWord(), NOW, follow_up)
    bill = store.find_bill(ACCOUNT)
    assert bill is not None
    assert bill.due.minor == owes


# ---- by hand


def test_settling_says_who_and_ends_the_asking(store: Store):
    charge(store)
    ask(store)
    assert store.doubt_modification(sent(store), 300, NOW, "no answer")
    settled = store.settle_modification("CA1-1-m1", "done", "grace", LATER)
    assert settled is not None
    assert (settled.status, settled.reason) == ("done", "settled by hand by grace")
    assert store.outbox_depth()["modification"] == 0
    (event, *_) = store.audit_events(5)
    assert (event.who, event.what, event.about, event.at) == ("grace", "refund settled as done", "CA1-1-m1", LATER)
    assert store.settle_modification("CA1-1-m1", "done", "grace", LATER) is None


@pytest.mark.parametrize("stood", ["asked", "sent", "done", "failed"])
def test_nothing_but_what_has_no_outcome_is_settled(store: Store, stood: str):
    charge(store)
    ask(store)
    if stood != "asked":
        job = sent(store)
        if stood != "sent":
            assert store.end_modification(job, stood, ModificationWord(), NOW)  # type: ignore[arg-type]
    assert store.settle_modification("CA1-1-m1", "failed", "grace", NOW + 61 * SECOND) is None
    assert stands(store)[0] == stood
    assert store.settle_modification("CA9-1-m1", "failed", "grace", NOW) is None


def test_what_the_bank_is_being_asked_for_is_not_settled_until_that_lease_is_over(store: Store):
    charge(store)
    ask(store)
    assert store.doubt_modification(sent(store), 0, NOW, None)
    leased(store)
    assert store.settle_modification("CA1-1-m1", "done", "grace", NOW + 59 * SECOND) is None
    assert store.settle_modification("CA1-1-m1", "done", "grace", NOW + MINUTE) is not None


@pytest.mark.parametrize("by_hand", [False, True])
@pytest.mark.parametrize(("refunds", "then"), [(True, "undoing"), (False, "")])
def test_a_part_that_no_void_takes_back_is_refunded_where_the_bank_can(
    store: Store, refunds: bool, then: str, by_hand: bool
):
    store.renew_bills([Bill(ACCOUNT, Money(DUE), Money(1000))])
    store.save_call(a_call("CA1"), 0, NOW)
    pay_part(store, 1, 2000)
    end_call(store, 1)
    job = sent(store)
    if by_hand:
        assert store.end_modification(job, "taken", ModificationWord(), NOW)
        more = {"refunds": True} if refunds else {}
        assert store.settle_modification("CA1-1-m1", "failed", "grace", NOW, **more)  # type: ignore[arg-type]
    else:
        more = {"refunds": True} if refunds else {}
        assert store.end_modification(job, "failed", ModificationWord(), NOW, **more)  # type: ignore[arg-type]
    assert found(store).part == then
    assert [one.kind for one in store.modifications_of("CA1-1")] == ["void"] + ["refund"] * refunds


# ---- where a reserved amount stands


@pytest.mark.parametrize(
    ("story", "state"),
    [
        ((), "reserved"),
        (("void_asked",), "reserved"),
        (("void_asked", "voided"), "voided"),
        (("void_asked", "voided", "void_failed"), "reserved"),
        (("capture_asked",), "capture_asked"),
        (("capture_asked", "captured"), "captured"),
        (("capture_asked", "captured", "capture_failed"), "reserved"),
        (("capture_asked", "capture_failed"), "reserved"),
        (("capture_failed", "hold_lapsed"), "lapsed"),
        (("hold_lapsed",), "lapsed"),
        (("hold_lapsed", "captured"), "captured"),
        (("capture_asked", "hold_lapsed"), "lapsed"),
        (("void_failed", "hold_lapsed"), "lapsed"),
    ],
)
def test_where_a_reserved_amount_stands_is_read_from_its_story(story: tuple[str, ...], state: str):
    assert reservation_state(("requested", "approved", *story)) == state
