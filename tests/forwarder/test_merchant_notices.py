"""The merchant's own systems are told of payments and calls: once for certain, signed, and as docs/notices.md says."""

import base64
import json
import re
import ssl
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest
from click.testing import CliRunner
from pydantic import BaseModel
from standardwebhooks.webhooks import Webhook
from structlog.testing import capture_logs

from ivr.calls.billing_endpoint import Access
from ivr.calls.notice_settings import notice_access, notice_kinds, notice_webhooks
from ivr.channels.simulator import Clock
from ivr.cli.notices import notices
from ivr.core.call import Charge
from ivr.core.confirmation import is_confirmation_number
from ivr.core.money import Money
from ivr.errors import ConfigError
from ivr.forwarder.process import Forwarder
from ivr.forwarder.signed_posts import SignedPosts
from ivr.places import SHIPPED as ROOT
from ivr.settings import load_settings
from ivr.store import (
    NOTICE_KINDS,
    BankWord,
    DueNow,
    FollowUp,
    ModificationWord,
    News,
    Store,
    WantedModification,
    open_store,
    tell_refund,
)
from ivr.store.notice_bodies import BillNotice, CallNotice, PaymentNotice, RefundNotice
from tests.bank_process import BankKeys
from tests.billing_endpoints import BillingServer, billing_server
from tests.calls.test_billing_docs import plain
from tests.forwarder.paper_bank import PaperBank
from tests.forwarder.tills import bank_in
from tests.leaks import leaks_in
from tests.patience import PATIENCE_S
from tests.store.payments import ACCOUNT, NOW, a_call, begin
from tests.store.sums import OWED, begin_sum

DOCS = (ROOT / "docs" / "notices.md").read_text(encoding="utf-8")
OLD, NEW = (f"whsec_{base64.b64encode(bytes(range(start, start + 32))).decode()}" for start in (0, 100))
SCHEMAS: Mapping[str, type[BaseModel]] = {
    **dict.fromkeys(("payment.approved", "payment.declined", "payment.reversed", "payment.voided"), PaymentNotice),
    "payment.refunded": RefundNotice,
    "bill.paid": BillNotice,
    "call.ended": CallNotice,
}


@dataclass
class Shop:
    """A store that writes every kind down, a bank, and a forwarder with the address of the merchant's receiver."""

    store: Store
    bank: PaperBank
    url: str
    clock: Clock = field(default_factory=lambda: Clock(NOW))
    secrets: tuple[str, ...] = (OLD,)

    def forwarder(self) -> Forwarder:
        posts = SignedPosts(Access(self.url, limit_s=60.0, name="NOTICES"), tuple(map(Webhook, self.secrets)))
        return Forwarder(
            self.store, {"acme_bank": self.bank}, lambda message: None, now=self.clock, merchant_posts=posts
        )

    def pay(self, reference: str = "CA1-1", pays: str = ACCOUNT) -> None:
        due = DueNow(Money(10000), self.clock())
        begin(self.store, reference, caller=reference, card=reference, now=self.clock(), pays=pays, due=due)
        while self.store.outbox_depth()["authorize"]:
            assert self.forwarder().run_once()

    def work(self, seconds: float = 0) -> None:
        self.clock.advance(seconds)
        while self.forwarder().run_once():
            pass

    def states(self) -> list[str]:
        return [one.state for one in self.store.merchant_notices(100, also_sent=True)]


@pytest.fixture
def telling(url: str) -> Iterator[Store]:
    store = open_store(url, tells=NOTICE_KINDS)
    yield store
    store.close()


@pytest.fixture
def receiver() -> Iterator[BillingServer]:
    with billing_server() as server:
        yield server


@pytest.fixture
def shop(telling: Store, receiver: BillingServer, tmp_path: Path) -> Shop:
    return Shop(telling, bank_in(tmp_path), receiver.url)


def told(receiver: BillingServer) -> dict[str, Any]:
    return {request.headers["webhook-id"]: json.loads(request.body) for request in receiver.notices}


