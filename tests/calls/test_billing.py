"""Bills from a merchant's own endpoint: read strictly, bounded in time and size, and left alone while it is down."""

import asyncio
import ssl
from collections.abc import Mapping

import pytest
from structlog.testing import capture_logs

from ivr.calls import billing
from ivr.calls.billing import BillingDown, Bills, HttpBilling, InOurTable, Waiting, billing_of
from ivr.calls.billing_endpoint import FAILURES, Access, BillingEndpoint
from ivr.calls.look_ups import LookUps
from ivr.core.events import LookedUp, LookUpFailed
from ivr.core.money import Money
from ivr.errors import ConfigError
from ivr.settings import load_settings
from ivr.store import DueNow, memory_store
from tests.bank_process import BankKeys
from tests.billing_endpoints import BillingServer, Request, answering, billing_server, hang
from tests.calls.billings import ACCOUNT, LONG, SHORT, SOURCE, billing_at, due_now, look_up
from tests.store.payments import NOW

# ---- what it says


@pytest.mark.parametrize(
    ("bill", "due", "least"),
    [
        ({"due": "42.50 USD", "min": "10.00 USD"}, Money(4250), Money(1000)),
        ({"due": "42.50 USD"}, Money(4250), Money(1)),
        ({"due": "42.50 USD", "min": "50.00 USD"}, Money(4250), Money(4250)),
        ({"due": "42 USD", "min": None, "name": "whatever else"}, Money(4200), Money(1)),
        ({"due": "900 JPY", "account": ACCOUNT}, Money(900, "JPY"), Money(1, "JPY")),
        ({"due": "0.00 USD"}, Money(0), Money(0)),
        ({"due": "-5.00 USD", "min": "1.00 USD"}, Money(0), Money(0)),
    ],
)
def test_a_bill_is_read(server: BillingServer, bill: object, due: Money, least: Money):
    server.bills[ACCOUNT] = bill
    assert look_up(billing_at(server.url)) == LookedUp(NOW, True, {"bill.due": due, "bill.min": least})


def test_an_unknown_account_is_not_found(server: BillingServer):
    assert look_up(billing_at(server.url)) == LookedUp(NOW, False)


def test_the_account_is_asked_for_with_our_token(server: BillingServer):
    look_up(billing_at(server.url + "/"), "0012")
    (request,) = server.requests
    assert (request.method, request.path) == ("GET", "/bills/0012")
    assert request.headers["authorization"] == "Bearer letmein"


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b'{"due": 42.5, "min": "10.00 USD"}', "due: expected a string such as '42.50 USD'"),
        (b'{"due": "42.50 USD", "min": 10}', "min: expected a string such as '42.50 USD'"),
        (b'{"due": "42.505 USD"}', "due: USD has 2 decimal places"),
        (b'{"due": "42.50"}', "due: expected a string such as '42.50 USD'"),
        (b'{"due": "1e3 USD"}', "due: expected a string"),
        (b'{"due": "NaN USD"}', "due: expected a string"),
        ('{"due": "٤٢ USD"}'.encode(), "due: expected a string"),
        (b'{"due": "42.50 USD", "min": "10.00 EUR"}', "min: in EUR, while due is in USD"),
        (b'{"due": "42.50 USD", "min": "-1.00 USD"}', "min: less than nothing"),
        (b'{"due": "42.50 USD", "account": "87654321"}', "another account"),
        (b'{"due": "42.50 USD", "account": 12345678}', "account: expected a string"),
        (b'{"due": "42.50 USD", "due": "0.00 USD"}', "the member 'due' is there twice"),
        (b'{"amount": "42.50 USD"}', "due: missing"),
        (b'["42.50 USD"]', "not a JSON object"),
        (b"null", "not a JSON object"),
        (b"<html>welcome to our wifi</html>", "not JSON"),
        (b"[" * 50_000, "not JSON"),
        (b"", "not JSON"),
    ],
)
def test_what_is_no_bill_is_logged_with_its_reason_and_account_and_quoted_nowhere(
    server: BillingServer, body: bytes, told: str
):
    server.handle = answering(200, body)
    with capture_logs() as logs:
        assert look_up(billing_at(server.url)) == LookUpFailed(NOW, "not_payable")
    (line,) = logs
    assert (line["log_level"], line["account"]) == ("error", ACCOUNT)
    assert told in line["reason"]
    assert "wifi" not in str(logs)
    assert "87654321" not in str(logs)


