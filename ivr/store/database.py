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
CONNECTIONS = 24  # a forwarder's hands and its dispatcher, or a web worker's threads


class Database:
    """`calls()`: single statements, each its own transaction. `money()`: transactions that are on disk when they end."""

    def __init__(self, url: str) -> None:
        self.is_sqlite = url.startswith("sqlite")
        if url in ("sqlite://", "sqlite:///:memory:"):
            self._money = _engine(url, poolclass=StaticPool)
            self._calls = self._money.execution_options(each_statement_alone=True)
        else:
            self._money = _engine(url, pool_size=CONNECTIONS)
            self._calls = self._light_engine(url)
        if self.is_sqlite:
            event.listen(self._money, "connect", _prepare_sqlite("FULL"))
            event.listen(self._money, "begin", _take_write_lock)

    def _light_engine(self, url: str) -> Engine:
        """A call's own state may lose its last moment in a power cut; money may not. Half of the fsyncs go this way."""
        if self.is_sqlite:
            engine = _engine(url, pool_size=CONNECTIONS)
            event.listen(engine, "connect", _prepare_sqlite("NORMAL"))
            return engine
        settings = {"options": "-c synchronous_commit=off"}
        return _engine(url, pool_size=CONNECTIONS, isolation_level="AUTOCOMMIT", connect_args=settings)

    @contextmanager
    def calls(self) -> Iterator[Connection]:
        with self._calls.connect() as connection:
            yield connection

    @contextmanager
    def money(self) -> Iterator[Connection]:
        with self._money.begin() as connection:
            yield connection

    def ping(self) -> None:
        with self.calls() as connection:
            connection.execute(text("SELECT 1"))

    def drop_wal(self) -> bool:
        """Deleted sealed fields must not live on in the write-ahead log (SQLite; for PostgreSQL see docs/money.md).

        False where a reader or a writer was in the way for too long: it is due again then.
        """
        if not self.is_sqlite:
            return True
        with self.calls() as connection:
            is_busy = connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)")).scalar_one()
        return not is_busy

    def close(self) -> None:
        self._money.dispose()
        self._calls.dispose()


def _engine(url: str, **options: Any) -> Engine:
    try:
        return create_engine(url, hide_parameters=True, **options)
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError):
        raise ConfigError("DATABASE_URL: expected sqlite:///path or postgresql+psycopg://user@host/database") from None


def _prepare_sqlite(synchronous: str) -> Any:
    def set_pragmas(connection: Any, _record: Any) -> None:
        # The driver's own BEGIN is deferred and can fail half-way; ours (below) takes the write lock at once.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            f"busy_timeout = {BUSY_MS}",
            "journal_mode = WAL",
            f"synchronous = {synchronous}",
            "foreign_keys = ON",
            "secure_delete = ON",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    return set_pragmas


def _take_write_lock(connection: Connection) -> None:
    if not connection.get_execution_options().get("each_statement_alone"):
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)
