"""The audit trail: added to, never changed, and a change is found."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import create_engine, text

from ivr.store import AuditFilter, BrokenEvent, DatabaseError, Store
from tests.store.payments import NOW


def test_events_are_kept_in_order_and_the_chain_is_whole(store: Store):
    assert store.broken_audit_event() is None
    for what in ("signed in", "changed the flow", "signed out"):
        store.note("owner", what, "pay-a-bill", NOW)
    assert [event.what for event in store.audit_events(2)] == ["signed out", "changed the flow"]
    assert store.audit_events(1)[0].at == NOW
    assert store.broken_audit_event() is None


def test_events_noted_at_once_make_one_chain(store: Store):
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda n: store.note(f"node {n}", "started", "", NOW), range(18)))
    assert sorted(event.id for event in store.audit_events(99)) == list(range(1, 19))
    assert store.broken_audit_event() is None


def test_the_database_itself_refuses_to_change_an_event(store: Store, url: str):
    store.note("owner", "signed in", "", NOW)
    engine = create_engine(url)
    for change in ("UPDATE audit_event SET who = 'nobody'", "DELETE FROM audit_event"):
        with pytest.raises(DatabaseError, match="never changed"), engine.begin() as connection:
            connection.execute(text(change))
    engine.dispose()


@pytest.mark.parametrize(
    ("change", "how"),
    [("UPDATE audit_event SET who = 'x' WHERE id = 2", "changed"), ("DELETE FROM audit_event WHERE id = 2", "missing")],
)
def test_a_change_behind_the_databases_back_is_found(sqlite_url: str, change: str, how: str):
    from ivr.store import open_store

    store = open_store(sqlite_url)
    for who in ("one", "two", "three"):
        store.note(who, "started", "", NOW)
    before = store.audit_head()
    engine = create_engine(sqlite_url)
    with engine.begin() as connection:
        connection.execute(text("DROP TRIGGER audit_refuses_update"))
        connection.execute(text("DROP TRIGGER audit_refuses_delete"))
        connection.execute(text(change))
    engine.dispose()
    assert store.broken_audit_event() == BrokenEvent(2, how)
    assert store.audit_head() == before  # the end is as it was: only the chain tells
    store.close()


def test_events_are_found_by_who_what_and_time(store: Store):
    store.note("owner", "refund asked", "CA1-1-m1 10.00 USD", NOW)
    store.note("clerk", "flow published", "pay-a-bill 2", NOW + timedelta(days=1))
    found = {
        "who": store.audit_events(9, AuditFilter(who="clerk")),
        "what": store.audit_events(9, AuditFilter(what="publish")),
        "about": store.audit_events(9, AuditFilter(about="pay-a")),
        "since": store.audit_events(9, AuditFilter(since=NOW + timedelta(hours=1))),
    }
    assert {name: [event.id for event in events] for name, events in found.items()} == {name: [2] for name in found}
    assert [event.id for event in store.audit_events(9, AuditFilter(until=NOW + timedelta(hours=1)))] == [1]


def test_any_number_of_events_can_be_asked_for(store: Store):
    store.note("ada", "refund asked", "CA1-1", NOW)
    assert list(store.audit_digests(range(1, 70_000))) == [1]
