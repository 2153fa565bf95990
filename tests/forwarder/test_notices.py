"""A billing system is told of each approved payment, once and for certain, and what it has not acknowledged is paid all the same."""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from standardwebhooks.webhooks import Webhook
from structlog.testing import capture_logs

from ivr.calls.billing import HttpBilling
from ivr.calls.billing_endpoint import Access, BillingEndpoint
from ivr.calls.billing_secret import webhook_of
from ivr.calls.look_ups import LookUps
from ivr.channels.simulator import Clock
from ivr.core.actions import LookUp
from ivr.core.events import CallStarted, LookedUp
from ivr.core.money import Money
from ivr.errors import ConfigError
from ivr.forwarder.notices import Notices, notice_body, notices_of
from ivr.forwarder.process import Forwarder
from ivr.settings import load_settings
from ivr.store import DueNow, Payment, Store, memory_store
from ivr.store.notice_bodies import bill_body
from tests.billing_endpoints import BillingServer, billing_server
from tests.forwarder.paper_bank import PaperBank
from tests.forwarder.tills import bank_in
from tests.store import sums
from tests.store.payments import ACCOUNT, NOW, begin
from tests.store.test_agreements import PROMISE

SECRET = f"whsec_{base64.b64encode(bytes(range(32))).decode()}"
SOURCE, OWED = "billing.find_bill", Money(10000)


@dataclass
class Shop:
    """A store, a bank that approves, a billing server, and the forwarder between them; the clock is moved by hand."""

    store: Store
    server: BillingServer
    bank: PaperBank
    clock: Clock

    def forwarder(self) -> Forwarder:
        access = Access(self.server.url, "letmein", limit_s=60.0)
        notices = Notices(self.store, access, Webhook(SECRET), self.clock)
        return Forwarder(self.store, {"acme_bank": self.bank}, lambda message: None, now=self.clock, notices=notices)

    def pay(self, reference: str = "CA1-1", minor: int = 4250) -> None:
        due = DueNow(OWED, self.clock())
        each = {"minor": minor, "caller": reference, "card": reference}
        begin(self.store, reference, **each, now=self.clock(), pays=ACCOUNT, due=due)
        while self.store.outbox_depth()["authorize"]:
            assert self.forwarder().run_once()

    def left(self, asked_at: datetime | None = None) -> Money:
        return self.store.left_to_pay(SOURCE, ACCOUNT, DueNow(OWED, asked_at or self.clock()))


@pytest.fixture
def shop(store: Store, tmp_path: Path) -> Iterator[Shop]:
    with billing_server() as server:
        yield Shop(store, server, bank_in(tmp_path), Clock(NOW))


def test_an_approved_payment_is_told_once(shop: Shop):
    shop.pay()
    assert shop.store.outbox_depth()["notice"] == 1
    assert shop.forwarder().run_once()
    assert not shop.forwarder().run_once()
    (notice,) = shop.server.notices
    paid = shop.store.payment("CA1-1")
    assert paid is not None
    assert notice.path == "/bills"
    assert json.loads(notice.body) == {
        "type": "bill.paid",
        "timestamp": "2026-01-15T12:00:00.000Z",
        "data": {
            "account": ACCOUNT,
            "amount": "42.50 USD",
            "reference": "CA1-1",
            "confirmation_number": paid.confirmation_number,
            "card": "visa 1111",
            "merchant": "demo-merchant",
            "call": "CA1",
        },
    }


def test_a_notice_is_signed_as_standard_webhooks_say_and_shows_our_token(shop: Shop):
    shop.pay()
    shop.forwarder().run_once()
    (notice,) = shop.server.notices
    at = datetime.fromtimestamp(int(notice.headers["webhook-timestamp"]), UTC)
    assert at == NOW
    expected = Webhook(SECRET).sign("paid-CA1-1", at, notice.body.decode())
    assert notice.headers["webhook-signature"] == expected
    assert (notice.headers["webhook-id"], notice.headers["idempotency-key"]) == ("paid-CA1-1", "paid-CA1-1")
    assert notice.headers["authorization"] == "Bearer letmein"


def test_a_notice_that_is_not_taken_is_sent_again_the_same_and_signed_anew(shop: Shop):
    shop.server.status_of_notices = 503
    shop.pay()
    shop.forwarder().run_once()
    shop.server.status_of_notices = 200
    shop.clock.advance(4)
    assert not shop.forwarder().run_once()
    shop.clock.advance(1)
    assert shop.forwarder().run_once()
    first, second = shop.server.notices
    assert first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.headers["webhook-signature"] != second.headers["webhook-signature"]
    assert shop.store.waiting_notices(10) == []


