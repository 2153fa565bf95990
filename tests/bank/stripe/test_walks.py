"""Callers who wait, hang up or ring again, at localstripe behind a door that breaks its answers in every way, judged by localstripe's list.

With keys that are not kept the same walk fails, also for money that is only held.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from ivr.testing.quiet import quiet
from tests.bank.stripe.running import DECLINED_PAN, STATUSES, RunningStripe
from tests.bank.stripe.test_ledger import broken_keys
from tests.bank.walk_table import BOOKED_LATE, CALLERS, PATIENT, cells, time_limit
from tests.bank.walks import Walked, build, judge, since, walk

CLOSED_AFTER, LATE, REFUSED = 1367, 1361, 1305


@contextmanager
def walked_at(stripe: RunningStripe, read_timeout: str = PATIENT) -> Iterator[Walked]:
    before = booked_in(stripe, "captured") | booked_in(stripe, "authorized")
    with quiet(), stripe.bank(read_timeout=read_timeout) as bank:
        yield Walked(
            build(bank, stripe.keys.keys / "forwarder-sealing.crt", "forwarder"),
            lambda: since(before, booked_in(stripe, "captured")),
            lambda: since(before, booked_in(stripe, "authorized")),
            arrive=lambda: stripe.ask("/_arrive", "POST"),
        )


def booked_in(stripe: RunningStripe, status: str) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for one in stripe.intents():
        if STATUSES.get(one["status"]) == status:
            found.setdefault(one["metadata"].get("tonetill_reference", "none of ours"), []).append(one["amount"])
    return found


@pytest.mark.parametrize(("fault", "amount"), cells("stripe"))
def test_whatever_stripe_and_the_caller_do_nothing_is_charged_twice_or_lost(
    fault: str, amount: int, stripe_process: RunningStripe
):
    """localstripe declines by the card."""
    with walked_at(stripe_process, time_limit(fault)) as walked:
        arrived = walk(walked, amount, DECLINED_PAN if amount == REFUSED else "")
        ended = judge(walked)
    assert sum(ended.values()) >= len(CALLERS)
    assert (arrived >= len(CALLERS)) == (fault == BOOKED_LATE)


@pytest.mark.parametrize("amount", [CLOSED_AFTER, LATE])
def test_with_the_promise_of_keys_broken_the_same_walk_finds_two_holds(amount: int, stripe_process: RunningStripe):
    read_timeout = time_limit(BOOKED_LATE) if amount == LATE else PATIENT
    with broken_keys(stripe_process), walked_at(stripe_process, read_timeout) as walked:
        walk(walked, amount)
        with pytest.raises(AssertionError):
            judge(walked)
