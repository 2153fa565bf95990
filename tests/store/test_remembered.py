"""What callers agreed to have remembered: sealed, a row for each number and flow, and forgotten when it is time or they say so."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from ivr.core.remembered import Remembered, end_of
from ivr.store import NumberSeals, Store, open_store
from ivr.store.remembered import row_id
from tests.store.databases import NUMBER_KEY, NUMBERS, empty_sqlite, postgresql, postgresql_url, sqlite_url, url
from tests.store.payments import NOW

__all__ = ["empty_sqlite", "postgresql", "postgresql_url", "sqlite_url", "url"]
CALLER, OTHER = NUMBERS.hash("+15557013998"), NUMBERS.hash("+15550100222")
FLOW, ACCOUNT = "returning", "90718264"
SPANISH = Remembered("es-MX", ACCOUNT)
NEW_KEY = bytes(range(1, 33))


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    store = open_store(url, numbers=NUMBERS)
    yield store
    store.close()


def keep(store: Store, what: Remembered = SPANISH, caller: str = CALLER, flow: str = FLOW, days: int = 0) -> None:
    store.remember_caller(caller, flow, what, "CA1-remember-0a1b2c3d", NOW + timedelta(days=days))


def rows(url: str) -> str:
    engine = create_engine(url)
    with engine.connect() as connection:
        found = repr(connection.execute(text("SELECT * FROM remembered_caller")).all())
    engine.dispose()
    return found


def test_what_was_kept_last_is_recalled_for_this_number_in_this_flow_alone(store: Store):
    keep(store)
    keep(store, Remembered("en-US"))
    assert store.recall(CALLER, FLOW, NOW) == Remembered("en-US")
    keep(store)
    assert store.recall(CALLER, FLOW, NOW) == SPANISH
    assert store.recall(OTHER, FLOW, NOW) is None
    assert store.recall(CALLER, "another-flow", NOW) is None


def test_a_row_has_neither_language_nor_account_nor_number_in_clear(store: Store, url: str):
    keep(store)
    found = rows(url)
    assert "sealed:" in found
    for clear in (ACCOUNT, "es-MX", "7013998"):
        assert clear not in found


def test_what_was_copied_to_another_callers_row_opens_for_nobody(store: Store, url: str):
    keep(store)
    keep(store, Remembered("en-US"), OTHER)
    engine = create_engine(url)
    with engine.begin() as connection:
        mine = {"mine": row_id(CALLER, FLOW), "theirs": row_id(OTHER, FLOW)}
        copied = "UPDATE remembered_caller SET kept = (SELECT kept FROM remembered_caller WHERE id = :mine) WHERE id = :theirs"
        connection.execute(text(copied), mine)
    engine.dispose()
    assert store.recall(OTHER, FLOW, NOW) is None


def test_it_is_forgotten_in_one_flow_and_stays_in_others(store: Store):
    keep(store)
    keep(store, flow="another-flow")
    assert store.forget_caller(CALLER, FLOW)
    assert not store.forget_caller(CALLER, FLOW)
    assert store.recall(CALLER, FLOW, NOW) is None
    assert store.recall(CALLER, "another-flow", NOW) == SPANISH


def test_it_goes_when_nobody_has_rung_for_long_enough_and_each_call_counts_anew(store: Store):
    keep(store)
    keep(store, caller=OTHER)
    assert store.recall(CALLER, FLOW, NOW + timedelta(days=300)) == SPANISH
    before = NOW + timedelta(days=35)
    assert store.kept_so_far("remembered", before).due == 1
    assert store.drop_old("remembered", before) == 1
    assert store.recall(OTHER, FLOW, NOW) is None
    assert store.recall(CALLER, FLOW, NOW) == SPANISH


def test_a_change_of_the_numbers_key_seals_it_anew_and_it_reads_as_before(url: str):
    old = open_store(url, numbers=NUMBERS)
    keep(old)
    old.close()
    both = NumberSeals([NEW_KEY, NUMBER_KEY], bytes(32))
    store = open_store(url, numbers=both)
    assert store.seal_numbers(renew=True) == 1
    assert store.seal_numbers(renew=True) == 0
    assert f"sealed:{both.sealing}:" in rows(url)
    assert [(one.id, one.rows) for one in store.number_keys()] == [(NUMBERS.sealing, 0), (both.sealing, 1)]
    store.close()
    store = open_store(url, numbers=both)
    assert store.recall(CALLER, FLOW, NOW) == SPANISH
    store.close()


def test_sealed_with_a_key_that_is_lost_it_is_as_if_nothing_had_been_kept(url: str):
    old = open_store(url, numbers=NUMBERS)
    keep(old)
    old.drop_number_key(NUMBERS.sealing)
    old.close()
    store = open_store(url, numbers=NumberSeals([NEW_KEY], bytes(32)))
    assert store.recall(CALLER, FLOW, NOW) is None
    keep(store)
    assert store.recall(CALLER, FLOW, NOW) == SPANISH
    store.close()


def test_of_what_is_forgotten_no_byte_is_left_in_a_file_of_sqlite(sqlite_url: str, tmp_path: Path):
    store = open_store(sqlite_url, numbers=NUMBERS)
    keep(store)
    (kept,) = [part.strip("'") for part in rows(sqlite_url).split(", ") if "sealed:" in part]
    assert any(kept.encode() in file.read_bytes() for file in tmp_path.iterdir())
    store.forget_caller(CALLER, FLOW)
    assert not any(kept.encode() in file.read_bytes() for file in tmp_path.iterdir())
    store.close()


def test_the_account_stands_in_no_repr():
    assert ACCOUNT not in repr(SPANISH)


@pytest.mark.parametrize(("account", "said"), [("12345678", "678"), ("123456", "456"), ("1234", "34"), ("7", "7")])
def test_of_an_account_no_more_than_half_is_said(account: str, said: str):
    assert end_of(account) == said
