"""The amounts that a flow's own expressions give, worked out from its text and what was due, without the call's arithmetic."""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from functools import cached_property, lru_cache
from itertools import islice, product
from typing import Any

from ivr.core.events import Value
from ivr.core.money import Money
from ivr.flow.compiled import Flow
from ivr.flow.expressions import UnreadableFormula, evaluate, names_in, read_expression
from ivr.flow.parts import Formula
from ivr.reading.scalars import BILL_VALUES

Named = tuple[tuple[str, Value], ...]
_ROUNDINGS = {"half_up": ROUND_HALF_UP, "up": ROUND_CEILING, "down": ROUND_FLOOR}
MOST_KEPT = 1024  # sums of one flow
MOST_ROUNDS = 16  # times that a call goes through the steps that set a value from itself
MOST_TOGETHER = 512  # ways in which the values of one expression can stand together


@dataclass(frozen=True)
class FlowAmounts:
    """What a flow's text says of amounts: looked up once, asked at every turn of many calls."""

    flow: Flow

    @cached_property
    def fixed(self) -> frozenset[int]:
        """Written in the flow, in minor units."""
        return frozenset(amount.minor for step in self.flow.steps.values() for _, amount in step.fixed_amounts)

    @cached_property
    def least_is_kept(self) -> bool:
        """Nobody can choose less than a bill's least amount."""
        asked = [step for step in self.flow.steps.values() if "between" in type(step).model_fields]
        bounds = [getattr(step, "between", None) for step in asked]
        return all(between is not None and between[0] == "bill.min" for between in bounds)

    def fee(self, step: str, brand: str, minor: int) -> int:
        """What a card of this brand costs at this step on top of the amount, by the text of the flow, in minor units."""
        written: Any = getattr(self.flow.steps.get(step), "fee", None)
        if written is None or (rate := written.rate.get(brand)) is None:
            return 0
        if isinstance(rate, Money):
            fee = rate.minor
        else:
            share = Decimal(rate.written.rstrip(" %")) * minor / 100
            fee = int(share.to_integral_value(_ROUNDINGS[written.round]))
        return min(fee, written.at_most.minor) if written.at_most else fee

    @cached_property
    def formulas(self) -> tuple[Formula, ...]:
        return tuple(one for step in self.flow.steps.values() for one in step.formulas())

    def computed(
        self, dues: Collection[int], leasts: Collection[int], known: Mapping[str, Value], keyed: Collection[int] = ()
    ) -> frozenset[int]:
        """In minor units, for each amount that was due during the call; never more than that. `known`: what look-ups gave;
        `keyed`: amounts that the caller keyed in, of which `amount` may be one."""
        if not self.formulas:
            return frozenset()
        named = tuple((name, known[name]) for name in self._names if name in known)
        chosen = self.fixed | frozenset(keyed) if "amount" in self._names else frozenset()
        return self._computed(frozenset(dues), frozenset(leasts or (0,)), named, chosen)

    @cached_property
    def _names(self) -> frozenset[str]:
        """What the formulas are made of, besides what is due."""
        expressions = (read_expression(one.text) for one in self.formulas if one.gives == "money" or one.name)
        return frozenset(one.name for expression in expressions for one in names_in(expression)) - BILL_VALUES

    @cached_property
    def _computed(self) -> Callable[[frozenset[int], frozenset[int], Named, frozenset[int]], frozenset[int]]:
        """The same few sums are asked for at every turn."""
        return lru_cache(MOST_KEPT)(self._compute)

    def _compute(
        self, dues: frozenset[int], leasts: frozenset[int], named: Named, chosen: frozenset[int]
    ) -> frozenset[int]:
        currency, found = self.flow.head.limits.max_amount.currency, set[int]()
        by_flow = {one.name for one in self.formulas} | {"amount"}  # not as the call has them: they are worked out
        given: dict[str, set[Any]] = {name: {value} for name, value in named if name not in by_flow}
        given["amount"] = {Money(minor, currency) for minor in chosen}
        for due in dues:
            for least in leasts:
                bill = {"bill.due": {Money(due, currency)}, "bill.min": {Money(least, currency)}}
                found |= {min(minor, due) for minor in _amounts(self.formulas, {**given, **bill})}
        return frozenset(found)


def _amounts(formulas: Collection[Formula], given: Mapping[str, Collection[Any]]) -> Iterator[int]:
    """Several steps may set one value, and a step a value again, from itself (`price - 5.00 USD`): all that each may be."""
    found = {name: set(values) for name, values in given.items()}
    setting = [one for one in formulas if one.name or one.gives == "money"]
    for _ in range(MOST_ROUNDS):  # a value that is made of others has its own once theirs are known
        before = sum(map(len, found.values()))
        for one in setting:
            found.setdefault(one.name or "amount", set()).update(_values(one.text, found))
        if sum(map(len, found.values())) == before:
            break
    for one in setting:
        if one.gives == "money":
            yield from _minors(_values(one.text, found))


def _minors(values: Collection[Any]) -> Iterator[int]:
    return (one.minor for one in values if isinstance(one, Money))


def _values(text: str, found: Mapping[str, Collection[Any]]) -> set[Any]:
    """Nothing where it is made of what this call does not know: it cannot be chosen in it."""
    expression = read_expression(text)
    names, values = sorted({one.name for one in names_in(expression)}), set[Any]()
    for together in islice(product(*(found.get(name, ()) for name in names)), MOST_TOGETHER):
        with suppress(KeyError, TypeError, ValueError, UnreadableFormula):
            values.add(evaluate(expression, dict(zip(names, together, strict=True)).__getitem__))
    return values
