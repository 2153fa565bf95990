"""The model's share of a bill that several cards pay: parts, what becomes of them, and the voids that take them back.

As `store.splits` and `store.modifications` have it, for one thing after another.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from ivr.core.actions import SplitPart
from ivr.core.call import OPEN, OPEN_PARTS, PartState
from ivr.core.money import Money
from ivr.store import (
    NOTICES,
    DueChanged,
    FollowUp,
    IntentBill,
    Job,
    Modification,
    ModificationState,
    ModificationWord,
    Payment,
    PaymentIntent,
    Store,
    bank_queue,
    notices_of,
)

JOB = "modification"


@dataclass
class BegunPayment:
    """A payment, and what limits count it by."""

    payment: Payment
    fingerprint: str
    at: datetime


class ModelledSplits(Store):
    """Stands on what `ModelledStore` keeps."""

    _begun: dict[str, BegunPayment]
    _modifications: dict[str, Modification]

    def take_back(self, call_id: str, now: datetime) -> None:
        for one in [one for one in self.payments_of(call_id) if one.part in OPEN_PARTS]:
            if one.status in OPEN:
                self._part(one, "undoing")
            elif one.status == "approved":
                self._undo(one, now)

    def settle_left_open(self, now: datetime) -> int:
        """None are left where nothing broke."""
        return 0

    def _agreed_part(self, intent: PaymentIntent, part: SplitPart, left: Money) -> PaymentIntent | DueChanged:
        """As `store.splits.agreed_part`, where nothing of a part comes back by itself."""
        parts = [one.payment for one in self._begun.values() if one.payment.split == part.first]
        held = [one for one in parts if one.status == "approved" and one.part in OPEN_PARTS]
        total = Money(left.minor + sum(one.intent.amount.minor for one in held), left.currency)
        if intent.is_as_agreed(left):
            return replace(intent, part=replace(part, total=total))
        if left.minor > 0 or not held:
            return DueChanged(Money(max(left.minor, 0), left.currency))
        if left.minor < 0:
            return DueChanged(Money(max(total.minor, 0), left.currency), parts="overpaid")
        self._count_for_good(held)
        return DueChanged(total, parts="paid")

    def _count_for_good(self, approved: Sequence[Payment]) -> None:
        for one in approved:
            self._part(one, "")
            self._follow_approval(one.intent, self._follow_ups()[one.intent.reference])
            self._hurry(one.intent.reference)

    def _call_ended(self, call_id: str, now: datetime) -> None:
        for split in sorted({one.split for one in self.payments_of(call_id) if one.split}):
            self._decide(split, now, is_over=True)

    def _heard(self, payment: Payment, follow_up: FollowUp, now: datetime) -> None:
        """The bank's last word on a part."""
        self._follow_ups()[payment.intent.reference] = follow_up
        if payment.status != "approved":
            self._part(payment, "")
        elif payment.part == "undoing":
            self._undo(payment, now)
            return
        self._decide(payment.split, now, is_over=self._is_over(payment.intent.call))

    def _decide(self, split: str, now: datetime, *, is_over: bool) -> None:
        parts = [one.payment for one in self._begun.values() if one.payment.split == split]
        approved = [one for one in parts if one.status == "approved" and one.part in OPEN_PARTS]
        is_whole = sum(one.intent.amount.minor for one in approved) >= (parts[-1].split_minor or 0)
        if not approved or (not is_whole and (not is_over or any(one.status in OPEN for one in parts))):
            return
        if is_whole or approved[0].part == "keep":
            self._count_for_good(approved)
        else:
            for one in approved:
                self._undo(one, now)

    def _follow_ups(self) -> dict[str, FollowUp]:
        raise NotImplementedError

    def _follow_approval(self, intent: PaymentIntent, follow_up: FollowUp) -> None:
        for bill in intent.paid_bills if not follow_up.tell_billing else ():
            self._lower_bill(bill)
        if follow_up.tell_billing and not intent.captures_later and (intent.payable_key or intent.account):
            for notice in notices_of(intent):
                self._add_job("notice", notice, NOTICES)

    def _undo(self, payment: Payment, now: datetime) -> None:
        self._part(payment, "undoing")
        reference, amount = payment.intent.reference, payment.intent.amount
        void = Modification(
            *(
                f"{reference}-m1",
                reference,
                1,
                "void",
                amount,
                amount,
                "asked",
                "the model",
                now,
                False,
                None,
                None,
                None,
            )
        )
        self._modifications[void.id] = void
        self._add_job(JOB, void.id, bank_queue(payment.intent.bank))

    def _part(self, payment: Payment, part: PartState) -> None:
        begun = self._begun[payment.intent.reference]
        begun.payment = replace(begun.payment, part=part)

    def _held_minor(self, source: str, key: str) -> int:
        mine = [one.payment for one in self._begun.values() if one.payment.intent.payable_key == key]
        held = [one for one in mine if one.status == "approved" and one.part in OPEN_PARTS]
        return sum(one.intent.amount.minor for one in held if one.intent.payable_source == source)

    # ---- the forwarder's side of a void

    def modification(self, key: str) -> Modification | None:
        return self._modifications.get(key)

    def modifications_of(self, reference: str) -> Sequence[Modification]:
        return [one for one in self._modifications.values() if one.reference == reference]

    def mark_modification_sent(self, job: Job) -> bool:
        return self._held(job) is not None and self._move_modification(job.reference, "sent")

    def put_back_modification(self, job: Job, pause_s: float, due: datetime | None, reason: str | None) -> bool:
        return self.postpone(job, pause_s, due) and self._move_modification(job.reference, "asked")

    def doubt_modification(self, job: Job, pause_s: float, due: datetime | None, reason: str | None) -> bool:
        return self.postpone(job, pause_s, due) and self._move_modification(job.reference, "unknown")

    def end_modification(
        self,
        job: Job,
        status: ModificationState,
        word: ModificationWord,
        now: datetime,
        follow_up: FollowUp | None = None,
        *,
        refunds: bool = False,
    ) -> bool:
        if not self.finish(job) or not self._move_modification(job.reference, status):
            return False
        payment = self._begun[self._modifications[job.reference].reference].payment
        self._part(payment, "undone" if status == "done" else "")
        self._hurry(payment.intent.reference)
        return True

    def _move_modification(self, key: str, status: ModificationState) -> bool:
        self._modifications[key] = replace(self._modifications[key], status=status)
        return True

    # ---- what the rest of the model has

    def _add_job(self, kind: str, reference: str, queue: str) -> None:
        raise NotImplementedError

    def _hurry(self, reference: str) -> None:
        raise NotImplementedError

    def _lower_bill(self, paid: IntentBill) -> None:
        raise NotImplementedError

    def _held(self, job: Job) -> object | None:
        raise NotImplementedError

    def _is_over(self, call: str) -> bool:
        raise NotImplementedError


def begun(intent: PaymentIntent, number: str, now: datetime) -> Payment:
    part = intent.part
    if part is None:
        return Payment(intent, "accepted", number, None, now)
    split = {
        "part": part.rest_unpaid,
        "split": part.first,
        "split_minor": part.total.minor,
        "takes_part": part.takes_part,
    }
    return Payment(intent, "accepted", number, None, now, **split)  # type: ignore[arg-type]


def with_approved(payment: Payment, approved: Money | None) -> Payment:
    """The payment with the part of its amount that the bank has approved."""
    if approved is None:
        return payment
    return replace(payment, intent=replace(payment.intent, amount=approved), asked=payment.intent.amount)
