"""Several bills that are paid in one sum: one charge for their total, which names them together where there is one field for it."""

from collections.abc import Sequence

from ivr.core.call import Payable
from ivr.core.money import Money

SOURCE = "billing.find_bills"
LONGEST_NAME = 32  # of what the bank and receipts call them together, as of one bill's key


def in_one_sum(bills: Sequence[Payable]) -> Payable:
    """Two bills at least, in one currency."""
    total = Money(sum(bill.owed.minor for bill in bills), bills[0].owed.currency)
    return Payable(SOURCE, named_together([bill.key for bill in bills]), total, tuple(bills))


def named_together(keys: Sequence[str]) -> str:
    """All keys where there is room for them; else as many words as there is room for, none of them cut."""
    first, more = keys[0], len(keys) - 1
    names = (", ".join(keys), f"{first} and {more} more", f"{first} +{more}")
    return next((name for name in names if len(name) <= LONGEST_NAME), f"{len(keys)} bills")
