"""One packet sent again and again, ever more slowly, until someone says stop: timers A, E, G and the 2xx's own."""

import asyncio
from collections.abc import Callable

from ivr.phone.sip.settings import Timers


class Retransmission:
    """Sends at T1, 2*T1, 4*T1 ...; `most_s` caps the pause (T2); after 64*T1 it gives up, once, and stops.

    Time is the event loop's own (`loop.time`, `loop.call_later`), so a loop with virtual time needs no waiting.
    """

    def __init__(
        self, timers: Timers, send: Callable[[], None], give_up: Callable[[], None], *, most_s: float | None
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._send, self._give_up = send, give_up
        self._pause, self._most = timers.t1_s, most_s
        self._again: asyncio.TimerHandle | None = self._loop.call_later(self._pause, self._repeat)
        self._end: asyncio.TimerHandle | None = self._loop.call_later(timers.give_up_s, self._expire)

    def stop_sending(self) -> None:
        """No more packets, but it still gives up in time: a provisional answer came, the final one is awaited."""
        if self._again is not None:
            self._again.cancel()
            self._again = None

    def slow_down(self, pause_s: float) -> None:
        """RFC 3261 17.1.2.2: after a provisional answer a non-INVITE request is repeated every T2."""
        self._pause = pause_s

    def stop(self) -> None:
        self.stop_sending()
        if self._end is not None:
            self._end.cancel()
            self._end = None

    def _repeat(self) -> None:
        doubled = 2 * self._pause
        self._pause = doubled if self._most is None else min(doubled, self._most)
        self._again = self._loop.call_later(self._pause, self._repeat)
        self._send()

    def _expire(self) -> None:
        self.stop()
        self._give_up()
