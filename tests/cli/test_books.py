"""`settle` and `reconcile`: a day's movements as table, CSV and JSON, and a bank's file laid beside them."""

import csv
import json
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ivr.cli.books import reconcile_file, settle
from ivr.core.money import Money
from ivr.errors import ConfigError
from ivr.store import (
    Accepted,
    AttemptLimits,
    BankWord,
    Bill,
    FollowUp,
    Modification,
    ModificationWord,
    News,
    Store,
    WantedModification,
    open_store,
)
from tests.store.databases import make_empty
from tests.store.payments import NOW, begin, intent, stage


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    url = f"sqlite:///{tmp_path / 'books.db'}"
    make_empty(url)
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


def test_the_fees_of_a_day_stand_apart_by_brand_and_agree_with_the_bank_all_the_same(store: Store, tmp_path: Path):
    """A fee of 2.00 on 42.50: charged, then 40.00 given back, which is the bill's, and 4.50, of which 2.00 are the fee's."""
    charge_with_fee(store)
    assert groups_of(store) == [(12950, 0, 200)]
    given_back(store, 4000, 4450)
    assert groups_of(store) == [(12950, 4000, 200)]
    given_back(store, 450, 450)
    assert groups_of(store) == [(12950, 4450, 0)]
    file = tmp_path / "day.csv"
    told = run(settle, "2026-01-15", "--csv", str(file)).output
    assert "of it fees" in told
    with file.open(newline="") as stream:
        rows = [(row["kind"], row["amount"], row["fee_minor"]) for row in csv.DictReader(stream)]
    assert rows[2:] == [("charge", "44.50", "200"), ("refund", "40.00", "0"), ("refund", "4.50", "200")]
    assert run(reconcile_file, str(file)).exit_code == 0


def test_a_refund_that_comes_back_brings_its_fee_back(store: Store):
    charge_with_fee(store)
    key = given_back(store, 4450, 4450)
    assert groups_of(store) == [(12950, 4450, 0)]
    news = News("acme_bank", "e1", key, "refund_failed", BankWord(), Money(4450))
    assert store.hear(news, NOW, FollowUp()) == "moved"
    assert groups_of(store) == [(12950, 0, 200)]


def groups_of(store: Store) -> list[tuple[int, int, int]]:
    groups = json.loads(run(settle, "2026-01-15", "--json").output)["groups"]
    return [(one["charged_minor"], one["refunded_minor"], one["fee_minor"]) for one in groups]


def charge_with_fee(store: Store, now: datetime = NOW) -> None:
    stage(store, "CA3-1", now=now)
    wanted = replace(intent("CA3-1", minor=4450, caller="CA3-1"), fee=Money(200))
    assert store.begin_payment(wanted, AttemptLimits(), now) == Accepted()
    job = store.claim(now + timedelta(days=1), 60)
    assert job is not None
    store.mark_sent(job)
    assert store.record(job, "approved", now, BankWord("482913", "00", "bank-CA3-1"), FollowUp())


def given_back(store: Store, minor: int, left: int) -> str:
    return modified(store, WantedModification("CA3-1", "refund", Money(minor), Money(left), "ada"))


def modified(store: Store, wanted: WantedModification) -> str:
    asked = store.ask_modification(wanted, NOW)
    assert isinstance(asked, Modification)
    job = store.claim(NOW + timedelta(days=1), 60)
    assert job is not None
    assert store.mark_modification_sent(job)
    assert store.end_modification(job, "done", ModificationWord(), NOW)
    return asked.id


def test_a_day_is_one_of_the_time_zone(store: Store):
    assert "0 movements" in run(settle, "2026-01-15", "--zone", "Pacific/Kiritimati").output
    assert "2 movements" in run(settle, "2026-01-16", "--zone", "Pacific/Kiritimati").output
    assert "there is no time zone 'Berlin'" in run(settle, "2026-01-15", "--zone", "Berlin").output
    assert "there is no time zone 'Europe'" in run(settle, "2026-01-15", "--zone", "Europe").output


def test_a_file_s_days_are_those_of_a_time_zone(store: Store, tmp_path: Path):
    file = tmp_path / "day.csv"
    run(settle, "2026-01-16", "--zone", "Pacific/Kiritimati", "--csv", str(file))
    days = ("--since", "2026-01-16", "--until", "2026-01-16", "--zone")
    told = run(reconcile_file, str(file), *days, "Pacific/Kiritimati")
    assert "2026-01-16 to 2026-01-16: 2 rows read, 2 charges agree, nothing to look into" in told.output
    assert "there is no time zone 'Europe'" in run(reconcile_file, str(file), *days, "Europe").output


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_a_day_that_nothing_can_be_counted_from_is_refused(day: str, store: Store):
    assert f"'{day}' is no day" in run(settle, day, "--zone", "Asia/Tokyo").output
    for option in ("--since", "--until"):
        assert f"'{day}' is no day" in run(reconcile_file, "any.csv", option, day).output


def test_one_of_a_thing_is_told_as_one(store: Store, tmp_path: Path):
    charge_with_fee(store, NOW + timedelta(days=2))
    file = tmp_path / "day.csv"
    assert "(UTC): 1 movement, 44.50 USD in all" in run(settle, "2026-01-17", "--csv", str(file)).output
    assert store.audit_events(1)[0].about == "2026-01-17 (UTC): 1 movement"
    file.write_text(f"{file.read_text()}{file.read_text().splitlines()[1].replace('acme_bank', 'other_bank')}\n")
    told = run(reconcile_file, str(file), "--bank", "acme_bank").output
    assert "1 row read, 1 row of other banks left out, 1 charge agrees, nothing to look into" in told


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


@pytest.mark.parametrize("kind", ["refund that failed", "void"])
def test_so_it_does_after_a_refund_that_failed_and_a_void(store: Store, tmp_path: Path, kind: str):
    file = tmp_path / "day.csv"
    if kind == "void":
        modified(store, WantedModification("CA2-1", "void", Money(4250), Money(4250), "ada"))
    else:
        charge_with_fee(store)
        key = given_back(store, 4450, 4450)
        news = News("acme_bank", "e1", key, "refund_failed", BankWord(), Money(4450))
        assert store.hear(news, NOW, FollowUp()) == "moved"
    run(settle, "2026-01-15", "--csv", str(file))
    result = run(reconcile_file, str(file))
    assert "nothing to look into" in result.output
    assert result.exit_code == 0


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


def test_a_day_that_is_none_is_told_with_an_example(store: Store):
    assert "'today' is no day: expected year, month and day, such as 2026-01-31" in run(settle, "today").output
