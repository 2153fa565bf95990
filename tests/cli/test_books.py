"""`settle` and `reconcile`: a day's movements as table, CSV and JSON, and a bank's file laid beside them."""

import csv
import json
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ivr.cli.books import reconcile_file, settle
from ivr.core.money import Money
from ivr.errors import ConfigError
from ivr.store import BankWord, Bill, FollowUp, Store, migrate, open_store
from tests.store.payments import NOW, begin


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    url = f"sqlite:///{tmp_path / 'books.db'}"
    migrate(url)
    for name, value in {"DATABASE_URL": url, "VAR": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    opened = open_store(url)
    opened.renew_bills([Bill("12345678", Money(4250), Money(0))], replace_all=False, only_show=False)
    for reference in ("CA1-1", "CA2-1"):
        begin(opened, reference, caller=reference, card=reference, pays="12345678" if reference == "CA1-1" else "")
        job = opened.claim(NOW + timedelta(days=1), 60)
        assert job is not None
        opened.mark_sent(job)
        opened.record(job, "approved", NOW, BankWord("482913", "00", f"bank-{reference}"), FollowUp())
    return opened


def run(command: object, *arguments: str) -> Result:
    return CliRunner().invoke(command, arguments)  # type: ignore[arg-type]


def test_a_day_is_a_table_a_file_and_a_record(store: Store, tmp_path: Path):
    file = tmp_path / "day.csv"
    told = run(settle, "2026-01-15", "--csv", str(file)).output
    assert "demo-merchant" in told
    assert "2 movements, 85.00 USD in all" in told
    with file.open(newline="") as stream:
        first = next(csv.DictReader(stream))
    assert (first["reference"], first["amount"], first["bill"]) == ("CA1-1", "42.50", "12345678")
    record = json.loads(run(settle, "2026-01-15", "--json").output)
    assert record["groups"][0]["net_minor"] == 8500
    assert record["net"] == ["85.00 USD"]


def test_a_day_is_one_of_the_time_zone(store: Store):
    assert "0 movements" in run(settle, "2026-01-15", "--zone", "Pacific/Kiritimati").output
    assert "2 movements" in run(settle, "2026-01-16", "--zone", "Pacific/Kiritimati").output
    assert "there is no time zone 'Berlin'" in run(settle, "2026-01-15", "--zone", "Berlin").output


def test_a_file_that_is_there_is_not_written_over(store: Store, tmp_path: Path):
    file = tmp_path / "day.csv"
    file.write_text("mine")
    assert isinstance(run(settle, "2026-01-15", "--csv", str(file)).exception, ConfigError)
    assert file.read_text() == "mine"


def test_what_settle_writes_agrees_with_the_ledger_it_came_from(store: Store, tmp_path: Path):
    file = tmp_path / "day.csv"
    run(settle, "2026-01-15", "--csv", str(file))
    result = run(reconcile_file, str(file))
    assert result.exit_code == 0
    assert "2 charges agree, nothing to look into; 85.00 USD here, 85.00 USD at the bank" in result.output


def test_a_difference_is_told_with_line_cause_and_cure_and_the_exit_code_says_so(store: Store, tmp_path: Path):
    file = tmp_path / "bank.csv"
    header = "kind,reference,bank_reference,amount,currency,at\n"
    file.write_text(header + "charge,CA1-1,,42.00,USD,2026-01-15\ncharge,,bank-CA2-1,42.50,USD,2026-01-15\n")
    result = run(reconcile_file, str(file))
    assert result.exit_code == 1
    told = "line 2: CA1-1 (bill 12345678): 42.50 USD here, 42.00 USD at the bank: another amount at the bank"
    assert told in result.output
    assert "likely: a part was captured" in result.output
    records = [json.loads(line) for line in run(reconcile_file, str(file), "--json").output.splitlines()]
    assert [(one["kind"], one["line"], one["is_open"]) for one in records] == [("amount_differs", 2, True)]


def test_what_may_still_come_is_no_alarm(store: Store, tmp_path: Path):
    file = tmp_path / "bank.csv"
    file.write_text("kind,reference,bank_reference,amount,currency,at\ncharge,CA1-1,,42.50,USD,2026-01-15\n")
    result = run(reconcile_file, str(file))
    assert "CA2-1 (bill 12345678): 42.50 USD here, nothing at the bank: charged here on the last day" in result.output
    assert result.exit_code == 0
