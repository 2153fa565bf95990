"""What an expression of a step is worth at this moment of a call."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any

from ivr.core.caller import caller_key
from ivr.core.hours import OpeningHours
from ivr.core.money import Money
from ivr.core.remembered import IS_REMEMBERED
from ivr.flow.expressions import Expression, Literal, Name, UnreadableFormula, evaluate, names_in, read_expression
from ivr.flow.expressions.bounds import difference, is_nothing, negated, never_negative, sum_of
from ivr.flow.talk.turn import Turn


def value_of(turn: Turn, text: str) -> Any:
    """A value of the expression's type; KeyError for one that the call does not have, which `check` refuses."""
    return evaluate(read_expression(text), lambda name: _look(turn, name))


def money_of(turn: Turn, text: str) -> Money:
    value = value_of(turn, text)
    if not isinstance(value, Money):
        raise TypeError("an amount is money")
    return value


def fixed_amount(text: str) -> Money | None:
    """An amount that is the same in every call; None for what is computed, or cannot be read."""
    read = _read(text)
    return read.value if isinstance(read, Literal) and read.type == "money" else None


def is_no_less(text: str, other: str) -> bool | None:
    """Whether one amount is never less than another in any call; None where the two are the same in every call."""
    one, two = _read(text), _read(other)
    found = difference(one, two) if one and two else None
    return None if is_nothing(found) else never_negative(found)


def is_never_paid(text: str) -> bool:
    """Whether an amount is nothing or less in every call."""
    read = _read(text)
    return read is not None and never_negative(negated(sum_of(read)))


def is_name(text: str) -> bool:
    return isinstance(_read(text), Name)


def _read(text: str) -> Expression | None:
    try:
        return read_expression(text)
    except UnreadableFormula:
        return None


def names(text: str) -> frozenset[str]:
    read = _read(text)
    return frozenset(one.name for one in names_in(read)) if read else frozenset()


def with_next_opening(turn: Turn) -> Turn:
    """`opens_on` and `opens_at` are when the merchant opens next, by the clock there."""
    opening = _opening(turn).next_opening(_moment(turn))
    if opening is None:
        return turn
    return turn.remember(opens_on=opening.date(), opens_at=opening.time().replace(fold=0))


def today(turn: Turn) -> date:
    """By the clock of the flow's zone; by UTC where the flow has none."""
    return (_clock(turn) if turn.flow.head.hours else _moment(turn)).date()


def _look(turn: Turn, name: str) -> Any:
    return _OF_THE_CALL[name](turn) if name in _OF_THE_CALL else turn.call.values[name]


def _moment(turn: Turn) -> datetime:
    return datetime.fromtimestamp(turn.at, UTC)


def _opening(turn: Turn) -> OpeningHours:
    hours = turn.flow.head.hours
    if hours is None:
        raise ValueError("the flow has no time zone")
    return hours.opening


def _clock(turn: Turn) -> datetime:
    return _opening(turn).local(_moment(turn))


_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_CHANNELS = {"sip": "trunk", "audiosocket": "trunk"}  # a flow does not tell the ways of a trunk apart
_OF_THE_CALL: Mapping[str, Callable[[Turn], Any]] = {
    "today": lambda turn: _clock(turn).date(),
    "now": lambda turn: _clock(turn).time(),
    "weekday": lambda turn: _WEEKDAYS[_clock(turn).weekday()],
    "open": lambda turn: _opening(turn).is_open(_moment(turn)),
    "language": lambda turn: turn.call.language,
    "caller": lambda turn: turn.call.ani if caller_key(turn.call.ani) else "",
    "called": lambda turn: turn.call.dnis,
    "channel": lambda turn: _CHANNELS.get(turn.call.channel, turn.call.channel),
    "remembered": lambda turn: bool(turn.call.values.get(IS_REMEMBERED)),
}
