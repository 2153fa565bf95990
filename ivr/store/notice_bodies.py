"""What the merchant's own systems are told, kind by kind, as docs/notices.md has it; how it is sent is the forwarder's.

No field has room for a card number: of a card there is brand and last four, of a caller the end of the number.
"""

from datetime import UTC, datetime
from typing import Literal, get_args

from pydantic import BaseModel, Field

from ivr.core.call import Call, Charge, ChargeStatus, Ending
from ivr.core.caller import mask_number
from ivr.core.money import Money
from ivr.store.intent_bills import IntentBill
from ivr.store.intents import Payment

PaymentKind = Literal["payment.approved", "payment.captured", "payment.declined", "payment.reversed", "payment.voided"]
AlertKind = Literal["alert.raised", "alert.over"]
NoticeKind = Literal[PaymentKind, "payment.refunded", "call.ended", "bill.paid", AlertKind]
NOTICE_KINDS: tuple[NoticeKind, ...] = get_args(NoticeKind)
_AMOUNT = Field(description="Digits and currency, as text.", examples=["42.50 USD"])
_FEE = Field(description="The part of it that was charged for the card; empty without one.", examples=["2.00 USD"])
_TIME = Field(description="When it was recorded (RFC 3339).", examples=["2026-01-15T12:00:00.000Z"])


class ToldPayment(BaseModel):
    """A charge, and what became of it."""

    reference: str = Field(description="Ours, of this one payment; the bank has it too.")
    amount: str = _AMOUNT
    fee: str = _FEE
    account: str = Field(description="What was paid for, as the caller keyed it in; empty for a gift.")
    card: str = Field(description="Brand and last four digits.", examples=["visa 1111"])
    confirmation_number: str = Field(description="What the caller was told; empty where nothing was charged.")
    response_code: str = Field(description="The bank's code, where it gave one.", examples=["51"])
    captured: bool = Field(
        description="False: nothing is taken. An approved amount is then reserved only, and `payments capture` takes it."
    )
    bank: str = Field(description="Its name in banks.yaml.")
    merchant: str
    call: str


class ToldRefund(ToldPayment):
    """The payment that was refunded, in part or in full."""

    refund: str = Field(description="Ours, of this one refund.")
    refunded: str = _AMOUNT


class ToldBill(BaseModel):
    """A payment on a bill, as BILLING_URL is told of it: once its money is taken."""

    account: str = Field(description="The bill, as the caller keyed it in.")
    amount: str = Field(description="What was paid on it, without a fee.", examples=["42.50 USD"])
    fee: str = Field(description="Charged for the card on top of it; empty without one.", examples=["2.00 USD"])
    reference: str
    confirmation_number: str
    card: str = Field(description="Brand and last four digits.", examples=["visa 1111"])
    merchant: str
    call: str


class ChargeOfCall(BaseModel):
    """As it stood when the call ended."""

    reference: str
    amount: str = _AMOUNT
    fee: str = _FEE
    status: ChargeStatus
    confirmation_number: str
    reserved: bool = Field(
        description="It takes no money by itself: once approved it is reserved until it is captured."
    )


class ToldCall(BaseModel):
    """A call that is over."""

    call: str
    flow: str
    channel: str
    language: str
    caller: str = Field(description="The last three digits of the number, or 'withheld'.", examples=["...100"])
    called: str
    started_at: str = Field(description="RFC 3339.")
    outcome: Ending = Field(
        description="pending: a charge has no answer yet; a notice of the payment follows. reserved: an amount is held, not taken."
    )
    hung_up: bool
    transferred: bool
    charges: list[ChargeOfCall]


class ToldAlert(BaseModel):
    """What is wrong with the line, or was."""

    alert: int = Field(description="The same for an alert's beginning and its end.")
    kind: str = Field(description="As docs/alerts.md lists them.", examples=["bank_silent"])
    about: str = Field(description="A bank, a caller (as a hash), a machine.", examples=["acme_bank"])
    words: str = Field(description="What is wrong, and what cures it.")