def schema_in_docs(model: type[BaseModel]) -> Any:
    written = re.search(rf"<!-- schema: {model.__name__} -->\n```json\n(.*?)```", DOCS, re.DOTALL)
    assert written is not None
    return json.loads(written[1])


@pytest.mark.parametrize("model", sorted(set(SCHEMAS.values()), key=lambda one: one.__name__))
def test_the_schema_in_the_docs_is_that_of_what_is_written(model: type[BaseModel]):
    assert schema_in_docs(model) == plain(model.model_json_schema())


def test_every_kind_is_told_once_and_is_as_the_docs_say(shop: Shop, receiver: BillingServer):
    shop.store.save_call(a_call(), 0, NOW)
    shop.pay()
    shop.bank.fate = "decline"
    shop.pay("CA2-1")
    shop.pay("CA3-1", pays="")
    shop.store.save_call(a_call().changed(phase="over", outcome="paid"), 1, NOW + timedelta(seconds=90))
    payment = shop.store.payment("CA1-1")
    assert payment is not None
    with shop.store._database.money() as connection:
        tell_refund(connection, shop.store._database, payment, "CA1-1-refund-1", Money(1000), NOW)
        tell_refund(connection, shop.store._database, payment, "CA1-1-refund-1", Money(1000), NOW)
    shop.work()
    shop.work(7200)
    found = told(receiver)
    assert sorted(found) == [
        "bill-paid-CA1-1",
        "call-ended-CA1",
        "payment-approved-CA1-1",
        "payment-declined-CA2-1",
        "payment-declined-CA3-1",
        "payment-refunded-CA1-1-refund-1",
    ]
    assert len(receiver.notices) == len(found)
    for notice in found.values():
        jsonschema.validate(notice, schema_in_docs(SCHEMAS[notice["type"]]))
    approved = found["payment-approved-CA1-1"]
    assert (approved["timestamp"], approved["data"]["amount"]) == ("2026-01-15T12:00:00.000Z", "42.50 USD")
    assert approved["data"]["card"] == "visa 1111"
    assert is_confirmation_number(approved["data"]["confirmation_number"])
    assert found["payment-declined-CA2-1"]["data"]["response_code"] == "05"
    assert found["payment-refunded-CA1-1-refund-1"]["data"]["refunded"] == "10.00 USD"
    ended = found["call-ended-CA1"]
    assert ended["timestamp"] == "2026-01-15T12:01:30.000Z"
    assert datetime.fromisoformat(ended["data"]["started_at"]) - NOW < timedelta(seconds=5)
    assert shop.store.merchant_notices(10) == []


def test_a_void_is_told_once_the_bank_has_let_go_of_the_charge(shop: Shop, receiver: BillingServer):
    shop.pay()
    shop.work()
    charged = Money(4250)
    shop.store.ask_modification(WantedModification("CA1-1", "void", charged, charged, "ada"), NOW)
    job = shop.store.claim(shop.clock(), 60)
    assert job is not None
    assert shop.store.mark_modification_sent(job)
    assert shop.store.end_modification(job, "done", ModificationWord(response_code="00"), NOW)
    shop.work()
    notice = told(receiver)["payment-voided-CA1-1"]
    jsonschema.validate(notice, schema_in_docs(PaymentNotice))
    assert (notice["type"], notice["data"]["amount"], notice["data"]["captured"]) == (
        "payment.voided",
        "42.50 USD",
        False,
    )


def test_a_charge_without_an_answer_is_told_once_it_was_taken_back_and_not_before(shop: Shop, receiver: BillingServer):
    begin(shop.store)
    job = shop.store.claim(NOW, 60)
    assert job is not None
    shop.store.mark_sent(job)
    shop.store.record(job, "unknown", NOW)
    assert shop.store.merchant_notices(10) == []
    news = News("acme_bank", "event-1", "CA1-1", "reversed", BankWord(), Money(4250))
    assert shop.store.hear(news, NOW, FollowUp()) == "moved"
    assert shop.store.hear(news, NOW, FollowUp()) == "known"
    shop.work()
    assert list(told(receiver)) == ["payment-reversed-CA1-1"]