def pay_a_sum(shop: Shop) -> None:
    due = {key: DueNow(Money(minor), shop.clock()) for key, minor in sums.OWED.items()}
    sums.begin_sum(shop.store, due=due)
    while shop.store.outbox_depth()["authorize"]:
        assert shop.forwarder().run_once()


def test_of_a_sum_each_bill_is_told_by_itself_until_it_is_acknowledged(shop: Shop):
    pay_a_sum(shop)
    shop.server.status_of_notices = 500
    assert shop.forwarder().run_once()
    shop.server.status_of_notices = 204
    shop.clock.advance(60)
    while shop.forwarder().run_once():
        pass
    told = [(one.headers["webhook-id"], json.loads(one.body)["data"]) for one in shop.server.notices]
    assert {(name, data["account"], data["amount"]) for name, data in told} == {
        ("paid-CA1-1-b1", "700101", "64.20 USD"),
        ("paid-CA1-1-b2", "700102", "71.85 USD"),
        ("paid-CA1-1-b3", "700103", "18.00 USD"),
    }
    assert {(data["reference"], data["confirmation_number"]) for _, data in told} == {
        ("CA1-1", shop.store.payments_of("CA1")[0].receipt_number)
    }
    assert shop.store.waiting_notices(9) == []


def test_the_fee_of_a_sum_is_told_once():
    fee = replace(sums.sum_intent(), amount=Money(sums.TOTAL + 200), fee=Money(200))
    payment = Payment(fee, "approved", "123456782", None, NOW)
    told = [notice_body(payment, NOW, bill) for bill in fee.bills]
    assert [json.loads(body)["data"].get("fee") for body in told] == ["2.00 USD", None, None]
    told = [bill_body(payment, bill, NOW) for bill in fee.bills]
    assert [json.loads(body)["data"]["fee"] for body in told] == ["2.00 USD", "", ""]


def test_a_declined_payment_is_not_told(shop: Shop):
    shop.bank.fate = "decline"
    shop.pay()
    assert not shop.forwarder().run_once()
    assert shop.server.requests == []


@pytest.mark.parametrize("status", [400, 404, 410, 302, 500])
def test_a_refusal_leaves_the_charge_as_it_is_and_is_shown_to_the_operator(shop: Shop, status: int):
    shop.server.status_of_notices = status
    shop.pay()
    with capture_logs() as logs:
        shop.forwarder().run_once()
    (line,) = (line for line in logs if "not told" in line["event"])
    assert (line["log_level"], line["account"], line["reference"]) == ("error", ACCOUNT, "CA1-1")
    assert line["reason"] == f"it answered {status}"
    payment = shop.store.payment("CA1-1")
    assert payment is not None
    assert payment.status == "approved"
    (waiting,) = shop.store.waiting_notices(10)
    assert (waiting.payment.intent.reference, waiting.attempts) == ("CA1-1", 1)


def test_pauses_grow_to_an_hour_and_after_72_hours_it_is_given_up_until_it_is_resent(shop: Shop):
    shop.server.status_of_notices = 400
    shop.pay()
    pauses = []
    for _ in range(200):
        shop.forwarder().run_once()
        (waiting,) = shop.store.waiting_notices(10)
        if waiting.due is None:
            break
        pauses.append((waiting.due - shop.clock()).total_seconds())
        shop.clock.now = waiting.due
    assert pauses[:4] == [5, 10, 20, 40]
    assert max(pauses) == 3600
    assert shop.clock() - NOW >= timedelta(hours=72)
    assert shop.clock() - NOW < timedelta(hours=74)
    shop.clock.advance(10 * 24 * 3600)
    assert not shop.forwarder().run_once()
    assert shop.left() == Money(5750), "given up is not acknowledged"
    shop.server.status_of_notices = 204
    assert shop.store.resend_notices(shop.clock(), "CA1-1") == 1
    assert shop.forwarder().run_once()
    assert shop.store.waiting_notices(10) == []
    assert shop.store.resend_notices(shop.clock()) == 0


def test_what_is_not_acknowledged_is_no_longer_due(shop: Shop):
    shop.server.status_of_notices = 500
    shop.pay(minor=4250)
    shop.pay("CA2-1", minor=750)
    assert shop.left() == Money(5000)
    assert shop.store.left_to_pay(SOURCE, "87654321", DueNow(OWED, NOW)) == OWED
    euros = Money(10000, "EUR")
    assert shop.store.left_to_pay(SOURCE, ACCOUNT, DueNow(euros, NOW)) == euros


def test_what_was_acknowledged_after_the_bill_was_asked_for_may_not_be_in_it(shop: Shop):
    before = shop.clock()
    shop.clock.advance(1)
    shop.pay()
    shop.forwarder().run_once()
    assert shop.left(asked_at=before) == Money(5750)
    shop.clock.advance(1)
    assert shop.left() == Money(10000), "it has been acknowledged, so the bill's keeper has counted it"


