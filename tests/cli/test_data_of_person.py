"""`data export` writes a private file, `data delete` asks first, and both say plainly what they refuse."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ivr.calls.number_keys import make_number_key, number_seals
from ivr.cli.data import data
from ivr.settings import load_settings
from ivr.store import Store, open_store
from tests.store.databases import make_empty
from tests.store.payments import NOW, a_call

CALLER = "+15557013998"


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    url = f"sqlite:///{tmp_path}/tonetill.db"
    make_empty(url)
    monkeypatch.setenv("VAR", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", url)
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "fingerprint.key").write_bytes(bytes(32))
    make_number_key(tmp_path / "keys")
    store = open_store(url, numbers=number_seals(load_settings()))
    store.save_call(a_call(ani=CALLER, phase="over"), 0, NOW)
    return store


def run(*arguments: str, keys: str | None = None) -> Result:
    return CliRunner().invoke(data, [*arguments], input=keys)


def test_an_export_is_a_private_file_that_is_never_written_over(store: Store, tmp_path: Path):
    file = tmp_path / "ada.json"
    assert run("export", CALLER, "--to", str(file)).exit_code == 0
    assert oct(file.stat().st_mode & 0o777) == "0o600"
    assert [one["caller"] for one in json.loads(file.read_text())["calls"]] == [CALLER]
    assert "exists" in str(run("export", CALLER, "--to", str(file)).exception)
    assert json.loads(run("export", CALLER).output)["number"] == CALLER


def test_deleting_asks_and_nobody_there_to_be_asked_deletes_nothing(store: Store):
    asked = run("delete", CALLER)
    assert asked.exit_code != 0
    assert "they are the books" in asked.output
    assert "--yes" in asked.output
    assert store.load_call("CA1") is not None
    done = run("delete", CALLER, "--yes")
    assert "deleted: calls 1" in done.output
    assert store.load_call("CA1") is None
    assert "nothing is kept of ...998" in str(run("delete", CALLER, "--yes").exception)
