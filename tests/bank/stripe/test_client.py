"""Stripe: what is sent is what Stripe's own SDK would send, the card is in one request only, and silence is told apart."""

import json
from urllib.parse import parse_qsl
from uuid import uuid4

import pytest

from ivr.bank import AmountSaid
from ivr.bank.clear_card import ClearCard
from ivr.bank.stripe import StripeBank
from ivr.bank.stripe.answers import read_charge, read_method
from ivr.bank.stripe.client import card_form, encoded, intent_form
from ivr.core.money import Money
from tests.bank.stripe.running import (
    ASKING_PAN,
    CVC,
    DECLINED_PAN,
    PAN,
    POSTAL_CODE,
    RunningStripe,
    request_of,
)
from tests.bank.stripe.stand_in import SECRET_KEY
from tests.leaks import leaks_in


def new_reference() -> str:
    return f"CA{uuid4().hex}-1"


def test_a_payment_is_authorized_and_captured_once(stripe_bank: StripeBank, stripe_process: RunningStripe):
    reference = new_reference()
    answer = stripe_bank.authorize(request_of(stripe_process.vault(), reference))
    assert (answer.outcome, answer.response_code, answer.amounts) == (
        "approved",
        "00",
        (AmountSaid(4250, "USD", is_whole=True),),
    )
    assert stripe_process.booked(reference) == [(4250, "authorized")]
    for _ in range(2):
        assert stripe_bank.capture(reference, answer.bank_reference or "", Money(4250)).outcome == "capturing"
    assert stripe_process.booked(reference) == [(4250, "captured")]


def test_the_card_is_in_one_request_and_the_charge_in_another(stripe_bank: StripeBank, stripe_process: RunningStripe):
    reference = new_reference()
    stripe_bank.authorize(request_of(stripe_process.vault(), reference))
    card, charge = stripe_process.seen(reference)
    assert (card["path"], card["key"], card["form"]) == ("/v1/payment_methods", f"card-{reference}", "a card")
    assert (charge["path"], charge["key"]) == ("/v1/payment_intents", reference)
    assert leaks_in(charge["form"].encode(), [PAN]) == []


@pytest.mark.parametrize(
    ("pan", "code", "reason"),
    [(DECLINED_PAN, "05", "card_declined"), (ASKING_PAN, "1A", "requires_action")],
)
def test_a_card_that_is_refused_or_wants_a_browser_is_declined_and_charges_nothing(
    pan: str, code: str, reason: str, stripe_bank: StripeBank, stripe_process: RunningStripe
):
    reference = new_reference()
    answer = stripe_bank.authorize(request_of(stripe_process.vault(), reference, pan=pan))
    assert (answer.outcome, answer.response_code, answer.reason) == ("declined", code, reason)
    assert stripe_process.booked(reference) == []


@pytest.mark.parametrize(
    ("minor", "first", "then"),
    [
        (1366, "unknown", "approved"),
        (1367, "unknown", "approved"),
        (1368, "unknown", "approved"),
        (1320, "unknown", "approved"),
        (1329, "not_sent", "approved"),
        (1364, "unknown", "unknown"),
        (1365, "approved", "approved"),
    ],
)
def test_silence_is_unknown_and_the_same_key_brings_the_answer_of_one_charge(
    minor: int, first: str, then: str, stripe_bank: StripeBank, stripe_process: RunningStripe
):
    """A 500 is kept under its key: then the charge is looked for, and found where it was booked."""
    request = request_of(stripe_process.vault(), new_reference(), minor)
    assert stripe_bank.authorize(request).outcome == first
    assert stripe_bank.authorize(request).outcome == then
    assert len(stripe_process.booked(request.reference)) == (then == "approved")


def test_an_undo_cancels_what_is_found_and_once_more_changes_nothing(
    stripe_bank: StripeBank, stripe_process: RunningStripe
):
    reference = new_reference()
    assert stripe_bank.reverse(reference).response_code == "25"
    stripe_bank.authorize(request_of(stripe_process.vault(), reference))
    for _ in range(2):
        answer = stripe_bank.reverse(reference)
        assert (answer.outcome, answer.response_code) == ("reversed", "00")
    assert stripe_process.booked(reference) == [(4250, "cancelled")]


def test_what_was_captured_is_not_called_reversed(stripe_bank: StripeBank, stripe_process: RunningStripe):
    reference = new_reference()
    answer = stripe_bank.authorize(request_of(stripe_process.vault(), reference))
    stripe_bank.capture(reference, answer.bank_reference or "", Money(4250))
    assert stripe_bank.reverse(reference).outcome == "unknown"


def test_a_wrong_key_charges_nobody_and_is_the_merchants_fault(stripe_process: RunningStripe):
    with stripe_process.bank("sk_test_another0123") as bank:
        answer = bank.authorize(request_of(stripe_process.vault(), new_reference()))
    assert answer.outcome == "not_sent"
    assert "401" in str(answer.reason)
    assert "another0123" not in str(answer.reason)


def test_nobody_there_and_a_card_of_another_payment_send_nothing(stripe_process: RunningStripe):
    with stripe_process.bank(url="https://127.0.0.1:1") as bank:
        assert bank.authorize(request_of(stripe_process.vault(), new_reference())).outcome == "not_sent"
    with stripe_process.bank() as bank:
        mixed = request_of(stripe_process.vault(), new_reference())
        moved = type(mixed)(**{**vars(mixed), "reference": new_reference()})
        answer = bank.authorize(moved)
    assert (answer.outcome, "not sealed to our key" in str(answer.reason)) == ("not_sent", True)
    assert stripe_process.seen(moved.reference) == []


