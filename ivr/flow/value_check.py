"""A value that a step needs on every way to it, without naming it in an expression (`expression_check` has those)."""

from collections.abc import Iterator

from ivr.flow.parts import Need, Place
from ivr.reading.rules import ways

_GIVEN_BY = {
    "amount": "let the amount come before the card",
    "bill.due": "a look-up gives bill.due and bill.min",
    "customer.email": "declare it of the look-up: lookups: billing.find_bill: gives: {customer.email: email}",
}


def value_needed(name: str, path: Place, value: str) -> Iterator[Need]:
    message = f"'{value}' is not known on every way to '{name}'"
    yield Need(value, ways.VALUE_NOT_KNOWN, message, _GIVEN_BY[value], path)
