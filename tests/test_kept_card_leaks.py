"""What stands for a card at its bank is where it belongs, and in no log, response, notice, call or other table."""

from pathlib import Path

import pytest
from sqlalchemy import inspect, text

from ivr.channels.simulator import play
from ivr.logs import set_up_logging
from ivr.places import SHIPPED
from ivr.store import open_store
from tests.benches import make_bench
from tests.store.databases import make_empty

CALLS = Path(__file__).parent / "calls"


@pytest.mark.parametrize("name", ["kept-and-used", "expired", "forgotten"])
def test_a_kept_card_is_nowhere_else(name: str, sealing_key: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    url = f"sqlite:///{tmp_path}/kept.db"
    make_empty(url)
    store = open_store(url, tells=["payment.approved", "call.ended", "bill.paid"])
    bench = make_bench(sealing_key, SHIPPED / "flows" / "card-on-file.yaml", store=store)
    set_up_logging("debug", "json")
    play((CALLS / f"card-on-file-{name}.txt").read_text(encoding="utf-8"), bench.world())
    tokens = [f"tok-{reference}" for reference, request in bench.bank.seen.items() if request.keep_card]
    assert len(tokens) == 1
    bench.workbench.work()
    with store._database.calls() as connection:
        tables = inspect(connection).get_table_names()
        holding = {
            table
            for table in tables
            for row in connection.execute(text(f'SELECT * FROM "{table}"'))
            if any(token in str(tuple(row)) for token in tokens)
        }
    assert holding == (set() if name == "forgotten" else {"kept_card"})
    logged = "".join(capfd.readouterr())
    assert len(logged) > 100
    assert not [token for token in tokens if token in logged]
    assert not [token for token in tokens if token in repr(bench.bank.seen)]
    store.close()