@pytest.mark.parametrize(
    ("status", "head", "told"),
    [
        (401, "", "401: is BILLING_TOKEN right?"),
        (302, "Location: http://elsewhere.example/\r\n", "redirects are not followed"),
        (204, "", "204"),
        (500, "", "500"),
    ],
)
def test_an_answer_that_is_none_is_told_with_its_cure(server: BillingServer, status: int, head: str, told: str):
    server.handle = answering(status, head=head)
    with capture_logs() as logs:
        assert look_up(billing_at(server.url)) == LookUpFailed(NOW, "not_reached")
    assert told in logs[-1]["reason"]
    assert logs[-1]["account"] == ACCOUNT
    assert len(server.requests) == 1


def test_a_compressed_answer_is_not_unpacked(server: BillingServer):
    server.handle = answering(200, b"\x1f\x8b", "Content-Encoding: gzip\r\n")
    with capture_logs() as logs:
        assert look_up(billing_at(server.url)) == LookUpFailed(NOW, "not_payable")
    assert "compressed" in logs[0]["reason"]


# ---- how long and how much


async def drip_the_head(request: Request, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while True:
        writer.write(b"a")
        await writer.drain()
        await asyncio.sleep(0.01)


async def drip_the_body(request: Request, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.01)


async def flood(request: Request, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"10000\r\n" + b" " * 65536 + b"\r\n")
        await writer.drain()


@pytest.mark.parametrize("handle", [hang, drip_the_head, drip_the_body])
def test_an_answer_that_does_not_end_in_time_is_cut_off_however_it_drips(server: BillingServer, handle):
    server.handle = handle
    with capture_logs() as logs:
        assert look_up(billing_at(server.url, limit_s=SHORT)) == LookUpFailed(NOW, "not_reached")
    assert "no complete answer within 0.3 s" in logs[0]["reason"]


def test_an_endless_answer_is_cut_off_at_its_size(server: BillingServer):
    server.handle = flood
    with capture_logs() as logs:
        assert look_up(billing_at(server.url)) == LookUpFailed(NOW, "not_reached")
    assert "longer than 65536 bytes" in logs[0]["reason"]


def test_nobody_there_is_told():
    with capture_logs() as logs:
        assert look_up(billing_at("http://127.0.0.1:1/")) == LookUpFailed(NOW, "not_reached")
    assert "ConnectError" in logs[0]["reason"]


# ---- left alone while it is down


def test_an_endpoint_that_fails_again_and_again_is_left_alone(server: BillingServer):
    server.handle = answering(503)
    billing = billing_at(server.url)
    with capture_logs() as logs:
        for number in range(FAILURES + 5):
            assert look_up(billing, asker=str(number)) == LookUpFailed(NOW, "not_reached")
    assert len(server.requests) == FAILURES
    assert [line["event"] for line in logs].count("billing endpoint left alone") == 1
    assert "left alone after 5 failures" in logs[-1]["reason"]


def test_after_a_while_one_look_up_finds_out_whether_it_is_back(server: BillingServer):
    server.handle = answering(503)
    billing = billing_at(server.url, left_alone_s=0.001)
    for number in range(FAILURES):
        look_up(billing, asker=str(number))
    server.handle, server.bills[ACCOUNT] = None, {"due": "42.50 USD"}
    while isinstance(look_up(billing, asker="trial"), LookUpFailed):
        pass  # still left alone: the time passes by itself
    assert len(server.requests) == FAILURES + 1
    assert isinstance(look_up(billing, asker="after it"), LookedUp)


def test_while_one_finds_out_nobody_else_is_sent(server: BillingServer):
    server.handle = answering(503)
    billing = billing_at(server.url, left_alone_s=0.001, moment_s=0.0, waiters=0)
    for _ in range(FAILURES):
        with pytest.raises(BillingDown, match="503"):
            due_now(billing)
    server.handle, number = hang, 0
    while len(server.requests) == FAILURES:
        number += 1
        look_up(billing, asker=str(number))  # left alone, until the time has passed
        with server.changed:
            server.changed.wait(0.01)
    for _ in range(5):
        with pytest.raises(BillingDown, match="left alone"):
            due_now(billing)
    assert len(server.requests) == FAILURES + 1


def test_one_account_that_cannot_be_read_is_no_reason_to_leave_it_alone(server: BillingServer):
    server.bills |= {ACCOUNT: {"due": 42.5}, "23456789": {"due": "1.00 USD"}}
    billing = billing_at(server.url)
    for number in range(FAILURES + 1):
        assert look_up(billing, asker=str(number)) == LookUpFailed(NOW, "not_payable")
    assert isinstance(look_up(billing, "23456789"), LookedUp)


# ---- read again for a charge


def test_what_is_due_is_read_again_for_a_charge(server: BillingServer):
    server.bills[ACCOUNT] = {"due": "42.50 USD"}
    billing = billing_at(server.url)
    assert due_now(billing).amount == Money(4250)
    with pytest.raises(BillingDown, match="not known any more"):
        due_now(billing, "87654321")
    server.bills[ACCOUNT] = {"due": 42.5}
    with pytest.raises(BillingDown, match="due: expected a string"):
        due_now(billing)


def dues_now(billing: HttpBilling, *accounts: str) -> Mapping[str, DueNow]:
    while (dues := billing.dues_now(accounts, "CA1-1")) is None:
        pass
    assert not isinstance(dues, InOurTable)
    return dues


def test_each_bill_of_a_sum_is_read_again(server: BillingServer):
    keys = [str(10_000_000 + number) for number in range(20)]
    server.bills |= {key: {"due": f"{number}.00 USD"} for number, key in enumerate(keys, 1)}
    dues = dues_now(billing_at(server.url), *keys)
    assert [dues[key].amount.minor for key in keys] == [100 * number for number in range(1, 21)]
    assert len(server.requests) == 20


def test_a_sum_with_a_bill_that_cannot_be_read_is_not_known(server: BillingServer):
    server.bills |= {ACCOUNT: {"due": "42.50 USD"}, "23456789": {"due": 1}}
    with pytest.raises(BillingDown, match="not known any more"):
        dues_now(billing_at(server.url), ACCOUNT, "87654321")
    with pytest.raises(BillingDown, match="due: expected a string"):
        dues_now(billing_at(server.url), ACCOUNT, "23456789")


def test_the_bills_of_a_sum_are_read_within_one_time_for_all(server: BillingServer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(billing, "ALL_WITHIN_S", SHORT)
    server.handle = hang
    with pytest.raises(BillingDown, match="2 bills were not read within"):
        dues_now(billing_at(server.url), ACCOUNT, "23456789")


def test_a_slow_endpoint_keeps_no_thread_waiting_for_a_sum(server: BillingServer):
    server.handle = hang
    assert billing_at(server.url, moment_s=0).dues_now([ACCOUNT, "23456789"], "CA1-1") is None


def test_the_embedded_table_is_read_by_the_charge_itself():
    assert Bills(memory_store()).due_now(SOURCE, ACCOUNT, "CA1-1") == InOurTable()


# ---- settings


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("billing.example.com", "expected http"),
        ("ftp://billing.example.com", "expected http"),
        ("https://", "and a host"),
        ("https://user:secret@billing.example.com", "BILLING_TOKEN"),
        ("https://billing.example.com/?account=", "without user"),
    ],
)
def test_a_billing_url_that_is_none_is_told(url: str, told: str):
    with pytest.raises(ConfigError, match=f"BILLING_URL.*{told}") as raised:
        billing_of(load_settings({"BILLING_URL": url}), memory_store())
    assert "secret" not in str(raised.value)


