"""What the ledger knows of a call's charges, put into the call before it ends: the call's own memory may be behind.

A process may have died between the charge and the call's row, an answer of the bank may have come since, a row may
have been written by another version. The ledger is durable and knows; so every ending that is not the flow's own (a
fault, a hang-up, a call that is swept up) asks here first.
"""

from collections.abc import Sequence
from dataclasses import replace

from ivr.core.call import Call
from ivr.core.events import Value
from ivr.store import FINAL, Payment


def for_a_listener(call: Call, payments: Sequence[Payment]) -> Call:
    """The caller is on the line and is told now: what is final is said, what is not will be told by text."""
    undecided = [payment for payment in payments if payment.status not in FINAL]
    approved = [payment for payment in payments if payment.status == "approved"]
    last = undecided or payments
    call = replace(call, charged_attempt=_attempt(last[-1]) if last else 0, unsettled=bool(undecided))
    if not approved:
        values = {name: value for name, value in call.values.items() if name != "confirmation_number"}
        return replace(call, values=values)
    number = approved[-1].confirmation_number or ""
    paid: dict[str, Value] = {"amount": approved[-1].intent.amount, "confirmation_number": number, "number": number}
    return replace(call, values={**call.values, **paid})


def for_a_caller_who_left(call: Call, payments: Sequence[Payment]) -> Call:
    """Whoever left before they heard how their last charge ended is told by text, even where it has ended by now."""
    unheard = [payment for payment in payments if _is_unheard(call, payment)]
    if not unheard:
        return for_a_listener(call, payments)
    return replace(call, charged_attempt=_attempt(unheard[-1]), unsettled=True)


def _is_unheard(call: Call, payment: Payment) -> bool:
    attempt = _attempt(payment)
    is_last = attempt == call.charged_attempt and call.unsettled
    return payment.status not in FINAL or attempt > call.charged_attempt or is_last


def _attempt(payment: Payment) -> int:
    """An intent's reference is `<call>-<attempt>`."""
    return int(payment.intent.reference.rpartition("-")[2])