def test_a_currency_that_stripe_counts_otherwise_is_not_sent(stripe_bank: StripeBank, stripe_process: RunningStripe):
    request = request_of(stripe_process.vault(), new_reference(), currency="ISK")
    assert stripe_bank.authorize(request).outcome == "not_sent"
    assert stripe_process.seen(request.reference) == []


def test_the_form_of_the_card_is_wiped_when_it_was_written(stripe_process: RunningStripe):
    opened = stripe_process.opener()(request_of(stripe_process.vault(), new_reference()))
    with opened as card, card_form(card) as form:
        written = form["form"]
        assert PAN.encode() in written
    assert set(written) == {0}


# ---- Stripe's own SDK as the oracle


def sdk_form(method: str, **fields: object) -> list[tuple[str, str]]:
    """What the SDK sends for the same."""
    stripe = pytest.importorskip("stripe", reason="pip install --require-hashes -r requirements/dev.txt brings it")
    sent: list[str] = []

    class Recorder(stripe.HTTPClient):
        name = "recorder"

        def request(self, method, url, headers, post_data=None):
            sent.append(post_data)
            return '{"id": "x", "object": "payment_intent"}', 200, {}

    client = stripe.StripeClient(SECRET_KEY, http_client=Recorder())
    getattr(client.v1, method).create(fields)
    return sorted(parse_qsl(sent[0]))


KEYED_IN = {"payment_method": "pm_1", "payment_method_options[card][moto]": "true"}


def test_the_charge_is_written_as_stripes_own_sdk_writes_it(stripe_process: RunningStripe):
    request = request_of(stripe_process.vault(), "CA1-1")
    assert sorted(parse_qsl(encoded(intent_form(request, KEYED_IN)).decode())) == sdk_form(
        "payment_intents",
        amount=4250,
        currency="usd",
        payment_method="pm_1",
        payment_method_types=["card"],
        payment_method_options={"card": {"moto": True}},
        capture_method="manual",
        confirm=True,
        metadata={"tonetill_reference": "CA1-1", "invoice_reference": "bill 7&8"},
    )


def test_the_card_is_written_as_stripes_own_sdk_writes_it():
    buffers = {"card_number": PAN, "expiry": "1230", "security_code": CVC, "postal_code": POSTAL_CODE}
    with card_form(ClearCard({name: bytearray(keys, "ascii") for name, keys in buffers.items()})) as form:
        ours = sorted(parse_qsl(form["form"].decode()))
    card = {"number": PAN, "exp_month": 12, "exp_year": 30, "cvc": CVC}
    address = {"address": {"postal_code": POSTAL_CODE}}
    assert ours == sdk_form("payment_methods", type="card", card=card, billing_details=address)


# ---- answers that localstripe does not give


def said(status: int, body: dict[str, object]) -> tuple[str, str | None]:
    answer = read_charge("CA1-1", status, json.dumps(body).encode())
    return answer.outcome, answer.response_code


def intent_that(**fields: object) -> dict[str, object]:
    ours = {"id": "pi_1", "object": "payment_intent", "amount": 100, "currency": "usd", "status": "requires_capture"}
    return {**ours, "metadata": {"tonetill_reference": "CA1-1"}, **fields}


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (200, intent_that(), ("approved", "00")),
        (200, intent_that(status="processing"), ("unknown", None)),
        (200, intent_that(status="canceled"), ("declined", "05")),
        (200, intent_that(metadata={"tonetill_reference": "CA2-1"}), ("unknown", None)),
        (200, intent_that(metadata=None), ("unknown", None)),
        (200, {}, ("unknown", None)),
        (402, {"error": {"code": "card_declined", "decline_code": "insufficient_funds"}}, ("declined", "51")),
        (402, {"error": {"code": "expired_card"}}, ("declined", "54")),
        (402, {"error": {"code": "x", "payment_intent": intent_that(metadata={})}}, ("unknown", None)),
        (402, {}, ("unknown", None)),
        (400, {"error": {"type": "idempotency_error"}}, ("unknown", None)),
        (400, {"error": {"type": "invalid_request_error"}}, ("not_sent", None)),
        (403, {"error": {"type": "invalid_request_error"}}, ("not_sent", None)),
        (403, {}, ("unknown", None)),
        (409, {"error": {"code": "idempotency_key_in_use"}}, ("unknown", None)),
        (502, {}, ("unknown", None)),
    ],
)
def test_each_answer_is_told_in_the_words_of_every_bank(
    status: int, body: dict[str, object], outcome: tuple[str, str | None]
):
    assert said(status, body) == outcome


def test_a_card_that_stripe_does_not_take_is_declined_by_its_code():
    answer = read_method("CA1-1", 402, b'{"error": {"code": "incorrect_number", "message": "your 4242"}}')
    assert not isinstance(answer, str)
    assert (answer.outcome, answer.response_code, answer.reason) == ("declined", "14", "incorrect_number")
    silent = read_method("CA1-1", 500, b"")
    assert not isinstance(silent, str)
    assert silent.outcome == "not_sent"
    assert read_method("CA1-1", 200, b'{"id": "pm_1"}') == "pm_1"
    path = read_method("CA1-1", 200, b'{"id": "pm_1/../../balance"}')
    assert not isinstance(path, str)
