"""Charges from before confirmation numbers of our own: each is given one, and keeps the bank's code that its caller heard."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import DatabaseError

from ivr.core.confirmation import is_confirmation_number
from ivr.store import Modification, WantedModification, migrate, open_store
from ivr.store.migrations import FOLDER
from tests.store.payments import NOW

OLD = (
    "INSERT INTO payment_intent (reference, idempotency_key, merchant, call, bank, amount_minor, currency, account, "
    "card_summary, ani_hash, card_fingerprint, status, confirmation_number, created_at) VALUES (:reference, :reference, "
    "'m', 'CA1', 'acme_bank', 4250, 'USD', '1', 'visa 1111', '', '', :status, :code, 1)"
)
ENTRY = (
    "INSERT INTO ledger_entry (reference, kind, amount_minor, currency, at) VALUES (:reference, :kind, 4250, 'USD', 1)"
)


@pytest.fixture
def old(tmp_path: Path) -> Iterator[Engine]:
    """At the revision before, with three charges: two with codes of the bank's, one declined."""
    engine = create_engine(f"sqlite:///{tmp_path / 'old.db'}")
    bring(engine, "0013")
    fill(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def old_postgresql(postgresql: str) -> Iterator[Engine]:
    if not postgresql.startswith("postgresql"):
        pytest.skip(postgresql)
    name = "migration_0014"
    server = postgresql.replace("+psycopg", "")
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP SCHEMA IF EXISTS {name} CASCADE")
        connection.execute(f"CREATE SCHEMA {name}")
    engine = create_engine(f"{postgresql}?options=-csearch_path%3D{name}")
    bring(engine, "0013")
    fill(engine)
    yield engine
    with engine.begin() as connection:
        connection.execute(text(f"DROP SCHEMA {name} CASCADE"))
    engine.dispose()


def bring(engine: Engine, revision: str, *, down: bool = False) -> None:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        (command.downgrade if down else command.upgrade)(config, revision)


def fill(engine: Engine) -> None:
    charges = {"CA1-1": ("approved", "482913"), "CA1-2": ("approved", "482913"), "CA1-3": ("declined", None)}
    with engine.begin() as connection:
        for reference, (status, code) in charges.items():
            connection.execute(text(OLD), {"reference": reference, "status": status, "code": code})
            for kind in ("requested", status):
                connection.execute(text(ENTRY), {"reference": reference, "kind": kind})


def check(engine: Engine) -> None:
    bring(engine, "head")
    with engine.connect() as connection:
        rows = connection.execute(
            text("SELECT reference, confirmation_number, authorization_code FROM payment_intent ORDER BY 1")
        ).all()
        kept = connection.execute(text("SELECT reference, kind, modification FROM ledger_entry ORDER BY id")).all()
    assert [(row[0], row[2]) for row in rows] == [("CA1-1", "482913"), ("CA1-2", "482913"), ("CA1-3", None)]
    assert all(is_confirmation_number(row[1]) for row in rows)
    assert len({row[1] for row in rows}) == 3
    assert [tuple(row) for row in kept][:2] == [("CA1-1", "requested", 0), ("CA1-1", "approved", 0)]
    assert len(kept) == 6
    for change in ("UPDATE ledger_entry SET amount_minor = 1", "DELETE FROM ledger_entry"):
        with pytest.raises(DatabaseError, match="never changed"), engine.begin() as connection:
            connection.execute(text(change))


def test_old_charges_are_numbered_and_the_ledger_still_refuses_changes(old: Engine):
    check(old)


def test_on_postgresql_likewise(old_postgresql: Engine):
    check(old_postgresql)


def test_back_again_the_callers_number_is_the_banks_code_as_it_was(old: Engine):
    bring(old, "head")
    bring(old, "0013", down=True)
    with old.connect() as connection:
        codes = connection.execute(text("SELECT confirmation_number FROM payment_intent ORDER BY reference"))
        assert list(codes.scalars()) == ["482913", "482913", None]


def test_an_old_charge_can_be_found_by_either_number_and_refunded(old: Engine):
    url = str(old.url)
    migrate(url)
    store = open_store(url)
    payment = store.payment("CA1-1")
    assert payment is not None
    assert [one.intent.reference for one in store.payments_by_number(payment.confirmation_number)] == ["CA1-1"]
    assert len(store.payments_by_number("482913")) == 2
    wanted = WantedModification("CA1-1", "refund", payment.intent.amount, payment.intent.amount, "ada")
    assert isinstance(store.ask_modification(wanted, NOW), Modification)
    store.close()
