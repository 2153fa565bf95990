"""Calls are read and written once a webhook, and only one of two writers wins."""

from dataclasses import replace
from datetime import timedelta

import pytest

from ivr.core.line_quality import LineQuality
from ivr.core.money import Money
from ivr.store import StaleCall, Store
from tests.store.payments import NOW, a_call, begin


def test_a_call_comes_back_as_it_was_saved(store: Store):
    call = a_call(values={"bill.due": Money(4250), "account_number": "12345678"}, step="amount", slow=True)
    store.save_call(call, 0, NOW, answer="<Response/>")
    stored = store.load_call("CA1")
    assert stored is not None
    assert (stored.call, stored.version, stored.answer) == (call, 1, "<Response/>")


def test_an_unknown_call_is_none(store: Store):
    assert store.load_call("CA9") is None


def test_who_saves_second_is_told_and_changes_nothing(store: Store):
    store.save_call(a_call(), 0, NOW, answer="one")
    store.save_call(a_call(step="amount"), 1, NOW, answer="two")
    with pytest.raises(StaleCall):
        store.save_call(a_call(step="card"), 1, NOW, answer="three")
    stored = store.load_call("CA1")
    assert stored is not None
    assert (stored.call.step, stored.version, stored.answer) == ("amount", 2, "two")


def test_a_call_begins_once(store: Store):
    store.save_call(a_call(), 0, NOW, answer="first")
    with pytest.raises(StaleCall):
        store.save_call(a_call(step="amount"), 0, NOW, answer="second")
    stored = store.load_call("CA1")
    assert stored is not None
    assert stored.answer == "first"


def test_a_refused_save_leaves_the_thread_able_to_go_on(store: Store):
    store.save_call(a_call(), 0, NOW)
    for _ in range(3):
        with pytest.raises(StaleCall):
            store.save_call(a_call(), 0, NOW)
    store.save_call(a_call(step="amount"), 1, NOW)
    store.save_call(a_call("CA2"), 0, NOW)
    assert [record.id for record in store.latest_calls(9)] in (["CA1", "CA2"], ["CA2", "CA1"])


def test_the_latest_calls_come_first_with_the_last_payments_status_and_a_masked_number(store: Store):
    store.save_call(a_call("CA1"), 0, NOW)
    store.save_call(a_call("CA2"), 0, NOW + timedelta(minutes=1))
    begin(store, "CA1-1", minor=1000)
    begin(store, "CA1-2", minor=2000, now=NOW + timedelta(seconds=30))
    newer, older = store.latest_calls(9)
    assert (newer.id, newer.payment) == ("CA2", None)
    assert (older.payment, older.amount_minor, older.currency) == ("accepted", 2000, "USD")
    assert older.caller == "...0100"
    assert [record.id for record in store.latest_calls(1)] == ["CA2"]


def test_calls_that_nobody_ended_are_found(store: Store):
    store.save_call(a_call("CA1"), 0, NOW)
    store.save_call(a_call("CA2", phase="over", outcome="unpaid"), 0, NOW)
    store.save_call(a_call("CA3"), 0, NOW)
    call = a_call("CA3")
    store.save_call(replace(call, step="amount"), 1, NOW + timedelta(hours=2))
    assert store.idle_calls(NOW + timedelta(hours=1)) == ["CA1"]


def test_how_a_line_was_is_kept_beside_the_call_which_goes_on_as_if_nothing_was_written(store: Store):
    store.save_call(a_call(), 0, NOW, answer="one")
    store.note_line("CA1", LineQuality(250, 0))
    store.note_line("CA1", LineQuality(900, 100))
    store.note_line("CA9", LineQuality(1, 1))
    store.save_call(a_call(step="amount"), 1, NOW, answer="two")
    (record,), (live,) = store.latest_calls(5), store.live_calls(5)
    assert record.line == live.line == LineQuality(900, 100)
    assert record.call.step == "amount"


def test_of_a_call_whose_audio_another_carries_no_quality_is_known(store: Store):
    store.save_call(a_call(), 0, NOW)
    assert [store.latest_calls(1)[0].line, store.live_calls(1)[0].line] == [None, None]
