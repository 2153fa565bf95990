"""A sealed field is good for one merchant, call, intent and field; anywhere else the bank refuses it and charges nothing."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ivr.bank import AuthorizationRequest
from ivr.bank.simulator.decryption import Refused, check_beginning
from ivr.bank.tonetill import TonetillBank
from ivr.vault import Vault
from tests.bank.requests import new_request
from tests.bank_process import BankKeys, RunningBank

Sealed = dict[str, str]


@pytest.fixture
def request_(bank_keys: BankKeys) -> AuthorizationRequest:
    return new_request(bank_keys.vault())


def refused(bank: TonetillBank, process: RunningBank, request: AuthorizationRequest) -> str:
    answer = bank.authorize(request)
    entry = process.entry(request.reference)
    assert answer.outcome == "declined"
    assert entry is None or (entry.outcome, entry.last4) == ("declined", "")
    assert answer.response_code is not None
    return answer.response_code


@pytest.mark.parametrize("what", ["merchant", "call", "reference"])
def test_fields_sealed_for_another_payment_are_refused(
    bank: TonetillBank, bank_process: RunningBank, request_: AuthorizationRequest, what: str
) -> None:
    moved = replace(request_, **{what: f"{request_.reference}-elsewhere"})  # type: ignore[arg-type]
    assert refused(bank, bank_process, moved) == "63"


def swap(sealed: Sealed) -> Sealed:
    return sealed | {"expiry": sealed["postal_code"], "postal_code": sealed["expiry"]}


def other_tag(sealed: Sealed) -> Sealed:
    card, expiry = sealed["card_number"].split("."), sealed["expiry"].split(".")
    return sealed | {"card_number": ".".join([*card[:4], expiry[4]])}


def other_header(sealed: Sealed) -> Sealed:
    card, expiry = sealed["card_number"].split("."), sealed["expiry"].split(".")
    return sealed | {"expiry": ".".join([expiry[0], *card[1:]])}


def change(value: str) -> Callable[[Sealed], Sealed]:
    return lambda sealed: sealed | {"card_number": value}


@pytest.mark.parametrize(
    ("tamper", "response_code"),
    [
        (swap, "63"),
        (other_tag, "63"),
        (other_header, "63"),
        (change("4111111111111111"), "63"),
        (change(""), "63"),
        (change("...."), "63"),
        (change("e30.e30.e30.e30.e30"), "63"),
        (lambda sealed: sealed | {"cvv": sealed["security_code"]}, "30"),
        (lambda sealed: {"expiry": sealed["expiry"]}, "30"),
    ],
)
def test_tampered_fields_are_refused(
    bank: TonetillBank,
    bank_process: RunningBank,
    request_: AuthorizationRequest,
    tamper: Callable[[Sealed], Sealed],
    response_code: str,
) -> None:
    tampered = replace(request_, sealed=tamper(dict(request_.sealed)))
    assert refused(bank, bank_process, tampered) == response_code


def test_fields_sealed_to_another_key_are_refused(
    bank: TonetillBank, bank_process: RunningBank, own_keys: BankKeys
) -> None:
    strange = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
    file = own_keys.keys / "other.pem"
    file.write_bytes(strange.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    assert refused(bank, bank_process, new_request(Vault(file, bytes(32)))) == "63"


def test_a_start_date_and_an_issue_number_are_taken_where_the_card_has_them(bank: TonetillBank, bank_keys: BankKeys):
    request = new_request(bank_keys.vault(), start_date="0120", issue_number="3")
    assert set(request.sealed) >= {"start_date", "issue_number"}
    assert bank.authorize(request).outcome == "approved"


@pytest.mark.parametrize(("start_date", "issue_number"), [("0227", None), ("1320", None), ("012", None), (None, "123")])
def test_a_card_that_has_not_begun_or_a_long_issue_number_is_refused(start_date: str | None, issue_number: str | None):
    with pytest.raises(Refused, match=r"date|number"):
        check_beginning(start_date, issue_number, date(2027, 1, 31))


def test_a_card_of_the_last_century_has_begun():
    check_beginning("1299", "1", date(2027, 1, 31))
