"""Versions of flows in both databases: numbered, never changed, one of them live."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from ivr.core.call import Call
from ivr.store import WITHDRAWN, Draft, OtherLiveError, Store, open_store
from tests.store.payments import NOW


def draft(text: str, flow: str = "pay") -> Draft:
    return Draft(flow, f"digest of {flow} {text}", text, "{}")


@pytest.fixture
def other(url: str) -> Iterator[Store]:
    """The same database from another process's side."""
    store = open_store(url)
    yield store
    store.close()


def test_what_is_published_is_live_and_numbered_by_flow(store: Store):
    assert [store.publish_flow(draft(text), "ana", NOW).number for text in ("a", "b")] == [1, 2]
    assert store.publish_flow(draft("a", "give"), "ana", NOW).number == 1
    assert {name: live.number for name, live in store.live_versions().items()} == {"pay": 2, "give": 1}
    assert [(one.text, one.published_by, one.published_at) for one in store.flow_versions("pay")] == [
        ("a", "ana", NOW),
        ("b", "ana", NOW),
    ]


def test_publishing_the_same_again_changes_nothing(store: Store):
    store.publish_flow(draft("a"), "ana", NOW)
    before = store.live_versions()
    assert store.publish_flow(draft("a"), "ben", NOW).published_by == "ana"
    assert store.live_versions() == before


def test_publishing_an_older_version_makes_it_live_again_under_its_number(store: Store):
    for text in ("a", "b", "a"):
        store.publish_flow(draft(text), "ana", NOW)
    assert store.live_versions()["pay"].number == 1
    assert len(store.flow_versions("pay")) == 2


def test_processes_that_publish_at_once_number_without_a_gap(store: Store, other: Store):
    texts = [f"text {number}" for number in range(8)]
    with ThreadPoolExecutor(4) as pool:
        both = [(one, text) for text in texts for one in (store, other)]
        numbers = list(pool.map(lambda pair: pair[0].publish_flow(draft(pair[1]), "x", NOW).number, both))
    assert sorted(set(numbers)) == list(range(1, 9))
    assert [one.number for one in store.flow_versions("pay")] == list(range(1, 9))


def test_of_two_who_have_seen_the_same_version_live_one_alone_changes_it(store: Store, other: Store):
    for text in ("a", "b", "c"):
        store.publish_flow(draft(text), "ana", NOW)

    def change(number: int) -> str:
        try:
            if number == 4:
                other.publish_flow(draft("d"), "ben", NOW, 3)
            else:
                store.make_live("pay", number, 3)
        except OtherLiveError:
            return "refused"
        return str(number)

    with ThreadPoolExecutor(3) as pool:
        done = [one for one in pool.map(change, (1, 2, 4)) if one != "refused"]
    assert [int(one) for one in done] == [store.live_versions()["pay"].number]


def test_every_change_moves_the_turn_and_nothing_else_does(store: Store, other: Store):
    store.publish_flow(draft("a"), "ana", NOW)
    turns = [other.live_versions()["pay"].turn]
    store.publish_flow(draft("b"), "ana", NOW)
    turns.append(other.live_versions()["pay"].turn)
    store.move_calls("pay", [1])
    turns.append(other.live_versions()["pay"].turn)
    store.make_live("pay", WITHDRAWN)
    turns.append(other.live_versions()["pay"].turn)
    store.publish_flow(draft("b"), "ana", NOW)
    turns.append(other.live_versions()["pay"].turn)
    assert turns == sorted(set(turns))
    store.publish_flow(draft("b"), "ana", NOW)
    assert other.live_versions()["pay"].turn == turns[-1]


def test_the_version_before_is_the_one_that_was_live_before(store: Store):
    for text in ("a", "b", "c"):
        store.publish_flow(draft(text), "ana", NOW)
    store.make_live("pay", 1)
    before = store.version_before("pay")
    assert before is not None
    assert before.number == 3
    store.make_live("pay", WITHDRAWN)
    last = store.version_before("pay")
    assert last is not None
    assert last.number == 1


def test_a_first_version_has_none_before_it(store: Store):
    store.publish_flow(draft("a"), "ana", NOW)
    assert store.version_before("pay") is None


def test_a_version_that_is_not_there_cannot_be_made_live(store: Store):
    store.publish_flow(draft("a"), "ana", NOW)
    with pytest.raises(LookupError, match="no version 7 of pay"):
        store.make_live("pay", 7)
    assert store.live_versions()["pay"].number == 1


def test_calls_are_moved_to_the_live_version_and_never_away_from_it(store: Store):
    for text in ("a", "b", "c"):
        store.publish_flow(draft(text), "ana", NOW)
    store.move_calls("pay", [1, 2, 3])
    assert store.flow_moves() == {draft("a").digest: draft("c").digest, draft("b").digest: draft("c").digest}
    store.make_live("pay", 1)
    assert store.flow_moves() == {draft("b").digest: draft("c").digest}


def test_only_calls_that_go_on_are_counted(store: Store):
    for call, phase in (("CA1", "entry"), ("CA2", "over")):
        store.save_call(Call(call, "pay", "", "", "x", "en-US", phase=phase, flow_version="d"), 0, NOW)  # type: ignore[arg-type]
    store.save_call(Call("CA3", "give", "", "", "x", "en-US"), 0, NOW)
    assert [(call.id, call.flow_version) for call in store.open_calls("pay")] == [("CA1", "d")]
