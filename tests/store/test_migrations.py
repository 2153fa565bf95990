"""A database is brought to this version's schema, whole or not at all; one that is not ours is left alone."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine, inspect, text

from ivr.errors import ConfigError
from ivr.store import memory_store, migrate, open_store
from ivr.store.tables import metadata
from tests.store.payments import NOW, a_call


def test_the_migrations_make_the_tables_that_the_code_expects(url: str):
    engine = create_engine(url)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()


def test_migrating_twice_changes_nothing(url: str):
    store = open_store(url)
    store.save_call(a_call(), 0, NOW)
    migrate(url)
    assert store.load_call("CA1") is not None
    store.close()


def test_a_database_file_is_for_its_owner_only_also_one_made_before(tmp_path: Path):
    old, new = tmp_path / "old.db", tmp_path / "new.db"
    old.touch()
    old.chmod(0o644)
    for file in (old, new):
        migrate(f"sqlite:///{file}")
        store = open_store(f"sqlite:///{file}")
        store.save_call(a_call(), 0, NOW)
        parts = list(tmp_path.glob(f"{file.name}*"))
        assert {part.name: oct(part.stat().st_mode & 0o777) for part in parts} == {
            f"{file.name}{end}": "0o600" for end in ("", "-wal", "-shm")
        }
        store.close()


def test_processes_that_migrate_at_once_take_turns(tmp_path: Path):
    url = f"sqlite:///{tmp_path / 'new' / 'store.db'}"
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(migrate, [url] * 4)) == [None] * 4
    open_store(url).close()


def test_a_migration_that_fails_half_way_leaves_the_database_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def fail(*_: object) -> None:
        raise RuntimeError("the power went")

    file = tmp_path / "store.db"
    with monkeypatch.context() as patch:
        patch.setattr("alembic.op.create_index", fail)  # the first table has been made by then
        with pytest.raises(RuntimeError):
            migrate(f"sqlite:///{file}")
    with sqlite3.connect(file) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == []
    migrate(f"sqlite:///{file}")
    open_store(f"sqlite:///{file}").close()


def test_a_newer_database_is_refused_and_left_as_it_is(url: str):
    engine = create_engine(url)
    with engine.begin() as connection:
        known = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    try:
        for opened in (migrate, open_store):
            with pytest.raises(ConfigError, match="9999"):
                opened(url)
    finally:
        with engine.begin() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = :known"), {"known": known})
        engine.dispose()


def test_somebody_elses_database_is_refused_and_left_as_it_is(tmp_path: Path):
    url = f"sqlite:///{tmp_path / 'theirs.db'}"
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE customers (name TEXT)"))
    with pytest.raises(ConfigError, match=r"customers.*DATABASE_URL"):
        migrate(url)
    assert inspect(engine).get_table_names() == ["customers"]
    engine.dispose()


def test_a_file_that_is_no_database_is_refused_and_left_as_it_is(tmp_path: Path):
    file = tmp_path / "letter.txt"
    file.write_text("Dear bank, " * 500)
    for opened in (migrate, open_store):
        with pytest.raises(ConfigError, match=r"DATABASE_URL|not a database of ours"):
            opened(f"sqlite:///{file}")
    assert file.read_text() == "Dear bank, " * 500


def test_a_database_that_was_never_set_up_is_told_with_the_cure(tmp_path: Path):
    with pytest.raises(ConfigError, match="set-up"):
        open_store(f"sqlite:///{tmp_path / 'empty.db'}")


@pytest.mark.parametrize("url", ["nonsense", "mysql://host/db", "postgresql+nothing://host/db"])
def test_a_url_of_no_database_we_know_is_told(url: str):
    for opened in (migrate, open_store):
        with pytest.raises(ConfigError, match="DATABASE_URL: expected"):
            opened(url)


def test_no_error_shows_the_password():
    with pytest.raises(ConfigError) as raised:
        migrate("postgresql+psycopg://user:opensesame@127.0.0.1:1/db?connect_timeout=1")
    assert "opensesame" not in str(raised.value)


def test_a_store_in_memory_needs_no_migration():
    store = memory_store()
    store.save_call(a_call(), 0, NOW)
    assert store.load_call("CA1") is not None


def test_no_statement_shows_its_values_in_an_error(url: str):
    store = open_store(url)
    store.save_call(a_call(), 0, NOW)
    too_long = "4111111111111111" * 20
    with pytest.raises(Exception) as raised, store._database.money() as connection:
        connection.execute(text("SELECT nothing FROM call WHERE id = :id"), {"id": too_long})
    assert "4111" not in str(raised.value)
    store.close()