def test_a_call_that_hangs_up_with_a_charge_under_way_is_told_as_pending_and_leaves_its_job(shop: Shop):
    call = a_call().changed(charges=(Charge(1, Money(4250), "sent"),))
    shop.store.save_call(call, 0, NOW)
    shop.store.save_call(call.changed(phase="over", hung_up=True), 1, NOW)
    (notice,) = shop.store.merchant_notices(10)
    data = json.loads(notice.body)["data"]
    assert (data["outcome"], data["hung_up"], data["charges"][0]["status"]) == ("pending", True, "sent")
    assert shop.store.outbox_depth()["result"] == 1


def test_a_notice_and_its_fact_are_one_transaction(shop: Shop, monkeypatch: pytest.MonkeyPatch):
    def fail(*_: object) -> None:
        raise RuntimeError("the power went")

    begin(shop.store)
    job = shop.store.claim(NOW, 60)
    assert job is not None
    shop.store.mark_sent(job)
    with monkeypatch.context() as patch:
        patch.setattr("ivr.store.merchant_notices.add_job", fail)
        with pytest.raises(RuntimeError):
            shop.store.record(job, "declined", NOW)
    payment = shop.store.payment("CA1-1")
    assert payment is not None
    assert (payment.status, shop.store.merchant_notices(10)) == ("sent", [])


def test_a_number_is_told_by_its_end_alone_and_no_card_number_ever(shop: Shop, receiver: BillingServer):
    call = replace(a_call(), ani="+15550100", values={"brand": "visa", "last4": "1111"})
    shop.store.save_call(call, 0, NOW)
    shop.pay()
    shop.store.save_call(call.changed(phase="over"), 1, NOW)
    shop.work()
    sent = b"".join(request.body + repr(request.headers).encode() for request in receiver.notices)
    assert len(receiver.notices) == 3
    assert b"...100" in sent
    assert b"5550100" not in sent
    assert leaks_in(sent, ["4111111111111111"]) == []


def test_kinds_that_nobody_wants_are_not_written_down(url: str, tmp_path: Path):
    store = open_store(url, tells=["payment.declined"])
    shop = Shop(store, bank_in(tmp_path), "http://127.0.0.1:1")
    shop.pay()
    store.save_call(a_call().changed(phase="over"), 0, NOW)
    assert store.merchant_notices(10) == []
    store.close()


# ---- answers


@pytest.mark.parametrize("status", [302, 400, 404, 429, 500, 503])
def test_what_is_not_taken_is_tried_again_the_same_and_signed_anew(shop: Shop, receiver: BillingServer, status: int):
    receiver.status_of_notices = status
    shop.pay(pays="")
    shop.work()
    receiver.status_of_notices = 200
    shop.work(4)
    assert len(receiver.notices) == 1
    shop.work(1)
    first, second = receiver.notices
    assert first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.headers["webhook-timestamp"] != second.headers["webhook-timestamp"]
    assert shop.states() == ["sent"]


