"""Cards that Stripe keeps: attached to a customer with their first charge, charged without a number, and detached for good."""

import json
from dataclasses import replace
from urllib.parse import parse_qsl
from uuid import uuid4

import pytest

from ivr.bank import AuthorizationRequest, CardDeletionRequest
from ivr.bank.stripe import StripeBank
from ivr.bank.stripe.answers import read_charge
from ivr.bank.stripe.client import encoded, intent_form
from ivr.bank.stripe.kept_cards import customer_form, kept_fields, month_in, read_detached
from ivr.core.money import Money
from tests.bank.stripe.running import DECLINED_PAN, RunningStripe, request_of
from tests.bank.stripe.test_client import sdk_form

KEPT = "cus_1/pm_1"


def keeping(stripe: RunningStripe, minor: int = 4250, **changes: object) -> AuthorizationRequest:
    request = request_of(stripe.vault(), f"CA{uuid4().hex}-1", minor)
    return replace(request, keep_card=True, **changes)  # type: ignore[arg-type]


def by_token(kept: str, minor: int = 1500) -> AuthorizationRequest:
    reference = f"CA{uuid4().hex}-1"
    request = AuthorizationRequest(reference, reference, "demo-merchant", reference[:-2], Money(minor), {})
    return replace(request, kept_card=kept, invoice_reference="700101")


def deletion(kept: str) -> CardDeletionRequest:
    return CardDeletionRequest(f"card-{uuid4().hex}", "demo-merchant", kept)


def test_a_card_is_kept_for_a_customer_of_its_own_and_charged_without_its_number(
    stripe_bank: StripeBank, stripe_process: RunningStripe
):
    request = keeping(stripe_process)
    kept = stripe_bank.authorize(request)
    assert (kept.outcome, kept.kept_until) == ("approved", "2030-12")
    assert stripe_bank.authorize(request).kept_token == kept.kept_token, "the same, however often it is asked for"
    customer, method = kept.kept_token.split("/")
    later = by_token(kept.kept_token)
    answer = stripe_bank.authorize(later)
    assert (answer.outcome, answer.kept_token) == ("approved", "")
    assert stripe_process.booked(later.reference) == [(1500, "authorized")]
    (charge,) = [one for one in stripe_process.intents() if one["metadata"]["tonetill_reference"] == later.reference]
    assert (charge["customer"], charge["payment_method"]) == (customer, method)
    for shown in (repr(kept), repr(later), repr(answer)):
        assert customer not in shown
        assert method not in shown


@pytest.mark.parametrize("minor", [1366, 1367, 1368])
def test_a_lost_answer_brings_the_same_token_under_the_same_key(
    minor: int, stripe_bank: StripeBank, stripe_process: RunningStripe
):
    request = keeping(stripe_process, minor)
    assert stripe_bank.authorize(request).outcome == "unknown"
    kept = stripe_bank.authorize(request)
    assert kept.outcome == "approved"
    assert stripe_bank.authorize(by_token(kept.kept_token)).outcome == "approved"


def test_a_charge_that_is_undone_tells_which_card_was_kept_with_it_so_that_it_can_be_detached(
    stripe_bank: StripeBank, stripe_process: RunningStripe
):
    request = keeping(stripe_process)
    assert stripe_bank.authorize(request).outcome == "approved"
    undone = stripe_bank.reverse(request.reference)
    assert undone.outcome == "reversed"
    assert undone.kept_token
    assert undone.kept_token not in repr(undone)
    assert stripe_bank.delete_card(deletion(undone.kept_token)).outcome == "done"
    assert stripe_bank.authorize(by_token(undone.kept_token)).response_code == "14"


def test_nothing_is_kept_without_consent_nor_of_a_declined_card(stripe_bank: StripeBank, stripe_process: RunningStripe):
    without = replace(keeping(stripe_process), keep_card=False)
    assert stripe_bank.authorize(without).kept_token == ""
    assert [one["path"] for one in stripe_process.seen(without.reference)] == [
        "/v1/payment_methods",
        "/v1/payment_intents",
    ]
    declined = request_of(stripe_process.vault(), f"CA{uuid4().hex}-1", pan=DECLINED_PAN)
    answer = stripe_bank.authorize(replace(declined, keep_card=True))
    assert (answer.outcome, answer.kept_token) == ("declined", "")


