"""Refunds, cancels and captures at Adyen: taken at once, known when the notification has come, by Adyen's own books."""

import json
from contextlib import suppress
from datetime import UTC, datetime

import pytest

from ivr.bank import BankAnswer, ModificationRequest
from ivr.bank.adyen import AdyenBank
from ivr.bank.adyen.answers import read_modification
from ivr.channels.simulator import Clock
from ivr.core.money import Money
from ivr.forwarder.process import Forwarder
from ivr.store import Modification, PaymentFilter, Store, TooEarly, WantedModification, reservation_state
from tests.bank.adyen.keys import API_KEY
from tests.bank.adyen.running import RunningAdyen
from tests.bank.adyen.test_ledger import LEASE_S, begin, tell, work


class Killed(BaseException):
    """The process is gone: nothing of ours may catch this."""


@pytest.fixture
def clock() -> Clock:
    return Clock(datetime.now(UTC))


@pytest.fixture
def captured(store: Store, adyen: AdyenBank, adyen_process: RunningAdyen, clock: Clock) -> str:
    reference = begin(store, adyen_process, 4250, clock())
    work(store, adyen, clock)
    tell(store, adyen_process, reference, "CAPTURE")
    assert store.entries(reference)[-1] == "captured"
    return reference


def ask(store: Store, reference: str, minor: int, clock: Clock, kind: str = "refund") -> str:
    payment = store.payment(reference)
    assert payment is not None
    left = store.balance_of(payment).refundable
    wanted = WantedModification(reference, kind, Money(minor), left, "ada")  # type: ignore[arg-type]
    asked = store.ask_modification(wanted, clock())
    assert isinstance(asked, Modification)
    return asked.id


def status(store: Store, key: str) -> str:
    found = store.modification(key)
    assert found is not None
    return found.status


def returned(store: Store, reference: str) -> int:
    payment = store.payment(reference)
    assert payment is not None
    return store.balance_of(payment).returned.minor


@pytest.mark.parametrize("minor", [1000, 4250, 1364, 1365, 1366, 1367, 1320])
def test_a_refund_is_taken_once_and_done_when_the_notification_says_so(
    minor: int, captured: str, store: Store, adyen: AdyenBank, adyen_process: RunningAdyen, clock: Clock
):
    key = ask(store, captured, minor, clock)
    work(store, adyen, clock)
    assert (status(store, key), returned(store, captured)) == ("taken", 0)
    tell(store, adyen_process, key, "REFUND", times=3)
    assert (status(store, key), returned(store, captured)) == ("done", minor)
    (booked,) = adyen_process.booked(captured)
    assert booked["refunded"] == minor
    assert store.entries(captured)[-2:] == ["refund_asked", "refunded"]


def test_a_refund_that_adyen_refuses_later_is_told_with_its_reason(
    captured: str, store: Store, adyen: AdyenBank, adyen_process: RunningAdyen, clock: Clock
):
    key = ask(store, captured, 1305, clock)
    work(store, adyen, clock)
    tell(store, adyen_process, key, "REFUND")
    found = store.modification(key)
    assert found is not None
    assert (found.status, found.reason) == ("failed", "Insufficient balance on payment")
    assert store.entries(captured)[-1] == "refund_failed"


def test_a_refund_that_comes_back_can_be_made_again(
    captured: str, store: Store, adyen: AdyenBank, adyen_process: RunningAdyen, clock: Clock
):
    key = ask(store, captured, 1306, clock)
    work(store, adyen, clock)
    tell(store, adyen_process, key, "REFUND")
    assert returned(store, captured) == 1306
    tell(store, adyen_process, key, "REFUND_FAILED", times=2)
    assert (status(store, key), returned(store, captured)) == ("failed", 0)
    assert store.entries(captured)[-3:] == ["refund_asked", "refunded", "refund_failed"]
    again = ask(store, captured, 1000, clock)
    assert again != key


