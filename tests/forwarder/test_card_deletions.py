"""A card that was forgotten here is deleted at its bank too, whatever becomes of the answers, and is never charged meanwhile."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest

from ivr.bank import Bank, BankAnswer, CardDeletionRequest
from ivr.bank.tonetill import PROMISES
from ivr.channels.simulator import Clock
from ivr.core.money import Money
from ivr.forwarder.process import Forwarder
from ivr.store import KEPT_CARD, Accepted, AttemptLimits, Bill, SealedField, Store
from ivr.testing.bank import ScriptedBank
from tests.store.payments import ACCOUNT, intent, stage
from tests.store.test_kept_cards import WORD, pay

TOKEN = WORD.kept_token


@dataclass
class DeafBank(ScriptedBank):
    """Answers the first deletions as it is told to; `deletes_first`: although it has done what was asked."""

    answers: list[str] = field(default_factory=list)
    asked: list[CardDeletionRequest] = field(default_factory=list)
    deletes_first: bool = False

    def delete_card(self, request: CardDeletionRequest) -> BankAnswer:
        self.asked.append(request)
        if len(self.asked) > len(self.answers):
            return super().delete_card(request)
        if self.deletes_first:
            super().delete_card(request)
        answer = self.answers[len(self.asked) - 1]
        if answer == "raises":
            raise RuntimeError(TOKEN)
        return BankAnswer(answer, request.key, reason="as told")  # type: ignore[arg-type]


def work(store: Store, bank: Bank | None, clock: Clock) -> None:
    forwarder = Forwarder(store, {"acme_bank": bank} if bank else {}, lambda message: None, now=clock)
    for _ in range(20):
        while forwarder.run_once():
            pass
        clock.advance(600.0)


@pytest.fixture
def clock() -> Clock:
    return Clock(datetime.now(UTC))


@pytest.mark.parametrize("deletes_first", [False, True])
@pytest.mark.parametrize("answers", [[], ["unknown"], ["not_sent", "unknown", "not_sent"], ["raises"], ["approved"]])
def test_the_bank_is_asked_again_under_the_same_key_until_it_has_deleted_it(
    answers: list[str], deletes_first: bool, store: Store, clock: Clock
):
    pay(store, "CA1-1")
    store.forget_kept_card(ACCOUNT, "ada", clock())
    bank = DeafBank(answers=answers, deletes_first=deletes_first)
    work(store, bank, clock)
    (ended,) = store.card_deletions(9)
    assert (ended.status, ended.token) == ("deleted", "")
    assert len(bank.asked) == len(answers) + 1
    assert {(one.key, one.merchant, one.kept_card) for one in bank.asked} == {(ended.id, "demo-merchant", TOKEN)}


def test_until_the_bank_has_said_so_it_is_not_called_deleted(store: Store, clock: Clock):
    pay(store, "CA1-1")
    store.forget_kept_card(ACCOUNT, "ada", clock())
    work(store, bank := DeafBank("cannot say"), clock)
    (asked,) = store.card_deletions(9)
    assert (asked.status, asked.reason, len(bank.asked) > 5) == ("asked", "no answer", True)


@pytest.mark.parametrize(
    ("make", "status"),
    [
        (lambda: DeafBank(answers=["refused"]), "refused"),
        (lambda: None, "asked"),
    ],
)
def test_a_bank_that_refuses_or_is_no_longer_named_is_shown_as_such(
    make: Callable[[], Bank | None], status: str, store: Store, clock: Clock
):
    pay(store, "CA1-1")
    store.forget_kept_card(ACCOUNT, "ada", clock())
    work(store, make(), clock)
    (found,) = store.card_deletions(9)
    assert (found.status, found.token) == (status, TOKEN)
    assert found.reason


def test_a_bank_that_cannot_be_told_is_not_asked(store: Store, clock: Clock):
    pay(store, "CA1-1")
    store.forget_kept_card(ACCOUNT, "ada", clock())
    bank = DeafBank()
    bank.promises = replace(PROMISES, operations=PROMISES.operations - {"delete token"})
    work(store, bank, clock)
    (found,) = store.card_deletions(9)
    assert (found.status, bank.asked) == ("refused", [])
    assert "have it deleted there" in found.reason


@pytest.mark.parametrize("behaviour", ["is unreachable", "approves"])
def test_a_charge_that_had_not_left_when_its_card_was_forgotten_never_leaves(
    behaviour: str, store: Store, clock: Clock
):
    pay(store, "CA1-1")
    store.renew_bills([Bill(ACCOUNT, Money(4250), Money(1))])
    store.stage_sealed(SealedField("CA2-1", KEPT_CARD, TOKEN, "card"), clock())
    assert store.begin_payment(intent("CA2-1", pays=ACCOUNT), AttemptLimits(), clock()) == Accepted()
    bank = ScriptedBank(behaviour)
    if behaviour == "is unreachable":
        assert Forwarder(store, {"acme_bank": bank}, lambda message: None, now=clock).run_once()
        bank.behaviour = "approves"
    store.forget_kept_card(ACCOUNT, "ada", clock())
    work(store, bank, clock)
    assert store.entries("CA2-1") == ["requested", "not_sent"]
    assert (bank.charged, bank.deleted) == ({}, [TOKEN])


def test_a_card_that_was_forgotten_while_another_was_in_doubt_is_not_kept_again_by_it(store: Store):
    pay(store, "CA1-1")
    bank = DeafBank("is silent after charging")
    late = Clock(datetime.now(UTC))
    store.renew_bills([Bill(ACCOUNT, Money(4250), Money(1))])
    stage(store, "CA2-1", now=late())
    wanted = replace(intent("CA2-1", pays=ACCOUNT), keeps_card=True)
    assert store.begin_payment(wanted, AttemptLimits(), late()) == Accepted()
    forwarder = Forwarder(store, {"acme_bank": bank}, lambda message: None, now=late)
    forwarder.run_once()
    late.advance(60.0)
    assert store.forget_kept_card(ACCOUNT, "ada", late()) == 1
    bank.behaviour = "approves"
    work(store, bank, late)
    payment = store.payment("CA2-1")
    assert payment is not None
    assert payment.status == "approved"
    assert store.kept_cards(9) == []
    assert {one.status for one in store.card_deletions(9)} == {"deleted"}
