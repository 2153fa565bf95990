"""The SIP endpoint: lets messages in, refuses what must be refused, and hands calls to the handler; plays no media."""

import asyncio
import random
import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import structlog
from aiosipua import SipRequest, SipResponse

from ivr.errors import PeerError
from ivr.phone.sip.access import AccessList, RateLimit
from ivr.phone.sip.contract import HUNG_UP_BY_US, Address, CallHandler, Invitation, TransportKind
from ivr.phone.sip.digest import DigestGuard
from ivr.phone.sip.exchange import CallInDialog, Exchange
from ivr.phone.sip.hop import Hop, Transport
from ivr.phone.sip.incoming import IncomingCall
from ivr.phone.sip.inspection import ACCEPT_SDP, ALLOW, SUPPORTED, Refusal, inspect_request, session_body
from ivr.phone.sip.leg import Leg
from ivr.phone.sip.numbers import plain_number
from ivr.phone.sip.rationed_log import RationedLog
from ivr.phone.sip.server_transaction import Key, ServerTransaction
from ivr.phone.sip.session import SessionOffer
from ivr.phone.sip.session_timer import SessionTimer, TooSmall, agree_as_callee
from ivr.phone.sip.settings import Peer, SipSettings
from ivr.phone.sip.sockets import Sockets
from ivr.phone.sip.unanswered import UnansweredCalls
from ivr.phone.sip.wire import (
    BadRequest,
    contact_uri,
    make_response,
    note_source,
    read_message,
    read_name_addr,
    recipient,
    reply_address,
    sender,
    top_via,
    uri_user,
)

COUNTED = (
    "messages", "malformed", "denied", "rate_limited", "retransmissions_absorbed", "stray_responses", "dropped_full",
    "calls", "calls_answered", "calls_ended", "info_keys", "refreshes_sent", "failed_logins", "failures",
)  # fmt: skip
log = structlog.get_logger("sip")


