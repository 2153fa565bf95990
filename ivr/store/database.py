"""Connections: SQLite or PostgreSQL by URL alone, with the durability that each kind of write needs."""

import re
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from datetime import datetime
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, Row, TextClause, create_engine, event, text
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.pool import NullPool

from ivr.errors import ConfigError
from ivr.store.caller_numbers import NumberSeals
from ivr.store.group_commit import GroupCommit
from ivr.store.liveness import IDLE_S, ask_when_in_doubt, has_word

T = TypeVar("T")
BUSY_MS = 10_000  # how long a writer waits for another before it gives up
CONNECTIONS = 24  # more than a web worker's threads; a forwarder asks for as many as it has threads
# Of PostgreSQL's, in one process: who comes later waits a moment for one that is given back, where another commit at the
# same time would only divide the same disk. What this makes of `max_connections` is in docs/scaling.md.
MOST_MONEY_CONNECTIONS = 16

AHEAD_KEPT_S = 60.0  # how long it is believed how far the database's clock is ahead of ours
_TIME = text("SELECT EXTRACT(EPOCH FROM clock_timestamp())")
_HOLD = text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))")
_SHARE = text("SELECT pg_advisory_xact_lock_shared(hashtextextended(:key, 0))")


class Database:
    """`calls()`: single statements, each its own transaction. `money()`: transactions that are on disk when they end.

    `tells`: the kinds of notice that are written for the merchant's own systems, with what they are about. `numbers`: seals
    callers' numbers; None where none is read, and in memory, where none lasts."""

    def __init__(
        self,
        url: str,
        connections: int = CONNECTIONS,
        tells: Collection[str] = (),
        numbers: NumberSeals | None = None,
    ) -> None:
        self.tells, self.numbers = frozenset(tells), numbers
        self.is_sqlite = url.startswith("sqlite")
        self._of_thread = threading.local()
        self._log_drops = Shared(self._truncate_log)
        self._groups = GroupCommit(self.money)
        self._asking_the_time = threading.Lock()
        self._ahead, self._ahead_until = 0, 0.0
        self._writing = threading.Lock() if self.is_sqlite else nullcontext()
        # A database in memory is its one connection: threads take turns on it, a transaction at a time.
        self._turn = threading.RLock()
        self._only: Connection | None = None
        if url in ("sqlite://", "sqlite:///:memory:"):
            self._only = _memory_engine().connect()
            return
        arguments = {} if self.is_sqlite else {"connect_args": _writable(url)}
        most = (
            {"pool_size": connections} if self.is_sqlite else {"pool_size": most_money(connections), "max_overflow": 0}
        )
        self._money = _engine(url, **most, **arguments)
        self._calls = self._light_engine(url, connections)
        if self.is_sqlite:
            event.listen(self._money, "connect", _prepare_sqlite("FULL"))
            event.listen(self._money, "begin", _take_write_lock)
        else:
            ask_when_in_doubt(self._money)

    def _light_engine(self, url: str, connections: int) -> Engine:
        """A call's own state may lose its last moment in a power cut; money may not. Half of the fsyncs go this way."""
        if self.is_sqlite:
            engine = _engine(url, pool_size=connections)
            event.listen(engine, "connect", _prepare_sqlite("NORMAL"))
            return engine
        settings = {"options": "-c synchronous_commit=off", **_writable(url)}
        return _engine(url, pool_size=connections, isolation_level="AUTOCOMMIT", connect_args=settings)

    @contextmanager
    def calls(self) -> Iterator[Connection]:
        """Each thread keeps its connection: taking one from the pool costs more than the statement (60 us)."""
        if self._only is not None:
            with self._turn:
                yield self._only
            return
        connection = self._own_connection()
        try:
            yield connection
        except DBAPIError:
            self._drop_own_connection()
            raise

    def run(self, statement: str, parameters: Sequence[object]) -> Any:
        """A hot statement, straight to the driver (`?` in it is a parameter): 20 us where Core takes 70. The cursor."""
        if self._only is not None:
            with self._turn:
                return Fetched(driver_of(self._only).execute(statement, parameters))
        driver = driver_of(self._own_connection())
        try:
            return driver.execute(self.native(statement), parameters)
        except Exception:
            # Whatever it was, the next statement starts with a connection that is known to be good.
            self._drop_own_connection()
            raise

    def native(self, statement: str) -> str:
        """With the driver's own sign for a parameter."""
        return statement if self.is_sqlite else statement.replace("?", "%s")

    def _own_connection(self) -> Connection:
        kept: Kept | None = getattr(self._of_thread, "kept", None)
        if kept is None or not kept.is_alive():
            kept = self._of_thread.kept = Kept(self._calls.connect(), asks=not self.is_sqlite)
        return kept.connection

    def _drop_own_connection(self) -> None:
        kept: Kept = self._of_thread.kept
        self._of_thread.kept = None
        kept.connection.invalidate()
        kept.connection.close()

    @contextmanager
    def money(self) -> Iterator[Connection]:
        if self._only is not None:
            with self._turn, _alone(self._only) as connection:
                yield connection
            return
        # SQLite's own waiting is sleep and retry, up to 100 ms a time: threads of one process queue here instead.
        with self._writing, self._money.begin() as connection:
            yield connection

    def together(self, work: Callable[[Connection], T]) -> T:
        """`work` in a transaction of `money`; what it returns, once that is on disk. On SQLite it shares its commit with what other
        threads ask for meanwhile. Then it may be done twice, the first time in a transaction that is undone: it is to do
        nothing else than to read and write there.

        PostgreSQL flushes the commits of several connections at once by itself; the parts of a group there would wait for each
        other's statements, each of which is a way to the server and back.
        """
        if self.is_sqlite and self._only is None:
            return self._groups.run(work)
        with self.money() as connection:
            return work(connection)

    def on_its_clock(self, at: datetime) -> int:
        """The time in milliseconds as the database's own clock has it, which all nodes of a site share.

        SQLite's clock is this machine's. PostgreSQL is asked once in a while how far its clock is ahead of ours.
        """
        return milliseconds(at) + (0 if self.is_sqlite else self._ahead_ms())

    def _ahead_ms(self) -> int:
        with self._asking_the_time:
            if time.monotonic() >= self._ahead_until:
                before = time.time()
                with self.calls() as connection:
                    theirs = float(connection.execute(_TIME).scalar_one())
                self._ahead = round((theirs - (before + time.time()) / 2) * 1000)
                self._ahead_until = time.monotonic() + AHEAD_KEPT_S
            return self._ahead

    @contextmanager
    def stream(self, statement: TextClause, values: Mapping[str, object], at_once: int) -> Iterator[Iterable[Row[Any]]]:
        """Rows as they are asked for, so many held at a time, on a connection of its own."""
        if self._only is not None:
            with self._turn:
                yield self._only.execute(statement, values)
            return
        with self._calls.connect() as connection:
            if not self.is_sqlite:  # a cursor at the server lives in a transaction
                connection = connection.execution_options(isolation_level="REPEATABLE READ")
            yield connection.execution_options(yield_per=at_once).execute(statement, values)

    @contextmanager
    def watching(self) -> Iterator[Connection]:
        """A connection that nobody uses afterwards: it may go on hearing what it has asked for."""
        with self._calls.connect() as connection:
            yield connection
            connection.invalidate()

    def ping(self) -> None:
        with self.calls() as connection:
            connection.execute(text("SELECT 1"))

    def hold(self, connection: Connection, *keys: str) -> None:
        """Whoever holds one of the keys goes first, until its transaction ends. SQLite has one writer anyway."""
        if not self.is_sqlite:
            for key in sorted(filter(None, keys)):
                connection.execute(_HOLD, {"key": key})

    def share(self, connection: Connection, key: str) -> None:
        """With others who share it; whoever holds the key (`hold`) waits for all of them, and they for who holds it."""
        if not self.is_sqlite:
            connection.execute(_SHARE, {"key": key})

    def drop_wal(self) -> bool:
        """Deleted sealed fields must not live on in the write-ahead log (SQLite; for PostgreSQL see docs/money.md).

        False where a reader or a writer was in the way for too long: it is due again then.
        """
        return self._log_drops()

    def _truncate_log(self) -> bool:
        if not self.is_sqlite or self._only is not None:
            return True  # a database in memory has no such log
        with self._writing, self.calls() as connection:
            is_busy = straight(connection, "PRAGMA wal_checkpoint(TRUNCATE)", ()).fetchone()[0]
        return not is_busy

    def copy_into(self, other: "Database") -> None:
        """Tables and rows, from one database in memory to another."""
        assert self._only is not None
        assert other._only is not None
        driver_of(self._only).backup(driver_of(other._only))

    def close(self) -> None:
        if self._only is not None:
            self._only.close()
            return
        self._of_thread.kept = None
        self._money.dispose()
        self._calls.dispose()


