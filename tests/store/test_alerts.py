"""Alerts and tokens on both databases: whoever looks at once, one alert is raised, and a token's request is remembered once."""

from datetime import timedelta

from ivr.store import AlertReceivers, FoundAlert, RememberedAnswer, Store
from tests.store.payments import NOW, begin
from tests.store.test_portal_rows import at_once, invite

DISK = FoundAlert("disk", "node-1", "4.0 % of the disk is free")
OVER = timedelta(minutes=15)
OPS = AlertReceivers(("ops@example.com",), "Example Water")


def test_machines_that_look_at_once_raise_one_alert_and_end_it_once(store: Store):
    raised = at_once(lambda: len(store.note_alerts("", [DISK], OVER, OPS, NOW)))
    assert sum(raised) == 1  # type: ignore[arg-type]
    late = NOW + OVER
    assert sum(at_once(lambda: len(store.note_alerts("", [], OVER, OPS, late)))) == 1  # type: ignore[arg-type]
    (found,) = store.alerts(9, also_over=True)
    assert (found.since, found.ended_at) == (NOW, late)
    assert store.alerts(9) == []


def test_the_same_thing_later_is_another_alert(store: Store):
    store.note_alerts("", [DISK], OVER, OPS, NOW)
    store.note_alerts("", [], OVER, OPS, NOW + OVER)
    store.note_alerts("", [DISK], OVER, OPS, NOW + 2 * OVER)
    assert [one.ended_at is None for one in store.alerts(9, also_over=True)] == [True, False]
    assert store.text_message("alert-2-raised-1") is not None


def test_figures_are_counted_by_bank_and_by_place(store: Store):
    for number in range(4):
        begin(store, f"CA{number}-1", caller="one", card=f"card {number % 2}", line="pay +1", now=NOW)
    (found,) = store.bank_figures(NOW, NOW + timedelta(seconds=1)).values()
    assert (found.open, found.answered) == (4, 0)
    assert store.bank_figures(NOW - OVER, NOW) == {}
    assert store.unknown_charges() == 0
    assert store.declined_cards("caller", NOW, 1) == []


def test_a_request_under_a_key_is_remembered_once(store: Store):
    invite(store)
    asked = [RememberedAnswer(f"request {number}", "42.50 USD") for number in range(6)]
    numbers = iter(range(6))
    kept = at_once(lambda: store.remember_request("ada", "key", asked[next(numbers)], NOW).request_digest)
    assert len(set(kept)) == 1
    store.remember_answer("ada", "key", 202, "{}")
    store.remember_answer("ada", "key", 409, "no")
    found = store.remember_request("ada", "key", asked[0], NOW)
    assert (found.status, found.body) == (202, "{}")
    later = NOW + timedelta(days=31)
    assert store.remember_request("ada", "key", asked[3], later) == asked[3]
