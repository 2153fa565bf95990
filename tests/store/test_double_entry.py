"""Double entry: the books balance after every transaction, and say what the charges, the bills and the banks say."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import DatabaseError

from ivr.core.call import OPEN, OPEN_PARTS
from ivr.core.money import Money
from ivr.store import (
    BankWord,
    Bill,
    FollowUp,
    PaidOnBill,
    PaidSoFar,
    Payment,
    Store,
    entries,
    ledger,
    memory_store,
    postings,
    reservation_state,
)
from ivr.store.database import Database
from ivr.store.postings import MoneyTransfer
from ivr.store.tables import MOVES
from tests.books.test_reconciling import charge, give_back
from tests.store.lives import SOURCE, Lives, lived
from tests.store.payments import ACCOUNT, NOW, begin

TELLING = (
    0,
    1,
    8,
    11,
)  # seeds in which mistakes of `tests/mutants` come to light, captures and parts of a bill among them


def trial_balance(lives: Lives) -> Counter[str]:
    found: Counter[str] = Counter()
    for one in lives.store.account_balances():
        found[one.debit.currency] += one.minor
    return found


def of_banks(lives: Lives, kind: str) -> Counter[str]:
    """By the bank's name."""
    return +Counter(
        {one.account.partition(":")[2]: one.minor for one in lives.store.account_balances() if one.kind == kind}
    )


def held_beside(lives: Lives, key: str) -> int:
    """What is held for a bill and has not lowered it: parts that are not decided, and the fees of reserved amounts."""
    found = 0
    for one in lives.payments():
        if one.intent.payable_key != key or one.status != "approved":
            continue
        if one.part in (*OPEN_PARTS, "undoing"):
            found += one.intent.amount.minor
        story = lives.store.entries(one.intent.reference)
        if one.intent.captures_later and reservation_state(story) in ("reserved", "capture_asked"):
            found += one.intent.amount.minor - one.intent.credited.minor
    return found


def assert_books_are_true(lives: Lives) -> None:
    payments = lives.payments()
    assert set(trial_balance(lives).values()) <= {0}
    asked = {kind: Counter[str]() for kind in ("suspense", "in_flight")}
    for one in payments:
        if one.status in OPEN:
            kind = "suspense" if one.status == "unknown" else "in_flight"
            asked[kind][one.intent.bank] += one.intent.amount.minor
    reserved = Counter[str]()
    for reference, minor in lives.holds.items():
        reserved[lives.payment(reference).intent.bank] += minor
    for kind, by_bank in {**asked, "bank": lives.owed, "reserved": reserved}.items():
        assert of_banks(lives, kind) == +by_bank, kind
    for key, at_first in lives.due.items():
        if key in lives.paid_twice:
            continue
        bill = lives.store.find_bill(key)
        assert bill is not None
        accounts = lives.store.paid_on_bill(SOURCE, key)
        lowered_by = sum(one.paid.minor + one.held.minor for one in accounts) - held_beside(lives, key)
        assert at_first - bill.due.minor == lowered_by, key
    assert credited_as_fees(lives) >= sum(
        one.intent.fee.minor for one in payments if one.intent.fee and is_paid(lives, one)
    )
    assert list(lives.store.book_faults()) == []


def is_paid(lives: Lives, payment: Payment) -> bool:
    """For good: of an amount that is reserved it is with its capture."""
    is_taken = not payment.intent.captures_later or "captured" in lives.store.entries(payment.intent.reference)
    return payment.status == "approved" and is_taken


def credited_as_fees(lives: Lives) -> int:
    """All that ever was: what was given back stands on the other side, and a refund that came back is credited again."""
    return sum(one.credit.minor for one in lives.store.account_balances() if one.kind == "fees")


@settings(max_examples=10)
@given(st.integers(0, 2**32))
def test_whatever_happens_to_charges_the_books_are_true(seed: int):
    lives = lived(memory_store(), seed, 60)
    assert_books_are_true(lives)


@pytest.mark.parametrize("seed", TELLING)
def test_so_they_are_in_lives_that_have_found_a_mistake(seed: int):
    assert_books_are_true(lived(memory_store(), seed, 60))


def test_so_they_are_on_both_databases_and_after_each_step(store: Store):
    lives = Lives(store, Random(7))
    for _ in range(3):
        for _ in range(10):
            lives.step()
        assert_books_are_true(lives)