def most_money(threads: int) -> int:
    """Connections for money that a process with so many threads has at PostgreSQL at once."""
    return min(threads, MOST_MONEY_CONNECTIONS)


class Straight:
    """A statement that every charge runs, straight to the driver, values by name: 2 us on SQLite where Core takes 18.

    In the connection's transaction, and with the library's errors. Who listens to an engine's statements hears of it: then it
    goes the longer way.
    """

    def __init__(self, written: str) -> None:
        self.written = written
        self._psycopg = _NAME.sub(r"%(\1)s", written)

    def run(self, connection: Connection, values: Mapping[str, object]) -> Any:
        """A cursor: its rows are tuples."""
        statement = self.written if connection.dialect.name == "sqlite" else self._psycopg
        return straight(connection, statement, values)


_NAME = re.compile(r":(\w+)")


def straight(connection: Connection, statement: str, values: Any) -> Any:
    """`statement`: as the driver itself takes it; `values`: a mapping or a tuple, as it has them."""
    if connection.dispatch.before_cursor_execute:
        return connection.exec_driver_sql(statement, values)
    try:
        return driver_of(connection).execute(statement, values)
    except Exception as error:
        # As the library itself does: its own exception, and a connection that is broken is not used again.
        connection._handle_dbapi_exception(error, statement, values, None, None)


