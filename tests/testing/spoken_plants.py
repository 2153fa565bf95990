"""Faults in what is said, texted, recorded and kept, each in one place, for exploring to find."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from ivr.calls.payments import Payments
from ivr.calls.runner import Advance, Runner
from ivr.core.call import Call
from ivr.core.events import BankAnswered, HungUp
from ivr.core.money import Money
from ivr.flow.steps import pay
from ivr.flow.steps.ask_money import AskMoneyStep
from ivr.flow.talk import turn
from ivr.store import ledger
from ivr.testing.explore import Depth
from ivr.testing.explore.model import ModelledStore

A_CENT = Money(1)


def _said_otherwise(patch: pytest.MonkeyPatch, prompt: str, name: str = "", **values: Any) -> None:
    """In place of `prompt`, or with other values."""
    say = turn.Turn.say

    def otherwise(self: turn.Turn, said: str, **right: Any) -> turn.Turn:
        return say(self, name or said, **right | values) if said == prompt else say(self, said, **right)

    patch.setattr(turn.Turn, "say", otherwise)


def a_changed_due_is_said_wrong(patch: pytest.MonkeyPatch) -> None:
    _said_otherwise(patch, "due_changed", due=A_CENT)


def an_open_bill_is_said_to_be_paid(patch: pytest.MonkeyPatch) -> None:
    _said_otherwise(patch, "pay_full_balance", "nothing_due")


def consent_names_another_card(patch: pytest.MonkeyPatch) -> None:
    _said_otherwise(patch, "confirm_card", last4="0000")


def consent_names_another_brand(patch: pytest.MonkeyPatch) -> None:
    _said_otherwise(patch, "confirm_card", brand="diners")


def consent_names_another_amount(patch: pytest.MonkeyPatch) -> None:
    _said_otherwise(patch, "confirm_card", amount=A_CENT)


def another_amount_is_chosen_than_was_keyed_in(patch: pytest.MonkeyPatch) -> None:
    remember = turn.Turn.remember

    def more(self: turn.Turn, **values: Any) -> turn.Turn:
        money = values.get("amount")
        return remember(self, **values | ({"amount": Money(money.minor - 1)} if isinstance(money, Money) else {}))

    patch.setattr(turn.Turn, "remember", more)


def a_hold_is_said_to_be_a_charge(patch: pytest.MonkeyPatch) -> None:
    _said_otherwise(patch, "still_working", "payment_went_through")


def an_approval_is_said_to_be_a_refusal_first(patch: pytest.MonkeyPatch) -> None:
    hear = pay._hear_bank

    def declined(of: turn.Turn, event: BankAnswered) -> turn.Reply:
        return hear(of.say("card_declined") if event.outcome == "approved" else of, event)

    patch.setattr(pay, "_hear_bank", declined)


def a_receipt_is_texted_with_another_amount(patch: pytest.MonkeyPatch) -> None:
    queue = ModelledStore.queue_sms

    def wrong(self: ModelledStore, message_id: str, recipient: str, body: str, *rest: Any) -> bool:
        return queue(self, message_id, recipient, body.replace("$", "$1"), *rest)

    patch.setattr(ModelledStore, "queue_sms", wrong)


def the_least_amount_is_ignored(patch: pytest.MonkeyPatch) -> None:
    span = AskMoneyStep._span

    def lower(self: AskMoneyStep, of: turn.Turn) -> Any:
        found = span(self, of)
        return found and replace(found, low=A_CENT)

    patch.setattr(AskMoneyStep, "_span", lower)


def more_than_is_due_can_be_chosen(patch: pytest.MonkeyPatch) -> None:
    span = AskMoneyStep._span

    def higher(self: AskMoneyStep, of: turn.Turn) -> Any:
        found = span(self, of)
        return found and replace(found, high=replace(found.high, minor=found.high.minor + 500))

    patch.setattr(AskMoneyStep, "_span", higher)


def a_hang_up_is_recorded_as_unpaid(patch: pytest.MonkeyPatch) -> None:
    hang_up = Runner._hang_up

    def unpaid(self: Runner, call: Call, event: HungUp) -> Advance:
        advance = hang_up(self, call, event)
        return replace(advance, call=replace(advance.call, outcome="unpaid"))

    patch.setattr(Runner, "_hang_up", unpaid)


def no_limit_is_held(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ModelledStore, "limit_reached", lambda *_arguments: None)


def an_open_charge_of_the_bill_is_ignored(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ModelledStore, "is_being_paid", lambda *_arguments: False)
    patch.setattr(ledger, "is_open_on_payable", lambda *_arguments: False)


def what_is_due_is_ignored(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ledger.Ledger, "_due_now", lambda *_arguments: Money(10**6))


def a_card_that_is_not_sent_is_kept(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Payments, "forget", lambda *_arguments: None)


def sealed_fields_are_left_in_the_database(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ledger, "delete_sealed", lambda *_arguments: 0)


Plant = Callable[[pytest.MonkeyPatch], None]
# The fault, the rule that it breaks, and how it is found soonest: by which seed, within how many calls, at which depth.
SPOKEN: dict[Plant, tuple[str, str, int, Depth]] = {
    a_changed_due_is_said_wrong: ("said", "5", 120, "quick"),
    an_open_bill_is_said_to_be_paid: ("said", "1", 10, "quick"),
    consent_names_another_card: ("said", "1", 10, "quick"),
    consent_names_another_brand: ("said", "1", 10, "quick"),
    consent_names_another_amount: ("consent", "1", 10, "quick"),
    another_amount_is_chosen_than_was_keyed_in: ("said", "1", 10, "quick"),
    a_hold_is_said_to_be_a_charge: ("said", "2", 40, "quick"),
    an_approval_is_said_to_be_a_refusal_first: ("said", "1", 10, "quick"),
    a_receipt_is_texted_with_another_amount: ("text", "1", 10, "quick"),
    the_least_amount_is_ignored: ("said", "1", 10, "quick"),
    more_than_is_due_can_be_chosen: ("said", "1", 10, "quick"),
    a_hang_up_is_recorded_as_unpaid: ("ending", "2", 20, "quick"),
    no_limit_is_held: ("limit", "2", 20, "quick"),
    an_open_charge_of_the_bill_is_ignored: ("bill", "3", 20, "quick"),
    what_is_due_is_ignored: ("bill", "4", 30, "whole"),
    a_card_that_is_not_sent_is_kept: ("sealed", "1", 10, "quick"),
    sealed_fields_are_left_in_the_database: ("sealed", "1", 10, "whole"),
}
