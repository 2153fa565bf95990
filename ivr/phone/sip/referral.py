"""Asks the peer to connect its caller to somebody else (REFER, RFC 3515), and follows its NOTIFYs to what became of it.

    asked      the REFER is out; NOTIFYs may come before its answer (RFC 3515 2.4.4)
    accepted   202; each NOTIFY brings a status line (message/sipfrag): 1xx goes on, anything else is the end
    outliving  the peer has ended the call by BYE; the referral goes on without it (RFC 5057 3.1), and its last NOTIFY says
               whether the caller was connected or has left
    over       `told` was called, once; later NOTIFYs are answered and mean nothing

Over without anybody reached: a refusal, no answer to the REFER, a final status of 300 or more, a subscription that ends
without one, `PATIENCE_S` without one. A call that we end first tells nothing: its end does. So it is with a BYE before the
202, or with one that no NOTIFY of success follows. Nothing is hung up here.
"""

import asyncio
import re
from collections.abc import Callable

from aiosipua import SipRequest, parse_uri
from aiosipua.utils import format_addr

from ivr.errors import PeerError
from ivr.phone.sip.in_dialog_requests import InDialogRequests
from ivr.phone.sip.inspection import content_type
from ivr.phone.sip.wire import without_user

PATIENCE_S = 60.0  # from the 202 on: longer than a telephone rings
STATUS_LINE = re.compile(rb"\s*SIP/2\.0 ([1-6]\d\d)\b", re.IGNORECASE)
EVENT = re.compile(r"\s*refer\s*(?:;.*)?", re.IGNORECASE)
ID = re.compile(r";\s*id\s*=\s*(\d{1,10})", re.IGNORECASE)


class Referral:
    """`told`: whether the caller was connected; not called where the call ended before."""

    def __init__(self, requests: InDialogRequests, told: Callable[[bool], None]) -> None:
        self._requests, self._told = requests, told
        self._asked_after = requests.dialog.local_cseq
        self._is_over = self._is_accepted = False
        self._left: Callable[[], None] | None = None
        self._patience: asyncio.TimerHandle | None = None

    async def ask(self, number: str) -> None:
        try:
            response = await self._requests.send("REFER", self._headers(number))
        except PeerError:
            self._end(is_connected=False)
            return
        if response.status_code >= 300:
            self._end(is_connected=False)
        elif not self._is_over:
            self._is_accepted = True
            loop = asyncio.get_running_loop()
            self._patience = loop.call_later(PATIENCE_S, lambda: self._end(is_connected=False))

    def notified(self, request: SipRequest) -> int:
        """The status that a NOTIFY is answered with."""
        event = request.headers.get_first("event") or ""
        if EVENT.fullmatch(event) is None:
            return 489
        number = ID.search(event)
        if number is not None and int(number[1]) <= self._asked_after:
            return 200  # of a REFER before this one
        found = STATUS_LINE.match(request.body) if content_type(request) == "message/sipfrag" else None
        if request.body and found is None:
            return 400
        self._take(int(found[1]) if found else 100, request)
        return 200

    def outlive(self, left: Callable[[], None]) -> bool:
        """The peer has said BYE. True where it may still say what became of the caller: `left` is called if they were not
        connected, in place of `told`.
        """
        if self._is_over or not self._is_accepted:
            return False
        self._left = left
        return True

    def stop(self) -> None:
        """The call is over: nobody waits for an answer."""
        self._is_over = True
        if self._patience is not None:
            self._patience.cancel()

    def _take(self, status: int, notify: SipRequest) -> None:
        state = (notify.headers.get_first("subscription-state") or "").strip().lower()
        if status >= 200:
            self._end(is_connected=status < 300)
        elif state.startswith("terminated"):
            self._end(is_connected=False)

    def _end(self, *, is_connected: bool) -> None:
        if self._is_over:
            return
        self.stop()
        if self._left is not None and not is_connected:
            self._left()
        else:
            self._told(is_connected)

    def _headers(self, number: str) -> list[tuple[str, str]]:
        own = self._requests.exchange.contact(self._requests.hop)
        return [("Refer-To", f"<sip:{number}@{self._peer()}>"), ("Referred-By", own), ("Contact", own)]

    def _peer(self) -> str:
        """Where the peer itself takes calls: its Contact's host, since a number means something to it alone."""
        target = parse_uri(without_user(self._requests.dialog.remote_target))
        host, port = target.host, target.port
        if not host:
            return format_addr(*self._requests.hop.remote)
        return f"{host}:{port}" if port else host
