"""Takes committed intents to the bank, exactly once, and finds out what became of those that got no answer.

The rule that everything here serves: after a request may have left, silence means `unknown`. What an unknown charge is
asked about follows from what its bank promises and from nothing else (`ivr.bank.after_silence`): inquired for by our own
reference; or asked for again under the same idempotency key, which is an inquiry and no second charge; or undone. It is
never sent blindly again. Why each outcome may be final is argued in docs/money.md.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from ivr import metrics
from ivr.bank import (
    AuthorizationRequest,
    Bank,
    BankAnswer,
    NextQuestion,
    Promises,
    Question,
    after_silence,
    judge,
)
from ivr.store import KEPT_CARD, KEPT_TOLD, UNDO_ASKED, BankWord, DatabaseError, FollowUp, Job, Payment, Status, Store

log = structlog.get_logger()
RETRY_S = 2.0  # a bank that could not be reached is tried again this often
TRIES = 10  # and given up on after this many: about as long as a caller waits
INQUIRIES = 4  # asked this often, with growing pauses; then the charge is reversed
LONGEST_PAUSE_S = 300.0
UNDOING_PAUSE_S = 1800.0  # the bank has taken the undo; asked again, should its notification be lost
# The same few for all charges; to look one up among the labels costs more than to count.
RECORD_PAUSES_S = (0.1, 0.5, 2.0)  # the bank's answer is in hand and the database is away: kept this long


@dataclass(frozen=True)
class Charges:
    """`due`: the time that decides what is due; None for the database's own. `tell_billing`: whether approvals are told."""

    store: Store
    banks: Mapping[str, Bank]
    now: Callable[[], datetime]
    due: datetime | None
    lease_s: float
    pause: Callable[[float], object]
    tell_billing: bool

    # ---- a charge

    def authorize(self, job: Job) -> None:
        payment = self._traced(job, self._payment(job))
        sealed = self.store.mark_sent(job)
        if sealed is None:
            # An earlier holder of this job died after it may have sent: only the bank knows.
            self._record(job, payment, "unknown")
            return
        if not sealed:
            log.warning("the kept card was forgotten before its charge was sent", reference=payment.intent.reference)
            self._record(job, payment, "not_sent")
            return
        answer = self._ask(payment, "authorize", lambda bank: bank.authorize(_request(payment, sealed, bank)))
        match answer.outcome:
            case "approved" | "declined":
                self._record(job, payment, answer.outcome, answer)
            case "not_sent":
                self._not_sent(job, payment)
            case "not_as_asked":
                # With its code: an unknown charge with a code is one to take back, whatever an inquiry would say.
                self._record(job, payment, "unknown", replace(answer, authorization_code=None))
            case _:
                self._record(job, payment, "unknown")

    def _traced(self, job: Job, payment: Payment) -> Payment:
        """What the bank will find the request by is on disk before that leaves."""
        promises, name = self._promises(payment), payment.intent.bank
        if promises is None or not promises.traced:
            return payment
        now = self.now()
        trace = self.store.trace(job, name, lambda number: self.banks[name].new_trace(number, now), now)
        return replace(payment, bank_trace=trace, traced_at=now) if trace else payment

    def _not_sent(self, job: Job, payment: Payment) -> None:
        """Nothing left, so nothing was charged: try again while the caller may still be waiting, then give up."""
        if job.attempts < TRIES:
            self.store.put_back(job, RETRY_S, self.due)
        else:
            self._record(job, payment, "not_sent")

    # ---- a charge without an answer

    def resolve(self, job: Job) -> None:
        """Asks what the bank's promises say; a charge with a refusing code or another amount is taken back at once.

        So is one that was told to be undone before: that request may still be on its way, and an approval that is found
        meanwhile would be undone after it was believed.
        """
        payment = self._payment(job)
        if payment.response_code is not None or UNDO_ASKED in self.store.entries(job.reference):
            self._reverse(job, payment)
            return
        match self._next_question(payment):
            case "inquire":
                self._inquire(job, payment)
            case "repeat":
                self._repeat(job, payment)
            case "undo":
                self._reverse(job, payment)
            case "wait":
                self._later(job)
            case "nothing":
                log.error("nobody can say what became of a charge: ask the bank", reference=job.reference)
                self._later(job)

    def _next_question(self, payment: Payment) -> NextQuestion:
        """A bank that `banks.yaml` no longer names is asked nothing: `_ask` says so, and it stays unknown."""
        promises = self._promises(payment)
        if promises is None:
            return "inquire"
        sent_s = (self.now() - payment.traced_at).total_seconds() if payment.traced_at else None
        return after_silence(promises, (self.now() - payment.begun_at).total_seconds(), sent_s)

    def _promises(self, payment: Payment) -> Promises | None:
        bank = self.banks.get(payment.intent.bank)
        return bank.promises if bank else None

    def _inquire(self, job: Job, payment: Payment) -> None:
        """The bank that has never heard of it, or still cannot say, is told to reverse it."""
        answer = self._ask(payment, "inquire", lambda bank: bank.inquire(payment.intent.reference))
        match answer.outcome:
            case "approved" | "declined" | "reversed":
                self._record(job, payment, answer.outcome, answer)
            case "not_sent":
                self._later(job)  # nor would a reversal leave
            case "not_found" | "not_as_asked":
                # Not found is no proof: the request may still be on its way. A reversal blocks it when it arrives.
                self._reverse_next(job, payment)
            case _ if job.attempts >= INQUIRIES:
                self._reverse_next(job, payment)
            case _:
                self._later(job)

    def _repeat(self, job: Job, payment: Payment) -> None:
        """The same request, under the same key: the answer to the first one, or the charge that was agreed to.

        `not_sent` says nothing about the first one, so it is no end here.
        """
        sealed = self.store.sealed_again(job)
        if sealed is None:
            return  # the lease has moved on, or a notification has brought the answer
        answer = self._ask(payment, "repeat", lambda bank: bank.authorize(_request(payment, sealed, bank)))
        match answer.outcome:
            case "approved" | "declined":
                self._record(job, payment, answer.outcome, answer)
            case "not_as_asked":
                self._reverse_next(job, payment)
            case _:
                self._later(job)

    def _reverse_next(self, job: Job, payment: Payment) -> None:
        """The inquiry may have used up most of the lease."""
        if self.store.renew(job, self.lease_s, self.due):
            self._reverse(job, payment)

    def _reverse(self, job: Job, payment: Payment) -> None:
        promises = self._promises(payment)
        if promises is not None and promises.traced:
            answer = self._undo(job, payment)
        else:
            answer = self._reverse_by_reference(job, payment, promises)
        if answer is None:
            return
        if answer.outcome == "reversed":
            self._record(job, payment, "reversed", answer)
        elif answer.outcome == "undoing":
            self.store.postpone(job, UNDOING_PAUSE_S, self.due)
        else:
            self._later(job)

    def _reverse_by_reference(self, job: Job, payment: Payment, promises: Promises | None) -> BankAnswer | None:
        reference = payment.intent.reference
        if promises is not None and not self._may_undo(job):
            return None
        return self._ask(payment, "reverse", lambda bank: bank.reverse(reference))

    def _undo(self, job: Job, payment: Payment) -> BankAnswer | None:
        """Whoever asks after a crash says that it was asked before."""
        sealed = self.store.sealed_again(job)
        was_asked = UNDO_ASKED in self.store.entries(job.reference)
        if sealed is None or not self._may_undo(job):
            return None
        return self._ask(payment, "reverse", lambda bank: bank.undo(_request(payment, sealed, bank), was_asked))

    def _may_undo(self, job: Job) -> bool:
        """Noted before it leaves, so that whoever holds the job later believes nothing but its outcome. False where that is
        another one by now: it may have found the charge approved, which must then stay so."""
        return self.store.note_unanswered(job, UNDO_ASKED, self.now())

    # ---- the money of an approved charge, where the bank does not take it with the authorization

    def capture(self, job: Job) -> None:
        """Its approval stands in the ledger by now. Taken up by the bank, it is done here; a notification tells the outcome."""
        payment = self._payment(job)
        number = payment.bank_reference
        if number is None:
            log.error("no reference of the bank's to capture by: capture it there", reference=job.reference)
            self._later(job)
            return
        if not self.store.renew(job, self.lease_s, self.due):
            return  # it was voided meanwhile
        intent = payment.intent
        answer = self._ask(payment, "capture", lambda bank: bank.capture(intent.reference, number, intent.amount))
        if answer.outcome == "capturing":
            self.store.note_charge(job.reference, "capture_asked", self.now())
            self.store.finish(job)
        else:
            self._later(job)

    def _later(self, job: Job) -> None:
        pause = min(2.0 ** min(job.attempts, 10) / 2, LONGEST_PAUSE_S)
        self.store.postpone(job, pause, self.due)

    # ---- around them

    def _ask(self, payment: Payment, question: Question, call: Callable[[Bank], BankAnswer]) -> BankAnswer:
        name, reference = payment.intent.bank, payment.intent.reference
        if name not in self.banks:
            log.error("no such bank", bank=name, reference=reference)
            return BankAnswer("not_sent", reference)
        started = time.perf_counter()
        try:
            answer = call(self.banks[name])
        except Exception as error:
            # A fault of the client's, and by now the request may have left.
            log.error("bank client", reference=reference, reason=type(error).__name__)
            answer = BankAnswer("unknown", reference)
        metrics.BANK_SECONDS.labels(name, question, answer.outcome).observe(time.perf_counter() - started)
        # What an operator has to see and may have to mend: a line, a certificate, an address.
        note = log.warning if answer.outcome in ("not_sent", "unknown") else log.info
        note("bank", message=question, reference=reference, outcome=answer.outcome, reason=answer.reason)
        return self._judged(answer, payment, question)

    def _judged(self, answer: BankAnswer, payment: Payment, question: Question) -> BankAnswer:
        """What the bank says and what it says it with must agree; where they do not, the operator is told."""
        takes_part = payment.takes_part and self.banks[payment.intent.bank].promises.partial_approval
        judged = judge(answer, question, payment.intent.amount, takes_part=takes_part)
        if judged is not answer and judged.approved is None:
            metrics.BANK_DOUBTS.labels(payment.intent.bank, str(judged.reason)).inc()
            log.warning(
                "the bank's answer is in doubt",
                message=question,
                reference=answer.reference,
                outcome=answer.outcome,
                code=answer.response_code,
                doubt=judged.reason,
                taken_as=judged.outcome,
            )
        return judged

    def _record(self, job: Job, payment: Payment, status: Status, answer: BankAnswer | None = None) -> None:
        """Should the database stay away, the lease runs out and the next holder inquires: slower, and as safe."""
        word = _word(answer) if answer else None
        promises = self._promises(payment)
        captures, refunds = (
            (False, False) if promises is None else (promises.captures_apart, "refund" in promises.operations)
        )
        follow_up = FollowUp(self.tell_billing, captures, refunds)
        for pause_s in (*RECORD_PAUSES_S, None):
            try:
                recorded = self.store.record(job, status, self.now(), word, follow_up)
            except DatabaseError:
                if pause_s is None:
                    raise
                self.pause(pause_s)
            else:
                break
        if not recorded:
            log.warning("lease lost", reference=payment.intent.reference, status=status)

    def _payment(self, job: Job) -> Payment:
        payment = self.store.payment(job.reference)
        if payment is None:
            raise LookupError(f"outbox job {job.id} has no intent")
        return payment


def _word(answer: BankAnswer) -> BankWord:
    about = answer.authorization_code, answer.response_code, answer.bank_reference
    return BankWord(*about, answer.approved, answer.kept_token, answer.kept_until)


def _request(payment: Payment, sealed: Mapping[str, str], bank: Bank) -> AuthorizationRequest:
    intent = payment.intent
    fields = {name: seal for name, seal in sealed.items() if name not in (KEPT_CARD, KEPT_TOLD)}
    return AuthorizationRequest(
        reference=intent.reference,
        idempotency_key=intent.reference,
        merchant=intent.merchant,
        call=intent.call,
        amount=intent.amount,
        moto=True,
        sealed=fields,
        invoice_reference=intent.payable_key,
        capture_later=intent.captures_later,
        keep_card=intent.keeps_card,
        kept_card=sealed.get(KEPT_CARD, ""),
        trace=payment.bank_trace,
        takes_part=payment.takes_part and bank.promises.partial_approval,
    )
