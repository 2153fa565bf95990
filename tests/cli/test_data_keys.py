"""The keys of callers' numbers are changed by commands, and no number is lost on the way unless somebody says so."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from ivr.calls.number_keys import make_number_key, number_seals, read_number_keys
from ivr.cli.data import data
from ivr.settings import load_settings
from ivr.store import open_store
from ivr.store.caller_numbers import number_key_id
from tests.store.databases import make_empty
from tests.store.payments import NOW, a_call

CALLER = "+15557013998"


@pytest.fixture
def var(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    make_empty(f"sqlite:///{tmp_path}/tonetill.db")
    monkeypatch.setenv("VAR", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/tonetill.db")
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "fingerprint.key").write_bytes(bytes(32))
    make_number_key(tmp_path / "keys")
    return tmp_path


def run(*arguments: str) -> str:
    done = CliRunner().invoke(data, ["keys", *arguments])
    assert done.exit_code == 0, done.output or str(done.exception)
    return done.output


def refused(*arguments: str) -> str:
    done = CliRunner().invoke(data, ["keys", *arguments])
    assert done.exit_code != 0
    return f"{done.output}{done.exception}"


def kept() -> str:
    settings = load_settings()
    store = open_store(settings.database_url, numbers=number_seals(settings))
    stored = store.load_call("CA1")
    store.close()
    assert stored is not None
    return stored.call.ani


def save() -> None:
    settings = load_settings()
    store = open_store(settings.database_url, numbers=number_seals(settings))
    store.save_call(a_call(ani=CALLER), 0, NOW)
    store.close()


def names(var: Path) -> list[str]:
    return [number_key_id(key) for key in read_number_keys(var / "keys")]


def test_a_key_is_changed_step_by_step_and_every_number_stays_readable(var: Path):
    save()
    (old,) = names(var)
    run("--add")
    assert names(var)[0] == old
    assert old in refused("--drop", old)
    run("--use")
    new = names(var)[0]
    assert new != old
    assert "1 number is sealed" in refused("--drop", old)
    assert "1 row sealed" in run("--renew")
    run("--drop", old)
    assert names(var) == [new]
    assert kept() == CALLER
    assert old not in run()


def test_a_lost_key_is_named_and_given_up_on_purpose(var: Path):
    save()
    (old,) = names(var)
    (var / "keys" / "numbers.key").unlink()
    assert "set-up" in refused()
    make_number_key(var / "keys")
    assert f"data keys --lost {old}" in refused()
    run("--lost", old)
    assert kept() == ""


def test_only_one_thing_is_done_at_a_time(var: Path):
    assert "one of --add" in refused("--add", "--use")
