"""Between the pure core and the world: opens the vault, carries out effects, keeps a call going from event to event."""

from ivr.runner.billing import Billing, BillingDown
from ivr.runner.runner import Advance, Runner, new_call
from ivr.store import StaleCall, StoredCall
from ivr.store import Store as CallStore

__all__ = [
    "Advance",
    "Billing",
    "BillingDown",
    "CallStore",
    "Runner",
    "StaleCall",
    "StoredCall",
    "new_call",
]
