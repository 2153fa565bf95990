"""`audit`: what was done is shown, what was changed is found, and a signed head shows what was cut off."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import create_engine, text

from ivr.books import new_signing_key
from ivr.cli.audit import audit
from ivr.errors import ConfigError
from ivr.store import Store, open_store
from tests.store.databases import make_empty
from tests.store.payments import NOW


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    url = f"sqlite:///{tmp_path / 'audit.db'}"
    make_empty(url)
    keys = tmp_path / "keys"
    keys.mkdir()
    private, public = new_signing_key()
    (keys / "audit_signing.pem").write_bytes(private)
    (keys / "audit_public.pem").write_bytes(public)
    for name, value in {"DATABASE_URL": url, "VAR": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    return url


@pytest.fixture
def store(url: str) -> Store:
    opened = open_store(url)
    for number, what in enumerate(("refund asked", "flow published", "limits reset")):
        opened.note("clerk", what, f"CA{number}-1", NOW + timedelta(days=number))
    return opened


def run(*arguments: str) -> Result:
    return CliRunner().invoke(audit, arguments)


def behind_its_back(url: str, *changes: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        for change in ("DROP TRIGGER audit_refuses_update", "DROP TRIGGER audit_refuses_delete", *changes):
            connection.execute(text(change))
    engine.dispose()


def test_events_are_shown_as_a_table_and_as_records(store: Store):
    assert "flow published" in run("show").output
    (line,) = run("show", "--what", "refund", "--json").output.splitlines()
    assert json.loads(line) == {
        "id": 1, "at": "2026-01-15T12:00:00.000+00:00", "who": "clerk", "what": "refund asked", "about": "CA0-1",
    }  # fmt: skip
    assert [json.loads(one)["id"] for one in run("show", "--since", "2026-01-16", "--json").output.splitlines()] == [
        3,
        2,
    ]
    assert run("show", "--who", "nobody").output == "no event is like that\n"


def test_a_whole_trail_is_said_to_be_whole(store: Store):
    result = run("verify")
    assert (result.exit_code, result.output) == (0, "the trail of 3 events is whole\n")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("UPDATE audit_event SET about = 'CA9-1' WHERE id = 2", "event 2 is not what was written, or not where"),
        ("DELETE FROM audit_event WHERE id = 2", "event 2 is missing"),
        (
            "UPDATE audit_event SET id = CASE id WHEN 1 THEN 2 ELSE 1 END WHERE id < 3",
            "event 1 is not what was written",
        ),
    ],
)
def test_what_was_changed_dropped_or_moved_is_named(change: str, told: str, store: Store, url: str):
    if "CASE" in change:  # two rows cannot change numbers in one statement
        moves = [f"UPDATE audit_event SET id = {new} WHERE id = {old}" for old, new in ((1, 99), (2, 1), (99, 2))]
        behind_its_back(url, *moves)
    else:
        behind_its_back(url, change)
    result = run("verify")
    assert result.exit_code == 1
    assert told in result.output


def test_a_signed_head_shows_that_the_end_was_cut_off(store: Store, url: str, tmp_path: Path):
    heads = tmp_path / "heads.jsonl"
    assert run("head", "--to", str(heads)).exit_code == 0
    store.note("clerk", "refund asked", "CA4-1", NOW)
    assert run("head", "--to", str(heads)).exit_code == 0
    assert "agrees with the 2 heads" in run("verify", "--heads", str(heads)).output
    behind_its_back(url, "DELETE FROM audit_event WHERE id = 4")
    assert run("verify").exit_code == 0  # the chain alone cannot know
    result = run("verify", "--heads", str(heads))
    assert result.exit_code == 1
    assert f"{heads}:2: events 4 to 4 are cut off" in result.output


def test_a_trail_that_was_made_anew_does_not_agree_with_its_head(store: Store, url: str, tmp_path: Path):
    heads = tmp_path / "heads.jsonl"
    run("head", "--to", str(heads))
    behind_its_back(url, "DELETE FROM audit_event")
    for number in range(3):
        store.note("clerk", "nothing at all", f"CA{number}-1", NOW)
    assert run("verify").exit_code == 0
    assert "the events up to 3 are not those that were there" in run("verify", "--heads", str(heads)).output


def test_a_head_that_was_changed_or_signed_by_somebody_else_is_refused(store: Store, tmp_path: Path):
    heads = tmp_path / "heads.jsonl"
    line = json.loads(run("head").output)
    heads.write_text(json.dumps(line | {"id": 2}) + "\nnothing\n")
    told = run("verify", "--heads", str(heads)).output
    assert f"{heads}:1: the signature does not fit" in told
    assert f"{heads}:2: this is no signed head" in told
    heads.write_text(json.dumps(line))
    (tmp_path / "other.pem").write_bytes(new_signing_key()[1])
    assert (
        "the signature does not fit"
        in run("verify", "--heads", str(heads), "--key", str(tmp_path / "other.pem")).output
    )


def test_a_head_as_syslog_keeps_it_can_be_checked(store: Store, tmp_path: Path):
    heads = tmp_path / "syslog"
    heads.write_text(f"Jan 15 12:00:00 till tonetill-audit: {run('head').output}")
    assert run("verify", "--heads", str(heads)).exit_code == 0


def test_without_a_key_the_cure_is_named(store: Store, tmp_path: Path):
    (tmp_path / "keys" / "audit_signing.pem").unlink()
    error = run("head").exception
    assert isinstance(error, ConfigError)
    assert "`set-up` makes it" in str(error)
