"""Takes committed intents to the bank, exactly once, and finds out what became of those that got no answer.

The rule that everything here serves: after a request may have left, silence means `unknown`. An unknown charge is
inquired for by our own reference and, if the bank cannot say, reversed; it is never sent again. Why each outcome may
be final is argued in docs/money.md; how many jobs are done at once is for `forwarder_crew`.
"""

import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

from ivr import metrics
from ivr.bank import AuthorizationRequest, Bank, BankAnswer, HttpsBank, load_banks
from ivr.errors import IvrError
from ivr.logs import set_up_logging
from ivr.runner.assembly import load_flows
from ivr.runner.forwarder_crew import Crew
from ivr.runner.forwarder_results import ResultText, result_words
from ivr.runner.sweeping import sweeper
from ivr.runner.texting import TextSender, text_sender
from ivr.settings import load_settings
from ivr.store import FINAL, BankWord, DatabaseError, Job, Payment, Status, Store, open_store

log = structlog.get_logger()
LEASE_S = 60.0  # longer than the bank client's whole patience: a lease that ends early costs an inquiry, not money
RETRY_S = 2.0  # a bank that could not be reached is tried again this often
TRIES = 10  # and given up on after this many: about as long as a caller waits
INQUIRIES = 4  # asked this often, with growing pauses; then the charge is reversed
LONGEST_PAUSE_S = 300.0
RESULT_PAUSE_S = 5.0  # a promised text waits for its result with this pause
RECORD_PAUSES_S = (0.1, 0.5, 2.0)  # the bank's answer is in hand and the database is away: kept this long


@dataclass(frozen=True)
class Forwarder:
    """Any number of these, in any number of processes, may share a store.

    `write_result`: the words of the text for a caller who was promised the result.
    """

    store: Store
    banks: Mapping[str, Bank]
    send_text: TextSender
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    lease_s: float = LEASE_S
    write_result: ResultText | None = None
    pause: Callable[[float], object] = time.sleep

    def run_once(self) -> bool:
        """One job, if one is due; False where there was nothing to do."""
        jobs = self.store.claim_jobs(self.now(), self.lease_s, 1)
        for job in jobs:
            self.do(job)
        return bool(jobs)

    def do(self, job: Job) -> None:
        match job.kind:
            case "authorize":
                self.authorize(job)
            case "resolve":
                self.resolve(job)
            case "result":
                self.tell_result(job)
            case "sms":
                self.text(job)

    # ---- a charge

    def authorize(self, job: Job) -> None:
        payment = self._payment(job)
        sealed = self.store.mark_sent(job)
        if sealed is None:
            # An earlier holder of this job died after it may have sent: only the bank knows.
            self._record(job, payment, "unknown")
            return
        answer = self._ask(payment, "authorize", lambda bank: bank.authorize(_request(payment, sealed)))
        match answer.outcome:
            case "approved" | "declined":
                self._record(job, payment, answer.outcome, answer)
            case "not_sent":
                self._not_sent(job, payment)
            case _:
                self._record(job, payment, "unknown")

    def _not_sent(self, job: Job, payment: Payment) -> None:
        """Nothing left, so nothing was charged: try again while the caller may still be waiting, then give up."""
        if job.attempts < TRIES:
            self.store.put_back(job, self.now() + timedelta(seconds=RETRY_S))
        else:
            self._record(job, payment, "not_sent")

    # ---- a charge without an answer

    def resolve(self, job: Job) -> None:
        """Inquire; the bank that has never heard of it, or still cannot say, is told to reverse it."""
        payment = self._payment(job)
        reference = payment.intent.reference
        answer = self._ask(payment, "inquire", lambda bank: bank.inquire(reference))
        if answer.outcome in ("approved", "declined", "reversed"):
            self._record(job, payment, answer.outcome, answer)
        elif answer.outcome == "not_found" or job.attempts >= INQUIRIES:
            # Not found is no proof: the request may still be on its way. A reversal blocks it when it arrives.
            self._reverse(job, payment)
        else:
            self._later(job)

    def _reverse(self, job: Job, payment: Payment) -> None:
        reference = payment.intent.reference
        answer = self._ask(payment, "reverse", lambda bank: bank.reverse(reference))
        if answer.outcome == "reversed":
            self._record(job, payment, "reversed", answer)
        else:
            self._later(job)

    def _later(self, job: Job) -> None:
        pause = min(2.0 ** min(job.attempts, 10) / 2, LONGEST_PAUSE_S)
        self.store.postpone(job, self.now() + timedelta(seconds=pause))

    # ---- texts

    def tell_result(self, job: Job) -> None:
        """The text that a caller who hung up, or could not wait, gets once there is a result to tell."""
        payment = self.store.payment(job.reference)
        stored = self.store.load_call(payment.intent.call) if payment else None
        if payment is None or stored is None or self.write_result is None:
            log.warning("nobody to tell the result to", reference=job.reference)
        elif payment.status not in FINAL:
            self.store.postpone(job, self.now() + timedelta(seconds=RESULT_PAUSE_S))
            return
        else:
            words = self.write_result(stored.call, payment)
            self.store.queue_sms(f"{job.reference}-result", stored.call.ani, words, self.now())
        self.store.finish(job)

    def text(self, job: Job) -> None:
        message = self.store.text_message(job.reference)
        if message is None or message.is_sent:
            self.store.finish(job)
            return
        try:
            self.send_text(message)
        except OSError as error:
            log.warning("text not sent", job=job.id, reason=type(error).__name__)
            self._later(job)
            return
        self.store.text_sent(job, self.now())

    # ---- around them

    def _ask(self, payment: Payment, message: str, call: Callable[[Bank], BankAnswer]) -> BankAnswer:
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
        metrics.BANK_SECONDS.labels(name, message, answer.outcome).observe(time.perf_counter() - started)
        log.info("bank", message=message, reference=reference, outcome=answer.outcome, reason=answer.reason)
        return answer

    def _record(self, job: Job, payment: Payment, status: Status, answer: BankAnswer | None = None) -> None:
        """Should the database stay away, the lease runs out and the next holder inquires: slower, and as safe."""
        word = BankWord(answer.authorization_code, answer.response_code) if answer else None
        for pause_s in (*RECORD_PAUSES_S, None):
            try:
                recorded = self.store.record(job, status, self.now(), word)
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


def _request(payment: Payment, sealed: Mapping[str, str]) -> AuthorizationRequest:
    intent = payment.intent
    return AuthorizationRequest(
        reference=intent.reference,
        idempotency_key=intent.reference,
        merchant=intent.merchant,
        call=intent.call,
        amount=intent.amount,
        moto=True,
        sealed=sealed,
    )


def main() -> None:
    """`python -m ivr.runner.forwarder`: one process of the Procfile; stops cleanly on SIGTERM and SIGINT."""
    settings = load_settings()
    set_up_logging(settings.log_level, settings.log_format)
    banks = {name: HttpsBank(bank) for name, bank in load_banks(settings.banks, settings.var).items()}
    flows, prompts = load_flows(settings.flows)
    store = open_store(settings.database_url)
    forwarder = Forwarder(store, banks, text_sender(settings), write_result=result_words(prompts))
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    log.info("forwarder", banks=sorted(banks))
    Crew(forwarder, sweep=sweeper(store, flows, prompts, settings.trunk_max_minutes)).run(stop)


if __name__ == "__main__":
    try:
        main()
    except IvrError as error:
        sys.exit(f"forwarder: {error}")
