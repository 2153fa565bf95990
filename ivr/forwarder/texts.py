"""Texts and e-mails among the forwarder's jobs: the result that a caller was promised, and whatever is queued."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

import structlog
from prometheus_client import Counter

from ivr import metrics
from ivr.calls.results import ResultText
from ivr.calls.texting import TextDelayed, TextRefused, TextSender, can_be_kept
from ivr.core.call import Call
from ivr.store import TOLD_AGAIN, Job, Payment, Store, TextProblem, Way

log = structlog.get_logger()
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 300.0
TRIES_IN_DOUBT = 3  # of an e-mail that may have been taken: a second copy is folded, a tenth is a nuisance
TRIES = 300  # about a day at the longest pause; a receipt that comes later puzzles more than it helps


@dataclass(frozen=True)
class TextJobs:
    """`now`: what is written beside a text; `due`: the time that pauses count from, None for the database's own clock."""

    store: Store
    send_text: TextSender
    send_email: TextSender
    write_result: ResultText | None
    now: Callable[[], datetime]
    due: datetime | None = None
    write_subject: ResultText | None = None

    def do(self, job: Job) -> None:
        if job.kind == "result":
            self.tell_result(job)
        elif job.kind == TOLD_AGAIN:
            self.tell_again(job)
        else:
            self.text(job)

    def tell_result(self, job: Job) -> None:
        """The text that a caller who hung up, or could not wait, gets once there is a result to tell; an e-mail where no text
        can go and the look-up gave an address.

        The ledger makes the job due when the payment is final; the pauses are for the moment in between.
        """
        payment = self.store.payment(job.reference)
        if payment is None and self.settle(job.reference):
            self.store.finish(job)
            return
        stored = self.store.load_call(payment.intent.call) if payment else None
        if stored is not None and not stored.call.can_text and not stored.call.result_email:
            pass  # nothing was promised: the job was there to find out whether the charge had been begun
        elif payment is None or stored is None or self.write_result is None or not self._way(stored.call):
            log.warning("nobody to tell the result to", reference=job.reference)
        elif not payment.is_decided:
            self.store.postpone(job, pause_after(job.attempts), self.due)
            return
        else:
            self._queue_result(stored.call, self._as_it_stands(payment), "result")
        self.store.finish(job)

    def tell_again(self, job: Job) -> None:
        """A result that has changed after it could be told, in a text of its own: as it stands now, which may have changed once more.
        A part that is being taken back again waits for its end."""
        reference, _, why = job.reference.partition(" ")
        payment = self.store.payment(reference)
        stored = self.store.load_call(payment.intent.call) if payment else None
        if payment is not None and not payment.is_decided:
            self.store.postpone(job, pause_after(job.attempts), self.due)
            return
        if payment is None or stored is None or self.write_result is None or not self._way(stored.call):
            log.warning("nobody to tell the changed result to", reference=reference)
        else:
            self._queue_result(stored.call, self._as_it_stands(payment), f"{TOLD_AGAIN}_{why}")
        self.store.finish(job)

    def _as_it_stands(self, payment: Payment) -> Payment:
        """A part of a bill that the bank let go of before it was captured is not charged, although it was approved."""
        if not payment.split or not payment.is_charged:
            return payment
        story = self.store.entries(payment.intent.reference)
        is_let_go = "capture_failed" in story and "captured" not in story
        return replace(payment, part="undone") if is_let_go else payment

    def _way(self, call: Call) -> Way | None:
        if can_tell(call):
            return "text"
        return "email" if call.result_email and self.write_subject is not None else None

    def _queue_result(self, call: Call, payment: Payment, name: str) -> None:
        """Once for each charge and name, however often the job is done."""
        assert self.write_result is not None
        reference, words = payment.intent.reference, self.write_result(call, payment)
        if self._way(call) == "text":
            self.store.queue_sms(f"{reference}-{name}", call.ani, words, self.now())
        elif self.write_subject is not None:
            subject = self.write_subject(call, payment)
            self.store.queue_email(f"{reference}-{name}_email", call.result_email, subject, words, self.now())

    def settle(self, reference: str) -> bool:
        """A call that ended while the ledger could not be read, over a charge that was never begun: it is so no longer.

        The card is forgotten first: nobody can begin the charge after that. StaleCall, and another try, where the row is
        being changed.
        """
        stored = self.store.load_call(reference.rpartition("-")[0])
        if (
            stored is None
            or not stored.is_whole
            or stored.call.phase != "over"
            or not self.store.forget_card(reference)
        ):
            return False
        call = stored.call
        begun = tuple(charge for charge in call.charges if call.intent_of(charge.attempt) != reference)
        settled = replace(call, charges=begun)
        self.store.settle_call(stored, replace(settled, outcome=settled.known_ending))
        log.info("a charge in doubt was never begun", reference=reference, outcome=settled.known_ending)
        return True

    def text(self, job: Job) -> None:
        message = self.store.text_message(job.reference)
        if message is None or message.state != "waiting":
            self.store.finish(job)
            return
        reference, _, name = message.id.rpartition("-")
        if not name.startswith((TOLD_AGAIN, "resent_")) and self.store.is_told_again(reference):
            self._refuse(job, TextProblem("it is not true any more: another text says what is"))
            return
        try:
            kept = (self.send_email if message.way == "email" else self.send_text)(message)
        except TextRefused as refused:
            self._refuse(job, refused.problem)
        except TextDelayed as delayed:
            if delayed.may_be_sent and job.attempts >= TRIES_IN_DOUBT:
                self._refuse(job, delayed.problem)
            else:
                self._delay(job, delayed.problem)
        except OSError as error:
            self._delay(job, TextProblem(f"Twilio cannot be reached: {type(error).__name__}"))
        else:
            counted(job).labels(kept or "sent").inc()
            (self.store.text_kept if kept else self.store.text_sent)(job, self.now())

    def _delay(self, job: Job, problem: TextProblem) -> None:
        if job.attempts >= TRIES:
            self._refuse(job, TextProblem(f"given up after a day: {problem.words}", problem.is_account))
            return
        counted(job).labels("account_problem" if problem.is_account else "delayed").inc()
        log.warning(f"{job.kind} not sent yet", message=job.reference, reason=problem.words, attempt=job.attempts)
        self.store.text_delayed(job, problem, pause_after(job.attempts), self.now(), self.due)

    def _refuse(self, job: Job, problem: TextProblem) -> None:
        counted(job).labels("refused").inc()
        log.error(f"{job.kind} refused", message=job.reference, reason=problem.words)
        self.store.text_refused(job, problem, self.now())


def counted(job: Job) -> metrics.Labelled[Counter]:
    return metrics.EMAILS if job.kind == "email" else metrics.TEXTS


def can_tell(call: Call) -> bool:
    return call.can_text and can_be_kept(call.ani)


def pause_after(attempts: int) -> float:
    return min(FIRST_PAUSE_S * 2.0 ** min(attempts - 1, 10), LONGEST_PAUSE_S)
