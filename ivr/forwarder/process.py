"""Takes committed intents to the bank, exactly once, and finds out what became of those that got no answer.

The rule that everything here serves: after a request may have left, silence means `unknown`. An unknown charge is
inquired for by our own reference and, if the bank cannot say, reversed; it is never sent again. Why each outcome may
be final is argued in docs/money.md; how many jobs are done at once is for `worker_pool`, texts for `texts`.
"""

import hashlib
import signal
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import structlog

from ivr import metrics
from ivr.bank import LEASE_S, AuthorizationRequest, Bank, BankAnswer, HttpsBank, Question, judge, load_banks
from ivr.calls import flow_folder
from ivr.calls.assembly import live_flows
from ivr.calls.production import require_production
from ivr.calls.sweeping import sweeper
from ivr.calls.texting import TextSender
from ivr.forwarder.agreement_notices import AgreementNotices
from ivr.forwarder.notices import Notices, notices_of
from ivr.forwarder.results import ResultText, result_words
from ivr.forwarder.texts import TextJobs
from ivr.forwarder.twilio_texts import text_sender
from ivr.forwarder.worker_pool import WorkerPool, queues_for, threads_of
from ivr.logs import set_up_logging
from ivr.settings import load_settings
from ivr.store import BankWord, DatabaseError, Job, Payment, Status, Store, open_store

log = structlog.get_logger()
RETRY_S = 2.0  # a bank that could not be reached is tried again this often
TRIES = 10  # and given up on after this many: about as long as a caller waits
INQUIRIES = 4  # asked this often, with growing pauses; then the charge is reversed
LONGEST_PAUSE_S = 300.0
RECORD_PAUSES_S = (0.1, 0.5, 2.0)  # the bank's answer is in hand and the database is away: kept this long
OUR_NUMBER_DIGITS = 8  # longer than field 38, so that nobody takes it for the bank's