# ---- a slip is found


SEEDS = range(12)
SLIPS: dict[str, Callable[[list[MoneyTransfer]], list[MoneyTransfer]]] = {
    "a cent is lost": lambda made: [replace(made[0], minor=made[0].minor - 1), *made[1:]],
    "a sign is turned": lambda made: [MoneyTransfer(one.credit, one.debit, one.minor) for one in made],
    "the last line is forgotten": lambda made: made[:-1],
    "another bank owes it": lambda made: [replace(one, debit=one.debit.replace("acme", "other")) for one in made],
}


@pytest.mark.parametrize("slip", SLIPS)
@pytest.mark.parametrize("place", ["when_requested", "when_concluded", "when_noted"])
def test_a_planted_slip_is_found(slip: str, place: str, monkeypatch: pytest.MonkeyPatch):
    posting = getattr(postings, place)

    def slipped(*about: Any, **how: Any) -> list[MoneyTransfer]:
        made = posting(*about, **how)
        return [one for one in SLIPS[slip](made) if one.minor > 0] if made else made

    for module in (ledger, entries):
        if hasattr(module, place):
            monkeypatch.setattr(module, place, slipped)
    with pytest.raises((AssertionError, DatabaseError)):
        all_are_true(SEEDS)


def all_are_true(seeds: Iterable[int]) -> None:
    for seed in seeds:
        assert_books_are_true(lived(memory_store(), seed, 60))


# ---- what the database itself refuses


ADD = (
    "INSERT INTO transfer (entry, line, debit_account, credit_account, amount_minor, currency, at) "
    "VALUES (:entry, 9, :debit, :credit, :minor, 'USD', 1)"
)


@pytest.mark.parametrize(
    "changed", [{"minor": 0}, {"minor": -1}, {"debit": "bank:a", "credit": "bank:a"}, {"entry": 4711}]
)
def test_the_database_refuses_a_transfer_that_is_none(store: Store, url: str, changed: dict[str, object]):
    begin(store)
    row = {"entry": 1, "debit": "bank:a", "credit": "sales:m", "minor": 1} | changed
    with refused(url) as connection:
        connection.execute(text(ADD), row)


@pytest.mark.parametrize("last_line", ["NULL", "1"])
def test_the_database_refuses_an_entry_that_moves_nothing_when_its_transaction_ends(
    store: Store, url: str, last_line: str
):
    begin(store)
    with refused(url) as connection:
        connection.execute(
            text(
                "INSERT INTO ledger_entry (reference, kind, amount_minor, currency, at, last_line) "
                f"VALUES ('CA9-1', 'approved', 1, 'USD', 1, {last_line})"
            )
        )
    assert store.entries("CA9-1") == []


@pytest.mark.parametrize("change", ["UPDATE transfer SET amount_minor = 1", "DELETE FROM transfer"])
def test_the_database_refuses_to_change_a_transfer(store: Store, url: str, change: str):
    begin(store)
    with refused(url, "never changed") as connection:
        connection.execute(text(change))


@contextmanager
def refused(url: str, told: str | None = None) -> Iterator[Connection]:
    """A transaction of money, which is refused at its end at the latest."""
    database = Database(url)
    with pytest.raises(DatabaseError, match=told), database.money() as connection:
        yield connection
    database.close()


# ---- the questions


def test_what_a_bill_a_caller_and_a_bank_come_to(store: Store):
    store.renew_bills([Bill(ACCOUNT, Money(9000), Money(0))])
    begin(store, "CA1-1", pays=ACCOUNT)
    assert [one.pending for one in store.paid_by(call="CA1")] == [Money(4250)]
    job = store.claim(NOW, 60)
    assert job is not None
    store.mark_sent(job)
    store.record(job, "unknown", NOW)
    assert store.suspense() == {"acme_bank": [Money(4250)]}
    assert store.owed_by_banks() == {}
    job = store.claim(NOW, 60)
    assert job is not None
    store.record(job, "approved", NOW, BankWord("482913", "00"), FollowUp())
    assert store.suspense() == {}
    assert store.owed_by_banks() == {"acme_bank": [Money(4250)]}
    assert store.paid_on_bill(SOURCE, ACCOUNT) == [PaidOnBill(Money(4250), Money(0))]
    assert store.paid_by(caller="caller") == [PaidSoFar(Money(4250), Money(0), Money(0), Money(0))]
    assert store.paid_by(caller="other") == []
    before = {one.account: one.minor for one in store.account_balances(NOW)}
    assert before == {}, "what was posted then is not before it"


