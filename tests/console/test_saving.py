"""Save as test, on a call's page: a download, or the reason why there is none; nobody else gets either."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from ivr.calls.number_keys import write_number_keys
from ivr.console import LivePages, console
from ivr.console.saved_calls import SavedCall, save_by_command
from ivr.errors import RecordError
from ivr.settings import load_settings
from ivr.testing.saved_call import Saver
from tests.benches import ROOT, Bench
from tests.store.databases import NUMBER_KEY


def client_of(bench: Bench) -> FlaskClient:
    workbench = bench.workbench
    flows = {workbench.flow.name: workbench.flow}
    saver = Saver(flows, workbench.prompts, ROOT / "config" / "accounts.csv", workbench.store)

    def save(call_id: str) -> SavedCall:
        try:
            return SavedCall(saver.call_file(call_id))
        except RecordError as error:
            return SavedCall(problem=str(error))

    app = Flask(__name__)
    pages = LivePages(load_settings({"TWILIO_AUTH_TOKEN": "0" * 32}), flows, workbench.store)
    app.register_blueprint(console(pages, save=save))
    return app.test_client()


def call(bench: Bench, *entries: str) -> str:
    line = bench.dial("pay-a-bill", "+15550100123")
    line.begin()
    for keys in entries:
        line.press(keys)
    line.hang_up()
    assert bench.line is not None
    return bench.line.call_id


def test_a_calls_page_offers_it_as_a_download(bench: Bench):
    made, client = call(bench, "1", "12345678#"), client_of(bench)
    assert f'<a href="/calls/{made}/test">Save as test</a>' in client.get(f"/calls/{made}").text
    answer = client.get(f"/calls/{made}/test")
    assert (answer.status_code, answer.mimetype) == (200, "text/plain")
    assert answer.headers["Content-Disposition"] == f'attachment; filename="pay-a-bill-unpaid-{made[-8:]}.txt"'
    assert "\n  ends   unpaid\n" in answer.text


def test_why_there_is_none_is_told(bench: Bench):
    bench.billing.behaviour = "is away"
    answer = client_of(bench).get(f"/calls/{call(bench, '1', '12345678#')}/test")
    assert answer.status_code == 409
    assert answer.text.startswith("This call cannot be saved as a test: the billing system was not there")
    assert "Content-Disposition" not in answer.headers


@pytest.mark.parametrize("path", ["/calls/CA404/test", "/calls/--help/test"])
def test_a_call_that_nobody_knows_is_not_looked_for_any_further(bench: Bench, path: str):
    assert client_of(bench).get(path).status_code == 404


def test_nobody_else_gets_it(bench: Bench):
    made = call(bench)
    answer = client_of(bench).get(f"/calls/{made}/test", headers={"X-Forwarded-For": "203.0.113.9"})
    assert answer.status_code == 403


def test_the_command_behind_it_says_in_a_line_why_there_is_none(tmp_path, monkeypatch: pytest.MonkeyPatch):
    from ivr.store import migrate

    url = f"sqlite:///{tmp_path}/calls.db"
    migrate(url)
    write_number_keys(tmp_path / "keys", [NUMBER_KEY])
    (tmp_path / "keys" / "fingerprint.key").write_bytes(bytes(32))
    monkeypatch.setenv("VAR", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    assert save_by_command("--help") == SavedCall(problem="there is no call --help")
