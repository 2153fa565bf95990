"""What every call of an endpoint shares: settings, counters, transactions, the calls by dialog; decides no call."""

import asyncio
import ipaddress
import socket
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

import structlog
from aiosipua import Dialog, SipRequest, Via, parse_uri, stringify_via
from aiosipua.utils import format_addr, generate_branch

from ivr.errors import PeerError
from ivr.phone.sip.contract import TransportKind
from ivr.phone.sip.hop import Hop, Transport
from ivr.phone.sip.sdp import parse_session
from ivr.phone.sip.server_transaction import ServerTransaction
from ivr.phone.sip.session import SessionOffer
from ivr.phone.sip.settings import SipSettings
from ivr.phone.sip.transactions import RequestHandler, Transactions
from ivr.phone.sip.wire import scheme, without_user

DialogId = tuple[str, str, str]
log = structlog.get_logger("sip")


class CallInDialog(Protocol):
    """A call as the exchange and the endpoint see it; `leg.Leg` is one, and knows the exchange."""

    call: str
    dialog: Dialog
    ended_because: str | None
    over: asyncio.Event

    def acknowledged(self, ack: SipRequest) -> None: ...
    def requested(self, transaction: ServerTransaction) -> None: ...
    async def hang_up(self, reason: str = ...) -> None: ...
    def refer(self, number: str, told: Callable[[bool], None]) -> None: ...
    def end(self, reason: str) -> None: ...


class Exchange:
    def __init__(
        self, settings: SipSettings, transport: Transport, handler: RequestHandler, counters: Counter[str]
    ) -> None:
        self.settings, self.transport, self.counters = settings, transport, counters
        self.transactions = Transactions(settings.timers, handler, counters, settings.limits.transactions)
        self.legs: dict[str, CallInDialog] = {}
        self.live: set[str] = set()
        """Calls that have not ended: a leg whose BYE is still repeated takes nobody's place."""
        self._by_dialog: dict[DialogId, CallInDialog] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._idle = asyncio.Event()
        self._idle.set()

    def add(self, leg: CallInDialog) -> None:
        self.legs[leg.call] = leg
        self.live.add(leg.call)
        self._by_dialog[leg.dialog.id] = leg
        self._idle.clear()

    def note_ended(self, leg: CallInDialog) -> None:
        self.live.discard(leg.call)

    def remove(self, leg: CallInDialog) -> None:
        self.note_ended(leg)
        self.legs.pop(leg.call, None)
        self._by_dialog.pop(leg.dialog.id, None)
        if not self.legs:
            self._idle.set()

    def leg_of(self, dialog: DialogId) -> CallInDialog | None:
        return self._by_dialog.get(dialog)

    async def until_idle(self) -> None:
        await self._idle.wait()

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """A task that is kept, and whose failure is counted and named, without its values, instead of lost."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        return task

    async def stop(self) -> None:
        self.transactions.stop()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.transport.stop()

    async def hop_towards(self, uri: str, known: Hop | None = None) -> Hop:
        """Where a request to `uri` goes; `known` is the hop its call came by.

        A living connection is used for the way back too: a peer behind NAT has no other. And a host that a peer
        names within a call is not looked up: nobody is to make us ask the DNS for him, the call came from somewhere.
        """
        transport, host, port = destination(uri)
        address = literal(host)
        if known is not None and known.alive:
            straight_back = known.transport != "udp" or self.settings.reply_to_source or address is None
            if straight_back or (transport, (address, port)) == (known.transport, known.remote):
                return known
        return await self.transport.open(transport, (address or await look_up(host, port), port), host)

    def read_session(self, body: bytes, hop: Hop) -> SessionOffer | None:
        """As `parse_session`, by our rules and by what `hop` lets others see."""
        return parse_session(body, secure_transport=hop.transport == "tls", rules=self.settings.media)

    def contact(self, hop: Hop, user: str = "") -> str:
        suffix = "" if hop.transport == "udp" else f";transport={hop.transport}"
        return f"<sip:{user + '@' if user else ''}{format_addr(*hop.local)}{suffix}>"

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        problem = None if task.cancelled() else task.exception()
        if isinstance(problem, PeerError):
            self.counters["undeliverable"] += 1  # an ACK, say, to a peer whose connection is gone
        elif problem is not None:
            self.counters["failures"] += 1
            log.error("sip_task_failed", error=type(problem).__name__)


def put_via(request: SipRequest, hop: Hop) -> None:
    """A new branch for each sending: it is the name of the transaction (RFC 3261 8.1.1.7)."""
    host, port = hop.local
    params: dict[str, str | None] = {"branch": generate_branch(), "rport": None}
    via = Via(transport=hop.transport.upper(), host=host, port=port, params=params)
    request.headers.set_single("Via", stringify_via(via))


def destination(target: str) -> tuple[TransportKind, str, int]:
    """Of a URI, or of a Route value with one in angle brackets; RFC 3263 without its NAPTR and SRV records."""
    uri = target.partition("<")[2].partition(">")[0] if "<" in target else target
    parsed = parse_uri(without_user(uri))
    named = (parsed.params.get("transport") or "udp").lower()
    transport: TransportKind = "tcp" if named == "tcp" else "udp"
    if scheme(uri) == "sips" or named == "tls":
        transport = "tls"
    host = (parsed.params.get("maddr") or parsed.host).strip("[]")
    return transport, host, parsed.port or (5061 if transport == "tls" else 5060)


def literal(host: str) -> str | None:
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return None


async def look_up(host: str, port: int) -> str:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_DGRAM)
    except (OSError, UnicodeError):
        raise PeerError(f"SIP: the host {host[:80]!r} has no address") from None
    return str(found[0][4][0])
