"""Conditions that come out the same in every call, or in every call in which they matter, found by trying every case.

What a condition compares is taken for a few cases: a value below, at, between and above the fixed values that it is held against; one
of the days of the week; yes or no. Values are taken to be independent of each other, which is careful: `today` and `weekday` are not,
so that less is found and nothing is found wrongly. Cases that `constants` excludes are none here either.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import reduce
from itertools import pairwise, product
from typing import Any

from ivr.core.money import Money
from ivr.flow.expressions.constants import outcome, shape_of
from ivr.flow.expressions.grammar import Expression, Literal, Name, Operation
from ivr.flow.expressions.kinds import Percent

MOST_CASES = 3000
_JOINS = ("and", "or", "not")
_SIGNS: Mapping[str, Callable[[int], bool]] = {
    "=": lambda side: side == 0,
    "!=": lambda side: side != 0,
    "<": lambda side: side < 0,
    "<=": lambda side: side <= 0,
    ">": lambda side: side > 0,
    ">=": lambda side: side >= 0,
}
_TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_DAYS_OF_A_WEEK = 7
Case = Mapping[Any, Any]
"""What each thing that is compared is, by its shape: a number between the fixed values, a fixed value, or a sign."""


@dataclass(frozen=True)
class SameInEveryCall:
    """`at`: of the condition, or its part, that is always yes or never (`is_yes`). None: a part that changes nothing, because of the others."""

    at: int
    is_yes: bool | None


def same_in_every_call(expression: Expression) -> Iterator[SameInEveryCall]:
    """The condition as a whole, or else each of its parts."""
    found = decided(expression)
    if found is not None:
        yield SameInEveryCall(_start(expression), found)
    elif isinstance(expression, Operation) and expression.word in _JOINS:
        inner = [one for part in expression.parts for one in same_in_every_call(part)]
        yield from inner or _idle(expression)


def is_reached(condition: Expression, above: Sequence[Expression]) -> bool:
    """Whether there is a case in which it is yes and none of those above it is; True also where there are too many cases."""
    others = [Operation(0, "not", (one,)) for one in above]
    return decided(_joined("and", [condition, *others])) is not False


def decided(expression: Expression) -> bool | None:
    """What it is in every case; None where that differs, or there are too many cases."""
    cases = _cases([expression])
    if cases is None:
        return None
    first = _is_yes(expression, cases[0])
    return first if all(_is_yes(expression, case) == first for case in cases) else None


def _idle(expression: Operation) -> Iterator[SameInEveryCall]:
    """The first part without which the whole is the same in every case."""
    cases = _cases([expression])
    if expression.word == "not" or cases is None:
        return
    parts = list(_parts(expression, expression.word))
    for part in reversed(parts):
        others = _joined(expression.word, [one for one in parts if one is not part])
        if all(_is_yes(expression, case) == _is_yes(others, case) for case in cases):
            yield SameInEveryCall(_start(part), None)
            return


def _parts(expression: Expression, word: str) -> Iterator[Expression]:
    if isinstance(expression, Operation) and expression.word == word:
        for part in expression.parts:
            yield from _parts(part, word)
    else:
        yield expression


def _joined(word: str, parts: Sequence[Expression]) -> Expression:
    return reduce(lambda one, other: Operation(0, word, (one, other)), parts)


def _start(expression: Expression) -> int:
    """A comparison stands where its sign does: its beginning is that of its first side."""
    if isinstance(expression, Operation) and expression.word not in ("not",):
        return min(_start(part) for part in expression.parts)
    return expression.at


# ---- the cases


def _cases(expressions: Sequence[Expression]) -> list[Case] | None:
    ranges: dict[Any, list[Any]] = {}
    for expression in expressions:
        for subject, values in _compared(expression):
            ranges.setdefault(subject, []).extend(values)
    choices = {subject: _choices(subject, values) for subject, values in ranges.items()}
    count = reduce(lambda many, one: many * len(one), choices.values(), 1)
    if count > MOST_CASES:
        return None
    return [dict(zip(choices, case, strict=True)) for case in product(*choices.values())]


def _compared(expression: Expression) -> Iterator[tuple[Any, list[Any]]]:
    """Each thing that is compared, and the fixed values that it is held against."""
    match expression:
        case Literal():
            return
        case Name(_, name):
            yield name, [True]
        case Operation(_, word, parts) if word in _JOINS:
            for part in parts:
                yield from _compared(part)
        case Operation() if outcome(expression) is None:
            yield _subject(expression), _values(expression)


def _choices(subject: Any, values: list[Any]) -> list[Any]:
    if _is_of_two(subject):
        return [-1, 0, 1]
    if any(isinstance(value, bool) for value in values):
        return [True, False]
    fixed = sorted(set(values), key=lambda value: (str(type(value)), value))
    if any(isinstance(value, str) for value in fixed):
        is_week = len(fixed) == _DAYS_OF_A_WEEK and subject == "weekday"
        return [*fixed, *([] if is_week else [None])]
    between = [(one, other) for one, other in pairwise(fixed) if not _are_neighbours(one, other)]
    return [*fixed, *between, (None, fixed[0]), (fixed[-1], None)] if fixed else [True, False]


def _are_neighbours(one: Any, other: Any) -> bool:
    """Of what is counted: days, and the smallest unit of money."""
    return isinstance(one, int) and isinstance(other, int) and other - one == 1


def _is_of_two(subject: Any) -> bool:
    return isinstance(subject, tuple) and subject[0] == "both sides"


def _subject(comparison: Operation) -> Any:
    sides = _sides(comparison)
    if sides is not None:
        return shape_of(sides[0])
    if comparison.word in _SIGNS:
        return "both sides", *sorted(map(shape_of, comparison.parts), key=repr)
    return shape_of(comparison)


def _values(comparison: Operation) -> list[Any]:
    sides = _sides(comparison)
    if sides is None:
        return []
    return [_size(one.value) for one in sides[1]]


def _sides(comparison: Operation) -> tuple[Expression, list[Literal]] | None:
    """What is compared, and the fixed values beside it; None where there are no fixed values of one kind."""
    if comparison.word not in _SIGNS and comparison.word not in ("in", "not in"):
        return None
    literals = [part for part in comparison.parts if isinstance(part, Literal)]
    others = [part for part in comparison.parts if not isinstance(part, Literal)]
    if len(others) != 1 or not literals or (comparison.word not in _SIGNS and comparison.parts[0] is not others[0]):
        return None
    return others[0], literals


def _size(value: Any) -> Any:
    match value:
        case Money():
            return value.minor
        case Percent():
            return float(value.hundredths)
        case bool() | int() | str() | float():
            return value
        case date():
            return value.toordinal()
    # Days, and times of the day: minutes are no neighbours, because a clock has seconds.
    return float(value.days) if hasattr(value, "days") else value.hour * 60.0 + value.minute


# ---- one case


def _is_yes(expression: Expression, case: Case) -> bool:
    match expression:
        case Literal(_, _, value):
            return bool(value)
        case Name(_, name):
            return bool(case[name])
        case Operation(_, "not", (part,)):
            return not _is_yes(part, case)
        case Operation(_, "and", parts):
            return all(_is_yes(part, case) for part in parts)
        case Operation(_, "or", parts):
            return any(_is_yes(part, case) for part in parts)
    assert isinstance(expression, Operation)
    known = outcome(expression)
    return known if known is not None else _holds(expression, case[_subject(expression)])


def _holds(comparison: Operation, chosen: Any) -> bool:
    sides = _sides(comparison)
    if sides is None:
        if comparison.word not in _SIGNS:
            return bool(chosen)
        is_turned = sorted(map(shape_of, comparison.parts), key=repr)[0] != shape_of(comparison.parts[0])
        return _SIGNS[comparison.word](-chosen if is_turned else chosen)
    subject, literals = sides
    if comparison.word in ("in", "not in"):
        return (chosen in [_size(one.value) for one in literals]) == (comparison.word == "in")
    word = comparison.word if comparison.parts[0] is subject else _TURNED.get(comparison.word, comparison.word)
    return _SIGNS[word](_against(chosen, _size(literals[0].value)))


def _against(chosen: Any, value: Any) -> int:
    """The sign of what is chosen, held against a fixed value. Of a text there is only the same and another."""
    if not isinstance(chosen, tuple):
        return 0 if chosen == value else -1 if isinstance(value, str | bool) or chosen is None or chosen < value else 1
    low, high = chosen
    return -1 if low is None or (high is not None and value >= high) else 1