def test_a_forgotten_card_is_detached_and_cannot_be_charged_again(
    stripe_bank: StripeBank, stripe_process: RunningStripe
):
    kept = stripe_bank.authorize(keeping(stripe_process)).kept_token
    for _ in range(2):
        assert stripe_bank.delete_card(deletion(kept)).outcome == "done", "the second time it changes nothing"
    late = by_token(kept)
    answer = stripe_bank.authorize(late)
    assert (answer.outcome, answer.response_code) == ("declined", "14")
    assert stripe_process.booked(late.reference) == []


def test_what_stripe_never_kept_is_deleted_and_what_it_did_not_give_is_never_sent(
    stripe_bank: StripeBank, stripe_process: RunningStripe
):
    assert stripe_bank.delete_card(deletion("cus_nobody/pm_nobody")).outcome == "done"
    for kept in ("kept_of-another-protocol", "cus_1/../customers", "x/y"):
        assert stripe_bank.delete_card(deletion(kept)).outcome == "refused"
        request = by_token(kept)
        assert stripe_bank.authorize(request).outcome == "not_sent"
        assert stripe_process.seen(request.reference) == []


def test_a_wrong_key_and_nobody_there_delete_nothing_and_say_so(stripe_process: RunningStripe):
    with stripe_process.bank("sk_test_another0123") as bank:
        assert bank.delete_card(deletion(KEPT)).outcome == "unknown"
    with stripe_process.bank(url="https://127.0.0.1:1") as bank:
        assert bank.delete_card(deletion(KEPT)).outcome == "not_sent"


# ---- Stripe's own SDK as the oracle


def test_what_keeps_and_charges_a_kept_card_is_written_as_stripes_own_sdk_writes_it(stripe_process: RunningStripe):
    request = by_token(KEPT)
    assert sorted(parse_qsl(encoded(intent_form(request, kept_fields(KEPT) or {})).decode())) == sdk_form(
        "payment_intents",
        amount=1500,
        currency="usd",
        customer="cus_1",
        payment_method="pm_1",
        payment_method_types=["card"],
        off_session=True,
        capture_method="manual",
        confirm=True,
        metadata={"tonetill_reference": request.reference, "invoice_reference": "700101"},
    )
    assert sorted(parse_qsl(encoded(customer_form(request)).decode())) == sdk_form(
        "customers", metadata={"tonetill_reference": request.reference}
    )


# ---- answers that localstripe does not give


@pytest.mark.parametrize(
    ("changes", "kept"),
    [
        ({}, KEPT),
        ({"setup_future_usage": None}, ""),
        ({"customer": None}, ""),
        ({"payment_method": {"id": "pm_1"}}, ""),
        ({"customer": "cus_1/../x"}, ""),
    ],
)
def test_a_token_is_read_only_of_a_charge_that_was_to_keep_it(changes: dict[str, object], kept: str):
    said: dict[str, object] = {"id": "pi_1", "amount": 100, "currency": "usd", "status": "requires_capture"}
    said |= {"metadata": {"tonetill_reference": "CA1-1"}, "setup_future_usage": "off_session"}
    said |= {"customer": "cus_1", "payment_method": "pm_1", **changes}
    answer = read_charge("CA1-1", 200, json.dumps(said).encode())
    assert (answer.outcome, answer.kept_token) == ("approved", kept)


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (200, {"id": "pm_1", "customer": None}, "done"),
        (200, {"id": "pm_1", "customer": "cus_1"}, "unknown"),
        (200, {"id": "pm_1"}, "unknown"),
        (404, {"error": {"code": "resource_missing"}}, "done"),
        (404, {}, "unknown"),
        (401, {"error": {"type": "invalid_request_error"}}, "unknown"),
        (500, {"error": {"type": "api_error"}}, "unknown"),
    ],
)
def test_only_stripes_own_word_says_that_a_card_is_gone(status: int, body: dict[str, object], outcome: str):
    assert read_detached("card-1", status, json.dumps(body).encode()).outcome == outcome


@pytest.mark.parametrize(
    ("card", "month"),
    [({"exp_month": 6, "exp_year": 2030}, "2030-06"), ({"exp_month": 13, "exp_year": 2030}, ""), (7, "")],
)
def test_its_month_is_kept_where_it_can_be_read(card: object, month: str):
    assert month_in({"card": card}) == month
