"""Comparisons that come out the same in every call: of fixed values, of a value with itself, and of amounts that are never otherwise.

Nothing is said of what only seems so: a share is rounded in a call, so that amounts with one in them are no matter of this module.
"""

from collections.abc import Mapping
from datetime import time
from typing import Any

from ivr.flow.expressions.bounds import always_positive, difference, negated, never_negative
from ivr.flow.expressions.evaluating import evaluate
from ivr.flow.expressions.grammar import Expression, Literal, Name, Operation, leaves_of

MIDNIGHT = time(0)
_OF_ITSELF = {"=": True, "<=": True, ">=": True, "!=": False, "<": False, ">": False}


def outcome(comparison: Operation) -> bool | None:
    """What it is in every call; None where that is not certain. It has no mistake in its types."""
    if comparison.word not in _OF_ITSELF and comparison.word not in ("in", "not in", "starts with"):
        return None
    if all(isinstance(leaf, Literal) for leaf in leaves_of(comparison)):
        return bool(evaluate(comparison, _no_name))
    if comparison.word not in _OF_ITSELF:
        return None
    left, right = comparison.parts
    if shape_of(left) == shape_of(right):
        return _OF_ITSELF[comparison.word]
    if (right_of_now := _of_midnight(left, right)) is not None:
        return right_of_now.get(comparison.word)
    if any(isinstance(leaf, Literal) and leaf.type == "percent" for leaf in leaves_of(comparison)):
        return None
    return _of_amounts(comparison)


def _of_midnight(left: Expression, right: Expression) -> Mapping[str, bool] | None:
    """By sign; None where it is not the time of day that is compared with the day's beginning."""
    match left, right:
        case Name(_, "now"), Literal(_, "time", value) if value == MIDNIGHT:
            return {"<": False, ">=": True}
        case Literal(_, "time", value), Name(_, "now") if value == MIDNIGHT:
            return {">": False, "<=": True}
    return None


def _of_amounts(comparison: Operation) -> bool | None:
    """Only that it is always so: that it never is, is for `contradictions` to say."""
    found = difference(*comparison.parts)
    match comparison.word:
        case "<":
            is_so = always_positive(negated(found), least_due=0)
        case "<=":
            is_so = never_negative(negated(found))
        case ">":
            is_so = always_positive(found, least_due=0)
        case ">=":
            is_so = never_negative(found)
        case "!=":
            is_so = always_positive(found, least_due=0) or always_positive(negated(found), least_due=0)
        case _:
            is_so = False
    return True if is_so else None


def shape_of(expression: Expression) -> Any:
    """The same for expressions that differ only in where they stand."""
    match expression:
        case Name(_, name):
            return name
        case Literal(_, kind, value):
            return kind, value
        case Operation(_, word, parts):
            return word, *map(shape_of, parts)


def _no_name(name: str) -> Any:
    raise KeyError(name)
