"""Guesses at a second answer are held back over calls and nodes, by caller and by account, for a while and never for ever."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from itertools import count

import pytest

from ivr.store import Guess, GuessLimits, GuessLock, Limit, Store
from ivr.testing.explore.model import ModelledStore
from tests.store.payments import NOW

LIMITS = GuessLimits(per_caller=Limit(3, 3600), per_account=Limit(5, 3600))
NUMBERS = count()


def guess(
    store: Store, caller: str, account: str = "700101", at: datetime = NOW, *, is_right: bool = False
) -> GuessLock | None:
    call = f"CA{next(NUMBERS)}"
    lock = store.begin_guess(Guess(f"{call} 1", call, account, caller), LIMITS, at)
    if lock is None and is_right:
        store.end_guess(f"{call} 1", at, is_right=True)
    return lock


def ask(store: Store, times: int, caller: str, account: str = "700101", at: datetime = NOW) -> list[GuessLock | None]:
    return [guess(store, caller, account, at) for _ in range(times)]


@pytest.fixture(params=["as it is", "as a model"])
def either(request: pytest.FixtureRequest, store: Store) -> Store:
    """The model that flows are explored with does the same."""
    return store if request.param == "as it is" else ModelledStore()


def test_a_caller_who_guesses_at_one_account_after_another_is_held_back_until_the_window_has_moved_on(either: Store):
    assert [guess(either, "ada", f"70010{number}") for number in range(4)] == [None, None, None, "caller_locked"]
    assert guess(either, "bob", "700100") is None
    assert ask(either, 5, "ada", at=NOW + timedelta(minutes=59)) == ["caller_locked"] * 5
    assert guess(either, "ada", at=NOW + timedelta(minutes=61)) is None, "trying meanwhile has made it no longer"


def test_an_account_is_held_back_whoever_calls_and_for_a_while(either: Store):
    assert ask(either, 3, "ada") + ask(either, 2, "bob") == [None] * 5
    assert guess(either, "eve") == "account_locked"
    assert guess(either, "eve", "700102") is None
    assert guess(either, "eve", at=NOW + timedelta(minutes=61)) is None


def test_who_was_right_before_is_not_locked_out_by_others_and_has_own_guesses_counted(either: Store):
    guess(either, "ada", is_right=True)
    later = NOW + timedelta(days=30)
    assert ask(either, 3, "bob", at=later) + ask(either, 2, "eve", at=later) == [None] * 5
    assert guess(either, "joe", at=later) == "account_locked"
    assert ask(either, 4, "ada", at=later) == [None, None, None, "caller_locked"], (
        "nor may who shows her number guess on"
    )


def test_one_number_cannot_lock_an_account_nor_can_all_that_are_withheld(either: Store):
    assert ask(either, 4, "eve") == [None, None, None, "caller_locked"]
    assert guess(either, "ada") is None
    other = "700102"
    assert ask(either, 4, "", other) == [None, None, None, "account_locked"]
    assert guess(either, "ada", other) is None
    assert guess(either, "", "700103") is None, "they are not one caller"


def test_what_was_not_looked_up_or_was_right_counts_as_no_guess(either: Store):
    for number in range(5):
        either.begin_guess(one := Guess(f"down {number}", "CA-down", "700101", "ada"), LIMITS, NOW)
        either.end_guess(one.id, NOW, is_right=False)
        assert guess(either, "ada", is_right=True) is None
    assert ask(either, 3, "ada") == [None] * 3


def test_a_look_up_that_is_asked_again_is_one_guess(either: Store):
    first, *others = (Guess(f"CA1 {number}", "CA1", "700101", "ada") for number in range(3))
    for one in (first, first, first, *others, *others):
        assert either.begin_guess(one, LIMITS, NOW) is None
    assert guess(either, "ada") == "caller_locked"


def test_guesses_at_once_by_several_nodes_are_all_counted(store: Store):
    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(lambda number: guess(store, "ada", f"7001{number:02}"), range(16)))
    assert (told.count(None), told.count("caller_locked")) == (3, 13)


def test_of_right_answers_one_a_caller_is_kept(store: Store):
    for _ in range(4):
        guess(store, "ada", is_right=True)
    with store._database.calls() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM guess").scalar() == 1


def test_an_operator_sees_them_and_lets_somebody_try_again(store: Store):
    ask(store, 3, "ada")
    ask(store, 2, "bob")
    seen = [(one.what, one.whom, one.count) for one in store.counted_guesses(NOW - timedelta(hours=1))]
    assert seen == [("guessing caller", "ada", 3), ("guessing caller", "bob", 2), ("guessed account", "700101", 5)]
    assert store.reset_guesses(Guess("", "", "", "ada")) == 3
    assert guess(store, "ada") is None
    assert store.reset_guesses(Guess("", "", "700101", "")) == 3
    assert ask(store, 3, "ada") == [None] * 3
    assert store.reset_guesses(None) == 3
