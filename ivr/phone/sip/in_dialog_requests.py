"""Our requests to a peer within a dialog: BYE, INFO, UPDATE, re-INVITE and its ACK; when and why is for the leg."""

import asyncio
import random

from aiosipua import Dialog, SipRequest, SipResponse

from ivr.phone.sip.challenge import Credentials, answer_challenge
from ivr.phone.sip.client_transaction import ClientTransaction
from ivr.phone.sip.exchange import Exchange, put_via
from ivr.phone.sip.hop import Hop
from ivr.phone.sip.inspection import ALLOW
from ivr.phone.sip.wire import contact_uri, read_cseq, read_name_addr

Headers = list[tuple[str, str]]
Body = tuple[str, str]
"""Content type and text."""


class InDialogRequests:
    """Our requests within one dialog; each returns the final answer, a 408 of our own when there was none."""

    def __init__(self, exchange: Exchange, dialog: Dialog, hop: Hop) -> None:
        self.exchange, self.dialog, self.hop = exchange, dialog, hop
        self.credentials: Credentials | None = None
        self.offering = False
        """An offer of ours is under way: one that meets it is a 491 (RFC 3261 14.2)."""

    async def send(self, method: str, headers: Headers | None = None, body: Body | None = None) -> SipResponse:
        response = await self._send_once(method, headers or [], body)
        if response.status_code in (401, 407) and self.credentials is not None:
            login = answer_challenge(self.credentials, response, method, self.dialog.remote_target)
            if login is not None:
                response = await self._send_once(method, [*(headers or []), login], body)
        return response

    async def reinvite(self, sdp: str, headers: Headers | None = None) -> SipResponse:
        """A re-INVITE; after a 2xx the ACK goes out by itself. 491 is tried once more (RFC 3261 14.1)."""
        self.offering = True
        try:
            response = await self.send("INVITE", headers, ("application/sdp", sdp))
            if response.status_code == 491:
                await asyncio.sleep(random.uniform(0, 2))
                response = await self.send("INVITE", headers, ("application/sdp", sdp))
        finally:
            self.offering = False
        if response.status_code < 300:
            self.refresh_target(response)
        return response

    async def send_ack(self, invite: SipRequest, sdp: str = "") -> None:
        """RFC 3261 13.2.2.4: the INVITE's CSeq number, a branch of its own, sent once for every copy of the 2xx."""
        ack = self._build("ACK")
        cseq = read_cseq(invite)
        ack.headers.set_single("CSeq", f"{cseq[0] if cseq else 0} ACK")
        self.dialog.local_cseq -= 1  # building it took a number, but an ACK has none of its own
        for name in ("Authorization", "Proxy-Authorization"):
            for value in invite.headers.get(name):
                ack.headers.append(name, value)
        if sdp:
            ack.content_type, ack.text = "application/sdp", sdp
        hop = await self._hop_for(ack)
        hop.send(bytes(ack))

    def refresh_target(self, message: SipRequest | SipResponse) -> None:
        """A re-INVITE, UPDATE or the answer to one may move the far end (RFC 3261 12.2)."""
        self.dialog.remote_target = contact_uri(message) or self.dialog.remote_target

    async def _send_once(self, method: str, headers: Headers, body: Body | None) -> SipResponse:
        request = self._build(method)
        for name, value in headers:
            request.headers.append(name, value)
        if method in ("INVITE", "UPDATE"):
            request.headers.append("Contact", self.exchange.contact(self.hop))
            request.headers.append(*ALLOW)
        if body is not None:
            request.content_type, request.text = body
        hop = await self._hop_for(request)
        return await self._begin(request, hop).final

    def _begin(self, request: SipRequest, hop: Hop) -> ClientTransaction:
        if request.method != "INVITE":
            return self.exchange.transactions.request(request, hop)
        return self.exchange.transactions.invite(
            request, hop, provisional=lambda _: None, accepted=lambda _: self._acknowledge(request)
        )

    def _acknowledge(self, invite: SipRequest) -> None:
        self.exchange.spawn(self.send_ack(invite))

    def _build(self, method: str) -> SipRequest:
        """Request line and Route by RFC 3261 12.2.1.1, for loose routers and the strict ones before them."""
        request: SipRequest = self.dialog.create_request(method)
        request.headers.set_single("User-Agent", self.exchange.settings.server_name)
        first = self._strict_router()
        if first is not None:
            request.headers.remove("route")
            for route in [*self.dialog.route_set[1:], f"<{request.uri}>"]:
                request.headers.append("Route", route)
            request.uri = first
        return request

    def _strict_router(self) -> str | None:
        first = read_name_addr(self.dialog.route_set[0]) if self.dialog.route_set else None
        return first.uri if first is not None and ";lr" not in first.uri.lower() else None

    async def _hop_for(self, request: SipRequest) -> Hop:
        routes = request.headers.get("route")
        towards = request.uri if self._strict_router() or not routes else routes[0]
        hop = await self.exchange.hop_towards(towards, self.hop)
        put_via(request, hop)
        return hop
