"""Texts through Twilio's SDK against a server on loopback: what is sent, tried again, refused, and shown to the operator."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import pytest
from twilio.http.http_client import TwilioHttpClient

from ivr.calls.texting import can_be_kept, is_withheld, texting
from ivr.channels.simulator import Clock
from ivr.core.call import Charge, ChargeStatus
from ivr.core.money import Money
from ivr.forwarder.process import Forwarder
from ivr.forwarder.texts import TRIES
from ivr.forwarder.twilio_texts import TwilioTexts, text_sender, twilio_http, what_it_means
from ivr.settings import Settings, load_settings
from ivr.store import Store, TextMessage
from tests.store.payments import NOW, a_call

ACCOUNT, TOKEN, SENDER = "AC" + "0" * 32, "x" * 32, "+15550111"
CALLER = "+15550100"


@dataclass
class Twilio:
    """Twilio's REST API as far as texts need it. `answers`: (status, code) of the next requests; then all is well."""

    answers: list[tuple[int, int | None]] = field(default_factory=list)
    body: bytes | None = None
    seen: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    url: str = ""

    def answer(self, path: str, fields: dict[str, str]) -> tuple[int, bytes]:
        self.paths.append(path)
        self.seen.append(fields)
        status, code = self.answers.pop(0) if self.answers else (201, None)
        if self.body is not None:
            return status, self.body
        if status >= 400:
            return status, json.dumps({"code": code, "message": f"no text to {CALLER}", "status": status}).encode()
        accepted = {"sid": "SM1", "status": "failed" if code else "queued", "error_code": code}
        return status, json.dumps(accepted).encode()


class Redirected(TwilioHttpClient):
    """The SDK's own way to another server: an HTTP client of one's own."""

    def __init__(self, url: str) -> None:
        super().__init__(timeout=10, max_retries=0)
        self.session.trust_env = False
        self.url = url

    def request(self, method: str, url: str, *rest: Any, **more: Any) -> Any:
        return super().request(method, url.replace("https://api.twilio.com", self.url), *rest, **more)


@pytest.fixture
def twilio() -> Iterator[Twilio]:
    api = Twilio()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            written = self.rfile.read(int(self.headers["Content-Length"])).decode()
            fields = {name: values[0] for name, values in parse_qs(written).items()}
            status, content = api.answer(self.path, fields)
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        api.url = f"http://127.0.0.1:{server.server_address[1]}"
        yield api
        server.shutdown()
        thread.join()


def settings(**changed: str) -> Settings:
    chosen = {"TWILIO_ACCOUNT_SID": ACCOUNT, "TWILIO_AUTH_TOKEN": TOKEN, "SMS_FROM": SENDER, **changed}
    return load_settings(chosen)


def production(**changed: str) -> Settings:
    return settings(ENVIRONMENT="production", PUBLIC_URL="https://pay.example.com", **changed)


@dataclass
class Post:
    """A queue with one text in it, a clock, and a forwarder that does what is due."""

    store: Store
    forwarder: Forwarder
    clock: Clock

    def work(self, seconds: float = 0) -> TextMessage:
        self.clock.advance(seconds)
        while self.forwarder.run_once():
            pass
        message = self.store.text_message("CA1-receipt")
        assert message is not None
        return message


@pytest.fixture
def post(store: Store, twilio: Twilio) -> Post:
    clock = Clock(NOW)
    sender = TwilioTexts(settings(), Redirected(twilio.url))
    store.queue_sms("CA1-receipt", CALLER, "Paid: $42.50.", NOW)
    return Post(store, Forwarder(store, {}, sender, now=clock), clock)


