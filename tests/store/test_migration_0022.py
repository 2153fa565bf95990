"""Charges from before double entry: what each of their entries moved is written down, as if it had been from the first."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import Engine, create_engine, make_url, text
from sqlalchemy.exc import DatabaseError

from ivr.store import Store, open_store
from ivr.store.database import Database
from tests.store.lives import lived
from tests.store.test_migration_0014 import bring

SEEDS = (7, 11, 16)  # every kind of entry comes in one of them
ACCOUNTS = (
    "SELECT e.reference, e.kind, e.modification, t.line, t.debit_account, t.credit_account, t.amount_minor, t.currency "
    "FROM transfer t JOIN ledger_entry e ON e.id = t.entry ORDER BY 1, 2, 3, 4"
)


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    if request.param == "sqlite":
        file = shutil.copy(request.getfixturevalue("empty_sqlite"), tmp_path / "lived.db")
        made = create_engine(f"sqlite:///{file}")
        yield made
        made.dispose()
        return
    url = request.getfixturevalue("postgresql")
    if not url.startswith("postgresql"):
        pytest.skip(url)
    name = f"tonetill_test_{uuid4().hex[:12]}"
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
        made = create_engine(make_url(url).set(database=name))
        bring(made, "head")
        yield made
        made.dispose()
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


def accounts(engine: Engine) -> list[tuple[object, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(ACCOUNTS))]


def url_of(engine: Engine) -> str:
    return engine.url.render_as_string(hide_password=False)


@pytest.mark.parametrize("seed", SEEDS)
def test_old_charges_are_posted_as_new_ones_are(engine: Engine, seed: int):
    store = open_store(url_of(engine))
    lives = lived(store, seed, 80)
    store.close()
    posted = accounts(engine)
    assert len(posted) > 30
    bring(engine, "0021", down=True)
    bring(engine, "head")
    assert set(accounts(engine)) ^ set(posted) == set()
    again = open_store(url_of(engine))
    assert list(again.book_faults()) == []
    assert sum(one.minor for one in again.account_balances()) == 0
    again.close()
    assert lives.references


def test_afterwards_the_database_refuses_what_it_refused_before_and_more(engine: Engine):
    store = open_store(url_of(engine))
    lived(store, SEEDS[0], 10)
    store.close()
    bring(engine, "0021", down=True)
    bring(engine, "head")
    for change in ("UPDATE ledger_entry SET amount_minor = 1", "DELETE FROM transfer", "UPDATE transfer SET line = 9"):
        with pytest.raises(DatabaseError, match="never changed"), engine.begin() as connection:
            connection.execute(text(change))
    unposted = "INSERT INTO ledger_entry (reference, kind, amount_minor, currency, at, last_line) VALUES ('a', 'approved', 1, 'USD', 1, 1)"
    database = Database(url_of(engine))
    with pytest.raises(DatabaseError), database.money() as connection:
        connection.execute(text(unposted))
    database.close()


def test_an_empty_database_is_migrated_too(engine: Engine):
    bring(engine, "0021", down=True)
    bring(engine, "head")
    assert accounts(engine) == []
    store: Store = open_store(url_of(engine))
    assert list(store.book_faults()) == []
    store.close()
