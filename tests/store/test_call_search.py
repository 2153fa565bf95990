"""Calls are found by day, flow, outcome and the end of the caller's number; those that go on are known; prompts are timed."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine, create_engine, text

from ivr.core.call import Call, Charge
from ivr.core.money import Money
from ivr.store import CallFilter, Store, TurnRecord
from tests.store.payments import NOW
from tests.store.test_migration_0014 import bring

DAY = datetime(2026, 1, 15, tzinfo=UTC)
WHOLE_DAY = CallFilter(DAY, DAY + timedelta(days=1))
MINUTE = timedelta(minutes=1)


def a_call(number: int, flow: str = "pay-a-bill", ani: str = "+15550100") -> Call:
    return Call(f"CA{number}", flow, ani, "+15550199", "twilio", "en-US", step="account")


def add(store: Store, call: Call, at: datetime, ending: str = "") -> None:
    """Begun then; over a minute later, where it has an ending."""
    store.save_call(call, 0, at)
    if ending:
        store.save_call(replace(call, phase="over", outcome=ending), 1, at + MINUTE)  # type: ignore[arg-type]


@pytest.fixture
def filled(store: Store) -> Store:
    add(store, a_call(1), NOW, "paid")
    add(store, a_call(2, ani="+15550777"), NOW + MINUTE, "unpaid")
    add(store, a_call(3, flow="parking"), NOW + 2 * MINUTE, "unpaid")
    add(store, a_call(4), NOW + 3 * MINUTE)
    add(store, a_call(5), NOW + timedelta(days=1), "paid")
    return store


def found(store: Store, wanted: CallFilter, limit: int = 9) -> list[str]:
    return [one.id for one in store.find_calls(wanted, limit)]


def test_calls_of_a_day_are_found_the_latest_first(filled: Store):
    assert found(filled, WHOLE_DAY) == ["CA4", "CA3", "CA2", "CA1"]


@pytest.mark.parametrize(
    ("wanted", "ids"),
    [
        (replace(WHOLE_DAY, flow="parking"), ["CA3"]),
        (replace(WHOLE_DAY, outcome="unpaid"), ["CA3", "CA2"]),
        (replace(WHOLE_DAY, outcome="paid"), ["CA1"]),
        (replace(WHOLE_DAY, caller_end="777"), ["CA2"]),
        (replace(WHOLE_DAY, caller_end="100", outcome="unpaid"), ["CA3"]),
        (replace(WHOLE_DAY, caller_end="999"), []),
    ],
)
def test_each_thing_that_is_asked_for_counts(filled: Store, wanted: CallFilter, ids: list[str]):
    assert found(filled, wanted) == ids


def test_pages_follow_each_other_without_a_gap_also_where_calls_began_at_once(store: Store):
    for number in range(7):
        add(store, a_call(number), NOW, "paid")
    seen, older = [], None
    while page := store.find_calls(replace(WHOLE_DAY, older_than=older), 3):
        seen += [one.id for one in page]
        older = int(page[-1].started_at.timestamp() * 1000), page[-1].id
    assert seen == [f"CA{number}" for number in reversed(range(7))]


def test_an_ending_that_is_known_later_is_found_by_it(store: Store):
    call = replace(a_call(1), charges=(Charge(1, Money(4250), "unknown"),), phase="over", outcome="pending")
    store.save_call(call, 0, NOW)
    stored = store.load_call("CA1")
    assert stored is not None
    store.settle_call(stored, replace(call, outcome="paid"))
    assert found(store, replace(WHOLE_DAY, outcome="paid")) == ["CA1"]


def test_calls_that_go_on_are_known_the_longest_first(filled: Store):
    add(filled, a_call(6), NOW + 9 * MINUTE)
    live = filled.live_calls(9)
    assert [(one.call.id, one.call.step) for one in live] == [("CA4", "account"), ("CA6", "account")]
    assert [one.call.id for one in filled.live_calls(1)] == ["CA4"]
    assert filled.count_open_calls() == 2


def turn(call: str, number: int, after_s: float, step: str, *said: str) -> TurnRecord:
    return TurnRecord(call, number, NOW + timedelta(seconds=after_s), "keys", step, "entry", said, 5)


def test_how_long_callers_take_at_each_prompt_is_summed_from_turn_to_turn(store: Store):
    for call in ("CA1", "CA2"):
        add(store, a_call(int(call[-1])), NOW, "paid")
        store.note_turn(turn(call, 1, 0, "account", "welcome", "enter_account_number"))
        store.note_turn(turn(call, 2, 4, "account", "not_found_account", "enter_account_number"))
        store.note_turn(turn(call, 3, 10, "receipt", "goodbye"))
    add(store, a_call(3, flow="parking"), NOW, "paid")
    store.note_turn(turn("CA3", 1, 0, "account", "welcome"))
    store.note_turn(turn("CA3", 2, 60, "account", "welcome"))
    times = store.prompt_times("pay-a-bill", DAY, DAY + timedelta(days=1))
    assert sorted((one.said, one.next_said, one.times, one.total_ms) for one in times) == [
        ("not_found_account enter_account_number", "goodbye", 2, 12_000),
        ("welcome enter_account_number", "not_found_account enter_account_number", 2, 8_000),
    ]
    assert not store.prompt_times("pay-a-bill", DAY + timedelta(days=1), DAY + timedelta(days=2))


# ---- calls from before


OLD = (
    "INSERT INTO call (id, version, state, answer, flow, is_over, started_at, updated_at) "
    "VALUES (:id, 1, :state, '', 'pay-a-bill', :is_over, 1, 1)"
)


@pytest.fixture(params=["sqlite", "postgresql"])
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    name = "migration_0028"
    if request.param == "sqlite":
        engine = create_engine(f"sqlite:///{tmp_path / 'old.db'}")
    else:
        url = str(request.getfixturevalue("postgresql"))
        if not url.startswith("postgresql"):
            pytest.skip(url)
        with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute(f"DROP SCHEMA IF EXISTS {name} CASCADE")
            connection.execute(f"CREATE SCHEMA {name}")
        engine = create_engine(f"{url}?options=-csearch_path%3D{name}")
    bring(engine, "0027")
    yield engine
    if request.param == "postgresql":
        with engine.begin() as one:
            one.execute(text(f"DROP SCHEMA {name} CASCADE"))
    engine.dispose()


def test_calls_from_before_are_noted_and_what_cannot_be_read_stops_nothing(old: Engine):
    rows = [
        {"id": "CA1", "state": '{"ani": "+15550123", "outcome": "paid"}', "is_over": True},
        {"id": "CA2", "state": '{"ani": "anonymous", "outcome": null}', "is_over": False},
        {"id": "CA3", "state": "not json", "is_over": True},
        {"id": "CA4", "state": '{"ani": "+15550999", "outcome": "something of another version"}', "is_over": True},
        {"id": "CA5", "state": '["a list"]', "is_over": True},
    ]
    with old.begin() as connection:
        connection.execute(text(OLD), rows)
    bring(old, "0028")
    with old.begin() as connection:
        noted = connection.execute(text("SELECT id, outcome, caller_end FROM call ORDER BY id")).all()
    assert [tuple(one) for one in noted] == [
        ("CA1", "paid", "123"),
        ("CA2", None, ""),
        ("CA3", None, ""),
        ("CA4", None, "999"),
        ("CA5", None, ""),
    ]
    bring(old, "0027", down=True)
