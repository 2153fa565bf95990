"""Tells the merchant's billing system of each agreement, until it has acknowledged it; the form is that of `notices`."""

import json
from dataclasses import dataclass
from typing import Literal

import structlog
from pydantic import BaseModel, Field

from ivr import metrics
from ivr.forwarder.notices import Notices
from ivr.store import Agreement, Job

UNREADABLE_PAUSE_S = 3600.0
log = structlog.get_logger()


class AgreementData(BaseModel):
    """Amounts are written as in the endpoint's own answers."""

    kind: str = Field(description="promise, plan or mandate.")
    subject: str = Field(description="What the flow calls it.")
    account: str = Field(description="As the caller keyed it in; empty where nothing was looked up.")
    amount: str = Field(description="What is to be paid in all, or each time for a mandate.", examples=["42.50 USD"])
    terms: dict[str, str] = Field(description="By name: by when, how many instalments of how much, how often.")
    wording: str = Field(description="What the caller heard, word for word.")
    language: str
    key: str = Field(description="What the caller pressed.")
    reference: str = Field(description="Ours, of this one agreement.")
    flow_version: str
    merchant: str
    call: str


class AgreementNotice(BaseModel):
    """The body of POST `<billing_url>`."""

    type: Literal["agreement.made"]
    timestamp: str = Field(description="When the caller agreed (RFC 3339).")
    data: AgreementData


@dataclass(frozen=True)
class AgreementNotices:
    """One POST a try, signed like a payment's."""

    notices: Notices

    def tell(self, job: Job) -> None:
        store, now = self.notices.store, self.notices.at()
        agreement = store.agreement(job.reference)
        if agreement is None:
            # Both were written at once: its row cannot be read, and somebody has to mend it.
            log.error("notice of an agreement that cannot be read", reference=job.reference)
            store.postpone(job, UNREADABLE_PAUSE_S, now)
            return
        problem = self.notices.post(f"agreed-{agreement.reference}", body_of(agreement))
        if problem is None:
            store.acknowledge_agreement(job, now)
            metrics.NOTICES.labels("taken").inc()
        else:
            self.notices.try_later(job, "an agreement", agreement.at, account=agreement.account, reason=problem)


def body_of(agreement: Agreement) -> str:
    """The same at every try."""
    data = AgreementData(
        kind=agreement.kind,
        subject=agreement.subject,
        account=agreement.account,
        amount=str(agreement.amount),
        terms=dict(agreement.terms),
        wording=agreement.wording,
        language=agreement.language,
        key=agreement.key,
        reference=agreement.reference,
        flow_version=agreement.flow_version,
        merchant=agreement.merchant,
        call=agreement.call,
    )
    timestamp = agreement.at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return json.dumps(AgreementNotice(type="agreement.made", timestamp=timestamp, data=data).model_dump())
