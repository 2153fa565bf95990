"""RTP sequence numbers of all calls at once: which packets are doubled, which are news, how many were lost; no audio."""

from typing import Final

import numpy as np
import numpy.typing as npt

from ivr.phone.rtp.packets import Mask, Rows

# Numbers remembered of each call: more than a line that stood still delivers at once, for two of one tick that share a
# place would count as one doubled and one lost.
SEEN: Final = 256
# RFC 3550 A.1: further apart than this, the sender has begun anew.
MAX_DROPOUT: Final = 3000
MAX_MISORDER: Final = 100

Numbers = npt.NDArray[np.uint16]


class Sequences:
    def __init__(self, capacity: int) -> None:
        self.received = self.lost = self.doubled = 0
        self.came_of = np.zeros(capacity, np.int64)  # by row, since the call was opened
        self.lost_of = np.zeros(capacity, np.int64)
        self._newest = np.zeros(capacity, np.uint16)
        self._begun = np.zeros(capacity, bool)
        self._seen = np.zeros((capacity, SEEN), np.int32)  # number + 1
        self._writer = np.zeros((capacity, SEEN), np.int32)
        self._furthest = np.zeros(capacity, np.int64)

    def open(self, row: int) -> None:
        """A new call, of which nothing has been counted."""
        self.came_of[row] = self.lost_of[row] = 0
        self.begin(row)

    def begin(self, row: int) -> None:
        """A new source: its numbers have nothing to do with those before."""
        self._begun[row] = False
        self._seen[row] = 0

    def note(self, rows: Rows, numbers: Numbers) -> tuple[Mask, Mask]:
        """Of the packets, in the order in which they came: which are no doubles, and which are newer than all before."""
        self._begin_anew(rows, numbers)
        fresh = self._fresh(rows, numbers)
        step = (numbers - self._newest[rows]).astype(np.int16).astype(np.int64)
        self.received += len(rows)
        self.doubled += len(rows) - int(np.count_nonzero(fresh))
        # RFC 3550 A.3 in steps: what the newest number went on, less what came.
        np.maximum.at(self._furthest, rows, step)
        gained = self._furthest[rows]
        self._newest[rows] += gained.astype(np.uint16)
        came = np.bincount(rows[fresh], minlength=len(self._furthest))
        lost = self._furthest - came
        self.came_of += came
        self.lost_of += lost
        self.lost += int(lost.sum())
        self._furthest[rows] = 0
        return fresh, step > 0

    def has_come(self, rows: Rows, numbers: npt.NDArray[np.int64]) -> Mask:
        return np.asarray(self._seen[rows, numbers % SEEN] == numbers % 65536 + 1)

    def _fresh(self, rows: Rows, numbers: Numbers) -> Mask:
        places, marks = numbers % SEEN, numbers.astype(np.int32) + 1
        turn = np.arange(len(rows), dtype=np.int32)
        before = self._seen[rows, places]
        # Two of a kind in one tick: the later one overwrites the earlier one's turn, and wins.
        self._writer[rows, places] = turn
        self._seen[rows, places] = marks
        return np.asarray((before != marks) & (self._writer[rows, places] == turn))

    def _begin_anew(self, rows: Rows, numbers: Numbers) -> None:
        step = (numbers - self._newest[rows]).astype(np.int16)
        anew = ~self._begun[rows] | (step > MAX_DROPOUT) | (step < -MAX_MISORDER)
        if not anew.any():
            return
        which = np.flatnonzero(anew)
        chosen, first = np.unique(rows[which], return_index=True)
        self._newest[chosen] = numbers[which[first]] - np.uint16(1)
        self._seen[chosen] = 0
        self._begun[chosen] = True
