"""Keeps what a caller has agreed to, with the words that were said, before the call goes on."""

from datetime import datetime

from ivr.calls.payments import Payments, short_hash
from ivr.core.actions import RecordAgreement
from ivr.core.call import Call
from ivr.store import Agreement


def record_agreement(payments: Payments, call: Call, action: RecordAgreement, at: datetime) -> None:
    """However often the same key is delivered, it is one agreement; another bill, amount or day is another one."""
    agreement = Agreement(
        reference=reference_of(call, action, payments.ani_key),
        kind=action.kind,
        subject=action.subject,
        merchant=payments.merchant,
        call=call.id,
        flow=call.flow,
        flow_version=action.phrase.version,
        account=call.payable.key if call.payable else "",
        amount=action.amount,
        wording=payments.words(action.phrase),
        language=action.phrase.language,
        key=action.key,
        at=at,
        terms=dict(action.terms),
    )
    payments.store.record_agreement(agreement, tell_billing=payments.tells_billing)


def reference_of(call: Call, action: RecordAgreement, key: bytes) -> str:
    """Ours, of this one agreement: the call's id, and letters that stand for what was agreed to and what it is for."""
    what = f"{action.kind} {action.subject} {action.amount} {action.terms} {action.about}"
    return f"{call.id}-{action.kind}-{short_hash(key, what)}"
