"""Bills from a merchant's own endpoint: read strictly, bounded in time and size, and left alone while it is down."""

import asyncio
import threading
from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from ivr.core.events import CallStarted, LookedUp, LookUpFailed
from ivr.core.money import Money
from ivr.errors import ConfigError
from ivr.runner.billing import BillingDown, Bills, HttpBilling, Waiting, billing_of, half_the_threads
from ivr.runner.billing_endpoint import FAILURES, Access, BillingEndpoint
from ivr.runner.look_ups import MOST_UNDER_WAY, LookUps
from ivr.settings import load_settings
from ivr.store import memory_store
from tests.billing_endpoints import BillingServer, Request, answering, billing_server, hang, write
from tests.store.payments import NOW

SOURCE, ACCOUNT = "billing.find_bill", "12345678"
AT = CallStarted(NOW)
LONG = 60.0  # a busy machine must not make a slow answer of a quick one
SHORT = 0.3  # where running out of time is what is tested


@pytest.fixture
def server() -> Iterator[BillingServer]:
    with billing_server() as server:
        yield server


def billing_at(
    url: str, *, limit_s: float = LONG, moment_s: float = LONG, waiters: int = 64, left_alone_s: float = LONG
) -> HttpBilling:
    endpoint = BillingEndpoint(Access(url, token="letmein", limit_s=limit_s), left_alone_s=left_alone_s)
    return HttpBilling(endpoint, memory_store(), LookUps(moment_s, waiters))


def look_up(billing: HttpBilling, account: str = ACCOUNT, asker: str = "call 1") -> LookedUp | LookUpFailed | None:
    return billing.look_up(SOURCE, account, AT, asker)


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
        ({"due": "-5.00 USD", "min": "1.00 USD"}, Money(-500), Money(-500)),
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
            billing.due_now(SOURCE, ACCOUNT)
    server.handle, number = hang, 0
    while len(server.requests) == FAILURES:
        number += 1
        look_up(billing, asker=str(number))  # left alone, until the time has passed
    for _ in range(5):
        with pytest.raises(BillingDown, match="left alone"):
            billing.due_now(SOURCE, ACCOUNT)
    assert len(server.requests) == FAILURES + 1


def test_one_account_that_cannot_be_read_is_no_reason_to_leave_it_alone(server: BillingServer):
    server.bills |= {ACCOUNT: {"due": 42.5}, "23456789": {"due": "1.00 USD"}}
    billing = billing_at(server.url)
    for number in range(FAILURES + 1):
        assert look_up(billing, asker=str(number)) == LookUpFailed(NOW, "not_payable")
    assert isinstance(look_up(billing, "23456789"), LookedUp)


# ---- nobody is held up


def test_a_look_up_that_takes_its_time_is_begun_once_and_answered_when_it_is_asked_for_again(server: BillingServer):
    may_answer = threading.Event()

    async def answer_later(request: Request, writer: asyncio.StreamWriter) -> None:
        await asyncio.to_thread(may_answer.wait, LONG)
        write(writer, 200, b'{"due": "42.50 USD"}')

    server.handle = answer_later
    billing = billing_at(server.url, moment_s=0.0)
    assert [look_up(billing) for _ in range(5)] == [None] * 5
    (begun,) = billing._look_ups._begun.values()
    may_answer.set()
    begun.result(LONG)
    assert look_up(billing) == LookedUp(NOW, True, {"bill.due": Money(4250), "bill.min": Money(1)})
    assert len(server.requests) == 1
    assert look_up(billing) is None, "an answer is given once: the same question is then a new one"


def test_no_more_threads_wait_for_look_ups_than_may(server: BillingServer):
    """24 callers whose look-ups hang, and one thread that may wait: 23 are told to come again without waiting."""
    server.handle = hang
    billing = billing_at(server.url, waiters=1)
    done, left = threading.Semaphore(0), []

    def call(number: int) -> None:
        left.append(look_up(billing, asker=str(number)))
        done.release()

    for number in range(24):
        threading.Thread(target=call, args=(number,), daemon=True).start()
    for _ in range(23):
        assert done.acquire(timeout=LONG / 2), "a thread waits that should not"
    assert left == [None] * 23
    server.until(lambda: len(server.requests) == 24)


def test_more_look_ups_than_can_be_kept_are_refused_at_once(server: BillingServer):
    server.handle = hang
    billing = billing_at(server.url, moment_s=0.0, waiters=0)
    assert {look_up(billing, asker=str(number)) for number in range(MOST_UNDER_WAY)} == {None}
    with capture_logs() as logs:
        assert look_up(billing, asker="one more") == LookUpFailed(NOW, "not_reached")
    assert "too many" in logs[0]["reason"]


def test_a_web_server_keeps_half_of_its_threads_for_others():
    assert [half_the_threads({"WEB_THREADS": count}) for count in ("1", "2", "5", "what")] == [0, 1, 2, 1]
    assert half_the_threads({}) == 1


# ---- read again for a charge


def test_what_is_due_is_read_again_for_a_charge(server: BillingServer):
    server.bills[ACCOUNT] = {"due": "42.50 USD"}
    billing = billing_at(server.url)
    read = billing.due_now(SOURCE, ACCOUNT)
    assert read is not None
    assert read.amount == Money(4250)
    assert billing.due_now(SOURCE, "87654321") is None
    server.bills[ACCOUNT] = {"due": 42.5}
    with pytest.raises(BillingDown, match="due: expected a string"):
        billing.due_now(SOURCE, ACCOUNT)


def test_the_embedded_table_is_read_again_too(tmp_path):
    file = tmp_path / "accounts.csv"
    file.write_text("account,due,minimum,currency\n12345678,42.50,10.00,USD\n")
    store = memory_store()
    store.seed_bills(file)
    read = Bills(store).due_now(SOURCE, ACCOUNT)
    assert read is not None
    assert read.amount == Money(4250)
    assert Bills(store).due_now(SOURCE, "1") is None


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


def test_a_file_of_authorities_that_is_none_is_told(tmp_path):
    with pytest.raises(ConfigError, match="BILLING_CA"):
        Access("https://billing.example.com", ca=str(tmp_path / "none.pem")).client()


def test_neither_token_nor_secret_is_shown():
    settings = load_settings({"BILLING_TOKEN": "opensesame", "BILLING_SECRET": "whsec_opensesame"})
    assert "opensesame" not in repr(settings)
    assert "opensesame" not in repr(Access("http://localhost", "opensesame"))
