"""Each kind of bank answer, in its own bytes, through the forwarder: what is on record in the end, and what was reversed."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ivr.bank import AuthorizationRequest, BankAnswer
from ivr.bank.tonetill import PROMISES
from ivr.bank.tonetill.answers import AUTHORIZATION_OUTCOMES, INQUIRY_OUTCOMES, read_answer
from ivr.channels.simulator import Clock
from ivr.core.confirmation import is_confirmation_number
from ivr.forwarder.process import Forwarder
from ivr.store import Payment, Store
from tests.forwarder.tills import LEASE_S
from tests.store.payments import NOW, begin

GOOD = {"reference": "CA1-1", "outcome": "approved", "response_code": "00", "authorization_code": "482913"}
PARTIAL = {**GOOD, "response_code": "10", "approved_amount": {"minor": 2000, "currency": "USD"}}


@dataclass
class WordyBank:
    """Answers a charge and each inquiry in the bytes it is given; a reversal is always acknowledged."""

    charge: bytes
    inquiry: bytes
    asked: list[str] = field(default_factory=list)
    promises = PROMISES

    def authorize(self, request: AuthorizationRequest) -> BankAnswer:
        self.asked.append("authorize")
        return read_answer(request.reference, 200, self.charge, AUTHORIZATION_OUTCOMES)

    def inquire(self, reference: str) -> BankAnswer:
        self.asked.append("inquire")
        return read_answer(reference, 200, self.inquiry, INQUIRY_OUTCOMES)

    def reverse(self, reference: str) -> BankAnswer:
        self.asked.append("reverse")
        return BankAnswer("reversed", reference, "00")


def settle(store: Store, bank: WordyBank) -> Payment:
    begin(store)
    clock = Clock(NOW)
    forwarder = Forwarder(store, {"acme_bank": bank}, lambda message: None, now=clock)
    while any(store.outbox_depth().values()):
        forwarder.run_once()
        clock.advance(LEASE_S)
    payment = store.payment("CA1-1")
    assert payment is not None
    return payment


def same(change: dict[str, object]) -> tuple[bytes, bytes]:
    content = json.dumps(GOOD | change).encode()
    return content, content


@pytest.mark.parametrize(
    ("change", "status", "number", "asked"),
    [
        ({}, "approved", "482913", "authorize"),
        ({"authorization_code": "48291 "}, "approved", "48291", "authorize"),
        ({"authorization_code": 12345}, "approved", "12345", "authorize"),
        ({"authorization_code": " "}, "approved", None, "authorize inquire"),
        ({"authorization_code": None}, "approved", None, "authorize inquire"),
        ({"authorization_code": "4111111111111111"}, "approved", None, "authorize inquire"),
        ({"response_code": None}, "approved", "482913", "authorize inquire"),
        (PARTIAL, "reversed", None, "authorize reverse"),
        ({"response_code": "10"}, "reversed", None, "authorize reverse"),
        ({"amount": {"minor": 2000, "currency": "USD"}}, "reversed", None, "authorize reverse"),
        ({"approved_amount": {"minor": 4250, "currency": "MXN"}}, "reversed", None, "authorize reverse"),
        ({"approved_amount": {"minor": 4250.0, "currency": "USD"}}, "reversed", None, "authorize inquire reverse"),
        ({"response_code": "05"}, "reversed", None, "authorize inquire reverse"),
        ({"response_code": "85"}, "reversed", None, "authorize inquire reverse"),
        ({"outcome": "declined"}, "reversed", None, "authorize inquire reverse"),
        ({"outcome": "declined", "response_code": "05"}, "declined", None, "authorize"),
    ],
)
def test_what_is_recorded_inquired_for_and_reversed(
    store: Store, change: dict[str, object], status: str, number: str | None, asked: str
):
    bank = WordyBank(*same(change))
    payment = settle(store, bank)
    assert (payment.status, " ".join(bank.asked)) == (status, asked)
    assert payment.status != "approved" or payment.authorization_code == number
    assert is_confirmation_number(payment.confirmation_number)


def test_a_partial_approval_is_taken_back_though_an_inquiry_would_call_it_approved(store: Store):
    bank = WordyBank(json.dumps(PARTIAL).encode(), json.dumps(GOOD).encode())
    assert settle(store, bank).status == "reversed"
    assert store.entries("CA1-1") == ["requested", "unknown", "undo_asked", "reversed"]
    assert bank.asked == ["authorize", "reverse"]


def test_a_contradiction_that_the_inquiry_clears_up_is_an_approval(store: Store):
    bank = WordyBank(json.dumps(GOOD | {"response_code": "05"}).encode(), json.dumps(GOOD).encode())
    payment = settle(store, bank)
    assert (payment.status, payment.authorization_code) == ("approved", "482913")


def test_an_answer_with_a_key_twice_is_no_answer_and_the_inquiry_decides(store: Store):
    twice = b'{"reference": "CA1-1", "outcome": "approved", "response_code": "00", "outcome": "declined"}'
    assert settle(store, WordyBank(twice, json.dumps(GOOD).encode())).status == "approved"


def test_an_answer_about_another_reference_is_never_ours(store: Store):
    bank = WordyBank(*same({"reference": "CA2-1"}))
    assert settle(store, bank).status == "reversed"


@pytest.mark.parametrize(("name", "status"), [("padded-code", "approved"), ("partial-approval", "reversed")])
def test_a_reported_case_ends_rightly(store: Store, name: str, status: str):
    content = (Path(__file__).parent / "answers" / f"{name}.json").read_bytes()
    assert settle(store, WordyBank(content, content)).status == status