def test_a_void_before_the_capture_lets_go_of_the_charge_and_nothing_is_captured(
    store: Store, adyen: AdyenBank, adyen_process: RunningAdyen, clock: Clock
):
    reference = begin(store, adyen_process, 4250, clock())
    Forwarder(store, {"acme_bank": adyen}, lambda message: None, now=clock).run_once()
    assert store.is_job_open("capture", reference)
    key = ask(store, reference, 4250, clock, "void")
    work(store, adyen, clock)
    tell(store, adyen_process, key, "CANCELLATION", times=2)
    assert (status(store, key), returned(store, reference)) == ("done", 4250)
    assert [one["status"] for one in adyen_process.booked(reference)] == ["cancelled"]
    assert store.entries(reference) == ["requested", "approved", "void_asked", "voided"]


def test_a_worker_that_was_stalled_captures_nothing_that_was_voided_meanwhile(
    store: Store, adyen: AdyenBank, adyen_process: RunningAdyen, clock: Clock
):
    """It has the capture's job in hand, and its lease has run out when the void is asked for."""
    reference = begin(store, adyen_process, 4250, clock())
    forwarder = Forwarder(store, {"acme_bank": adyen}, lambda message: None, now=clock)
    forwarder.run_once()
    (job,) = (one for one in store.claim_jobs(clock(), LEASE_S, 9) if one.kind == "capture")
    clock.advance(LEASE_S + 1)
    key = ask(store, reference, 4250, clock, "void")
    forwarder.charges.capture(job)
    work(store, adyen, clock)
    tell(store, adyen_process, key, "CANCELLATION")
    assert [one["status"] for one in adyen_process.booked(reference)] == ["cancelled"]
    assert status(store, key) == "done"


def test_a_void_that_comes_too_late_is_told(
    captured: str, store: Store, adyen: AdyenBank, adyen_process: RunningAdyen, clock: Clock
):
    key = ask(store, captured, 4250, clock, "void")
    work(store, adyen, clock)
    tell(store, adyen_process, key, "CANCELLATION")
    found = store.modification(key)
    assert found is not None
    assert (found.status, found.reason) == ("failed", "Transaction was captured")
    assert returned(store, captured) == 0


@pytest.mark.parametrize(
    ("kind", "event", "then", "books"),
    [("capture", "CAPTURE", "captured", "captured"), ("void", "CANCELLATION", "voided", "cancelled")],
)
def test_a_reserved_amount_waits_until_it_is_taken_or_let_go_of(
    kind: str,
    event: str,
    then: str,
    books: str,
    store: Store,
    adyen: AdyenBank,
    adyen_process: RunningAdyen,
    clock: Clock,
):
    reference = begin(store, adyen_process, 4250, clock(), captures_later=True)
    work(store, adyen, clock)
    assert store.entries(reference) == ["requested", "approved"]
    assert [one["status"] for one in adyen_process.booked(reference)] == ["authorised"]
    key = ask(store, reference, 4250, clock, kind)
    work(store, adyen, clock)
    tell(store, adyen_process, key, event, times=2)
    assert store.entries(reference)[2:] == [f"{kind}_asked", then]
    assert [one["status"] for one in adyen_process.booked(reference)] == [books]


def of_the_bank(store: Store) -> int:
    assert list(store.book_faults()) == []
    return sum(one.minor for owed in store.owed_by_banks().values() for one in owed)


def test_a_capture_that_fails_after_it_was_done_leaves_the_amount_reserved_and_can_be_made_again(
    store: Store, adyen: AdyenBank, adyen_process: RunningAdyen, clock: Clock
):
    reference = begin(store, adyen_process, 1307, clock(), captures_later=True)
    work(store, adyen, clock)
    first = ask(store, reference, 1307, clock, "capture")
    work(store, adyen, clock)
    tell(store, adyen_process, first, "CAPTURE")
    assert of_the_bank(store) == 1307
    tell(store, adyen_process, first, "CAPTURE_FAILED", times=2)
    assert (status(store, first), of_the_bank(store)) == ("failed", 0)
    assert reservation_state(store.entries(reference)) == "reserved"
    assert [one.intent.reference for one in store.find_payments(PaymentFilter(uncaptured=True), 5)] == [reference]
    second = ask(store, reference, 1307, clock, "capture")
    work(store, adyen, clock)
    tell(store, adyen_process, second, "CAPTURE", times=2)
    assert (status(store, second), of_the_bank(store)) == ("done", 1307)
    assert [(one.kind, one.amount.minor) for one in store.movements()] == [
        ("charge", 1307),
        ("void", 1307),
        ("charge", 1307),
    ]