def system_time() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Forwarder:
    """Any number of these, in any number of processes, may share a store.

    `write_result`: the words of the text for a caller who was promised the result. `now`: what is written beside ledger
    rows; what is due is for the database's own clock, unless another than this machine's was given (tests).
    """

    store: Store
    banks: Mapping[str, Bank]
    send_text: TextSender
    now: Callable[[], datetime] = system_time
    lease_s: float = LEASE_S
    write_result: ResultText | None = None
    pause: Callable[[float], object] = time.sleep
    notices: Notices | None = None

    @property
    def due(self) -> datetime | None:
        return None if self.now is system_time else self.now()

    def run_once(self) -> bool:
        """One job, if one is due; False where there was nothing to do."""
        jobs = self.store.claim_jobs(self.due, self.lease_s, 1)
        for job in jobs:
            self.do(job)
        return bool(jobs)

    def do(self, job: Job) -> None:
        match job.kind:
            case "authorize":
                self.authorize(job)
            case "resolve":
                self.resolve(job)
            case "result" | "sms":
                self.texts.do(job)
            case "notice" | "agreement":
                self.tell_billing(job)

    @property
    def texts(self) -> TextJobs:
        return TextJobs(self.store, self.send_text, self.write_result, self.now, self.due)

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
            case "not_as_asked":
                # With its code: an unknown charge with a code is one to take back, whatever an inquiry would say.
                self._record(job, payment, "unknown", replace(answer, authorization_code=None))
            case _:
                self._record(job, payment, "unknown")

    def _not_sent(self, job: Job, payment: Payment) -> None:
        """Nothing left, so nothing was charged: try again while the caller may still be waiting, then give up."""
        if job.attempts < TRIES:
            self.store.put_back(job, RETRY_S, self.due)
        else:
            self._record(job, payment, "not_sent")

    # ---- a charge without an answer

    def resolve(self, job: Job) -> None:
        """Inquire; the bank that has never heard of it, or still cannot say, is told to reverse it."""
        payment = self._payment(job)
        reference = payment.intent.reference
        if payment.response_code is not None:
            self._reverse(job, payment)
            return
        answer = self._ask(payment, "inquire", lambda bank: bank.inquire(reference))
        match answer.outcome:
            case "approved" | "declined" | "reversed":
                self._record(job, payment, answer.outcome, answer)
            case "not_found" | "not_as_asked":
                # Not found is no proof: the request may still be on its way. A reversal blocks it when it arrives.
                self._reverse_next(job, payment)
            case _ if job.attempts >= INQUIRIES:
                self._reverse_next(job, payment)
            case _:
                self._later(job)

    def _reverse_next(self, job: Job, payment: Payment) -> None:
        """The inquiry may have used up most of the lease."""
        if self.store.renew(job, self.lease_s, self.due):
            self._reverse(job, payment)

    def _reverse(self, job: Job, payment: Payment) -> None:
        reference = payment.intent.reference
        answer = self._ask(payment, "reverse", lambda bank: bank.reverse(reference))
        if answer.outcome == "reversed":
            self._record(job, payment, "reversed", answer)
        else:
            self._later(job)

    def _later(self, job: Job) -> None:
        pause = min(2.0 ** min(job.attempts, 10) / 2, LONGEST_PAUSE_S)
        self.store.postpone(job, pause, self.due)

    # ---- the billing system

    def tell_billing(self, job: Job) -> None:
        if self.notices is not None:
            told = AgreementNotices(self.notices) if job.kind == "agreement" else self.notices
            told.tell(job)
            return
        log.error(
            "a billing system is to be told of a payment or an agreement, and BILLING_URL is empty",
            reference=job.reference,
        )
        self._later(job)

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
        log.info("bank", message=question, reference=reference, outcome=answer.outcome, reason=answer.reason)
        return self._judged(answer, payment, question)

    def _judged(self, answer: BankAnswer, payment: Payment, question: Question) -> BankAnswer:
        """What the bank says and what it says it with must agree; where they do not, the operator is told."""
        judged = judge(answer, question, payment.intent.amount)
        if judged is not answer:
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
        word = _word(status, answer) if answer else None
        for pause_s in (*RECORD_PAUSES_S, None):
            try:
                recorded = self.store.record(job, status, self.now(), word, tell_billing=self.notices is not None)
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


def _word(status: Status, answer: BankAnswer) -> BankWord:
    """An approved payment has a number to be found by: the bank's, or one of ours where the bank gave none."""
    number = answer.authorization_code
    if status == "approved" and number is None:
        number = our_number(answer.reference)
    return BankWord(number, answer.response_code)


def our_number(reference: str) -> str:
    """Made from the reference, so that it is the same however often it is asked for."""
    digest = int.from_bytes(hashlib.sha256(reference.encode()).digest()[:8], "big")
    return f"{digest % 10**OUR_NUMBER_DIGITS:0{OUR_NUMBER_DIGITS}d}"


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
        invoice_reference=intent.payable_key,
    )


def main() -> None:
    """`python -m ivr.forwarder`: one process of the Procfile; stops cleanly on SIGTERM and SIGINT."""
    settings = load_settings()
    set_up_logging(settings.log_level, settings.log_format)
    require_production(settings, opens_keys=True)
    bank_settings = load_banks(settings.banks, settings.var)
    banks = {name: HttpsBank(bank) for name, bank in bank_settings.items()}
    queues = queues_for({name: bank.connections for name, bank in banks.items()})
    store = open_store(settings.database_url, threads_of(queues))
    flows, folder = live_flows(settings, store, bank_settings)
    flow_folder.watch(flows, folder, store)
    notices = notices_of(settings, store)
    words = result_words(flows.prompts_of)
    forwarder = Forwarder(store, banks, text_sender(settings), write_result=words, notices=notices)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    log.info("forwarder", banks=sorted(banks))
    WorkerPool(forwarder, queues, sweep=sweeper(store, flows, flows.prompts, settings.trunk_max_minutes)).run(stop)