def test_a_caller_hears_what_is_left_and_is_asked_for_no_more_than_that(shop: Shop):
    shop.server.status_of_notices = 500
    shop.server.bills[ACCOUNT] = {"due": "100.00 USD", "min": "10.00 USD"}
    shop.pay(minor=9500)
    billing = HttpBilling(BillingEndpoint(Access(shop.server.url)), shop.store, LookUps(60.0, 1), shop.clock)
    heard = billing.look_up(LookUp(SOURCE, ACCOUNT), CallStarted(NOW))
    assert heard == LookedUp(NOW, True, {"bill.due": Money(500), "bill.min": Money(500)})


def test_a_notice_whose_lease_is_lost_is_not_acknowledged(shop: Shop):
    shop.pay()
    old = shop.store.claim(shop.clock(), 60)
    assert old is not None
    shop.clock.advance(61)
    assert shop.store.claim(shop.clock(), 60) is not None
    assert not shop.store.acknowledge(old, shop.clock())
    assert not shop.store.give_up_notice(old)
    assert len(shop.store.waiting_notices(10)) == 1


def test_without_a_billing_system_the_embedded_bill_is_lowered_and_nobody_is_told(shop: Shop, tmp_path: Path):
    accounts = tmp_path / "accounts.csv"
    accounts.write_text(f"account,due,minimum,currency\n{ACCOUNT},100.00,10.00,USD\n")
    shop.store.seed_bills(accounts)
    begin(shop.store, now=shop.clock(), pays=ACCOUNT)
    Forwarder(shop.store, {"acme_bank": shop.bank}, lambda message: None, now=shop.clock).run_once()
    bill = shop.store.find_bill(ACCOUNT)
    assert bill is not None
    assert bill.due == Money(5750)
    assert shop.store.outbox_depth()["notice"] == 0


def test_a_notice_waits_where_the_billing_system_has_been_taken_out_of_the_settings(shop: Shop):
    shop.pay()
    forwarder = Forwarder(shop.store, {}, lambda message: None, now=shop.clock)
    with capture_logs() as logs:
        assert forwarder.run_once()
    assert "BILLING_URL is empty" in logs[0]["event"]
    assert len(shop.store.waiting_notices(10)) == 1


# ---- settings


def test_no_billing_system_needs_no_secret():
    assert notices_of(load_settings({}), memory_store()) is None


def test_in_development_a_secret_is_made_once_and_kept_from_others(tmp_path: Path):
    settings = load_settings({"VAR": str(tmp_path), "BILLING_URL": "http://127.0.0.1:9000"})
    webhook_of(settings)
    file = tmp_path / "keys" / "billing_secret"
    made = file.read_text()
    webhook_of(settings)
    assert file.read_text() == made
    assert made.startswith("whsec_")
    assert file.stat().st_mode & 0o777 == 0o600


def test_production_needs_a_secret(tmp_path: Path):
    production = {"ENVIRONMENT": "production", "PUBLIC_URL": "https://pay.example.com", "TWILIO_AUTH_TOKEN": "x" * 32}
    settings = load_settings(production | {"VAR": str(tmp_path), "BILLING_URL": "https://billing.example.com"})
    with pytest.raises(ConfigError, match="BILLING_SECRET: needed"):
        notices_of(settings, memory_store())
    assert not (tmp_path / "keys").exists()


@pytest.mark.parametrize("secret", ["x", "whsec_", "whsec_c2hvcnQ=", "whsec_!!!!"])
def test_a_weak_or_broken_secret_is_refused(secret: str):
    with pytest.raises(ConfigError, match="24 to 64 bytes"):
        webhook_of(load_settings({"BILLING_SECRET": secret}))


# ---- agreements


def test_what_a_caller_agreed_to_is_told_until_it_is_acknowledged(shop: Shop):
    shop.store.record_agreement(PROMISE, tell_billing=True)
    shop.server.status_of_notices = 503
    assert shop.forwarder().run_once()
    shop.server.status_of_notices = 204
    assert shop.store.agreement(PROMISE.reference) == PROMISE
    shop.clock.advance(60)
    assert shop.forwarder().run_once()
    told = shop.store.agreement(PROMISE.reference)
    assert told is not None
    assert told.acknowledged_at is not None
    first, second = shop.server.notices
    assert first.body == second.body
    assert first.headers["webhook-id"] == f"agreed-{PROMISE.reference}"
    body = json.loads(first.body)
    assert (body["type"], body["data"]["wording"], body["data"]["terms"]) == (
        "agreement.made",
        PROMISE.wording,
        {"by": "2026-01-15"},
    )
