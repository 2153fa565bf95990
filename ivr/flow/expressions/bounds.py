"""What can be said of an amount before any call: a sum of what is due, the least of it and fixed amounts, held against another.

Of a bill it is known that something is due, and that its least amount is between nothing and that. Of other values nothing is
known. A share counts unrounded: for a bill of a few cents the smallest unit may decide otherwise.
"""

from collections.abc import Mapping
from fractions import Fraction

from ivr.core.money import Money
from ivr.flow.expressions.grammar import Expression, Literal, Name, Operation
from ivr.flow.expressions.kinds import Percent

DUE, LEAST = "bill.due", "bill.min"
Sum = Mapping[str, Fraction]
"""How much of each value, by its name; of a currency, by its code, how many of its smallest units."""


def sum_of(expression: Expression) -> Sum | None:
    """None for what is no sum of amounts."""
    match expression:
        case Literal(_, _, Money(minor, currency)):
            return {currency: Fraction(minor)}
        case Name(_, name):
            return {name: Fraction(1)}
        case Operation(_, "of", (Literal(_, _, Percent() as share), amount)):
            return _times(sum_of(amount), _part(share))
        case Operation(_, "+" | "-" as sign, (amount, Literal(_, _, Percent() as share))):
            return _times(sum_of(amount), 1 + _part(share) if sign == "+" else 1 - _part(share))
        case Operation(_, "+" | "-" as sign, (left, right)):
            one, other = sum_of(left), sum_of(right)
            return None if one is None or other is None else _added(one, other if sign == "+" else _less(other))
    return None


def difference(one: Expression, other: Expression) -> Sum | None:
    left, right = sum_of(one), sum_of(other)
    return None if left is None or right is None else _added(left, _less(right))


def never_negative(found: Sum | None) -> bool:
    """For whatever is due, nothing too."""
    if found is None:
        return False
    due, least, fixed = _parts(found)
    return fixed is not None and min(due, due + least, fixed) >= 0


def always_positive(found: Sum | None, least_due: int = 1) -> bool:
    """`least_due`: 1 for a bill with something to pay, 0 also for one that is paid."""
    if found is None or not never_negative(found):
        return False
    due, least, fixed = _parts(found)
    return bool(fixed) or (least_due > 0 and min(due, due + least) > 0)


def negated(found: Sum | None) -> Sum | None:
    return None if found is None else _less(found)


def is_nothing(found: Sum | None) -> bool:
    return found is not None and not any(found.values())


def _parts(found: Sum) -> tuple[Fraction, Fraction, Fraction | None]:
    """Of what is due, of the least, and what is fixed; None for that where another value or a second currency is in it."""
    others = [name for name, count in found.items() if count and name not in (DUE, LEAST)]
    is_fixed = len(others) < 2 and all(name.isupper() for name in others)
    none = Fraction(0)
    return found.get(DUE, none), found.get(LEAST, none), sum((found[one] for one in others), none) if is_fixed else None


def _part(share: Percent) -> Fraction:
    return Fraction(share.hundredths, 10_000)


def _times(found: Sum | None, factor: Fraction) -> Sum | None:
    return None if found is None else {name: count * factor for name, count in found.items()}


def _less(found: Sum) -> Sum:
    return {name: -count for name, count in found.items()}


def _added(one: Sum, other: Sum) -> Sum:
    return {name: one.get(name, Fraction(0)) + other.get(name, Fraction(0)) for name in {*one, *other}}
