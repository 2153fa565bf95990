"""Parts of one bill: decided once, by the bank's last word or the end of the call, whichever comes last, and never forgotten."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from ivr.core.actions import SplitPart
from ivr.core.money import Money
from ivr.store import (
    Accepted,
    Attempter,
    AttemptLimits,
    BankWord,
    BeingPaid,
    Changed,
    DueChanged,
    DueNow,
    FollowUp,
    News,
    NoCard,
    OverLimit,
    StaleCall,
    Status,
    Store,
    WantedModification,
)
from tests.store.parts import DUE, Policy, begin_part, end_call, found, next_job, pay_part, say, sent, void_ends
from tests.store.payments import ACCOUNT, NO_LIMITS, NOW, a_call, begin, intent, stage


@pytest.fixture(autouse=True)
def bill(store: Store, tmp_path: Path) -> None:
    accounts = tmp_path / "accounts.csv"
    accounts.write_text(f"account,due,minimum,currency\n{ACCOUNT},42.50,10.00,USD\n")
    store.seed_bills(accounts)
    store.save_call(a_call("CA1"), 0, NOW)


def parts(store: Store) -> list[str]:
    return [one.part for one in store.payments_of("CA1")]


def due(store: Store) -> int:
    known = store.find_bill(ACCOUNT)
    assert known is not None
    return known.due.minor


def test_nothing_follows_from_a_part_until_all_are_there(store: Store):
    pay_part(store, 1, DUE, approved=2000)
    assert (found(store, 1).intent.amount, found(store, 1).asked) == (Money(2000), Money(DUE))
    assert (due(store), store.outbox_depth()["capture"]) == (DUE, 0)
    pay_part(store, 2, 2250)
    assert parts(store) == ["", ""]
    assert (due(store), store.outbox_depth()["capture"]) == (0, 2)
    assert store.balance_of(found(store, 1)).charged == Money(2000)


def test_a_cent_less_than_the_bill_is_not_all_of_it(store: Store):
    pay_part(store, 1, 2000)
    pay_part(store, 2, 2249)
    assert parts(store) == ["take_back", "take_back"]
    assert (due(store), store.outbox_depth()["capture"]) == (DUE, 0)


def test_other_calls_wait_and_its_own_owes_less_by_what_is_held(store: Store):
    pay_part(store, 1, 2000)
    assert begin(store, "CA2-1", caller="other", card="other", pays=ACCOUNT) == BeingPaid()
    assert store.is_being_paid("billing.find_bill", ACCOUNT, "CA2")
    assert not store.is_being_paid("billing.find_bill", ACCOUNT, "CA1")
    assert begin_part(store, 2, 2251) == DueChanged(Money(2250))
    assert begin_part(store, 2, 2250) == Accepted()


# ---- somebody else lowers the bill in between


def owe(store: Store, minor: int) -> None:
    known = store.find_bill(ACCOUNT)
    assert known is not None
    store.renew_bills([replace(known, due=Money(minor), minimum=Money(0))])


def test_parts_that_come_to_what_is_due_by_now_count_and_nothing_more_is_begun(store: Store):
    pay_part(store, 1, 2000)
    owe(store, 2000)
    assert begin_part(store, 2, 2250) == DueChanged(Money(2000), parts="paid")
    assert (parts(store), due(store), store.outbox_depth()["capture"]) == ([""], 0, 1)
    end_call(store, 1, policy="take_back")
    assert (parts(store), store.modifications_of("CA1-1")) == ([""], [])


@pytest.mark.parametrize("left", [1999, 0])
def test_parts_that_come_to_more_than_is_due_by_now_are_taken_back_with_the_call(store: Store, left: int):
    pay_part(store, 1, 2000)
    owe(store, left)
    assert begin_part(store, 2, 2250) == DueChanged(Money(left), parts="overpaid")
    assert parts(store) == ["take_back"]
    end_call(store, 1)
    assert (parts(store), due(store)) == (["undoing"], left)


def test_what_all_parts_are_to_come_to_is_what_is_due_when_the_last_is_begun(store: Store):
    """The caller's own amount just pays the bill that somebody else has lowered: it is the last part."""
    pay_part(store, 1, 2000)
    owe(store, 3000)
    pay_part(store, 2, 1000)
    assert (parts(store), due(store)) == (["", ""], 0)


