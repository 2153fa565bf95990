"""What keys were on the wire, as bench_keys compares it with what was heard: every datagram to our ports, by a packet socket.

As a process (needs CAP_NET_RAW): reads one JSON line {"first": PORT, "last": PORT, "sip": PORT}, prints "listening", listens until
the next line, prints {"streams": [...], "info": {caller: keys}} as one JSON line. Nothing of the media plane is used to
read the packets; tones are placed by their timestamps and read by `dsp`, with all the time in the world.
"""

import contextlib
import ctypes
import itertools
import json
import os
import re
import select
import socket
import struct
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from dsp import g711
from dsp.dtmf import KEYS, DtmfBank
from ivr.phone.rtp.keys import EVENT_KEYS

ETH_P_IP, SO_ATTACH_FILTER, SO_TIMESTAMPNS, SO_RCVBUFFORCE = 0x0800, 26, 35, 33
SOL_PACKET, PACKET_STATISTICS = 263, 6
BUFFER_BYTES = 64 * 1024 * 1024
FRAME = 160
LONGEST_S = 120  # a stream whose timestamps span more is not read as one
AUDIO = {0: "ulaw", 8: "alaw"}
RUN_OUT_FRAMES = 10  # of silence, in which the decoder tells of its last key
INFO = re.compile(
    rb"^INFO .*?^From:[^\r]*?sip:(\d+)@.*?\r\n\r\n.*?Signal=\s*(\S+)", re.DOTALL | re.MULTILINE | re.IGNORECASE
)
CSEQ = re.compile(rb"^CSeq:\s*(\d+)", re.MULTILINE | re.IGNORECASE)


@dataclass
class Packet:
    at_s: float
    sequence: int
    timestamp: int
    kind: int
    marker: bool
    payload: bytes


@dataclass
class Stream:
    """RTP of one source, in the order in which it came."""

    source: int
    to: int
    ssrc: int
    packets: list[Packet] = field(default_factory=list)

    def told(self) -> dict:
        numbers = Counter(packet.sequence for packet in self.packets)
        doubled = sum(numbers.values()) - len(numbers)
        times = [packet.at_s for packet in self.packets]
        events = presses(self.packets)
        return {
            "source": self.source,
            "to": self.to,
            "ssrc": self.ssrc,
            "packets": len(self.packets),
            "doubled": doubled,
            "missing": span_of(self.packets) - len(numbers),
            "longest_gap_ms": round(1000 * max(np.diff(times), default=0.0)),
            "events": "".join(EVENT_KEYS[packet.payload[0]] for packet in events),
        }


class Wire:
    def __init__(self, first: int, last: int, sip: int) -> None:
        self.streams: dict[tuple[int, int, int], Stream] = {}
        self.info: dict[str, str] = {}
        self._answered: set[tuple[str, int]] = set()
        self._rtp, self._sip = range(first, last + 1), sip
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_IP))
        self._socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, BUFFER_BYTES)
        self._socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self._filter = PortFilter(min(first, sip), max(last, sip))
        self._socket.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, self._filter.attached)
        self._socket.bind(("lo", ETH_P_IP))

    def listen(self, until: int) -> None:
        """Until descriptor `until` has something to read."""
        while until not in select.select([self._socket, until], [], [])[0]:
            self._take(*self._socket.recvmsg(65536, 128)[:2])
        with contextlib.suppress(BlockingIOError):
            while True:
                self._take(*self._socket.recvmsg(65536, 128, socket.MSG_DONTWAIT)[:2])

    def dropped(self) -> int:
        """Packets that this telephone has missed."""
        return struct.unpack("II", self._socket.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))[1]

    def _take(self, datagram: bytes, ancillary: list[tuple[int, int, bytes]]) -> None:
        at = 4 * (datagram[0] & 0x0F)
        source, to = struct.unpack_from("!HH", datagram, at)
        body = datagram[at + 8 :]
        if to == self._sip:
            self._take_info(body)
        elif to in self._rtp and not to % 2 and len(body) > 12 and body[0] >> 6 == 2:
            seconds, nanoseconds = struct.unpack("qq", ancillary[0][2])
            kind, sequence, timestamp, ssrc = struct.unpack_from("!xBHII", body)
            stream = self.streams.setdefault((source, to, ssrc), Stream(source, to, ssrc))
            at_s = seconds + nanoseconds / 1e9
            stream.packets.append(Packet(at_s, sequence, timestamp, kind & 0x7F, kind > 0x7F, body[12:]))

    def _take_info(self, message: bytes) -> None:
        if (found := INFO.search(message)) and (number := CSEQ.search(message)):
            caller, key = found[1].decode(), found[2].decode()
            if (caller, int(number[1])) not in self._answered:  # one that was sent again
                self._answered.add((caller, int(number[1])))
                self.info[caller] = self.info.get(caller, "") + key

    def told(self) -> dict:
        streams = list(self.streams.values())
        tones = tones_of(streams)
        return {
            "streams": [{**stream.told(), "tones": keys} for stream, keys in zip(streams, tones, strict=True)],
            "info": self.info,
            "dropped": self.dropped(),
        }


