"""What Stripe tells by itself: believed only where it is signed and fresh, and moving the ledger once."""

import hashlib
import hmac
import json
import time
from datetime import UTC, datetime
from itertools import permutations
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask

from ivr.bank.stripe import StripeBank
from ivr.bank.stripe.notifications import check_signature
from ivr.calls.bank_news import BankNewsIntake
from ivr.channels.bank_news import bank_news_blueprint
from ivr.channels.simulator import Clock
from ivr.errors import PeerError
from ivr.store import Modification, ModificationWord, Store, WantedModification
from tests.bank.stripe.running import RunningStripe
from tests.bank.stripe.test_ledger import begin, forwarder_of

SECRET = "whsec_standin0123456789"
NEWS = "/banks/acme_bank/notifications"


def signed(content: bytes, at_s: float | None = None, secret: str = SECRET) -> str:
    at = str(int(time.time() if at_s is None else at_s))
    return f"t={at},v1={hmac.new(secret.encode(), at.encode() + b'.' + content, hashlib.sha256).hexdigest()}"


def event(kind: str, about: dict[str, Any], **more: Any) -> bytes:
    return json.dumps({"id": f"evt_{uuid4().hex}", "type": kind, "data": {"object": about}} | more).encode()


def intent_at_stripe(reference: str, minor: int = 1364) -> dict[str, Any]:
    metadata = {"tonetill_reference": reference}
    return {"id": "pi_1", "object": "payment_intent", "amount": minor, "currency": "usd", "metadata": metadata}


def intake_of(store: Store, stripe: RunningStripe) -> BankNewsIntake:
    environ = {"ACME_BANK_WEBHOOK_SECRET": SECRET}
    return BankNewsIntake(store, {"acme_bank": stripe.settings()}, environ, tell_billing=False)


def tell(store: Store, stripe: RunningStripe, content: bytes, times: int = 2) -> None:
    for _ in range(times):
        headers = {"Stripe-Signature": signed(content)}
        intake_of(store, stripe).take("acme_bank", content, datetime.now(UTC), headers)


@pytest.fixture
def unanswered(store: Store, stripe_bank: StripeBank, stripe_process: RunningStripe) -> str:
    """A charge of 13.64 that nobody has said anything of."""
    clock = Clock(datetime.now(UTC))
    reference = begin(store, stripe_process, 1364, clock())
    assert forwarder_of(store, stripe_bank, clock).run_once()
    assert store.entries(reference) == ["requested", "unknown"]
    return reference


@pytest.mark.parametrize(
    ("kinds", "story"),
    [
        (["payment_intent.amount_capturable_updated", "payment_intent.succeeded"], ["approved", "captured"]),
        (["payment_intent.payment_failed"], ["declined"]),
        (["payment_intent.canceled"], ["reversed"]),
        (["payment_intent.created"], []),
    ],
)
def test_an_event_moves_the_ledger_once_however_often_it_comes(
    kinds: list[str], story: list[str], store: Store, stripe_process: RunningStripe, unanswered: str
):
    for kind in kinds:
        tell(store, stripe_process, event(kind, intent_at_stripe(unanswered)))
    assert store.entries(unanswered) == ["requested", "unknown", *story]


def test_a_refund_made_at_stripe_is_noted_with_its_amount(store: Store, stripe_process: RunningStripe, unanswered: str):
    tell(store, stripe_process, event("payment_intent.amount_capturable_updated", intent_at_stripe(unanswered)))
    charge = {**intent_at_stripe(unanswered), "object": "charge", "id": "ch_1", "payment_intent": "pi_1"}
    tell(store, stripe_process, event("charge.refunded", {**charge, "amount_refunded": 364}))
    assert store.entries(unanswered)[-1] == "refunded_at_bank"
    payment = store.payment(unanswered)
    assert payment is not None
    assert payment.intent.amount.minor == 1364


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_refunds_at_stripe_one_of_which_fails_come_to_the_same_in_whatever_order_they_are_told(
    order: tuple[int, ...], store: Store, stripe_process: RunningStripe, unanswered: str
):
    tell(store, stripe_process, event("payment_intent.amount_capturable_updated", intent_at_stripe(unanswered)))
    told = [
        event("charge.refunded", refunded_charge(unanswered, 364), created=100),
        event("charge.refunded", refunded_charge(unanswered, 864), created=200),
        event("refund.failed", failed_refund(500), created=300),
    ]
    for number in order:
        tell(store, stripe_process, told[number])
    assert given_back(store, unanswered) == 364


@pytest.mark.parametrize("is_late", [False, True])
def test_a_refund_of_ours_that_has_failed_is_not_given_back_whenever_its_total_is_told(
    is_late: bool, store: Store, stripe_process: RunningStripe, unanswered: str
):
    tell(store, stripe_process, event("payment_intent.amount_capturable_updated", intent_at_stripe(unanswered)))
    key = refund_all(store, unanswered)
    told = [
        event("charge.refunded", refunded_charge(unanswered, 1364), created=200),
        event("refund.failed", failed_refund(1364, key), created=300),
    ]
    for content in reversed(told) if is_late else told:
        tell(store, stripe_process, content)
    assert given_back(store, unanswered) == 0


