"""Keeps us registered with a provider (RFC 3261 10.2) so that it sends us calls; the calls are the endpoint's."""

import asyncio
import contextlib
import secrets
from dataclasses import dataclass
from typing import Literal

import structlog
from aiosipua import SipRequest, SipResponse
from aiosipua.utils import generate_call_id

from ivr.errors import PeerError
from ivr.phone.sip.challenge import Credentials, answer_challenge
from ivr.phone.sip.endpoint import SipEndpoint
from ivr.phone.sip.exchange import put_via
from ivr.phone.sip.hop import Hop
from ivr.phone.sip.wire import is_number, read_name_addr, uri_user

LEAST_EXPIRES_S = 30
MOST_TRIES = 4  # plain, with a longer time, with a login, and both in the other order
FIRST_RETRY_S = 5.0
MOST_RETRY_S = 300.0
State = Literal["unregistered", "registered", "failing"]
log = structlog.get_logger("sip")


@dataclass(frozen=True)
class Account:
    registrar: str
    """`sip:provider.example` or `sip:192.0.2.7:5060;transport=tcp`; names are looked up, SRV records are not."""
    address: str
    """Our address of record there: `sip:+15550100@provider.example`."""
    credentials: Credentials
    expires_s: int = 3600


class Registration:
    """Refreshes at four fifths of what the registrar granted; after a failure it tries again, ever more slowly."""

    def __init__(self, endpoint: SipEndpoint, account: Account) -> None:
        self._exchange, self.account = endpoint.exchange, account
        self.state: State = "unregistered"
        self.last_status = 0
        self.granted_s = 0
        self._wanted_s = account.expires_s
        self._call_id = generate_call_id("tonetill")
        self._tag = secrets.token_hex(16)
        self._cseq = 0
        self._contact = ""
        self._task: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()

    async def start(self) -> None:
        """Begins and returns; `until` waits for what becomes of it."""
        self._task = self._exchange.spawn(self._keep_registered())

    async def until(self, state: State) -> None:
        while self.state != state:
            self._changed.clear()
            await self._changed.wait()

    async def stop(self) -> None:
        """Takes our contact away again: the provider then does not send calls into the void."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self.state == "registered":
            with contextlib.suppress(PeerError):
                await self._register(0)
        self._enter("unregistered")

    async def _keep_registered(self) -> None:
        retry_s = FIRST_RETRY_S
        while True:
            granted_s = await self._try_once()
            if granted_s is not None:
                retry_s = FIRST_RETRY_S
                await asyncio.sleep(granted_s * 0.8)
            else:
                await asyncio.sleep(retry_s)
                retry_s = min(2 * retry_s, MOST_RETRY_S)

    async def _try_once(self) -> int | None:
        """Seconds granted, or None."""
        try:
            response = await self._register(self._wanted_s)
        except PeerError:
            self.last_status = 408
            self._enter("failing")
            return None
        self.last_status = response.status_code
        if response.status_code >= 300:
            log.warning("sip_registration_failed", registrar=self.account.registrar, status=response.status_code)
            self._enter("failing")
            return None
        self.granted_s = max(granted(response, self._contact, self._wanted_s), LEAST_EXPIRES_S)
        self._exchange.counters["registrations"] += 1
        self._enter("registered")
        return self.granted_s

    async def _register(self, expires_s: int) -> SipResponse:
        hop = await self._exchange.hop_towards(self.account.registrar)
        login: list[tuple[str, str]] = []
        for _ in range(MOST_TRIES):
            response = await self._ask(hop, expires_s, login)
            if response.status_code == 423 and expires_s:
                # RFC 3261 10.2.8: too brief; Min-Expires says what is wanted.
                self._wanted_s = expires_s = max(expires_s, smallest_granted(response))
            elif response.status_code in (401, 407) and not login:
                answer = answer_challenge(self.account.credentials, response, "REGISTER", self.account.registrar)
                login = [answer] if answer else login
            else:
                break
        return response

    async def _ask(self, hop: Hop, expires_s: int, more: list[tuple[str, str]]) -> SipResponse:
        self._cseq += 1
        request = SipRequest(method="REGISTER", uri=self.account.registrar)
        put_via(request, hop)
        self._contact = self._exchange.contact(hop, uri_user(self.account.address))
        lines = [
            ("Max-Forwards", "70"),
            ("From", f"<{self.account.address}>;tag={self._tag}"),
            ("To", f"<{self.account.address}>"),
            ("Call-ID", self._call_id),
            ("CSeq", f"{self._cseq} REGISTER"),
            ("Contact", self._contact),
            ("Expires", str(expires_s)),
            ("User-Agent", self._exchange.settings.server_name),
        ]
        for name, value in [*lines, *more]:
            request.headers.append(name, value)
        return await self._exchange.transactions.request(request, hop).final

    def _enter(self, state: State) -> None:
        if state != self.state:
            log.info("sip_registration", registrar=self.account.registrar, state=state)
        self.state = state
        self._changed.set()


def smallest_granted(response: SipResponse) -> int:
    text = (response.headers.get_first("min-expires") or "").strip()
    return int(text) if is_number(text, 2**31) else 0


def granted(response: SipResponse, contact: str, wanted_s: int) -> int:
    """RFC 3261 10.2.4: the `expires` of our own binding among all that are listed, else Expires, else as asked."""
    ours = read_name_addr(contact)
    for value in response.headers.get("contact"):
        bound = read_name_addr(value)
        text = (bound.params.get("expires") or "") if bound else ""
        if bound and ours and bound.uri == ours.uri and is_number(text, 2**31):
            return int(text)
    text = (response.headers.get_first("expires") or "").strip()
    return int(text) if is_number(text, 2**31) else wanted_s
