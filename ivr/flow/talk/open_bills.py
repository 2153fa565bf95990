"""The open bills that a call has looked up: which of them are left, and what they come to."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from ivr.core.call import Call, Charge, Payable
from ivr.core.events import OpenBill, Value
from ivr.core.money import Money
from ivr.core.one_sum import in_one_sum
from ivr.flow.talk.turn import Turn
from ivr.reading.scalars import BILL, EMAIL

FACT = "open bills"  # that they have been looked up, for the checks
CHOSEN = "a bill is chosen"  # one of them, or all, or one that was looked up alone, for the checks
ONE_SUM = "one sum"  # that all of them are paid in one sum, for the checks


def left(call: Call) -> Sequence[OpenBill]:
    """Those that can still be paid: not one that is paid in full, nor one whose charge has no answer yet."""
    in_doubt = {key for charge in call.unsettled for key in (charge.payable, *charge.bills)}
    return [one for one in call.bills if one.key not in in_doubt and due_on(one).minor > 0]


def total(bills: Sequence[OpenBill]) -> Money:
    """They are in one currency: a flow charges in one."""
    return Money(sum(due_on(one).minor for one in bills), due_on(bills[0]).currency)


def all_of(bills: Sequence[OpenBill]) -> Payable:
    return in_one_sum([Payable(BILL, one.key, due_on(one)) for one in bills])


def address(bills: Sequence[OpenBill]) -> str:
    """Where one receipt for all of them goes; "" where they do not all give one and the same address."""
    given = {str(one.values.get(EMAIL, "")) for one in bills}
    return given.pop() if len(given) == 1 else ""


def owing(call: Call, dues: Mapping[str, Money]) -> tuple[OpenBill, ...]:
    """The call's bills with what is due now on some of them."""
    return tuple(replace(one, values=_owing(one, dues[one.key])) if one.key in dues else one for one in call.bills)


def _owing(bill: OpenBill, due: Money) -> Mapping[str, Value]:
    least = bill.values.get("bill.min")
    lowered = {"bill.min": min(least, due, key=lambda one: one.minor)} if isinstance(least, Money) else {}
    return {**bill.values, "bill.due": due, **lowered}


def left_after(call: Call, charge: Charge) -> Mapping[str, Money]:
    """What is due once this charge is approved on every bill that the call knows, where nobody else has paid any of them:
    first on what it pays for, then on the others of the list."""
    if call.payable is None:
        return {}
    if call.payable.parts:
        paid = {part.key: Money(0, part.owed.currency) for part in call.payable.parts}
    else:
        owed, credited = call.payable.owed, charge.credited
        paid = {call.payable.key: Money(max(owed.minor - credited.minor, 0), owed.currency)}
    return paid | {one.key: due_on(one) for one in call.bills if one.key not in paid}


def without(turn: Turn, keys: Collection[str]) -> Turn:
    """The turn without these bills in the list."""
    return turn.change(bills=tuple(one for one in turn.call.bills if one.key not in keys))


def due_on(bill: OpenBill) -> Money:
    due = bill.values.get("bill.due")
    if not isinstance(due, Money):
        raise TypeError("a bill says what is due")
    return due
