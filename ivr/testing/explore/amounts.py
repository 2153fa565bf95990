"""The amounts that a flow's own expressions give, worked out from its text and what was due, without the call's arithmetic."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from ivr.core.events import Value
from ivr.core.money import Money
from ivr.flow.compiled import Flow
from ivr.flow.expressions import UnreadableFormula, evaluate, read_expression


def computed_amounts(
    flow: Flow, dues: Collection[int], leasts: Collection[int], known: Mapping[str, Value]
) -> set[int]:
    """In minor units, for each amount that was due during the call; never more than that. `known`: what look-ups gave."""
    currency = flow.head.limits.max_amount.currency
    found: set[int] = set()
    for due in dues:
        for least in leasts or (0,):
            given = {**known, "bill.due": Money(due, currency), "bill.min": Money(least, currency)}
            found |= {min(minor, due) for minor in _amounts(flow, given)}
    return found


def _amounts(flow: Flow, given: Mapping[str, Value]) -> Iterator[int]:
    formulas = [one for step in flow.steps.values() for one in step.formulas()]
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
