"""Where nobody can say what is due: "not charged" is true for good, or the charge that another delivery has begun is waited for."""

from typing import Any

import pytest

from ivr.calls.billing import BillingDown
from ivr.calls.charging import authorize
from ivr.calls.payments import Payments
from ivr.core.actions import Authorize
from ivr.core.call import Payable
from ivr.core.events import ChargeRefused
from ivr.core.money import Money
from ivr.store import AlreadyBegun, NoCard, Store, memory_store
from tests.store.payments import ACCOUNT, NO_LIMITS, NOW, a_call, begin, intent, stage

PAYABLE = Payable("billing.find_bill", ACCOUNT, Money(4250))
ACTION = Authorize("acme_bank", "CA1-1", Money(4250), ACCOUNT, payable=PAYABLE)


class Down:
    """A billing system that cannot be reached."""

    def due_now(self, source: str, key: str, asker: str) -> Any:
        raise BillingDown("away")


def authorized(store: Store) -> object:
    payments = Payments(store, {}, "demo-merchant", b"key", lambda phrase: phrase.name)
    return authorize(payments, Down(), a_call(attempt=1), None, ACTION, NOW)  # type: ignore[arg-type]


def test_a_charge_that_is_refused_can_be_begun_by_nobody_any_more():
    store = memory_store()
    stage(store, "CA1-1")
    assert authorized(store) == ChargeRefused(NOW, "not_reached")
    with pytest.raises(NoCard):
        store.begin_payment(intent("CA1-1"), NO_LIMITS, NOW)


def test_one_that_another_delivery_has_begun_is_waited_for():
    store = memory_store()
    begin(store)
    assert authorized(store) is None
    assert store.begin_payment(intent("CA1-1"), NO_LIMITS, NOW) == AlreadyBegun()