def test_what_was_reserved_can_be_let_go_of_after_its_capture_has_failed(
    store: Store, adyen: AdyenBank, adyen_process: RunningAdyen, clock: Clock
):
    reference = begin(store, adyen_process, 1307, clock(), captures_later=True)
    work(store, adyen, clock)
    for kind, events in (("capture", ("CAPTURE", "CAPTURE_FAILED")), ("void", ("CANCELLATION",))):
        key = ask(store, reference, 1307, clock, kind)
        work(store, adyen, clock)
        for event in events:
            tell(store, adyen_process, key, event)
    assert reservation_state(store.entries(reference)) == "voided"
    assert of_the_bank(store) == 0


@pytest.mark.parametrize("captures_later", [True, False])
def test_a_void_that_finds_nothing_because_the_bank_has_let_go_by_itself_is_done(
    captures_later: bool, store: Store, adyen: AdyenBank, adyen_process: RunningAdyen, clock: Clock
):
    """A cancel in the Customer Area comes under the charge's reference, and is told while ours is on its way."""
    reference = begin(store, adyen_process, 4250, clock(), captures_later=captures_later)
    Forwarder(store, {"acme_bank": adyen}, lambda message: None, now=clock).run_once()
    key = ask(store, reference, 4250, clock, "void")
    adyen.reverse(reference)
    work(store, adyen, clock)
    assert status(store, key) == "taken"
    tell(store, adyen_process, reference, "TECHNICAL_CANCEL", times=2)
    assert (status(store, key), of_the_bank(store)) == ("done", 0)
    tell(store, adyen_process, key, "CANCELLATION", times=2)  # there was nothing left to cancel
    assert (status(store, key), of_the_bank(store)) == ("done", 0)
    assert store.entries(reference)[-2:] == ["void_asked", "voided"]
    assert [one.minor for one in store.account_balances() if one.kind in ("reserved", "held", "uncollected")] in (
        [0, 0],
        [],
    )


@pytest.mark.parametrize("order", [("CAPTURE", "CAPTURE_FAILED"), ("CAPTURE_FAILED", "CAPTURE")])
def test_a_sale_whose_capture_fails_after_it_was_done_is_uncollected_in_whatever_order_that_is_told(
    order: tuple[str, str], store: Store, adyen: AdyenBank, adyen_process: RunningAdyen, clock: Clock
):
    reference = begin(store, adyen_process, 1307, clock())
    work(store, adyen, clock)
    for event in (*order, *order):
        tell(store, adyen_process, reference, event)
    assert of_the_bank(store) == 0
    (uncollected,) = [one for one in store.account_balances() if one.kind == "uncollected"]
    assert uncollected.minor == 1307


@pytest.mark.parametrize("order", [("REFUND", "REFUND_FAILED"), ("REFUND_FAILED", "REFUND")])
def test_a_refund_in_the_customer_area_that_comes_back_is_taken_back_once(
    order: tuple[str, str],
    captured: str,
    store: Store,
    adyen: AdyenBank,
    adyen_process: RunningAdyen,
    clock: Clock,
):
    """It comes under the charge's reference: nobody here has asked for it."""
    payment = store.payment(captured)
    assert payment is not None
    adyen_process.ask("/_forget-keys", "POST")  # the charge's own key is in use
    for minor in (1000, 1306):  # the second one comes back
        about = "refund", captured, captured, Money(minor), Money(4250), payment.bank_reference
        assert adyen.modify(ModificationRequest(*about)).outcome == "taken"
    adyen_process.ask("/_keep-keys", "POST")
    for event in (*order, *order):
        tell(store, adyen_process, captured, event)
    assert (returned(store, captured), of_the_bank(store)) == (1000, 3250)
    back = [one.amount.minor for one in store.movements() if one.kind == "refund"]
    assert sum(back) == 1000
    ask(store, captured, 3250, clock)


