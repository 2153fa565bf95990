"""RFC 4733 key events of all calls at once: which packets begin a key and which end one; audio is not looked at.

One timestamp is one key press, however many packets carry it (2.5.1.4: the last one comes three times). What peers do
beside the letter is told apart here: a lost end, a missing marker, a timestamp that moves with every packet, the
segments of a long key (2.5.1.3), events doubled, reordered or come late. A line that stood still delivers seconds of
packets at once: those of one timestamp are read as one, so that a burst costs as much as it has keys.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from ivr.channels.rtp.packets import Arrivals, Bytes, Mask, Rows

KEYS: Final = 16  # codes 0-15; 16 is a hook flash, others are no keys
END: Final = 0x80
PAYLOAD: Final = 4
NOTHING: Final = 255
WIPED: Final = 254  # a key was there and has been wiped: its further packets belong to it whatever they say
# Runs of one call that are judged in one tick, one after the other for all calls together, at some 0.06 ms each: 1 ms a
# tick is what a peer who sends nonsense can cost the others. A run is a key, or one packet where the timestamp moves.
MAX_ROUNDS: Final = 16
# What is over waits for the coming ticks; more than this, 5 s of packets all with timestamps of their own, is an attack.
MAX_WAITING: Final = 256
# A key without packets for this long has ended: three times the longest usual interval of 50 ms (2.5.1.4).
LOST_END_TICKS: Final = 8
# 2.5.1.3: a segment is as long as the 16 bits of duration allow, less what lost packets hide.
SEGMENT: Final = 0xF000
SEGMENT_SLACK: Final = 1600
# An event this far (in timestamp units) behind the newest is one delayed on the way; further, and the clock restarted.
MAX_DELAYED: Final = 40_000


@dataclass(frozen=True)
class EventPackets:
    """In the order in which they came; `at` is where they lie among the arrivals, `rate` the clock they count by."""

    rows: Rows
    at: Rows
    begin: npt.NDArray[np.int32]
    timestamp: npt.NDArray[np.uint32]
    marker: Mask
    rate: npt.NDArray[np.int32]
    sequence: npt.NDArray[np.uint16]

    def only(self, keep: Rows | Mask) -> "EventPackets":
        return EventPackets(*(getattr(self, name)[keep] for name in self.__dataclass_fields__))


@dataclass(frozen=True)
class Runs:
    """Packets of a call that came one after the other with one timestamp: the first of them, and what all of them tell."""

    rows: Rows
    timestamp: npt.NDArray[np.uint32]
    marker: Mask
    rate: npt.NDArray[np.int32]
    sequence: npt.NDArray[np.uint16]
    code: Bytes
    end: Mask
    duration: npt.NDArray[np.uint32]
    ended: Mask  # any of them says so
    longest: npt.NDArray[np.uint32]
    last: npt.NDArray[np.uint16]  # sequence number of the last one

    def __len__(self) -> int:
        return len(self.rows)

    def only(self, keep: Rows | Mask) -> "Runs":
        return Runs(*(getattr(self, name)[keep] for name in self.__dataclass_fields__))

    def followed_by(self, later: "Runs") -> "Runs":
        if not len(self):
            return later
        names = self.__dataclass_fields__
        return Runs(*(np.concatenate([getattr(self, name), getattr(later, name)]) for name in names))


def read_packets(arrivals: Arrivals, packets: EventPackets) -> Runs:
    """Each as a run of its own. RFC 4733 2.3: event code; end bit and volume; duration."""
    payload = arrivals.bytes[packets.at[:, None], packets.begin[:, None] + np.arange(PAYLOAD)]
    duration = payload[:, 2].astype(np.uint32) << 8 | payload[:, 3]
    end = (payload[:, 1] & END).astype(bool)
    heads = (packets.rows, packets.timestamp, packets.marker, packets.rate, packets.sequence)
    found = Runs(*heads, payload[:, 0], end, duration, end, duration, packets.sequence)
    return found.only(found.code < KEYS)


def joined(runs: Runs) -> Runs:
    """Neighbours of one call with one timestamp as one; sorted by call, in order within each."""
    if len(runs) < 2:
        return runs
    runs = runs.only(np.argsort(runs.rows, kind="stable"))
    differs = (runs.rows[1:] != runs.rows[:-1]) | (runs.timestamp[1:] != runs.timestamp[:-1])
    differs |= (runs.code[1:] != runs.code[:-1]) | (runs.ended[:-1] & begins(runs)[1:])
    if differs.all():
        return runs
    first = np.flatnonzero(np.concatenate([[True], differs]))
    ended, longest = np.logical_or.reduceat(runs.ended, first), np.maximum.reduceat(runs.longest, first)
    last = runs.last[np.append(first[1:], len(runs)) - 1]
    return replace(runs.only(first), ended=ended, longest=longest, last=last)


def begins(runs: Runs) -> Mask:
    """The letter of RFC 4733 2.5.1.1: only the first packet of a key has a marker."""
    return runs.marker & ~runs.end


def nothing() -> Runs:
    return Runs(*(np.zeros(0, kind) for kind in RUN_KINDS))


RUN_KINDS: Final = (
    np.intp,
    np.uint32,
    bool,
    np.int32,
    np.uint16,
    np.uint8,
    bool,
    np.uint32,
    bool,
    np.uint32,
    np.uint16,
)


@dataclass(frozen=True)
class Pressed:
    rows: Rows
    code: Bytes
    elapsed_s: npt.NDArray[np.float64]  # how long the key had been down when its newest packet was sent


@dataclass(frozen=True)
class Released:
    rows: Rows
    duration_s: npt.NDArray[np.float64]


class TelephoneEvents:
    def __init__(self, capacity: int) -> None:
        self.flooded = 0
        self._code = np.full(capacity, NOTHING, np.uint8)
        self._timestamp = np.zeros(capacity, np.uint32)  # of the newest packet of the newest key
        self._sequence = np.zeros(capacity, np.uint16)  # the newest of all event packets
        self._duration = np.zeros(capacity, np.uint32)
        self._before = np.zeros(capacity, np.int64)  # duration of the segments before this one
        self._rate = np.full(capacity, 8000, np.int32)
        self._down = np.zeros(capacity, bool)
        self._open = np.zeros(capacity, bool)  # no end has come: what comes after a long silence may still belong to it
        self._moves = np.zeros(capacity, bool)  # this peer's timestamps have been seen to move within a key
        self._any = np.zeros(capacity, bool)
        self._heard_tick = np.zeros(capacity, np.int64)
        self._tick = 0
        self._waiting = nothing()

    def begin(self, row: int) -> None:
        self._waiting = self._waiting.only(self._waiting.rows != row)
        self._code[row] = NOTHING
        self._duration[row] = self._before[row] = self._timestamp[row] = 0
        self._down[row] = self._open[row] = self._any[row] = self._moves[row] = False

    def wipe(self, rows: list[int]) -> None:
        """The keys go; the timestamps stay, because repeated end packets would be a second press without them.

        What waits stays too: it has not been heard yet, so it is not of what was completed.
        """
        self._code[rows] = WIPED

    def __call__(self, arrivals: Arrivals, packets: EventPackets) -> tuple[list[Pressed], list[Released]]:
        pressed: list[Pressed] = []
        released: list[Released] = []
        if len(packets.rows) or len(self._waiting):
            for turn in self._turns(joined(self._waiting.followed_by(read_packets(arrivals, packets)))):
                self._step(turn, pressed, released)
        self._tick += 1
        self._end(np.flatnonzero(self._down & (self._tick - self._heard_tick > LOST_END_TICKS)), released)
        return pressed, released

    def _turns(self, runs: Runs) -> list[Runs]:
        """Splits so that each call has one run in each part, in order; what is over waits."""
        if not len(runs):
            self._waiting = runs
            return []
        first = np.flatnonzero(np.concatenate([[True], runs.rows[1:] != runs.rows[:-1]]))
        turn = np.arange(len(runs)) - np.repeat(first, np.diff(np.append(first, len(runs))))
        last = int(turn.max())
        self.flooded += int(np.count_nonzero(turn >= MAX_ROUNDS + MAX_WAITING)) if last >= MAX_ROUNDS else 0
        self._waiting = runs.only((turn >= MAX_ROUNDS) & (turn < MAX_ROUNDS + MAX_WAITING))
        return [runs.only(turn == n) for n in range(min(last + 1, MAX_ROUNDS))]

    def _step(self, turn: Runs, pressed: list[Pressed], released: list[Released]) -> None:
        goes_on, new = self._judged(turn)
        newest = self._newer(turn.rows, turn.last)
        self._sequence[turn.rows[newest]] = turn.last[newest]
        self._lengthen(turn.only(goes_on))
        if new.any():
            self._press(turn.only(new), pressed, released)
        ended = turn.ended & (goes_on | new)
        if ended.any():
            rows = turn.rows[ended]
            self._open[rows] = False
            self._end(rows[self._down[rows]], released)

    def _judged(self, turn: Runs) -> tuple[Mask, Mask]:
        """Which packets go on with their call's newest key, and which begin a new one; the others are echoes."""
        code, duration = turn.code, turn.duration
        rows = turn.rows
        step = (turn.timestamp - self._timestamp[rows]).astype(np.int32).astype(np.int64)
        before = self._duration[rows].astype(np.int64)
        same_key = (self._code[rows] == code) | (self._code[rows] == WIPED)
        open_key = self._open[rows] & same_key & ~turn.marker & (step > 0)
        # The timestamp moves along with the duration: both count from one beginning. A new press would have to be
        # longer than the old one and the pause together before its first packet came through.
        moving = open_key & (duration > before) & (step < duration)
        late_end = self._moves[rows] & turn.end & same_key & ~turn.marker & (step > 0)
        moving |= late_end & (duration >= before) & (step < duration)
        self._moves[rows[moving]] = True
        next_segment = open_key & (before >= SEGMENT) & (step >= before) & (step <= before + SEGMENT_SLACK)
        self._before[rows[next_segment]] += step[next_segment]
        # A PBX that is held up counts from its own clock in one place and from its audio's in another: a key may begin
        # at the timestamp of the one before or earlier. What was sent later and says that it begins is a new key.
        anew = begins(turn) & self._newer(rows, turn.sequence) & ~self._open[rows]
        anew |= ~same_key & ~turn.end & (step == 0)
        goes_on = self._any[rows] & ~anew & ((step == 0) | moving | next_segment)
        delayed = self._any[rows] & ~anew & (step < 0) & (step > -MAX_DELAYED)
        return goes_on, ~goes_on & ~delayed

    def _newer(self, rows: Rows, sequence: npt.NDArray[np.uint16]) -> Mask:
        return ~self._any[rows] | ((sequence - self._sequence[rows]).astype(np.int16) > 0)

    def _lengthen(self, turn: Runs) -> None:
        rows = turn.rows
        moved = turn.timestamp != self._timestamp[rows]
        self._timestamp[rows] = turn.timestamp
        self._duration[rows] = np.where(moved, turn.longest, np.maximum(self._duration[rows], turn.longest))
        self._heard_tick[rows] = self._tick

    def _press(self, turn: Runs, pressed: list[Pressed], released: list[Released]) -> None:
        rows = turn.rows
        self._end(rows[self._down[rows]], released)
        self._code[rows], self._timestamp[rows], self._duration[rows] = turn.code, turn.timestamp, turn.longest
        self._before[rows], self._rate[rows], self._heard_tick[rows] = 0, turn.rate, self._tick
        self._down[rows] = self._open[rows] = self._any[rows] = True
        pressed.append(Pressed(rows, turn.code, turn.longest / turn.rate))

    def _end(self, rows: Rows, released: list[Released]) -> None:
        if not len(rows):
            return
        self._down[rows] = False
        released.append(Released(rows, (self._before[rows] + self._duration[rows]) / self._rate[rows]))
