"""What an expression is worth in a call. It has been checked: a value of another type than then is a fault of ours."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from ivr.core.money import Money
from ivr.flow.expressions.grammar import Expression, Literal, Name, Operation
from ivr.flow.expressions.kinds import Percent

Look = Callable[[str], Any]
"""The value of a name; KeyError where the call does not have it."""


def evaluate(expression: Expression, look: Look) -> Any:
    """A `core.events.Value`, or days as a `timedelta`. TypeError and ValueError where values do not go together."""
    match expression:
        case Literal(_, _, value):
            return value
        case Name(_, name):
            return look(name)
        case Operation(_, "and", (left, right)):
            return evaluate(left, look) and evaluate(right, look)
        case Operation(_, "or", (left, right)):
            return evaluate(left, look) or evaluate(right, look)
        case Operation(_, word, parts):
            return _WAYS[word](*(evaluate(part, look) for part in parts))


def _plus(left: Any, right: Any) -> Any:
    match left, right:
        case Money(), Percent():
            return replace(left, minor=left.minor + right.of(left.minor))
        case Money(), Money():
            return replace(left, minor=left.minor + _same(left, right).minor)
        case date(), timedelta():
            return _moved(left, right)
    return left + right


def _minus(left: Any, right: Any) -> Any:
    match left, right:
        case Money(), Percent():
            return replace(left, minor=left.minor - right.of(left.minor))
        case Money(), Money():
            return replace(left, minor=left.minor - _same(left, right).minor)
        case date(), timedelta():
            return _moved(left, -right)
    return left - right


def _moved(day: date, by: timedelta) -> date:
    """A date that a billing system means as "never" stays the last one that there is."""
    try:
        return day + by
    except OverflowError:
        return date.max if by > timedelta(0) else date.min


def _same(left: Money, right: Money) -> Money:
    if left.currency != right.currency:
        raise ValueError("two amounts are in different currencies")
    return right


def _share(percent: Percent, amount: Money) -> Money:
    return replace(amount, minor=percent.of(amount.minor))


def _size(value: Any) -> Any:
    match value:
        case Money():
            return value.minor
        case Percent():
            return value.hundredths
    return value


def _compared(of: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def compare(left: Any, right: Any) -> bool:
        if isinstance(left, Money):
            _same(left, right)
        return of(_size(left), _size(right))

    return compare


_WAYS: Mapping[str, Callable[..., Any]] = {
    "+": _plus,
    "-": _minus,
    "of": _share,
    "=": lambda left, right: left == right,
    "!=": lambda left, right: left != right,
    "<": _compared(lambda left, right: left < right),
    "<=": _compared(lambda left, right: left <= right),
    ">": _compared(lambda left, right: left > right),
    ">=": _compared(lambda left, right: left >= right),
    "in": lambda left, *items: left in items,
    "not in": lambda left, *items: left not in items,
    "starts with": lambda left, right: left.startswith(right),
    "not": lambda truth: not truth,
}
