"""`alerts`: what stands is listed, and a test reaches whoever is told of real ones."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ivr.cli import cli
from ivr.store import AlertReceivers, FoundAlert, open_store
from tests.store.databases import make_empty
from tests.store.payments import NOW

DISK = FoundAlert("disk", "node-1", "4.0 % of the disk is free")


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    url = f"sqlite:///{tmp_path}/line.db"
    make_empty(url)
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.setenv("VAR", str(tmp_path))
    return url


def alerts(*words: str) -> Result:
    return CliRunner().invoke(cli, ["alerts", *words])


def test_what_stands_is_listed_and_says_so_to_scripts(database: str):
    assert alerts("list").exit_code == 0
    assert "nothing is wrong" in alerts("list").output
    open_store(database).note_alerts("node-1", [DISK], timedelta(minutes=15), AlertReceivers(), NOW)
    listed = alerts("list", "--json")
    assert listed.exit_code == 1
    told = json.loads(listed.output)
    assert (told["kind"], told["about"], told["over"]) == ("disk", "node-1", None)
    open_store(database).note_alerts("node-1", [], timedelta(), AlertReceivers(), NOW + timedelta(minutes=1))
    assert alerts("list", "--json").output == ""
    assert json.loads(alerts("list", "--all", "--json").output)["over"] == "2026-01-15T12:01:00+00:00"


def test_a_test_is_sent_to_whoever_is_told_and_stands_no_more(database: str, monkeypatch: pytest.MonkeyPatch):
    assert "nobody is told" in alerts("test").output
    monkeypatch.setenv("ALERT_EMAILS", "ops@example.com")
    monkeypatch.setenv("NOTICES_URL", "http://localhost:9/notices")
    monkeypatch.setenv("SMTP_URL", "smtp://localhost:2525")
    monkeypatch.setenv("SMTP_FROM", "till@example.com")
    told = alerts("test").output
    assert "by e-mail to ops@example.com\n" in told
    assert "the forwarder sends it" in told
    assert "to NOTICES_URL" in told
    store = open_store(database)
    assert {one.kind for one in store.merchant_notices(5)} == {"alert.raised", "alert.over"}
    message = store.text_message("alert-2-raised-1")
    assert message is not None
    assert (message.recipient, message.subject) == ("ops@example.com", "Alert: test, demo-merchant")
    assert store.alerts(5) == []
    assert alerts("list").exit_code == 0


def test_a_test_says_where_no_mail_server_is_set_that_no_e_mail_goes(database: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ALERT_EMAILS", "ops@example.com")
    told = alerts("test").output
    assert "by e-mail to ops@example.com: not sent, because SMTP_URL is not set" in told
    assert "the forwarder sends it" not in told