class AlertNotice(BaseModel):
    """`alert.raised` and `alert.over`."""

    type: AlertKind
    timestamp: str = _TIME
    data: ToldAlert


class PaymentNotice(BaseModel):
    """`payment.approved`, `payment.captured`, `payment.declined`, `payment.reversed` and `payment.voided`."""

    type: PaymentKind
    timestamp: str = _TIME
    data: ToldPayment


class RefundNotice(BaseModel):
    """`payment.refunded`."""

    type: Literal["payment.refunded"]
    timestamp: str = _TIME
    data: ToldRefund


class BillNotice(BaseModel):
    """`bill.paid`."""

    type: Literal["bill.paid"]
    timestamp: str = _TIME
    data: ToldBill


class CallNotice(BaseModel):
    """`call.ended`."""

    type: Literal["call.ended"]
    timestamp: str = _TIME
    data: ToldCall


def alert_body(type_: AlertKind, number: int, alert: tuple[str, str, str], at: datetime) -> str:
    kind, about, words = alert
    data = ToldAlert(alert=number, kind=kind, about=about, words=words)
    return AlertNotice(type=type_, timestamp=written(at), data=data).model_dump_json()


def payment_body(kind: PaymentKind, payment: Payment, at: datetime) -> str:
    is_reserved = kind == "payment.approved" and payment.intent.captures_later
    is_taken = payment.status == "approved" and not is_reserved and kind != "payment.voided"
    data = ToldPayment(**_of_payment(payment), captured=is_taken)
    return PaymentNotice(type=kind, timestamp=written(at), data=data).model_dump_json()


def refund_body(payment: Payment, refund: str, amount: Money, at: datetime) -> str:
    data = ToldRefund(**_of_payment(payment), captured=True, refund=refund, refunded=str(amount))
    return RefundNotice(type="payment.refunded", timestamp=written(at), data=data).model_dump_json()


def bill_body(payment: Payment, bill: IntentBill, at: datetime) -> str:
    whole = _of_payment(payment)
    whole["amount"] = str(bill.amount)
    if payment.intent.bills:
        whole["account"] = bill.key
    if bill != payment.intent.paid_bills[0]:
        whole["fee"] = ""  # it is charged once
    data = ToldBill(**{name: whole[name] for name in ToldBill.model_fields})
    return BillNotice(type="bill.paid", timestamp=written(at), data=data).model_dump_json()


def call_body(call: Call, started_at: datetime, at: datetime) -> str:
    data = ToldCall(
        call=call.id,
        flow=call.flow,
        channel=call.channel,
        language=call.language,
        caller=mask_number(call.ani),
        called=call.dnis,
        started_at=written(started_at),
        outcome=call.outcome or call.known_ending,
        hung_up=call.hung_up,
        transferred=bool(call.transferred_to),
        charges=[
            ChargeOfCall(
                reference=call.intent_of(one.attempt),
                amount=str(one.amount),
                fee=str(one.fee or ""),
                status=told_status(one),
                confirmation_number=one.confirmation_number if told_status(one) == one.status else "",
                reserved=one.reserves,
            )
            for one in call.charges
        ],
    )
    return CallNotice(type="call.ended", timestamp=written(at), data=data).model_dump_json()


def told_status(charge: Charge) -> ChargeStatus:
    """A part of a bill that is not paid in full is not known to be charged, and one that was taken back is not."""
    if charge.status != "approved" or charge.part in ("", "keep"):
        return charge.status
    return "reversed" if charge.part == "undone" else "unknown"


def written(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _of_payment(payment: Payment) -> dict[str, str]:
    intent = payment.intent
    return {
        "reference": intent.reference,
        "amount": str(intent.amount),
        "fee": str(intent.fee or ""),
        "account": intent.account,
        "card": intent.card_summary,
        "confirmation_number": payment.receipt_number,
        "response_code": payment.response_code or "",
        "bank": intent.bank,
        "merchant": intent.merchant,
        "call": intent.call,
    }
