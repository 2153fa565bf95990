"""Alerts and tokens on both databases: whoever looks at once, one alert is raised, and a token's request is remembered once."""

from datetime import timedelta

from ivr.core.call import ChargeStatus
from ivr.store import AlertReceivers, FoundAlert, RememberedAnswer, Store
from ivr.store.alert_figures import BinCards
from tests.store.payments import NOW, begin, stage
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


def answered(store: Store, reference: str, status: ChargeStatus, **of_card: str) -> None:
    begin(store, reference, **of_card)
    job = store.claim(NOW, 60)
    assert job is not None
    assert job.reference == reference
    store.mark_sent(job)
    assert store.record(job, status, NOW)


def test_cards_of_a_bin_are_counted_once_each_by_how_they_ended(store: Store):
    ended: list[tuple[str, str, ChargeStatus]] = [
        ("one", "a", "declined"),
        ("one", "a", "declined"),
        ("one", "b", "declined"),
        ("one", "c", "declined"),
        ("one", "c", "approved"),
        ("one", "d", "approved"),
        ("one", "e", "not_sent"),
        ("two", "f", "declined"),
        ("", "g", "declined"),
    ]
    for number, (bin_tag, card, status) in enumerate(ended):
        answered(store, f"CA{number}-1", status, card=card, bin_tag=bin_tag)
    assert store.declined_bins(NOW, 2, 50) == [BinCards("one", 2, 4, "CA2-1")]
    assert store.declined_bins(NOW, 2, 51) == []
    assert store.declined_bins(NOW, 3, 1) == []
    assert sorted(found.tag for found in store.declined_bins(NOW, 1, 1)) == ["one", "two"]
    assert store.declined_bins(NOW + timedelta(seconds=1), 1, 1) == []


def test_a_card_number_that_is_keyed_in_again_leaves_the_tag_of_the_last_one(store: Store):
    stage(store, "CA0-1", card="first", bin_tag="one")
    answered(store, "CA0-1", "declined", card="second", bin_tag="two")
    assert [found.tag for found in store.declined_bins(NOW, 1, 1)] == ["two"]


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
