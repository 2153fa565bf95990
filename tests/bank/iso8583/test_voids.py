"""A void at an ISO 8583 host: a reversal of the approved charge without its card, on its day; a refusal is told."""

from dataclasses import replace
from datetime import timedelta

import pytest

from ivr.bank import BankAnswer, ModificationRequest
from ivr.bank.iso8583.answers import read_void
from ivr.bank.iso8583.client import Iso8583Bank
from ivr.bank.iso8583.messages import read_trace
from ivr.channels.simulator import Clock
from ivr.core.money import Money
from ivr.forwarder.process import Forwarder
from ivr.store import Modification, Store, WantedModification
from tests.bank.iso8583.running import RunningHost
from tests.bank.iso8583.test_ledger import begin, charged, clock, numbers_of_its_own, work

__all__ = ["clock", "numbers_of_its_own"]
CHARGED = 4250


def ask_void(store: Store, reference: str, clock: Clock) -> str:
    wanted = WantedModification(reference, "void", Money(CHARGED), Money(CHARGED), "ada")
    asked = store.ask_modification(wanted, clock())
    assert isinstance(asked, Modification)
    return asked.id


def found(store: Store, key: str) -> Modification:
    one = store.modification(key)
    assert one is not None
    return one


def test_a_void_takes_the_charge_back_and_no_card_is_needed(store: Store, host: RunningHost, clock: Clock):
    reference = begin(store, host, CHARGED, clock())
    with host.client(now=clock) as bank:
        work(store, bank, clock)
        assert charged(host, store, reference)
        assert not store.sealed_sizes(reference)
        key = ask_void(store, reference, clock)
        work(store, bank, clock)
    assert found(store, key).status == "done"
    assert store.entries(reference)[-2:] == ["void_asked", "voided"]
    assert not charged(host, store, reference)


class LosingLine(Iso8583Bank):
    """Loses the first void's answer."""

    repeats: list[bool]

    def modify(self, request: ModificationRequest) -> BankAnswer:
        self.repeats.append(request.is_repeat)
        answer = super().modify(request)
        return answer if request.is_repeat else BankAnswer("unknown", request.reference, reason="lost")


def test_a_void_whose_answer_is_lost_is_repeated_as_such(store: Store, host: RunningHost, clock: Clock):
    reference = begin(store, host, CHARGED, clock())
    with LosingLine(host.settings(), host.opener(), clock) as bank:
        bank.repeats = []
        work(store, bank, clock)
        key = ask_void(store, reference, clock)
        work(store, bank, clock)
        assert bank.repeats == [False, True]
    assert found(store, key).status == "done"


def test_a_host_that_knows_no_such_charge_is_told(store: Store, forgetful_host: RunningHost, clock: Clock):
    reference = begin(store, forgetful_host, CHARGED, clock())
    with forgetful_host.client(now=clock, reversals_block="false") as bank:
        work(store, bank, clock)
        payment = store.payment(reference)
        assert payment is not None
        trace = replace(read_trace(payment.bank_trace), stan="999998", retrieval="000000000000")
        request = ModificationRequest("void", reference, "k", Money(CHARGED), Money(CHARGED), trace=str(trace))
        answer = bank.modify(request)
    assert (answer.outcome, answer.response_code) == ("refused", "25")
    assert "refund it at the acquirer" in str(answer.reason)
    assert charged(forgetful_host, store, reference)


def test_on_the_day_after_nothing_is_sent_and_the_cure_is_told(store: Store, host: RunningHost, clock: Clock):
    reference = begin(store, host, CHARGED, clock())
    with host.client(now=clock) as bank:
        work(store, bank, clock)
        clock.advance(timedelta(days=1).total_seconds())
        key = ask_void(store, reference, clock)
        Forwarder(store, {"acme_bank": bank}, lambda message: None, now=clock).run_once()
    assert (found(store, key).status, charged(host, store, reference)) == ("failed", True)
    assert found(store, key).reason == "only on the day of the charge: refund it at the acquirer"


@pytest.mark.parametrize(
    ("code", "first", "repeated"),
    [
        ("00", "done", "done"),
        ("25", "refused", "unknown"),
        ("21", "refused", "unknown"),
        ("12", "refused", "refused"),
        ("30", "refused", "refused"),
        ("94", "unknown", "unknown"),
        ("96", "unknown", "unknown"),
        ("", "unknown", "unknown"),
    ],
)
def test_what_a_host_answers_to_a_void(code: str, first: str, repeated: str):
    """To a repeat, "no such record" may mean that the first one has done it."""
    assert read_void("CA1-1", {"39": code}, is_repeat=False).outcome == first
    assert read_void("CA1-1", {"39": code}, is_repeat=True).outcome == repeated
