"""One exchange with the merchant's billing endpoint: bounded in time and size, authenticated, left alone while it is down.

What an answer means is for `billing_answer`; which threads wait for it is for `look_ups`.
"""

import asyncio
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit

import httpx
import structlog
from circuitbreaker import STATE_HALF_OPEN, CircuitBreaker

from ivr import metrics
from ivr.calls.billing_answer import BillingDown, FoundBill, UnreadableBill, read_bill, read_bills
from ivr.core.actions import LookUp
from ivr.errors import ConfigError
from ivr.reading.scalars import OPEN_BILLS

log = structlog.get_logger()
LIMIT_S = 5.0  # name, connection, TLS and the entire answer, however slowly it drips
MOST_BYTES = 64 * 1024  # a bill is a hundred bytes; one answer of 600 MB would take the process with it
FAILURES, LEFT_ALONE_S = 5, 30.0  # after so many failures in a row it is not asked for so long
CONNECTIONS = httpx.Limits(max_connections=100, max_keepalive_connections=20)


@dataclass(frozen=True)
class Access:
    """Where the endpoint is and how we show who we are. `ca`: a PEM file of authorities in place of the system's. `name`:
    what the settings that say so begin with."""

    url: str
    token: str = field(default="", repr=False)
    ca: str = ""
    limit_s: float = LIMIT_S
    name: str = "BILLING"

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ConfigError(f"{self.name}_URL: expected http:// or https:// and a host")
        if parts.query or parts.fragment or parts.username is not None:
            instead = f"; {self.name}_TOKEN is sent as the bearer token" if self.name == "BILLING" else ""
            raise ConfigError(f"{self.name}_URL: without user, ? and #{instead}")

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            verify=self._trust() if self.url.startswith("https") else False,
            timeout=self.limit_s,
            limits=CONNECTIONS,
            follow_redirects=False,  # a redirect would take an account number to somebody we have not agreed with
            trust_env=False,  # nor through a proxy that the environment names
        )

    @property
    def headers(self) -> dict[str, str]:
        own = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "tonetill"}
        return own | ({"Authorization": f"Bearer {self.token}"} if self.token else {})

    def _trust(self) -> ssl.SSLContext:
        try:
            return ssl.create_default_context(cafile=self.ca or None)
        except OSError:
            raise ConfigError(f"{self.name}_CA: {self.ca} is no readable file of certificates (PEM)") from None


class Unwell(BillingDown):
    """Slow, gone or overwhelmed: asking again at once would make it worse."""


class BillingEndpoint:
    """Used from one event loop; `bill` may be asked for many accounts at once."""

    def __init__(self, access: Access, *, left_alone_s: float = LEFT_ALONE_S) -> None:
        self._access = access
        self._http = access.client()
        self._breaker = CircuitBreaker(FAILURES, left_alone_s, Unwell, name="billing")
        self._is_tried = False

    async def bills(self, asked: LookUp) -> list[FoundBill] | None:
        """One, or all open ones, as is asked for; None for an account that the endpoint does not know, or not with these
        other answers; BillingDown where that cannot be said."""
        started, outcome = time.perf_counter(), "failed"
        try:
            found = await self._ask(asked)
            outcome = "not_found" if found is None else "found"
        except UnreadableBill:
            outcome = "unreadable"
            raise
        finally:
            metrics.BILLING_SECONDS.labels(outcome).observe(time.perf_counter() - started)
        return found

    async def _ask(self, asked: LookUp) -> list[FoundBill] | None:
        status, content = await self._carefully(asked)
        if status == 404:
            return None
        if status != 200:
            raise BillingDown(f"it answered {status}{CURES.get(status, '')}")
        if asked.source == OPEN_BILLS:
            return read_bills(content, asked.gives)
        return [read_bill(asked.key, content, asked.gives)]

    async def _carefully(self, asked: LookUp) -> tuple[int, bytes]:
        """Open: nobody is sent. Half open: one goes, and the others are told what the last attempts have shown."""
        breaker = self._breaker
        is_trial = breaker.state == STATE_HALF_OPEN
        if breaker.opened or (is_trial and self._is_tried):
            raise BillingDown(f"it is left alone after {breaker.failure_count} failures in a row")
        self._is_tried = is_trial
        try:
            with breaker:
                return await self._exchange(asked)
        except Unwell as failure:
            if breaker.failure_count == FAILURES:
                log.error("billing endpoint left alone", seconds=LEFT_ALONE_S, reason=str(failure))
            raise
        finally:
            self._is_tried = False

    async def _exchange(self, asked: LookUp) -> tuple[int, bytes]:
        status, content = await exchange(self._http, self._access, _request(self._access.url, asked))
        if status >= 500 or status == 429:
            raise Unwell(f"it answered {status}")
        return status, content


def _request(url: str, asked: LookUp) -> httpx.Request:
    """A PIN is in the body, not in the address, which ends up in the logs of whatever stands in between."""
    address = f"{url.rstrip('/')}/{quote(asked.key, safe='')}"
    if asked.source == OPEN_BILLS:
        address += "/bills"
    return httpx.Request("POST", address, json=dict(asked.others)) if asked.others else httpx.Request("GET", address)


CURES: Mapping[int, str] = {
    401: ": is BILLING_TOKEN right?",
    403: ": is BILLING_TOKEN right?",
    **dict.fromkeys((301, 302, 303, 307, 308), ": redirects are not followed, set BILLING_URL to where it leads"),
}


async def exchange(http: httpx.AsyncClient, access: Access, request: httpx.Request) -> tuple[int, bytes]:
    """Status and body within the access's limits; Unwell says what went wrong instead."""
    request.headers.update(access.headers)
    try:
        async with asyncio.timeout(access.limit_s):
            return await _read(http, request)
    except TimeoutError:
        raise Unwell(f"no complete answer within {access.limit_s:g} s") from None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise Unwell(f"it did not answer: {type(error).__name__}") from None


async def _read(http: httpx.AsyncClient, request: httpx.Request) -> tuple[int, bytes]:
    response = await http.send(request, stream=True)
    try:
        if response.headers.get("content-encoding", "identity") != "identity":
            raise UnreadableBill("the answer is compressed, and we asked for it plain")
        content = bytearray()
        async for piece in response.aiter_raw():
            content += piece
            if len(content) > MOST_BYTES:
                raise Unwell(f"the answer is longer than {MOST_BYTES} bytes")
        return response.status_code, bytes(content)
    finally:
        await response.aclose()
