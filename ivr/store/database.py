"""Connections: SQLite or PostgreSQL by URL alone, with the durability that each kind of write needs."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.pool import StaticPool

from ivr.errors import ConfigError

BUSY_MS = 10_000  # how long a writer waits for another before it gives up


class Database:
    """`calls()`: single statements, each its own transaction. `money()`: transactions that are on disk when they end."""

    def __init__(self, url: str) -> None:
        self.is_sqlite = url.startswith("sqlite")
        in_memory = url in ("sqlite://", "sqlite:///:memory:")
        self._money = _engine(url, in_memory=in_memory, synchronous="FULL")
        # A call's own state may lose its last moment in a power cut; money may not. Half of the fsyncs go this way.
        self._calls = self._money if in_memory else _engine(url, in_memory=False, synchronous="NORMAL")
        self._autocommit = self._calls.execution_options(isolation_level="AUTOCOMMIT")

    @contextmanager
    def calls(self) -> Iterator[Connection]:
        with self._autocommit.connect() as connection:
            yield connection

    @contextmanager
    def money(self) -> Iterator[Connection]:
        with self._money.begin() as connection:
            yield connection

    def ping(self) -> None:
        with self.calls() as connection:
            connection.execute(text("SELECT 1"))

    def drop_wal(self) -> None:
        """Deleted sealed fields must not live on in the write-ahead log (SQLite; PostgreSQL: docs/money.md)."""
        if self.is_sqlite:
            with self._autocommit.connect() as connection:
                connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))

    def close(self) -> None:
        self._money.dispose()
        self._calls.dispose()


def _engine(url: str, *, in_memory: bool, synchronous: str) -> Engine:
    options: dict[str, Any] = {"poolclass": StaticPool} if in_memory else {"pool_size": 20}
    try:
        engine = create_engine(url, hide_parameters=True, **options)
    except (ArgumentError, NoSuchModuleError):
        raise ConfigError("DATABASE_URL: expected sqlite:///path or postgresql+psycopg://user@host/database") from None
    if url.startswith("sqlite"):
        _prepare_sqlite(engine, synchronous)
    return engine


def _prepare_sqlite(engine: Engine, synchronous: str) -> None:
    @event.listens_for(engine, "connect")
    def set_pragmas(connection: Any, _record: Any) -> None:
        # The driver's own BEGIN is deferred and can fail half-way; ours (below) takes the write lock at once.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            "journal_mode = WAL",
            f"synchronous = {synchronous}",
            f"busy_timeout = {BUSY_MS}",
            "foreign_keys = ON",
            "secure_delete = ON",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if connection.get_execution_options().get("isolation_level") != "AUTOCOMMIT":
            connection.exec_driver_sql("BEGIN IMMEDIATE")


def milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)