def test_parts_of_a_bill_elsewhere_are_held_against_what_that_says_is_due_now(store: Store):
    pay_part(store, 1, 2000)
    part = SplitPart("CA1-1", Money(DUE), "take_back")
    for said, then in ((1999, "overpaid"), (2000, "paid")):
        stage(store, "CA1-2", card="card 2")
        wanted = replace(intent("CA1-2", minor=2250, pays=ACCOUNT), part=part)
        told = DueNow(Money(said), NOW + timedelta(days=1))
        assert store.begin_payment(wanted, NO_LIMITS, NOW, told) == DueChanged(Money(said), parts=then)  # type: ignore[arg-type]
    assert parts(store) == [""]


def test_a_part_that_was_refunded_in_part_at_the_bank_leaves_more_to_pay(store: Store):
    pay_part(store, 1, 2000)
    store.hear(News("acme_bank", "e1", "CA1-1", "refunded", BankWord(), Money(500)), NOW, FollowUp())
    assert begin_part(store, 2, 2751) == DueChanged(Money(2750))
    pay_part(store, 2, 2750)
    assert parts(store) == ["", ""]


@pytest.mark.parametrize(("policy", "then", "left"), [("take_back", ["undoing"], DUE), ("keep", [""], 2250)])
def test_the_end_of_the_call_decides_what_becomes_of_a_part(store: Store, policy: Policy, then: list[str], left: int):
    pay_part(store, 1, 2000, policy)
    end_call(store, 1, policy=policy)
    assert (parts(store), due(store)) == (then, left)
    assert store.settle_left_open(NOW) == 0
    assert [one.kind for one in store.modifications_of("CA1-1")] == ["void"] * (policy == "take_back")


@pytest.mark.parametrize(
    ("last", "then", "left"),
    [("approved", ["", ""], 0), ("declined", ["undoing", ""], DUE), ("unknown", ["take_back", "take_back"], DUE)],
)
def test_a_part_waits_for_the_banks_word_on_another_after_the_call(
    store: Store, last: Status, then: list[str], left: int
):
    pay_part(store, 1, 2000)
    assert begin_part(store, 2, 2250) == Accepted()
    job = sent(store)
    end_call(store, 1, 2)
    assert parts(store) == ["take_back", "take_back"]
    say(store, job, last)
    assert (parts(store), due(store)) == (then, left)


@pytest.mark.parametrize("last", ["approved", "declined"])
def test_the_last_word_and_the_hang_up_at_once_leave_nothing_open(store: Store, last: Status):
    pay_part(store, 1, 2000)
    assert begin_part(store, 2, 2250) == Accepted()
    job = sent(store)
    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(say, store, job, last), pool.submit(end_call, store, 1, 2)]
        for one in both:
            one.result()
    assert parts(store) == (["", ""] if last == "approved" else ["undoing", ""])


@pytest.mark.parametrize("minor", [2250, 2000])
def test_a_further_part_and_the_hang_up_at_once_leave_all_or_nothing(store: Store, minor: int):
    """The part is begun, and its answer decides; or it is not, and the first is taken back."""
    pay_part(store, 1, 2000)

    def begin_last() -> object:
        try:
            return begin_part(store, 2, minor)
        except (StaleCall, NoCard) as error:
            return error

    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(begin_last), pool.submit(end_call, store, 1, 2)]
        for one in both:
            one.result()
    if store.payment("CA1-2") is not None:
        say(store, sent(store), "approved")
    whole = minor == 2250
    assert parts(store) in ([["", ""], ["undoing"]] if whole else [["undoing", "undoing"], ["undoing"]])
    assert due(store) == (0 if parts(store) == ["", ""] else DUE)


def test_a_part_that_is_approved_after_it_was_taken_back_is_undone_too(store: Store):
    pay_part(store, 1, 2000)
    assert begin_part(store, 2, 1000) == Accepted()
    job = sent(store)
    store.take_back("CA1", NOW)
    store.take_back("CA1", NOW)
    assert parts(store) == ["undoing", "undoing"]
    say(store, job, "approved")
    assert [len(store.modifications_of(f"CA1-{attempt}")) for attempt in (1, 2)] == [1, 1]


def test_a_void_that_is_done_leaves_nothing_charged_and_the_bill_as_it_was(store: Store):
    pay_part(store, 1, 2000)
    store.take_back("CA1", NOW)
    void_ends(store, "done")
    payment = found(store, 1)
    assert (payment.part, payment.is_charged, payment.receipt_number, due(store)) == ("undone", False, "", DUE)
    assert store.balance_of(payment).refundable == Money(0)


