"""The page at `/`: what it shows, what it masks, whom it refuses."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from ivr.console import LivePages, Process, Trial, console, trials
from ivr.core.caller import mask_number
from ivr.core.money import Money
from ivr.flow.compiled import Flow
from ivr.flow.drawing.traffic import Traffic
from ivr.settings import load_settings
from ivr.store import TextProblem
from ivr.traces import CallRow, DropOff, TextRow, Trace
from tests.benches import Bench
from tests.conversation.talk import sample

CALL = CallRow(
    id="CA1",
    started_at=datetime(2026, 3, 1, 12, 5, 9, tzinfo=UTC),
    duration_s=83.4,
    ani="+15550100123",
    flow="pay-a-bill",
    channel="twilio",
    language="en-US",
    ending="paid",
    hung_up=False,
    payment="approved",
    amount=Money(4250),
)


@dataclass(frozen=True)
class Pages:
    calls: Sequence[CallRow] = (CALL,)
    texts: Sequence[TextRow] = ()
    troubles: Sequence[str] = ()

    def processes(self) -> Sequence[Process]:
        return [Process("web", "http://127.0.0.1:8000", "this page")]

    def trials(self) -> Sequence[Trial]:
        return [Trial("A call", "python -m ivr simulate --via http://127.0.0.1:8000")]

    def flows(self) -> Mapping[str, Flow]:
        return {"pay-a-bill": sample()}

    def latest_calls(self, limit: int) -> Sequence[CallRow]:
        return self.calls[:limit]

    def trace(self, call_id: str) -> Trace | None:
        return None

    def called_flows(self) -> Sequence[str]:
        return list(self.flows())

    def drop_off(self, flow: str, span: str, now: datetime) -> DropOff:
        return DropOff(flow, span, Traffic(sample()))

    def trouble(self) -> Sequence[str]:
        return self.troubles

    def latest_texts(self, limit: int) -> Sequence[TextRow]:
        return self.texts[:limit]


def client(pages: Pages | LivePages) -> FlaskClient:
    app = Flask(__name__)
    app.register_blueprint(console(pages))
    return app.test_client()


def page(pages: Pages | LivePages | None = None) -> str:
    response = client(pages or Pages()).get("/")
    assert response.status_code == 200
    return response.text


def cells(html: str) -> list[str]:
    rows = re.findall(r"<tr>\s*(<td\b.*?)</tr>", html, re.DOTALL)
    return [" ".join(re.sub(r"<[^>]+>", " ", row).split()) for row in rows]


def test_it_says_what_runs_and_what_to_try():
    html = page()
    assert "<dt>web</dt><dd><code>http://127.0.0.1:8000</code> this page</dd>" in html
    assert "<code>python -m ivr simulate --via http://127.0.0.1:8000</code>" in html


def test_a_call_is_one_row_with_its_outcome_payment_and_amount():
    assert cells(page()) == [
        "01 Mar 12:05:09 ...123 pay-a-bill twilio en-US 1:23 charged approved 42.50 USD",
    ]


@pytest.mark.parametrize(
    ("ending", "hung_up", "words"),
    [("unpaid", True, "not charged hung up"), ("pending", True, "not known yet hung up"), (None, False, "in the call")],
)
def test_every_state_of_a_call_is_in_words(ending, hung_up: bool, words: str):
    call = replace(CALL, ending=ending, hung_up=hung_up, payment=None, amount=None)
    assert cells(page(Pages([call])))[0].endswith(f"1:23 {words} none")


def test_the_callers_number_is_masked():
    html = page(Pages(texts=[TextRow("+15550100123", "Paid.", True)]))
    assert "5550100" not in html
    assert "...123" in html


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("+15550100123", "...123"),
        ("anonymous", "withheld"),
        ("", "withheld"),
        ("100", "withheld"),
        ("123456", "withheld"),
    ],
)
def test_a_number_is_masked_to_its_last_three_digits(number: str, shown: str):
    assert mask_number(number) == shown


def test_what_comes_from_outside_is_escaped():
    evil = "<script>alert(1)</script>\"'"
    html = page(Pages([replace(CALL, channel=evil, flow=evil)], [TextRow("+15550100123", evil, False)]))
    assert "<script>alert" not in html
    assert html.count("&lt;script&gt;alert(1)") == 3


def test_without_calls_it_says_so():
    assert "No calls yet." in page(Pages([]))


def test_the_flow_is_drawn_inline():
    html = page()
    assert html.count("<svg ") == 1
    assert "goodbye unpaid" in html


def test_nothing_is_loaded_from_elsewhere():
    html = page()
    links = set(re.findall(r'(?:src|href|action)="([^"]*)"', html)) | set(re.findall(r"url\(([^)]*)\)", html))
    assert links <= {"data:,", "/calls/CA1", "/drop-off"}
    assert set(re.findall(r'https?://[^"\s<]+', html)) <= {"http://127.0.0.1:8000", "http://www.w3.org/2000/svg"}


def test_only_its_own_script_and_styles_run_and_each_time_under_another_nonce():
    first, second = client(Pages()).get("/"), client(Pages()).get("/")
    nonce = nonce_of(first)
    assert nonce != nonce_of(second)
    assert all(f'nonce="{nonce}"' in tag for tag in re.findall(r"<(?:style|script)\b[^>]*>", first.text))
    assert " style=" not in first.text
    assert not re.search(r"\son\w+=", first.text)


def nonce_of(response: TestResponse) -> str:
    policy = response.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'nonce-")
    assert "unsafe" not in policy
    found = re.search(r"script-src 'nonce-([^']+)'", policy)
    assert found is not None
    return found[1]


def test_it_is_kept_by_no_cache_and_framed_by_nobody():
    headers = client(Pages()).get("/").headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8000", "127.0.0.1:8123", "[::1]:8000", "[::1]", "LOCALHOST:80"]
)
def test_this_machine_is_served(host: str):
    assert client(Pages()).get("/", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    ("headers", "address"),
    [
        ({"Host": "pay.example.com"}, "127.0.0.1"),
        ({"Host": "rebound.example.com:8000"}, "127.0.0.1"),
        ({"Host": "127.0.0.1.example.com"}, "127.0.0.1"),
        ({"X-Forwarded-For": "203.0.113.9"}, "127.0.0.1"),
        ({"Forwarded": "for=203.0.113.9"}, "127.0.0.1"),
        ({}, "203.0.113.9"),
        ({}, "not an address"),
    ],
)
@pytest.mark.parametrize("path", ["/", "/latest", "/drop-off"])
def test_anybody_else_is_refused_and_sees_nothing(path: str, headers: dict[str, str], address: str):
    response = client(Pages()).get(path, headers=headers, environ_overrides={"REMOTE_ADDR": address})
    assert response.status_code == 403
    assert "this page is shown on the machine itself only" in response.text
    assert "...123" not in response.text


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_it_changes_nothing(method: str):
    assert getattr(client(Pages()), method)("/").status_code == 405


class Outline(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.headings: list[str] = []

    def handle_starttag(self, tag: str, attrs: list) -> None:
        if tag not in ("meta", "link"):
            self.open.append(tag)
        if re.fullmatch(r"h\d", tag):
            self.headings.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list) -> None:
        """`<rect/>` opens nothing."""


def test_the_page_is_well_formed_and_its_tables_have_headers():
    html = page(Pages(texts=[TextRow("+15550100123", "Paid.", True)]))
    outline = Outline()
    outline.feed(html)
    outline.close()
    assert outline.open == []
    assert outline.headings[0] == "h1"
    assert set(outline.headings[1:]) == {"h2"}
    assert html.startswith('<!doctype html>\n<html lang="en">')
    assert html.count("<th ") == html.count('<th scope="col"')
    assert html.count("<caption>") == html.count("<table>") == 2


def test_the_part_that_changes_can_be_had_alone():
    response = client(Pages()).get("/latest")
    assert cells(response.text) == cells(page())
    assert "<svg" not in response.text
    assert response.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'none'")


def test_it_renews_itself_also_without_script():
    assert '<noscript><meta http-equiv="refresh" content="10"></noscript>' in page()


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_stand_out_from_their_ground(scheme: str):
    """WCAG 2.2, 1.4.3: 4.5 to 1."""
    palettes = re.findall(r":root\{(.*?)\}", page(), re.DOTALL)
    written = palettes[scheme == "dark"]
    colours = {name: "#" + "".join(c * 2 for c in value[1:]) if len(value) == 4 else value
               for name, value in re.findall(r"--([\w-]+):(#\w+)", written)}  # fmt: skip
    pairs = [
        ("ink", "paper"),
        ("soft", "paper"),
        ("soft", "panel"),
        ("ink", "panel"),
        ("ink", "open-bg"),
        ("accent", "paper"),
    ]
    pairs += [(name, f"{name}-bg") for name in ("paid", "unpaid", "pending")]
    assert {
        pair: round(contrast(*(colours[c] for c in pair)), 1)
        for pair in pairs
        if contrast(*(colours[c] for c in pair)) < 4.5
    } == {}


# ---- from the running product


def test_production_offers_no_test_card():
    secure = {"TWILIO_AUTH_TOKEN": "0" * 32, "ENVIRONMENT": "production", "PUBLIC_URL": "https://pay.example.com"}
    texts = [trial.text for trial in trials(load_settings(secure), ("web",), ["pay-a-bill"])]
    assert "https://pay.example.com/twilio/voice/pay-a-bill" in texts
    assert not any("4111" in text for text in texts)


def test_a_whole_call_appears_with_what_became_of_it(bench: Bench):
    line = bench.dial("pay-a-bill", "+15550100123")
    line.begin()
    for keys in ("1", "12345678#", "1", "4111111111111111#", "1230", "123", "94105", "1"):
        line.press(keys)
    bench.tell_bank("approves")
    line.wait()
    line.press("2")
    store = bench.workbench.store
    live = LivePages(
        load_settings({"TWILIO_AUTH_TOKEN": "0" * 32}),
        {bench.workbench.flow.name: bench.workbench.flow},
        store,
        ("web", "trunk"),
    )
    row = live.latest_calls(5)[0]
    assert (row.caller, row.flow, row.amount) == ("...123", "pay-a-bill", Money(4250))
    assert (row.ending, row.payment) == ("paid", "approved")
    assert [text.to for text in live.latest_texts(5)] == ["...123"]
    html = page(live)
    assert "42.50 USD" in html
    assert "sip:pay@127.0.0.1:5060" in html
    assert "/twilio/voice/pay-a-bill" in html
    assert html.count("4111111111111111") == 2, "only where the page says what to key in"


def test_what_keeps_texts_from_going_out_is_told_on_the_page_and_each_text_says_why(bench: Bench):
    store, now = bench.workbench.store, bench.workbench.clock()
    line = bench.dial("pay-a-bill", "+15550100123")
    line.begin()
    for name in ("receipt", "result", "link"):
        store.queue_sms(f"{line.call_id}-{name}", "+15550100123", "Paid.", now)
    receipt, result, _ = store.claim_jobs(now, 60, 3)
    store.text_refused(receipt, TextProblem("Twilio answered 400, error 21614: not a mobile telephone"), now)
    account = TextProblem("Twilio answered 401: TWILIO_AUTH_TOKEN is wrong", is_account=True)
    store.text_delayed(result, account, 60, now + timedelta(seconds=1), now)
    html = page(LivePages(load_settings({"TWILIO_AUTH_TOKEN": "0" * 32}), {}, store))
    assert "cannot be sent: Twilio answered 400, error 21614: not a mobile telephone" in html
    assert "not sent yet: Twilio answered 401: TWILIO_AUTH_TOKEN is wrong" in html
    assert "No text can be sent, and none is promised to callers: Twilio answered 401" in html


def test_a_page_without_trouble_asks_for_nobody():
    assert "needs you" not in page(Pages())
    assert "needs you" in page(Pages(troubles=["No text can be sent"]))