def test_a_text_goes_out_once_with_its_words(post: Post, twilio: Twilio):
    sent = post.work()
    assert (sent.is_sent, sent.state, sent.problem) == (True, "sent", None)
    assert twilio.paths == [f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"]
    assert twilio.seen == [{"To": CALLER, "From": SENDER, "Body": "Paid: $42.50."}]
    assert post.work(3600) == sent
    assert len(twilio.seen) == 1


@pytest.mark.parametrize(
    ("status", "code", "why"),
    [
        (400, 21211, "not a number"),
        (400, 21610, "no more texts"),
        (400, 21614, "not a mobile"),
        (400, 21408, "not enabled"),
        (403, 21610, "no more texts"),
        (400, 21617, "21617"),
        (400, None, "400"),
        (410, None, "410"),
        (201, 30006, "a landline"),
    ],
)
def test_a_text_that_the_number_takes_none_of_is_refused_once_and_not_marked_as_sent(
    post: Post, twilio: Twilio, status: int, code: int | None, why: str
):
    twilio.answers = [(status, code)]
    refused = post.work()
    assert (refused.is_sent, refused.state) == (False, "refused")
    assert why in str(refused.problem)
    assert CALLER not in str(refused.problem)
    post.work(3600)
    assert len(twilio.seen) == 1
    assert post.store.text_trouble() is None


@pytest.mark.parametrize(
    ("status", "code"), [(401, 20003), (403, None), (401, None), (404, 20404), (400, 21606), (400, 21659), (403, 30002)]
)
def test_an_account_that_is_not_in_order_delays_texts_until_it_is_and_none_is_promised_meanwhile(
    post: Post, twilio: Twilio, status: int, code: int | None
):
    twilio.answers = [(status, code)] * 3
    can_text = texting(settings(), post.store.text_trouble)
    assert can_text(CALLER)
    waiting = post.work()
    assert (waiting.is_sent, waiting.state) == (False, "waiting")
    assert str(status) in str(waiting.problem)
    assert post.store.text_trouble() == waiting.problem
    assert not can_text(CALLER)
    for _ in range(3):
        post.work(600)
    assert post.work().is_sent
    assert can_text(CALLER)


@pytest.mark.parametrize(("status", "code"), [(429, 20429), (500, None), (503, None), (201, 30003), (400, 21611)])
def test_what_passes_is_tried_again_with_growing_pauses(post: Post, twilio: Twilio, status: int, code: int | None):
    twilio.answers = [(status, code)] * 2
    assert post.work().state == "waiting"
    assert post.store.text_trouble() is None
    post.work(1)
    assert len(twilio.seen) == 2
    post.work(1)
    assert len(twilio.seen) == 2
    assert post.work(1).is_sent


def test_a_twilio_that_cannot_be_reached_is_tried_again(store: Store):
    clock = Clock(NOW)
    store.queue_sms("CA1-receipt", CALLER, "Paid.", NOW)
    nobody = Post(
        store, Forwarder(store, {}, TwilioTexts(settings(), Redirected("http://127.0.0.1:1")), now=clock), clock
    )
    assert (nobody.work().state, nobody.work().problem) == ("waiting", "Twilio cannot be reached: ConnectionError")


def test_a_text_is_given_up_after_a_day_and_says_so(post: Post, twilio: Twilio):
    twilio.answers = [(401, 20003), (401, 20003)]
    post.work()
    post.clock.advance(1)
    job = post.store.claim(post.clock(), 60)
    assert job is not None
    post.forwarder.do(replace(job, attempts=TRIES))
    given_up = post.work(3600)
    assert (given_up.state, given_up.is_sent) == ("refused", False)
    assert "given up" in str(given_up.problem)
    assert len(twilio.seen) == 2
    # Nothing waits that would find out that the account is in order: the next caller's text does.
    assert post.store.text_trouble() is None


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"status": 5}'])
def test_a_text_that_was_taken_with_an_answer_nobody_can_read_is_not_sent_twice(
    post: Post, twilio: Twilio, body: bytes
):
    twilio.body = body
    assert post.work().is_sent
    post.work(3600)
    assert len(twilio.seen) == 1


