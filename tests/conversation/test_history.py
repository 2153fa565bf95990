"""What is kept of the amounts that a caller keys in: those they agreed to pay, and of others their size."""

import pytest

from ivr.conversation.history import is_whole
from tests.benches import Bench


def history(bench: Bench, *entries: str) -> str:
    line = bench.dial("pay-a-bill", "+15550100123")
    line.begin()
    for keys in ("1", "12345678#", "2", *entries):
        line.press(keys)
    line.hang_up()
    stored = bench.workbench.store.load_call(line.call_id)
    assert stored is not None
    assert is_whole(stored.call.history)
    return ", ".join(stored.call.history)


@pytest.mark.parametrize("entries", [(), ("2075#",), ("2075#", "1")], ids=" ".join)
def test_no_answer_is_left_in_the_record_of_a_caller_who_hung_up(bench: Bench, entries: tuple[str, ...]):
    history(bench, *entries)
    (call,) = bench.workbench.store.ended_calls("pay-a-bill", 2)
    assert not {"account_number", "money"} & call.values.keys()
    assert call.payable is not None


def test_an_amount_that_was_confirmed_is_kept(bench: Bench):
    assert "keys 2075#" in history(bench, "2075#", "1")


@pytest.mark.parametrize("after", [(), ("2",), ("9",), ("9118625#",), ("2", "3011#", "1")], ids=" ".join)
def test_an_amount_that_was_only_read_back_may_be_a_part_of_a_card_number(bench: Bench, after: tuple[str, ...]):
    kept = history(bench, "2075#", *after)
    assert "keys 2000#" in kept
    assert "2075" not in kept
    assert ("keys 3011#" in kept) == ("3011#" in after)
