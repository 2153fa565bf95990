"""`accounts import` and `notices` as an operator runs them."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ivr.cli import cli
from ivr.cli.preparation import prepare
from ivr.core.money import Money
from ivr.errors import ConfigError
from ivr.settings import load_settings
from ivr.store import DueNow, FollowUp, open_store
from tests.store.databases import make_empty
from tests.store.payments import NOW, begin

HEAD = "account,due,minimum,currency\n"


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    url = f"sqlite:///{tmp_path / 'till.db'}"
    make_empty(url)
    production = {"ENVIRONMENT": "production", "PUBLIC_URL": "https://pay.example.com", "TWILIO_AUTH_TOKEN": "x" * 32}
    for name, value in {**production, "DATABASE_URL": url, "VAR": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    return url


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments)


def test_an_import_says_what_it_changes_in_production_too(url: str, tmp_path: Path):
    file = tmp_path / "accounts.csv"
    file.write_text(HEAD + "1,10.00,1.00,USD\n2,20.00,1.00,USD\n")
    assert "2 added, 0 changed, 0 removed, 0 as before" in run("accounts", "import", str(file)).output
    file.write_text(HEAD + "2,25.00,1.00,USD\n3,30.00,1.00,USD\n")
    assert "nothing was changed" in run("accounts", "import", str(file), "--replace", "--dry-run").output
    done = run("accounts", "import", str(file), "--replace")
    assert done.exit_code == 0
    assert done.output.splitlines() == [
        "+ 3 owes 30.00 USD, at least 1.00 USD",
        "~ 2 owes 25.00 USD, at least 1.00 USD (was 20.00 USD, at least 1.00 USD)",
        "- 1, which owed 10.00 USD",
        "1 added, 1 changed, 1 removed, 0 as before",
    ]
    store = open_store(url)
    assert [store.find_bill(account) is None for account in "123"] == [True, False, False]
    told = [(one.what, one.about) for one in store.audit_events(10)]
    assert told == [
        ("accounts imported", "1 added, 1 changed, 1 removed, 0 as before"),
        ("accounts imported", "2 added, 0 changed, 0 removed, 0 as before"),
    ]
    store.close()


def test_a_file_with_one_wrong_line_changes_nothing(url: str, tmp_path: Path):
    file = tmp_path / "accounts.csv"
    file.write_text(HEAD + "1,10.00,1.00,USD\n1,20.00,1.00,USD\n")
    done = run("accounts", "import", str(file))
    assert isinstance(done.exception, ConfigError)
    assert str(done.exception) == f"{file}:3: account 1 is in line 2 already"
    store = open_store(url)
    assert store.find_bill("1") is None
    store.close()


def test_a_file_without_accounts_removes_none(url: str, tmp_path: Path):
    """An export that was cut off after its first line, say."""
    file = tmp_path / "accounts.csv"
    file.write_text(HEAD + "1,10.00,1.00,USD\n")
    assert run("accounts", "import", str(file)).exit_code == 0
    file.write_text(HEAD)
    done = run("accounts", "import", str(file), "--replace")
    assert isinstance(done.exception, ConfigError)
    assert str(done.exception).startswith(f"{file}: there is no account in it, and --replace would remove all")
    store = open_store(url)
    assert store.find_bill("1") is not None
    store.close()


def test_a_credit_is_shown_as_it_is_written(url: str, tmp_path: Path):
    file = tmp_path / "accounts.csv"
    file.write_text(HEAD + "9,-2.50,0.00,USD\n8,-0.01,0.00,USD\n")
    shown = run("accounts", "import", str(file), "--dry-run").output
    assert "9 owes -2.50 USD" in shown
    assert "8 owes -0.01 USD" in shown


def test_a_long_list_of_changes_is_cut_short(url: str, tmp_path: Path):
    file = tmp_path / "accounts.csv"
    file.write_text(HEAD + "".join(f"{number},10.00,1.00,USD\n" for number in range(1000)))
    lines = run("accounts", "import", str(file)).output.splitlines()
    assert len(lines) == 22
    assert lines[-2:] == ["  and 980 more", "1000 added, 0 changed, 0 removed, 0 as before"]


def test_notices_that_wait_are_listed_and_sent_again(url: str):
    assert "no system is told of payments" in run("notices", "list").output
    store = open_store(url)
    begin(store, pays="12345678", due=DueNow(Money(4250), NOW))
    job = store.claim(NOW, 60)
    assert job is not None
    store.mark_sent(job)
    store.record(job, "approved", NOW, follow_up=FollowUp(tell_billing=True))
    notice = store.claim(NOW, 60)
    assert notice is not None
    store.give_up_notice(notice)
    listed = run("notices", "list").output
    for told in ("CA1-1", "12345678", str(Money(4250)), "failed"):
        assert told in listed
    assert run("notices", "resend", "CA9-9").exit_code == 1
    assert "1 will be sent" in run("notices", "resend", "CA1-1").output
    assert "failed" not in run("notices", "list").output
    store.close()


def test_a_file_that_is_not_there_is_named_as_it_was_given(url: str, tmp_path: Path):
    done = run("accounts", "import", str(tmp_path / "none.csv"))
    assert str(done.exception) == f"cannot read {tmp_path / 'none.csv'}: No such file or directory"


def test_at_set_up_the_setting_that_names_the_file_is_told(tmp_path: Path):
    missing = tmp_path / "none.csv"
    environment = {"ENVIRONMENT": "production", "VAR": str(tmp_path), "ACCOUNTS": str(missing)}
    with pytest.raises(ConfigError) as raised:
        prepare(load_settings(environment))
    assert str(raised.value) == f"ACCOUNTS: cannot read {missing}: No such file or directory"


def test_accounts_that_set_up_adds_are_on_the_audit_trail_once(url: str, tmp_path: Path):
    file = tmp_path / "accounts.csv"
    file.write_text(HEAD + "1,10.00,1.00,USD\n2,20.00,1.00,USD\n")
    settings = load_settings(
        {"ENVIRONMENT": "production", "VAR": str(tmp_path), "DATABASE_URL": url, "ACCOUNTS": str(file)}
    )
    for _ in range(2):
        prepare(settings)
    store = open_store(url)
    told = [(one.what, one.about) for one in store.audit_events(10)]
    assert told == [("accounts imported", "2 added, from accounts.csv")]
    assert store.broken_audit_event() is None
    store.close()


def test_a_card_number_in_the_accounts_is_printed_nowhere(url: str, tmp_path: Path):
    file = tmp_path / "accounts.csv"
    file.write_text(HEAD + "1,10.00,1.00,USD\n4111111111111111,20.00,1.00,USD\n")
    done = run("accounts", "import", str(file))
    assert "4111111111111111" not in f"{done.output}{done.exception}"
    store = open_store(url)
    assert store.find_bill("1") is None
    store.close()
