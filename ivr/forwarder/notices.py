"""Tells the merchant's billing system of each approved payment on one of its bills, until it has acknowledged it.

The form is Standard Webhooks (https://www.standardwebhooks.com): the same `webhook-id` at every try, signed anew each time.
Whatever the billing system answers, the card was charged and stays charged; docs/billing.md is the contract.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import structlog
from pydantic import BaseModel, Field
from standardwebhooks.webhooks import Webhook

from ivr import metrics
from ivr.calls.billing import access_of
from ivr.calls.billing_endpoint import Access
from ivr.calls.billing_secret import webhook_of
from ivr.forwarder.signed_posts import LIMIT_S, TRIED_FOR, SignedPosts, pause_after
from ivr.places import COMMAND
from ivr.settings import Settings
from ivr.store import IntentBill, Job, Payment, Store

log = structlog.get_logger()


class PaidBill(BaseModel):
    """Amounts are written as in the endpoint's own answers."""

    account: str = Field(description="As the caller keyed it in.")
    amount: str = Field(
        description="What was paid on it; of several bills in one sum its own part.", examples=["42.50 USD"]
    )
    reference: str = Field(description="Ours, of this one payment; the bank has it too.")
    confirmation_number: str = Field(description="What the caller was told.")
    card: str = Field(description="Brand and last four digits.", examples=["visa 1111"])
    merchant: str
    call: str
    fee: str = Field(
        default="",
        description="Charged for the card on top of the amount, and paid on nothing. Left out where there is none.",
        examples=["2.00 USD"],
    )


class PaidNotice(BaseModel):
    """The body of POST `<billing_url>`."""

    type: Literal["bill.paid", "payment.made"] = Field(description="payment.made: what it is for was not looked up.")
    timestamp: str = Field(
        description="When the bank's approval was recorded, or its capture where the amount was reserved before (RFC 3339)."
    )
    data: PaidBill


@dataclass(frozen=True)
class Notices:
    """What is to be told, when it is tried again, and when it is given up; `signed_posts` has how it is sent."""

    store: Store
    access: Access
    webhook: Webhook
    now: Callable[[], datetime] | None = None  # None: jobs by the database's clock, signatures by this machine's

    def tell(self, job: Job) -> None:
        told = self.store.told_of(job.reference)
        paid_at = self.store.paid_at(told[0]) if told else None
        if told is None or paid_at is None:
            log.error("notice without a payment", reference=job.reference)
            self.store.finish(job)
            return
        payment, bill = told
        problem = self.post(f"paid-{job.reference}", notice_body(payment, paid_at, bill))
        if problem is None:
            self.store.acknowledge(job, self.at())
            metrics.NOTICES.labels("taken").inc()
        else:
            account = bill.key if bill else payment.intent.account
            self.try_later(job, "a payment", paid_at, account=account, reason=problem)

    def at(self) -> datetime:
        return self.now() if self.now else datetime.now(UTC)

    def post(self, notice: str, body: str) -> str | None:
        """`notice`: the same at every try. What is wrong; None where it was taken."""
        refused = SignedPosts(self.access, (self.webhook,)).post(notice, body, self.at())
        return refused.words if refused else None

    def try_later(self, job: Job, what: str, since: datetime, *, account: str, reason: str) -> None:
        """`since`: when there first was something to tell."""
        about = {"reference": job.reference, "account": account, "reason": reason}
        if self.at() - since >= TRIED_FOR:
            log.error(f"notice of {what} given up; `{COMMAND} notices resend` tries it again", **about)
            self.store.give_up_notice(job)
            metrics.NOTICES.labels("given_up").inc()
            return
        pause_s = pause_after(job.attempts)
        log.error(f"the billing system was not told of {what}", **about, again_in_s=round(pause_s))
        self.store.postpone(job, pause_s, self.now() if self.now else None)
        metrics.NOTICES.labels("failed").inc()


def notice_body(payment: Payment, paid_at: datetime, of_sum: IntentBill | None = None) -> str:
    """The same at every try. `of_sum`: of several bills that were paid in one sum the one that is told of."""
    intent = payment.intent
    bill = PaidBill(
        account=of_sum.key if of_sum else intent.account,
        amount=str(of_sum.amount if of_sum else intent.credited),
        reference=intent.reference,
        confirmation_number=payment.receipt_number,
        card=intent.card_summary,
        merchant=intent.merchant,
        call=intent.call,
        fee=str(intent.fee or "") if of_sum in (None, *intent.bills[:1]) else "",  # it is charged once
    )
    timestamp = paid_at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return json.dumps(
        PaidNotice(
            type="bill.paid" if intent.payable_key else "payment.made", timestamp=timestamp, data=bill
        ).model_dump(exclude_defaults=True)
    )


# ---- from settings


def notices_of(settings: Settings, store: Store, now: Callable[[], datetime] | None = None) -> Notices | None:
    """None where bills are in the embedded table: it is lowered with the approval itself."""
    if not settings.billing_url:
        return None
    access = access_of(settings)
    sender = Access(access.url, access.token, access.ca, LIMIT_S)
    return Notices(store, sender, webhook_of(settings), now)
