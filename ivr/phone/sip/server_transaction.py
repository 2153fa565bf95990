"""One request and its one final answer, however often either is sent (RFC 3261 17.2, RFC 6026); knows no dialog.

aiosipua takes each copy of an INVITE for a new call; this is the layer that absorbs the copies.
"""

import asyncio
from collections.abc import Callable, Hashable

from aiosipua import SipRequest, SipResponse

from ivr.phone.sip.hop import Hop
from ivr.phone.sip.retransmission import Retransmission
from ivr.phone.sip.settings import Timers
from ivr.phone.sip.wire import make_response, read_cseq, reply_address, sender, top_via

MAGIC_COOKIE = "z9hG4bK"
Key = tuple[Hashable, ...]


def transaction_key(request: SipRequest, method: str | None = None) -> Key:
    """RFC 3261 17.2.3: branch, sent-by and method; `method` asks for another one's key, as CANCEL does for INVITE."""
    method = method or ("INVITE" if request.method == "ACK" else request.method)
    via = top_via(request)
    branch = (via.branch if via else None) or ""
    if via is not None and branch.startswith(MAGIC_COOKIE) and len(branch) > len(MAGIC_COOKIE):
        return branch, via.host.lower(), via.port or 5060, method
    cseq = read_cseq(request)
    # RFC 2543 peers: no branch to go by. The To tag is left out, an ACK has one that its INVITE had not.
    return request.uri, sender(request).tag, request.call_id, cseq and cseq[0], request.headers.get("via")[0], method


def merge_key(request: SipRequest) -> Key:
    """RFC 3261 8.2.2.2: one request that reached us over two paths."""
    return sender(request).tag, request.call_id, request.headers.get_first("cseq")


class ServerTransaction:
    """Anything but INVITE: 17.2.2. `forget` is called once, when no copy can come any more."""

    def __init__(
        self, key: Key, request: SipRequest, hop: Hop, timers: Timers, forget: Callable[["ServerTransaction"], None]
    ) -> None:
        self.key, self.request, self.hop = key, request, hop
        self.merge_key = merge_key(request)
        self.final_status: int | None = None
        self._timers, self._forget = timers, forget
        self._loop = asyncio.get_running_loop()
        self._last = b""
        self._end: asyncio.TimerHandle | None = None

    def respond(self, response: SipResponse) -> None:
        """A second final answer is ignored: the first one is out."""
        if self.final_status is not None:
            return
        self._last = bytes(response)
        self.repeat()
        if response.status_code >= 200:
            self.final_status = response.status_code
            # The body of an INFO is a key, perhaps of a card: it goes when the request is answered.
            self.request.body = b""
            self._after_final()

    def repeat(self) -> None:
        if self._last:
            self.hop.send(self._last, reply_address(self.request, self.hop.remote))

    def received_again(self) -> None:
        self.repeat()

    def acknowledged(self) -> bool:
        """An ACK came for this transaction; False passes it on to the dialog."""
        return False

    def stop(self) -> None:
        if self._end is not None:
            self._end.cancel()

    def _after_final(self) -> None:
        self._end_after(self._timers.give_up_s)  # timer J

    def _end_after(self, seconds: float) -> None:
        """A stream loses nothing and repeats nothing, so there the transaction is over at once."""
        self.stop()
        self._end = self._loop.call_later(seconds if self.hop.transport == "udp" else 0, self._forget, self)


class InviteServerTransaction(ServerTransaction):
    """17.2.1 with RFC 6026's Accepted state: a 2xx is repeated by the call, not by the transaction."""

    def __init__(
        self, key: Key, request: SipRequest, hop: Hop, timers: Timers, forget: Callable[[ServerTransaction], None]
    ) -> None:
        super().__init__(key, request, hop, timers, forget)
        self._repeating: Retransmission | None = None
        self.respond(make_response(request, 100))

    def received_again(self) -> None:
        if self.final_status is None or self.final_status >= 300:
            self.repeat()

    def acknowledged(self) -> bool:
        if self.final_status is None or self.final_status < 300:
            return False
        if self._repeating is not None:
            self._repeating.stop()
            self._repeating = None
            self._end_after(self._timers.t4_s)  # timer I
        return True

    def stop(self) -> None:
        super().stop()
        if self._repeating is not None:
            self._repeating.stop()

    def _after_final(self) -> None:
        if self.final_status is not None and self.final_status < 300:
            # Timer L, on any transport: copies of the INVITE may still be under way behind a proxy.
            self._end = self._loop.call_later(self._timers.give_up_s, self._forget, self)
            return
        # Timers G and H: the refusal is repeated until its ACK.
        self._repeating = Retransmission(
            self._timers, self.repeat, lambda: self._forget(self), most_s=self._timers.t2_s
        )
        if self.hop.transport != "udp":
            self._repeating.stop_sending()
