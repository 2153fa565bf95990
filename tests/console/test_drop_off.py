"""Where callers stop, on the page: numbers, spans, flows that are gone or were changed, and who may look."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import create_app, create_console
from ivr.calls.assembly import Engine
from ivr.console import LivePages, console
from ivr.settings import load_settings
from ivr.traces import begin_of
from tests.benches import Bench
from tests.leaks import leaks_in

SETTINGS = load_settings({"TWILIO_AUTH_TOKEN": "0" * 32})
PAN = "4012888888881881"


def client_of(bench: Bench, *flows: str) -> FlaskClient:
    """`flows`: those that the console has; none for all of the bench's."""
    workbench = bench.workbench
    compiled = {name: flow for name, flow in workbench.runner.flows.items() if name in (flows or [name])}
    app = Flask(__name__)
    app.register_blueprint(console(LivePages(SETTINGS, compiled, workbench.store)))
    return app.test_client()


def now(bench: Bench) -> None:
    """The bench's clock begins in January; what the page calls today is today."""
    bench.workbench.clock.now = datetime.now(UTC)


def call(bench: Bench, *entries: str, ends: bool = True) -> None:
    line = bench.dial("pay-a-bill", "+15550100123")
    line.begin()
    for keys in entries:
        line.press(keys)
    if ends:
        line.hang_up()


def rows(html: str) -> dict[str, list[str]]:
    """Of the table of steps, by the step's name."""
    table = html.partition("<caption>How many calls reached")[2].partition("</table>")[0]
    found = {}
    for row in re.findall(r"<tr>(<th scope=\"row\">.*?)</tr>", table, re.DOTALL):
        name, *numbers = [" ".join(re.sub(r"<[^>]+>", " ", one).split()) for one in re.split(r"</t[hd]>", row)][:-1]
        found[name] = numbers
    return found


def test_each_step_says_who_came_and_how_they_were_lost(bench: Bench):
    now(bench)
    for entries in ([], ["1"], ["1", "12345678#"], ["1", "12345678#", "1", f"{PAN}#"]):
        call(bench, *entries)
    html = client_of(bench).get("/drop-off?span=today").text
    found = rows(html)
    # Reached by, of all calls, hung up, left while connecting, gave up, cancelled, turned away, our error, lost in all, of those who came.
    assert found["before the first step"] == ["4", "100 %", "1", "0", "0", "0", "0", "0", "1", "25 %"]
    assert found["account"] == ["3", "75 %", "1", "0", "0", "0", "0", "0", "1", "33 %"]
    assert found["amount"] == ["2", "50 %", "1", "0", "0", "0", "0", "0", "1", "50 %"]
    assert found["card"] == ["1", "25 %", "1", "0", "0", "0", "0", "0", "1", "100 %"]
    assert found["receipt"][:2] == ["0", "0 %"]
    assert "<b>4</b> calls that are over" in html
    assert ">2 calls, 1 lost (50 %)<" in html


def test_a_paid_call_is_not_lost(bench: Bench):
    now(bench)
    call(bench, "1", "12345678#", "1", f"{PAN}#", "1230", "123", "94105", "1", ends=False)
    bench.tell_bank("approves")
    assert bench.line is not None
    bench.line.wait()
    bench.line.press("#")
    html = client_of(bench).get("/drop-off").text
    assert "<b>0</b> lost on the way (0 %)" in html
    assert rows(html)["receipt"][0] == "1"
    assert leaks_in(html.encode(), [PAN]) == []
    assert not re.search(r"\b(12345678|94105|5550100123)\b", html)


def test_calls_before_the_span_are_not_counted_and_calls_that_go_on_are_told(bench: Bench):
    bench.workbench.clock.now = datetime.now(UTC) - timedelta(days=20)
    call(bench)
    now(bench)
    call(bench)
    call(bench, "1", ends=False)
    client = client_of(bench)
    counts = {span: re.search(r"<b>(\d+)</b> calls that", client.get(f"/drop-off?span={span}").text) for span in
              ("today", "7", "30", "all")}  # fmt: skip
    assert {span: found and found[1] for span, found in counts.items()} == {
        "today": "1",
        "7": "1",
        "30": "2",
        "all": "2",
    }
    assert "<b>1</b> still in the call, not counted" in client.get("/drop-off?span=all").text