def test_after_72_hours_it_has_failed_is_shown_and_can_be_sent_again(
    shop: Shop, receiver: BillingServer, url: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("DATABASE_URL", url)
    receiver.status_of_notices = 500
    shop.pay(pays="")
    pauses = []
    for _ in range(200):
        shop.work()
        (notice,) = shop.store.merchant_notices(10)
        if notice.due is None:
            break
        pauses.append((notice.due - shop.clock()).total_seconds())
        shop.clock.now = notice.due
    assert (pauses[:4], max(pauses)) == ([5, 10, 20, 40], 3600)
    assert timedelta(hours=72) <= shop.clock() - NOW < timedelta(hours=74)
    assert (notice.state, notice.problem) == ("failed", "given up after 72 hours: it answered 500")
    assert shop.store.failed_merchant_notices() == 1
    tries = len(receiver.notices)
    shop.work(3600 * 24)
    assert len(receiver.notices) == tries
    listed = CliRunner().invoke(notices, ["list", "--json"])
    assert json.loads(listed.output)["state"] == "failed"
    receiver.status_of_notices = 204
    assert "1 will be sent" in CliRunner().invoke(notices, ["resend", notice.id]).output
    shop.work()
    assert (shop.states(), len(receiver.notices)) == (["sent"], tries + 1)
    assert "no notice of CA9" in CliRunner().invoke(notices, ["resend", "CA9"]).output


def test_one_that_was_taken_can_be_sent_again_under_its_id(shop: Shop, receiver: BillingServer):
    shop.pay(pays="")
    shop.work()
    assert shop.store.resend_merchant_notices() == 0
    assert shop.store.resend_merchant_notices("payment-approved-CA1-1") == 1
    shop.work()
    first, second = receiver.notices
    assert (first.body, first.headers["webhook-id"]) == (second.body, second.headers["webhook-id"])


def test_an_address_that_wants_no_more_is_left_alone_until_somebody_sends_again_or_sets_another(
    shop: Shop, receiver: BillingServer
):
    receiver.status_of_notices = 410
    shop.pay(pays="")
    shop.work()
    shop.pay("CA2-1", pays="")
    shop.work(7200)
    assert (len(receiver.notices), shop.states()) == (1, ["failed", "failed"])
    shop.url += "/other"
    receiver.status_of_notices = 204
    shop.pay("CA3-1", pays="")
    shop.work()
    assert list(told(receiver)) == ["payment-approved-CA1-1", "payment-approved-CA3-1"]
    shop.url = receiver.url
    assert shop.store.resend_merchant_notices() == 2
    shop.work()
    assert shop.states() == ["sent"] * 3


def test_without_an_address_a_notice_waits(shop: Shop):
    shop.pay(pays="")
    with capture_logs() as logs:
        assert Forwarder(shop.store, {}, lambda message: None, now=shop.clock).run_once()
    assert "NOTICES_URL is empty" in logs[0]["event"]
    assert shop.states() == ["waiting"]


def test_a_certificate_that_nobody_vouches_for_is_refused(telling: Store, tmp_path: Path, bank_keys: BankKeys):
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(bank_keys.bank / "server.crt", bank_keys.bank / "server.key")
    with billing_server(tls) as receiver:
        shop = Shop(telling, bank_in(tmp_path), receiver.url)
        shop.pay(pays="")
        shop.work()
        assert (receiver.notices, shop.states()) == ([], ["waiting"])
        (notice,) = shop.store.merchant_notices(10)
        assert notice.problem == "it did not answer: ConnectError"


# ---- the receiver of the docs


@pytest.fixture
def docs_receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Its address, and its variables."""
    monkeypatch.setenv("NOTICES_SECRET", NEW)
    code = re.search(r"```python\n(.*?)```", DOCS, re.DOTALL)
    assert code is not None
    names: dict[str, Any] = {"__name__": "receiver"}
    exec(code[1], names)
    names["Receiver"].log_message = lambda *_: None
    with ThreadingHTTPServer(("127.0.0.1", 0), names["Receiver"]) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/", names
        server.shutdown()


def test_the_receiver_of_the_docs_takes_each_notice_once_under_either_of_two_secrets(
    telling: Store, tmp_path: Path, docs_receiver: tuple[str, Mapping[str, Any]]
):
    url, names = docs_receiver
    shop = Shop(telling, bank_in(tmp_path), url, Clock(datetime.now(UTC)), (OLD, NEW))
    shop.pay(pays="")
    shop.work()
    assert [notice["type"] for notice in names["seen"].values()] == ["payment.approved"]
    names["seen"]["payment-approved-CA1-1"] = "kept"
    shop.store.resend_merchant_notices("payment-approved-CA1-1")
    shop.work()
    assert names["seen"] == {"payment-approved-CA1-1": "kept"}
    assert shop.states() == ["sent"]


def test_the_receiver_of_the_docs_refuses_another_signature_and_an_old_timestamp(
    docs_receiver: tuple[str, Mapping[str, Any]],
):
    url, names = docs_receiver
    posts = SignedPosts(Access(url), (Webhook(OLD),))
    refused = posts.post("payment-approved-CA1-1", "{}", datetime.now(UTC))
    assert refused is not None
    assert refused.status == 401
    old = SignedPosts(Access(url), (Webhook(NEW),)).post("id", "{}", datetime.now(UTC) - timedelta(minutes=6))
    assert old is not None
    assert old.status == 401
    changed = {"webhook-id": "id", "webhook-timestamp": "1", "webhook-signature": "v1,AAAA"}
    assert httpx.post(url, json={}, headers=changed, trust_env=False, timeout=PATIENCE_S).status_code == 401
    assert names["seen"] == {}


# ---- settings

PRODUCTION = {"ENVIRONMENT": "production", "PUBLIC_URL": "https://pay.example.com", "TWILIO_AUTH_TOKEN": "x" * 32}


def test_no_address_means_no_kinds_and_a_list_means_those():
    assert notice_kinds(load_settings({})) == frozenset()
    chosen = {"NOTICES_URL": "https://shop.example.com", "NOTICES_KINDS": "payment.approved, call.ended"}
    assert notice_kinds(load_settings(chosen)) == {"payment.approved", "call.ended"}
    assert notice_kinds(load_settings(chosen | {"NOTICES_KINDS": "all"})) == set(NOTICE_KINDS)


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"NOTICES_KINDS": "payment.aproved"}, "no kind 'payment.aproved'.*payment.approved"),
        ({"NOTICES_KINDS": " "}, "NOTICES_KINDS: expected all"),
    ],
)
def test_a_kind_that_does_not_exist_is_told_with_the_one_that_is_near(settings: dict[str, str], problem: str):
    with pytest.raises(ConfigError, match=problem):
        notice_kinds(load_settings(settings))


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("shop.example.com", "NOTICES_URL: expected http"),
        ("https://user@shop.example.com/", "NOTICES_URL: without user"),
        ("https://shop.example.com/?key=1", "NOTICES_URL: without user"),
        ("http://shop.example.com/", "NOTICES_URL: https:// in production"),
    ],
)
def test_an_address_that_is_none_or_not_safe_is_refused(url: str, problem: str):
    with pytest.raises(ConfigError, match=problem):
        notice_access(load_settings(PRODUCTION | {"NOTICES_URL": url}), 1.0)


def test_secrets_are_one_or_two_strong_ones_and_production_makes_none(tmp_path: Path):
    assert len(notice_webhooks(load_settings({"NOTICES_SECRET": f"{NEW} {OLD}"}))) == 2
    for wrong, problem in ((f"{NEW} {OLD} {NEW}", "at most two"), ("whsec_c2hvcnQ=", "24 to 64 bytes")):
        with pytest.raises(ConfigError, match=f"NOTICES_SECRET: .*{problem}"):
            notice_webhooks(load_settings({"NOTICES_SECRET": wrong}))
    with pytest.raises(ConfigError, match="NOTICES_SECRET: needed"):
        notice_webhooks(load_settings(PRODUCTION | {"VAR": str(tmp_path)}))
    assert len(notice_webhooks(load_settings({"VAR": str(tmp_path)}))) == 1
    assert (tmp_path / "keys" / "notices_secret").stat().st_mode & 0o777 == 0o600


def test_of_a_sum_each_bill_is_a_notice_of_its_own(shop: Shop, receiver: BillingServer):
    begin_sum(shop.store, due={key: DueNow(Money(minor), shop.clock()) for key, minor in OWED.items()})
    shop.work()
    bills = {name: body["data"] for name, body in told(receiver).items() if body["type"] == "bill.paid"}
    assert {name: (data["account"], data["amount"], data["reference"]) for name, data in bills.items()} == {
        "bill-paid-CA1-1-b1": ("700101", "64.20 USD", "CA1-1"),
        "bill-paid-CA1-1-b2": ("700102", "71.85 USD", "CA1-1"),
        "bill-paid-CA1-1-b3": ("700103", "18.00 USD", "CA1-1"),
    }
    whole = told(receiver)["payment-approved-CA1-1"]["data"]
    assert (whole["account"], whole["amount"]) == ("700101, 700102, 700103", "154.05 USD")
