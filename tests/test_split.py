"""A bill paid with several cards: whatever order things happen in, all of it is charged or nothing, and the caller knows which."""

import random
from itertools import product

import pytest

from ivr.testing.explore.depth import Depth
from tests.splits import (
    APPROVES,
    CANNOT_SAY,
    CARDS,
    CHARGED_SILENTLY,
    DECLINES,
    LOST,
    RandomPayer,
    SplitCaller,
    split_bench,
)

DUE = 9000
# What becomes of a card for a part of the bill, or for all that is left where the bank has less.
PART, LESS = "approves", "approves 12.34"
ENDS = ("takes back", "hangs up", "hangs up on hold", "pays the rest")


def payments(depth: Depth, count: int, seed: int) -> RandomPayer:
    payer = RandomPayer(split_bench(depth), random.Random(seed))
    for number in range(count):
        wrong = payer.pay()
        assert not wrong, f"payment {number} of seed {seed}: {wrong}"
    return payer


@pytest.mark.parametrize("cards", [0, 1, 2])
def test_all_is_charged_or_nothing_in_every_order_of_answers(cards: int):
    """Cards before the last: a part, less than asked for, declined, lost, charged without a word. Then one of four ends."""
    bench = split_bench("quick")
    for number, (*fates, end) in enumerate(product(*[(PART, LESS, DECLINES, LOST, CHARGED_SILENTLY)] * cards, ENDS)):
        caller = SplitCaller(bench, f"{40_000_000 + number}", DUE)
        for card, fate in zip(CARDS, fates, strict=False):
            caller.key_in(card, None if fate == LESS else 2000).consent(fate).wait()
        finish(caller, end)
        assert caller.wrong() == [], (fates, end)
        bench.workbench.clock.advance(3 * 24 * 3600)


def finish(caller: SplitCaller, end: str) -> None:
    match end:
        case "takes back":
            caller.take_back()
        case "hangs up":
            caller.hang_up()
        case "hangs up on hold":
            caller.key_in(CARDS[3]).consent(CANNOT_SAY).hang_up()
        case "pays a part":
            caller.key_in(CARDS[3], 1500).consent(APPROVES).wait()
        case "pays the rest":
            caller.key_in(CARDS[3]).consent(APPROVES).wait()


WHEN = ("at the menu", "at the consent", "at the bank")


@pytest.mark.parametrize("parts", [1, 2])
def test_no_more_is_charged_than_is_due_whenever_somebody_else_lowers_the_bill(parts: int):
    """To more than the parts come to, to just that, to less, and to nothing; then one of three ends."""
    bench = split_bench("quick")
    held = 2000 * parts
    ways = product(
        WHEN, (held + 1500, held, held - 500, 0), (PART, DECLINES), ("hangs up", "pays the rest", "pays a part")
    )
    for number, (when, due, fate, end) in enumerate(ways):
        caller = SplitCaller(bench, f"{50_000_000 + number}", DUE)
        for card in CARDS[:parts]:
            caller.key_in(card, 2000).consent(APPROVES).wait()
        lower(caller, when, due, fate)
        finish(caller, end)
        assert caller.wrong() == [], (when, due, fate, end)
        if (when, due) == ("at the consent", held):
            assert sum(money.minor for money in caller.charged.values()) == due, (fate, end)
        bench.workbench.clock.advance(3 * 24 * 3600)


def lower(caller: SplitCaller, when: str, due: int, fate: str) -> None:
    """Somebody else pays, at one of three moments of a further part."""
    if when == "at the menu":
        caller.owe(due)
        return
    caller.key_in(CARDS[2], 1500)
    if when == "at the consent":
        caller.owe(due).consent(fate).wait()
    else:
        caller.consent(fate).owe(due).wait()


def test_random_payments_are_true_and_come_to_every_end():
    payer = payments("quick", 200, seed=1)
    assert min(payer.endings[ending] for ending in ("paid", "unpaid", "pending", "pending, hung up")) >= 3
    assert min(payer.cards[cards] for cards in (1, 2, 3, 4)) >= 5


def test_random_payments_are_true_through_database_and_vault():
    payments("whole", 12, seed=2)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(100, 110))
def test_ten_thousand_random_payments_are_true(seed: int):
    payments("quick", 1000, seed)


@pytest.mark.long
def test_a_thousand_random_payments_are_true_through_database_and_vault():
    payments("whole", 1000, seed=200)
