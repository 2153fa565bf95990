"""Where bills come from: the embedded table, or an HTTP endpoint of the merchant's. Both answer with the same events."""

import asyncio
import hmac
import ipaddress
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Protocol
from urllib.parse import urlsplit

import structlog

from ivr.calls.billing_answer import BillingDown, FoundBill, UnreadableBill, not_an_address
from ivr.calls.billing_endpoint import Access, BillingEndpoint
from ivr.calls.look_ups import LookUps, TooManyLookUps
from ivr.core.actions import LookUp
from ivr.core.events import Event, LookedUp, LookUpFailed, OpenBill, Value
from ivr.core.money import Money
from ivr.errors import ConfigError
from ivr.reading.scalars import BILL, OPEN_BILLS
from ivr.reading.typed_values import read_written_value
from ivr.settings import Settings
from ivr.store import Bill, DueNow, Store

__all__ = ["Billing", "BillingDown", "Bills", "HttpBilling", "access_of", "billing_of"]
log = structlog.get_logger()
AT_ONCE = 8  # of the bills of one sum, each with a time limit of its own
ALL_WITHIN_S = 10.0  # and all of them: the caller's line waits no longer than 12 s
MOMENT_S = 0.3  # most endpoints have answered by then, and the caller hears no pause
TOO_MANY = "too many look-ups are waiting for it"
Answered = LookedUp | LookUpFailed


class Billing(Protocol):
    """`asker` names one look-up of one call, or one attempt of it: asked again under the same name, it is the same question."""

    def look_up(self, asked: LookUp, event: Event, asker: str = "") -> Answered | None:
        """None while the answer is awaited: ask again."""
        ...

    def due_now(self, source: str, key: str, asker: str) -> "DueNow | InOurTable | None":
        """Read again, for a charge that is about to begin; None while the answer is awaited: ask again.

        As the billing system says it: the charge's transaction takes off what it may not have counted. BillingDown where
        it cannot be said, or the account is not known any more: then nothing may be charged.
        """
        ...

    def dues_now(self, keys: Sequence[str], asker: str) -> "Mapping[str, DueNow] | InOurTable | None":
        """The same of several bills that are to be paid in one sum, by key: of all of them, or of none."""
        ...


@dataclass(frozen=True)
class InOurTable:
    """What is due is a row of our own database, which a charge reads and lowers in its own transactions."""


