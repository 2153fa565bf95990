"""Double entry: the books balance after every transaction, and say what the charges, the bills and the banks say."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.core.call import OPEN, OPEN_PARTS
from ivr.store import memory_store, reservation_state
from tests.store.lives import SOURCE, Lives, lived


def trial_balance(lives: Lives) -> Counter[str]:
    found: Counter[str] = Counter()
    for one in lives.store.account_balances():
        found[one.debit.currency] += one.minor
    return found


def total(lives: Lives, kind: str) -> int:
    return sum(one.minor for one in lives.store.account_balances() if one.kind == kind)


def owed_by_banks(lives: Lives) -> Counter[str]:
    return Counter({bank: sum(one.minor for one in owed) for bank, owed in lives.store.owed_by_banks().items()})


def held_beside(lives: Lives, key: str) -> int:
    """What is held for a bill and has not lowered it: parts that are not decided, and the fees of reserved amounts."""
    found = 0
    for one in lives.payments():
        if one.intent.payable_key != key or one.status != "approved":
            continue
        if one.part in (*OPEN_PARTS, "undoing"):
            found += one.intent.amount.minor
        story = lives.store.entries(one.intent.reference)
        if one.intent.captures_later and reservation_state(story) in ("reserved", "capture_asked"):
            found += one.intent.amount.minor - one.intent.credited.minor
    return found


def assert_books_are_true(lives: Lives) -> None:
    payments = lives.payments()
    assert set(trial_balance(lives).values()) <= {0}
    asked = {one.intent.reference: (one.asked or one.intent.amount).minor for one in payments}
    unknown = sum(asked[one.intent.reference] for one in payments if one.status == "unknown")
    unanswered = sum(asked[one.intent.reference] for one in payments if one.status in OPEN) - unknown
    assert total(lives, "suspense") == unknown
    assert total(lives, "in_flight") == unanswered
    assert +owed_by_banks(lives) == +lives.owed
    for key, at_first in lives.due.items():
        bill = lives.store.find_bill(key)
        assert bill is not None
        accounts = lives.store.paid_on_bill(SOURCE, key)
        lowered_by = sum(one.paid.minor + one.held.minor for one in accounts) - held_beside(lives, key)
        assert at_first - bill.due.minor == lowered_by, key
    assert list(lives.store.book_faults()) == []


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32))
def test_whatever_happens_to_charges_the_books_are_true(seed: int):
    lives = lived(memory_store(), seed, 60)
    assert_books_are_true(lives)
