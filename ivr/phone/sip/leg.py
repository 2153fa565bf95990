"""One call's dialog from its first answer to its end, whichever side began it; the INVITE before it is incoming.py's.

Answers what the peer asks within the call (BYE, re-INVITE, UPDATE, INFO, PRACK, and NOTIFY where we asked for it). What we ask of the peer is in
in_dialog_requests.py, other media in renegotiation.py, the session timer in session_keeper.py; payment is the handler's.
"""

import asyncio
import functools
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass

import structlog
from aiosipua import Dialog, SipRequest

from ivr.errors import PeerError
from ivr.phone.sip.contract import (
    HANDLER_FAILED,
    HUNG_UP_BY_CALLER,
    HUNG_UP_BY_US,
    NOT_ACKNOWLEDGED,
    SESSION_EXPIRED,
    TOO_LONG,
    CallHandler,
)
from ivr.phone.sip.exchange import Exchange
from ivr.phone.sip.hop import Hop
from ivr.phone.sip.in_dialog_requests import Headers, InDialogRequests
from ivr.phone.sip.info_keys import KEY_TYPES, InfoKey, read_info_keys
from ivr.phone.sip.inspection import ALLOW, SUPPORTED, content_type, inspect_request_extensions
from ivr.phone.sip.referral import Referral
from ivr.phone.sip.renegotiation import Renegotiation
from ivr.phone.sip.retransmission import Retransmission
from ivr.phone.sip.server_transaction import ServerTransaction
from ivr.phone.sip.session import Answer, Reject, SessionOffer
from ivr.phone.sip.session_keeper import SessionKeeper
from ivr.phone.sip.session_timer import SessionTimer
from ivr.phone.sip.wire import make_response, read_cseq

log = structlog.get_logger("sip")


@dataclass
class Unacknowledged:
    """A 2xx of ours to an INVITE, sent until its ACK; after a late offer the ACK must bring the answer."""

    repeating: Retransmission
    late_offer: bool


