"""The amounts that a flow's own expressions give, worked out from its text and what was due, without the call's arithmetic."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from functools import cached_property, lru_cache
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

    def computed(self, dues: Collection[int], leasts: Collection[int], known: Mapping[str, Value]) -> frozenset[int]:
        """In minor units, for each amount that was due during the call; never more than that. `known`: what look-ups gave."""
        if not self.formulas:
            return frozenset()
        named = tuple((name, known[name]) for name in self._names if name in known)
        return self._computed(frozenset(dues), frozenset(leasts or (0,)), named)

    @cached_property
    def _names(self) -> frozenset[str]:
        """What the formulas are made of, besides what is due."""
        expressions = (read_expression(one.text) for one in self.formulas if one.gives == "money" or one.name)
        return frozenset(one.name for expression in expressions for one in names_in(expression)) - BILL_VALUES

    @cached_property
    def _computed(self) -> Callable[[frozenset[int], frozenset[int], Named], frozenset[int]]:
        """The same few sums are asked for at every turn."""
        return lru_cache(MOST_KEPT)(self._compute)

    def _compute(self, dues: frozenset[int], leasts: frozenset[int], named: Named) -> frozenset[int]:
        currency, found = self.flow.head.limits.max_amount.currency, set[int]()
        for due in dues:
            for least in leasts:
                given = {**dict(named), "bill.due": Money(due, currency), "bill.min": Money(least, currency)}
                found |= {min(minor, due) for minor in _amounts(self.formulas, given)}
        return frozenset(found)


def _amounts(formulas: Collection[Formula], given: Mapping[str, Value]) -> Iterator[int]:
    set_by = {one.name: one.text for one in formulas if one.name and one.name != "amount"}

    def look(name: str) -> Any:
        return evaluate(read_expression(set_by[name]), look) if name in set_by else given[name]

    for one in formulas:
        if one.gives == "money":
            try:
                amount = evaluate(read_expression(one.text), look)
            except (KeyError, TypeError, ValueError, UnreadableFormula):
                continue  # it is made of what this call does not know, and cannot be chosen in it
            yield amount.minor
