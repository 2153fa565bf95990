"""PostgreSQL takes no more connections for a while: nothing is lost, what is said is true, and the log says what to raise."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from ivr.calls import session as session_module
from ivr.errors import ConfigError
from ivr.logs import FULL
from ivr.store import migrate, open_store
from ivr.store.database import MOST_MONEY_CONNECTIONS, most_money
from tests.bank_process import BankKeys, bank_keys
from tests.outages.sites import OURS, site
from tests.outages.test_read_only import ReadOnly
from tests.outages.trouble import sweep
from tests.store.databases import SERVER

__all__ = ["bank_keys"]


@pytest.fixture
def full(bank_keys: BankKeys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ReadOnly]:
    """A role of the test's own, whose limit stands for the server's: that of a superuser says nothing."""
    monkeypatch.setattr(session_module, "PAUSES_S", (0, 0))
    try:
        server = psycopg.connect(SERVER, autocommit=True)
    except psycopg.OperationalError as error:
        pytest.skip(f"no PostgreSQL to test against: {str(error).splitlines()[0]}")
    name = f"tonetill_test_{uuid4().hex[:12]}"
    with server:
        server.execute(f"CREATE ROLE {name} LOGIN")
        server.execute(f"CREATE DATABASE {name} OWNER {name}")
        url = f"postgresql+psycopg://{name}@{server.info.host}:{server.info.port}/{name}"

        def begin() -> None:
            server.execute(f"ALTER ROLE {name} CONNECTION LIMIT 0")
            server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))

        def end() -> None:
            server.execute(f"ALTER ROLE {name} CONNECTION LIMIT -1")

        try:
            migrate(url)
            with site(url, *OURS, bank_keys, tmp_path) as made:
                yield ReadOnly(made, begin, end, FULL)
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")
            server.execute(f"DROP ROLE {name}")


def test_from_any_webhook_on_no_charge_is_lost_and_the_log_says_what_to_raise(
    full: ReadOnly, capfd: pytest.CaptureFixture[str]
):
    calls, charged = sweep(full.site.world, 3, full.begin, full.end)
    assert calls > 9
    assert charged
    assert full.named in capfd.readouterr().err


def test_a_process_that_is_started_then_says_what_to_raise(full: ReadOnly):
    url = full.site.world.store._database._money.url.render_as_string(hide_password=False)
    full.begin()
    for start in (open_store, migrate):
        with pytest.raises(ConfigError, match=r"too many clients: raise max_connections \(docs/scaling\.md"):
            start(url)


def test_a_process_holds_no_more_connections_for_money_than_it_may(full: ReadOnly):
    money = full.site.world.store._database._money
    assert money.pool.size() == most_money(100) == MOST_MONEY_CONNECTIONS  # type: ignore[attr-defined]
    assert most_money(9) == 9
