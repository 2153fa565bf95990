"""The load of bench_trunk: rtp_load's callers, who also note what each of them hears: frames missing, and frames too late.

The same listener for every system measured. As a process it takes and gives what rtp_load.py does; its answer also has
"heard": {"streams", "frames", "missing", "late"}, counted from `warm_up` seconds on, and "stall_s": the longest time in
which it sent nothing, because the machine held it up. Beyond what a jitter buffer forgives the row says nothing.
"""

import argparse
import contextlib
import json
import os
import socket
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.rtp_load import Load
from ivr.phone.rtp.addresses import hosts_and_ports
from ivr.phone.rtp.packets import MARKER, header_view

PHONE_BUFFER_S = 0.060  # what a telephone's own jitter buffer forgives
NOTE = np.dtype(
    [("earliest", "f8"), ("latest", "f8"), ("stream", "u8"), ("sequence", "u2"), ("timestamp", "u4"), ("marker", "?")]
)


class ListeningLoad(Load):
    """A packet has come between the last look into the sockets and this one: `earliest` and `latest`."""

    def __init__(self, calls: int, sockets: int) -> None:
        super().__init__(calls, sockets)
        self.notes: list[np.ndarray] = []
        self._looked = time.monotonic()
        self._sent_at = 0.0
        self.stall_s = 0.0

    def _tick(self, tick: int, order: dict, *, keys: bool) -> None:
        now = time.monotonic()
        if tick:
            self.stall_s = max(self.stall_s, now - self._sent_at)
        self._sent_at = now
        super()._tick(tick, order, keys=keys)

    def _drain(self) -> None:
        before, self._looked = self._looked, time.monotonic()
        self._receiver.drain()
        arrivals = self._receiver.arrivals
        count = arrivals.count
        if count:
            self.notes.append(self._note(arrivals, count, before))
        self.received += count
        arrivals.count = 0

    def _note(self, arrivals, count: int, before: float) -> np.ndarray:
        headers = header_view(arrivals.bytes[:count])
        _, ports = hosts_and_ports(arrivals.names[:count], socket.AF_INET)
        notes = np.zeros(count, NOTE)
        notes["earliest"], notes["latest"] = before, self._looked
        notes["stream"] = arrivals.sockets[:count].astype(np.uint64) << np.uint64(48)
        notes["stream"] |= ports.astype(np.uint64) << np.uint64(32) | headers["ssrc"].astype(np.uint64)
        notes["sequence"], notes["timestamp"] = headers["sequence"], headers["timestamp"]
        notes["marker"] = headers["kind"] >= MARKER
        # Not RTCP, whose types look like 72 to 76, and no telephone-events: audio.
        return notes[np.isin(headers["kind"] & 0x7F, (0, 8))]

    def heard(self, since: float) -> dict[str, int]:
        notes = np.concatenate([np.zeros(0, NOTE), *self.notes])
        notes = notes[notes["earliest"] >= since]
        notes = notes[np.argsort(notes["stream"], kind="stable")]
        if not len(notes):
            return {"streams": 0, "frames": 0, "missing": 0, "late": 0}
        first = np.flatnonzero(np.append(True, notes["stream"][1:] != notes["stream"][:-1]))
        return {
            "streams": len(first),
            "frames": len(notes),
            "missing": missing(notes, first),
            "late": late(notes, first),
        }


def missing(notes: np.ndarray, first: np.ndarray) -> int:
    """Sequence numbers of each stream that never came."""
    steps = np.diff(notes["sequence"], prepend=notes["sequence"][:1]).astype(np.int16).astype(np.int64)
    steps[first] = 0
    position = np.cumsum(steps)
    spans = np.maximum.reduceat(position, first) - np.minimum.reduceat(position, first) + 1
    return int((spans - np.diff(np.append(first, len(notes)))).clip(0).sum())


def late(notes: np.ndarray, first: np.ndarray) -> int:
    """Frames that came, at the earliest, after a telephone had to play them. A spurt of audio begins anew at a marker;
    after a late frame the telephone starts its buffer again."""
    begins = notes["marker"].copy()
    begins[first] = True
    starts = np.flatnonzero(begins)
    spurt = np.cumsum(begins) - 1
    media = (notes["timestamp"] - notes["timestamp"][starts][spurt]).astype(np.int32) / 8000
    slack = notes["latest"][starts][spurt] + PHONE_BUFFER_S + media - notes["earliest"]
    count = 0
    for number in np.unique(spurt[slack < 0]).tolist():
        stop = starts[number + 1] if number + 1 < len(starts) else len(notes)
        count += late_in_spurt(notes[starts[number] : stop], media[starts[number] : stop])
    return count


def late_in_spurt(notes: np.ndarray, media: np.ndarray) -> int:
    due = (notes["earliest"] - media).tolist()
    anew = (notes["latest"] - media + PHONE_BUFFER_S).tolist()
    count, forgiven = 0, anew[0]
    for at, restart in zip(due, anew, strict=True):
        if at > forgiven:
            count, forgiven = count + 1, restart
    return count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, required=True)
    parser.add_argument("--sockets", type=int, default=250)
    parser.add_argument("--cpu", type=int, default=None, help="stay on this core")
    chosen = parser.parse_args()
    if chosen.cpu is not None:
        os.sched_setaffinity(0, {chosen.cpu})
    with contextlib.suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    load = ListeningLoad(chosen.calls, chosen.sockets)
    print(json.dumps(load.ports()), flush=True)
    order = json.loads(sys.stdin.readline())
    load._drain()  # what came while calls were being set up
    began = time.monotonic()
    told = load.run(order)
    told["heard"] = load.heard(began + order["warm_up"])
    told["stall_s"] = load.stall_s
    print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
