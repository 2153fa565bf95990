"""Sends many calls' RTP at once, with keys among it, and counts what comes back: load for any telephone system.

As a process: prints its ports as one JSON line, reads one JSON line {"to": [[host, port], ...], "seconds": S,
"method": "telephone_event" | "inband", "telephone_event": 101} in the order of its calls, sends, prints what it counted.
    python benchmarks/rtp_load.py --calls 1000 --sockets 250
"""

import argparse
import contextlib
import json
import os
import socket
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from dsp import g711, tones
from ivr.phone.rtp.addresses import socket_name
from ivr.phone.rtp.outgoing import PACKET_BYTES, Outgoing
from ivr.phone.rtp.packets import FRAME, HEADER_BYTES, MARKER, TICK_S, Arrivals, header_view
from ivr.phone.rtp.ports import bound
from ivr.phone.rtp.syscalls import Receiver, Sender

HOST = "127.0.0.1"
PERIOD = 75  # ticks from key to key of one call: 1.5 s
KEY_TICKS = 5  # 100 ms
END_PACKETS = 3
EVENT_BYTES = HEADER_BYTES + 4
TALK_FRAMES = 200


@dataclass
class Keys:
    """Call n presses 0, 1, 2 ... 9, 0 ... every PERIOD ticks, beginning at a tick of its own."""

    calls: int

    def phase(self, tick: int) -> np.ndarray:
        return (tick + np.arange(self.calls) * 7) % PERIOD

    def key(self, tick: int) -> np.ndarray:
        return (tick + np.arange(self.calls) * 7) // PERIOD % 10


class Load:
    def __init__(self, calls: int, sockets: int) -> None:
        self.sockets = [bound(socket.AF_INET, HOST, 0) for _ in range(min(sockets, calls))]
        self.of_call = np.arange(calls) % len(self.sockets)
        self._keys = Keys(calls)
        self._outgoing = Outgoing(calls)
        filenos = [one.fileno() for one in self.sockets]
        self._sender = Sender(self._outgoing, filenos, ipv6=False)
        self._receiver = Receiver(Arrivals(4 * calls + 256), filenos)
        self._audio = np.concatenate([talk(), *(key_frames(key) for key in "0123456789")])
        self._begun = np.zeros(calls, np.uint32)
        self._active = np.zeros(calls, bool)  # whether the key of this period is being pressed at all
        self._headers = header_view(self._outgoing.packets)
        self.pressed = [""] * calls
        self.received = self.late = 0

    def ports(self) -> list[int]:
        return [self.sockets[index].getsockname()[1] for index in self.of_call]

    def run(self, order: dict) -> dict:
        kind = order.get("payload_type", 0)
        for row, (host, port) in enumerate(order["to"]):
            self._outgoing.open(row, kind)
            self._outgoing.aim(row, socket_name((host, port), socket.AF_INET))
            self._outgoing.allow(row, kind, True)
        ticks = round(order["seconds"] / TICK_S)
        # Keys stop in time for their ends to go out.
        last_key = ticks - 2 * PERIOD // 3
        due = time.monotonic()
        for tick in range(ticks):
            self._tick(tick, order, keys=tick < last_key)
            due += TICK_S
            left = due - time.monotonic()
            self.late += left < 0
            if left > 0:
                time.sleep(left)
        time.sleep(0.1)
        self._drain()
        return {
            "sent": self._sender.sent,
            "unsent": self._sender.unsent,
            "received": self.received,
            "late_ticks": self.late,
            "pressed": self.pressed,
            "cpu_s": time.process_time(),
        }

    def _drain(self) -> None:
        self._receiver.drain()
        self.received += self._receiver.arrivals.count
        self._receiver.arrivals.count = 0

    def _tick(self, tick: int, order: dict, *, keys: bool) -> None:
        self._drain()
        phase, key = self._keys.phase(tick), self._keys.key(tick)
        # Some calls are in the middle of a key when the load begins: they wait for their next one.
        begun = tick - phase >= 0
        if not keys:
            begun &= phase > 0
        inband = order.get("method") == "inband"
        self._active = np.where(phase == 0, begun, self._active)
        pressing = begun & (phase < KEY_TICKS) & self._active
        frames = np.where(inband & pressing, TALK_FRAMES + key * KEY_TICKS + np.minimum(phase, KEY_TICKS - 1), 0)
        frames = np.where(inband & pressing, frames, (tick + np.arange(len(phase)) * 13) % TALK_FRAMES)
        self._outgoing.write(self._audio, frames)
        for row in np.flatnonzero(begun & (phase == 0)).tolist():
            self.pressed[row] += str(key[row])
        if not inband:
            self._write_events(order.get("telephone_event", 101), phase, key)
        self._sender.send(self.of_call)

    def _write_events(self, kind: int, phase: np.ndarray, key: np.ndarray) -> None:
        packets = self._outgoing
        sounding = np.flatnonzero(self._active & (phase < KEY_TICKS + END_PACKETS - 1))
        first = sounding[phase[sounding] == 0]
        self._begun[first] = self._headers["timestamp"][first]
        self._headers["timestamp"][sounding] = self._begun[sounding]
        self._headers["kind"][sounding] = kind
        self._headers["kind"][first] |= MARKER
        held = np.minimum(phase[sounding] + 1, KEY_TICKS)
        payload = packets.packets[:, HEADER_BYTES:EVENT_BYTES]
        payload[sounding, 0] = key[sounding]
        payload[sounding, 1] = np.where(held == KEY_TICKS, 0x80, 0) | 10
        payload[sounding, 2] = held * FRAME >> 8
        payload[sounding, 3] = held * FRAME & 0xFF
        packets.lengths[:] = PACKET_BYTES
        packets.lengths[sounding] = EVENT_BYTES
        packets.changed = True


def talk() -> np.ndarray:
    """[TALK_FRAMES, 160] of mu-law: murmurs and pauses, as someone listening to a prompt makes."""
    rng = np.random.default_rng(1)
    noise = np.convolve(rng.normal(0, 1, TALK_FRAMES * FRAME), np.hanning(24), "same")
    loudness = np.repeat(rng.choice([0.0, 0.0, 0.3, 1.0], TALK_FRAMES // 10), 10 * FRAME)
    return g711.encode((noise * loudness * 600).clip(-30000, 30000).astype(np.int16), "ulaw").reshape(-1, FRAME)


def key_frames(key: str) -> np.ndarray:
    return g711.encode(tones.dtmf(key, tone_ms=KEY_TICKS * 20, gap_ms=0), "ulaw").reshape(-1, FRAME)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=1000)
    parser.add_argument("--sockets", type=int, default=250)
    parser.add_argument("--cpu", type=int, default=None, help="stay on this core")
    chosen = parser.parse_args()
    if chosen.cpu is not None:
        os.sched_setaffinity(0, {chosen.cpu})
    with contextlib.suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    load = Load(chosen.calls, chosen.sockets)
    print(json.dumps(load.ports()), flush=True)
    print(json.dumps(load.run(json.loads(sys.stdin.readline()))), flush=True)


if __name__ == "__main__":
    main()