class Bills:
    """The embedded table, seeded from `config/accounts.csv`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def look_up(self, asked: LookUp, event: Event, asker: str = "") -> Answered:
        bills = [bill for bill in self._rows(asked) if _knows(bill, asked)]
        try:
            found = [FoundBill(bill, _given(bill, asked)) for bill in bills]
        except UnreadableBill as error:
            return _not_readable(asked, event, error)
        return _as_event(asked, found or None, event)

    def _rows(self, asked: LookUp) -> Sequence[Bill]:
        if asked.source == OPEN_BILLS:
            return self._store.find_bills(asked.key)
        bill = self._store.find_bill(asked.key)
        return [bill] if bill else []

    def due_now(self, source: str, key: str, asker: str) -> InOurTable:
        return InOurTable()

    def dues_now(self, keys: Sequence[str], asker: str) -> InOurTable:
        return InOurTable()


class HttpBilling:
    """What has been paid and not yet been acknowledged by the endpoint is no longer due, whatever it says."""

    def __init__(
        self,
        endpoint: BillingEndpoint,
        store: Store,
        look_ups: LookUps["Told"],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._endpoint, self._store, self._look_ups, self._now = endpoint, store, look_ups, now

    def look_up(self, asked: LookUp, event: Event, asker: str = "") -> Answered | None:
        try:
            answered = self._look_ups.ask((asker, asked), lambda: self._read(asked))
        except TooManyLookUps:
            return _not_reached(asked.key, event, TOO_MANY)
        return self._event_of(answered, asked, event) if answered else None

    def due_now(self, source: str, key: str, asker: str) -> DueNow | None:
        try:
            answered = self._look_ups.ask((asker, source, key), lambda: self._read(LookUp(BILL, key)))
        except TooManyLookUps:
            raise BillingDown(TOO_MANY) from None
        if answered is None:
            return None
        told = answered.result()
        if told.bills is None:
            raise BillingDown("the bill that was looked up is not known any more")
        return DueNow(told.bills[0].bill.due, told.at)

    def dues_now(self, keys: Sequence[str], asker: str) -> Mapping[str, DueNow] | None:
        try:
            answered = self._look_ups.ask((asker, OPEN_BILLS, *keys), lambda: self._read_each(keys))
        except TooManyLookUps:
            raise BillingDown(TOO_MANY) from None
        if answered is None:
            return None
        told = answered.result()
        if told.bills is None:
            raise BillingDown("a bill that was looked up is not known any more")
        return {one.bill.account: DueNow(one.bill.due, told.at) for one in told.bills}

    async def _read_each(self, keys: Sequence[str]) -> "Told":
        """A few at once, so that a customer's many bills are no burst. As of the moment before the first: what has been
        acknowledged since may not be in all of them."""
        at, few = self._now(), asyncio.Semaphore(AT_ONCE)

        async def read(key: str) -> Sequence[FoundBill] | None:
            async with few:
                return await self._endpoint.bills(LookUp(BILL, key))

        try:
            async with asyncio.timeout(ALL_WITHIN_S):
                found = await asyncio.gather(*map(read, keys))
        except TimeoutError:
            raise BillingDown(f"{len(keys)} bills were not read within {ALL_WITHIN_S:g} s") from None
        bills = [one for several in found if several is not None for one in several]
        return Told(bills if len(bills) == len(keys) else None, at)

    async def _read(self, asked: LookUp) -> "Told":
        at = self._now()
        return Told(await self._endpoint.bills(asked), at)

    def _event_of(self, answered: "Future[Told]", asked: LookUp, event: Event) -> Answered:
        try:
            told = answered.result()
        except UnreadableBill as error:
            return _not_readable(asked, event, error)
        except BillingDown as error:
            return _not_reached(asked.key, event, str(error))
        found = None if told.bills is None else [self._less_what_was_paid(one, told.at) for one in told.bills]
        return _as_event(asked, found, event)

    def _less_what_was_paid(self, one: FoundBill, at: datetime) -> FoundBill:
        bill = one.bill
        left = self._store.left_to_pay(BILL, bill.account, DueNow(bill.due, at))
        least = min(max(bill.minimum, Money(0, left.currency)), left)
        return replace(one, bill=replace(bill, due=left, minimum=least))


@dataclass(frozen=True)
class Told:
    """The endpoint's answer, and when it was asked: what it acknowledges later may not be in it. None: nobody knows of it."""

    bills: Sequence[FoundBill] | None
    at: datetime


def _not_reached(key: str, event: Event, reason: str) -> LookUpFailed:
    log.error("billing endpoint not reached", account=key, reason=reason)
    return LookUpFailed(event.at, "not_reached")


def _not_readable(asked: LookUp, event: Event, error: UnreadableBill) -> LookUpFailed:
    log.error("bill not readable", account=asked.key, reason=str(error))
    return LookUpFailed(event.at, "not_payable")


def _as_event(asked: LookUp, found: Sequence[FoundBill] | None, event: Event) -> LookedUp:
    if found is None:
        return LookedUp(event.at, found=False)
    if asked.source == OPEN_BILLS:
        bills = tuple(OpenBill(one.bill.account, _values(one)) for one in found if one.bill.due.minor > 0)
        return LookedUp(event.at, found=True, bills=bills)
    return LookedUp(event.at, found=True, values=_values(found[0]))


def _values(one: FoundBill) -> Mapping[str, Value]:
    return {"bill.due": one.bill.due, "bill.min": one.bill.minimum, **one.given}


# ---- what rows of our own say besides what is due


def _knows(bill: Bill, asked: LookUp) -> bool:
    """A row that does not say what it is asked with is found by nobody. Not over at the first character that differs."""
    details = dict(bill.details)
    said = [
        hmac.compare_digest(details.get(f"key.{name}", "").encode(), answer.encode()) for name, answer in asked.others
    ]
    return all(said)


def _given(bill: Bill, asked: LookUp) -> Mapping[str, Value]:
    details = dict(bill.details)
    given: dict[str, Value] = {}
    for name, kind in asked.gives:
        of_type: Any = kind
        try:
            given[name] = read_written_value(of_type, details.get(name, ""))
        except ValueError as error:
            if kind == "email":
                given[name] = not_an_address(name)
                continue
            raise UnreadableBill(f"the column '{name}': {error}") from None
    return given


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
    require_safe(access, settings)
    return access


def require_safe(access: Access, settings: Settings) -> None:
    """ConfigError for an address that is in the clear in production, but on this machine."""
    is_clear = access.url.startswith("http:") and not is_this_machine(urlsplit(access.url).hostname or "")
    if is_clear and settings.environment == "production":
        cure = "accounts and payments must not travel in the clear"
        raise ConfigError(f"{access.name}_URL: https:// in production: {cure}")


def is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
