"""A row that nobody can read is left out and named in the log; everything else of its kind goes on."""

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from ivr.core.money import Money
from ivr.store import Store
from ivr.store.accounts_file import Bill
from tests.store.test_agreements import PROMISE

BILLS = [Bill(account, Money(4250), Money(1000), belongs_to="77") for account in ("1", "2", "3")]


def spoil(store: Store, statement: str) -> None:
    with store._database.money() as connection:
        connection.execute(text(statement))


@pytest.mark.parametrize("details", ["{", "[]", "7"])
def test_a_bill_whose_details_cannot_be_read(store: Store, tmp_path: Path, details: str):
    store.renew_bills(BILLS)
    spoil(store, f"UPDATE bill SET details = '{details}', due_minor = 5 WHERE account = '2'")
    with capture_logs() as logs:
        assert store.find_bill("2") is None
        assert [one.account for one in store.find_bills("77")] == ["1", "3"]
    assert {line["account"] for line in logs} == {"2"}
    assert "import its account again" in logs[0]["event"]
    file = tmp_path / "accounts.csv"
    file.write_text("account,due,minimum,currency\n2,42.50,10.00,USD\n4,1.00,1.00,USD\n")
    assert store.seed_bills(file) == 1  # what it owes by now is not lost to the file's
    assert store.find_bill("2") is None
    store.renew_bills(BILLS)
    assert store.find_bill("2") == BILLS[1]


def test_an_agreement_whose_terms_cannot_be_read(store: Store):
    other = replace(PROMISE, reference="CA1-promise-ffffffff")
    for one in (PROMISE, other):
        store.record_agreement(one)
    spoil(store, f"UPDATE agreement SET terms = '{{' WHERE reference = '{PROMISE.reference}'")
    with capture_logs() as logs:
        assert store.agreements_of("CA1") == [other] == store.latest_agreements(9)
    assert logs[0]["reference"] == PROMISE.reference
    assert not store.record_agreement(PROMISE)
