"""What steps name that does not exist around them, or cannot be meant; what is wrong with one alone it says itself."""

import re
from collections.abc import Collection, Iterator, Mapping

from ivr.core.events import OPTIONAL_FIELDS
from ivr.flow.endings import UnreadStep
from ivr.flow.parts import Known, Place, in_words
from ivr.flow.schema import FlowHead
from ivr.flow.step import Step
from ivr.reading.problems import Problem, did_you_mean
from ivr.reading.rules import charges, reservations, values
from ivr.reading.scalars import NAME_PATTERN
from ivr.reading.yaml_source import Source

ONE_CURRENCY = "amount, bills and bank have one currency"


def bank_problems(source: Source, steps: Mapping[str, Step]) -> Iterator[Problem]:
    """A card is sealed to its bank while it is keyed in, before any charge."""
    banks = _banks(steps)
    for name, key, bank in banks[1:]:
        if bank != banks[0][2]:
            message = f"step '{name}' names another bank than step '{banks[0][0]}', which has '{banks[0][2]}'"
            cure = "cards are sealed to one bank: make two flows of it"
            yield source.problem(charges.TWO_BANKS, ("steps", name, key), message, cure)
    if not banks and not any(isinstance(step, UnreadStep) for step in steps.values()):
        for name, step in steps.items():
            if step.card:
                message = f"step '{name}' collects a card that nothing charges"
                cure = "add a 'pay' step, or do not ask for cards"
                yield source.problem(charges.CARD_FOR_NOTHING, ("steps", name), message, cure)


def known_bank_problems(
    source: Source, head: FlowHead | None, steps: Mapping[str, Step], banks: Mapping[str, Collection[str]] | None
) -> Iterator[Problem]:
    """`banks`: with the currencies of each; None where nobody knows which there are, so that only their form is looked at."""
    named = _banks(steps)
    for name, key, bank in named:
        if banks is not None and bank not in banks:
            message = f"no bank is called '{bank}'"
            yield source.problem(charges.NO_SUCH_BANK, ("steps", name, key), message, did_you_mean(bank, banks))
        elif not re.fullmatch(NAME_PATTERN, bank):
            message, cure = f"'{key}': this is not a name", "call the bank by small letters, digits and _"
            yield source.problem(values.NOT_A_NAME, ("steps", name, key), message, cure)
    if banks is None or head is None or not named:
        return
    bank, currency = named[0][2], head.limits.max_amount.currency
    taken = banks.get(bank) or ()
    if taken and currency not in taken:
        message = f"'max_amount' is in {currency}, but the bank '{bank}' takes {' and '.join(sorted(taken))}"
        yield source.problem(charges.CURRENCIES_DIFFER, ("limits", "max_amount"), message, ONE_CURRENCY)


def card_field_problems(
    source: Source, steps: Mapping[str, Step], carried: Mapping[str, Collection[str]]
) -> Iterator[Problem]:
    """Card fields that callers would key in, and the bank would never get.

    A postal code that the bank has no place for is still checked for its form (docs/bank.md).
    """
    bank = next((bank for _, _, bank in _banks(steps)), "")
    if bank not in carried:
        return
    for name, step in steps.items():
        for index, field in enumerate(step.card.fields if step.card else ()):
            if field in OPTIONAL_FIELDS and field not in carried[bank]:
                message = f"the protocol of the bank '{bank}' has no place for {in_words(field)}s"
                cure = f"leave {field} out, or pay by a bank of a protocol that has (docs/money.md)"
                yield source.problem(charges.FIELD_NOT_CARRIED, ("steps", name, "collect", index), message, cure)


def operation_problems(
    source: Source, steps: Mapping[str, Step], promised: Mapping[str, Collection[str]]
) -> Iterator[Problem]:
    """What steps ask of a bank whose protocol has no such operation; told once for each key that asks for it."""
    for name, step in steps.items():
        if step.bank is None or step.bank[1] not in promised:
            continue
        bank = step.bank[1]
        lacking: dict[Place, list[str]] = {}
        for below, operation in step.bank_operations:
            if operation not in promised[bank]:
                lacking.setdefault(below, []).append(operation)
        for below, operations in lacking.items():
            message = f"the protocol of the bank '{bank}' does not have {' and '.join(map(repr, operations))}"
            cure = f"take '{below[-1]}' out, or pay by a bank of a protocol that has them (docs/money.md)"
            yield source.problem(reservations.NOT_PROMISED, ("steps", name, *below), message, cure)


def bill_problems(
    source: Source, head: FlowHead | None, steps: Mapping[str, Step], bills: Collection[str]
) -> Iterator[Problem]:
    looks_up = any(step.looks_up_bills for step in steps.values())
    if head is None or not looks_up or not bills:
        return
    currency = head.limits.max_amount.currency
    if currency not in bills:
        message = (
            f"'max_amount' is in {currency}, but the bills that are looked up are in {' and '.join(sorted(bills))}"
        )
        yield source.problem(charges.CURRENCIES_DIFFER, ("limits", "max_amount"), message, ONE_CURRENCY)


def fixed_amount_problems(source: Source, head: FlowHead | None, steps: Mapping[str, Step]) -> Iterator[Problem]:
    """Amounts that are written in the flow and can never be charged by it."""
    if head is None:
        return
    most = head.limits.max_amount
    for name, step in steps.items():
        for below, amount in step.fixed_amounts:
            path = ("steps", name, *below)
            if amount.currency != most.currency:
                message = f"'{amount}' is in another currency than 'max_amount', which is {most}"
                yield source.problem(charges.CURRENCIES_DIFFER, path, message, ONE_CURRENCY)
            elif amount.minor > most.minor:
                message = f"'{amount}' is more than 'max_amount', which is {most}"
                yield source.problem(charges.OVER_MAX_AMOUNT, path, message, "a smaller one, or a larger max_amount")


def setting_problems(source: Source, steps: Mapping[str, Step], switched_on: Collection[str]) -> Iterator[Problem]:
    """What steps rely on, and the settings do not have."""
    for name, step in steps.items():
        for below, setting in step.relies_on:
            if setting not in switched_on:
                message, cure = f"step '{name}' needs the setting '{setting}'", _SETTINGS[setting]
                yield source.problem(charges.NOT_SWITCHED_ON, ("steps", name, *below), message, cure)


_SETTINGS = {
    "pay_link": "set PAY_LINK to the address of your page, such as https://pay.example.com/bill?token={token}",
    "transfers": "set TRANSFERS=on",
}


def step_problems(source: Source, steps: Mapping[str, Step], known: Mapping[str, Known]) -> Iterator[Problem]:
    """What each step finds wrong with itself, advice too."""
    for name, step in steps.items():
        for found in step.findings(name, known.get(name)):
            yield source.problem(found.rule, ("steps", name, *found.path), found.message, found.cure)


def _banks(steps: Mapping[str, Step]) -> list[tuple[str, str, str]]:
    """(step, key, bank) of each step that names one."""
    return [(name, *step.bank) for name, step in steps.items() if step.bank]
