"""Parts of one bill, as several cards of one call pay it."""

from dataclasses import replace
from typing import Literal

from ivr.core.actions import SplitPart
from ivr.core.call import Charge
from ivr.core.money import Money
from ivr.store import (
    Accepted,
    BankWord,
    FollowUp,
    Job,
    ModificationState,
    ModificationWord,
    Payment,
    Status,
    Store,
    Which,
)
from tests.store.payments import ACCOUNT, NO_LIMITS, NOW, a_call, intent, stage

DUE = 4250
Policy = Literal["take_back", "keep"]


def begin_part(
    store: Store,
    attempt: int,
    minor: int,
    policy: Policy = "take_back",
    first: str = "CA1-1",
    currency: str = "USD",
) -> object:
    part = SplitPart(first, Money(DUE, currency), policy, takes_part=True)
    reference = f"CA1-{attempt}"
    stage(store, reference, card=f"card {attempt}")
    wanted = replace(intent(reference, pays=ACCOUNT), amount=Money(minor, currency), part=part)
    return store.begin_payment(wanted, NO_LIMITS, NOW)


def next_job(store: Store, kind: str) -> Job:
    job = next(job for job in store.claim_jobs(NOW, 60, 9, Which("bank:acme_bank")) if job.kind == kind)
    assert job.kind == kind
    return job


def sent(store: Store) -> Job:
    job = next_job(store, "authorize")
    assert store.mark_sent(job)
    return job


def say(store: Store, job: Job, status: Status, approved: int | None = None) -> None:
    word = BankWord("482913", "00", approved=Money(approved) if approved else None)
    assert store.record(job, status, NOW, word, FollowUp(capture=True))


def pay_part(
    store: Store,
    attempt: int,
    minor: int,
    policy: Policy = "take_back",
    approved: int | None = None,
    currency: str = "USD",
) -> None:
    assert begin_part(store, attempt, minor, policy, currency=currency) == Accepted()
    say(store, sent(store), "approved", approved)


def end_call(store: Store, *attempts: int, policy: Policy = "take_back") -> None:
    charges = tuple(Charge(attempt, Money(DUE), "approved", part=policy, told=True) for attempt in attempts)
    store.save_call(replace(a_call("CA1"), phase="over", outcome="pending", charges=charges), 1, NOW)


def found(store: Store, attempt: int) -> Payment:
    payment = store.payment(f"CA1-{attempt}")
    assert payment is not None
    return payment


def void_ends(store: Store, status: ModificationState, *, refunds: bool = False) -> None:
    job = next_job(store, "modification")
    assert store.mark_modification_sent(job)
    assert store.end_modification(job, status, ModificationWord(), NOW, refunds=refunds)
