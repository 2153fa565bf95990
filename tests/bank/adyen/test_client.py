"""Adyen: what is sent is what Adyen's own description allows, sealed so that Adyen alone can open it."""

import json
import re
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest

from ivr.bank import ModificationRequest
from ivr.bank.adyen import AdyenBank
from ivr.bank.adyen.answers import ours, read_payment, theirs
from ivr.bank.interface import AmountSaid
from ivr.core.money import Money
from tests.bank.adyen.keys import API_KEY
from tests.bank.adyen.running import CVC, PAN, RunningAdyen, request_of

DESCRIPTION = Path(__file__).with_name("checkout-v72.json")


def new_reference() -> str:
    return f"CA{uuid4().hex}-1"


def test_a_payment_is_authorized_and_captured_once(adyen: AdyenBank, adyen_process: RunningAdyen):
    reference = new_reference()
    answer = adyen.authorize(request_of(adyen_process.vault(), reference))
    assert (answer.outcome, answer.response_code, answer.authorization_code) == ("approved", "00", "482913")
    assert answer.amounts == (AmountSaid(4250, "USD", is_whole=True),)
    assert answer.bank_reference
    for _ in range(2):
        assert adyen.capture(reference, answer.bank_reference, Money(4250)).outcome == "capturing"
    assert [one["status"] for one in adyen_process.booked(reference)] == ["captured"]


def test_the_seals_are_opened_by_another_library_and_say_what_was_keyed_in(adyen_process: RunningAdyen):
    sealed = request_of(adyen_process.vault(), new_reference()).sealed
    texts = [sealed["card_number"], *sealed["expiry"].split(" "), sealed["security_code"]]
    opened = [adyen_process.opener().open(text) for text in texts]
    names = {name: value for fields in opened for name, value in fields.items() if name != "generationtime"}
    assert names == {"number": PAN, "expiryMonth": "12", "expiryYear": "2030", "cvc": CVC}
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", one["generationtime"]) for one in opened)


def test_every_request_and_answer_is_valid_by_adyens_own_description(adyen: AdyenBank, adyen_process: RunningAdyen):
    openapi_core = pytest.importorskip("openapi_core", reason="pip install openapi-core validates by the description")
    from openapi_core.testing import MockRequest, MockResponse

    reference = new_reference()
    answer = adyen.authorize(request_of(adyen_process.vault(), reference))
    adyen.capture(reference, answer.bank_reference or "", Money(4250))
    adyen.reverse(reference)
    for kind in ("refund", "void", "capture"):
        key = f"{reference}-{kind}"
        adyen.modify(ModificationRequest(kind, reference, key, Money(1000), Money(4250), answer.bank_reference))
    keeps = replace(request_of(adyen_process.vault(), reference), idempotency_key=f"{reference}-k", keep_card=True)
    kept = adyen.authorize(replace(keeps, invoice_reference="700101")).kept_token
    assert adyen.authorize(replace(keeps, idempotency_key=f"{reference}-c", kept_card=kept)).outcome == "approved"
    adyen.payment_methods("USD")
    description = openapi_core.OpenAPI.from_dict(json.loads(DESCRIPTION.read_text()))
    seen = [one for one in adyen_process.ask("/_seen") if reference.replace("-", ".") in one["body"]]
    seen = [*seen, *(one for one in adyen_process.ask("/_seen") if one["path"].endswith("/paymentMethods"))]
    assert {one["path"].removeprefix("/v72").rpartition("/")[2] for one in seen} == {
        "payments", "captures", "cancels", "refunds", "paymentMethods",
    }  # fmt: skip
    for one in seen:
        headers = {**one["headers"], "X-API-Key": API_KEY}
        host, path = "https://checkout-test.adyen.com", one["path"]
        said = MockRequest(host, "post", path, headers=headers, data=one["body"].encode())
        description.validate_request(said)
        answered = json.dumps(one["answer"]).encode()
        description.validate_response(said, MockResponse(answered, status_code=one["status"]))


def test_no_card_number_leaves_in_clear(adyen: AdyenBank, adyen_process: RunningAdyen):
    reference = new_reference()
    adyen.authorize(request_of(adyen_process.vault(), reference))
    (one,) = adyen_process.seen(reference)
    assert PAN not in one["body"]
    assert "encryptedCardNumber" in one["body"]


@pytest.mark.parametrize(
    ("minor", "outcome", "code"),
    [(1305, "declined", "51"), (1310, "approved", "10"), (1399, "unknown", None), (1320, "unknown", None)],
)
def test_what_adyen_answers_is_told_in_the_words_of_every_bank(
    minor: int, outcome: str, code: str | None, adyen: AdyenBank, adyen_process: RunningAdyen
):
    answer = adyen.authorize(request_of(adyen_process.vault(), new_reference(), minor))
    assert (answer.outcome, answer.response_code) == (outcome, code)


@pytest.mark.parametrize("minor", [1364, 1365, 1366, 1367])
def test_silence_is_unknown_and_the_same_key_brings_the_answer_of_one_charge(
    minor: int, adyen: AdyenBank, adyen_process: RunningAdyen
):
    request = request_of(adyen_process.vault(), new_reference(), minor)
    assert adyen.authorize(request).outcome == "unknown"
    assert adyen.authorize(request).outcome == "approved"
    assert len(adyen_process.booked(request.reference)) == 1


def test_a_wrong_api_key_charges_nobody_and_is_the_merchants_fault(adyen_process: RunningAdyen):
    with AdyenBank(adyen_process.settings(), "wrong") as bank:
        answer = bank.authorize(request_of(adyen_process.vault(), new_reference()))
    assert answer.outcome == "not_sent"
    assert "401" in str(answer.reason)


def test_an_answer_to_another_payment_is_never_ours():
    said = {"resultCode": "Authorised", "merchantReference": "CA2.1", "pspReference": "X1"}
    assert read_payment("CA1-1", 200, json.dumps(said).encode()).outcome == "unknown"


def test_a_currency_that_adyen_counts_otherwise_is_not_sent(adyen: AdyenBank, adyen_process: RunningAdyen):
    request = request_of(adyen_process.vault(), new_reference(), currency="ISK")
    assert adyen.authorize(request).outcome == "not_sent"
    assert not adyen_process.seen(request.reference)


def test_our_reference_goes_without_hyphens_and_comes_back():
    assert theirs("CA1-1") == "CA1.1"
    assert ours(theirs("CA1-1")) == "CA1-1"
