"""The phone's part of the page: what it offers, its policy, and that production has none of it."""

import json
import re
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import create_console
from ivr.calls.assembly import Engine
from ivr.console import LivePages, PhonePage, console
from ivr.core.brands import passes_luhn
from ivr.settings import Settings, load_settings
from tests.benches import Bench

TOKEN = {"TWILIO_AUTH_TOKEN": "0" * 32}


def engine_of(bench: Bench) -> Engine:
    workbench = bench.workbench
    return Engine({workbench.flow.name: workbench.flow}, workbench.prompts, workbench.store, workbench.runner)


def phone_of(bench: Bench, settings: Settings | None = None) -> PhonePage:
    return PhonePage(settings or load_settings(TOKEN), engine_of(bench).flows, bench.workbench.store)


def client_of(bench: Bench) -> FlaskClient:
    phone = phone_of(bench)
    app = Flask(__name__)
    app.register_blueprint(console(LivePages(phone.settings, phone.flows_by_name, phone.store), phone))
    return app.test_client()


def test_only_this_listeners_own_scripts_and_styles_run(bench: Bench):
    answer = client_of(bench).get("/")
    policy = answer.headers["Content-Security-Policy"]
    assert re.match(r"default-src 'none'; style-src 'self' 'nonce-[^']+'; script-src 'self' 'nonce-", policy)
    assert "unsafe" not in policy
    assert " style=" not in answer.text
    assert not re.search(r"\son\w+=", answer.text)
    links = set(re.findall(r'(?:src|href)="([^"]*)"', answer.text))
    assert links == {"data:,", "/static/phone.css", "/static/phone.js"}


@pytest.mark.parametrize("name", ["phone.css", "phone.js", "view.js", "sound.js", "speaker.js", "tones.js"])
def test_each_file_is_served_and_asks_no_other_host(bench: Bench, name: str):
    answer = client_of(bench).get(f"/static/{name}")
    assert answer.status_code == 200
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "//" not in re.sub(r"(?m)//\s.*$|ws://\$\{location.host\}", "", answer.text)
    for wanted in re.findall(r'from "([^"]+)"', answer.text):
        assert client_of(bench).get(wanted).status_code == 200


@pytest.mark.parametrize("name", ["nothing.js", "..%2fphone.py", "%2e%2e/phone.py"])
def test_no_other_file_is_served(bench: Bench, name: str):
    assert client_of(bench).get(f"/static/{name}").status_code == 404


def test_every_test_card_says_what_becomes_of_it_and_is_one(bench: Bench):
    cards = phone_of(bench).cards
    assert {"approved", "no answer, but charged", "declined: not sufficient funds"} <= {card.what for card in cards}
    assert all(passes_luhn(card.pan.encode()) for card in cards)
    amex = next(card for card in cards if card.pan.startswith("37"))
    assert amex.answers["security_code"] == "1234"
    written = re.findall(r"data-answers=\"([^\"]*)\"", client_of(bench).get("/").text)
    answers = [json.loads(one.replace("&#34;", '"').replace("&quot;", '"')) for one in written]
    assert {"account_number": "12345678#"} in answers
    assert sum("card_number" in one for one in answers) == len(cards)


def test_what_an_account_owes_is_asked_each_time(bench: Bench, tmp_path: Path):
    client = client_of(bench)
    assert "owes 42.50 USD" in client.get("/accounts").text
    renewed = tmp_path / "accounts.csv"
    renewed.write_text("account,due,minimum,currency\n12345678,7.00,1.00,USD\n")
    bench.workbench.store.seed_bills(renewed, anew=True)
    assert "owes 7.00 USD" in client.get("/accounts").text


def test_nobody_else_gets_any_of_it(bench: Bench):
    client = client_of(bench)
    for path in ("/accounts", "/static/phone.js"):
        assert client.get(path, headers={"X-Forwarded-For": "203.0.113.9"}).status_code == 403


@pytest.mark.parametrize(
    ("settings", "has"),
    [
        ({"ENVIRONMENT": "development"}, True),
        ({"ENVIRONMENT": "production"}, False),
        ({"ENVIRONMENT": "development", "BROWSER_PHONE": "off"}, False),
        ({"ENVIRONMENT": "production", "BROWSER_PHONE": "on"}, True),
    ],
)
def test_production_has_no_phone_unless_it_is_set(bench: Bench, settings: dict[str, str], has: bool):
    app = create_console(load_settings(TOKEN | settings), engine_of(bench))
    page = app.test_client().get("/").text
    assert ('id="keypad"' in page) is has
    assert ("4111111111111111" in page) is (has or settings["ENVIRONMENT"] == "development")
    assert (app.test_client().get("/static/phone.js").status_code == 200) is has