def test_a_refund_in_another_currency_than_the_charge_is_not_counted(
    store: Store, stripe_process: RunningStripe, unanswered: str
):
    tell(store, stripe_process, event("payment_intent.amount_capturable_updated", intent_at_stripe(unanswered)))
    tell(store, stripe_process, event("charge.refunded", refunded_charge(unanswered, 364) | {"currency": "jpy"}))
    assert given_back(store, unanswered) == 0


def refunded_charge(reference: str, minor: int) -> dict[str, Any]:
    charge = {**intent_at_stripe(reference), "object": "charge", "id": "ch_1", "payment_intent": "pi_1"}
    return charge | {"amount_refunded": minor}


def failed_refund(minor: int, key: str = "") -> dict[str, Any]:
    metadata = {"tonetill_modification": key} if key else {}
    about = {"id": "re_1", "object": "refund", "payment_intent": "pi_1", "amount": minor, "currency": "usd"}
    return about | {"status": "failed", "failure_reason": "lost_or_stolen_card", "metadata": metadata}


def given_back(store: Store, reference: str) -> int:
    payment = store.payment(reference)
    assert payment is not None
    return store.balance_of(payment).returned.minor


def refund_all(store: Store, reference: str) -> str:
    """Asked for here, and done by the bank."""
    payment, now = store.payment(reference), datetime.now(UTC)
    assert payment is not None
    left = store.balance_of(payment).refundable
    asked = store.ask_modification(WantedModification(reference, "refund", left, left, "ada"), now)
    assert isinstance(asked, Modification)
    job = store.claim(now, 60)
    while job is not None and job.reference != asked.id:  # the capture
        job = store.claim(now, 60)
    assert job is not None
    assert store.mark_modification_sent(job)
    assert store.end_modification(job, "done", ModificationWord("re_1"), now)
    return asked.id


def test_a_hold_that_was_let_go_of_is_no_refund(store: Store, stripe_process: RunningStripe, unanswered: str):
    tell(store, stripe_process, event("payment_intent.canceled", intent_at_stripe(unanswered)))
    charge = {**intent_at_stripe(unanswered), "object": "charge", "id": "ch_1", "payment_intent": "pi_1"}
    released = {**charge, "captured": False, "amount_refunded": 1364}
    tell(store, stripe_process, event("charge.refunded", released))
    assert store.entries(unanswered) == ["requested", "unknown", "reversed"]
    assert list(store.movements()) == []


def test_an_approval_of_another_amount_and_an_event_about_somebody_elses_payment_move_nothing(
    store: Store, stripe_process: RunningStripe, unanswered: str
):
    kind = "payment_intent.amount_capturable_updated"
    tell(store, stripe_process, event(kind, intent_at_stripe(unanswered, minor=1)))
    tell(store, stripe_process, event(kind, {**intent_at_stripe(unanswered), "metadata": {}}))
    tell(store, stripe_process, event("customer.created", {"id": "cus_1", "metadata": {}}))
    assert store.entries(unanswered) == ["requested", "unknown"]


def test_nobody_else_is_believed_and_nothing_old(store: Store, stripe_process: RunningStripe):
    app = Flask(__name__)
    app.register_blueprint(bank_news_blueprint(intake_of(store, stripe_process)))
    client, content = app.test_client(), event("payment_intent.succeeded", intent_at_stripe("CA1-1"))
    good = signed(content)
    for header in ("", "t=,v1=", "t=1,v1=00", good.replace("v1", "v0"), signed(content, secret="whsec_other"),
                   signed(content, at_s=time.time() - 900), signed(content + b" "), "t=٣,v1=0"):  # fmt: skip
        assert client.post(NEWS, data=content, headers={"Stripe-Signature": header}).status_code == 403, header
    assert client.post(NEWS, data=content).status_code == 403
    for odd in (b"[]", b"no", b'{"type": "x"}'):
        assert client.post(NEWS, data=odd, headers={"Stripe-Signature": signed(odd)}).status_code == 403
    assert client.post(NEWS, data=content, headers={"Stripe-Signature": good}).status_code == 200


def test_stripes_own_sdk_agrees_on_who_has_signed():
    stripe = pytest.importorskip("stripe", reason="pip install --require-hashes -r requirements/dev.txt brings it")
    content = event("payment_intent.succeeded", intent_at_stripe("CA1-1"))
    rotated = f"{signed(content, secret='whsec_new')},{signed(content).partition(',')[2]}"
    for header in (signed(content), rotated, signed(content, secret="whsec_new"), signed(content, time.time() - 900)):
        assert ours_believes(content, header) == theirs_believes(stripe, content, header), header


def ours_believes(content: bytes, header: str) -> bool:
    try:
        check_signature(content, header, SECRET.encode(), time.time())
    except PeerError:
        return False
    return True


def theirs_believes(stripe: Any, content: bytes, header: str) -> bool:
    try:
        stripe.WebhookSignature.verify_header(content.decode(), header, SECRET, 300)
    except stripe.SignatureVerificationError:
        return False
    return True
