"""A sealed field that is deleted is gone from the SQLite file and its write-ahead log, byte for byte."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from ivr.store import AttemptLimits, Limit, Status, Store, open_store
from tests.store.payments import FIELDS, NOW, begin, jwe_of, stage

REFERENCE = "CA1-1"


@pytest.fixture
def files(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def store(sqlite_url: str) -> Iterator[Store]:
    store = open_store(sqlite_url)
    yield store
    store.close()


def found(folder: Path) -> list[str]:
    """Which files hold a part of a sealed field: any eighth of it, as a page's end may have cut it."""
    parts = []
    for field in FIELDS:
        jwe = jwe_of(REFERENCE, field).encode()
        parts += [jwe[:60], jwe[-60:]]
    return sorted(file.name for file in folder.iterdir() if any(part in file.read_bytes() for part in parts))


def answer(store: Store, status: Status) -> None:
    begin(store)
    job = store.claim(NOW, 60)
    assert job is not None
    assert store.mark_sent(job)
    assert store.record(job, status, NOW)


@pytest.mark.parametrize("final", ["approved", "declined", "not_sent"])
def test_after_a_final_answer_no_byte_of_it_is_left(store: Store, files: Path, final: Status):
    stage(store, REFERENCE)
    assert found(files)
    answer(store, final)
    assert found(files) == []


def test_while_the_charge_is_unknown_it_is_kept(store: Store, files: Path):
    answer(store, "unknown")
    assert found(files)
    job = store.claim(NOW, 60)
    assert job is not None
    store.record(job, "reversed", NOW)
    assert found(files) == []


def test_the_search_finds_what_an_ordinary_delete_leaves(sqlite_url: str, files: Path):
    store = open_store(sqlite_url)
    stage(store, REFERENCE)
    store.wipe_log()
    assert found(files) == ["store.db"]
    with sqlite3.connect(files / "store.db") as ordinary:
        ordinary.execute("PRAGMA secure_delete = OFF")
        ordinary.execute("DELETE FROM sealed_field")
    assert found(files)
    store.close()


def test_a_cancelled_an_abandoned_and_a_refused_attempt_leave_nothing(store: Store, files: Path):
    stage(store, REFERENCE)
    store.forget_card(REFERENCE)
    assert found(files) == []
    stage(store, REFERENCE)
    assert store.drop_unsent_cards(NOW) == 0
    assert found(files)
    assert store.drop_unsent_cards(NOW.replace(hour=13)) == len(FIELDS)
    assert found(files) == []
    begin(store, REFERENCE, limits=AttemptLimits(per_caller=Limit(0, 60)))
    assert found(files) == []


def test_a_field_keyed_twice_leaves_neither(store: Store, files: Path):
    stage(store, REFERENCE)
    store.wipe_log()
    stage(store, REFERENCE)
    answer(store, "approved")
    assert found(files) == []


def test_what_a_process_left_in_the_log_as_it_died_is_wiped_by_the_next(store: Store, files: Path, sqlite_url: str):
    begin(store)
    job = store.claim(NOW, 60)
    assert job is not None
    store.mark_sent(job)
    store._database.drop_wal = lambda: False  # type: ignore[method-assign]  # as if it had died between the two
    store.record(job, "approved", NOW)
    assert found(files) == ["store.db-wal"]
    another = open_store(sqlite_url)
    another.wipe_log()
    assert found(files) == []
    another.close()
