"""`user`: people are invited, reset, given roles and switched off on the command line, and each is on record."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ivr.cli import cli
from ivr.portal import digest_of
from ivr.store import open_store
from tests.store.databases import make_empty
from tests.store.payments import NOW

Command = Callable[..., Result]


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    url = f"sqlite:///{tmp_path}/portal.db"
    make_empty(url)
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.setenv("VAR", str(tmp_path))
    return url


def user(*words: str) -> Result:
    return CliRunner().invoke(cli, ["user", *words])


def test_the_printed_link_is_good_for_whom_it_was_made(database: str):
    link = re.search(r"http://localhost:8002/invitations/(\S+)", user("add", "ada", "--role", "finance").output)
    assert link
    store = open_store(database)
    invited = store.invited_user(digest_of(link[1]), NOW)
    assert invited is not None
    assert (invited.name, invited.role) == ("ada", "finance")
    assert link[1] not in store.audit_events(1)[0].about


def test_who_there_is_can_be_read_by_programs(database: str):
    user("add", "ada", "--role", "finance")
    assert json.loads(user("list", "--json").output) == {
        "name": "ada",
        "role": "finance",
        "state": "invited",
        "way": "-",
    }
    user("role", "ada", "--role", "auditor")
    user("off", "ada")
    assert json.loads(user("list", "--json").output)["state"] == "off"
    user("reset", "ada")
    assert json.loads(user("list", "--json").output) == {
        "name": "ada",
        "role": "auditor",
        "state": "invited",
        "way": "-",
    }
    assert [one.what for one in open_store(database).audit_events(9)] == [
        *("user reset", "user switched off", "role changed", "user invited")
    ]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("add", "ada", "--role", "viewer"), "`python -m ivr user reset ada` makes a new link"),
        (("add", "4111111111111111", "--role", "viewer"), "a name has at least one letter"),
        (("add", "ada lovelace", "--role", "viewer"), "a name is of letters, digits, dots and hyphens"),
        (("reset", "bob"), "`python -m ivr user list` shows who there is"),
        (("off", "bob"), "there is no user bob"),
        (("role", "bob", "--role", "viewer"), "there is no user bob"),
    ],
)
def test_what_cannot_be_done_is_said_with_its_cure(database: str, words: tuple[str, ...], says: str):
    user("add", "ada", "--role", "finance")
    refused = user(*words)
    assert refused.exit_code != 0
    assert says in str(refused.exception)


def test_an_identity_is_somebodys_alone(database: str):
    user("add", "ada", "--role", "finance")
    user("add", "bob", "--role", "viewer")
    assert "ada signs in as ada@example.com there" in user("identity", "ada", " Ada@Example.com ").output
    assert "somebody else already" in str(user("identity", "bob", "ada@example.com").exception)
    assert "there is no user eve" in str(user("identity", "eve", "eve@example.com").exception)
    found = open_store(database).user_by_identity("ada@example.com")
    assert found is not None
    assert found.name == "ada"
    assert "not for ada any more" in user("identity", "ada").output
    assert open_store(database).user_by_identity("ada@example.com") is None
    assert open_store(database).user_by_identity("") is None
