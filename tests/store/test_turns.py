"""The turns of a call are kept while people may follow it up, and deleted once it has been over for long enough."""

from dataclasses import replace
from datetime import datetime, timedelta

from ivr.store import Store, TurnRecord
from tests.store.payments import NOW, a_call

WEEK = timedelta(days=7)


def a_call_with_turns(store: Store, call_id: str, at: datetime, *, over: bool = True) -> None:
    call = a_call(call_id)
    store.save_call(call, 0, at)
    if over:
        store.save_call(replace(call, phase="over", outcome="unpaid"), 1, at)
    for number in (1, 2):
        store.note_turn(TurnRecord(call_id, number, at, "call began", "account", "entry", ("welcome",), 3))


def kept(store: Store, *calls: str) -> list[int]:
    return [len(store.turns_of(call)) for call in calls]


def test_turns_of_calls_that_were_over_by_then_are_deleted_and_no_others(store: Store):
    a_call_with_turns(store, "CA1", NOW - 2 * WEEK)
    a_call_with_turns(store, "CA2", NOW - 2 * WEEK, over=False)
    a_call_with_turns(store, "CA3", NOW)
    assert store.drop_turns(NOW - WEEK) == 1
    assert kept(store, "CA1", "CA2", "CA3") == [0, 2, 2]
    assert store.drop_turns(NOW - WEEK) == 0
    assert store.load_call("CA1") is not None, "the call itself stays"


def test_a_call_that_ended_late_keeps_all_its_turns(store: Store):
    a_call_with_turns(store, "CA1", NOW - 2 * WEEK, over=False)
    store.save_call(replace(a_call(), phase="over", outcome="unpaid"), 1, NOW)
    assert store.drop_turns(NOW - WEEK) == 0
    assert kept(store, "CA1") == [2]


def test_turns_without_a_call_are_deleted_too(store: Store):
    store.note_turn(TurnRecord("CA9", 1, NOW - 2 * WEEK, "call began", "", "language", (), 3))
    assert store.drop_turns(NOW - WEEK) == 1
    assert kept(store, "CA9") == [0]


def test_no_more_calls_than_asked_for_at_once(store: Store):
    for number in range(5):
        a_call_with_turns(store, f"CA{number}", NOW - 2 * WEEK)
    assert [store.drop_turns(NOW - WEEK, limit=2) for _ in range(4)] == [2, 2, 1, 0]
