"""Charges for several bills in one sum, to test with."""

from collections.abc import Mapping
from dataclasses import replace

from ivr.core.call import Payable
from ivr.core.money import Money
from ivr.core.one_sum import in_one_sum
from ivr.store import (
    Accepted,
    AlreadyBegun,
    AttemptLimits,
    BeingPaid,
    Due,
    DueChanged,
    FollowUp,
    Job,
    OverLimit,
    PaymentIntent,
    Status,
    Store,
    bills_of,
)
from tests.store.payments import NO_LIMITS, NOW, intent, stage

SOURCE = "billing.find_bill"
OWED = {"700101": 6420, "700102": 7185, "700103": 1800}
TOTAL = sum(OWED.values())


def sum_intent(reference: str = "CA1-1", owed: Mapping[str, int] = OWED, caller: str = "caller") -> PaymentIntent:
    payable = in_one_sum([Payable(SOURCE, key, Money(minor)) for key, minor in owed.items()])
    return replace(
        intent(reference, minor=payable.owed.minor, caller=caller),
        account=payable.key,
        payable_source=payable.source,
        payable_key=payable.key,
        of_due=payable.owed,
        bills=bills_of(reference, payable.parts),
    )


def begin_sum(
    store: Store,
    reference: str = "CA1-1",
    owed: Mapping[str, int] = OWED,
    *,
    caller: str = "caller",
    card: str = "card",
    limits: AttemptLimits = NO_LIMITS,
    due: Due = None,
) -> Accepted | AlreadyBegun | OverLimit | BeingPaid | DueChanged:
    stage(store, reference, card=card)
    return store.begin_payment(sum_intent(reference, owed, caller), limits, NOW, due)


def next_job(store: Store) -> Job:
    job = store.claim(NOW, 60)
    assert job is not None
    return job


def answer(store: Store, status: Status, *, tell_billing: bool = False) -> None:
    job = next_job(store)
    store.mark_sent(job)
    assert store.record(job, status, NOW, follow_up=FollowUp(tell_billing))
