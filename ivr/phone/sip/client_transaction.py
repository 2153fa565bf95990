"""One request of ours and the answers to it (RFC 3261 17.1, RFC 6026); what is asked, and why, is the dialog's matter."""

import asyncio
from collections.abc import Callable

from aiosipua import SipRequest, SipResponse, stringify_via

from ivr.phone.sip.hop import Hop
from ivr.phone.sip.retransmission import Retransmission
from ivr.phone.sip.settings import Timers
from ivr.phone.sip.wire import make_response, read_cseq, top_via

ClientKey = tuple[str, str]
Heard = Callable[[SipResponse], None]


def client_key(message: SipRequest | SipResponse) -> ClientKey:
    """RFC 3261 17.1.3: our branch and the method of the CSeq."""
    via, cseq = top_via(message), read_cseq(message)
    return (via.branch if via else None) or "", cseq[1] if cseq else ""


class ClientTransaction:
    """Sent when made; `final` resolves once: to the answer, or to a 408 or 503 of our own when none came (8.1.3.1)."""

    def __init__(self, request: SipRequest, hop: Hop, timers: Timers, forget: Callable[[ClientKey], None]) -> None:
        self.key = client_key(request)
        self.request, self.hop = request, hop
        self._timers, self._forget = timers, forget
        self._loop = asyncio.get_running_loop()
        self.final: asyncio.Future[SipResponse] = self._loop.create_future()
        self._sent = bytes(request)
        # Timers E and F here, A and B for INVITE, whose pauses grow without a limit.
        most_s = None if request.method == "INVITE" else timers.t2_s
        self._repeating = Retransmission(timers, self._send, self._nobody_answers, most_s=most_s)
        if hop.transport != "udp":
            self._repeating.stop_sending()
        self._end: asyncio.TimerHandle | None = None
        self._send()
        if not hop.alive:
            self._loop.call_soon(self.undeliverable)

    def received(self, response: SipResponse) -> None:
        if response.status_code >= 200:
            self._finish(response, self._timers.t4_s)  # timer K
        elif not self.final.done():
            self._repeating.slow_down(self._timers.t2_s)

    def stop(self) -> None:
        self._repeating.stop()
        if self._end is not None:
            self._end.cancel()
        if not self.final.done():
            self.final.cancel()

    def undeliverable(self) -> None:
        """The connection has gone: at once what a far end that cannot be reached means (RFC 3261 8.1.3.1)."""
        if not self.final.done():
            self._finish(make_response(self.request, 503), 0)

    def _send(self) -> None:
        self.hop.send(self._sent)

    def _nobody_answers(self) -> None:
        self._finish(make_response(self.request, 408), 0)

    def _finish(self, response: SipResponse, linger_s: float) -> None:
        self._repeating.stop()
        if not self.final.done():
            self.final.set_result(response)
        if self._end is None:
            self._end = self._loop.call_later(linger_s, self._forget, self.key)


class InviteClientTransaction(ClientTransaction):
    """17.1.1: refusals are acknowledged here; every 2xx goes to `accepted`, copies and other forks' too (RFC 6026 7.2)."""

    def __init__(
        self,
        request: SipRequest,
        hop: Hop,
        timers: Timers,
        forget: Callable[[ClientKey], None],
        *,
        provisional: Heard,
        accepted: Heard,
    ) -> None:
        self._provisional, self._accepted = provisional, accepted
        super().__init__(request, hop, timers, forget)

    def received(self, response: SipResponse) -> None:
        if response.status_code < 200:
            if not self.final.done():
                self._repeating.stop()  # it rings; how long, is the caller's patience
                self._provisional(response)
            return
        if response.status_code < 300:
            self._accepted(response)
        else:
            self.hop.send(bytes(self._ack(response)))
        self._finish(response, self._timers.give_up_s)  # timers D and M

    def _ack(self, response: SipResponse) -> SipRequest:
        """RFC 3261 17.1.1.3: same branch, same route, the To of the refusal."""
        ack = follow_up(self.request, "ACK")
        ack.headers.set_single("To", response.headers.get_first("to") or "")
        return ack


def follow_up(invite: SipRequest, method: str) -> SipRequest:
    """ACK of a refusal, or CANCEL (9.1): the INVITE's own Via, Route and CSeq number."""
    request = SipRequest(method=method, uri=invite.uri)
    via, cseq = top_via(invite), read_cseq(invite)
    if via is None or cseq is None:
        raise ValueError("follow_up: an INVITE of ours has a Via and a CSeq")
    request.headers.append("Via", stringify_via(via))
    for name in ("From", "To", "Call-ID", "Route", "Max-Forwards"):
        for value in invite.headers.get(name):
            request.headers.append(name, value)
    request.headers.append("CSeq", f"{cseq[0]} {method}")
    return request
