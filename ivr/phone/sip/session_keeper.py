"""Keeps one call's session alive (RFC 4028): refreshes it when that is ours, tells when nobody did; agrees on nothing."""

import asyncio
from collections.abc import Callable

from aiosipua import SipRequest, SipResponse
from aiosipua.session_timer import watchdog_delay

from ivr.errors import PeerError
from ivr.phone.sip.in_dialog_requests import InDialogRequests
from ivr.phone.sip.session_timer import SessionTimer, agree_as_caller, smallest_accepted
from ivr.phone.sip.wire import tokens


class SessionKeeper:
    """`session` gives our SDP as it stands, or nothing while it is being changed; `expired` ends the call."""

    def __init__(self, requests: InDialogRequests, *, session: Callable[[], str], expired: Callable[[], None]) -> None:
        self._requests, self._session, self._expired = requests, session, expired
        self._timer: SessionTimer | None = None
        self._peer_updates = False
        self._due: list[asyncio.TimerHandle] = []

    def note_methods(self, message: SipRequest | SipResponse) -> None:
        """UPDATE needs no SDP and no ACK; whether the peer takes it, its Allow says."""
        self._peer_updates = "update" in tokens(message, "allow")

    def keep(self, timer: SessionTimer | None) -> None:
        """From now; also after each refresh, whoever sent it."""
        self.stop()
        self._timer = timer
        if timer is None:
            return
        self._after(watchdog_delay(timer.interval_s), self._expired)
        if timer.we_refresh:
            self._after(timer.interval_s / 2, self._begin_refresh)

    def stop(self) -> None:
        for handle in self._due:
            handle.cancel()
        self._due.clear()
        self._timer = None

    def _after(self, seconds: float, do: Callable[[], None]) -> None:
        self._due.append(asyncio.get_running_loop().call_later(seconds, do))

    def _begin_refresh(self) -> None:
        self._requests.exchange.spawn(self._refresh())

    async def _refresh(self) -> None:
        timer = self._timer
        if timer is None:
            return
        if self._requests.offering or not self._session():
            self._after(1, self._begin_refresh)
            return
        self._requests.exchange.counters["refreshes_sent"] += 1
        try:
            response = await self._ask(timer)
        except PeerError:
            self._try_later(timer)
            return
        if self._timer is not timer:
            return  # the peer has refreshed meanwhile, or the call is over
        if response.status_code < 300:
            self.keep(agree_as_caller(response, timer))
        else:
            self._refused(response, timer)

    async def _ask(self, timer: SessionTimer) -> SipResponse:
        """RFC 4028 7.4 prefers UPDATE; else a re-INVITE with the same session."""
        headers = timer.request_headers(self._requests.exchange.settings.min_se_s)
        if self._peer_updates:
            return await self._requests.send("UPDATE", headers)
        return await self._requests.reinvite(self._session(), headers)

    def _refused(self, response: SipResponse, timer: SessionTimer) -> None:
        status = response.status_code
        if status in (408, 481):
            self._expired()  # RFC 4028 10: the far end is gone
        elif status in (405, 501) and self._peer_updates:
            self._peer_updates = False
            self._begin_refresh()
        elif status == 422 and smallest_accepted(response) > timer.interval_s:
            self._timer = SessionTimer(smallest_accepted(response), True, timer.peer_supports)
            self._begin_refresh()
        else:
            self._try_later(timer)

    def _try_later(self, timer: SessionTimer) -> None:
        """The watchdog still runs: it ends the call when no later refresh succeeds."""
        self._after(timer.interval_s / 8, self._begin_refresh)
