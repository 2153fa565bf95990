"""What a receipt says of a charge, by the ledger: to whom, how much, when, with which card, for what, and its number.

The same for each way that it takes: a text, an e-mail, and the text that tells a result after the call.
"""

from ivr.core.call import Call
from ivr.core.events import Value
from ivr.core.hours import zone_of
from ivr.core.money import Money
from ivr.flow.compiled import Flow
from ivr.store import Payment

DEFAULT_ZONE = "UTC"


def receipt_values(
    payment: Payment, call: Call, merchant: str, zone: str = DEFAULT_ZONE
) -> tuple[tuple[str, Value], ...]:
    """For prompts. `zone`: by whose clock the day is said. What was paid for is the flow's name where nothing was looked
    up or keyed in."""
    brand, _, last4 = payment.intent.card_summary.partition(" ")
    number = payment.receipt_number
    return (
        ("amount", payment.intent.amount),
        ("card_fee", payment.intent.fee or Money(0, payment.intent.amount.currency)),
        ("before_fee", payment.intent.credited),
        ("number", number),
        ("confirmation_number", number),
        ("merchant", merchant or payment.intent.merchant),
        ("paid_on", payment.begun_at.astimezone(zone_of(zone)).date()),
        ("brand", brand),
        ("last4", last4),
        ("paid_for", payment.intent.account or call.flow),
    )


def zone_at(flow: Flow | None) -> str:
    """A flow's own clock, where it has one."""
    return flow.head.hours.zone if flow is not None and flow.head.hours is not None else DEFAULT_ZONE
