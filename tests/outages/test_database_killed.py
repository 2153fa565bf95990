"""PostgreSQL is killed -9 under load and started again; web and forwarder go on by themselves, and the books agree."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.postgresql_pair import INSTALL, is_installed, reachable_folder, server
from tests.bank_process import BankKeys, bank_keys
from tests.outages.product import Callers, product, settle, verdicts
from tests.web.servers import until

__all__ = ["bank_keys"]
WHILE_AWAY = 25  # webhooks that are answered while there is no database
pytestmark = pytest.mark.skipif(not is_installed(), reason=f"no PostgreSQL of our own to kill: {INSTALL}")


@pytest.fixture
def folder() -> Iterator[Path]:
    with reachable_folder() as made:
        yield made


@pytest.mark.parametrize(
    ("kills", "calls"), [(1, 4), pytest.param(5, 40, marks=pytest.mark.long)], ids=["once", "often"]
)
def test_killed_under_load_no_charge_is_lost_or_doubled_and_both_processes_go_on(
    kills: int, calls: int, folder: Path, tmp_path: Path, bank_keys: BankKeys
):
    # Half a minute: a database, two processes and a dozen calls of real time.
    with server(folder) as database, product(tmp_path, bank_keys, database.url, web_workers="1") as running:
        workers, callers = running.workers(), Callers(running, at_once=4)
        with callers.ringing():
            for _ in range(kills):
                before = len(callers.over)
                until(lambda before=before: len(callers.over) >= before + calls)
                database.kill()
                asked = len(callers.statuses)
                until(lambda asked=asked: len(callers.statuses) >= asked + WHILE_AWAY)
                assert running.get("/healthz").status_code == 200
                assert running.get("/readyz").status_code == 503
                database.start()
            after = len(callers.over)
            until(lambda: len(callers.over) >= after + calls)
        settle(running, callers)
        assert verdicts(running, callers) == []
        assert set(callers.statuses) == {200}
        assert "approved" in [one.status for one in running.store.payments_of(callers.over[-1].call)]
        checked = running.command("books", "check")
        assert checked.returncode == 0, checked.stdout + checked.stderr
        assert running.web.poll() is running.forwarder.poll() is None
        assert running.workers() == workers