class Fetched:
    """A cursor's rows, read before the next thread has its turn on the connection."""

    def __init__(self, cursor: Any) -> None:
        self.rowcount = cursor.rowcount
        self._rows = iter(cursor.fetchall())

    def fetchone(self) -> Any:
        return next(self._rows, None)

    def fetchall(self) -> list[Any]:
        return list(self._rows)


class Kept:
    """A thread's own connection: back in the pool as soon as the thread has ended, not when a collector comes by.

    Servers end idle threads and start others; without this they would wait for each other's connections.
    """

    def __init__(self, connection: Connection, *, asks: bool) -> None:
        self.connection, self._asks, self._used_s = connection, asks, time.monotonic()

    def is_alive(self) -> bool:
        """Whether it can be used. One to a server that was idle for a while is asked: the server may have been restarted since, and a
        job that finds out by its first statement would wait for its lease to run out."""
        if self.connection.closed or self.connection.invalidated:
            return False
        now_s = time.monotonic()
        was_idle, self._used_s = now_s - self._used_s > IDLE_S, now_s
        driver = driver_of(self.connection)
        if not self._asks or not (was_idle or has_word(driver)):
            return True
        try:
            driver.execute("SELECT 1")
        except Exception:
            self.connection.invalidate()
            return False
        return True

    def __del__(self) -> None:
        with suppress(Exception):
            self.connection.close()


class Shared:
    """Work that serves everybody who asked before it began: sixteen threads that ask at once cost two runs."""

    def __init__(self, work: Callable[[], bool]) -> None:
        self._work = work
        self._asking, self._working = threading.Lock(), threading.Lock()
        self._asked = self._served = 0
        self._result = True

    def __call__(self) -> bool:
        with self._asking:
            self._asked += 1
            mine = self._asked
        with self._working:
            if self._served < mine:
                with self._asking:
                    serves = self._asked
                self._result = self._work()
                self._served = serves
            return self._result


@cache
def _memory_engine() -> Engine:
    """Of all databases in memory: each has a connection of its own, and what an engine knows of statements is shared."""
    engine = _engine("sqlite://", poolclass=NullPool, connect_args={"check_same_thread": False})
    event.listen(engine, "connect", _prepare_sqlite("OFF"))
    return engine


@contextmanager
def _alone(connection: Connection) -> Iterator[Connection]:
    """A transaction on a connection whose statements are otherwise each their own."""
    connection.rollback()  # of nothing: the library takes the statements before for an open transaction
    try:
        with connection.begin():
            _take_write_lock(connection)
            yield connection
    finally:
        driver_of(connection).rollback()  # of nothing, unless the commit itself broke


def driver_of(connection: Connection) -> Any:
    return connection.connection.driver_connection


def _engine(url: str, **options: Any) -> Engine:
    try:
        return create_engine(url, hide_parameters=True, **options)
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError):
        raise ConfigError("DATABASE_URL: expected sqlite:///path or postgresql+psycopg://user@host/database") from None


def _writable(url: str) -> dict[str, str]:
    """A session that began on a server that takes no writes, as at a fail-over, would refuse them for ever, from the pool:
    libpq does not begin it. What the URL says counts more (`any` for reports from a standby)."""
    return {} if "target_session_attrs" in url else {"target_session_attrs": "read-write"}


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
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)