def test_a_void_that_is_refused_becomes_a_refund(store: Store):
    pay_part(store, 1, 2000)
    store.take_back("CA1", NOW)
    void_ends(store, "failed", refunds=True)
    assert found(store, 1).part == "undoing"
    void_ends(store, "done", refunds=True)
    assert found(store, 1).part == "undone"
    assert [one.kind for one in store.modifications_of("CA1-1")] == ["void", "refund"]


def test_a_part_that_the_bank_will_not_give_back_counts(store: Store):
    pay_part(store, 1, 2000)
    store.take_back("CA1", NOW)
    void_ends(store, "failed")
    assert (found(store, 1).part, found(store, 1).is_charged, due(store)) == ("", True, DUE - 2000)
    assert store.outbox_depth()["capture"] == 1


def test_a_card_whose_part_was_taken_back_counts_as_a_failed_attempt(store: Store):
    pay_part(store, 1, 100)
    limits, who = AttemptLimits(per_call=1), Attempter(call="CA1")
    assert store.limit_reached(who, limits, NOW) is None
    store.take_back("CA1", NOW)
    assert store.limit_reached(who, limits, NOW) == OverLimit("attempts_per_call")


def test_housekeeping_finds_a_part_that_the_end_of_its_call_has_missed(store: Store, monkeypatch: pytest.MonkeyPatch):
    pay_part(store, 1, 2000)
    monkeypatch.setattr("ivr.store.calls.call_ended", lambda *_: None)
    end_call(store, 1)
    assert parts(store) == ["take_back"]
    assert store.settle_left_open(NOW) == 1
    assert parts(store) == ["undoing"]
    assert store.settle_left_open(NOW) == 0


# ---- what operators, and the bank by itself, do to a part


def test_an_operator_cannot_refund_or_void_a_part_of_a_bill_that_is_not_paid_in_full(store: Store):
    pay_part(store, 1, 2000)
    for kind in ("refund", "void"):
        wanted = WantedModification("CA1-1", kind, Money(2000), Money(2000), "ada")  # type: ignore[arg-type]
        assert isinstance(store.ask_modification(wanted, NOW), Changed)
    assert store.modifications_of("CA1-1") == []


def test_nobody_else_pays_a_bill_of_which_a_part_is_being_taken_back(store: Store):
    pay_part(store, 1, 2000)
    end_call(store, 1)
    assert isinstance(begin(store, "CA2-1", caller="other", card="other", pays=ACCOUNT, minor=4250), BeingPaid)


def test_a_part_that_was_refunded_at_the_bank_itself_is_not_given_back_twice(store: Store):
    pay_part(store, 1, 2000)
    news = News("acme_bank", "e1", "CA1-1", "refunded", BankWord(), Money(2000))
    store.hear(news, NOW, FollowUp())
    end_call(store, 1)
    assert store.modifications_of("CA1-1") == []
    assert found(store, 1).part == "undone"


def test_a_part_that_the_bank_lets_go_of_does_not_count(store: Store):
    pay_part(store, 1, 2000)
    store.hear(News("acme_bank", "e1", "CA1-1", "reversed", BankWord(), Money(2000)), NOW, FollowUp())
    assert found(store, 1).part == "undone"


def test_a_refund_of_a_part_that_comes_back_leaves_it_charged_and_the_bill_lower(store: Store):
    pay_part(store, 1, 2000)
    end_call(store, 1)
    void_ends(store, "failed", refunds=True)
    void_ends(store, "done")
    assert (found(store, 1).part, due(store)) == ("undone", DUE)
    news = News("acme_bank", "e1", "CA1-1-m2", "refund_failed", BankWord(), Money(2000))
    store.hear(news, NOW, FollowUp())
    assert (found(store, 1).part, found(store, 1).is_charged, due(store)) == ("", True, DUE - 2000)


def test_a_void_that_a_notification_refuses_becomes_a_refund_where_the_bank_has_one(store: Store):
    assert begin_part(store, 1, 2000) == Accepted()
    assert store.record(sent(store), "approved", NOW, BankWord("482913", "00"), FollowUp(capture=True, refunds=True))
    end_call(store, 1)
    void_ends(store, "taken")
    store.hear(News("acme_bank", "e1", "CA1-1-m1", "undo_refused", BankWord(), Money(2000)), NOW, FollowUp())
    assert [one.kind for one in store.modifications_of("CA1-1")] == ["void", "refund"]


