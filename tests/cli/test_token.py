"""`token`: made for a user who is there and no more than they may, shown once, listed, revoked; each on record."""

import json
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ivr.cli import cli
from ivr.portal import digest_of
from ivr.store import open_store
from tests.store.databases import make_empty


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    url = f"sqlite:///{tmp_path}/portal.db"
    make_empty(url)
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.setenv("VAR", str(tmp_path))
    CliRunner().invoke(cli, ["user", "add", "ada", "--role", "finance"])
    return url


def token(*words: str) -> Result:
    return CliRunner().invoke(cli, ["token", *words])


def test_a_token_is_printed_once_and_kept_as_a_digest(database: str, tmp_path: Path):
    made = token("add", "books", "--for", "ada", "--role", "finance", "--days", "30")
    (secret,) = made.stdout.split()
    (kept,) = open_store(database).portal_tokens()
    assert secret.startswith("tonetill_")
    assert (kept.user, kept.role, (kept.until - kept.made_at).days) == ("ada", "finance", 30)
    assert open_store(database).token_holder(digest_of(secret), kept.made_at) is not None
    assert not any(secret.encode() in file.read_bytes() for file in tmp_path.rglob("portal.db*"))


@pytest.mark.parametrize("role", ["auditor", "operator"])
def test_no_token_may_more_than_its_user(database: str, role: str):
    refused = token("add", "books", "--for", "ada", "--role", role)
    assert refused.exit_code == 1
    assert "never may more than its user" in str(refused.exception)
    assert token("list").output.startswith("no tokens")


def test_nobody_has_no_tokens(database: str):
    assert "there is no user bob" in str(token("add", "books", "--for", "bob", "--role", "viewer").exception)
    CliRunner().invoke(cli, ["user", "off", "ada"])
    assert "there is no user ada" in str(token("add", "books", "--for", "ada", "--role", "viewer").exception)


def test_tokens_are_listed_for_programs_and_revoked_by_id(database: str):
    token("add", "books", "--for", "ada", "--role", "viewer")
    listed = json.loads(token("list", "--json").output)
    assert (listed["name"], listed["user"], listed["role"], listed["state"]) == ("books", "ada", "viewer", "on")
    assert token("revoke", listed["id"]).exit_code == 0
    assert json.loads(token("list", "--json").output)["state"] == "revoked"
    assert "there is no token" in str(token("revoke", listed["id"]).exception)
    assert [one.what for one in open_store(database).audit_events(2)] == ["token revoked", "token made"]


def test_the_first_example_of_the_documentation_works_as_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    url = f"sqlite:///{tmp_path}/portal.db"
    make_empty(url)
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.setenv("VAR", str(tmp_path))
    text = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
    commands = [line for line in text.split("```")[1].splitlines() if line.startswith("python -m ivr ")]
    assert len(commands) == 2
    for command in commands:
        done = CliRunner().invoke(cli, shlex.split(command, comments=True)[3:])
        assert done.exit_code == 0, (command, done.exception)
    store = open_store(url)
    (made,) = store.portal_tokens()
    assert store.token_holder(digest_of(done.stdout.strip()), made.made_at) is not None
