"""Other media within a call: the peer's re-INVITE or UPDATE answered (RFC 3261 14.2, RFC 3311 5.2), and an answer in its ACK.

What the media become is for the handler to say; what we ask of the peer is in in_dialog_requests.py.
"""

import random
from collections.abc import Coroutine
from typing import Protocol

from aiosipua import SipRequest

from ivr.errors import PeerError
from ivr.phone.sip.contract import NO_COMMON_MEDIA
from ivr.phone.sip.exchange import Exchange
from ivr.phone.sip.hop import Hop
from ivr.phone.sip.in_dialog_requests import Headers, InDialogRequests
from ivr.phone.sip.inspection import Refusal, session_body
from ivr.phone.sip.server_transaction import ServerTransaction
from ivr.phone.sip.session import Answer, Reject, SessionOffer
from ivr.phone.sip.session_keeper import SessionKeeper
from ivr.phone.sip.session_timer import SessionTimer, TooSmall, agree_as_callee


class RenegotiatedLeg(Protocol):
    """The call as seen from here: `leg.Leg` is one."""

    exchange: Exchange
    requests: InDialogRequests
    keeper: SessionKeeper
    local_sdp: str
    remote: SessionOffer | None
    ended_because: str | None

    @property
    def hop(self) -> Hop: ...

    @property
    def is_unsettled(self) -> bool: ...

    def respond(
        self,
        transaction: ServerTransaction,
        status: int,
        headers: Headers | tuple[tuple[str, str], ...] = (),
        *,
        sdp: str = "",
        reason: str = "",
    ) -> None: ...

    def accept_invite(
        self, transaction: ServerTransaction, sdp: str, headers: Headers, *, late_offer: bool
    ) -> None: ...

    def tell_answered(self, remote: SessionOffer) -> None: ...

    def spawn(self, work: Coroutine[object, object, None]) -> None: ...

    async def ask_media(self, offer: SessionOffer) -> Answer | Reject: ...

    async def hang_up(self, reason: str) -> None: ...


class Renegotiation:
    """One call's. `answering`: an offer of the peer's is being answered; `remote_offered`: the media as they stand were
    offered by the peer."""

    def __init__(self, leg: RenegotiatedLeg) -> None:
        self._leg = leg
        self.answering = self.remote_offered = False

    async def answer(self, transaction: ServerTransaction) -> None:
        """RFC 3261 14.2, RFC 3311 5.2."""
        if self._leg.requests.offering:
            self._leg.respond(transaction, 491)
        elif self.answering or self._leg.is_unsettled:
            self._leg.respond(transaction, 500, [("Retry-After", str(random.randint(1, 10)))])
        else:
            self.answering = True
            try:
                await self._answer_offer(transaction)
            finally:
                self.answering = False

    async def _answer_offer(self, transaction: ServerTransaction) -> None:
        request, settings = transaction.request, self._leg.exchange.settings
        timer = agree_as_callee(request, settings.session_expires_s, settings.min_se_s)
        body = session_body(request, settings.limits.body_bytes)
        if isinstance(timer, TooSmall):
            self._leg.respond(transaction, 422, [("Min-SE", str(timer.min_se_s))])
            return
        if isinstance(body, Refusal):
            self._leg.respond(transaction, body.status, body.headers)
            return
        outcome = await self._new_sdp(body)
        if isinstance(outcome, Reject):
            self._leg.respond(transaction, outcome.status, reason=outcome.reason)
            return
        if self._leg.ended_because is not None:
            self._leg.respond(transaction, 481)
            return
        self._leg.requests.refresh_target(request)
        self._accept_offer(transaction, outcome, body is None, timer)

    def _accept_offer(
        self, transaction: ServerTransaction, sdp: str, without_offer: bool, timer: SessionTimer | None
    ) -> None:
        headers = timer.response_headers() if timer else []
        self._leg.keeper.keep(timer)
        if transaction.request.method == "INVITE":
            # A re-INVITE without SDP asks for an offer: the session as it stands (RFC 3261 14.1).
            self._leg.accept_invite(transaction, sdp or self._leg.local_sdp, headers, late_offer=without_offer)
        else:
            self._leg.respond(transaction, 200, headers, sdp=sdp)
            self._leg.local_sdp = sdp or self._leg.local_sdp

    async def _new_sdp(self, body: bytes | None) -> str | Reject:
        if body is None:
            return ""
        try:
            offer = self._leg.exchange.read_session(body, self._leg.hop)
        except PeerError:
            return Reject(400)
        if offer is None:
            return Reject(488)
        if offer == self._leg.remote and self.remote_offered:
            return self._leg.local_sdp  # RFC 3264 8: the same media get the same answer, version and all
        outcome = await self._leg.ask_media(offer)
        if isinstance(outcome, Reject):
            return outcome
        self._leg.remote, self.remote_offered = offer, True
        return outcome.sdp

    def take_late_answer(self, ack: SipRequest, first: bool) -> None:
        body = session_body(ack, self._leg.exchange.settings.limits.body_bytes)
        remote = None
        if isinstance(body, bytes):
            try:
                remote = self._leg.exchange.read_session(body, self._leg.hop)
            except PeerError:
                self._leg.exchange.counters["malformed"] += 1
        if remote is None:
            self._leg.spawn(self._leg.hang_up(NO_COMMON_MEDIA))
            return
        known, self._leg.remote, self.remote_offered = self._leg.remote, remote, False
        if first:
            self._leg.tell_answered(remote)
        elif remote != known:
            self._leg.spawn(self._tell_moved(remote))

    async def _tell_moved(self, remote: SessionOffer) -> None:
        """The far end answered our re-offer with other media; what the handler would answer to that is not sent."""
        if isinstance(await self._leg.ask_media(remote), Reject):
            await self._leg.hang_up(NO_COMMON_MEDIA)
