"""What callers agreed to is kept word for word, once, and its notice is done with the acknowledgement."""

from dataclasses import replace

import pytest
from sqlalchemy.exc import IntegrityError

from ivr.core.money import Money
from ivr.store import Agreement, Store
from ivr.store.outbox import NOTICES, Which
from tests.store.payments import NOW

PROMISE = Agreement(
    reference="CA1-promise-0a1b2c3d",
    kind="promise",
    subject="promise",
    merchant="demo-merchant",
    call="CA1",
    flow="payment-plan",
    flow_version="f" * 64,
    account="12345678",
    amount=Money(4250),
    wording="You promise to pay 42 dollars and 50 cents by January 15, 2026.",
    language="en-US",
    key="1",
    at=NOW,
    terms={"by": "2026-01-15"},
)


def test_it_comes_back_as_it_was_kept(store: Store):
    assert store.record_agreement(PROMISE)
    assert store.agreements_of("CA1") == [PROMISE] == store.latest_agreements(10)
    assert store.agreement(PROMISE.reference) == PROMISE
    assert store.outbox_depth().get("agreement", 0) == 0


def test_a_repeated_key_is_one_agreement(store: Store):
    assert store.record_agreement(PROMISE, tell_billing=True)
    assert not store.record_agreement(replace(PROMISE, wording="other words"), tell_billing=True)
    assert [one.wording for one in store.agreements_of("CA1")] == [PROMISE.wording]
    assert store.outbox_depth()["agreement"] == 1


def test_one_that_cannot_be_kept_is_no_repeated_one(store: Store):
    with pytest.raises(IntegrityError):
        store.record_agreement(replace(PROMISE, subject=None))  # type: ignore[arg-type]
    assert store.agreements_of("CA1") == []


def test_the_latest_come_first_and_can_be_of_one_kind(store: Store):
    plan = replace(PROMISE, reference="CA2-plan-00000000", kind="plan", call="CA2", at=NOW.replace(year=2027))
    store.record_agreement(PROMISE)
    store.record_agreement(plan)
    assert [one.kind for one in store.latest_agreements(10)] == ["plan", "promise"]
    assert store.latest_agreements(10, "promise") == [PROMISE]


def test_an_acknowledged_one_is_not_told_again(store: Store):
    store.record_agreement(PROMISE, tell_billing=True)
    (job,) = store.claim_jobs(NOW, 60.0, 10, Which(NOTICES))
    assert store.acknowledge_agreement(job, NOW)
    assert not store.acknowledge_agreement(job, NOW)
    assert store.agreements_of("CA1")[0].acknowledged_at == NOW
    assert store.outbox_depth().get("agreement", 0) == 0
