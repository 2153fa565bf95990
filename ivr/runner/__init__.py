"""Between the pure core and the world: opens the vault, carries out effects, keeps a call going from event to event."""

from ivr.runner.billing import Billing, BillingDown
from ivr.runner.runner import Advance, Runner, new_call, note_fault
from ivr.runner.session import Answered, CallService, NoSuchCall, Session
from ivr.store import StaleCall, StoredCall
from ivr.store import Store as CallStore

__all__ = [
    "Advance",
    "Answered",
    "Billing",
    "BillingDown",
    "CallService",
    "CallStore",
    "NoSuchCall",
    "Runner",
    "Session",
    "StaleCall",
    "StoredCall",
    "new_call",
    "note_fault",
]
