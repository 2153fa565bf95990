"""What the recorder is told: the calls that are recorded, and both sides of them tick by tick; it opens no file.

A message is HEAD and a body: BEGIN (row, bytes) and a name; END (row, 0) and nothing; TICK (number, rows) and the row
numbers, whose audio does not go on where it ended, what each caller sent and what each heard, 160 codes of mu-law each.
What a caller sent is card data: whatever empties `outbox` overwrites it.
"""

import struct
from typing import Final

import numpy as np

from ivr.phone.rtp.jitter import SILENCE
from ivr.phone.rtp.packets import FRAME, Bytes, Mask, Rows

HEAD: Final = struct.Struct("<BII")
BEGIN, END, TICK = range(3)
ROW: Final = np.dtype("<u4")
ROW_BYTES: Final = ROW.itemsize + 1 + 2 * FRAME
# A recorder that is held up misses audio rather than hold up calls, or leave a caller's audio lying about.
MOST_WAITING: Final = 25  # ticks


class OpenRecordings:
    def __init__(self, capacity: int) -> None:
        self.outbox = bytearray()
        self.recorded: Mask = np.zeros(capacity, bool)
        self.unrecorded = 0  # frames that the recorder was not told
        self.lost = False  # there is no recorder any more
        self._number = 0

    def begin(self, row: int, name: str) -> None:
        """name: of the file. A call that is being recorded already goes on."""
        if self.recorded[row]:
            return
        self.recorded[row] = True
        self.outbox += HEAD.pack(BEGIN, row, len(name.encode())) + name.encode()

    def end(self, row: int) -> None:
        if self.recorded[row]:
            self.recorded[row] = False
            self.outbox += HEAD.pack(END, row, 0)

    def tick(self, rows: Rows, seams: Mask, heard: Bytes, said: Bytes) -> None:
        """rows: all that are recorded; seams: [rows], whose audio does not go on where it ended a tick ago; heard, said:
        [rows, 160] of mu-law, what callers sent and what they are sent."""
        self._number += 1
        if self.lost or len(self.outbox) > MOST_WAITING * len(rows) * ROW_BYTES:
            self.unrecorded += len(rows)
            return
        self.outbox += HEAD.pack(TICK, self._number, len(rows))
        self.outbox += b"".join((rows.astype(ROW).tobytes(), seams.tobytes(), heard.tobytes(), said.tobytes()))


def silent(rows: int, samples: int) -> Bytes:
    return np.full((rows, samples), SILENCE, np.uint8)
