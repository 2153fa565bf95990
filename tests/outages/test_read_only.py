"""The database takes no writes for a while, as a PostgreSQL does at a fail-over, or a SQLite file whose file system has
been mounted read-only after an error: nothing is lost, what is said is true, and it goes on by itself.
"""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import Connection, event

from ivr.calls import session as session_module
from ivr.errors import ConfigError
from ivr.store import Store, migrate, open_store
from tests.bank_process import BankKeys, bank_keys
from tests.outages.sites import OURS, Site, site
from tests.outages.trouble import Trouble, is_paid, new_case, nothing, ring, sweep
from tests.store.databases import SERVER, empty_sqlite, sqlite_url

__all__ = ["bank_keys", "empty_sqlite", "sqlite_url"]


@dataclass(frozen=True)
class ReadOnly:
    """`named`: as the log has it."""

    site: Site
    begin: Callable[[], object]
    end: Callable[[], object]
    named: str


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_module, "PAUSES_S", (0, 0))


@pytest.fixture
def on_postgresql(bank_keys: BankKeys, tmp_path: Path, quick: None) -> Iterator[ReadOnly]:
    """A database of the test's own: its setting is for all new sessions, and those that stood are ended, as at a fail-over."""
    try:
        server = psycopg.connect(SERVER, autocommit=True)
    except psycopg.OperationalError as error:
        pytest.skip(f"no PostgreSQL to test against: {str(error).splitlines()[0]}")
    name = f"tonetill_test_{uuid4().hex[:12]}"
    with server:
        server.execute(f"CREATE DATABASE {name}")
        url = f"postgresql+psycopg://{server.info.user}@{server.info.host}:{server.info.port}/{name}"

        def begin() -> None:
            server.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
            server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))

        def end() -> None:
            """What is connected by now goes on as it is."""
            server.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")

        try:
            migrate(url)
            with site(url, *OURS, bank_keys, tmp_path) as made:
                yield ReadOnly(made, begin, end, "OperationalError read-only")
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def on_sqlite(sqlite_url: str, bank_keys: BankKeys, tmp_path: Path, quick: None) -> Iterator[ReadOnly]:
    """SQLite refuses each write, as on a file system that was remounted; what has been opened is told at each use."""
    is_on = threading.Event()
    with site(sqlite_url, *OURS, bank_keys, tmp_path) as made:
        forbid(made.world.store, is_on)
        yield ReadOnly(made, is_on.set, is_on.clear, "SQLITE_READONLY")


def forbid(store: Store, is_on: threading.Event) -> None:
    database = store._database
    own = database._own_connection

    def tell(driver: Any) -> None:
        driver.execute(f"PRAGMA query_only = {int(is_on.is_set())}")

    def own_connection() -> Connection:
        connection = own()
        tell(connection.connection.driver_connection)
        return connection

    event.listen(database._money, "checkout", lambda driver, _record, _proxy: tell(driver))
    database._own_connection = own_connection  # type: ignore[method-assign]


@pytest.fixture(params=["sqlite", "postgresql"])
def read_only(request: pytest.FixtureRequest) -> ReadOnly:
    return request.getfixturevalue(f"on_{request.param}")


def test_when_the_bank_has_answered_the_answer_is_asked_for_again_and_recorded(
    read_only: ReadOnly, capfd: pytest.CaptureFixture[str]
):
    world, client = read_only.site.world, read_only.site.world.place.client
    authorize = client.authorize

    def answered(request):
        answer = authorize(request)
        read_only.begin()
        return answer

    for number, manner in enumerate(("waits", "hangs up")):
        client.authorize = answered  # type: ignore[method-assign]

        def writable(turn: int) -> None:
            if turn in (0, 6):
                client.authorize = authorize  # type: ignore[method-assign]
                read_only.end()

        case = new_case(number, manner)
        assert (verdict := ring(world, case, writable)).is_clean, verdict
        assert world.store.entries(f"{case.call}-1") == ["requested", "unknown", "approved"]
    assert read_only.named in capfd.readouterr().err


@pytest.mark.parametrize(
    "lasts", [pytest.param(1, marks=pytest.mark.long), 3, pytest.param(100, marks=pytest.mark.long)]
)
def test_from_any_webhook_on_no_charge_is_lost_or_doubled_and_the_caller_is_told_the_truth(
    read_only: ReadOnly, lasts: int, capfd: pytest.CaptureFixture[str]
):
    calls, charged = sweep(read_only.site.world, lasts, read_only.begin, read_only.end)
    assert calls > 9
    assert charged
    assert read_only.named in capfd.readouterr().err


def test_a_connection_that_was_made_meanwhile_does_not_refuse_for_ever(on_postgresql: ReadOnly):
    """It would: a session keeps what it began with."""
    world = on_postgresql.site.world
    during = Trouble(2, 100, on_postgresql.begin, on_postgresql.end)
    assert ring(world, new_case(1), nothing, during).is_clean
    case = new_case(2)
    assert ring(world, case, nothing).is_clean
    assert is_paid(world, case)


def test_a_url_may_ask_for_a_server_that_takes_no_writes(on_postgresql: ReadOnly):
    on_postgresql.begin()
    url = on_postgresql.site.world.store._database._money.url
    with pytest.raises(ConfigError):
        open_store(url.render_as_string(hide_password=False))
    reader = open_store(f"{url.render_as_string(hide_password=False)}?target_session_attrs=any")
    assert reader.latest_calls(1) == []
    reader.close()
