"""An INVITE until it is answered, refused or cancelled; from the 200 on the call is the leg's."""

import asyncio
import random
from collections.abc import Callable

import structlog
from aiosipua import Dialog, SipRequest

from ivr.phone.sip.contract import CANCELLED, HANDLER_FAILED, CallHandler, Invitation
from ivr.phone.sip.exchange import Exchange
from ivr.phone.sip.leg import Leg
from ivr.phone.sip.retransmission import Retransmission
from ivr.phone.sip.server_transaction import ServerTransaction
from ivr.phone.sip.session import Answer, Reject
from ivr.phone.sip.session_timer import SessionTimer
from ivr.phone.sip.wire import contact_uri, is_number, read_cseq, recipient, sender, tokens

log = structlog.get_logger("sip")


class IncomingCall:
    def __init__(
        self,
        exchange: Exchange,
        handler: CallHandler,
        transaction: ServerTransaction,
        invitation: Invitation,
        timer: SessionTimer | None,
    ) -> None:
        self.exchange, self.handler, self.transaction = exchange, handler, transaction
        self.invitation, self._timer = invitation, timer
        self.leg = Leg(
            exchange, handler, invitation.call, dialog_as_callee(transaction.request, invitation.call), transaction.hop
        )
        self.leg.remote = invitation.offer
        self.leg.keeper.note_methods(transaction.request)
        self.leg.on_early_bye = self.cancel
        self._rseq = random.randint(1, 2**30)
        self._pracked: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._ringing: Retransmission | None = None
        self._task = exchange.spawn(self._run())

    def on_settled(self, then: Callable[[], object]) -> None:
        """Answered, refused or cancelled: CANCEL has nothing to find any more."""
        self._task.add_done_callback(lambda _: then())

    def cancel(self, status: int = 487, reason: str = CANCELLED) -> None:
        """CANCEL, a BYE before the answer (RFC 3261 9.2, 15.1.2), or our own wish. Once answered, nothing happens."""
        if self.transaction.final_status is None:
            self._give_up(status, reason)
            self._task.cancel()

    async def _run(self) -> None:
        self._log_invited()
        self.leg.announce()
        self.exchange.counters["calls"] += 1
        try:
            await self._ask_handler()
        except Exception as problem:
            self.exchange.counters["failures"] += 1
            log.error("sip_handler_failed", call=self.invitation.call, error=type(problem).__name__)
            self._give_up(500, HANDLER_FAILED)

    def _log_invited(self) -> None:
        """`telephone_event` is None where keys can only come in-band or by INFO: an operator has to see that."""
        invitation = self.invitation
        named = {"telephone_event": invitation.offer.telephone_event} if invitation.offer else {}
        log.info("sip_invited", call=invitation.call, source=invitation.source[0], peer=invitation.peer, **named)

    async def _ask_handler(self) -> None:
        patience, status = patience_of(self.transaction.request, self.exchange.settings.answer_timeout_s)
        try:
            async with asyncio.timeout(patience):
                outcome = await self.handler.invited(self.invitation)
        except TimeoutError:
            self._give_up(status, CANCELLED)
        else:
            if self.transaction.final_status is None:
                await self._take(outcome)

    async def _take(self, outcome: Answer | Reject) -> None:
        if isinstance(outcome, Reject):
            self._refuse(outcome)
        elif not self._must_ring_reliably() or await self._ring():
            self._answer(outcome)
        elif self.transaction.final_status is None:
            # RFC 3262 3: a provisional answer nobody acknowledged ends the INVITE with a 5xx.
            self._give_up(504, CANCELLED)

    def _refuse(self, reject: Reject) -> None:
        log.info("sip_refused", call=self.invitation.call, status=reject.status)
        self._respond_finally(reject.status, reject.reason)
        self.leg.drop()

    def _give_up(self, status: int, reason: str) -> None:
        self._respond_finally(status)
        self.leg.end(reason)

    def _respond_finally(self, status: int, reason: str = "") -> None:
        if self._ringing is not None:
            self._ringing.stop()
        headers = [("Retry-After", str(self.exchange.settings.retry_after_s))] if status == 503 else []
        self.leg.respond(self.transaction, status, headers, reason=reason)

    def _answer(self, answer: Answer) -> None:
        log.info("sip_answered", call=self.invitation.call)
        self.exchange.counters["calls_answered"] += 1
        late_offer = self.invitation.offer is None
        headers = self._timer.response_headers() if self._timer else []
        self.leg.on_prack = self.leg.on_early_bye = None
        self.leg.accept_invite(self.transaction, answer.sdp, headers, late_offer=late_offer)
        self.leg.begin(self._timer)

    def _must_ring_reliably(self) -> bool:
        """Only a provisional answer has to be reliable (RFC 3262 3), and with a late offer ours would have to carry
        the offer; there we answer at once instead, without ringing.
        """
        return "100rel" in tokens(self.transaction.request, "require") and self.invitation.offer is not None

    async def _ring(self) -> bool:
        """180 sent until its PRACK; False when none came."""
        self.leg.on_prack = self._pracked_by
        self.leg.respond(self.transaction, 180, [("Require", "100rel"), ("RSeq", str(self._rseq))])
        self._ringing = Retransmission(
            self.exchange.settings.timers, self.transaction.repeat, lambda: self._settle(False), most_s=None
        )
        return await self._pracked

    def _pracked_by(self, transaction: ServerTransaction) -> None:
        rack = (transaction.request.headers.get_first("rack") or "").split()
        cseq = read_cseq(self.transaction.request)
        if cseq is None or rack != [str(self._rseq), str(cseq[0]), "INVITE"] or self._pracked.done():
            self.leg.respond(transaction, 481)
            return
        self.leg.respond(transaction, 200)
        self._settle(True)

    def _settle(self, acknowledged: bool) -> None:
        if self._ringing is not None:
            self._ringing.stop()
        if not self._pracked.done():
            self._pracked.set_result(acknowledged)


def patience_of(request: SipRequest, answer_timeout_s: float) -> tuple[float, int]:
    """How long the handler has, and what the caller gets after it: RFC 3261 13.3.1 has 487 for the caller's Expires."""
    text = (request.headers.get_first("expires") or "").strip()
    if is_number(text, 2**31) and 0 < int(text) < answer_timeout_s:
        return int(text), 487
    return answer_timeout_s, 408


def dialog_as_callee(request: SipRequest, tag: str) -> Dialog:
    """RFC 3261 12.1.1. The route set keeps the order of Record-Route; aiosipua's own constructor reverses it."""
    cseq = read_cseq(request)
    return Dialog(
        call_id=request.call_id or "",
        local_tag=tag,
        remote_tag=sender(request).tag,
        local_uri=recipient(request).uri,
        remote_uri=sender(request).uri,
        remote_target=contact_uri(request) or sender(request).uri,
        route_set=list(request.headers.get("record-route")),
        remote_cseq=cseq[0] if cseq else 0,
    )
