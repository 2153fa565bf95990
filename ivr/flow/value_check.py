"""Values that a step names: does a look-up give them, and are they known on every way to the step?"""

from collections.abc import Iterator

from ivr.flow.declared import Declared
from ivr.flow.parts import Finding, Need, Place
from ivr.reading.problems import did_you_mean
from ivr.reading.rules import values, ways
from ivr.reading.scalars import BILL_VALUES

_GIVEN_BY = {
    "amount": "let the amount come before the card",
    **dict.fromkeys(BILL_VALUES, "a look-up gives bill.due and bill.min"),
}


def unknown_value(path: Place, value: str, declared: Declared) -> Iterator[Finding]:
    """Of a value that is to be an amount."""
    money = [name for name, kind in declared.types.items() if kind == "money"]
    if value not in declared.types:
        yield Finding(values.NO_SUCH_VALUE, path, f"no look-up gives '{value}'", did_you_mean(value, money))
    elif value not in money:
        message = f"'{value}' is a {declared.types[value]}, not an amount"
        yield Finding(values.NO_SUCH_VALUE, path, message, did_you_mean(value, money))


def value_needed(name: str, path: Place, value: str, declared: Declared) -> Iterator[Need]:
    """What does not exist at all is told by `unknown_value` alone."""
    if value in _GIVEN_BY or value in declared.types:
        message = f"'{value}' is not known on every way to '{name}'"
        cure = _GIVEN_BY.get(value, "its look-up comes first")
        yield Need(value, ways.VALUE_NOT_KNOWN, message, cure, path)