def test_production_sends_no_account_in_the_clear():
    production = {"ENVIRONMENT": "production", "PUBLIC_URL": "https://pay.example.com", "TWILIO_AUTH_TOKEN": "x" * 32}
    with pytest.raises(ConfigError, match="https:// in production"):
        billing_of(load_settings(production | {"BILLING_URL": "http://billing.example.com"}), memory_store())
    billing_of(load_settings(production | {"BILLING_URL": "http://127.0.0.1:9000"}), memory_store(), Waiting())


def test_an_endpoint_over_tls_must_show_a_certificate_that_is_trusted(bank_keys: BankKeys):
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(bank_keys.bank / "server.crt", bank_keys.bank / "server.key")
    with billing_server(tls) as server:
        server.bills[ACCOUNT] = {"due": "42.50 USD"}
        trusting = Access(server.url, ca=str(bank_keys.keys / "bank-ca.crt"), limit_s=LONG)
        for access, answer in ((trusting, LookedUp), (Access(server.url, limit_s=LONG), LookUpFailed)):
            billing = HttpBilling(BillingEndpoint(access), memory_store(), LookUps(LONG, 1))
            assert isinstance(look_up(billing), answer)
        assert len(server.requests) == 1


def test_a_file_of_authorities_that_is_none_is_told(tmp_path):
    with pytest.raises(ConfigError, match="BILLING_CA"):
        Access("https://billing.example.com", ca=str(tmp_path / "none.pem")).client()


def test_neither_token_nor_secret_is_shown():
    settings = load_settings({"BILLING_TOKEN": "opensesame", "BILLING_SECRET": "whsec_opensesame"})
    assert "opensesame" not in repr(settings)
    assert "opensesame" not in repr(Access("http://localhost", "opensesame"))
