"""From a consent to its charge: what is due is asked for again, while no thread waits, then the charge is begun, or not.

`Authorize` is carried out as often as the core repeats it, on whatever thread or node the call's next event comes to.
One intent is one charge however often that is: until the charge's transaction nothing is kept of it but the sealed card.

    the answer is under way    DueAwaited: the caller holds, and it is asked for again; another process asks anew
    the answer is there        the charge's transaction, which reads what has been paid here since it was asked for
    it cannot be had           the sealed card is deleted first, then nobody can begin the charge: "not charged" is true
    another delivery was first the charge it began is the call's, and its answer is waited for
"""

from datetime import datetime

import structlog

from ivr.calls.billing import Billing, BillingDown, InOurTable
from ivr.calls.payments import Payments
from ivr.core.actions import Authorize
from ivr.core.call import Call, Payable
from ivr.core.events import ChargeRefused, DueAwaited, Event, Waited
from ivr.flow.compiled import Flow
from ivr.store import Due

log = structlog.get_logger()


def authorize(
    payments: Payments, billing: Billing, call: Call, flow: Flow, action: Authorize, at: datetime
) -> Event | None:
    """None where the charge has begun and the bank has not answered. Nothing is charged where nobody can say what is due."""
    if action.payable is None:
        return payments.authorize(call, flow, action, at)
    try:
        due = due_now(billing, action.payable, action.intent)
    except BillingDown as error:
        log.error("cannot read again what is due", call=call.id, reason=str(error))
        return _refuse(payments, call, ChargeRefused(at, "not_reached"))
    if due is None:
        return _hold(payments, call, action, at)
    answer = payments.authorize(call, flow, action, at, None if isinstance(due, InOurTable) else due)
    if isinstance(answer, ChargeRefused) and answer.reason == "not_payable":
        log.error("a bill has changed its currency", call=call.id)
    return answer


def due_now(billing: Billing, payable: Payable, asker: str) -> Due | InOurTable:
    """None while the billing system is asked. BillingDown where it cannot be said. `asker`: of one consent."""
    if payable.parts:
        return billing.dues_now([part.key for part in payable.parts], asker)
    return billing.due_now(payable.source, payable.key, asker)


def _hold(payments: Payments, call: Call, action: Authorize, at: datetime) -> Event | None:
    if payments.has_begun(call):
        return payments.answer(call, Waited(at))
    if action.is_last:
        log.error("what is due was not said in time", call=call.id)
        return _refuse(payments, call, ChargeRefused(at, "not_reached"))
    return DueAwaited(at)


def _refuse(payments: Payments, call: Call, refusal: ChargeRefused) -> Event | None:
    """A charge that another delivery has begun by now cannot be refused any more."""
    return refusal if payments.forget(call.intent) else payments.answer(call, Waited(refusal.at))
