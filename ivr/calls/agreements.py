"""Keeps what a caller has agreed to, with the words that were said, before the call goes on.

Where it is to be paid on a bill, what is due is asked for again first, as before a charge (`calls.charging`), and read in the
transaction that records it: a bill that is paid by then, or owes another amount, is not agreed to.
"""

from datetime import datetime

import structlog

from ivr.calls.billing import Billing, BillingDown, InOurTable
from ivr.calls.charging import due_now
from ivr.calls.payments import Payments, short_hash
from ivr.calls.remembering import remember
from ivr.core.actions import RecordAgreement
from ivr.core.call import Call, Payable
from ivr.core.events import AgreementRecorded, AgreementRefused, DueAwaited, Event
from ivr.core.money import Money
from ivr.store import AgreedBill, Agreement, BeingPaid, Due, DueChanged

log = structlog.get_logger()


def record_agreement(
    payments: Payments, billing: Billing, call: Call, action: RecordAgreement, at: datetime, bank: str
) -> Event:
    """However often the same key is delivered, it is one agreement; another bill, amount or day is another one. `bank`: the
    flow's, where a card that is agreed to be kept would be kept."""
    agreement = _agreement(payments, call, action, at)
    if action.remembers is not None:
        # On record first: nothing is kept of anybody that no consent is there for.
        payments.store.record_agreement(agreement)
        remember(payments, call, action.remembers, agreement)
        return AgreementRecorded(at)
    if action.of_card:
        refused = payments.store.record_agreement_of_card(agreement, bank, tell_billing=payments.tells_billing)
        return AgreementRefused(at, "stopped") if refused else AgreementRecorded(at)
    if action.payable is None:
        payments.store.record_agreement(agreement, tell_billing=payments.tells_billing)
        return AgreementRecorded(at)
    try:
        due = due_now(billing, action.payable, agreement.reference)
    except BillingDown as error:
        log.error("cannot read again what is due", call=call.id, reason=str(error))
        return _refuse(payments, agreement, at)
    if due is None:
        return _refuse(payments, agreement, at) if action.is_last else DueAwaited(at)
    bill = _bill(action, action.payable, None if isinstance(due, InOurTable) else due)
    match payments.store.record_agreement_on_bill(agreement, bill, tell_billing=payments.tells_billing):
        case BeingPaid():
            return AgreementRefused(at, "being_paid", left=payments.left_on_list(call, at))
        case DueChanged(left) if left.currency != action.amount.currency:
            log.error("a bill has changed its currency", call=call.id)
            return AgreementRefused(at, "not_payable")
        case DueChanged(left):
            reason = "due_changed" if left.minor > 0 else "nothing_due"
            return AgreementRefused(at, reason, left, payments.left_on_list(call, at))  # type: ignore[arg-type]
    return AgreementRecorded(at)


def _refuse(payments: Payments, agreement: Agreement, at: datetime) -> Event:
    """Nobody can say what is due. An agreement that another delivery of the key has recorded by now was made all the same."""
    if payments.store.agreement(agreement.reference) is not None:
        return AgreementRecorded(at)
    return AgreementRefused(at, "not_reached")


def _bill(action: RecordAgreement, payable: Payable, due: Due) -> AgreedBill:
    of_due: Money | None = None if action.is_own_amount else payable.owed
    return AgreedBill(payable.source, payable.key, action.amount, of_due, due)


def _agreement(payments: Payments, call: Call, action: RecordAgreement, at: datetime) -> Agreement:
    return Agreement(
        reference=reference_of(call, action, payments.ani_key),
        kind=action.kind,
        subject=action.subject,
        merchant=payments.merchant,
        call=call.id,
        flow=call.flow,
        flow_version=action.phrase.version,
        account=call.payable.key
        if call.payable and action.remembers is None
        else "",  # that is of the caller, and of no bill
        amount=action.amount,
        wording=payments.words(action.phrase),
        language=action.phrase.language,
        key=action.key,
        at=at,
        terms=dict(action.terms),
    )


def reference_of(call: Call, action: RecordAgreement, key: bytes) -> str:
    """Ours, of this one agreement: the call's id, and letters that stand for what was agreed to and what it is for."""
    what = f"{action.kind} {action.subject} {action.amount} {action.terms} {action.about}"
    return f"{call.id}-{action.kind}-{short_hash(key, what)}"
