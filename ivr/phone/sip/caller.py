"""Calls of our own, for trying a trunk and for tests: INVITE, authentication, ACK, and the leg after it; plays nothing."""

import asyncio
import secrets
from contextlib import suppress
from dataclasses import dataclass

from aiosipua import Dialog, SipRequest, SipResponse
from aiosipua.utils import generate_call_id

from ivr.errors import PeerError
from ivr.phone.sip.challenge import Credentials, answer_challenge
from ivr.phone.sip.client_transaction import ClientTransaction, follow_up
from ivr.phone.sip.contract import Invitation
from ivr.phone.sip.endpoint import SipEndpoint
from ivr.phone.sip.exchange import Exchange, put_via
from ivr.phone.sip.hop import Hop
from ivr.phone.sip.inspection import ALLOW
from ivr.phone.sip.leg import Leg
from ivr.phone.sip.negotiation import LocalSession
from ivr.phone.sip.sdp import parse_session
from ivr.phone.sip.session import Answer, Reject, SessionOffer
from ivr.phone.sip.session_timer import SessionTimer, agree_as_caller
from ivr.phone.sip.wire import contact_uri, recipient

EARLY_SIGNALS = (401, 407)


class CallRefusedError(PeerError):
    """The far end said no, or nothing; `status` is its SIP status, 408 when it was silent."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(f"SIP call refused: {status} {reason}")
        self.status = status


class CallerHandler:
    """Answers what comes within our own calls, from each call's session, and takes no calls."""

    def __init__(self) -> None:
        self.sessions: dict[str, LocalSession] = {}

    async def invited(self, invitation: Invitation) -> Answer | Reject:
        return Reject(480)

    async def answered(self, call: str, remote: SessionOffer) -> None:
        """Nothing to start: `call` returns when the far end has answered."""

    async def media_changed(self, call: str, offer: SessionOffer) -> Answer | Reject:
        return self.sessions[call].answer(offer)

    async def info_key(self, call: str, key: str, duration_ms: int) -> None:
        """Nobody types to a caller."""

    async def ended(self, call: str, reason: str) -> None:
        self.sessions.pop(call, None)


@dataclass(frozen=True)
class OutgoingCall:
    """An answered call of ours."""

    leg: Leg
    answer: Answer
    """What both agreed on: codec, telephone_event and keys as for an incoming call."""

    @property
    def call(self) -> str:
        return self.leg.call

    @property
    def remote(self) -> SessionOffer:
        if self.leg.remote is None:
            raise PeerError("SIP: the far end answered without media")
        return self.leg.remote

    async def hang_up(self) -> None:
        await self.leg.hang_up()

    async def until_over(self) -> str:
        """Waits for the end, by whichever side, and gives its reason."""
        await self.leg.over.wait()
        return self.leg.ended_because or ""

    async def send_key(self, key: str, duration_ms: int = 160) -> int:
        """One key by SIP INFO; the status it got."""
        body = f"Signal={key}\r\nDuration={duration_ms}\r\n"
        return (await self.leg.requests.send("INFO", body=("application/dtmf-relay", body))).status_code

    async def reinvite(self, sdp: str) -> SessionOffer:
        """re-INVITE: hold, another port. Raises CallRefusedError; the call then goes on as it was."""
        response = await self.leg.requests.reinvite(sdp)
        if response.status_code >= 300:
            raise CallRefusedError(response.status_code, response.reason_phrase)
        remote = session_in(response, self.leg.hop)
        self.leg.local_sdp, self.leg.remote = sdp, remote
        return remote


class SipCaller:
    """Rings through an endpoint's sockets; `identity` is our From, by default the address of the hop."""

    def __init__(
        self, endpoint: SipEndpoint, *, identity: str | None = None, credentials: Credentials | None = None
    ) -> None:
        self._exchange: Exchange = endpoint.exchange
        self._identity, self._credentials = identity, credentials
        self._handler = CallerHandler()

    async def call(
        self, uri: str, session: LocalSession, *, patience_s: float = 60, late_offer: bool = False, secure: bool = False
    ) -> OutgoingCall:
        """Returns when answered and acknowledged; raises CallRefusedError, also when nobody answers for `patience_s`.
        One that is cancelled while it rings takes its INVITE back (CANCEL), or hangs up what is answered meanwhile.
        """
        hop = await self._exchange.hop_towards(uri)
        offer = None if late_offer else session.offer(secure=secure)
        attempt = Attempt(self._exchange, self._handler, self._first_invite(uri, hop, offer), hop, session, offer)
        attempt.credentials = self._credentials
        return await attempt.run(patience_s)

    def _first_invite(self, uri: str, hop: Hop, offer: Answer | None) -> SipRequest:
        invite = SipRequest(method="INVITE", uri=uri.partition("?")[0])
        put_via(invite, hop)
        settings = self._exchange.settings
        own = self._identity or self._exchange.contact(hop, "caller").strip("<>")
        lines = [
            ("Max-Forwards", "70"),
            ("From", f"<{own}>;tag={secrets.token_hex(16)}"),
            ("To", f"<{uri}>"),
            ("Call-ID", generate_call_id(hop.local[0])),
            ("CSeq", "1 INVITE"),
            ("Contact", self._exchange.contact(hop)),
            ("User-Agent", settings.server_name),
            ALLOW,
        ]
        if settings.session_expires_s:
            lines += SessionTimer(settings.session_expires_s, True, True).request_headers(settings.min_se_s)[:2]
        lines.append(("Supported", "timer"))
        for name, value in lines:
            invite.headers.append(name, value)
        if offer is not None:
            invite.content_type, invite.text = "application/sdp", offer.sdp
        return invite


