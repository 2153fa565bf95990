"""What a flow keeps of a caller who agreed to it, from one call to the next: read as a call begins, in such a flow alone.

A caller is known by the number that the network gives, which can be forged: what is read is an offer of a language and of an
account, and opens nothing that keying in the account does not.
"""

from datetime import datetime

import structlog

from ivr.calls.payments import Payments
from ivr.core.call import Call
from ivr.core.remembered import Remembered
from ivr.flow.compiled import Flow
from ivr.store import Agreement

log = structlog.get_logger()


def recall(payments: Payments, flow: Flow | None, call: Call, at: datetime) -> Remembered | None:
    """None for a caller who is nobody or has agreed to nothing; where it cannot be read the call goes on without it."""
    who = payments.ani_hash(call.ani)
    if flow is None or not flow.remembers or not who:
        return None
    try:
        kept = payments.store.recall(who, call.flow, at)
    except Exception as fault:
        log.error("cannot read what is remembered of a caller", call=call.id, kind=type(fault).__name__)
        return None
    return kept.only(flow.remembers) if kept else None


def remember(payments: Payments, call: Call, what: Remembered, consent: Agreement) -> None:
    payments.store.remember_caller(payments.ani_hash(call.ani), call.flow, what, consent.reference, consent.at)


def forget_caller(payments: Payments, call: Call) -> None:
    if who := payments.ani_hash(call.ani):
        payments.store.forget_caller(who, call.flow)
