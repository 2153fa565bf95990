"""RTP datagrams of one tick as arrays: where they lie, and their headers read in one go; who sent them is in sources.py."""

from dataclasses import dataclass, replace
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

Bytes: TypeAlias = npt.NDArray[np.uint8]
Mask: TypeAlias = npt.NDArray[np.bool_]
Rows: TypeAlias = npt.NDArray[np.intp]

# 60 ms of G.711 with header, header extension and SRTP tag; what is longer is truncated by the kernel and refused.
SLOT_BYTES: Final = 576
NAME_BYTES: Final = 28  # struct sockaddr_in6, the longer of the two
HEADER_BYTES: Final = 12
FRAME: Final = 160  # samples and bytes of 20 ms at 8 kHz
MAX_PAYLOAD: Final = 3 * FRAME
TICK_S: Final = 0.020
RATE: Final = 8000

# RFC 3550 5.1.  `flags` is version, padding, extension and CSRC count; `kind` is marker and payload type.
HEADER: Final = np.dtype([("flags", "u1"), ("kind", "u1"), ("sequence", ">u2"), ("timestamp", ">u4"), ("ssrc", ">u4")])
PLAIN: Final = 0x80  # version 2, and nothing beside the twelve bytes
VERSION: Final = 0xC0
PADDED: Final = 0x20
EXTENDED: Final = 0x10
CSRC_COUNT: Final = 0x0F
MARKER: Final = 0x80
# RFC 5761 4: what lies between is RTCP, where an RTP payload type would be 64 to 95.
RTCP_KINDS: Final = (192, 223)


class Arrivals:
    """One tick's datagrams in one preallocated block; the socket layer or a test fills it, `wipe` empties it."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.count = 0
        self.bytes: Bytes = np.zeros((capacity, SLOT_BYTES), np.uint8)
        self.names: Bytes = np.zeros((capacity, NAME_BYTES), np.uint8)
        self.lengths = np.zeros(capacity, np.int32)  # 0: not to be read
        self.sockets = np.zeros(capacity, np.int32)

    def add(self, datagram: bytes, socket: int, name: bytes) -> None:
        """One more; `name` is its source as a sockaddr."""
        at, length = self.count, len(datagram)
        fits = length <= SLOT_BYTES
        self.bytes[at, : min(length, SLOT_BYTES)] = np.frombuffer(datagram[:SLOT_BYTES], np.uint8)
        self.names[at, : len(name)] = np.frombuffer(name, np.uint8)
        self.lengths[at] = length if fits else 0
        self.sockets[at] = socket
        self.count += 1

    def wipe(self) -> None:
        """Audio and telephone-event packets are card data: nothing of them outlives the tick."""
        if self.count:
            longest = int(self.lengths[: self.count].max())
            self.bytes[: self.count, : max(longest, FRAME + HEADER_BYTES)] = 0
        self.count = 0


@dataclass(frozen=True)
class Headers:
    """Of the packets that are RTP: `at` says which ones, all other arrays go along with it."""

    at: Rows
    flags: Bytes
    kind: Bytes  # payload type without the marker
    marker: Mask
    sequence: npt.NDArray[np.uint16]
    timestamp: npt.NDArray[np.uint32]
    ssrc: npt.NDArray[np.uint32]
    begin: npt.NDArray[np.int32]  # of the payload
    length: npt.NDArray[np.int32]  # of the payload
    refused: int

    def __len__(self) -> int:
        return len(self.at)

    def only(self, keep: Mask) -> "Headers":
        if keep.all():
            return self
        return replace(self, **{name: getattr(self, name)[keep] for name in COLUMNS})


COLUMNS: Final = ("at", "flags", "kind", "marker", "sequence", "timestamp", "ssrc", "begin", "length")


def read_headers(arrivals: Arrivals) -> tuple[Headers, Rows]:
    """The RTP packets' headers, and which arrivals are RTCP; what is neither is counted as refused."""
    lengths = arrivals.lengths[: arrivals.count]
    fields = header_view(arrivals.bytes[: arrivals.count])
    flags, kind = fields["flags"], fields["kind"]
    readable = ((flags & VERSION) == PLAIN) & (lengths >= HEADER_BYTES)
    rtcp = readable & (kind >= RTCP_KINDS[0]) & (kind <= RTCP_KINDS[1])
    at = np.flatnonzero(readable & ~rtcp) if rtcp.any() or not readable.all() else np.arange(arrivals.count)
    controls = np.flatnonzero(rtcp)
    mine = fields[at] if len(at) < arrivals.count else fields
    begin, length = payload_bounds(arrivals, at, mine["flags"], lengths)
    headers = Headers(
        at,
        mine["flags"],
        mine["kind"] & np.uint8(0x7F),
        mine["kind"] >= MARKER,
        mine["sequence"].astype(np.uint16),
        mine["timestamp"].astype(np.uint32),
        mine["ssrc"].astype(np.uint32),
        begin,
        length,
        arrivals.count - len(at) - len(controls),
    )
    kept = headers.only(length >= 0)
    return replace(kept, refused=headers.refused + len(headers) - len(kept)), controls


def header_view(block: Bytes) -> npt.NDArray[np.void]:
    """The first twelve bytes of each row as fields, in place."""
    return np.ndarray(len(block), HEADER, block, strides=block.strides[:1])


def payload_bounds(
    arrivals: Arrivals, at: Rows, flags: Bytes, lengths: npt.NDArray[np.int32]
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """Where each payload begins and how long it is; -1 where the header says more than there is."""
    begin = np.full(len(at), HEADER_BYTES, np.int32)
    length = lengths[at] - HEADER_BYTES
    rare = np.flatnonzero(flags != PLAIN)
    if len(rare):
        begin[rare], length[rare] = rare_bounds(arrivals.bytes[at[rare]], flags[rare], lengths[at[rare]])
    return begin, length


def rare_bounds(
    packets: Bytes, flags: Bytes, lengths: npt.NDArray[np.int32]
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """RFC 3550 5.1 and 5.3.1: contributing sources, a header extension, padding (whose last byte is its length)."""
    row = np.arange(len(packets))
    begin = HEADER_BYTES + 4 * (flags & CSRC_COUNT).astype(np.int32)
    extension = np.flatnonzero(flags & EXTENDED)
    last = np.clip(lengths - 1, 0, SLOT_BYTES - 1)
    words_at = np.clip(begin[extension] + 2, 0, SLOT_BYTES - 2)
    words = packets[extension, words_at].astype(np.int32) << 8 | packets[extension, words_at + 1]
    begin[extension] += 4 + 4 * words
    padding = np.where(flags & PADDED, packets[row, last], 0).astype(np.int32)
    length = lengths - begin - padding
    padding_lies = (flags & PADDED).astype(bool) & (padding == 0)
    return begin, np.where(padding_lies, -1, np.maximum(length, -1)).astype(np.int32)
