"""Canary cards in calls whose receipts are mailed, of which the merchant's systems are told, and which are refunded and voided.

What leaves by e-mail and by notices is searched as its receiver has it, beside logs, files and all that crosses a boundary; a
number that is planted in any of it is found by the same search.
"""

import base64
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from standardwebhooks.webhooks import Webhook

from ivr.calls.assembly import load_flow
from ivr.calls.billing_endpoint import Access
from ivr.calls.emailing import MailServer
from ivr.core.money import Money
from ivr.forwarder.process import Forwarder
from ivr.forwarder.signed_posts import SignedPosts
from ivr.forwarder.smtp_emails import SmtpEmails
from ivr.logs import set_up_logging
from ivr.store import NOTICE_KINDS, Store, WantedModification, open_store
from ivr.testing.bank import ScriptedBank
from ivr.testing.bench import Bench, build_bench
from tests.bank_process import BankKeys, bank_keys
from tests.benches import ROOT
from tests.billing_endpoints import BillingServer, billing_server
from tests.leaks import leaks_in, leaks_in_files, leaks_in_object
from tests.mail_servers import PASSWORD, USER, MailPeer, mail_server
from tests.store.databases import make_empty
from tests.test_canary import watched

__all__ = ["bank_keys"]
CANARIES = ["4012888888881881", "5105105105105100", "371449635398431"]
CODES = {15: "7393"}
SECRET = f"whsec_{base64.b64encode(bytes(range(32))).decode()}"
BOUNDARIES: list[tuple[type, str]] = [
    (SmtpEmails, "__call__"),
    (SignedPosts, "post"),
    (ScriptedBank, "modify"),
    *[(Store, name) for name in ("queue_email", "queue_sms", "text_message")],
    *[(Store, name) for name in ("ask_modification", "mark_modification_sent", "end_modification", "modification")],
]


@dataclass
class Told:
    """One engine on disk, a mail server, a receiver of notices, and everything that crosses a boundary on its way to them."""

    bench: Bench
    mail: MailPeer
    receiver: BillingServer
    forwarder: Forwarder
    folder: Path
    crossed: list[object] = field(default_factory=list)

    def call(self, pan: str, bank: str = "approves", *, hangs_up: bool = False) -> str:
        """The reference of its charge."""
        self.bench.bank.behaviour = bank
        self.bench.billing.owes("12345678", "42.50 USD", "10.00 USD")
        ani = "anonymous" if hangs_up else "+15550100"  # to whom no text can go: the result is mailed
        line = self.bench.dial("card-fee", ani)
        line.begin()
        for keys in ("1", "12345678#", "1", f"{pan}#", "1230", CODES.get(len(pan), "739"), "1"):
            line.press(keys)
        if hangs_up:
            line.hang_up()
        self.work()
        if not hangs_up:
            line.wait()
            line.press("#")
        line.hang_up()
        self.work()
        return f"{line.call_id}-1"

    def give_back(self, reference: str, kind: str) -> None:
        store = self.bench.workbench.store
        payment = store.payment(reference)
        assert payment is not None
        charged = payment.intent.amount
        parts = [Money(1000), Money(charged.minor - 1000)] if kind == "refund" else [charged]
        for part in parts:
            left = store.balance_of(payment).refundable
            wanted = WantedModification(reference, kind, part, left, "ada")  # type: ignore[arg-type]
            store.ask_modification(wanted, self.bench.workbench.clock())
            self.work()
        assert store.balance_of(payment).returned == charged

    def work(self) -> None:
        while self.forwarder.run_once():
            pass

    def leaks(self, capfd: pytest.CaptureFixture[str]) -> list[str]:
        printed = "".join(capfd.readouterr()).encode()
        told = [*self.mail.taken, *(f"{one}".encode() for one in self.receiver.requests)]
        told += [one.body for one in self.receiver.requests]
        decoded = [mail.get_content().encode() for mail in self.mail.mails]  # what transfer encodings hide
        found = [leak for one in (printed, *told, *decoded) for leak in leaks_in(one, CANARIES)]
        found += [leak for thing in self.crossed for leak in leaks_in_object(thing, CANARIES)]
        return found + leaks_in_files(self.folder, CANARIES)


