"""Takes refunds, voids and captures to the bank, each once, and finds out what became of those that got no answer.

As with charges: after a request may have left, silence means `unknown`, and what is asked then follows from what the bank
promises (`ivr.bank.after_silent_modification`). The same request under its own key comes first: it brings the answer to
the first one, or does what the operator asked for if that one was lost. A second request under another key is never made.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from ivr import metrics
from ivr.bank import (
    LEASE_S,
    Bank,
    BankAnswer,
    ModificationRequest,
    after_silent_modification,
    judge_modification,
)
from ivr.store import FollowUp, Job, Modification, ModificationState, ModificationWord, Payment, Store

log = structlog.get_logger()
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 300.0
TRIED_FOR = timedelta(hours=24)  # a bank that cannot be reached for so long: nothing has left, and the operator is told
# No connection lives so long: what a bank does not know by then has not arrived, and will not.
SURELY_LOST = timedelta(hours=24)


@dataclass(frozen=True)
class ModificationJobs:
    """`due`: the time that decides what is due; None for the database's own. `tell_billing`: whether a billing system is told
    of a reserved amount once it is captured."""

    store: Store
    banks: Mapping[str, Bank]
    now: Callable[[], datetime]
    due: datetime | None
    tell_billing: bool = False

    def do(self, job: Job) -> None:
        found = self.store.modification(job.reference)
        payment = self.store.payment(found.reference) if found else None
        if found is None or payment is None:
            raise LookupError(f"outbox job {job.id} has no modification")
        bank = self.banks.get(payment.intent.bank)
        if bank is None:
            log.error("no such bank", bank=payment.intent.bank, reference=found.id)
            self.store.postpone(job, LONGEST_PAUSE_S, self.due)
        elif found.status == "asked":
            self._send(job, found, payment, bank)
        elif found.status == "sent":
            # An earlier holder of this job died after it may have sent.
            self._doubt(job, "nobody has waited for the answer", pause_s=0.0)
        else:
            self._resolve(job, found, payment, bank)

    def _send(self, job: Job, found: Modification, payment: Payment, bank: Bank) -> None:
        if not self.store.mark_modification_sent(job):
            return  # the lease has moved on
        answer = self._ask(found, request_of(found, payment), payment.intent.bank, bank.modify)
        if answer.outcome != "not_sent":
            self._take(job, found, answer)
        elif self.now() - found.asked_at < TRIED_FOR:
            self.store.put_back_modification(job, pause_after(job), self.due, answer.reason)
        else:
            self._end(job, found, "failed", answer)

    def _resolve(self, job: Job, found: Modification, payment: Payment, bank: Bank) -> None:
        if not self.store.renew(job, LEASE_S, self.due):
            return  # it was settled meanwhile
        age = self.now() - found.asked_at
        again = replace(request_of(found, payment), is_repeat=True)
        match after_silent_modification(bank.promises, age.total_seconds()):
            case "repeat":
                answer = self._ask(found, again, payment.intent.bank, bank.modify)
            case "inquire":
                answer = self._ask(found, again, payment.intent.bank, bank.inquire_modification)
            case _:
                log.error("nobody can say what became of it: ask the bank", reference=found.id, kind=found.kind)
                answer = BankAnswer("unknown", found.reference, reason="the bank can no longer be asked")
        if answer.outcome == "not_found" and age >= SURELY_LOST:
            self._end(job, found, "failed", answer)
        else:
            self._take(job, found, answer)

    def _take(self, job: Job, found: Modification, answer: BankAnswer) -> None:
        """Not sent, of a repeated request, says nothing of the first one."""
        match answer.outcome:
            case "done" | "taken":
                self._end(job, found, answer.outcome, answer)
            case "refused":
                self._end(job, found, "failed", answer)
            case _:
                self._doubt(job, answer.reason or "no answer", pause_after(job))

    def _doubt(self, job: Job, reason: str, pause_s: float) -> None:
        self.store.doubt_modification(job, pause_s, self.due, reason)

    def _end(self, job: Job, found: Modification, status: ModificationState, answer: BankAnswer) -> None:
        word = ModificationWord(answer.bank_reference, answer.response_code, answer.reason)
        bank = self.banks.get(bank_of(found, self.store))
        refunds = bank is not None and "refund" in bank.promises.operations
        follow_up = FollowUp(self.tell_billing)
        if not self.store.end_modification(job, status, word, self.now(), follow_up, refunds=refunds):
            log.warning("lease lost", reference=found.id, status=status)
        elif status == "failed":
            log.error("the bank has not done it", reference=found.id, kind=found.kind, reason=answer.reason)

    def _ask(
        self,
        found: Modification,
        request: ModificationRequest,
        bank: str,
        question: Callable[[ModificationRequest], BankAnswer],
    ) -> BankAnswer:
        try:
            answer = question(request)
        except Exception as error:
            # A fault of the client's, and by now the request may have left.
            log.error("bank client", reference=found.id, reason=type(error).__name__)
            answer = BankAnswer("unknown", found.reference, reason="a fault of the bank's client")
        judged = judge_modification(answer, found.amount)
        if judged is not answer:
            metrics.BANK_DOUBTS.labels(bank, str(judged.reason)).inc()
        log.info("bank", message=found.kind, reference=found.id, outcome=judged.outcome, reason=judged.reason)
        return judged


def request_of(found: Modification, payment: Payment) -> ModificationRequest:
    """The same however often it is made."""
    about = found.kind, found.reference, found.id, found.amount, payment.intent.amount
    return ModificationRequest(*about, payment.bank_reference, payment.bank_trace)


def bank_of(found: Modification, store: Store) -> str:
    payment = store.payment(found.reference)
    return payment.intent.bank if payment else ""


def pause_after(job: Job) -> float:
    return min(FIRST_PAUSE_S * 2.0 ** min(job.attempts - 1, 10), LONGEST_PAUSE_S)
