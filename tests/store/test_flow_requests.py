"""Drafts and four eyes of flows on both databases: one request of a flow waits at a time, and one person decides it."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

from ivr.store import Draft, SavedDraft, Store, WantedFlow
from tests.store.payments import NOW

DRAFT = Draft("pay-a-bill", "d" * 64, "flow: pay-a-bill", "{}", "{}")
WANTED = WantedFlow("publication", "pay-a-bill", 3, "ada", draft=DRAFT)


def test_a_draft_is_one_authors_of_one_flow_and_the_latest_counts(store: Store):
    first = SavedDraft("pay-a-bill", "ada", "{}", 3, NOW)
    store.save_flow_draft(first)
    store.save_flow_draft(replace(first, author="bob", files='{"b": 1}'))
    later = replace(first, files='{"a": 2}', saved_at=NOW + timedelta(hours=1))
    store.save_flow_draft(later)
    assert store.flow_draft("pay-a-bill", "ada") == later
    store.drop_flow_draft("pay-a-bill", "ada")
    assert store.flow_draft("pay-a-bill", "ada") is None
    assert store.flow_draft("pay-a-bill", "bob") is not None
    assert store.flow_draft("donate", "bob") is None


def test_one_change_of_a_flow_waits_at_a_time_whoever_asks_at_once(store: Store):
    with ThreadPoolExecutor(6) as pool:
        asked = list(pool.map(lambda key: store.ask_second_author(f"F{key}", WANTED, NOW), range(6)))
    assert asked.count(True) == 1
    assert store.ask_second_author("F9", WantedFlow("rollback", "donate", 2, "ada", 1), NOW)
    assert [one.wanted.told for one in store.waiting_flow_requests()] == [
        "publication of pay-a-bill",
        "rollback of donate to version 1",
    ]


def test_a_request_is_allowed_once_by_another_and_taken_back_by_its_author(store: Store):
    store.ask_second_author("F1", WANTED, NOW)
    assert store.decide_flow_request("F1", "ada", NOW, allows=True) is None
    decided = store.decide_flow_request("F1", "bob", NOW, allows=True)
    assert decided is not None
    assert (decided.wanted, decided.status, decided.decided_by) == (WANTED, "allowed", "bob")
    assert store.decide_flow_request("F1", "eve", NOW, allows=False) is None
    store.ask_second_author("F2", WANTED, NOW)
    taken_back = store.decide_flow_request("F2", "ada", NOW, allows=False)
    assert taken_back is not None
    assert taken_back.status == "refused"
    assert [one.what for one in store.audit_events(9)] == [
        "second author refused",
        "second author asked",
        "second author allowed",
        "second author asked",
    ]