class Attempt:
    """One call until it is answered; after a fork the first answer wins and the others are hung up."""

    def __init__(
        self,
        exchange: Exchange,
        handler: CallerHandler,
        invite: SipRequest,
        hop: Hop,
        session: LocalSession,
        offer: Answer | None,
    ) -> None:
        self.credentials: Credentials | None = None
        self._exchange, self._handler, self._invite, self._hop = exchange, handler, invite, hop
        self._session, self._offer = session, offer
        self._heard = asyncio.Event()
        self._cseq = 1
        self._legs: dict[str, Leg] = {}
        self._answers: dict[str, str] = {}

    async def run(self, patience_s: float) -> OutgoingCall:
        response = await self._ask(patience_s)
        if response.status_code in EARLY_SIGNALS and self.credentials is not None:
            login = answer_challenge(self.credentials, response, "INVITE", self._invite.uri)
            if login is not None:
                self._cseq += 1
                self._invite.headers.set_single("CSeq", f"{self._cseq} INVITE")
                self._invite.headers.set_single(*login)
                response = await self._ask(patience_s)
        if response.status_code >= 300:
            raise CallRefusedError(response.status_code, response.reason_phrase)
        return await self._settle(response)

    async def _ask(self, patience_s: float) -> SipResponse:
        put_via(self._invite, self._hop)
        self._heard.clear()
        transaction = self._exchange.transactions.invite(
            self._invite, self._hop, provisional=lambda _: self._heard.set(), accepted=self._accepted
        )
        try:
            async with asyncio.timeout(patience_s):
                return await asyncio.shield(transaction.final)
        except TimeoutError:
            return await self._cancel(transaction)
        except asyncio.CancelledError:
            await self._withdraw(transaction)
            raise

    async def _withdraw(self, transaction: ClientTransaction) -> None:
        """Nobody waits for this call any more. A far end that says nothing at all is left alone after timer T2."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._exchange.settings.timers.t2_s):
                await self._cancel(transaction)
        for leg in self._legs.values():
            await self._hang_up_fork(leg)

    async def _cancel(self, transaction: ClientTransaction) -> SipResponse:
        """RFC 3261 9.1: not before a provisional answer; a 200 that crosses it is an answered call."""
        if self._heard.is_set():
            self._exchange.transactions.request(follow_up(self._invite, "CANCEL"), self._hop)
        async with asyncio.timeout(self._exchange.settings.timers.give_up_s):
            return await asyncio.shield(transaction.final)

    def _accepted(self, response: SipResponse) -> None:
        """Every 2xx, copies too: each gets its ACK (RFC 3261 13.2.2.4)."""
        tag = recipient(response).tag
        leg = self._legs.get(tag)
        if leg is not None:
            self._exchange.spawn(leg.requests.send_ack(self._invite, self._answers.get(tag, "")))
            return
        leg = self._legs[tag] = self._new_leg(response)
        if len(self._legs) > 1:
            self._exchange.spawn(self._hang_up_fork(leg))

    def _new_leg(self, response: SipResponse) -> Leg:
        dialog = dialog_as_caller(self._invite, response, self._cseq)
        leg = Leg(self._exchange, self._handler, dialog.local_tag + dialog.remote_tag, dialog, self._hop)
        leg.requests.credentials = self.credentials
        leg.keeper.note_methods(response)
        leg.confirm()
        return leg

    async def _hang_up_fork(self, leg: Leg) -> None:
        await leg.requests.send_ack(self._invite)
        await leg.hang_up()

    async def _settle(self, response: SipResponse) -> OutgoingCall:
        leg = self._legs[recipient(response).tag]
        try:
            leg.remote = session_in(response, self._hop)
            outcome = self._session.settle(self._offer, leg.remote) if self._offer else self._session.answer(leg.remote)
        except PeerError:
            outcome = Reject(488)
        if isinstance(outcome, Reject):
            await self._hang_up_fork(leg)
            raise CallRefusedError(488, "no common media in the answer")
        if self._offer is None:
            self._answers[leg.dialog.remote_tag] = outcome.sdp
        await leg.requests.send_ack(self._invite, "" if self._offer else outcome.sdp)
        self._begin(leg, response, outcome)
        return OutgoingCall(leg, outcome)

    def _begin(self, leg: Leg, response: SipResponse, outcome: Answer) -> None:
        leg.local_sdp = outcome.sdp
        self._handler.sessions[leg.call] = self._session
        leg.announce()
        wanted = self._exchange.settings.session_expires_s
        leg.begin(agree_as_caller(response, SessionTimer(wanted, True, False)) if wanted else None)


def dialog_as_caller(invite: SipRequest, response: SipResponse, cseq: int) -> Dialog:
    """RFC 3261 12.1.2: here the route set is Record-Route in reverse."""
    sent_from, to = invite.from_addr, recipient(response)
    return Dialog(
        call_id=invite.call_id or "",
        local_tag=(sent_from.tag if sent_from else None) or "",
        remote_tag=to.tag,
        local_uri=invite.headers.get("from")[0].partition("<")[2].partition(">")[0],
        remote_uri=to.uri,
        remote_target=contact_uri(response) or invite.uri,
        route_set=list(reversed(response.headers.get("record-route"))),
        local_cseq=cseq,
        remote_cseq=-1,
    )


def session_in(response: SipResponse, hop: Hop) -> SessionOffer:
    session = parse_session(response.body, secure_transport=hop.transport == "tls")
    if session is None:
        raise PeerError("SIP: the far end's SDP has nothing we speak (PCMU or PCMA at a literal IP address)")
    return session
