"""The packets of one tick, one a call, headers and payloads written for all calls at once; sending them is not done here."""

import secrets
from typing import Final

import numpy as np

from ivr.phone.rtp.packets import (
    FRAME,
    HEADER_BYTES,
    MARKER,
    NAME_BYTES,
    PLAIN,
    Bytes,
    Mask,
    Rows,
    header_view,
)

PACKET_BYTES: Final = HEADER_BYTES + FRAME
# RFC 3711 with AES_CM_128_HMAC_SHA1_80: a tag of ten bytes behind the payload; rounded up to a cache line.
ROW_BYTES: Final = 192


class Outgoing:
    """Rows are calls. A row sends in every tick while it is `sending`, silence where no prompt plays: peers and
    firewalls take a pause for a dead call."""

    def __init__(self, capacity: int) -> None:
        self.packets: Bytes = np.zeros((capacity, ROW_BYTES), np.uint8)
        self.names: Bytes = np.zeros((capacity, NAME_BYTES), np.uint8)
        self.lengths = np.full(capacity, PACKET_BYTES, np.int64)
        self.sending: Mask = np.zeros(capacity, bool)
        self.changed = True  # whom and where to send to, since the socket layer last looked
        self._headers = header_view(self.packets)
        self._sequence = np.zeros(capacity, np.uint16)
        self._timestamp = np.zeros(capacity, np.uint32)
        self._kind = np.zeros(capacity, np.uint8)
        self._opening = np.zeros(capacity, bool)

    def open(self, row: int, kind: int) -> None:
        """RFC 3550 5.1: sequence number, timestamp and SSRC begin at random."""
        self._sequence[row], self._timestamp[row] = secrets.randbits(16), secrets.randbits(32)
        self._headers["flags"][row] = PLAIN
        self._headers["ssrc"][row] = secrets.randbits(32)
        self._kind[row] = kind
        self._opening[row] = True
        self.sending[row] = False
        self.names[row] = 0
        self.lengths[row] = PACKET_BYTES
        self.changed = True

    def aim(self, row: int, name: bytes) -> None:
        self.names[row] = np.frombuffer(name.ljust(NAME_BYTES, b"\0"), np.uint8)
        self.changed = True

    def allow(self, row: int, kind: int, sending: bool) -> None:
        self._kind[row] = kind
        if sending and not self.sending[row]:
            self._opening[row] = True
        self.sending[row] = sending
        self.changed = True

    def close(self, row: int) -> None:
        self.sending[row] = False
        self.packets[row] = 0
        self.names[row] = 0
        self.changed = True

    def write(self, audio: Bytes, frames: Rows) -> None:
        """frames: index into audio for each of the first rows."""
        rows = len(frames)
        self._sequence[:rows] += self.sending[:rows]  # a call on hold has lost nothing
        self._timestamp[:rows] += np.uint32(FRAME)
        headers = self._headers[:rows]
        headers["sequence"] = self._sequence[:rows]
        headers["timestamp"] = self._timestamp[:rows]
        # RFC 3551 4.1: the marker tells the first packet after silence, which is here the first one of all.
        headers["kind"] = self._kind[:rows] | self._opening[:rows] * np.uint8(MARKER)
        self._opening[:rows] &= ~self.sending[:rows]
        np.take(audio, frames, axis=0, out=self.packets[:rows, HEADER_BYTES:PACKET_BYTES], mode="clip")
