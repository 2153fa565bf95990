"""recvmmsg and sendmmsg of Linux through ctypes, on arrays of message headers that are laid out once; no RTP is read."""

import ctypes
import errno
from typing import Final

import numpy as np

from ivr.errors import ConfigError
from ivr.phone.rtp.outgoing import Outgoing
from ivr.phone.rtp.packets import NAME_BYTES, SLOT_BYTES, Arrivals, Rows

# <bits/socket.h> of 64-bit Linux, glibc and musl alike: struct mmsghdr and struct iovec.
MESSAGE: Final = np.dtype(
    [
        ("name", "u8"),
        ("name_length", "u4"),
        ("", "u4"),
        ("pieces", "u8"),
        ("piece_count", "u8"),
        ("control", "u8"),
        ("control_length", "u8"),
        ("flags", "i4"),
        ("", "u4"),
        ("length", "u4"),
        ("", "u4"),
    ]
)
PIECE: Final = np.dtype([("start", "u8"), ("length", "u8")])
MSG_DONTWAIT: Final = 0x40
MSG_TRUNC: Final = 0x20
MOST: Final = 1024  # messages in one call (UIO_MAXIOV)
SOCKADDR_IN, SOCKADDR_IN6 = 16, 28

libc = ctypes.CDLL(None, use_errno=True)


def check_platform() -> None:
    if not hasattr(libc, "recvmmsg") or ctypes.sizeof(ctypes.c_void_p) != 8:
        raise ConfigError("the media worker needs recvmmsg and sendmmsg: 64-bit Linux")
    libc.recvmmsg.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int, ctypes.c_void_p]
    libc.sendmmsg.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int]


class Receiver:
    """Fills `arrivals` from non-blocking sockets."""

    def __init__(self, arrivals: Arrivals, filenos: list[int]) -> None:
        check_platform()
        self.arrivals = arrivals
        self._filenos = filenos
        self._first = 0  # which socket is asked first: turns, so that none starves when there is no room for all
        self._pieces = np.zeros(arrivals.capacity, PIECE)
        self._pieces["start"] = arrivals.bytes.ctypes.data + np.arange(arrivals.capacity) * SLOT_BYTES
        self._pieces["length"] = SLOT_BYTES
        self._messages = np.zeros(arrivals.capacity, MESSAGE)
        self._messages["name"] = arrivals.names.ctypes.data + np.arange(arrivals.capacity) * NAME_BYTES
        self._messages["name_length"] = NAME_BYTES
        self._messages["pieces"] = self._pieces.ctypes.data + np.arange(arrivals.capacity) * PIECE.itemsize
        self._messages["piece_count"] = 1
        self._at = self._messages.ctypes.data

    def drain(self) -> None:
        """Everything that has come, as far as there is room; the rest waits in the kernel."""
        count, room = 0, self.arrivals.capacity
        sockets, receive = len(self._filenos), libc.recvmmsg
        for turn in range(sockets):
            index = (self._first + turn) % sockets
            at = self._at + count * MESSAGE.itemsize
            got = receive(self._filenos[index], at, min(room - count, MOST), MSG_DONTWAIT, None)
            if got > 0:
                self.arrivals.sockets[count : count + got] = index
                count += got
                if count == room:
                    self._first = index
                    break
        self._book(count)

    def _book(self, count: int) -> None:
        messages = self._messages[:count]
        cut = messages["flags"] & MSG_TRUNC
        self.arrivals.lengths[:count] = np.where(cut, 0, messages["length"])
        messages["name_length"] = NAME_BYTES
        self.arrivals.count = count


class Sender:
    """Sends what stands in `outgoing`, one message a row, grouped by socket."""

    def __init__(self, outgoing: Outgoing, filenos: list[int], ipv6: bool) -> None:
        check_platform()
        self.sent = self.unsent = 0
        self._outgoing = outgoing
        self._filenos = filenos
        self._name_length = SOCKADDR_IN6 if ipv6 else SOCKADDR_IN
        capacity = len(outgoing.sending)
        self._pieces = np.zeros(capacity, PIECE)
        self._messages = np.zeros(capacity, MESSAGE)
        self._shares: list[tuple[int, int, int]] = []  # fileno, address of its first message, how many

    def send(self, sockets: Rows) -> None:
        """sockets: by row. Reads it only when `outgoing.changed`."""
        if self._outgoing.changed:
            self._arrange(sockets)
        transmit = libc.sendmmsg
        for fileno, at, count in self._shares:
            done = 0
            while done < count:
                got = transmit(fileno, at + done * MESSAGE.itemsize, min(count - done, MOST), MSG_DONTWAIT)
                if got <= 0:
                    # This one cannot go (no route, a full buffer, a firewall's refusal); the others still can.
                    self.unsent += 1
                    got = 1
                    if ctypes.get_errno() in (errno.EAGAIN, errno.EBADF):
                        self.unsent += count - done - 1
                        break
                else:
                    self.sent += got
                done += got

    def _arrange(self, sockets: Rows) -> None:
        rows = np.flatnonzero(self._outgoing.sending)
        rows = rows[np.argsort(sockets[rows], kind="stable")]
        count, pieces, messages = len(rows), self._pieces, self._messages
        pieces["start"][:count] = self._outgoing.packets.ctypes.data + rows * self._outgoing.packets.shape[1]
        pieces["length"][:count] = self._outgoing.lengths[rows]
        messages["name"][:count] = self._outgoing.names.ctypes.data + rows * NAME_BYTES
        messages["name_length"][:count] = self._name_length
        messages["pieces"][:count] = pieces.ctypes.data + np.arange(count) * PIECE.itemsize
        messages["piece_count"][:count] = 1
        used, first, counts = np.unique(sockets[rows], return_index=True, return_counts=True)
        self._shares = [
            (self._filenos[index], messages.ctypes.data + begin * MESSAGE.itemsize, many)
            for index, begin, many in zip(used.tolist(), first.tolist(), counts.tolist(), strict=True)
        ]
        self._outgoing.changed = False
