"""Values that a step names: does a look-up give them, and are they known on every way to the step?"""

from collections.abc import Iterator

from ivr.flow.parts import Finding, Need, Place
from ivr.reading.problems import did_you_mean
from ivr.reading.rules import values, ways
from ivr.reading.scalars import BILL_VALUES

_GIVEN_BY = {
    "amount": "let the amount come before the card",
    **dict.fromkeys(BILL_VALUES, "a look-up gives bill.due and bill.min"),
}


def unknown_value(path: Place, value: str) -> Iterator[Finding]:
    if value not in BILL_VALUES:
        yield Finding(values.NO_SUCH_VALUE, path, f"no look-up gives '{value}'", did_you_mean(value, BILL_VALUES))


def value_needed(name: str, path: Place, value: str) -> Iterator[Need]:
    """What does not exist at all is told by `unknown_value` alone."""
    if value in _GIVEN_BY:
        message = f"'{value}' is not known on every way to '{name}'"
        yield Need(value, ways.VALUE_NOT_KNOWN, message, _GIVEN_BY[value], path)
