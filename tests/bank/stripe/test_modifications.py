"""Refunds, voids and captures at localstripe over TLS: whatever becomes of an answer each is done once, by its own lists."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ivr.bank import BankAnswer, ModificationRequest
from ivr.bank.stripe import StripeBank
from ivr.bank.stripe.modifications import read_inquiry, read_modification
from ivr.channels.simulator import Clock
from ivr.core.money import Money
from ivr.logs import set_up_logging
from ivr.store import Modification, Store, TooEarly, WantedModification
from tests.bank.stripe.running import RunningStripe
from tests.bank.stripe.stand_in import SECRET_KEY
from tests.bank.stripe.test_events import event, tell
from tests.bank.stripe.test_ledger import AUTHORIZED, CANCELLED, CAPTURED, begin, forwarder_of, work

CHARGED = 4250


@pytest.fixture
def clock() -> Clock:
    return Clock(datetime.now(UTC))


@pytest.fixture
def captured(store: Store, stripe_bank: StripeBank, stripe_process: RunningStripe, clock: Clock) -> str:
    reference = begin(store, stripe_process, CHARGED, clock())
    work(store, stripe_bank, clock)
    tell(store, stripe_process, event("payment_intent.succeeded", intent_of(store, reference)))
    assert store.entries(reference) == ["requested", "approved", "capture_asked", "captured"]
    return reference


@pytest.fixture
def held(store: Store, stripe_bank: StripeBank, stripe_process: RunningStripe, clock: Clock) -> str:
    """Approved, and its capture is still queued."""
    reference = begin(store, stripe_process, CHARGED, clock())
    assert forwarder_of(store, stripe_bank, clock).run_once()
    assert store.entries(reference) == ["requested", "approved"]
    return reference


def intent_of(store: Store, reference: str) -> dict[str, Any]:
    payment = store.payment(reference)
    assert payment is not None
    about = {"id": payment.bank_reference, "object": "payment_intent", "amount": CHARGED, "currency": "usd"}
    return {**about, "metadata": {"tonetill_reference": reference}}


def charge_of(store: Store, reference: str, refunded: int) -> dict[str, Any]:
    intent = intent_of(store, reference)
    return {**intent, "id": "ch_1", "object": "charge", "payment_intent": intent["id"], "amount_refunded": refunded}


def refund_of(store: Store, key: str, status: str, **other: object) -> dict[str, Any]:
    asked = found(store, key)
    pi = intent_of(store, asked.reference)["id"]
    about = {"id": "re_1", "object": "refund", "amount": asked.amount.minor, "currency": "usd", "payment_intent": pi}
    return {**about, "status": status, "metadata": {"tonetill_modification": key}, **other}


def ask(store: Store, reference: str, minor: int, clock: Clock, kind: str = "refund") -> str:
    payment = store.payment(reference)
    assert payment is not None
    left = store.balance_of(payment).refundable
    wanted = WantedModification(reference, kind, Money(minor), left, "ada")  # type: ignore[arg-type]
    asked = store.ask_modification(wanted, clock())
    assert isinstance(asked, Modification)
    return asked.id


def found(store: Store, key: str) -> Modification:
    one = store.modification(key)
    assert one is not None
    return one


def refundable(store: Store, reference: str) -> int:
    payment = store.payment(reference)
    assert payment is not None
    return store.balance_of(payment).refundable.minor


class LosingLine(StripeBank):
    """Loses the first refund, void or capture, before or after Stripe has done it."""

    moment, asked = "after", 0

    def modify(self, request: ModificationRequest) -> BankAnswer:
        self.asked += 1
        if self.asked > 1:
            return super().modify(request)
        if self.moment == "after":
            super().modify(request)
        return BankAnswer("unknown", request.reference, reason="lost")


@contextmanager
def losing(stripe: RunningStripe, moment: str) -> Iterator[LosingLine]:
    with LosingLine(stripe.settings(), SECRET_KEY, stripe.opener()) as bank:
        bank.moment = moment
        yield bank


@pytest.mark.parametrize("minor", [CHARGED, 1000, 1364, 1365, 1366, 1367, 1368, 1320, 1329])
def test_a_refund_is_made_once_whatever_becomes_of_its_answer(
    minor: int, captured: str, store: Store, stripe_bank: StripeBank, stripe_process: RunningStripe, clock: Clock
):
    """13.64 is a fault that the key brings again: known only when the keys are gone, and then that nothing was done."""
    key = ask(store, captured, minor, clock)
    work(store, stripe_bank, clock)
    if minor == 1364:
        assert (found(store, key).status, refundable(store, captured)) == ("unknown", CHARGED - minor)
        clock.advance(timedelta(hours=25).total_seconds())
        work(store, stripe_bank, clock)
        assert found(store, key).status == "failed"
        assert stripe_process.refunded(captured) == []
        return
    assert (found(store, key).status, refundable(store, captured)) == ("done", CHARGED - minor)
    assert stripe_process.refunded(captured) == [minor]
    assert store.entries(captured)[-2:] == ["refund_asked", "refunded"]


@pytest.mark.parametrize(("moment", "left"), [("before", "failed"), ("after", "done")])
def test_after_the_promise_of_keys_a_refund_is_looked_for_and_not_made_again(
    moment: str, left: str, captured: str, store: Store, stripe_process: RunningStripe, clock: Clock
):
    key = ask(store, captured, 1000, clock)
    with losing(stripe_process, moment) as bank:
        assert forwarder_of(store, bank, clock).run_once()
        clock.advance(timedelta(hours=25).total_seconds())
        work(store, bank, clock)
        assert bank.asked == 1
    assert found(store, key).status == left
    assert stripe_process.refunded(captured) == ([1000] if left == "done" else [])


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_void_before_the_capture_lets_go_of_the_hold(
    moment: str, held: str, store: Store, stripe_process: RunningStripe, clock: Clock
):
    key = ask(store, held, CHARGED, clock, "void")
    with losing(stripe_process, moment) as bank:
        work(store, bank, clock)
    assert found(store, key).status == "done"
    assert stripe_process.booked(held) == [(CHARGED, CANCELLED)]
    tell(store, stripe_process, event("payment_intent.canceled", intent_of(store, held)))
    assert store.entries(held) == ["requested", "approved", "void_asked", "voided"]


def test_a_void_that_nobody_answered_is_done_by_its_event(
    held: str, store: Store, stripe_process: RunningStripe, clock: Clock
):
    key = ask(store, held, CHARGED, clock, "void")
    with pytest.raises(TooEarly):
        tell(store, stripe_process, event("payment_intent.canceled", intent_of(store, held)))
    with losing(stripe_process, "after") as bank:
        assert forwarder_of(store, bank, clock).run_once()
    tell(store, stripe_process, event("payment_intent.canceled", intent_of(store, held)))
    assert found(store, key).status == "done"
    assert not store.is_job_open("modification", key)


def test_a_void_of_what_is_captured_is_refused_with_words(
    captured: str, store: Store, stripe_bank: StripeBank, stripe_process: RunningStripe, clock: Clock
):
    key = ask(store, captured, CHARGED, clock, "void")
    work(store, stripe_bank, clock)
    assert (found(store, key).status, found(store, key).reason) == ("failed", "captured already: refund it")
    assert stripe_process.booked(captured) == [(CHARGED, CAPTURED)]
    assert refundable(store, captured) == CHARGED


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_capture_takes_the_money_once(
    moment: str, held: str, store: Store, stripe_bank: StripeBank, stripe_process: RunningStripe, clock: Clock
):
    key = ask(store, held, CHARGED, clock, "capture")
    with losing(stripe_process, moment) as bank:
        work(store, bank, clock)
    assert found(store, key).status == "done"
    assert stripe_process.booked(held) == [(CHARGED, CAPTURED)]
    tell(store, stripe_process, event("payment_intent.succeeded", intent_of(store, held)))
    assert store.entries(held).count("captured") == 1


def test_a_hold_that_lapses_before_its_capture_is_told_and_not_captured(
    held: str,
    store: Store,
    stripe_bank: StripeBank,
    stripe_process: RunningStripe,
    clock: Clock,
    capfd: pytest.CaptureFixture[str],
):
    set_up_logging("info", "json")
    tell(store, stripe_process, event("payment_intent.canceled", intent_of(store, held)))
    assert '"effect": "lost"' in "".join(capfd.readouterr())
    work(store, stripe_bank, clock)
    assert store.entries(held) == ["requested", "approved", "capture_failed", "hold_lapsed"]
    assert stripe_process.booked(held) == [(CHARGED, AUTHORIZED)]


def test_our_own_refund_is_not_taken_for_one_that_was_made_at_stripe(
    captured: str, store: Store, stripe_bank: StripeBank, stripe_process: RunningStripe, clock: Clock
):
    ask(store, captured, 1000, clock)
    tell(store, stripe_process, event("charge.refunded", charge_of(store, captured, 1000)))
    work(store, stripe_bank, clock)
    tell(store, stripe_process, event("charge.refunded", charge_of(store, captured, 1000)))
    assert "refunded_at_bank" not in store.entries(captured)
    for total in (1500, 1500, 1600, 1500):  # at Stripe, by hand: 5.00, then 1.00 more
        tell(store, stripe_process, event("charge.refunded", charge_of(store, captured, total)))
    by_hand = [one for one in store.ledger_of(captured.rpartition("-")[0]) if one.kind == "refunded_at_bank"]
    assert [one.amount.minor for one in by_hand] == [500, 100]


def test_a_refund_at_stripe_that_comes_back_is_taken_back_once(
    captured: str, store: Store, stripe_process: RunningStripe
):
    for total in (500, 800):
        tell(store, stripe_process, event("charge.refunded", charge_of(store, captured, total)))
    assert refundable(store, captured) == CHARGED - 800
    intent = intent_of(store, captured)["id"]
    about = {"object": "refund", "currency": "usd", "payment_intent": intent, "metadata": {}}
    for kind in ("refund.updated", "refund.failed", "charge.refund.updated"):
        failed = about | {"id": "re_1", "amount": 500, "status": "failed", "failure_reason": "lost_or_stolen_card"}
        tell(store, stripe_process, event(kind, failed))
    assert refundable(store, captured) == CHARGED - 300
    other = about | {"id": "re_2", "amount": 100, "status": "failed", "payment_intent": "pi_of_somebody_else"}
    tell(store, stripe_process, event("refund.failed", other))
    tell(store, stripe_process, event("charge.refunded", charge_of(store, captured, 400)))
    assert refundable(store, captured) == CHARGED - 400
    assert list(store.book_faults()) == []


def test_what_becomes_of_a_refund_later_is_told_by_its_events(
    captured: str, store: Store, stripe_bank: StripeBank, stripe_process: RunningStripe, clock: Clock
):
    key = ask(store, captured, 1000, clock)
    with losing(stripe_process, "after") as bank:
        assert forwarder_of(store, bank, clock).run_once()
    assert found(store, key).status == "unknown"
    tell(store, stripe_process, event("refund.created", refund_of(store, key, "pending")))
    assert found(store, key).status == "unknown"
    tell(store, stripe_process, event("refund.updated", refund_of(store, key, "succeeded")))
    assert found(store, key).status == "done"
    failed = refund_of(store, key, "failed", failure_reason="lost_or_stolen_card")
    tell(store, stripe_process, event("refund.failed", failed))
    assert (found(store, key).status, found(store, key).reason) == ("failed", "lost_or_stolen_card")
    assert refundable(store, captured) == CHARGED
    by_hand = refund_of(store, key, "succeeded", metadata={})
    tell(store, stripe_process, event("refund.updated", by_hand))
    assert found(store, key).status == "failed"


REFUND = ModificationRequest("refund", "CA1-1", "CA1-1-m1", Money(1000), Money(CHARGED), "pi_1")
MADE = {"id": "re_1", "amount": 1000, "currency": "usd", "payment_intent": "pi_1", "status": "succeeded"}
MADE |= {"metadata": {"tonetill_modification": "CA1-1-m1"}}
STANDS = {"id": "pi_1", "amount": CHARGED, "currency": "usd", "metadata": {"tonetill_reference": "CA1-1"}}


def failed(kind: str, **more: object) -> dict[str, object]:
    return {"error": {"type": kind, **more}}


@pytest.mark.parametrize(
    ("kind", "status", "said", "outcome"),
    [
        ("refund", 200, MADE, "done"),
        ("refund", 200, MADE | {"status": "pending"}, "taken"),
        ("refund", 200, MADE | {"status": "failed"}, "refused"),
        ("refund", 200, MADE | {"payment_intent": "pi_2"}, "unknown"),
        ("refund", 200, MADE | {"metadata": {}}, "unknown"),
        ("refund", 200, {}, "unknown"),
        ("refund", 400, failed("invalid_request_error", code="charge_already_refunded"), "refused"),
        ("refund", 400, failed("idempotency_error"), "unknown"),
        ("refund", 400, {}, "unknown"),
        ("refund", 403, failed("invalid_request_error"), "not_sent"),
        ("refund", 429, failed("invalid_request_error", code="lock_timeout"), "not_sent"),
        ("refund", 409, failed("invalid_request_error", code="idempotency_key_in_use"), "unknown"),
        ("refund", 502, {}, "unknown"),
        ("void", 200, STANDS | {"status": "canceled"}, "done"),
        ("void", 400, failed("x", payment_intent=STANDS | {"status": "canceled"}), "done"),
        ("void", 400, failed("x", payment_intent=STANDS | {"status": "succeeded"}), "refused"),
        ("capture", 200, STANDS | {"status": "succeeded", "amount_received": CHARGED}, "done"),
        ("capture", 400, failed("x", payment_intent=STANDS | {"status": "succeeded"}), "done"),
        ("capture", 400, failed("x", payment_intent=STANDS | {"status": "canceled"}), "refused"),
        ("capture", 200, STANDS | {"status": "succeeded", "metadata": {}}, "unknown"),
    ],
)
def test_what_stripe_answers_in_the_words_of_every_bank(kind: str, status: int, said: dict[str, Any], outcome: str):
    request = replace(REFUND, kind=kind)  # type: ignore[arg-type]
    assert read_modification(request, status, json.dumps(said).encode()).outcome == outcome


@pytest.mark.parametrize(
    ("kind", "status", "said", "outcome"),
    [
        ("refund", 200, {"data": [{"metadata": {}}, MADE]}, "done"),
        ("refund", 200, {"data": [], "has_more": False}, "not_found"),
        ("refund", 200, {"data": [], "has_more": True}, "unknown"),
        ("refund", 200, {"data": None}, "unknown"),
        ("refund", 500, {}, "unknown"),
        ("void", 200, STANDS | {"status": "requires_capture"}, "not_found"),
        ("void", 200, STANDS | {"status": "succeeded"}, "refused"),
        ("capture", 200, STANDS | {"status": "succeeded"}, "done"),
    ],
)
def test_what_an_inquiry_shows(kind: str, status: int, said: dict[str, Any], outcome: str):
    assert read_inquiry(replace(REFUND, kind=kind), status, said).outcome == outcome  # type: ignore[arg-type]


def test_without_stripes_name_of_the_charge_nothing_is_asked(stripe_bank: StripeBank):
    assert stripe_bank.modify(replace(REFUND, bank_reference=None)).outcome == "refused"


def test_a_reserved_amount_waits_until_it_is_taken(
    store: Store, stripe_bank: StripeBank, stripe_process: RunningStripe, clock: Clock
):
    reference = begin(store, stripe_process, CHARGED, clock(), captures_later=True)
    work(store, stripe_bank, clock)
    assert store.entries(reference) == ["requested", "approved"]
    assert stripe_process.booked(reference) == [(CHARGED, AUTHORIZED)]
    ask(store, reference, CHARGED, clock, "capture")
    work(store, stripe_bank, clock)
    tell(store, stripe_process, event("payment_intent.succeeded", intent_of(store, reference)))
    assert store.entries(reference)[2:] == ["capture_asked", "captured"]
    assert stripe_process.booked(reference) == [(CHARGED, CAPTURED)]


def test_a_reserved_amount_that_lapses_is_no_capture_that_failed(
    store: Store, stripe_bank: StripeBank, stripe_process: RunningStripe, clock: Clock
):
    reference = begin(store, stripe_process, CHARGED, clock(), captures_later=True)
    work(store, stripe_bank, clock)
    for _ in range(2):
        tell(store, stripe_process, event("payment_intent.canceled", intent_of(store, reference)))
    assert store.entries(reference)[2:] == ["hold_lapsed"]