class Leg:
    def __init__(self, exchange: Exchange, handler: CallHandler, call: str, dialog: Dialog, hop: Hop) -> None:
        self.exchange, self.handler, self.call, self.dialog = exchange, handler, call, dialog
        self.local_sdp = ""
        self.remote: SessionOffer | None = None
        self.requests = InDialogRequests(exchange, dialog, hop)
        self.ended_because: str | None = None
        self.over = asyncio.Event()
        # Set while the INVITE is still being answered.
        self.on_prack: Callable[[ServerTransaction], None] | None = None
        self.on_early_bye: Callable[[], None] | None = None
        self.on_settled: Callable[[], None] = lambda: None
        """Called when the call is acknowledged or over, perhaps more than once."""
        self._announced = self._saying_bye = self._heard_bye = False
        self._unacknowledged: dict[int, Unacknowledged] = {}
        self._acknowledged = asyncio.Event()
        self._told_answered = False
        self._keys: list[InfoKey] = []
        self._turn = asyncio.Lock()
        self.keeper = SessionKeeper(
            self.requests,
            session=lambda: "" if self._renegotiation.answering else self.local_sdp,
            expired=lambda: self.spawn(self.hang_up(SESSION_EXPIRED)),
        )
        self._renegotiation = Renegotiation(self)
        self._referral: Referral | None = None
        self._too_long: asyncio.TimerHandle | None = None
        exchange.add(self)

    @property
    def hop(self) -> Hop:
        return self.requests.hop

    @property
    def waits_for_ack(self) -> bool:
        return bool(self._unacknowledged) and not self._acknowledged.is_set()

    @property
    def is_unsettled(self) -> bool:
        """An INVITE of the peer's is still being answered, or one of ours to be acknowledged."""
        return bool(self._unacknowledged) or self.on_early_bye is not None

    # --- the call begins and ends -------------------------------------------------------------------------------

    def announce(self) -> None:
        """The handler has heard of this call: from now on it gets one `ended`."""
        self._announced = True

    def begin(self, timer: SessionTimer | None) -> None:
        """The 2xx is out, or has come: the clocks start."""
        self.keeper.keep(timer)
        self._too_long = asyncio.get_running_loop().call_later(
            self.exchange.settings.max_call_s, lambda: self.spawn(self.hang_up(TOO_LONG))
        )

    def confirm(self) -> None:
        """For a call of ours, whose ACK we send ourselves."""
        self.dialog.confirm()
        self._told_answered = True
        self._settle()

    def end(self, reason: str) -> None:
        """The first reason counts; sends nothing."""
        if self.ended_because is not None:
            return
        self.ended_because = reason
        self.exchange.note_ended(self)
        self.keeper.stop()
        if self._referral is not None:
            self._referral.stop()
        if self._too_long is not None:
            self._too_long.cancel()
        for waiting in self._unacknowledged.values():
            waiting.repeating.stop()
        self._unacknowledged.clear()
        self._keys.clear()
        self._settle()
        self.spawn(self._tell_ended(reason))

    def drop(self) -> None:
        """The handler refused the call: it knows, so it gets no `ended`."""
        self._settle()
        self.exchange.remove(self)

    def give_up_waiting(self) -> None:
        """No ACK came: ends the session with a BYE (RFC 3261 13.3.1.4)."""
        self._settle()
        self.spawn(self.hang_up(NOT_ACKNOWLEDGED))

    def _settle(self) -> None:
        self._acknowledged.set()
        self.on_settled()

    async def hang_up(self, reason: str = HUNG_UP_BY_US) -> None:
        """BYE, repeated until it is answered or 64 * T1 have gone. On the second call nothing happens."""
        # RFC 3261 15: the callee must not send BYE before the ACK, or before it has given up waiting for it.
        await self._acknowledged.wait()
        if self.ended_because is not None:
            return
        if self._heard_bye:
            self.end(HUNG_UP_BY_CALLER)
            return
        self._saying_bye = True  # a BYE of the peer's that crosses ours still finds the leg, and gets its 200
        self.end(reason)
        try:
            await self.requests.send("BYE")
        except PeerError:
            self.exchange.counters["undeliverable"] += 1
        finally:
            self.exchange.remove(self)

    def refer(self, number: str, told: Callable[[bool], None]) -> None:
        """Asks the peer to connect its caller to this number; `told` hears once whether it has."""
        if self._referral is not None:
            self._referral.stop()
        self._referral = Referral(self.requests, told)
        self.spawn(self._referral.ask(number))

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
        if not self.hop.alive:
            self.requests.hop = transaction.hop  # the connection was lost, and the peer has made another
        # RFC 3261 12.2.2: a lower number is an old request, out of order.
        if cseq is None or cseq[0] <= self.dialog.remote_cseq:
            self.respond(transaction, 500)
            return
        self.dialog.remote_cseq = cseq[0]
        refusal = inspect_request_extensions(request)
        if refusal is not None:
            self.respond(transaction, refusal.status, refusal.headers)
        elif self._is_beyond(request.method):
            self.respond(transaction, 481)
        else:
            self._take_as_acknowledgement(request)
            self._serve(transaction)

    def _is_beyond(self, method: str) -> bool:
        """The peer asks it of a call that is over; a BYE that crossed ours is answered, and so is the last word on a referral."""
        if self.ended_because is not None:
            return method != "BYE"
        return self._heard_bye and method not in ("BYE", "NOTIFY")

    def acknowledged(self, ack: SipRequest) -> None:
        cseq = read_cseq(ack)
        waiting = self._unacknowledged.pop(cseq[0], None) if cseq else None
        if waiting is None:
            return
        waiting.repeating.stop()
        first = not self._acknowledged.is_set()
        self.dialog.confirm()
        self._settle()
        if waiting.late_offer:
            self._renegotiation.take_late_answer(ack, first)
        elif first and self.remote is not None:
            self.tell_answered(self.remote)

    def _take_as_acknowledgement(self, request: SipRequest) -> None:
        """Whoever asks for something within the call has our 200: only the ACK was lost. The 200 is still repeated
        until it comes; a late offer waits for it, the answer is in there.
        """
        answered = bool(self._unacknowledged) and self._renegotiation.remote_offered and not self._acknowledged.is_set()
        if answered and request.method != "BYE" and self.remote is not None:
            self._settle()
            self.tell_answered(self.remote)

    def accept_invite(self, transaction: ServerTransaction, sdp: str, headers: Headers, *, late_offer: bool) -> None:
        """200 with our SDP, sent again until the ACK, whatever the transport (RFC 3261 13.3.1.4)."""
        self.local_sdp = sdp
        self._renegotiation.remote_offered = not late_offer
        self.respond(transaction, 200, headers, sdp=sdp)
        cseq = read_cseq(transaction.request)
        timers = self.exchange.settings.timers
        repeating = Retransmission(timers, transaction.repeat, self.give_up_waiting, most_s=timers.t2_s)
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
            response.headers.append("Contact", self.exchange.contact(self.hop))
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
                self._hear_bye()
            case "INVITE" | "UPDATE":
                self.spawn(self._renegotiation.answer(transaction))
            case "INFO":
                self._take_info(transaction)
            case "NOTIFY" if self._referral is not None:
                self.respond(transaction, self._referral.notified(transaction.request))
            case "OPTIONS":
                self.respond(transaction, 200, (ALLOW, SUPPORTED))
            case "PRACK" if self.on_prack is not None:
                self.on_prack(transaction)
            case "PRACK":
                self.respond(transaction, 481)
            case _:
                self.respond(transaction, 405, (ALLOW,))

    def _hear_bye(self) -> None:
        """The end, unless the peer has still to say whether it has connected the caller."""
        self._heard_bye = True
        if self._referral is not None and self._referral.outlive(lambda: self.end(HUNG_UP_BY_CALLER)):
            self.exchange.note_ended(self)
            self.keeper.stop()
        else:
            self.end(HUNG_UP_BY_CALLER)

    def _take_info(self, transaction: ServerTransaction) -> None:
        request = transaction.request
        kind = content_type(request)
        if request.body and kind not in KEY_TYPES:
            # RFC 6086 4.2.2: a body we do not know is a 415; an empty INFO is a sign of life.
            self.respond(transaction, 415, (("Accept", ", ".join(KEY_TYPES)),))
            return
        keys = read_info_keys(kind, request.body)
        if keys is None:
            self.respond(transaction, 400)  # a phone that is told 200 believes that its key was taken
            return
        self.respond(transaction, 200)
        self.exchange.counters["info_keys"] += len(keys)
        self._keys += keys
        if self._told_answered:
            self._tell_keys()

    def _tell_keys(self) -> None:
        """A key may come before the ACK: the handler hears of it after `answered`, when someone listens."""
        for key in self._keys:
            self.spawn(self._tell(functools.partial(self.handler.info_key, self.call, key.key, key.duration_ms)))
        self._keys.clear()

    # --- telling the handler ------------------------------------------------------------------------------------

    async def ask_media(self, offer: SessionOffer) -> Answer | Reject:
        """What the handler answers to other media."""
        async with self._turn:
            try:
                return await self.handler.media_changed(self.call, offer)
            except Exception as problem:
                self._handler_failed(problem)
                return Reject(500)

    def tell_answered(self, remote: SessionOffer) -> None:
        self.spawn(self._tell(lambda: self.handler.answered(self.call, remote)))
        self._told_answered = True
        self._tell_keys()

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
        self.spawn(self.hang_up(HANDLER_FAILED))

    def spawn(self, work: Coroutine[object, object, None]) -> None:
        self.exchange.spawn(work)
