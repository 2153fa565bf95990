"""The open bills that a call has looked up: which of them are left, and what they come to."""

from collections.abc import Sequence
from dataclasses import replace

from ivr.core.call import Call
from ivr.core.events import OpenBill
from ivr.core.money import Money
from ivr.flow.talk.turn import Turn

FACT = "open bills"  # that they have been looked up, for the checks


def left(call: Call) -> Sequence[OpenBill]:
    """Those that can still be paid: not one that is paid in full, nor one whose charge has no answer yet."""
    in_doubt = {charge.payable for charge in call.unsettled}
    return [one for one in call.bills if one.key not in in_doubt and _due(one).minor > 0]


def total(bills: Sequence[OpenBill]) -> Money:
    """They are in one currency: a flow charges in one."""
    return Money(sum(_due(one).minor for one in bills), _due(bills[0]).currency)


def owing(call: Call, due: Money, least: Money | None) -> tuple[OpenBill, ...]:
    """The call's bills with what is due now on the one that is being paid for."""
    key = call.payable.key if call.payable else ""
    now = {"bill.due": due} | ({"bill.min": least} if least else {})
    return tuple(replace(one, values={**one.values, **now}) if one.key == key else one for one in call.bills)


def without_present(turn: Turn) -> Turn:
    """The turn without the bill that is being paid for in the list."""
    call = turn.call
    if not call.bills or call.payable is None:
        return turn
    return turn.change(bills=tuple(one for one in call.bills if one.key != call.payable.key))


def _due(bill: OpenBill) -> Money:
    due = bill.values.get("bill.due")
    if not isinstance(due, Money):
        raise TypeError("a bill says what is due")
    return due
