"""Amounts that can never be paid, and conditions that are never yes: what can be told of expressions before any call."""

from collections.abc import Iterator
from typing import NamedTuple

from ivr.core.money import Money
from ivr.flow.expressions import (
    Expression,
    Literal,
    Name,
    Operation,
    always_yes,
    never_yes,
    same_in_every_call,
)
from ivr.flow.expressions.bounds import DUE, always_positive, difference, negated, never_negative, sum_of
from ivr.flow.parts import Formula
from ivr.reading.rules import Rule, advice, charges
from ivr.reading.rules import expressions as rules


class Never(NamedTuple):
    """`at`: in characters from the beginning of the expression."""

    rule: Rule
    at: int
    message: str
    cure: str


_WHAT_IS_DUE = Name(0, DUE)
_ALWAYS, _COMPARE = "this is yes in every call", "compare something else, or leave it out"
_FEES = "add fees to the bill, in your billing system"


def never_so(formula: Formula, expression: Expression, most: Money | None) -> Iterator[Never]:
    """`most`: the flow's largest amount."""
    if formula.pays:
        yield from _never_paid(formula, expression, most)
    told = [Never(rules.NEVER_YES, *found) for found in never_yes(expression, formula.text)]
    told += [Never(advice.ALWAYS_YES, one.at, _ALWAYS, _COMPARE) for one in always_yes(expression)]
    yield from told
    if formula.gives == "yes_no" and not told:
        yield from _decided(expression)


def _decided(condition: Expression) -> Iterator[Never]:
    """What is found by no single comparison in it."""
    if isinstance(condition, Literal) and condition.type != "yes_no":
        return  # told as what it is
    for one in same_in_every_call(condition):
        if one.is_yes is None:
            yield Never(advice.ALWAYS_YES, one.at, "this changes nothing, because of what stands beside it", _COMPARE)
        elif one.is_yes:
            yield Never(advice.ALWAYS_YES, one.at, _ALWAYS, _COMPARE)
        else:
            yield Never(rules.NEVER_YES, one.at, "this is never yes, in any call", _COMPARE)


def _never_paid(formula: Formula, expression: Expression, most: Money | None) -> Iterator[Never]:
    at = expression.at
    if not isinstance(expression, Literal) and formula.pays != "at_least":
        found = sum_of(expression)
        if found is not None and never_negative(negated(found)):
            yield Never(
                charges.NEVER_PAYABLE, at, "this is nothing or less, and can never be paid", "make it more than nothing"
            )
            return
    if formula.pays in ("as_it_is", "at_least") and _is_over(expression, most):
        message = f"this is more than 'max_amount', which is {most}, and can never be paid"
        yield Never(charges.NEVER_PAYABLE, at, message, "a smaller one, or a larger max_amount")
    elif always_positive(difference(expression, _WHAT_IS_DUE)):
        if formula.pays == "as_it_is":
            message = "this is more than what is due, and can never be paid"
            yield Never(charges.NEVER_PAYABLE, at, message, _FEES)
        else:
            yield Never(advice.MORE_THAN_DUE, at, "this is more than what is due, and would be lowered to it", _FEES)
    elif _adds_to_what_is_due(expression):
        instead = "would not be offered then" if formula.pays == "as_it_is" else "would be lowered to it"
        yield Never(advice.MORE_THAN_DUE, at, f"this may be more than what is due, and {instead}", _FEES)


def _is_over(expression: Expression, most: Money | None) -> bool:
    """Of an amount that is written alone it is told by `step_check`."""
    if most is None or isinstance(expression, Literal):
        return False
    return always_positive(difference(expression, Literal(0, "money", most)))


def _adds_to_what_is_due(expression: Expression) -> bool:
    match expression:
        case Operation(_, "+", (Name(_, name), _)):
            return name == DUE
    return False
