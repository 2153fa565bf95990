"""Cards that the bank keeps, over TLS: what stands for one is told once, is good for its merchant alone, and expires."""

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from ivr.bank import AuthorizationRequest, CardDeletionRequest
from ivr.bank.simulator.authorizer import Authorizer, BankReply, Undecided
from ivr.bank.simulator.books import Books
from ivr.bank.simulator.decryption import Decryption
from ivr.bank.tonetill import TonetillBank
from ivr.bank.tonetill.answers import AUTHORIZATION_OUTCOMES, read_answer
from ivr.bank.tonetill.client import authorization_body
from tests.bank.requests import new_request
from tests.bank_process import BankKeys, RunningBank


def by_token(keys: BankKeys, token: str, minor: int = 1500, **changes: str) -> AuthorizationRequest:
    return replace(new_request(keys.vault(), minor=minor), sealed={}, kept_card=token, **changes)


def test_a_card_is_kept_where_that_was_asked_for_and_charged_without_its_number(
    bank: TonetillBank, bank_keys: BankKeys, bank_process: RunningBank
):
    assert bank.authorize(new_request(bank_keys.vault())).kept_token == ""
    request = replace(new_request(bank_keys.vault()), keep_card=True)
    kept = bank.authorize(request)
    assert (kept.outcome, kept.kept_until) == ("approved", "2030-12")
    assert kept.kept_token not in repr(kept)
    for again in (bank.authorize(request), bank.inquire(request.reference)):
        assert again.kept_token == kept.kept_token, "the same, however often it is asked for"
    later = by_token(bank_keys, kept.kept_token)
    assert kept.kept_token not in repr(later)
    answer = bank.authorize(later)
    assert (answer.outcome, answer.kept_token) == ("approved", "")
    (entry,) = [one for one in bank_process.entries() if one.reference == later.reference]
    assert (entry.brand, entry.last4, entry.amount) == ("visa", "1111", later.amount)


def test_what_stands_for_a_card_is_good_for_its_merchant_alone(bank: TonetillBank, bank_keys: BankKeys):
    kept = bank.authorize(replace(new_request(bank_keys.vault()), keep_card=True)).kept_token
    for request in (by_token(bank_keys, kept, merchant="another"), by_token(bank_keys, "kept_nobody-has-this-one")):
        answer = bank.authorize(request)
        assert (answer.outcome, answer.response_code) == ("declined", "14")


def test_a_forgotten_card_is_deleted_by_its_merchant_alone_and_cannot_be_charged_again(
    bank: TonetillBank, bank_keys: BankKeys
):
    kept = bank.authorize(replace(new_request(bank_keys.vault()), keep_card=True)).kept_token
    assert bank.delete_card(CardDeletionRequest("card-1", "another", kept)).outcome == "done", "it has none there"
    assert bank.authorize(by_token(bank_keys, kept)).outcome == "approved"
    request = CardDeletionRequest("card-2", "demo-merchant", kept)
    assert kept not in repr(request)
    for _ in range(2):
        assert bank.delete_card(request).outcome == "done", "the second time it changes nothing"
    answer = bank.authorize(by_token(bank_keys, kept))
    assert (answer.outcome, answer.response_code) == ("declined", "14")


def test_the_answer_to_a_reversal_tells_which_card_was_kept_with_the_charge_so_that_it_can_be_deleted(
    bank: TonetillBank, bank_keys: BankKeys
):
    request = replace(new_request(bank_keys.vault()), keep_card=True)
    kept = bank.authorize(request).kept_token
    assert bank.reverse("CA-never-seen-1").kept_token == ""
    for _ in range(2):
        assert bank.reverse(request.reference).kept_token == kept
    assert bank.inquire(request.reference).kept_token == kept
    bank.delete_card(CardDeletionRequest("card-3", "demo-merchant", kept))
    assert bank.reverse(request.reference).kept_token == ""
    assert bank.authorize(by_token(bank_keys, kept)).response_code == "14"


def test_a_declined_card_is_not_kept(bank: TonetillBank, bank_keys: BankKeys):
    answer = bank.authorize(replace(new_request(bank_keys.vault(), minor=1351), keep_card=True))
    assert (answer.outcome, answer.kept_token) == ("declined", "")


def test_a_card_that_has_expired_since_is_declined(bank_keys: BankKeys, tmp_path: Path):
    today = [date(2030, 12, 31)]
    books = Books(tmp_path)
    authorizer = Authorizer(Decryption(bank_keys.bank / "sealing.key"), books, lambda: today[0])
    kept = asked(authorizer, replace(new_request(bank_keys.vault()), keep_card=True))["kept_card"]
    assert isinstance(kept, dict)
    assert asked(authorizer, by_token(bank_keys, kept["token"]))["outcome"] == "approved"
    today[0] = date(2031, 1, 1)
    late = asked(authorizer, by_token(bank_keys, kept["token"]))
    assert (late["outcome"], late["response_code"]) == ("declined", "54")
    books.close()


def asked(authorizer: Authorizer, request: AuthorizationRequest) -> dict[str, object]:
    decided = authorizer.authorize(json.dumps(authorization_body(request)).encode(), request.idempotency_key)
    reply = decided.enter() if isinstance(decided, Undecided) else decided
    assert isinstance(reply, BankReply)
    return reply.body


@pytest.mark.parametrize(
    "written",
    [None, "tok", {}, {"token": 7}, {"token": "short"}, {"token": "with blanks in it"}, {"token": "4111111111111111"}],
)
def test_what_cannot_stand_for_a_card_is_not_kept_and_the_charge_is_as_good(written: object):
    said = {"reference": "CA1-1", "outcome": "approved", "response_code": "00", "authorization_code": "482913"}
    content = json.dumps(said | {"kept_card": written}).encode()
    answer = read_answer("CA1-1", 200, content, AUTHORIZATION_OUTCOMES)
    assert (answer.outcome, answer.kept_token) == ("approved", "")