class DyingLine(AdyenBank):
    """The first refund ends the process, before or after it has reached Adyen."""

    def __init__(self, *opened, moment: str) -> None:
        super().__init__(*opened)
        self.moment, self.asked = moment, 0

    def modify(self, request: ModificationRequest) -> BankAnswer:
        self.asked += 1
        if self.asked == 1:
            if self.moment == "after":
                super().modify(request)
            raise Killed
        return super().modify(request)


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_worker_that_dies_with_the_request_leaves_one_refund(
    moment: str, captured: str, store: Store, adyen_process: RunningAdyen, clock: Clock
):
    key = ask(store, captured, 1000, clock)
    with DyingLine(adyen_process.settings(), API_KEY, moment=moment) as line:
        with suppress(Killed):
            Forwarder(store, {"acme_bank": line}, lambda message: None, now=clock).run_once()
        assert status(store, key) == "sent"
        clock.advance(LEASE_S + 1)
        work(store, line, clock)
    tell(store, adyen_process, key, "REFUND")
    assert status(store, key) == "done"
    assert [one["refunded"] for one in adyen_process.booked(captured)] == [1000]


def test_a_notification_that_comes_before_the_answer_is_to_come_again(
    captured: str, store: Store, adyen: AdyenBank, adyen_process: RunningAdyen, clock: Clock
):
    key = ask(store, captured, 1000, clock)
    job = store.claim(clock(), LEASE_S)
    assert job is not None
    assert store.mark_modification_sent(job)
    payment = store.payment(captured)
    assert payment is not None
    adyen.modify(ModificationRequest("refund", captured, key, Money(1000), Money(4250), payment.bank_reference))
    with pytest.raises(TooEarly):
        tell(store, adyen_process, key, "REFUND")
    assert store.doubt_modification(job, 0, clock(), "no answer")
    tell(store, adyen_process, key, "REFUND")
    assert status(store, key) == "done"
    assert not store.is_job_open("modification", key)


@pytest.mark.parametrize(
    ("status", "said", "outcome"),
    [
        (201, {"paymentPspReference": "PSP1", "pspReference": "PSP2", "status": "received"}, "taken"),
        (201, {"paymentPspReference": "ANOTHER", "pspReference": "PSP2"}, "unknown"),
        (422, {"errorCode": "167", "message": "Original pspReference required"}, "refused"),
        (422, {"errorCode": "704", "message": "in progress"}, "unknown"),
        (401, {"errorCode": "000", "message": "Unauthorized"}, "not_sent"),
        (403, {"errorCode": "901", "message": "Invalid Merchant Account"}, "not_sent"),
        (500, {"errorCode": "905"}, "unknown"),
        (422, {}, "unknown"),
    ],
)
def test_what_adyen_answers_to_a_refund_in_the_words_of_every_bank(status: int, said: dict[str, str], outcome: str):
    request = ModificationRequest("refund", "CA1-1", "CA1-1-m1", Money(1000), Money(4250), "PSP1")
    answer = read_modification(request, status, json.dumps(said).encode())
    assert answer.outcome == outcome


def test_a_card_number_in_a_reason_is_not_kept():
    request = ModificationRequest("refund", "CA1-1", "CA1-1-m1", Money(1000), Money(4250), "PSP1")
    said = b'{"errorCode": "101", "message": "Card 4111 1111 1111 1111 cannot be refunded"}'
    answer = read_modification(request, 422, said)
    assert (answer.outcome, answer.reason) == ("refused", "no reason given (error 101)")


def test_without_adyens_reference_nothing_is_asked(adyen: AdyenBank):
    request = ModificationRequest("refund", "CA1-1", "CA1-1-m1", Money(1000), Money(4250))
    assert adyen.modify(request).outcome == "refused"
