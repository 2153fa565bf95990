"""One call's trace: each turn, what was said, the ledger, its way on the diagram; and nothing that a caller keyed."""

import re

import pytest
from flask import Flask

from ivr.console import LivePages, console
from ivr.settings import load_settings
from ivr.store import Store
from tests.benches import Bench
from tests.console.test_console import cells
from tests.leaks import leaks_in

PAN = "4012888888881881"


def trace_of(bench: Bench) -> str:
    workbench = bench.workbench
    settings = load_settings({"TWILIO_AUTH_TOKEN": "0" * 32})
    app = Flask(__name__)
    app.register_blueprint(console(LivePages(settings, {workbench.flow.name: workbench.flow}, workbench.store)))
    listed = app.test_client().get("/").text
    assert bench.line is not None
    link = f"/calls/{bench.line.call_id}"
    assert f'href="{link}"' in listed
    answer = app.test_client().get(link)
    assert answer.status_code == 200
    assert "script-src 'nonce-" in answer.headers["Content-Security-Policy"]
    return answer.text


def call(bench: Bench, *entries: str) -> None:
    line = bench.dial("pay-a-bill", "+15550100123")
    line.begin()
    for keys in entries:
        line.press(keys)


def test_a_declined_call_says_step_by_step_why(bench: Bench):
    call(bench, "1", "99999999#", "12345678#", "1", f"{PAN}#", "1230", "739", "94105", "1")
    bench.tell_bank("declines 51")
    assert bench.line is not None
    bench.line.wait()
    bench.line.hang_up()
    html = trace_of(bench)
    rows = cells(html)
    assert rows[0].startswith("0.0 call began start (language)")
    assert any("••••••••• account (entry) not found account number" in row for row in rows), rows
    assert any("keys: security code card (entry) enter postal code" in row for row in rows), rows
    assert any(re.search(r"on hold card \(entry\) .*declined", row) for row in rows), rows
    assert any("hung up" in row for row in rows)
    assert any("1 declined 42.50 USD 51" in row for row in rows), rows
    assert 'data-step="charge"' in html
    assert 'class="falls took" data-from="card" data-to="charge"' in html
    assert 'class="climbs took" data-from="charge" data-to="card"' in html
    assert 'class="falls" data-from="charge" data-to="receipt"' in html


def test_nothing_of_the_keys_is_kept_but_how_many(bench: Bench):
    call(bench, "1", "12345678#", "1", f"{PAN}#", "1230", "739", "94105", "1")
    html = trace_of(bench)
    assert leaks_in(html.encode(), [PAN]) == []
    assert not re.search(r"\b(739|12345678|94105|5550100123)\b", html)


def test_a_call_that_nobody_knows_is_not_found(bench: Bench):
    settings = load_settings({"TWILIO_AUTH_TOKEN": "0" * 32})
    app = Flask(__name__)
    app.register_blueprint(console(LivePages(settings, {}, bench.workbench.store)))
    assert app.test_client().get("/calls/CAnothing").status_code == 404
    elsewhere = app.test_client().get("/calls/CAnothing", headers={"X-Forwarded-For": "203.0.113.9"})
    assert elsewhere.status_code == 403


def test_a_turn_that_cannot_be_noted_disturbs_no_call(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(Store, "note_turn", fail)
    call(bench, "1", "12345678#", "1", "4111111111111111#", "1230", "123", "94105", "1")
    bench.tell_bank("approves")
    assert bench.line is not None
    bench.line.wait()
    bench.line.press("#")
    assert bench.ended(bench.line.call_id) == "paid"
    assert "The turns of this call were not noted, or are not kept any more." in trace_of(bench)
