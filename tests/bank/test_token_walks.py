"""Tokens at each protocol whose bank keeps cards, with each answer lost, doubled or late: what is kept here is kept there, and no more."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest

from ivr.bank import BankAnswer, CardDeletionRequest, all_promises
from ivr.bank.simulator.scenarios import SimulatorWays
from ivr.bank.tonetill import TonetillBank
from ivr.calls.bank_news import BankNewsIntake
from ivr.places import SHIPPED as ROOT
from ivr.store import Store
from ivr.vault import SealContext
from tests.bank.adyen.running import sealed_card as sealed_for_adyen
from tests.bank.adyen.test_simulator import running as running_adyen
from tests.bank.requests import sealed_fields
from tests.bank.stripe.running import RunningStripe, stripe_process
from tests.bank.stripe.running import sealed_card as sealed_for_stripe
from tests.bank.token_walks import (
    CELLS,
    NO_TOKENS,
    PROTOCOLS,
    UNDONE,
    TokenPlace,
    token_walks_table,
    told,
    walk,
)
from tests.bank_process import BankKeys, RunningBank, bank, bank_keys, bank_process

__all__ = ["bank", "bank_keys", "bank_process", "stripe_process"]
PAN = "4111111111111111"
TAKEN = ("authorized", "captured")


@pytest.fixture
def tonetill(bank: TonetillBank, bank_keys: BankKeys, bank_process: RunningBank) -> TokenPlace:
    def seal(reference: str) -> dict[str, str]:
        context = SealContext("demo-merchant", reference.rpartition("-")[0], reference)
        return sealed_fields(bank_keys.vault(), context, PAN)

    def charges(reference: str) -> int:
        entry = bank_process.entry(reference)
        return int(entry is not None and entry.outcome == "approved")

    return TokenPlace(bank, seal, charges)


@pytest.fixture
def adyen(bank_keys: BankKeys, tmp_path: Path) -> Iterator[TokenPlace]:
    with running_adyen(bank_keys, tmp_path / "adyen", SimulatorWays()) as one, one.bank() as client:

        def tell(store: Store, reference: str) -> None:
            secrets = {"ACME_BANK_HMAC_KEY": one.host.account.hmac_key}
            intake = BankNewsIntake(store, {"acme_bank": one.settings()}, secrets, tell_billing=False)
            told(lambda content: intake.take("acme_bank", content, datetime.now(UTC)), one.news(reference))

        def charges(reference: str) -> int:
            return sum(entry.outcome == "approved" for entry in one.booked(reference))

        yield TokenPlace(client, lambda reference: sealed_for_adyen(one.vault(), reference), charges, tell)


@pytest.fixture
def stripe(stripe_process: RunningStripe) -> Iterator[TokenPlace]:
    with stripe_process.bank() as client:
        vault = stripe_process.vault()
        yield TokenPlace(
            client,
            lambda reference: sealed_for_stripe(vault, reference),
            lambda reference: sum(how in TAKEN for _, how in stripe_process.booked(reference)),
        )


@pytest.mark.parametrize(("operation", "fault"), CELLS)
@pytest.mark.parametrize("protocol", [one for one in PROTOCOLS if one != "iso8583"])
def test_whatever_becomes_of_the_answer_the_bank_keeps_the_card_that_is_kept_here_and_no_other(
    protocol: str, operation: str, fault: str, request: pytest.FixtureRequest
):
    walk(request.getfixturevalue(protocol), operation, fault)


class Forgetful(TonetillBank):
    """Says that it has deleted a card, and has not."""

    def delete_card(self, request: CardDeletionRequest) -> BankAnswer:
        return BankAnswer("done", request.key)


@pytest.mark.parametrize(("operation", "fault"), [("delete token", "sent twice"), UNDONE])
def test_with_a_deletion_that_is_said_and_not_done_the_same_walk_fails(
    operation: str, fault: str, tonetill: TokenPlace, bank_process: RunningBank
):
    with Forgetful(bank_process.settings) as forgetful, pytest.raises(AssertionError):
        walk(replace(tonetill, bank=forgetful), operation, fault)


def test_with_keys_that_are_not_kept_the_same_walk_finds_a_second_charge(
    adyen: TokenPlace, monkeypatch: pytest.MonkeyPatch
):
    keys = count(1)
    monkeypatch.setattr("ivr.bank.adyen.client.key_of", lambda key: f"{key[:40]}-{next(keys)}")
    with pytest.raises(AssertionError):
        walk(adyen, "charge token", "lost after it is booked")


def test_the_page_says_which_cells_are_walked():
    assert token_walks_table() in (ROOT / "docs" / "money.md").read_text(encoding="utf-8")


def test_a_protocol_without_tokens_promises_none():
    keeps = {name for name, promises in all_promises() if "create token" in promises.operations}
    assert keeps == {one for one in PROTOCOLS if one != "iso8583"}, NO_TOKENS
