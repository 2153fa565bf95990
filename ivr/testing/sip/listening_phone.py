"""A telephone among many: sends when it is told to, and remembers when sound began and ended, but no audio."""

import time

import numpy as np

from dsp import g711
from ivr.phone.rtp import CallerStream, Phone

LOUD = 300  # at 16-bit scale: the peak of any voice is above it, line noise is not
HEADER_BYTES = 12
LAWS: dict[int, g711.Law] = {0: "ulaw", 8: "alaw"}
QUIET_CODES = {
    law: np.flatnonzero(np.abs(g711.LINEAR[law].astype(np.int32)) <= LOUD).astype(np.uint8).tobytes()
    for law in LAWS.values()
}


class ListeningPhone(Phone):
    """`last_s`, `next_began_s`: by time.monotonic(), 0.0 before anything was heard."""

    def __init__(self, stream: CallerStream) -> None:
        super().__init__(stream)
        self.packets = 0
        self.last_s = self.next_began_s = 0.0
        self._was_loud = False

    def await_next(self) -> None:
        """From now on, `next_began_s` is when the next sound begins, after a packet of silence at least."""
        self.next_began_s = 0.0

    def datagram_received(self, data: bytes, _addr: object) -> None:
        law = LAWS.get(data[1] & 0x7F) if len(data) > HEADER_BYTES else None
        if law is None:
            return
        self.packets += 1
        is_loud = bool(data[HEADER_BYTES:].translate(None, QUIET_CODES[law]))
        if is_loud:
            self.last_s = time.monotonic()
            if not self._was_loud and not self.next_began_s:
                self.next_began_s = self.last_s
        self._was_loud = is_loud
