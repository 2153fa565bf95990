"""A PIN that guards a kept card is not tried out by ringing again: wrong ones count over calls, by caller and by account."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from ivr.channels.simulator import play
from ivr.store import Store
from tests.benches import ROOT, Bench, make_bench

WRONG = """
call card-on-file from {ani}
  keys   1
  keys   {account}
  keys   {pin}
  hears  not_found_pin
  hangs  up
  ends   unpaid
"""
RIGHT = """
call card-on-file from {ani}
  keys   1
  keys   700101
  keys   2468
  says   You owe 64 dollars
  hangs  up
  ends   unpaid
"""
LOCKED = """
call card-on-file from {ani}
  keys   1
  keys   {account}
  keys   {pin}
  hears  limit_guesses_per_{what}
  hears  you_were_not_charged
  ends   unpaid
  payment none
"""
EVE, BOB, ADA, WITHHELD = "+15550666", "+15550777", "+15550100", "anonymous"


@pytest.fixture
def bench(sealing_key: Path, store: Store) -> Bench:
    return make_bench(sealing_key, ROOT / "flows" / "card-on-file.yaml", store=store)


def wrong(bench: Bench, ani: str, times: int, account: str = "700101") -> None:
    for number in range(times):
        play(WRONG.format(ani=ani, account=account, pin=f"{1000 + number}"), bench.world())


def locked(bench: Bench, ani: str, what: str, pin: str = "2468", account: str = "700101") -> None:
    play(LOCKED.format(ani=ani, account=account, pin=pin, what=what), bench.world())


def test_a_caller_who_rings_again_to_guess_is_told_so_and_not_let_in_even_by_the_right_pin(bench: Bench):
    wrong(bench, EVE, 9)
    locked(bench, EVE, "caller")
    play(RIGHT.format(ani=ADA), bench.world())
    bench.workbench.clock.advance(timedelta(hours=24, seconds=1).total_seconds())
    play(RIGHT.format(ani=EVE), bench.world())


def test_accounts_that_do_not_exist_count_for_the_caller_as_well(bench: Bench):
    for number in range(9):
        wrong(bench, EVE, 1, f"7099{number:02}")
    locked(bench, EVE, "caller", account="700101")


def test_an_account_is_locked_for_strangers_and_never_for_who_was_right_before(bench: Bench):
    play(RIGHT.format(ani=ADA), bench.world())
    wrong(bench, EVE, 8)
    wrong(bench, BOB, 7)
    locked(bench, "+15550888", "account")
    play(RIGHT.format(ani=ADA), bench.world())


def test_callers_without_a_number_cannot_lock_out_those_with_one(bench: Bench):
    wrong(bench, WITHHELD, 9)
    locked(bench, WITHHELD, "account")
    play(RIGHT.format(ani=ADA), bench.world())


def test_no_answer_is_kept_with_the_counts_nor_in_a_call_that_was_held_back(bench: Bench, store: Store):
    wrong(bench, EVE, 9)
    locked(bench, EVE, "caller", pin="2468")
    with store._database.calls() as connection:
        rows = connection.execute(text("SELECT account, ani_hash FROM guess")).all()
        calls = str(connection.execute(text("SELECT * FROM call")).all())
    assert len(rows) == 9
    assert {len(one) for row in rows for one in row} == {64}, "keyed hashes"
    assert '"2468"' not in calls
    assert '"700101"' not in calls
