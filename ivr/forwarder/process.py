"""The forwarder: does the jobs of the outbox, each by what does its kind, in a process of its own.

What a job means is here: charges are for `charges`, texts for `texts`, how many jobs are done at once for `worker_pool`.
"""

import signal
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog

from ivr.bank import LEASE_S, Bank, load_banks
from ivr.calls import flow_folder
from ivr.calls.alert_settings import alert_receivers, alert_thresholds
from ivr.calls.assembly import live_flows
from ivr.calls.live_flows import flow_of
from ivr.calls.notice_settings import notice_kinds
from ivr.calls.number_keys import number_seals
from ivr.calls.production import require_production
from ivr.calls.receipts import zone_at
from ivr.calls.results import ResultText, result_subject, result_words
from ivr.calls.retention import kept_days
from ivr.calls.sweeping import sweeper
from ivr.calls.texting import TextSender
from ivr.forwarder.agreement_notices import AgreementNotices
from ivr.forwarder.alerts import AlertWatch
from ivr.forwarder.card_deletions import CardDeletionJobs
from ivr.forwarder.charges import Charges
from ivr.forwarder.keys import ForwarderKeys, open_banks
from ivr.forwarder.merchant_notices import MerchantNoticeJobs, merchant_posts
from ivr.forwarder.modifications import ModificationJobs
from ivr.forwarder.notices import Notices, notices_of
from ivr.forwarder.signed_posts import SignedPosts
from ivr.forwarder.smtp_emails import email_sender, keep_email
from ivr.forwarder.texts import TextJobs
from ivr.forwarder.twilio_texts import text_sender
from ivr.forwarder.worker_pool import WorkerPool, queues_for, threads_of
from ivr.hangup import on_hangup
from ivr.logs import set_up_logging
from ivr.settings import load_settings
from ivr.store import Job, Store, open_store

log = structlog.get_logger()
BILLING_PAUSE_S = 300.0  # until somebody has set BILLING_URL again


def system_time() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Forwarder:
    """Any number of these, in any number of processes, may share a store.

    `write_result`: the words of the text for a caller who was promised the result; `write_subject`: how they are headed in an e-mail. `now`: what is written beside ledger
    rows; what is due is for the database's own clock, unless another than this machine's was given (tests).
    """

    store: Store
    banks: Mapping[str, Bank]
    send_text: TextSender
    now: Callable[[], datetime] = system_time
    lease_s: float = LEASE_S
    write_result: ResultText | None = None
    write_subject: ResultText | None = None
    pause: Callable[[float], object] = time.sleep
    notices: Notices | None = None
    merchant_posts: SignedPosts | None = None
    send_email: TextSender = keep_email

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
                self.charges.authorize(job)
            case "resolve":
                self.charges.resolve(job)
            case "capture":
                self.charges.capture(job)
            case "modification":
                self.modifications.do(job)
            case "card_deletion":
                CardDeletionJobs(self.store, self.banks, self.now, self.due).do(job)
            case "result" | "result_again" | "sms" | "email":
                self.texts.do(job)
            case "notice" | "agreement":
                self.tell_billing(job)
            case "merchant_notice":
                MerchantNoticeJobs(self.store, self.merchant_posts, self.now, self.due).tell(job)

    @property
    def charges(self) -> Charges:
        tell_billing = self.notices is not None
        return Charges(self.store, self.banks, self.now, self.due, self.lease_s, self.pause, tell_billing)

    @property
    def modifications(self) -> ModificationJobs:
        return ModificationJobs(self.store, self.banks, self.now, self.due, self.notices is not None)

    @property
    def texts(self) -> TextJobs:
        return TextJobs(
            self.store, self.send_text, self.send_email, self.write_result, self.now, self.due, self.write_subject
        )

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
        self.store.postpone(job, BILLING_PAUSE_S, self.due)


def main() -> None:
    """`python -m ivr.forwarder`: one process of the Procfile; stops cleanly on SIGTERM and SIGINT."""
    settings = load_settings()
    set_up_logging(settings.log_level, settings.log_format)
    require_production(settings, opens_keys=True)
    bank_settings = load_banks(settings.banks, settings.var)
    banks, openers = open_banks(settings.banks, bank_settings, settings.place.environ)
    queues = queues_for({name: bank.connections for name, bank in banks.items()})
    store = open_store(
        settings.database_url, threads_of(queues), notice_kinds(settings), number_seals(settings, makes=True)
    )
    flows, folder = live_flows(settings, store, bank_settings)
    flow_folder.watch(flows, folder, store)
    notices = notices_of(settings, store)
    words = result_words(flows.prompts_of, settings.merchant_name, lambda call: zone_at(flow_of(flows, call)))
    forwarder = Forwarder(
        store,
        banks,
        text_sender(settings),
        write_result=words,
        write_subject=result_subject(flows.prompts_of, settings.merchant_name),
        notices=notices,
        merchant_posts=merchant_posts(settings),
        send_email=email_sender(settings),
    )
    keys = ForwarderKeys(store, settings.banks, settings.var, bank_settings, banks, openers)
    watch = AlertWatch(
        store,
        alert_thresholds(settings),
        alert_receivers(settings),
        socket.gethostname(),
        settings.var,
        keys.look,
        system_time,
    )
    stop = threading.Event()
    on_hangup(keys.reload)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    log.info("forwarder", banks=sorted(banks))
    sweep = sweeper(store, flows, flows.prompts, settings.trunk_max_minutes)
    WorkerPool(
        forwarder, queues, sweep=sweep, look_at_keys=keys.look, raise_alerts=watch.look, kept_days=kept_days(settings)
    ).run(stop)
