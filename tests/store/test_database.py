"""Connections: kept by their threads, given back when a thread ends, replaced when they break."""

import gc
import threading
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from sqlalchemy import event

from ivr.store import DatabaseError, Store, open_store
from ivr.store.database import CONNECTIONS, Shared, Straight
from tests.patience import PATIENCE_S
from tests.store.payments import NOW, a_call, begin
from tests.web.servers import until


def test_threads_that_come_and_go_leave_their_connections_to_the_next(store: Store):
    store.save_call(a_call(), 0, NOW)
    gc.disable()  # a connection must not wait for the collector
    try:
        for _ in range(5):
            with ThreadPoolExecutor(CONNECTIONS // 2) as pool:
                barrier = threading.Barrier(CONNECTIONS // 2, timeout=PATIENCE_S)

                def load(_: int, barrier: threading.Barrier = barrier) -> object:
                    barrier.wait()
                    return store.load_call("CA1") and store.latest_calls(1)

                assert all(pool.map(load, range(CONNECTIONS // 2)))
    finally:
        gc.enable()


NEVER_S, AT_ONCE_S = 3600.0, -1.0


def asks_after(monkeypatch: pytest.MonkeyPatch, idle_s: float) -> None:
    for module in ("database", "liveness"):
        monkeypatch.setattr(f"ivr.store.{module}.IDLE_S", idle_s)


def hears_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """As of a server whose machine has gone: no end of the stream ever comes."""
    for module in ("database", "liveness"):
        monkeypatch.setattr(f"ivr.store.{module}.has_word", lambda _driver: False)


def used(url: str) -> Store:
    """With a connection for calls and one for money."""
    store = open_store(url)
    store.save_call(a_call(), 0, NOW)
    begin(store)
    return store


def drop_every_connection(url: str) -> None:
    ours = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as other:
        other.execute(f"SELECT pg_terminate_backend(pid) {ours}")
        until(lambda: other.execute(f"SELECT count(*) {ours}").fetchone() == (0,))


def test_after_a_server_has_gone_without_a_word_only_the_statement_that_notices_fails(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
):
    asks_after(monkeypatch, NEVER_S)
    hears_nothing(monkeypatch)
    store = used(postgresql_url)
    drop_every_connection(postgresql_url)
    for work in (lambda: store.load_call("CA1"), lambda: store.claim(NOW, 60)):
        with pytest.raises((DatabaseError, psycopg.Error)):
            work()
        assert work() is not None
    store.close()


def test_nothing_fails_after_the_server_has_dropped_every_connection(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
):
    """A forwarder's worker that noticed by its first statement would leave its job to the end of the lease."""
    asks_after(monkeypatch, NEVER_S)
    store = used(postgresql_url)
    drop_every_connection(postgresql_url)
    assert store.load_call("CA1") is not None
    assert store.claim(NOW, 60) is not None
    store.close()


def test_a_connection_that_was_idle_is_asked_though_nothing_has_come_on_it(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
):
    asks_after(monkeypatch, AT_ONCE_S)
    hears_nothing(monkeypatch)
    store = used(postgresql_url)
    drop_every_connection(postgresql_url)
    assert store.load_call("CA1") is not None
    assert store.claim(NOW, 60) is not None
    store.close()


def test_a_transaction_costs_no_question_whether_its_connection_is_alive(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
):
    asks_after(monkeypatch, NEVER_S)
    store, asked = used(postgresql_url), []
    monkeypatch.setattr(store._database._money.dialect, "do_ping", asked.append)
    begin(store, "CA2-1")
    assert asked == []
    store.close()


def test_work_that_many_ask_for_at_once_is_done_once_or_twice_and_for_all():
    """Whoever asked before it began is served by it; who asked later is not."""
    begun, may_end, runs = threading.Event(), threading.Event(), []

    def work() -> bool:
        runs.append(1)
        begun.set()
        return may_end.wait(30)

    shared = Shared(work)
    with ThreadPoolExecutor(9) as pool:
        first = pool.submit(shared)
        assert begun.wait(30)
        others = [pool.submit(shared) for _ in range(8)]
        while shared._asked < 9:
            pass
        may_end.set()
        assert first.result()
        assert all(other.result() for other in others)
    assert len(runs) == 2


ADDED = Straight("INSERT INTO bank_number (bank, number) VALUES (:bank, :number)")


def numbers(store: Store) -> list[tuple[object, ...]]:
    return [tuple(row) for row in store._database.run("SELECT bank, number FROM bank_number", ()).fetchall()]


def add_and_break(store: Store) -> None:
    with store._database.money() as connection:
        assert ADDED.run(connection, {"bank": "b", "number": 1}).rowcount == 1
        raise OSError("a fault of ours")


def add_twice(store: Store) -> None:
    with store._database.money() as connection:
        for _ in range(2):
            ADDED.run(connection, {"bank": "b", "number": 1})


def test_a_statement_straight_to_the_driver_ends_with_its_transaction(store: Store):
    with pytest.raises(OSError, match="a fault of ours"):
        add_and_break(store)
    assert numbers(store) == []
    with store._database.money() as connection:
        ADDED.run(connection, {"bank": "b", "number": 2})
    assert numbers(store) == [("b", 2)]


def test_what_the_driver_refuses_is_the_librarys_error_and_the_next_transaction_is_none_the_worse(store: Store):
    with pytest.raises(DatabaseError) as refused:
        add_twice(store)
    assert refused.value.hide_parameters
    assert numbers(store) == []
    with store._database.money() as connection:
        ADDED.run(connection, {"bank": "b", "number": 2})
    assert numbers(store) == [("b", 2)]


def test_who_listens_to_statements_hears_of_those_straight_to_the_driver_too(store: Store):
    heard: list[str] = []
    with store._database.money() as connection:
        event.listen(connection, "before_cursor_execute", lambda *about: heard.append(about[2]))
        ADDED.run(connection, {"bank": "b", "number": 1})
    assert len(heard) == 1
    assert numbers(store) == [("b", 1)]
