"""A billing of the product over a merchant's endpoint, with patience enough for a busy machine."""

from collections.abc import Iterator

import pytest

from ivr.calls.billing import HttpBilling
from ivr.calls.billing_endpoint import Access, BillingEndpoint
from ivr.calls.look_ups import LookUps
from ivr.core.actions import LookUp
from ivr.core.events import CallStarted, LookedUp, LookUpFailed
from ivr.store import DueNow, memory_store
from tests.billing_endpoints import BillingServer, billing_server
from tests.store.payments import NOW

SOURCE, ACCOUNT = "billing.find_bill", "12345678"
AT = CallStarted(NOW)
LONG = 60.0  # a busy machine must not make a slow answer of a quick one
SHORT = 0.3  # where running out of time is what is tested


@pytest.fixture
def server() -> Iterator[BillingServer]:
    with billing_server() as server:
        yield server


def billing_at(
    url: str, *, limit_s: float = LONG, moment_s: float = LONG, waiters: int = 64, left_alone_s: float = LONG
) -> HttpBilling:
    endpoint = BillingEndpoint(Access(url, token="letmein", limit_s=limit_s), left_alone_s=left_alone_s)
    return HttpBilling(endpoint, memory_store(), LookUps(moment_s, waiters))


def look_up(billing: HttpBilling, account: str = ACCOUNT, asker: str = "call 1") -> LookedUp | LookUpFailed | None:
    return billing.look_up(LookUp(SOURCE, account), AT, asker)


def due_now(billing: HttpBilling, account: str = ACCOUNT, asker: str = "CA1-1") -> DueNow:
    """Asked again until it is answered, as for a caller on hold."""
    while (due := billing.due_now(SOURCE, account, asker)) is None:
        pass
    return due
