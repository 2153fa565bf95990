"""What became of a part of a bill changes after it was told: a second text says so, and what is not true any more is not sent."""

from dataclasses import replace
from datetime import timedelta

import pytest

from ivr.calls.results import result_words
from ivr.calls.texting import TextDelayed
from ivr.channels.simulator import Clock
from ivr.core.call import Charge
from ivr.core.money import Money
from ivr.forwarder.process import Forwarder
from ivr.store import BankWord, Bill, FollowUp, News, Store, TextMessage
from tests.benches import SAMPLE, load_flow
from tests.store.payments import ACCOUNT, NOW, a_call
from tests.store.test_splits import DUE, found, pay_part, void_ends

WORDS = result_words(lambda _version: load_flow(SAMPLE)[1])
CHARGED, NOT_CHARGED = "went through", "was not charged"


class Phone:
    """The texts that have arrived; none does while `is_down`."""

    def __init__(self) -> None:
        self.read: list[str] = []
        self.is_down = False
        self.clock = Clock(NOW + timedelta(minutes=1))

    def __call__(self, message: TextMessage) -> None:
        if self.is_down:
            raise TextDelayed("busy")
        self.read.append(message.body)

    @property
    def said(self) -> list[str]:
        return [CHARGED if CHARGED in one else NOT_CHARGED if NOT_CHARGED in one else one for one in self.read]


@pytest.fixture
def phone() -> Phone:
    return Phone()


@pytest.fixture(autouse=True)
def bill(store: Store) -> None:
    store.renew_bills([Bill(ACCOUNT, Money(DUE), Money(1))])
    store.save_call(a_call("CA1", can_text=True), 0, NOW)


def end_call(store: Store, *attempts: int, told: bool) -> None:
    charges = tuple(Charge(one, Money(DUE), "approved", part=found(store, one).part, told=told) for one in attempts)
    over = a_call("CA1", can_text=True, phase="over", outcome="paid", charges=charges)
    store.save_call(over, 1, NOW)


def work(store: Store, phone: Phone) -> None:
    """Texts alone: what the bank is asked for is answered by the tests themselves."""
    clock = phone.clock
    forwarder = Forwarder(store, {}, phone, now=clock, write_result=WORDS)
    for _ in range(3):
        for job in store.claim_jobs(clock(), 60, 20):
            if job.kind in ("result", "result_again", "sms"):
                forwarder.do(job)
        clock.advance(120.0)


def comes_back(store: Store) -> None:
    store.hear(News("acme_bank", "e9", "CA1-1-m2", "refund_failed", BankWord(), Money(2000)), NOW, FollowUp())


def lets_go(store: Store, attempt: int) -> None:
    news = News("acme_bank", f"e{attempt}", f"CA1-{attempt}", "reversed", BankWord(), Money(2000))
    assert store.hear(news, NOW, FollowUp()) == "lost"


def test_a_part_that_was_told_as_undone_and_is_charged_after_all_is_told_again(store: Store, phone: Phone):
    pay_part(store, 1, 2000)
    end_call(store, 1, told=False)
    void_ends(store, "failed", refunds=True)
    void_ends(store, "done")
    work(store, phone)
    assert phone.said == [NOT_CHARGED]
    comes_back(store)
    work(store, phone)
    work(store, phone)
    assert phone.said == [NOT_CHARGED, CHARGED]
    assert found(store, 1).receipt_number.replace(" ", "")[:3] in phone.read[1]


def test_a_caller_who_heard_it_in_the_call_is_told_by_text_that_it_has_changed(store: Store, phone: Phone):
    pay_part(store, 1, 2000)
    store.take_back("CA1", NOW)
    void_ends(store, "failed", refunds=True)
    void_ends(store, "done")
    end_call(store, 1, told=True)
    comes_back(store)
    work(store, phone)
    assert phone.said == [CHARGED]


def test_a_text_that_has_not_gone_out_before_its_result_changed_never_does(store: Store, phone: Phone):
    pay_part(store, 1, 2000)
    end_call(store, 1, told=False)
    void_ends(store, "failed", refunds=True)
    void_ends(store, "done")
    phone.is_down = True
    work(store, phone)
    comes_back(store)
    phone.is_down = False
    work(store, phone)
    assert phone.said == [CHARGED]
    assert [one.state for one in store.texts_of("CA1")].count("refused") == 1


@pytest.mark.parametrize("is_read", [True, False])
def test_a_receipt_of_a_part_that_the_bank_let_go_of_is_taken_back_by_a_second_text_or_not_sent(
    is_read: bool, store: Store, phone: Phone
):
    pay_part(store, 1, 2000)
    pay_part(store, 2, 2250)
    end_call(store, 1, 2, told=True)
    for attempt in (1, 2):
        store.queue_sms(f"CA1-{attempt}-receipt", "+15550100", f"receipt {attempt}", NOW)
    if is_read:
        work(store, phone)
    lets_go(store, 1)
    work(store, phone)
    assert sorted(phone.said) == sorted(["receipt 2", NOT_CHARGED, *(["receipt 1"] if is_read else [])])


def test_a_result_that_is_told_after_the_bank_let_go_of_the_part_says_so(store: Store, phone: Phone):
    pay_part(store, 1, 2000)
    pay_part(store, 2, 2250)
    end_call(store, 1, 2, told=False)
    lets_go(store, 1)
    work(store, phone)
    assert sorted(set(phone.said)) == sorted({NOT_CHARGED, CHARGED})
    assert phone.said.count(CHARGED) == 1


def test_nobody_is_told_again_who_cannot_be_texted(store: Store, phone: Phone):
    pay_part(store, 1, 2000)
    stored = store.load_call("CA1")
    assert stored is not None
    store.save_call(replace(stored.call, can_text=False), 1, NOW)
    store.take_back("CA1", NOW)
    void_ends(store, "failed", refunds=True)
    void_ends(store, "done")
    comes_back(store)
    work(store, phone)
    assert phone.read == []
    assert store.outbox_depth()["result_again"] == 0
