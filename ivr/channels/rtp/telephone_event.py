"""RFC 4733 key events of all calls at once: which packets begin a key and which end one; audio is not looked at.

One timestamp is one key press, however many packets carry it (2.5.1.4: the last one comes three times). What peers do
beside the letter is told apart here: a lost end, a missing marker, a timestamp that moves with every packet, the
segments of a long key (2.5.1.3), events doubled, reordered or come late.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from ivr.channels.rtp.packets import Arrivals, Bytes, Mask, Rows

KEYS: Final = 16  # codes 0-15; 16 is a hook flash, others are no keys
END: Final = 0x80
PAYLOAD: Final = 4
NOTHING: Final = 255
WIPED: Final = 254  # a key was there and has been wiped: its further packets belong to it whatever they say
MAX_ROUNDS: Final = 16  # event packets of one call in one tick; a peer sends one or, at the end, three
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

    def only(self, keep: Rows | Mask) -> "EventPackets":
        return EventPackets(*(getattr(self, name)[keep] for name in self.__dataclass_fields__))


@dataclass(frozen=True)
class Turn:
    """At most one packet of each call, read."""

    rows: Rows
    timestamp: npt.NDArray[np.uint32]
    marker: Mask
    rate: npt.NDArray[np.int32]
    code: Bytes
    end: Mask
    duration: npt.NDArray[np.uint32]

    def only(self, keep: Mask) -> "Turn":
        return Turn(*(getattr(self, name)[keep] for name in self.__dataclass_fields__))


def read_turn(arrivals: Arrivals, packets: EventPackets) -> Turn:
    """RFC 4733 2.3: event code; end bit and volume; duration."""
    payload = arrivals.bytes[packets.at[:, None], packets.begin[:, None] + np.arange(PAYLOAD)]
    duration = payload[:, 2].astype(np.uint32) << 8 | payload[:, 3]
    end = (payload[:, 1] & END).astype(bool)
    turn = Turn(packets.rows, packets.timestamp, packets.marker, packets.rate, payload[:, 0], end, duration)
    return turn.only(turn.code < KEYS)


@dataclass(frozen=True)
class Pressed:
    rows: Rows
    code: Bytes
    elapsed_s: npt.NDArray[np.float64]  # how long the key had been down when the packet was sent


@dataclass(frozen=True)
class Released:
    rows: Rows
    duration_s: npt.NDArray[np.float64]


class TelephoneEvents:
    def __init__(self, capacity: int) -> None:
        self.flooded = 0
        self._code = np.full(capacity, NOTHING, np.uint8)
        self._timestamp = np.zeros(capacity, np.uint32)  # of the newest packet of the newest key
        self._duration = np.zeros(capacity, np.uint32)
        self._before = np.zeros(capacity, np.int64)  # duration of the segments before this one
        self._rate = np.full(capacity, 8000, np.int32)
        self._down = np.zeros(capacity, bool)
        self._moves = np.zeros(capacity, bool)  # this peer's timestamps have been seen to move within a key
        self._any = np.zeros(capacity, bool)
        self._heard_tick = np.zeros(capacity, np.int64)
        self._tick = 0

    def begin(self, row: int) -> None:
        self._code[row] = NOTHING
        self._duration[row] = self._before[row] = self._timestamp[row] = 0
        self._down[row] = self._any[row] = self._moves[row] = False

    def wipe(self, rows: list[int]) -> None:
        """The keys go; the timestamps stay, because repeated end packets would be a second press without them."""
        self._code[rows] = WIPED

    def __call__(self, arrivals: Arrivals, packets: EventPackets) -> tuple[list[Pressed], list[Released]]:
        pressed: list[Pressed] = []
        released: list[Released] = []
        if len(packets.rows):
            for turn in self._turns(packets):
                self._step(read_turn(arrivals, turn), pressed, released)
        self._tick += 1
        overdue = np.flatnonzero(self._down & (self._tick - self._heard_tick > LOST_END_TICKS))
        if len(overdue):
            self._end(overdue, released)
        return pressed, released

    def _turns(self, packets: EventPackets) -> list[EventPackets]:
        """Splits so that each call has one packet in each part, in order."""
        order = np.argsort(packets.rows, kind="stable")
        rows = packets.rows[order]
        first = np.flatnonzero(np.concatenate([[True], rows[1:] != rows[:-1]]))
        turn = np.arange(len(rows)) - np.repeat(first, np.diff(np.append(first, len(rows))))
        self.flooded += int(np.count_nonzero(turn >= MAX_ROUNDS))
        return [packets.only(order[turn == n]) for n in range(min(int(turn.max()) + 1, MAX_ROUNDS))]

    def _step(self, turn: Turn, pressed: list[Pressed], released: list[Released]) -> None:
        goes_on, new = self._judged(turn)
        self._lengthen(turn.only(goes_on))
        if new.any():
            self._press(turn.only(new), pressed, released)
        ended = turn.end & (goes_on | new) & self._down[turn.rows]
        if ended.any():
            self._end(turn.rows[ended], released)

    def _judged(self, turn: Turn) -> tuple[Mask, Mask]:
        """Which packets go on with their call's newest key, and which begin a new one; the others are echoes."""
        code, duration = turn.code, turn.duration
        rows = turn.rows
        step = (turn.timestamp - self._timestamp[rows]).astype(np.int32).astype(np.int64)
        before = self._duration[rows].astype(np.int64)
        same_key = (self._code[rows] == code) | (self._code[rows] == WIPED)
        open_key = self._down[rows] & same_key & ~turn.marker & (step > 0)
        # The timestamp moves along with the duration: both count from one beginning. A new press would have to be
        # longer than the old one and the pause together before its first packet came through.
        moving = open_key & (duration > before) & (step < duration)
        late_end = self._moves[rows] & turn.end & same_key & ~turn.marker & (step > 0)
        moving |= late_end & (duration >= before) & (step < duration)
        self._moves[rows[moving]] = True
        next_segment = open_key & (before >= SEGMENT) & (step >= before) & (step <= before + SEGMENT_SLACK)
        self._before[rows[next_segment]] += step[next_segment]
        goes_on = self._any[rows] & ((step == 0) | moving | next_segment)
        delayed = self._any[rows] & (step < 0) & (step > -MAX_DELAYED)
        return goes_on, ~goes_on & ~delayed

    def _lengthen(self, turn: Turn) -> None:
        rows = turn.rows
        moved = turn.timestamp != self._timestamp[rows]
        self._timestamp[rows] = turn.timestamp
        self._duration[rows] = np.where(moved, turn.duration, np.maximum(self._duration[rows], turn.duration))
        self._heard_tick[rows] = self._tick

    def _press(self, turn: Turn, pressed: list[Pressed], released: list[Released]) -> None:
        rows = turn.rows
        interrupted = rows[self._down[rows]]
        if len(interrupted):
            self._end(interrupted, released)
        self._code[rows], self._timestamp[rows], self._duration[rows] = turn.code, turn.timestamp, turn.duration
        self._before[rows], self._rate[rows], self._heard_tick[rows] = 0, turn.rate, self._tick
        self._down[rows] = self._any[rows] = True
        pressed.append(Pressed(rows, turn.code, turn.duration / turn.rate))

    def _end(self, rows: Rows, released: list[Released]) -> None:
        self._down[rows] = False
        released.append(Released(rows, (self._before[rows] + self._duration[rows]) / self._rate[rows]))
