"""A migrated, empty database for each test: a SQLite file, and PostgreSQL where one answers on loopback."""

import os
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import psycopg
import pytest

from ivr.store import NumberSeals, Store, migrate, open_store
from ivr.store.tables import metadata

SERVER = os.environ.get("TEST_POSTGRESQL", "host=127.0.0.1 port=5432 user=postgres dbname=postgres connect_timeout=60")
NUMBER_KEY = bytes(range(32))
NUMBERS = NumberSeals([NUMBER_KEY], bytes(32))
TABLES = [table.name for table in metadata.sorted_tables]
# TRUNCATE makes new files for tables and indexes, 300 ms of them; the few rows of a test are deleted in 3. A replica's role
# is one for which triggers and keys say nothing.
EMPTY_ALL = "; ".join(
    [
        "SET session_replication_role = replica",
        *(f"DELETE FROM {table}" for table in TABLES),
        "SET session_replication_role = DEFAULT",
        "SELECT setval('ledger_entry_id_seq', 1, false), setval('outbox_id_seq', 1, false)",
    ]
)


def make_empty(url: str) -> None:
    """What `migrate` makes; of a SQLite file that is not there yet by a copy of one made once: a fiftieth of the work."""
    if not url.startswith("sqlite:///"):
        migrate(url)
        return
    file = Path(url.removeprefix("sqlite:///"))
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch(mode=0o600, exist_ok=False)
    file.write_bytes(_empty())


@cache
def _empty() -> bytes:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "empty.db"
        migrate(f"sqlite:///{file}")
        return file.read_bytes()


@pytest.fixture(scope="session")
def empty_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Migrated once, copied for each test."""
    file = tmp_path_factory.mktemp("sqlite") / "empty.db"
    make_empty(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The URL of a database of this process's own, dropped at the end; or why there is none."""
    try:
        server = psycopg.connect(SERVER, autocommit=True)
    except psycopg.OperationalError as error:
        yield f"no PostgreSQL to test against: {str(error).splitlines()[0]}"
        return
    name = f"tonetill_test_{uuid4().hex[:12]}"
    with server:
        server.execute(f"CREATE DATABASE {name}")
        # What a server would lose that loses its power is nothing to a test.
        server.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
        url = f"postgresql+psycopg://{server.info.user}@{server.info.host}:{server.info.port}/{name}"
        try:
            migrate(url)
            yield url
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def sqlite_url(empty_sqlite: Path, tmp_path: Path) -> str:
    return f"sqlite:///{shutil.copy(empty_sqlite, tmp_path / 'store.db')}"


@pytest.fixture
def postgresql_url(postgresql: str) -> str:
    if not postgresql.startswith("postgresql"):
        pytest.skip(postgresql)
    with psycopg.connect(postgresql.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(EMPTY_ALL)
    return postgresql


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    store = open_store(url, numbers=NUMBERS)
    yield store
    store.close()
