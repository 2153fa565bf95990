"""One call's dialog from its first answer to its end, whichever side began it; the INVITE before it is incoming.py's.

Answers what the peer asks within the call (BYE, re-INVITE, UPDATE, INFO, PRACK), asks what we want of the peer
(BYE, refresh, INFO, re-INVITE), and keeps its clocks. Media and payment are the handler's.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass

import structlog
from aiosipua import Dialog, SipRequest, SipResponse

from ivr.channels.sip.challenge import Credentials, answer_challenge
from ivr.channels.sip.client_transaction import ClientTransaction
from ivr.channels.sip.contract import (
    HANDLER_FAILED,
    HUNG_UP_BY_CALLER,
    HUNG_UP_BY_US,
    NO_COMMON_MEDIA,
    NOT_ACKNOWLEDGED,
    SESSION_EXPIRED,
    TOO_LONG,
    CallHandler,
)
from ivr.channels.sip.exchange import Exchange, put_via
from ivr.channels.sip.flow import Flow
from ivr.channels.sip.info_keys import KEY_TYPES, read_info_key
from ivr.channels.sip.retransmission import Retransmission
from ivr.channels.sip.screening import ALLOW, SUPPORTED, Refusal, content_type, screen_extensions, session_body
from ivr.channels.sip.sdp import parse_session
from ivr.channels.sip.server_transaction import ServerTransaction
from ivr.channels.sip.session import Answer, Reject, SessionOffer
from ivr.channels.sip.session_timer import (
    SessionClock,
    SessionTimer,
    TooSmall,
    agree_as_callee,
    agree_as_caller,
    smallest_accepted,
)
from ivr.channels.sip.wire import contact_uri, make_response, read_cseq, read_name_addr, tokens
from ivr.errors import PeerError

Headers = list[tuple[str, str]]
log = structlog.get_logger("sip")


@dataclass
class Unacknowledged:
    """A 2xx of ours to an INVITE, sent until its ACK; after a late offer the ACK must bring the answer."""

    repeating: Retransmission
    late_offer: bool


class Leg:
    def __init__(self, exchange: Exchange, handler: CallHandler, call: str, dialog: Dialog, flow: Flow) -> None:
        self.exchange, self.handler, self.call, self.dialog, self.flow = exchange, handler, call, dialog, flow
        self.local_sdp = ""
        self.remote: SessionOffer | None = None
        self.timer: SessionTimer | None = None
        self.peer_updates = False
        self.credentials: Credentials | None = None
        self.ended_because: str | None = None
        self.over = asyncio.Event()
        # Set while the INVITE is still being answered.
        self.on_prack: Callable[[ServerTransaction], None] | None = None
        self.on_early_bye: Callable[[], None] | None = None
        self._announced = self._saying_bye = False
        self._remote_offered = False
        self._answering = self._asking = False
        self._unacknowledged: dict[int, Unacknowledged] = {}
        self._acknowledged = asyncio.Event()
        self._turn = asyncio.Lock()
        self._clock = SessionClock(
            lambda: self._spawn(self._refresh()), lambda: self._spawn(self.hang_up(SESSION_EXPIRED))
        )
        self._too_long: asyncio.TimerHandle | None = None
        exchange.add(self)

    # --- the call begins and ends -------------------------------------------------------------------------------

    def announce(self) -> None:
        """The handler has heard of this call: from now on it gets one `ended`."""
        self._announced = True

    def begin(self, timer: SessionTimer | None) -> None:
        """The 2xx is out, or has come: the clocks start."""
        self.timer = timer
        self._clock.wind(timer)
        self._too_long = asyncio.get_running_loop().call_later(
            self.exchange.settings.max_call_s, lambda: self._spawn(self.hang_up(TOO_LONG))
        )

    def confirm(self) -> None:
        """For a call of ours, whose ACK we send ourselves."""
        self.dialog.confirm()
        self._acknowledged.set()

    def end(self, reason: str) -> None:
        """The first reason counts; sends nothing."""
        if self.ended_because is not None:
            return
        self.ended_because = reason
        self._clock.stop()
        if self._too_long is not None:
            self._too_long.cancel()
        for waiting in self._unacknowledged.values():
            waiting.repeating.stop()
        self._unacknowledged.clear()
        self._acknowledged.set()
        self._spawn(self._tell_ended(reason))

    async def hang_up(self, reason: str = HUNG_UP_BY_US) -> None:
        """BYE, repeated until it is answered or 64 * T1 have gone. On the second call nothing happens."""
        # RFC 3261 15: the callee must not send BYE before the ACK, or before it has given up waiting for it.
        await self._acknowledged.wait()
        if self.ended_because is not None:
            return
        self._saying_bye = True  # a BYE of the peer's that crosses ours still finds the leg, and gets its 200
        self.end(reason)
        try:
            await self.ask("BYE")
        except PeerError:
            self.exchange.counters["bye_undeliverable"] += 1
        finally:
            self.exchange.remove(self)

    async def _tell_ended(self, reason: str) -> None:
        if self._announced:
            self.exchange.counters["calls_ended"] += 1
            log.info("sip_call_ended", call=self.call, reason=reason)
            await self._tell(lambda: self.handler.ended(self.call, reason))
        if not self._saying_bye:
            self.exchange.remove(self)
        self.over.set()

    # --- what the peer asks -------------------------------------------------------------------------------------

    def requested(self, transaction: ServerTransaction) -> None:
        request = transaction.request
        cseq = read_cseq(request)
        # RFC 3261 12.2.2: a lower number is an old request, out of order.
        if cseq is None or cseq[0] <= self.dialog.remote_cseq:
            self.respond(transaction, 500)
            return
        self.dialog.remote_cseq = cseq[0]
        refusal = screen_extensions(request)
        if refusal is not None:
            self.respond(transaction, refusal.status, refusal.headers)
        elif self.ended_because is not None and request.method != "BYE":
            self.respond(transaction, 481)
        else:
            self._take_as_acknowledgement(request)
            self._serve(transaction)

    def acknowledged(self, ack: SipRequest) -> None:
        cseq = read_cseq(ack)
        waiting = self._unacknowledged.pop(cseq[0], None) if cseq else None
        if waiting is None:
            return
        waiting.repeating.stop()
        first = not self._acknowledged.is_set()
        self.dialog.confirm()
        self._acknowledged.set()
        if waiting.late_offer:
            self._take_late_answer(ack)
        elif first and self.remote is not None:
            self.tell_answered(self.remote)

    def _take_as_acknowledgement(self, request: SipRequest) -> None:
        """Whoever asks for something within the call has our 200: only the ACK was lost. The 200 is still repeated
        until it comes; a late offer waits for it, the answer is in there.
        """
        answered = bool(self._unacknowledged) and self._remote_offered and not self._acknowledged.is_set()
        if answered and request.method != "BYE" and self.remote is not None:
            self._acknowledged.set()
            self.tell_answered(self.remote)

    def accept_invite(self, transaction: ServerTransaction, sdp: str, headers: Headers, *, late_offer: bool) -> None:
        """200 with our SDP, sent again until the ACK, whatever the transport (RFC 3261 13.3.1.4)."""
        self.local_sdp = sdp
        self._remote_offered = not late_offer
        self.respond(transaction, 200, headers, sdp=sdp)
        cseq = read_cseq(transaction.request)
        timers = self.exchange.settings.timers
        repeating = Retransmission(timers, transaction.repeat, self._never_acknowledged, most_s=timers.t2_s)
        self._unacknowledged[cseq[0] if cseq else 0] = Unacknowledged(repeating, late_offer)

    def respond(
        self,
        transaction: ServerTransaction,
        status: int,
        headers: Headers | tuple[tuple[str, str], ...] = (),
        *,
        sdp: str = "",
        reason: str = "",
    ) -> None:
        request = transaction.request
        response = make_response(request, status, reason=reason, tag=self.dialog.local_tag, headers=headers)
        if request.method in ("INVITE", "UPDATE") and status < 300:
            for route in request.headers.get("record-route"):
                response.headers.append("Record-Route", route)
            response.headers.append("Contact", self.exchange.contact(self.flow))
            response.headers.append(*ALLOW)
            response.headers.append(*SUPPORTED)
        if sdp:
            response.content_type = "application/sdp"
            response.text = sdp
        if status >= 300:
            self.exchange.counters[f"refused_{status}"] += 1
        transaction.respond(response)

    def _serve(self, transaction: ServerTransaction) -> None:
        match transaction.request.method:
            case "BYE":
                self.respond(transaction, 200)
                if self.on_early_bye is not None:
                    self.on_early_bye()
                self.end(HUNG_UP_BY_CALLER)
            case "INVITE" | "UPDATE":
                self._spawn(self._renegotiate(transaction))
            case "INFO":
                self._take_info(transaction)
            case "OPTIONS":
                self.respond(transaction, 200, (ALLOW, SUPPORTED))
            case "PRACK" if self.on_prack is not None:
                self.on_prack(transaction)
            case "PRACK":
                self.respond(transaction, 481)
            case _:
                self.respond(transaction, 405, (ALLOW,))

    def _take_info(self, transaction: ServerTransaction) -> None:
        request = transaction.request
        kind = content_type(request)
        if request.body and kind not in KEY_TYPES:
            # RFC 6086 4.2.2: a body we do not know is a 415; an empty INFO is a sign of life.
            self.respond(transaction, 415, (("Accept", ", ".join(KEY_TYPES)),))
            return
        key = read_info_key(request.body)
        self.respond(transaction, 200)
        if key is not None:
            self.exchange.counters["info_keys"] += 1
            self._spawn(self._tell(lambda: self.handler.info_key(self.call, key.key, key.duration_ms)))

    async def _renegotiate(self, transaction: ServerTransaction) -> None:
        """RFC 3261 14.2, RFC 3311 5.2."""
        if self._asking:
            self.respond(transaction, 491)
        elif self._answering or self._unacknowledged:
            self.respond(transaction, 500, [("Retry-After", str(random.randint(1, 10)))])
        else:
            self._answering = True
            try:
                await self._answer_offer(transaction)
            finally:
                self._answering = False

    async def _answer_offer(self, transaction: ServerTransaction) -> None:
        request, settings = transaction.request, self.exchange.settings
        timer = agree_as_callee(request, settings.session_expires_s, settings.min_se_s)
        body = session_body(request, settings.limits.body_bytes)
        if isinstance(timer, TooSmall):
            self.respond(transaction, 422, [("Min-SE", str(timer.min_se_s))])
            return
        if isinstance(body, Refusal):
            self.respond(transaction, body.status, body.headers)
            return
        outcome = await self._new_sdp(body)
        if isinstance(outcome, Reject):
            self.respond(transaction, outcome.status, reason=outcome.reason)
            return
        if self.ended_because is not None:
            self.respond(transaction, 481)
            return
        self._refresh_target(request)
        self._accept_offer(transaction, outcome, body is None, timer)

    def _accept_offer(
        self, transaction: ServerTransaction, sdp: str, without_offer: bool, timer: SessionTimer | None
    ) -> None:
        headers = timer.response_headers() if timer else []
        self.timer = timer
        self._clock.wind(timer)
        if transaction.request.method == "INVITE":
            # A re-INVITE without SDP asks for an offer: the session as it stands (RFC 3261 14.1).
            self.accept_invite(transaction, sdp or self.local_sdp, headers, late_offer=without_offer)
        else:
            self.respond(transaction, 200, headers, sdp=sdp)
            self.local_sdp = sdp or self.local_sdp

    async def _new_sdp(self, body: bytes | None) -> str | Reject:
        if body is None:
            return ""
        try:
            offer = parse_session(body, secure_transport=self.flow.transport == "tls")
        except PeerError:
            return Reject(400)
        if offer is None:
            return Reject(488)
        if offer == self.remote and self._remote_offered:
            return self.local_sdp  # RFC 3264 8: the same media get the same answer, version and all
        outcome = await self._ask_handler(offer)
        if isinstance(outcome, Reject):
            return outcome
        self.remote, self._remote_offered = offer, True
        return outcome.sdp

    async def _ask_handler(self, offer: SessionOffer) -> Answer | Reject:
        async with self._turn:
            try:
                return await self.handler.media_changed(self.call, offer)
            except Exception as problem:
                self._handler_failed(problem)
                return Reject(500)

    def _take_late_answer(self, ack: SipRequest) -> None:
        body = session_body(ack, self.exchange.settings.limits.body_bytes)
        remote = None
        if isinstance(body, bytes):
            try:
                remote = parse_session(body, secure_transport=self.flow.transport == "tls")
            except PeerError:
                self.exchange.counters["malformed"] += 1
        if remote is None:
            self._spawn(self.hang_up(NO_COMMON_MEDIA))
            return
        self.remote, self._remote_offered = remote, False
        self.tell_answered(remote)

    def _never_acknowledged(self) -> None:
        # RFC 3261 13.3.1.4: no ACK in 64 * T1 ends the session, with a BYE.
        self._acknowledged.set()
        self._spawn(self.hang_up(NOT_ACKNOWLEDGED))

    def _refresh_target(self, message: SipRequest | SipResponse) -> None:
        self.dialog.remote_target = contact_uri(message) or self.dialog.remote_target

    # --- what we ask of the peer --------------------------------------------------------------------------------

    async def ask(
        self, method: str, headers: Headers | None = None, body: tuple[str, str] | None = None
    ) -> SipResponse:
        """A request within the dialog and its final answer; `body` is content type and text."""
        response = await self._ask_once(method, headers or [], body)
        if response.status_code in (401, 407) and self.credentials is not None:
            login = answer_challenge(self.credentials, response, method, self.dialog.remote_target)
            if login is not None:
                response = await self._ask_once(method, [*(headers or []), login], body)
        return response

    async def offer_again(self, sdp: str, headers: Headers | None = None) -> SipResponse:
        """A re-INVITE of ours; on 2xx the ACK is out when this returns. 491 is tried again (RFC 3261 14.1)."""
        self._asking = True
        try:
            response = await self.ask("INVITE", headers, ("application/sdp", sdp))
            if response.status_code == 491:
                await asyncio.sleep(random.uniform(0, 2))
                response = await self.ask("INVITE", headers, ("application/sdp", sdp))
        finally:
            self._asking = False
        if response.status_code < 300:
            self._refresh_target(response)
        return response

    async def _ask_once(self, method: str, headers: Headers, body: tuple[str, str] | None) -> SipResponse:
        request = self.request(method)
        for name, value in headers:
            request.headers.append(name, value)
        if method in ("INVITE", "UPDATE"):
            request.headers.append("Contact", self.exchange.contact(self.flow))
            request.headers.append(*ALLOW)
        if body is not None:
            request.content_type, request.text = body
        flow = await self._send_through(request)
        return await self._transaction(request, flow).final

    def _transaction(self, request: SipRequest, flow: Flow) -> ClientTransaction:
        if request.method != "INVITE":
            return self.exchange.transactions.ask(request, flow)
        return self.exchange.transactions.invite(
            request, flow, provisional=lambda _: None, accepted=lambda _: self._spawn(self.send_ack(request))
        )

    async def send_ack(self, invite: SipRequest, sdp: str = "") -> None:
        """RFC 3261 13.2.2.4: the INVITE's CSeq number, a branch of its own, sent once for every copy of the 2xx."""
        cseq = read_cseq(invite)
        ack = self.request("ACK", cseq[0] if cseq else 0)
        for name in ("Authorization", "Proxy-Authorization"):
            for value in invite.headers.get(name):
                ack.headers.append(name, value)
        if sdp:
            ack.content_type, ack.text = "application/sdp", sdp
        flow = await self._send_through(ack)
        flow.send(bytes(ack))

    def request(self, method: str, cseq: int | None = None) -> SipRequest:
        """Request line and Route by RFC 3261 12.2.1.1, for loose routers and the strict ones before them."""
        before = self.dialog.local_cseq
        request: SipRequest = self.dialog.create_request(method)
        if cseq is not None:
            self.dialog.local_cseq = before
            request.headers.set_single("CSeq", f"{cseq} {method}")
        request.headers.set_single("User-Agent", self.exchange.settings.server_name)
        first = read_name_addr(self.dialog.route_set[0]) if self.dialog.route_set else None
        if first is not None and ";lr" not in first.uri.lower():
            request.headers.remove("route")
            for route in [*self.dialog.route_set[1:], f"<{request.uri}>"]:
                request.headers.append("Route", route)
            request.uri = first.uri
        return request

    async def _send_through(self, request: SipRequest) -> Flow:
        routes = request.headers.get("route")
        strict = self.dialog.route_set and routes != self.dialog.route_set
        towards = request.uri if strict or not routes else routes[0]
        flow = await self.exchange.flow_towards(towards, self.flow)
        put_via(request, flow)
        return flow

    async def _refresh(self) -> None:
        """RFC 4028 10: UPDATE where the peer knows it, else a re-INVITE with the same session."""
        if self.timer is None or self._answering or self._asking:
            return
        headers = self.timer.request_headers(self.exchange.settings.min_se_s)
        self.exchange.counters["refreshes_sent"] += 1
        response = (
            await self.ask("UPDATE", headers) if self.peer_updates else await self.offer_again(self.local_sdp, headers)
        )
        if response.status_code < 300:
            self.timer = agree_as_caller(response, self.timer)
            self._clock.wind(self.timer)
        else:
            self._refresh_failed(response)

    def _refresh_failed(self, response: SipResponse) -> None:
        """Anything but these leaves the clock running: it ends the call when no later refresh succeeds."""
        status, timer = response.status_code, self.timer
        if status in (408, 481):
            self._spawn(self.hang_up(SESSION_EXPIRED))
        elif status in (405, 501) and self.peer_updates:
            self.peer_updates = False
            self._spawn(self._refresh())
        elif status == 422 and timer is not None and smallest_accepted(response) > timer.interval_s:
            self.timer = SessionTimer(smallest_accepted(response), True, timer.peer_supports)
            self._spawn(self._refresh())
        elif timer is not None:
            asyncio.get_running_loop().call_later(timer.interval_s / 8, lambda: self._spawn(self._refresh()))

    # --- telling the handler ------------------------------------------------------------------------------------

    def tell_answered(self, remote: SessionOffer) -> None:
        self._spawn(self._tell(lambda: self.handler.answered(self.call, remote)))

    async def _tell(self, say: Callable[[], Awaitable[None]]) -> None:
        """One at a time and in order: asyncio's lock is fair."""
        async with self._turn:
            try:
                await say()
            except Exception as problem:
                self._handler_failed(problem)

    def _handler_failed(self, problem: Exception) -> None:
        """A bug in the handler must not keep a line open that nobody serves."""
        self.exchange.counters["failures"] += 1
        log.error("sip_handler_failed", call=self.call, error=type(problem).__name__)
        self._spawn(self.hang_up(HANDLER_FAILED))

    def _spawn(self, work: Coroutine[object, object, None]) -> None:
        self.exchange.spawn(work)


def speaks_update(message: SipRequest | SipResponse) -> bool:
    return "update" in tokens(message, "allow")
