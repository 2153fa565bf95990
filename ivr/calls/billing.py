"""Where bills come from: the embedded table, or an HTTP endpoint of the merchant's. Both answer with the same events."""

import ipaddress
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Protocol
from urllib.parse import urlsplit

import structlog

from ivr.calls.billing_answer import BillingDown, UnreadableBill
from ivr.calls.billing_endpoint import Access, BillingEndpoint
from ivr.calls.look_ups import LookUps, TooManyLookUps
from ivr.core.events import Event, LookedUp, LookUpFailed
from ivr.core.money import Money
from ivr.errors import ConfigError
from ivr.settings import Settings
from ivr.store import Bill, DueNow, Store

__all__ = ["Billing", "BillingDown", "Bills", "HttpBilling", "access_of", "billing_of"]
log = structlog.get_logger()
MOMENT_S = 0.3  # most endpoints have answered by then, and the caller hears no pause
TOO_MANY = "too many look-ups are waiting for it"
Answered = LookedUp | LookUpFailed


class Billing(Protocol):
    """`asker` names one look-up of one call, or one attempt of it: asked again under the same name, it is the same question."""

    def look_up(self, source: str, key: str, event: Event, asker: str = "") -> Answered | None:
        """None while the answer is awaited: ask again."""
        ...

    def due_now(self, source: str, key: str, asker: str) -> "DueNow | InOurTable | None":
        """Read again, for a charge that is about to begin; None while the answer is awaited: ask again.

        As the billing system says it: the charge's transaction takes off what it may not have counted. BillingDown where
        it cannot be said, or the account is not known any more: then nothing may be charged.
        """
        ...


@dataclass(frozen=True)
class InOurTable:
    """What is due is a row of our own database, which a charge reads and lowers in its own transactions."""


class Bills:
    """The embedded table, seeded from `config/accounts.csv`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def look_up(self, source: str, key: str, event: Event, asker: str = "") -> LookedUp:
        return _as_event(self._store.find_bill(key), event)

    def due_now(self, source: str, key: str, asker: str) -> InOurTable:
        return InOurTable()


class HttpBilling:
    """What has been paid and not yet been acknowledged by the endpoint is no longer due, whatever it says."""

    def __init__(
        self,
        endpoint: BillingEndpoint,
        store: Store,
        look_ups: LookUps["AskedBill"],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._endpoint, self._store, self._look_ups, self._now = endpoint, store, look_ups, now

    def look_up(self, source: str, key: str, event: Event, asker: str = "") -> Answered | None:
        try:
            answered = self._look_ups.ask((asker, source, key), lambda: self._read(key))
        except TooManyLookUps:
            return _not_reached(key, event, TOO_MANY)
        return self._event_of(answered, source, key, event) if answered else None

    def due_now(self, source: str, key: str, asker: str) -> DueNow | None:
        try:
            answered = self._look_ups.ask((asker, source, key), lambda: self._read(key))
        except TooManyLookUps:
            raise BillingDown(TOO_MANY) from None
        if answered is None:
            return None
        asked = answered.result()
        if asked.bill is None:
            raise BillingDown("the bill that was looked up is not known any more")
        return DueNow(asked.bill.due, asked.at)

    async def _read(self, account: str) -> "AskedBill":
        at = self._now()
        return AskedBill(await self._endpoint.bill(account), at)

    def _event_of(self, answered: "Future[AskedBill]", source: str, key: str, event: Event) -> Answered:
        try:
            asked = answered.result()
        except UnreadableBill as error:
            log.error("bill not readable", account=key, reason=str(error))
            return LookUpFailed(event.at, "not_payable")
        except BillingDown as error:
            return _not_reached(key, event, str(error))
        return _as_event(self._less_what_was_paid(source, asked), event)

    def _less_what_was_paid(self, source: str, asked: "AskedBill") -> Bill | None:
        if asked.bill is None:
            return None
        left = self._store.left_to_pay(source, asked.bill.account, DueNow(asked.bill.due, asked.at))
        return replace(asked.bill, due=left, minimum=min(max(asked.bill.minimum, Money(0, left.currency)), left))


@dataclass(frozen=True)
class AskedBill:
    """The endpoint's answer, and when it was asked: what it acknowledges later may not be in it."""

    bill: Bill | None
    at: datetime


def _not_reached(key: str, event: Event, reason: str) -> LookUpFailed:
    log.error("billing endpoint not reached", account=key, reason=reason)
    return LookUpFailed(event.at, "not_reached")


def _as_event(bill: Bill | None, event: Event) -> LookedUp:
    if bill is None:
        return LookedUp(event.at, found=False)
    values: dict[str, str | int | Money] = {"bill.due": bill.due, "bill.min": bill.minimum}
    return LookedUp(event.at, found=True, values=values)


# ---- from settings


@dataclass(frozen=True)
class Waiting:
    """How long threads that serve calls wait for a look-up, and how many at once."""

    moment_s: float = MOMENT_S
    waiters: int = 1


def billing_of(settings: Settings, store: Store, waiting: Waiting | None = None) -> Billing:
    """ConfigError for a `billing_url` that is none, or not safe in production."""
    if not settings.billing_url:
        return Bills(store)
    # The other half of a process's threads never waits; a server with one thread waits for none.
    waiting = waiting or Waiting(waiters=settings.web_threads // 2)
    endpoint = BillingEndpoint(access_of(settings))
    return HttpBilling(endpoint, store, LookUps(waiting.moment_s, waiting.waiters))


def access_of(settings: Settings) -> Access:
    access = Access(settings.billing_url, settings.billing_token, settings.billing_ca)
    if settings.environment == "production" and settings.billing_url.startswith("http:"):
        host = urlsplit(settings.billing_url).hostname or ""
        if not _is_this_machine(host):
            raise ConfigError("BILLING_URL: https:// in production: accounts and payments must not travel in the clear")
    return access


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
