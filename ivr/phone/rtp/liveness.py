"""Which calls have shown no sign of life for too long; what a sign of life is, others decide."""

from typing import Final

import numpy as np

from ivr.phone.rtp.packets import TICK_S, Rows

NEVER: Final = np.iinfo(np.int64).max


class Liveness:
    def __init__(self, capacity: int, timeout_s: float) -> None:
        self._ticks = max(1, round(timeout_s / TICK_S))
        self._deadline = np.full(capacity, NEVER, np.int64)
        self._tick = 0

    def watch(self, row: int, watched: bool) -> None:
        """From now on; False for a call on hold or over, whose silence means nothing."""
        self._deadline[row] = self._tick + self._ticks if watched else NEVER

    def seen(self, rows: Rows) -> None:
        watched = rows[self._deadline[rows] != NEVER]
        self._deadline[watched] = self._tick + self._ticks

    def step(self) -> Rows:
        """One tick on; who has been silent too long, each said once."""
        overdue = np.flatnonzero(self._deadline <= self._tick)
        self._deadline[overdue] = NEVER
        self._tick += 1
        return overdue
