"""CPU time of a tick by part; the clock that says when a tick is due is in worker.py."""

import time
from collections.abc import Callable
from typing import Final

PARTS: Final = ("receive", "parse", "events", "jitter", "decode", "prompts", "send", "other")


class PartClock:
    """`mark(part)` books the time since the last mark."""

    def __init__(self, now_ns: Callable[[], int] = time.thread_time_ns) -> None:
        self._now_ns = now_ns
        self._last = now_ns()
        self._booked = dict.fromkeys(PARTS, 0)
        self._ticks = 0

    def start(self) -> None:
        self._last = self._now_ns()

    def mark(self, part: str) -> None:
        now = self._now_ns()
        self._booked[part] += now - self._last
        self._last = now

    def tick_done(self) -> None:
        self._ticks += 1

    def take(self) -> dict[str, float]:
        """Microseconds a tick by part since the last time this was asked."""
        ticks = max(self._ticks, 1)
        found = {part: booked / ticks / 1000 for part, booked in self._booked.items()}
        self._booked = dict.fromkeys(PARTS, 0)
        self._ticks = 0
        return found