@pytest.mark.parametrize(("refunds", "then"), [(True, "undoing"), (False, "")])
def test_an_operators_word_that_a_void_was_not_done_leads_to_a_refund_where_the_bank_has_one_today(
    store: Store, refunds: bool, then: str
):
    """What was on record with the approval says that it has none."""
    pay_part(store, 1, 2000)
    end_call(store, 1)
    job = next_job(store, "modification")
    assert store.mark_modification_sent(job)
    assert store.doubt_modification(job, 0, NOW, "no answer")
    later = NOW + timedelta(minutes=5)
    assert store.settle_modification("CA1-1-m1", "failed", "ada", later, refunds=refunds) is not None
    assert found(store, 1).part == then
    kinds = [(one.kind, one.status) for one in store.modifications_of("CA1-1")]
    assert kinds == [("void", "failed"), *([("refund", "asked")] if refunds else [])]
    assert due(store) == (DUE if refunds else DUE - 2000)


# ---- the card that was to be kept with a part


TOKEN = "tok-0123456789"


def keep_with_part(store: Store, attempt: int, minor: int, token: str = TOKEN) -> None:
    part = SplitPart("CA1-1", Money(DUE), "take_back")
    stage(store, f"CA1-{attempt}", card=f"card {attempt}")
    wanted = replace(intent(f"CA1-{attempt}", minor=minor, pays=ACCOUNT), part=part, keeps_card=True)
    assert store.begin_payment(wanted, NO_LIMITS, NOW) == Accepted()
    word = BankWord("482913", "00", kept_token=token, kept_until="2030-12")
    assert store.record(sent(store), "approved", NOW, word, FollowUp(capture=True))


def test_the_card_that_was_kept_with_a_part_is_deleted_at_the_bank_when_the_part_is_undone(store: Store):
    keep_with_part(store, 1, 2000)
    end_call(store, 1)
    assert [one.token for one in store.kept_cards(9)] == [TOKEN], "the bank may not let go of the part"
    void_ends(store, "done")
    assert store.kept_cards(9) == []
    assert [(one.token, one.asked_by) for one in store.card_deletions(9)] == [(TOKEN, "its charge")]


def test_a_card_that_was_kept_before_the_part_stays_where_the_bank_gives_the_same_token(store: Store):
    pay_part(store, 1, 1000)
    keep_with_part(store, 2, 3250)
    assert parts(store) == ["", ""]
    store.renew_bills([replace(store.find_bill(ACCOUNT), due=Money(DUE))])  # type: ignore[type-var]
    store.save_call(a_call("CA2"), 0, NOW)
    stage(store, "CA2-1", card="card 2")
    again = replace(intent("CA2-1", minor=2000, pays=ACCOUNT), part=SplitPart("CA2-1", Money(DUE), "take_back"))
    assert store.begin_payment(replace(again, keeps_card=True), NO_LIMITS, NOW) == Accepted()
    word = BankWord("482913", "00", kept_token=TOKEN, kept_until="2030-12")
    job = next(job for job in store.claim_jobs(NOW, 60, 9) if job.kind == "authorize")
    assert store.mark_sent(job)
    assert store.record(job, "approved", NOW, word, FollowUp())
    store.take_back("CA2", NOW)
    void_ends(store, "done")
    assert [one.token for one in store.kept_cards(9)] == [TOKEN]
    assert store.card_deletions(9) == []


def test_a_token_that_is_told_after_its_part_was_undone_is_deleted_at_the_bank(store: Store):
    part = SplitPart("CA1-1", Money(DUE), "take_back")
    stage(store, "CA1-1", card="card 1")
    wanted = replace(intent("CA1-1", minor=2000, pays=ACCOUNT), part=part, keeps_card=True)
    assert store.begin_payment(wanted, NO_LIMITS, NOW) == Accepted()
    say(store, sent(store), "approved")
    store.take_back("CA1", NOW)
    void_ends(store, "done")
    store.hear(News("acme_bank", "e1", "CA1-1", "kept", BankWord(kept_token=TOKEN), Money(2000)), NOW, FollowUp())
    assert store.kept_cards(9) == []
    assert [one.token for one in store.card_deletions(9)] == [TOKEN]
