"""A value that a step needs on every way to it, without naming it in an expression (`expression_check` has those)."""

from collections.abc import Iterable, Iterator

from ivr.flow.parts import Need, Place
from ivr.flow.talk.open_bills import CHOSEN, FACT, ONE_SUM
from ivr.reading.rules import ways
from ivr.reading.scalars import BILL, EMAIL

CHOOSE_FIRST = "let 'found' of the look-up lead to a 'choose_bill' step, which offers them"
_GIVEN_BY = {
    "amount": "let the amount come before the card",
    "bill.due": "a look-up gives bill.due and bill.min",
}


def value_needed(name: str, path: Place, value: str) -> Iterator[Need]:
    message = f"'{value}' is not known on every way to '{name}'"
    yield Need(value, ways.VALUE_NOT_KNOWN, message, _GIVEN_BY[value], path)


def email_needed(name: str, path: Place, look_ups: Iterable[str]) -> Iterator[Need]:
    """Where a card was charged: elsewhere there is no receipt, and none is promised. `look_ups`: those that the flow declares."""
    message = f"'{EMAIL}' is not known on every way to '{name}' on which something is paid"
    source = next(iter(look_ups), BILL)
    cure = f"declare it of the look-up: lookups: {source}: gives: {{{EMAIL}: email}}"
    yield Need(EMAIL, ways.VALUE_NOT_KNOWN, message, cure, path, where=frozenset({"paid", "reserved"}))


def of_a_chosen_bill(name: str, path: Place) -> Iterator[Need]:
    """Where several bills were looked up: what nobody chose is not paid, nor agreed to."""
    message = f"there is a way to '{name}' on which open bills were looked up and none was chosen"
    yield Need(CHOSEN, ways.NONE_CHOSEN, message, CHOOSE_FIRST, path, where=frozenset({FACT}))


def not_of_a_sum(name: str, path: Place) -> Iterator[Need]:
    """Where an amount is chosen, or agreed to, that is not what all open bills owe."""
    message = f"there is a way to '{name}' on which all open bills are to be paid in one sum"
    cure = "lead 'all' to the card: the sum is the amount"
    yield Need(ONE_SUM, ways.AMOUNT_OF_A_SUM, message, cure, path, is_absent=True)
