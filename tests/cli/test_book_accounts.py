"""`books`: what the accounts come to, of a bill and of a caller, and an exit code where they are not what the charges say."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text

from ivr.cli.book_accounts import books
from ivr.core.money import Money
from ivr.errors import ConfigError
from ivr.store import BankWord, Bill, FollowUp, Store, hash_of_caller, open_store
from tests.store.databases import make_empty
from tests.store.payments import NOW, begin

BILL = "12345678"
CALLER = "+15550100"
KEY = b"k" * 32


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A bill of 85.00 of which 42.50 are paid, and 10.00 of which nobody knows."""
    url = f"sqlite:///{tmp_path / 'books.db'}"
    make_empty(url)
    for name, value in {"DATABASE_URL": url, "VAR": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "fingerprint.key").write_bytes(KEY)
    opened = open_store(url)
    opened.renew_bills([Bill(BILL, Money(8500), Money(0))])
    begin(opened, "CA1-1", caller=hash_of_caller(KEY, CALLER), card="a", pays=BILL)
    begin(opened, "CA2-1", caller="b", card="b", minor=1000)
    for status in ("approved", "unknown"):
        job = opened.claim(NOW + timedelta(days=1), 60)
        assert job is not None
        opened.mark_sent(job)
        opened.record(job, status, NOW, BankWord("482913", "00"), FollowUp())  # type: ignore[arg-type]
    return opened


def run(*arguments: str) -> Result:
    return CliRunner().invoke(books, arguments)


def test_balances_say_what_the_bank_owes_and_what_is_not_known(store: Store):
    told = run("balances").output
    assert "bank:acme_bank" in told
    assert "42.50 USD debit" in told
    record = {one["account"]: one["balance_minor"] for one in json.loads(run("balances", "--json").output)}
    assert (record["bank:acme_bank"], record["suspense:acme_bank"], record["bill"]) == (4250, 1000, -4250)
    assert sum(record.values()) == 0


def test_balances_are_those_at_the_end_of_a_day_in_a_time_zone(store: Store):
    assert json.loads(run("balances", "--day", "2026-01-14", "--json").output) == []
    assert json.loads(run("balances", "--day", "2026-01-15", "--json").output) != []
    late = run("balances", "--day", "2026-01-15", "--zone", "Pacific/Kiritimati", "--json").output
    assert json.loads(late) == []
    assert "there is no time zone 'Berlin'" in run("balances", "--day", "2026-01-15", "--zone", "Berlin").output


def test_a_bill_says_what_was_paid_and_what_it_owes(store: Store):
    assert run("bill", BILL).output == f"{BILL}: 42.50 USD paid\nit owes 42.50 USD\n"
    assert run("bill", "87654321").output == "87654321: nothing was charged for it\n"
    record = json.loads(run("bill", BILL, "--json").output)
    assert record["amounts"] == [{"paid": "42.50 USD", "held": "0.00 USD"}]
    assert (record["owes"], record["is_being_paid"]) == ("42.50 USD", False)


def test_a_caller_is_found_by_number_and_a_call_by_its_id(store: Store):
    said = "42.50 USD paid, 0.00 USD given back, 0.00 USD held, 0.00 USD no outcome\n"
    assert run("paid", "--caller", "+1 555 0100").output == said
    assert run("paid", "--call", "CA1").output == said
    assert json.loads(run("paid", "--call", "CA2", "--json").output)[0]["no_outcome"] == "10.00 USD"
    assert run("paid", "--call", "CA9").output == "nothing\n"
    assert "--caller or --call" in run("paid").output
    assert isinstance(run("paid", "--caller", "anonymous").exception, ConfigError)


def test_true_books_are_said_to_be_true(store: Store):
    told = run("check")
    assert (told.exit_code, told.output) == (0, "every account says what its charges say\n")


def test_a_charge_that_was_changed_past_us_is_found(store: Store):
    with store._database.money() as connection:
        connection.execute(text("UPDATE payment_intent SET status = 'declined' WHERE reference = 'CA1-1'"))
    told = run("check")
    assert told.exit_code == 1
    assert "CA1-1: paid: 0.00 USD by the charge, 42.50 USD in the accounts" in told.output
    record = json.loads(run("check", "--json").output.splitlines()[0])
    assert record == {"reference": "CA1-1", "account": "paid", "expected": "0.00 USD", "found": "42.50 USD", "why": ""}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            "amount_minor = 1 WHERE kind = 'requested' AND reference = 'CA2-1'",
            ["CA2-1: the entry 'requested': missing, or of another amount", "1 difference"],
        ),
        (
            "kind = 'sent' WHERE kind = 'unknown'",
            [
                "CA2-1: the entry 'sent': of no kind that there is, or it moves what that kind does not",
                "CA2-1: the entry 'unknown': missing, or of another amount",
                "2 differences",
            ],
        ),
    ],
)
def test_an_entry_that_was_changed_past_us_is_named_with_its_charge(store: Store, change: str, told: list[str]):
    with store._database.money() as connection:
        connection.execute(text("DROP TRIGGER ledger_refuses_update"))
        connection.execute(text(f"UPDATE ledger_entry SET {change}"))
    found = run("check")
    assert (found.exit_code, found.output.splitlines()) == (1, told)