class PortFilter:
    """UDP to these ports, as it arrives (on loopback each packet passes twice): a classic BPF program."""

    def __init__(self, first: int, last: int) -> None:
        program = [
            (0x28, 0, 0, 0xFFFFF004),  # packet type (SKF_AD_PKTTYPE)
            (0x15, 0, 7, 0),  # PACKET_HOST
            (0x30, 0, 0, 9),  # protocol
            (0x15, 0, 5, 17),
            (0xB1, 0, 0, 0),  # x = length of the IP header
            (0x48, 0, 0, 2),  # destination port
            (0x35, 0, 2, first),
            (0x25, 1, 0, last),
            (0x06, 0, 0, 0xFFFF),
            (0x06, 0, 0, 0),
        ]
        code = b"".join(struct.pack("HBBI", *step) for step in program)
        self._kept = ctypes.create_string_buffer(code)
        self.attached = struct.pack("HP", len(program), ctypes.addressof(self._kept))


def unwrapped(numbers: list[int], modulus: int) -> np.ndarray:
    steps = np.diff(np.array(numbers, np.int64), prepend=numbers[:1])
    steps = (steps + modulus // 2) % modulus - modulus // 2
    return np.cumsum(steps)


def span_of(packets: list[Packet]) -> int:
    numbers = unwrapped([packet.sequence for packet in packets], 2**16)
    return int(numbers.max() - numbers.min()) + 1


def presses(packets: list[Packet]) -> list[Packet]:
    """The first packet of each key, in the order of sequence numbers: another timestamp, or another code, is another press."""
    numbers = unwrapped([packet.sequence for packet in packets], 2**16)
    in_order = [packets[at] for at in np.argsort(numbers, kind="stable")]
    events = [
        packet
        for packet in in_order
        if packet.kind not in AUDIO and len(packet.payload) == 4 and packet.payload[0] < 16
    ]
    pairs = itertools.pairwise(events)
    first = [True, *(differ(before, now) for before, now in pairs)]
    return list(itertools.compress(events, first))


def differ(before: Packet, now: Packet) -> bool:
    return (now.timestamp, now.payload[0]) != (before.timestamp, before.payload[0])


def tones_of(streams: list[Stream]) -> list[str]:
    """All streams as channels of one bank, so that it takes as long as the longest of them."""
    placed = [audio_of(stream.packets) for stream in streams]
    if not placed:
        return []
    frames = max(map(len, placed)) + RUN_OUT_FRAMES
    bank, keys = DtmfBank(len(placed), "ulaw"), [""] * len(placed)
    for number in range(frames):
        tick = np.full((len(placed), FRAME), g711.SILENCE["ulaw"], np.uint8)
        for row, audio in enumerate(placed):
            if number < len(audio):
                tick[row] = audio[number]
        down = bank(tick).down
        for row, key in zip(down.channel, down.key, strict=True):
            keys[row] += KEYS[key]
    return keys


def audio_of(packets: list[Packet]) -> np.ndarray:
    """[frames, 160] of mu-law, silence where no timestamp points to."""
    spoken = [packet for packet in packets if packet.kind in AUDIO and packet.payload]
    if not spoken:
        return np.zeros((0, FRAME), np.uint8)
    at = unwrapped([packet.timestamp for packet in spoken], 2**32)
    at -= at.min()
    length = min(int(at.max()) + FRAME, LONGEST_S * 8000)
    audio = np.full(-(-length // FRAME) * FRAME, g711.SILENCE["ulaw"], np.uint8)
    for begin, packet in zip(at.tolist(), spoken, strict=True):
        codes = np.frombuffer(packet.payload, np.uint8)
        if AUDIO[packet.kind] == "alaw":
            codes = g711.encode(g711.decode(codes, "alaw"), "ulaw")
        room = audio[begin : begin + len(codes)]
        room[:] = codes[: len(room)]
    return audio.reshape(-1, FRAME)


def main() -> None:
    with contextlib.suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    order = json.loads(sys.stdin.readline())
    try:
        wire = Wire(order["first"], order["last"], order["sip"])
    except PermissionError:
        print("a packet socket needs root (CAP_NET_RAW)", flush=True)
        raise SystemExit(1) from None
    print("listening", flush=True)
    wire.listen(sys.stdin.fileno())
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    print(json.dumps(wire.told()), flush=True)


if __name__ == "__main__":
    main()