def test_a_code_that_nobody_knows_is_judged_by_its_status():
    assert type(what_it_means(400, 99999)).__name__ == "TextRefused"
    assert type(what_it_means(502, 99999)).__name__ == "TextDelayed"
    assert what_it_means(401, 99999).problem.is_account


def test_the_client_uses_no_proxy_of_the_environment_and_tries_once():
    client = twilio_http()
    assert not client.session.trust_env
    assert client.session.get_adapter("https://api.twilio.com").max_retries.total == 0


# ---- who can be texted


@pytest.mark.parametrize(
    "number",
    [
        *(
            "",
            " ",
            "anonymous",
            "Anonymous",
            "ANONYMOUS",
            "anonymous@anonymous.invalid",
            "sip:anonymous@anonymous.invalid",
        ),
        *("Restricted", "unavailable", "Unknown", "Private", "BLOCKED", "withheld"),
        *("+266696687", "266696687", "+7378742833", "+2562533", "+8656696", "+86282452253", "+464"),
    ],
)
def test_a_withheld_number_is_promised_no_text_anywhere(number: str):
    assert is_withheld(number)
    assert not texting(production())(number)
    assert not texting(settings(SMS_FROM=""))(number)


@pytest.mark.parametrize("number", ["+15550100", "+525512345678", "+4915112345678"])
def test_a_number_in_full_can_be_texted(number: str):
    assert texting(production())(number)
    assert texting(settings(SMS_FROM=""))(number)


@pytest.mark.parametrize("number", ["5550100", "alice", "+0155501000", "+1555", "+" + "1" * 16, "+1555\u0660100000"])
def test_what_twilio_would_not_take_is_promised_nothing_in_production(number: str):
    assert not texting(production())(number)


@pytest.mark.parametrize("missing", ["TWILIO_ACCOUNT_SID", "SMS_FROM"])
def test_without_a_sender_production_promises_nothing_and_what_is_queued_is_refused(store: Store, missing: str):
    without = production(**{missing: ""})
    assert not texting(without)(CALLER)
    store.queue_sms("CA1-receipt", CALLER, "Paid.", NOW)
    Forwarder(store, {}, text_sender(without)).run_once()
    message = store.text_message("CA1-receipt")
    assert message is not None
    assert (message.is_sent, message.state) == (False, "refused")
    assert "SMS_FROM" in str(message.problem)


def test_in_development_a_text_is_kept_for_the_page_and_not_called_sent(store: Store):
    assert can_be_kept("alice")
    store.queue_sms("CA1-receipt", CALLER, "Paid.", NOW)
    Forwarder(store, {}, text_sender(settings(SMS_FROM=""))).run_once()
    message = store.text_message("CA1-receipt")
    assert message is not None
    assert (message.is_sent, message.state) == (False, "kept")
    assert store.claim(NOW + timedelta(days=1), 60) is None


# ---- no promise, no text


def test_a_call_that_cannot_be_texted_ends_without_a_promise_to_keep(store: Store):
    call = a_call("CA1", attempt=1, charges=(Charge(1, Money(4250), "approved"),), can_text=False)
    store.save_call(call, 0, NOW)
    store.save_call(replace(call, phase="over", outcome="paid"), 1, NOW)
    assert store.outbox_depth()["result"] == 0


@pytest.mark.parametrize("status", ["accepted", "sent", "unknown"])
def test_a_charge_in_doubt_is_looked_for_and_no_text_goes_to_a_caller_who_cannot_be_texted(
    store: Store, status: ChargeStatus
):
    call = a_call("CA1", attempt=1, charges=(Charge(1, Money(4250), status),), can_text=False)
    store.save_call(call, 0, NOW)
    store.save_call(replace(call, phase="over", outcome="pending"), 1, NOW)
    assert store.outbox_depth()["result"] == 1
    sent: list[str] = []
    while Forwarder(store, {}, lambda _, body: sent.append(body)).run_once():
        pass
    assert sent == []
    stored = store.load_call("CA1")
    assert stored is not None
    assert stored.call.outcome == "unpaid"