def test_what_settle_says_is_what_the_accounts_say(store: Store):
    lives = lived(store, 3, 30)
    moved: Counter[str] = Counter()
    for one in store.movements():
        moved[one.bank] += one.amount.minor * (1 if one.kind == "charge" else -1)
    let_go: Counter[str] = Counter()
    for payment in lives.payments():
        let_go[payment.intent.bank] += "capture_failed" in store.entries(payment.intent.reference)
    assert {bank: minor for bank, minor in moved.items() if not let_go[bank] and minor} == {
        bank: minor for bank, minor in lives.owed.items() if not let_go[bank] and minor
    }


# ---- what somebody who writes to the database by hand cannot hide


GHOST = (
    "INSERT INTO ledger_entry (id, reference, kind, amount_minor, currency, at, last_line) "
    "VALUES (9001, 'CA9-1', 'approved', 5000, 'USD', 1, 1)",
    "INSERT INTO transfer VALUES (9001, 1, 'bank:acme_bank', 'sales:example_water', 5000, 'USD', 1)",
)


def added(reference: str, currency: str, of_transfer: str) -> tuple[str, str]:
    return (
        "INSERT INTO ledger_entry (id, reference, kind, amount_minor, currency, at, modification, last_line) "
        f"VALUES (9001, '{reference}', 'odd', 5000, '{currency}', 1, 77, 1)",
        f"INSERT INTO transfer VALUES (9001, 1, 'bank:acme_bank', 'sales:m', 5000, '{of_transfer}', 1)",
    )


@pytest.mark.parametrize(
    ("statements", "why"),
    [
        (GHOST, "a transfer of entry 'approved' of no charge"),
        (added("CA1-1", "USD", "EUR"), "a transfer of entry 'odd' of another currency"),
        (added("CA1-1", "EUR", "EUR"), "a transfer of entry 'odd' of another currency"),
        (("UPDATE transfer SET at = at - 86400000",), "a transfer of entry 'requested' at another time"),
        (
            ("UPDATE transfer SET debit_account = 'in_flight:other' WHERE entry = 1",),
            "a transfer of entry 'requested' of another owner",
        ),
        (("UPDATE transfer SET credit_account = 'pending:other'",), "a transfer of entry 'requested' of another owner"),
    ],
)
def test_the_check_finds_what_belongs_to_no_charge_or_to_another(
    store: Store, url: str, statements: tuple[str, ...], why: str
):
    begin(store, "CA1-1")
    assert list(store.book_faults()) == []
    with behind_the_triggers(url) as connection:
        for statement in statements:
            connection.execute(text(statement))
    assert why in {one.why for one in store.book_faults()}


def test_the_check_finds_a_payment_that_was_moved_to_another_bill(store: Store, url: str):
    store.renew_bills([Bill(ACCOUNT, Money(9000), Money(0))])
    begin(store, "CA1-1", pays=ACCOUNT)
    job = store.claim(NOW, 60)
    assert job is not None
    store.mark_sent(job)
    store.record(job, "approved", NOW, BankWord("482913", "00"), FollowUp())
    assert list(store.book_faults()) == []
    with behind_the_triggers(url) as connection:
        connection.execute(
            text("UPDATE transfer SET credit_account = credit_account || '0' WHERE credit_account LIKE 'bill:%'")
        )
    (found,) = store.book_faults()
    assert (found.reference, found.account) == ("CA1-1", f"bill:{SOURCE}:{ACCOUNT}0")


def test_the_check_finds_a_refund_whose_row_says_another_end_than_the_ledger(store: Store, url: str):
    charge(store, "CA1-1")
    give_back(store, "CA1-1", 1000)
    assert list(store.book_faults()) == []
    with behind_the_triggers(url) as connection:
        connection.execute(text("UPDATE modification SET status = 'failed'"))
    (found,) = store.book_faults()
    assert (found.reference, found.account, found.why) == (
        "CA1-1",
        "refund",
        "number 1 is failed, not so in the ledger",
    )


