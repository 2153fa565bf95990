"""What steps name that does not exist around them, or cannot be meant: banks, currencies, brands, card fields, values."""

from collections.abc import Collection, Iterator, Mapping

from ivr.core.brands import TWILIO_PAY_BRANDS
from ivr.flow.endings import UnreadStep
from ivr.flow.schema import AskStep, CollectStep, FlowHead, MenuStep, Place, Step
from ivr.reading.problems import Problem, did_you_mean
from ivr.reading.rules import charges, values
from ivr.reading.scalars import BILL_VALUES
from ivr.reading.yaml_source import Source

BANK_KEYS = ("pay", "inquire_then_reverse")
ONE_CURRENCY = "amount, bills and bank have one currency"


def bank_problems(source: Source, steps: Mapping[str, Step]) -> Iterator[Problem]:
    """A card is sealed to its bank while it is keyed in, before any charge."""
    banks = [(name, key, getattr(step, key)) for name, step in steps.items() for key in BANK_KEYS if hasattr(step, key)]
    for name, key, bank in banks[1:]:
        if bank != banks[0][2]:
            message = f"step '{name}' names another bank than step '{banks[0][0]}', which has '{banks[0][2]}'"
            cure = "cards are sealed to one bank: make two flows of it"
            yield source.problem(charges.TWO_BANKS, ("steps", name, key), message, cure)
    if not banks and not any(isinstance(step, UnreadStep) for step in steps.values()):
        for name, step in steps.items():
            if isinstance(step, CollectStep):
                message = f"step '{name}' collects a card that nothing charges"
                cure = "add a 'pay' step, or do not ask for cards"
                yield source.problem(charges.CARD_FOR_NOTHING, ("steps", name), message, cure)


def known_bank_problems(
    source: Source, head: FlowHead | None, steps: Mapping[str, Step], banks: Mapping[str, Collection[str]]
) -> Iterator[Problem]:
    named = [(name, key, getattr(step, key)) for name, step in steps.items() for key in BANK_KEYS if hasattr(step, key)]
    for name, key, bank in named:
        if bank not in banks:
            message = f"no bank is called '{bank}'"
            yield source.problem(charges.NO_SUCH_BANK, ("steps", name, key), message, did_you_mean(bank, banks))
    if head is None or not named:
        return
    bank, currency = named[0][2], head.limits.max_amount.currency
    taken = banks.get(bank) or ()
    if taken and currency not in taken:
        message = f"'max_amount' is in {currency}, but the bank '{bank}' takes {' and '.join(sorted(taken))}"
        yield source.problem(charges.CURRENCIES_DIFFER, ("limits", "max_amount"), message, ONE_CURRENCY)


def bill_problems(
    source: Source, head: FlowHead | None, steps: Mapping[str, Step], bills: Collection[str]
) -> Iterator[Problem]:
    looks_up = any(isinstance(step, AskStep) and step.lookup for step in steps.values())
    if head is None or not looks_up or not bills:
        return
    currency = head.limits.max_amount.currency
    if currency not in bills:
        message = (
            f"'max_amount' is in {currency}, but the bills that are looked up are in {' and '.join(sorted(bills))}"
        )
        yield source.problem(charges.CURRENCIES_DIFFER, ("limits", "max_amount"), message, ONE_CURRENCY)


def brand_problems(source: Source, steps: Mapping[str, Step]) -> Iterator[Problem]:
    for name, step in steps.items():
        if isinstance(step, CollectStep) and step.capture == "pay":
            for index, brand in enumerate(step.brands):
                if brand not in TWILIO_PAY_BRANDS:
                    message = f"Twilio's <Pay> does not know the brand '{brand}'"
                    cure = "leave it out, or let 'capture: keys' collect the card"
                    yield source.problem(charges.BRAND_NOT_CAPTURED, ("steps", name, "brands", index), message, cure)


def card_problems(source: Source, steps: Mapping[str, Step]) -> Iterator[Problem]:
    for name, step in steps.items():
        if isinstance(step, CollectStep) and "expiry" not in step.collect:
            message = f"step '{name}' does not ask for the card's expiration date"
            yield source.problem(values.NO_EXPIRY, ("steps", name, "collect"), message, "add expiry after card_number")


def value_problems(source: Source, steps: Mapping[str, Step]) -> Iterator[Problem]:
    for name, step in steps.items():
        if isinstance(step, AskStep) and step.between:
            yield from _order_problems(source, name, step.between)
        for below, value in _values_in(step):
            if value not in BILL_VALUES:
                message, cure = f"no look-up gives '{value}'", did_you_mean(value, BILL_VALUES)
                yield source.problem(values.NO_SUCH_VALUE, ("steps", name, *below), message, cure)


def _values_in(step: Step) -> Iterator[tuple[Place, str]]:
    if isinstance(step, MenuStep):
        yield from ((("menu", key, "set"), option.set) for key, option in step.menu.items() if option.set)
    elif isinstance(step, AskStep) and step.between:
        yield from ((("between", index), value) for index, value in enumerate(step.between))


def _order_problems(source: Source, name: str, between: tuple[str, str]) -> Iterator[Problem]:
    path = ("steps", name, "between")
    if between == ("bill.due", "bill.min"):
        message = "'between' has its values the wrong way round"
        yield source.problem(values.BETWEEN_REVERSED, path, message, "write it as [bill.min, bill.due]")
    elif between[0] == between[1]:
        message = f"only one amount is between '{between[0]}' and '{between[1]}'"
        yield source.problem(values.BETWEEN_REVERSED, path, message, "write it as [bill.min, bill.due]")