@pytest.fixture
def told(sealing_key: Path, bank_keys: BankKeys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Told]:
    url = f"sqlite:///{tmp_path}/canary.db"
    make_empty(url)
    store = open_store(url, tells=NOTICE_KINDS)
    flow, prompts = load_flow(ROOT / "flows" / "card-fee.yaml")
    bench = build_bench([flow], prompts, ROOT / "config" / "accounts.csv", sealing_key=sealing_key, store=store)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(bank_keys.bank / "server.crt", bank_keys.bank / "server.key")
    set_up_logging("debug", "json")
    with mail_server(starttls=tls) as mail, billing_server() as receiver:
        ca = str(bank_keys.keys / "bank-ca.crt")
        server = MailServer("127.0.0.1", mail.port, "till@water.example", "Water", USER, PASSWORD, ca=ca)
        posts = SignedPosts(Access(receiver.url, limit_s=60.0, name="NOTICES"), (Webhook(SECRET),))
        forwarder = replace(bench.workbench.forwarder, send_email=SmtpEmails(server), merchant_posts=posts)
        world = Told(bench, mail, receiver, forwarder, tmp_path)
        for owner, name in BOUNDARIES:
            monkeypatch.setattr(owner, name, watched(getattr(owner, name), world.crossed))
        yield world
    store.close()


def test_no_card_number_is_mailed_told_or_left_by_refunds_and_voids(told: Told, capfd: pytest.CaptureFixture[str]):
    references = [told.call(pan) for pan in CANARIES]
    told.give_back(references[0], "refund")
    told.give_back(references[1], "void")
    told.call(CANARIES[0], "declines 51")
    told.call(CANARIES[1], "is silent after charging", hangs_up=True)
    told.bench.workbench.clock.advance(900)
    told.work()
    assert len(told.mail.taken) >= len(CANARIES)
    kinds = {kind for kind in NOTICE_KINDS if f'"{kind}"' in str([one.body for one in told.receiver.notices])}
    assert kinds >= {
        "payment.approved",
        "payment.declined",
        "payment.refunded",
        "payment.voided",
        "bill.paid",
        "call.ended",
    }
    assert len(told.bench.bank.modified) == 3
    assert len(told.crossed) > 50
    assert told.leaks(capfd) == []


def test_no_card_number_is_left_where_mail_and_notices_fail(told: Told, capfd: pytest.CaptureFixture[str]):
    told.mail.message = "554 not this one"
    told.receiver.status_of_notices = 500
    told.call(CANARIES[0])
    told.call(CANARIES[2], "is silent")
    told.bench.workbench.clock.advance(900)
    told.work()
    assert [isinstance(one, Exception) for one in told.crossed].count(True) > 0
    assert told.leaks(capfd) == []


def mail_with(told: Told, pan: str) -> None:
    store, at = told.bench.workbench.store, told.bench.workbench.clock()
    store.queue_email("planted-1", "ann.ek@example.com", "Receipt", f"Thank you.\nCard {pan[:4]} {pan[4:]} ünïcode", at)
    told.work()
    (told.folder / "canary.db").unlink()  # found as it was sent, not as it was stored
    for rest in told.folder.glob("canary.db-*"):
        rest.unlink()
    told.crossed.clear()


def notice_with(told: Told, pan: str) -> None:
    told.forwarder.merchant_posts.post("planted-1", f'{{"card": "{pan}"}}', told.bench.workbench.clock())  # type: ignore[union-attr]
    told.crossed.clear()


def refund_with(told: Told, pan: str) -> None:
    told.crossed.append(WantedModification(f"CA1-{pan}", "refund", Money(1), Money(1), "ada"))


def operator_with(told: Told, pan: str) -> None:
    store, at = told.bench.workbench.store, told.bench.workbench.clock()
    (payment,) = store.payments_of(told.call(pan).rpartition("-")[0])
    amount = payment.intent.amount
    store.ask_modification(WantedModification(payment.intent.reference, "void", amount, amount, f"ada {pan}"), at)
    told.crossed.clear()


PLANTS: list[Callable[[Told, str], None]] = [mail_with, notice_with, refund_with, operator_with]


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.__name__)
def test_a_planted_leak_is_found(plant: Callable[[Told, str], None], told: Told, capfd: pytest.CaptureFixture[str]):
    assert told.leaks(capfd) == []
    plant(told, CANARIES[0])
    assert told.leaks(capfd) != []
