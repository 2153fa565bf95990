"""What is kept of a caller from one call to the next: in the database it is sealed, and without the database calls go on."""

from pathlib import Path
from typing import Any, NoReturn

import pytest
from sqlalchemy import inspect, text

from ivr.channels.simulator import play
from ivr.core.remembered import Remembered
from ivr.logs import set_up_logging
from ivr.places import SHIPPED
from ivr.store import Agreement, Store, open_store
from ivr.testing.replay import can_replay, ended_as, replay
from tests.benches import Bench, load_flow, make_bench
from tests.store.databases import NUMBERS, make_empty

FLOW = SHIPPED / "flows" / "returning.yaml"
CALLER = "+15550100"
AGREES = f"""
call returning from {CALLER}
  keys   2
  keys   700101
  keys   2468
  keys   2
  keys   1000
  keys   1
  keys   4111111111111111#
  keys   1230
  keys   123
  keys   94105
  keys   1
  bank   approves
  keys   #
  keys   1
  ends   paid
  agreed remember
"""


@pytest.fixture
def store(tmp_path: Path) -> Store:
    url = f"sqlite:///{tmp_path}/remembered.db"
    make_empty(url)
    return open_store(url, numbers=NUMBERS)


@pytest.fixture
def bench(sealing_key: Path, store: Store) -> Bench:
    return make_bench(sealing_key, FLOW, store=store)


def kept(bench: Bench) -> Remembered | None:
    store = bench.workbench.store
    who = bench.workbench.runner.payments.ani_hash(CALLER)
    return store.recall(who, "returning", bench.workbench.clock())


def begins_with(bench: Bench) -> list[str]:
    line = bench.dial("returning", CALLER)
    names: list[str] = []
    line.words = lambda phrase: names.append(phrase.name) or phrase.name  # type: ignore[func-returns-value]
    line.begin()
    return names


def test_language_and_account_are_kept_and_stand_nowhere_else_than_the_call_and_the_charge_have_them(
    bench: Bench, store: Store, capfd: pytest.CaptureFixture[str]
):
    set_up_logging("debug", "json")
    play(AGREES, bench.world())
    assert kept(bench) == Remembered("es-MX", "700101")
    with store._database.calls() as connection:
        tables: dict[str, list[Any]] = {
            table: [str(tuple(row)) for row in connection.execute(text(f'SELECT * FROM "{table}"'))]
            for table in inspect(connection).get_table_names()
        }
    assert len(tables["remembered_caller"]) == 1
    assert "700101" not in tables["remembered_caller"][0]
    assert "es-MX" not in tables["remembered_caller"][0]
    assert not [table for table, rows in tables.items() if any("15550100" in row for row in rows)]
    assert [row for row in tables["agreement"] if "700101" in row] == []
    logged = "".join(capfd.readouterr())
    assert len(logged) > 100
    assert "700101" not in logged


def test_the_consent_is_on_record_word_for_word_and_the_row_names_it(bench: Bench, store: Store):
    play(AGREES, bench.world())
    (agreed,) = store.latest_agreements(9, "remember")
    assert agreed.wording.startswith("¿Podemos recordar su idioma, y su cuenta que termina en 1, 0, 1")
    assert (agreed.language, agreed.key, agreed.flow, agreed.account) == ("es-MX", "1", "returning", "")
    assert agreed.what == "remember"
    with store._database.calls() as connection:
        assert connection.execute(text("SELECT consent FROM remembered_caller")).scalars().all() == [agreed.reference]


def test_the_billing_system_is_not_told_that_a_caller_is_remembered(
    sealing_key: Path, store: Store, monkeypatch: pytest.MonkeyPatch
):
    bench = make_bench(sealing_key, FLOW, store=store)
    object.__setattr__(bench.workbench.runner.payments, "tells_billing", True)
    record, told = store.record_agreement, list[bool]()

    def noted(agreement: Agreement, *, tell_billing: bool = False) -> bool:
        told.append(tell_billing)
        return record(agreement, tell_billing=tell_billing)

    monkeypatch.setattr(store, "record_agreement", noted)
    play(AGREES, bench.world())
    assert told == [False]


def test_where_the_consent_cannot_be_recorded_nothing_is_kept(
    bench: Bench, store: Store, monkeypatch: pytest.MonkeyPatch
):
    def fail(*_: object, **__: object) -> NoReturn:
        raise OSError("the disk is full")

    monkeypatch.setattr(store, "record_agreement", fail)
    play(AGREES.replace("  agreed remember\n", "  hears  apology\n"), bench.world())
    assert kept(bench) is None


def test_where_nothing_can_be_read_the_call_begins_as_anybodys(
    bench: Bench, store: Store, monkeypatch: pytest.MonkeyPatch
):
    play(AGREES, bench.world())
    assert "welcome_back" in begins_with(bench)

    def fail(*_: object) -> NoReturn:
        raise OSError("no such table")

    monkeypatch.setattr(store, "recall", fail)
    assert set(begins_with(bench)) == {"choose_language"}


def test_a_flow_that_asks_nobody_reads_nothing_of_anybody(
    sealing_key: Path, store: Store, monkeypatch: pytest.MonkeyPatch
):
    def fail(*_: object) -> NoReturn:
        raise AssertionError("read")

    monkeypatch.setattr(store, "recall", fail)
    bench = make_bench(sealing_key, SHIPPED / "flows" / "card-on-file.yaml", store=store)
    line = bench.dial("card-on-file", CALLER)
    assert line.begin().state == "keys"


def test_what_the_flow_does_not_keep_any_more_is_not_used(
    bench: Bench, sealing_key: Path, tmp_path: Path, store: Store
):
    play(AGREES, bench.world())
    folder = tmp_path / "flows"
    (folder / "prompts").mkdir(parents=True)
    for file in (SHIPPED / "flows" / "prompts").glob("*.yaml"):
        (folder / "prompts" / file.name).write_bytes(file.read_bytes())
    changed = FLOW.read_text(encoding="utf-8").replace("keeps: [language, account]", "keeps: [account]")
    (folder / FLOW.name).write_text(changed, encoding="utf-8")
    assert set(begins_with(make_bench(sealing_key, folder / FLOW.name, store=store))) == {"choose_language"}


def test_one_that_was_remembered_is_replayed_and_its_history_has_no_digit_of_the_account(bench: Bench, store: Store):
    play(AGREES, bench.world())
    taken = AGREES.replace("  keys   2\n  keys   700101\n", "  keys   1\n", 1)
    play(taken, bench.world())
    flow = load_flow(FLOW)[0]
    ended = list(store.ended_calls("returning", 9))
    (again,) = [call for call in ended if any("remembered" in entry for entry in call.history)]
    assert "0 remembered es-MX 6" in again.history
    assert "700101" not in " ".join(again.history)
    assert can_replay(flow, again)
    assert ended_as(replay(flow, again)) == ended_as(again)
