"""Takes committed intents to the bank, exactly once, and finds out what became of those that got no answer.

The rule that everything here serves: after a request may have left, silence means `unknown`. An unknown charge is
inquired for by our own reference and, if the bank cannot say, reversed; it is never sent again.
"""

import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

from ivr import metrics
from ivr.bank import AuthorizationRequest, Bank, BankAnswer, HttpsBank, load_banks
from ivr.errors import IvrError
from ivr.logs import set_up_logging
from ivr.runner.texting import TextSender, text_sender
from ivr.settings import load_settings
from ivr.store import BankWord, Job, Payment, Status, Store, open_store

log = structlog.get_logger()
LEASE_S = 60.0  # longer than the bank client's whole patience: a lease that ends early costs an inquiry, not money
IDLE_S = 0.1
RETRY_S = 2.0  # a bank that could not be reached is tried again this often
NOT_SENT_PATIENCE_S = 20.0  # and given up on after this: about as long as a caller waits
INQUIRIES = 4  # asked this often, with growing pauses; then the charge is reversed
LONGEST_PAUSE_S = 300.0
HOUSEKEEPING_S = 60.0
UNSENT_CARD_LIFE_S = 3600.0  # sealed fields of an attempt that was never charged live no longer


@dataclass(frozen=True)
class Forwarder:
    """Any number of these, in any number of processes, may share a store."""

    store: Store
    banks: Mapping[str, Bank]
    send_text: TextSender
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    lease_s: float = LEASE_S

    def run_once(self) -> bool:
        """One job, if one is due; False where there was nothing to do."""
        job = self.store.claim(self.now(), self.lease_s)
        if job is None:
            return False
        self.do(job)
        return True

    def do(self, job: Job) -> None:
        match job.kind:
            case "authorize":
                self.authorize(job)
            case "resolve":
                self.resolve(job)
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
        if job.attempts * RETRY_S < NOT_SENT_PATIENCE_S:
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
        name = payment.intent.bank
        started = time.perf_counter()
        answer = call(self.banks[name])
        metrics.BANK_SECONDS.labels(name, message, answer.outcome).observe(time.perf_counter() - started)
        log.info("bank", message=message, reference=payment.intent.reference, outcome=answer.outcome)
        return answer

    def _record(self, job: Job, payment: Payment, status: Status, answer: BankAnswer | None = None) -> None:
        word = BankWord(answer.authorization_code, answer.response_code) if answer else None
        if not self.store.record(job, status, self.now(), word):
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


class Crew:
    """A pool of threads around one forwarder, so that a slow bank holds up only its own charges."""

    def __init__(self, forwarder: Forwarder, hands: int = 16) -> None:
        self._forwarder = forwarder
        self._pool = ThreadPoolExecutor(hands, thread_name_prefix="forwarder")
        self._hands = hands
        self._busy: set[Future[None]] = set()
        self._next_housekeeping = 0.0

    def run(self, stop: threading.Event) -> None:
        """Until `stop` is set; what is under way is finished first."""
        while not stop.is_set():
            self._busy = {job for job in self._busy if not job.done()}
            if len(self._busy) >= self._hands or not self._start_one():
                self._keep_house()
                stop.wait(IDLE_S)
        wait(self._busy)
        self._pool.shutdown()

    def _start_one(self) -> bool:
        try:
            job = self._forwarder.store.claim(self._forwarder.now(), self._forwarder.lease_s)
        except Exception as error:
            log.error("cannot read the outbox", reason=type(error).__name__)
            return False
        if job is None:
            return False
        self._busy.add(self._pool.submit(self._do, job))
        return True

    def _do(self, job: Job) -> None:
        try:
            self._forwarder.do(job)
        except Exception as error:
            # The lease runs out and the job is taken up again; if it had been marked sent, by an inquiry.
            log.error("job failed", job=job.id, kind=job.kind, reason=type(error).__name__)

    def _keep_house(self) -> None:
        if time.monotonic() < self._next_housekeeping:
            return
        self._next_housekeeping = time.monotonic() + HOUSEKEEPING_S
        before = self._forwarder.now() - timedelta(seconds=UNSENT_CARD_LIFE_S)
        dropped = self._forwarder.store.drop_unsent_cards(before)
        if dropped:
            log.info("dropped sealed fields of abandoned calls", fields=dropped)


def main() -> None:
    """`python -m ivr.runner.forwarder`: one process of the Procfile; stops cleanly on SIGTERM and SIGINT."""
    settings = load_settings()
    set_up_logging(settings.log_level, settings.log_format)
    banks = {name: HttpsBank(bank) for name, bank in load_banks(settings.banks, settings.var).items()}
    forwarder = Forwarder(open_store(settings.database_url), banks, text_sender(settings))
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    log.info("forwarder", banks=sorted(banks))
    Crew(forwarder).run(stop)


if __name__ == "__main__":
    try:
        main()
    except IvrError as error:
        sys.exit(f"forwarder: {error}")
