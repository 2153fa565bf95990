"""Conditions that are never yes, such as a value that has to be more than one thing and less than a smaller one, or always."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from ivr.core.money import Money
from ivr.flow.expressions.bounds import always_positive, difference, negated, never_negative
from ivr.flow.expressions.constants import outcome, shape_of
from ivr.flow.expressions.grammar import Expression, Literal, Name, Operation
from ivr.flow.expressions.kinds import Percent, Type
from ivr.flow.expressions.types import WITH_AN_ORDER

_TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "="}
_WRITTEN = re.compile(r"\"[^\"]*\"|'[^']*'|\S+?(?: ?%| [A-Z]{3}\b| (?:days?|weeks?)\b)?(?=[\s),\]]|$)")


class NeverYes(NamedTuple):
    """`at`: in characters from the beginning of the expression."""

    at: int
    message: str
    cure: str


class _Limiting(NamedTuple):
    """That a value, whatever it is, is so much of something at least, or at most, or exactly."""

    at: int
    sign: str
    value: Any
    written: str
    type: Type


def never_yes(expression: Expression, text: str) -> Iterator[NeverYes]:
    """The first reason in each part of the condition that is joined by `and`."""
    if not isinstance(expression, Operation):
        return
    if expression.word == "and":
        parts = list(_joined(expression))
        yield from _apart(parts, text)
        for part in parts:
            yield from never_yes(part, text)
        return
    if expression.word in ("or", "not"):
        for part in expression.parts:
            yield from never_yes(part, text)
    elif outcome(expression) is False:
        yield NeverYes(expression.at, "this is never yes, in any call", "compare something else, or leave it out")
    elif _is_impossible(expression):
        yield NeverYes(expression.at, "this is never yes, whatever is due", "turn the sign or the two sides round")


def always_yes(expression: Expression) -> Iterator[Operation]:
    """Each comparison in the condition that is yes in every call."""
    if not isinstance(expression, Operation):
        return
    if expression.word in ("and", "or", "not"):
        for part in expression.parts:
            yield from always_yes(part)
    elif outcome(expression) is True:
        yield expression


def _joined(expression: Operation) -> Iterator[Expression]:
    for part in expression.parts:
        if isinstance(part, Operation) and part.word == "and":
            yield from _joined(part)
        else:
            yield part


def _is_impossible(expression: Operation) -> bool:
    """Of amounts: `bill.due < bill.min`."""
    if expression.word not in _TURNED:
        return False
    found = difference(*expression.parts)
    match expression.word:
        case "<":
            return never_negative(found)
        case "<=":
            return always_positive(found, least_due=0)
        case ">":
            return never_negative(negated(found))
        case ">=":
            return always_positive(negated(found), least_due=0)
    return always_positive(found, least_due=0) or always_positive(negated(found), least_due=0)


def _apart(parts: list[Expression], text: str) -> Iterator[NeverYes]:
    known: dict[Any, list[_Limiting]] = {}
    for part in parts:
        found = _bound(part, text) if isinstance(part, Operation) else None
        if found is None:
            continue
        subject, bound = found
        others = known.setdefault(shape_of(subject), [])
        clash = next((one for one in others if _excludes(one, bound)), None)
        if clash is not None:
            name = f"'{subject.name}'" if isinstance(subject, Name) else "this"
            yield NeverYes(
                bound.at, f"{name} is never {clash.written} and {bound.written} at once", _cure(clash, bound)
            )
            return
        others.append(bound)


def _cure(one: _Limiting, bound: _Limiting) -> str:
    if bound.sign == "=":
        return "join them by 'or'"
    if one.value == bound.value:
        return "write '>=' and '<=' to have that one too"
    return (
        "turn the two round; hours over midnight are joined by 'or'" if bound.type == "time" else "turn the two round"
    )


def _bound(one: Operation, text: str) -> tuple[Expression, _Limiting] | None:
    if one.word not in _TURNED:
        return None
    left, right = one.parts
    if isinstance(left, Literal) == isinstance(right, Literal):
        return None
    subject, literal, sign = (left, right, one.word) if isinstance(right, Literal) else (right, left, _TURNED[one.word])
    assert isinstance(literal, Literal)
    found = _WRITTEN.match(text, literal.at)
    written = f"{sign} {found[0] if found else literal.value}"
    return subject, _Limiting(min(left.at, right.at), sign, literal.value, written, literal.type)


def _excludes(one: _Limiting, other: _Limiting) -> bool:
    if one.sign == other.sign == "=":
        return bool(one.value != other.value)
    if one.type != other.type or one.type not in WITH_AN_ORDER:
        return False
    return _is_above(one, other) or _is_above(other, one)


def _is_above(low: _Limiting, high: _Limiting) -> bool:
    """Whether what is no less than `low` is more than `high` allows."""
    if low.sign not in (">", ">=", "=") or high.sign not in ("<", "<=", "="):
        return False
    least, most = _size(low.value), _size(high.value)
    return bool(least > most or (least == most and (low.sign == ">" or high.sign == "<")))


def _size(value: Any) -> Any:
    match value:
        case Money():
            return value.minor
        case Percent():
            return value.hundredths
    return value