class SipEndpoint:
    """`transport` is for tests that bring their own network; time is the running event loop's."""

    def __init__(self, settings: SipSettings, handler: CallHandler, transport: Transport | None = None) -> None:
        self.settings, self.handler = settings, handler
        self.counters: Counter[str] = Counter(dict.fromkeys(COUNTED, 0))
        limits = settings.limits
        self._access = AccessList(settings.peers)
        self._guard = DigestGuard(settings.realm, settings.nonce_lifetime_s)
        self._messages = RateLimit(limits.messages_per_s, limits.messages_burst, limits.sources_remembered)
        self._invites = RateLimit(limits.invites_per_s, limits.invites_burst, limits.sources_remembered)
        self._failed_logins = RateLimit(
            limits.failed_logins_per_s, limits.failed_logins_burst, limits.sources_remembered
        )
        self._unanswered = UnansweredCalls(limits.most_unanswered, settings.timers.t1_s)
        self._rationed = RationedLog()
        self._incoming: dict[Key, IncomingCall] = {}
        self.draining = False
        transport = transport or Sockets(settings, self.counters, self._admits, self._lost)
        self.exchange = Exchange(settings, transport, self, self.counters)

    @property
    def listening(self) -> tuple[tuple[TransportKind, Address], ...]:
        return self.exchange.transport.listening

    @property
    def calls(self) -> tuple[str, ...]:
        """Those in progress, answered or not."""
        return tuple(self.exchange.legs)

    async def start(self) -> None:
        await self.exchange.transport.start(self.received)
        log.info("sip_listening", at=[f"{kind}:{host}:{port}" for kind, (host, port) in self.listening])

    async def drain(self, timeout_s: float | None = None) -> None:
        """No new calls; returns when the last one has ended. What is left after `timeout_s` is hung up."""
        self.draining = True
        log.info("sip_draining", calls=len(self.exchange.legs))
        try:
            async with asyncio.timeout(timeout_s):
                await self.exchange.until_idle()
        except TimeoutError:
            await self._hang_up_all()

    async def stop(self) -> None:
        """Hangs up what is left and closes every socket."""
        self.draining = True
        await self._hang_up_all()
        await self.exchange.stop()

    async def hang_up(self, call: str, reason: str = HUNG_UP_BY_US) -> None:
        """BYE with retransmission, or 480 to a call not answered yet; one that is over already is no error."""
        for incoming in list(self._incoming.values()):
            if incoming.invitation.call == call:
                incoming.cancel(480, reason)
        leg = self.exchange.legs.get(call)
        if leg is not None and leg.ended_because is None:
            await leg.hang_up(reason)

    def refer(self, call: str, number: str, told: Callable[[bool], None]) -> None:
        """Asks the peer to connect the caller to this number at its own address; the call goes on until it is hung up.
        `told` hears once whether somebody was reached, unless the call ends before.
        """
        leg = self.exchange.legs.get(call)
        if leg is not None and leg.ended_because is None:
            leg.refer(number, told)

    async def _hang_up_all(self) -> None:
        for incoming in list(self._incoming.values()):
            incoming.cancel(503, HUNG_UP_BY_US)
        legs = list(self.exchange.legs.values())
        # A peer that is gone answers no BYE: one T2 is enough for those that are there.
        await self._wait([self.exchange.spawn(leg.hang_up()) for leg in legs])
        for leg in legs:
            leg.end(HUNG_UP_BY_US)
        await self._wait([asyncio.ensure_future(leg.over.wait()) for leg in legs])

    async def _wait(self, pending: Sequence[asyncio.Future[Any]]) -> None:
        if pending:
            await asyncio.wait(pending, timeout=self.settings.timers.t2_s)

    def _admits(self, host: str) -> bool:
        return bool(self._access.peers_at(host))

    def _lost(self, hop: Hop) -> None:
        self.exchange.transactions.hop_lost(hop)

    # --- every message ------------------------------------------------------------------------------------------

    def received(self, data: bytes, hop: Hop) -> None:
        """From any transport; never raises."""
        if not data.strip(b"\r\n\0"):
            return  # a keep-alive (RFC 5626 4.4)
        host, now = hop.remote[0], asyncio.get_running_loop().time()
        if not self._access.peers_at(host):
            self.counters["denied"] += 1
        elif not self._messages.take(host, now):
            self.counters["rate_limited"] += 1
        else:
            self.counters["messages"] += 1
            try:
                self._take(data, hop)
            except Exception as bug:
                # asyncio closes a UDP socket whose receiver raises: one bug would end every call there is.
                self.counters["failures"] += 1
                self._rationed.error("sip_message_failed", source=host, error=type(bug).__name__)

    def _take(self, data: bytes, hop: Hop) -> None:
        message = read_message(data)
        if isinstance(message, SipRequest):
            note_source(message, hop.remote)
            self.exchange.transactions.request_received(message, hop)
        elif isinstance(message, SipResponse):
            self.exchange.transactions.response_received(message)
        else:
            self.counters["malformed"] += 1
            self._rationed.info("sip_malformed", source=hop.remote[0], size=len(data))
            if message is not None:
                self._refuse_unread(message, hop)

    def _refuse_unread(self, bad: BadRequest, hop: Hop) -> None:
        """Without a transaction: what cannot be read cannot be recognised when it comes again (RFC 3261 8.2.7)."""
        if bad.request.method == "ACK" or top_via(bad.request) is None:
            return
        note_source(bad.request, hop.remote)
        self.counters[f"refused_{bad.status}"] += 1
        hop.send(bytes(make_response(bad.request, bad.status)), reply_address(bad.request, hop.remote))

    # --- requests, as the transactions bring them ---------------------------------------------------------------

    def may_begin(self, request: SipRequest, hop: Hop) -> bool:
        if request.method != "INVITE" or recipient(request).tag:
            return True
        host, now = hop.remote[0], asyncio.get_running_loop().time()
        allowed = self._failed_logins.has_any(host, now) and self._invites.take(host, now)
        if not allowed:
            self.counters["rate_limited"] += 1
        return allowed

    def requested(self, transaction: ServerTransaction) -> None:
        request = transaction.request
        log.debug("sip_request", method=request.method, source=transaction.hop.remote[0])
        if request.method == "CANCEL":
            self._cancel(transaction)
        elif recipient(request).tag:
            self._requested_in_call(transaction)
        elif self.exchange.transactions.is_merged(transaction):
            self._refuse(transaction, 482)
        elif (refusal := inspect_request(request)) is not None:
            self._refuse(transaction, refusal.status, refusal.headers)
        elif request.method == "OPTIONS":
            self._answer_options(transaction)
        else:
            self._invite(transaction)

    def acknowledged(self, ack: SipRequest) -> None:
        leg = self._leg_of(ack)
        if leg is not None:
            leg.acknowledged(ack)

    def _leg_of(self, request: SipRequest) -> CallInDialog | None:
        return self.exchange.leg_of((request.call_id or "", recipient(request).tag, sender(request).tag))

    def _requested_in_call(self, transaction: ServerTransaction) -> None:
        leg = self._leg_of(transaction.request)
        if leg is None:
            self._refuse(transaction, 481)
            return
        leg.requested(transaction)

    def _cancel(self, transaction: ServerTransaction) -> None:
        """RFC 3261 9.2: 200 whenever the INVITE is known, even if it is answered already and nothing happens."""
        invite = self.exchange.transactions.invite_of(transaction.request)
        if invite is None:
            self._refuse(transaction, 481)
            return
        incoming = self._incoming.get(invite.key)
        tag = incoming.invitation.call if incoming else new_tag()
        transaction.respond(make_response(transaction.request, 200, tag=tag))
        if incoming is not None:
            incoming.cancel()

    def _answer_options(self, transaction: ServerTransaction) -> None:
        if self.draining:
            self._refuse(transaction, 503, self._retry_after())
            return
        headers = [ALLOW, SUPPORTED, ACCEPT_SDP, ("Contact", self.exchange.contact(transaction.hop))]
        transaction.respond(make_response(transaction.request, 200, tag=new_tag(), headers=headers))

    def _refuse(self, transaction: ServerTransaction, status: int, headers: Iterable[tuple[str, str]] = ()) -> None:
        self.counters[f"refused_{status}"] += 1
        transaction.respond(make_response(transaction.request, status, tag=new_tag(), headers=headers))

    def _retry_after(self) -> list[tuple[str, str]]:
        # Spread, so that a node coming back is not met by everyone at once.
        least = self.settings.retry_after_s
        return [("Retry-After", str(random.randint(least, 2 * least)))]

    # --- a new call ---------------------------------------------------------------------------------------------

    def _invite(self, transaction: ServerTransaction) -> None:
        peers = self._access.peers_at(transaction.hop.remote[0])
        if not self._is_known(transaction, peers):
            return
        if self.draining or len(self.exchange.live) >= self.settings.limits.calls:
            self._refuse(transaction, 503, self._retry_after())
            return
        offer = self._offer_in(transaction)
        if isinstance(offer, Refusal):
            self._refuse(transaction, offer.status, offer.headers)
            return
        timer = agree_as_callee(transaction.request, self.settings.session_expires_s, self.settings.min_se_s)
        if isinstance(timer, TooSmall):
            self._refuse(transaction, 422, [("Min-SE", str(timer.min_se_s))])
            return
        source, now = transaction.hop.remote[0], asyncio.get_running_loop().time()
        if not self._unanswered.make_room(source, now):
            self._rationed.warning("sip_unanswered_limit", source=source)
            self._refuse(transaction, 503, self._retry_after())
            return
        self._begin(transaction, peers[0].name, offer, timer)

    def _is_known(self, transaction: ServerTransaction, peers: tuple[Peer, ...]) -> bool:
        """A network listed without a username is trust enough; otherwise one of its peers must log in."""
        if any(peer.username is None for peer in peers):
            return True
        source, now = transaction.hop.remote[0], asyncio.get_running_loop().time()
        verdict = self._guard.check(transaction.request, peers, source, now)
        if verdict == "passed":
            return True
        if verdict == "wrong":
            self.counters["failed_logins"] += 1
            self._failed_logins.take(source, now)
            self._rationed.warning("sip_login_failed", source=source)
        self._refuse(transaction, 401, self._guard.challenges(source, now, stale=verdict == "stale"))
        return False

    def _offer_in(self, transaction: ServerTransaction) -> SessionOffer | Refusal | None:
        request = transaction.request
        # RFC 3261 8.1.1.8 wants one; RFC 2543 callers may have none, and are called back at their From.
        if contact_uri(request) is None and request.headers.get("contact"):
            return Refusal(400)
        body = session_body(request, self.settings.limits.body_bytes)
        if isinstance(body, Refusal):
            return body
        if body is None:
            # Without an offer we make one, and over a connection that anyone can read it can hold no keys.
            needs_tls = self._srtp_required and transaction.hop.transport != "tls"
            return Refusal(488) if needs_tls else None
        try:
            offer = self.exchange.read_session(body, transaction.hop)
        except PeerError:
            return Refusal(400)
        return offer or Refusal(488)

    def _begin(
        self, transaction: ServerTransaction, peer: str, offer: SessionOffer | None, timer: SessionTimer | None
    ) -> None:
        request, hop = transaction.request, transaction.hop
        called = request.uri if self.settings.dnis_from == "request-uri" else recipient(request).uri
        invitation = Invitation(
            call=new_tag(),
            ani=caller_number(request),
            dnis=plain_number(uri_user(called)),
            source=hop.remote,
            transport=hop.transport,
            offer=offer,
            peer=peer,
            srtp_required=self._srtp_required,
        )
        incoming = IncomingCall(self.exchange, self.handler, transaction, invitation, timer)
        self._incoming[transaction.key] = incoming
        incoming.on_settled(lambda: self._incoming.pop(transaction.key, None))
        self._count_unanswered(incoming.leg, hop.remote[0])

    def _count_unanswered(self, leg: Leg, source: str) -> None:
        self._unanswered.add(source, leg, asyncio.get_running_loop().time())
        leg.on_settled = lambda: self._unanswered.remove(source, leg)

    @property
    def _srtp_required(self) -> bool:
        return self.settings.media.srtp == "required"


def new_tag() -> str:
    """128 random bits: it is the call's identity, and nobody may guess his way into a dialog."""
    return secrets.token_hex(16)


def caller_number(request: SipRequest) -> str:
    """RFC 3325: a trusted network asserts who calls; From is what the caller says."""
    first = (request.headers.get_first("p-asserted-identity") or "").partition(">")[0]  # there may be a second, tel:
    asserted = read_name_addr(f"{first}>" if "<" in first else first)
    return (asserted.number if asserted else "") or sender(request).number
