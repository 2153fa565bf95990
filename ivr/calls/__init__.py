"""Between the pure core and the world: opens the vault, carries out effects, keeps a call going from event to event.

Public are the names of `__all__`, and the modules `alert_settings`, `answer_schema`, `assembly`, `bank_check`, `bank_keys`, `bank_news`, `billing`,
`billing_answer`, `billing_endpoint`, `billing_secret`, `checking_vault`, `emailing`, `flow_drafts`, `flow_folder`, `guessing`,
`live_flows`, `modifying`, `notice_settings`, `number_keys`, `pay_links`, `payment_lookup`, `payments`, `personal_data`, `production`,
`publishing`, `receipts`, `resending`, `results`, `retention`, `stopping`,
`sweeping`, `texting`.
"""

from ivr.calls.billing import Billing, BillingDown
from ivr.calls.live_flows import flow_of
from ivr.calls.runner import Advance, Runner, new_call, note_fault
from ivr.calls.session import Answered, CallService, NoSuchCall, Session
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
    "flow_of",
    "new_call",
    "note_fault",
]