MOVES_NOTHING = ("refund_asked", "void_asked", "capture_asked", "undo_asked", "undo_refused")
KINDS = (*MOVES, *MOVES_NOTHING, "captured", "capture_failed", "hold_lapsed", "refund_failed", "void_failed", "sent")
RENAME = text("UPDATE ledger_entry SET kind = :kind WHERE id = :id")
ALL_ENTRIES = text(
    "SELECT id, kind, reference, last_line IS NOT NULL OR modification > 0 FROM ledger_entry ORDER BY id"
)


@pytest.mark.parametrize("seed", TELLING)
def test_the_check_finds_every_entry_that_is_under_another_name(seed: int):
    """But those that move nothing and that no row speaks of."""
    lives = lived(memory_store(), seed, 60)
    with lives.store._database.calls() as connection:
        for number, (entry, kind, reference, is_spoken_of) in enumerate(connection.execute(ALL_ENTRIES).all()):
            for other in {"sent", KINDS[number % len(KINDS)]} - {kind} if is_spoken_of else ():
                with suppress(DatabaseError):  # it has one of that name already
                    connection.execute(RENAME, {"kind": other, "id": entry})
                    assert reference in {one.reference for one in lives.store.book_faults()}, (kind, other)
                connection.execute(RENAME, {"kind": kind, "id": entry})
    assert list(lives.store.book_faults()) == []


@pytest.mark.parametrize(
    ("kind", "other", "told"),
    [
        ("requested", "sent", {"the entry 'sent'", "the entry 'requested'"}),
        ("unknown", "sent", {"the entry 'sent'"}),
        ("reversed", "declined", {"the entry 'declined'", "the entry 'reversed'"}),
    ],
)
def test_a_renamed_entry_is_named_with_its_charge(store: Store, url: str, kind: str, other: str, told: set[str]):
    begin(store, "CA1-1")
    for status in ("unknown", "reversed"):
        job = store.claim(NOW, 60)
        assert job is not None
        store.mark_sent(job)
        store.record(job, status, NOW)  # type: ignore[arg-type]
    assert store.entries("CA1-1") == ["requested", "unknown", "reversed"]
    assert list(store.book_faults()) == []
    with behind_the_triggers(url) as connection:
        connection.execute(
            text("UPDATE ledger_entry SET kind = :other WHERE kind = :kind"), {"kind": kind, "other": other}
        )
    found = list(store.book_faults())
    assert ({one.reference for one in found}, {one.account for one in found}) == ({"CA1-1"}, told)


@pytest.mark.parametrize("change", ["kind = 'void_asked'", "amount_minor = amount_minor + 1"])
def test_the_check_finds_what_counts_against_refunds_under_another_name_or_amount(store: Store, url: str, change: str):
    charge(store, "CA1-1")
    give_back(store, "CA1-1", 1000)
    with behind_the_triggers(url) as connection:
        connection.execute(text(f"UPDATE ledger_entry SET {change} WHERE kind = 'refund_asked'"))
    assert ("CA1-1", "the entry 'refund_asked'", "missing, or of another amount") in {
        (one.reference, one.account, one.why) for one in store.book_faults()
    }


@contextmanager
def behind_the_triggers(url: str) -> Iterator[Connection]:
    """As an owner of the database could write, who may drop what refuses."""
    engine = create_engine(url)
    with engine.begin() as connection:
        if connection.dialect.name == "sqlite":
            for name in ("ledger", "transfers"):
                connection.execute(text(f"DROP TRIGGER {name}_refuses_update"))
        else:
            connection.execute(text("SET LOCAL session_replication_role = replica"))
        yield connection
    engine.dispose()


@pytest.mark.parametrize("table", ["transfer", "ledger_entry", "audit_event"])
def test_the_database_refuses_to_replace_or_empty(store: Store, url: str, table: str):
    begin(store)
    store.note("owner", "signed in", "", NOW)
    is_sqlite = url.startswith("sqlite")
    with refused(url, "never changed") as connection:
        connection.execute(
            text(f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}" if is_sqlite else f"TRUNCATE {table} CASCADE")
        )


def test_an_entry_is_not_replaced_by_another_of_its_kind_either(sqlite_url: str):
    from ivr.store import open_store

    store = open_store(sqlite_url)
    begin(store, "CA1-1")
    with refused(sqlite_url, "never changed") as connection:
        connection.execute(
            text(
                "INSERT OR REPLACE INTO ledger_entry (id, reference, kind, amount_minor, currency, at, last_line) "
                "VALUES (9001, 'CA1-1', 'requested', 1, 'USD', 1, 1)"
            )
        )
    store.close()
