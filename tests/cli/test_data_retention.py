"""What is kept for how long is shown, with what is due; the settings say so, and the forwarder does it."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from ivr.calls.retention import WORDS, due_before, kept_days
from ivr.cli.data import data
from ivr.settings import Settings, load_settings
from ivr.store import open_store
from tests.store.databases import make_empty
from tests.store.payments import NOW, a_call


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    url = f"sqlite:///{tmp_path}/kept.db"
    make_empty(url)
    monkeypatch.setenv("DATABASE_URL", url)
    return url


def shown(*arguments: str) -> str:
    done = CliRunner().invoke(data, ["retention", *arguments], env={"COLUMNS": "200"})
    assert done.exit_code == 0, done.output
    return done.output


def test_each_kind_its_days_its_oldest_row_and_how_many_are_due(url: str, monkeypatch: pytest.MonkeyPatch):
    store = open_store(url)
    now = datetime.now(UTC)
    for number, days in enumerate((10, 5)):
        store.save_call(a_call(f"CA{number}", phase="over"), 0, now - timedelta(days=days))
    store.close()
    monkeypatch.setenv("KEEP_CALLS_DAYS", "7")
    monkeypatch.setenv("KEEP_TEXTS_DAYS", "0")
    rows = {one["kind"]: one for one in map(json.loads, shown("--json").splitlines())}
    assert set(rows) == set(WORDS)
    oldest = (now - timedelta(days=10)).date().isoformat()
    assert rows["calls"] == {"kind": "calls", "days": 7, "oldest": oldest, "due": 1}
    assert (rows["texts"]["days"], rows["texts"]["due"]) == (0, 0)
    table = shown()
    assert "for ever" in table
    assert "audit trail" in table


def test_every_setting_of_its_kind_is_used_and_0_keeps_for_ever():
    settings = load_settings({})
    named = {name for name in Settings.model_fields if name.startswith("keep_")}
    assert named == {f"keep_{kind}_days" for kind in kept_days(settings)}
    assert due_before(0, NOW) is None
    assert due_before(7, NOW) == NOW - timedelta(days=7)
