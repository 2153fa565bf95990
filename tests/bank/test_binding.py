"""A sealed field is good for one merchant, call, intent and field; anywhere else the bank refuses it and charges nothing."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ivr.bank import AuthorizationRequest
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