def test_today_is_since_midnight():
    at = datetime(2026, 3, 1, 17, 30, tzinfo=UTC)
    assert begin_of("today", at) == datetime(2026, 3, 1, tzinfo=UTC)
    assert begin_of("7", at) == datetime(2026, 2, 22, 17, 30, tzinfo=UTC)
    assert begin_of("all", at) is None


def test_without_a_call_the_page_says_so_and_where_to_look(bench: Bench):
    html = client_of(bench).get("/drop-off?span=7").text
    assert "No call to pay-a-bill has ended in this time" in html
    assert 'href="/drop-off?flow=pay-a-bill&amp;span=all"' in html
    assert "The first one appears here when it is over." in client_of(bench).get("/drop-off?span=all").text


def test_a_flow_that_is_gone_is_counted_and_told(bench: Bench):
    call(bench, "1")
    html = client_of(bench, "another").get("/drop-off?flow=pay-a-bill&span=all").text
    assert "The flow pay-a-bill is not among the flows any more" in html
    assert "<svg" not in html
    assert rows(html)["account gone"][0] == "1"


def test_a_flow_that_was_changed_since_is_told(bench: Bench):
    call(bench, "1")
    store = bench.workbench.store
    stored = store.latest_calls(1)[0].call
    old = replace(stored, id="CA2", moves=("- began", "old_step ok"), step="account")
    store.save_call(old, 0, datetime.now(UTC))
    html = client_of(bench).get("/drop-off?span=all").text
    assert "The flow was changed since: 1 times a call went where no arrow leads now" in html
    assert rows(html)["old step gone"][0] == "1"


def test_calls_from_before_are_told_and_not_counted(bench: Bench):
    call(bench, "1")
    store = bench.workbench.store
    store.save_call(replace(store.latest_calls(1)[0].call, id="CA2", moves=()), 0, datetime.now(UTC))
    html = client_of(bench).get("/drop-off?span=all").text
    assert "1 call ended before this was kept" in html
    assert "<b>1</b> calls that are over" in html


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ("span=9", 400, "span: expected one of today, 7, 30, all\n"),
        ("flow=nothing", 404, "flow: there is no such flow, and no call to it; there are pay-a-bill\n"),
        ("flow=<script>", 404, "flow: there is no such flow, and no call to it; there are pay-a-bill\n"),
    ],
)
def test_what_there_is_not_is_told_with_what_there_is(bench: Bench, query: str, status: int, words: str):
    answer = client_of(bench).get(f"/drop-off?{query}")
    assert (answer.status_code, answer.text, answer.mimetype) == (status, words, "text/plain")


def test_the_page_runs_nothing_and_every_table_has_headers(bench: Bench):
    call(bench, "1")
    answer = client_of(bench).get("/drop-off?span=all")
    assert "default-src 'none'; style-src 'nonce-" in answer.headers["Content-Security-Policy"]
    assert not re.search(r"<script| style=|\son\w+=", answer.text)
    assert answer.text.count("<caption>") == answer.text.count("<table>") == 2
    assert answer.text.count("<th ") == answer.text.count('<th scope="')


def test_it_is_the_operators_alone(bench: Bench):
    assert client_of(bench).get("/drop-off", headers={"X-Forwarded-For": "203.0.113.9"}).status_code == 403
    workbench = bench.workbench
    engine = Engine({workbench.flow.name: workbench.flow}, workbench.prompts, workbench.store, workbench.runner)
    assert create_app(SETTINGS, engine).test_client().get("/drop-off").status_code == 404
    assert create_console(SETTINGS, engine).test_client().get("/drop-off").status_code == 200
