"""What is told of the parts of a bill: to the merchant's own systems, and to the caller by a text that waited for it."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from ivr.core.call import Charge
from ivr.core.money import Money
from ivr.store import BankWord, Bill, FollowUp, Job, News, Store, WantedModification, Which, open_store
from ivr.store.outbox import TEXTS
from tests.store.parts import DUE, begin_part, end_call, found, pay_part, say, sent, void_ends
from tests.store.payments import ACCOUNT, NOW, a_call

KINDS = ("payment.approved", "payment.declined", "payment.reversed", "payment.voided")
LATER = NOW + timedelta(minutes=1)


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """One that the merchant's own systems listen to."""
    store = open_store(url, tells=KINDS)
    store.renew_bills([Bill(ACCOUNT, Money(DUE), Money(1000))])
    store.save_call(a_call("CA1"), 0, NOW)
    yield store
    store.close()


def told(store: Store) -> list[tuple[str, str]]:
    return [(one.kind, one.about) for one in store.merchant_notices(9)]


def texts(store: Store) -> list[tuple[str, str]]:
    """The jobs that are due, which are put off again."""
    jobs = store.claim_jobs(NOW, 60, 9, Which(TEXTS))
    for job in jobs:
        put_off(store, job)
    return [(job.kind, job.reference) for job in jobs]


def put_off(store: Store, job: Job) -> None:
    assert store.postpone(job, 3600, NOW)


def hang_up(store: Store, *attempts: int) -> None:
    """Before the caller has heard how their charges ended: a text is promised, and waits."""
    charges = tuple(Charge(attempt, Money(DUE), "pending", part="take_back") for attempt in attempts)
    store.save_call(replace(a_call("CA1"), phase="over", outcome="pending", hung_up=True, charges=charges), 1, NOW)


def test_parts_are_told_of_together_when_they_come_to_the_bill(store: Store):
    pay_part(store, 1, 2000)
    assert told(store) == []
    pay_part(store, 2, 2250)
    assert sorted(told(store)) == [("payment.approved", "CA1-1"), ("payment.approved", "CA1-2")]
    assert {one.at for one in store.merchant_notices(9)} == {NOW}


def test_a_part_that_is_undone_is_told_of_as_reversed(store: Store):
    pay_part(store, 1, 2000)
    end_call(store, 1)
    assert told(store) == []
    void_ends(store, "done")
    assert told(store) == [("payment.reversed", "CA1-1")]
    assert store.merchant_notices(9)[0].at == NOW


def test_a_refund_of_a_part_that_comes_back_is_told_of_as_approved_after_all(store: Store):
    pay_part(store, 1, 2000)
    end_call(store, 1)
    void_ends(store, "failed", refunds=True)
    void_ends(store, "done")
    store.hear(News("acme_bank", "e1", "CA1-1-m2", "refund_failed", BankWord(), Money(2000)), LATER, FollowUp())
    assert told(store) == [("payment.reversed", "CA1-1"), ("payment.approved", "CA1-1")]
    assert store.merchant_notices(9)[-1].at == LATER
    assert ("result_again", "CA1-1 part_counted") in texts(store), "what was told of it is not true any more"


def test_a_part_that_stays_charged_because_no_void_is_taken_is_told_of_once_by_its_text(store: Store):
    pay_part(store, 1, 2000)
    hang_up(store, 1)
    assert texts(store) == [("result", "CA1-1")]
    assert texts(store) == []
    void_ends(store, "failed")
    assert texts(store) == [("result", "CA1-1")]


@pytest.mark.parametrize("last", ["approved", "declined"])
def test_texts_of_all_parts_are_due_when_the_last_one_is_decided(store: Store, last: str):
    pay_part(store, 1, 2000)
    begin_part(store, 2, 2250)
    job = sent(store)
    hang_up(store, 1, 2)
    assert sorted(texts(store)) == [("result", "CA1-1"), ("result", "CA1-2")]
    say(store, job, last)  # type: ignore[arg-type]
    if last == "declined":
        void_ends(store, "done")
    assert sorted(texts(store)) == [("result", "CA1-1"), ("result", "CA1-2")]


def test_a_part_that_the_bank_lets_go_of_is_undone_and_told_of_once(store: Store):
    pay_part(store, 1, 2000)
    store.hear(News("acme_bank", "e1", "CA1-1", "reversed", BankWord(), Money(2000)), NOW, FollowUp())
    assert found(store, 1).part == "undone"
    assert told(store) == [("payment.reversed", "CA1-1")]
    assert texts(store) == []


def test_a_part_that_the_bank_lets_go_of_after_all_were_there_is_told_again(store: Store):
    pay_part(store, 1, 2000)
    pay_part(store, 2, 2250)
    news = News("acme_bank", "e1", "CA1-1", "reversed", BankWord(), Money(2000))
    assert store.hear(news, NOW, FollowUp()) == "lost"
    assert texts(store) == [("result_again", "CA1-1 let_go")]


# ---- how it is taken back


def test_what_is_left_of_a_part_is_refunded_where_some_of_it_was_at_the_bank(store: Store):
    pay_part(store, 1, 2000)
    store.hear(News("acme_bank", "e1", "CA1-1", "refunded", BankWord(), Money(500)), NOW, FollowUp())
    end_call(store, 1)
    (asked,) = store.modifications_of("CA1-1")
    assert (asked.kind, asked.amount, asked.left) == ("refund", Money(1500), Money(1500))


def test_a_last_cent_of_a_part_is_given_back_too(store: Store):
    pay_part(store, 1, 2000)
    store.hear(News("acme_bank", "e1", "CA1-1", "refunded", BankWord(), Money(1999)), NOW, FollowUp())
    end_call(store, 1)
    assert [one.amount for one in store.modifications_of("CA1-1")] == [Money(1)]


def test_a_part_is_taken_back_in_its_own_currency_by_its_own_bank(store: Store):
    store.renew_bills([Bill(ACCOUNT, Money(DUE, "EUR"), Money(1000, "EUR"))])
    pay_part(store, 1, 2000, currency="EUR")
    end_call(store, 1)
    (asked,) = store.modifications_of("CA1-1")
    assert (asked.amount, asked.left) == (Money(2000, "EUR"), Money(2000, "EUR"))
    (job,) = store.claim_jobs(NOW, 60, 9, Which("bank:acme_bank"))
    assert (job.kind, job.reference) == ("modification", "CA1-1-m1")


def test_a_void_drops_the_capture_that_waits_and_a_refund_leaves_it(store: Store):
    pay_part(store, 1, DUE)
    assert store.outbox_depth()["capture"] == 1
    part = WantedModification("CA1-1", "refund", Money(1000), Money(DUE), "ada")
    store.ask_modification(part, NOW)
    assert store.outbox_depth()["capture"] == 1


def test_a_charge_that_is_voided_is_captured_no_more(store: Store):
    pay_part(store, 1, DUE)
    store.ask_modification(WantedModification("CA1-1", "void", Money(DUE), Money(DUE), "ada"), NOW)
    assert store.outbox_depth()["capture"] == 0
