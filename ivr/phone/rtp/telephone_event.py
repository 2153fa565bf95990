"""RFC 4733 key events of all calls at once: which packets begin a key and which end one; audio is not looked at.

One timestamp is one key press, however many packets carry it (2.5.1.4: the last one comes three times). What peers do
beside the letter is told apart here: a lost end, a missing marker, a timestamp that moves with every packet or with the
repeated ends alone, one timestamp for two presses, the segments of a long key (2.5.1.3), another SSRC in the middle of a
key, events doubled, reordered or come late. A line that stood still delivers seconds of packets at once: those of one
timestamp are read as one, so that a burst costs as much as it has keys.
"""

from dataclasses import dataclass, replace
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from ivr.phone.rtp.packets import Arrivals, Bytes, Mask, Rows

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
# A repeated end that carries a timestamp of its own: at most 100 ms after the one before (an end every 50 ms, one of
# them lost), and before a new press could have begun: within the key's own duration and 20 ms of pause.
MOST_BETWEEN_ENDS_S: Final = 0.1
LEAST_PAUSE_S: Final = 0.02
UNKNOWN: Final = -1  # no SSRC: whatever comes next is from another source than what came before
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
    ssrc: npt.NDArray[np.uint32]

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
    ssrc: npt.NDArray[np.uint32]
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
    heads = (packets.rows, packets.timestamp, packets.marker, packets.rate, packets.sequence, packets.ssrc)
    found = Runs(*heads, payload[:, 0], end, duration, end, duration, packets.sequence)
    return found.only(found.code < KEYS)


def joined(runs: Runs) -> Runs:
    """Neighbours of one call with one timestamp as one; sorted by call, in order within each."""
    if len(runs) < 2:
        return runs
    runs = runs.only(np.argsort(runs.rows, kind="stable"))
    differs = (runs.rows[1:] != runs.rows[:-1]) | (runs.timestamp[1:] != runs.timestamp[:-1])
    differs |= (runs.code[1:] != runs.code[:-1]) | (runs.ssrc[1:] != runs.ssrc[:-1])
    differs |= runs.ended[:-1] & (begins(runs) | starts_over(runs))[1:]
    if differs.all():
        return runs
    first = np.flatnonzero(np.concatenate([[True], differs]))
    ended, longest = np.logical_or.reduceat(runs.ended, first), np.maximum.reduceat(runs.longest, first)
    last = runs.last[np.append(first[1:], len(runs)) - 1]
    return replace(runs.only(first), ended=ended, longest=longest, last=last)


def begins(runs: Runs) -> Mask:
    """The letter of RFC 4733 2.5.1.1: only the first packet of a key has a marker."""
    return runs.marker & ~runs.end


def starts_over(runs: Runs) -> Mask:
    """Sent after its neighbour and yet shorter than it: no packet of the same press (the first of all is not one)."""
    later = (runs.sequence[1:] - runs.last[:-1]).astype(np.int16) > 0
    return np.concatenate([[False], later & ~runs.end[1:] & (runs.duration[1:] < runs.longest[:-1])])


def nothing() -> Runs:
    return Runs(*(np.zeros(0, kind) for kind in RUN_KINDS))


RUN_KINDS: Final = (
    np.intp,
    np.uint32,
    bool,
    np.int32,
    np.uint16,
    np.uint32,
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


Steps: TypeAlias = npt.NDArray[np.int64]  # from the newest timestamp of a call to a packet's


class TelephoneEvents:
    def __init__(self, capacity: int) -> None:
        self.flooded = 0
        self._code = np.full(capacity, NOTHING, np.uint8)
        self._timestamp = np.zeros(capacity, np.uint32)  # of the newest packet of the newest key
        self._sequence = np.zeros(capacity, np.uint16)  # the newest of all event packets
        self._ssrc = np.full(capacity, UNKNOWN, np.int64)  # of the newest packet
        self._left = np.full(capacity, UNKNOWN, np.int64)  # the SSRC before that one
        self._left_tick = np.zeros(capacity, np.int64)
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
        self._ssrc[row] = self._left[row] = UNKNOWN
        self._down[row] = self._open[row] = self._any[row] = self._moves[row] = False

    def change_source(self, row: int) -> None:
        """What comes next is from elsewhere: its sequence numbers and timestamps are not those of before."""
        self._ssrc[row] = UNKNOWN

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
        elsewhere = self._from_elsewhere(turn)
        newest = self._sent_later(turn, elsewhere)
        goes_on, new = self._judged(turn, elsewhere, newest)
        rows = turn.rows[newest]
        self._sequence[rows] = turn.last[newest]
        self._note_sources(rows, turn.ssrc[newest])
        self._lengthen(turn.only(goes_on))
        if new.any():
            self._press(turn.only(new), pressed, released)
        ended = turn.ended & (goes_on | new)
        if ended.any():
            rows = turn.rows[ended]
            self._open[rows] = False
            self._end(rows[self._down[rows]], released)

    def _judged(self, turn: Runs, elsewhere: Mask, sent_later: Mask) -> tuple[Mask, Mask]:
        """Which packets go on with their call's newest key, and which begin a new one; the others are echoes."""
        rows = turn.rows
        step = (turn.timestamp - self._timestamp[rows]).astype(np.int32).astype(np.int64)
        same_key = (self._code[rows] == turn.code) | (self._code[rows] == WIPED)
        anew = sent_later & self._begins_anew(turn, step, same_key)
        goes_on = self._any[rows] & ~anew & ((step == 0) | self._moved_along(turn, step, same_key))
        delayed = self._any[rows] & ~anew & (step < 0) & (step > -MAX_DELAYED)
        if elsewhere.any():
            goes_on = np.where(elsewhere, self._carried_over(turn, step, same_key), goes_on)
            delayed = np.where(elsewhere, self._left_behind(turn), delayed)
        return goes_on & ~delayed, ~goes_on & ~delayed

    def _begins_anew(self, turn: Runs, step: Steps, same_key: Mask) -> Mask:
        """A new key at the timestamp of the one before, or earlier, of what was sent later than all that has come.

        A PBX that is held up counts from its own clock in one place and from its audio's in another. What was sent
        later and says that it begins is a new key; without a marker it is one if it is another key, or shorter than the
        ended one: within a press the duration only grows. (That of a very long one may wrap, but then it has not ended.)
        """
        rows = turn.rows
        shorter = (turn.duration < self._duration[rows]) & ~turn.end
        is_up = ~self._open[rows] | (~self._down[rows] & (self._duration[rows] < SEGMENT))
        anew = begins(turn) & ~self._open[rows]
        anew |= (step == 0) & ~same_key & (~turn.end | ~self._open[rows])
        anew |= (step == 0) & same_key & shorter & is_up
        return anew

    def _moved_along(self, turn: Runs, step: Steps, same_key: Mask) -> Mask:
        """Later timestamps of the same press."""
        rows, duration = turn.rows, turn.duration
        before = self._duration[rows].astype(np.int64)
        later = same_key & (step > 0)
        open_key = self._open[rows] & later & ~turn.marker
        # The timestamp moves along with the duration: both count from one beginning. A new press would have to be
        # longer than the old one and the pause together before its first packet came through.
        moving = open_key & (duration > before) & (step < duration)
        late_end = self._moves[rows] & turn.end & later & ~turn.marker
        moving |= late_end & (duration >= before) & (step < duration)
        self._moves[rows[moving]] = True
        next_segment = open_key & (before >= SEGMENT) & (step >= before) & (step <= before + SEGMENT_SLACK)
        self._before[rows[next_segment]] += step[next_segment]
        moving_end = turn.end & later & (duration >= before) & (step <= before + LEAST_PAUSE_S * turn.rate)
        moving_end &= self._open[rows] | (step <= MOST_BETWEEN_ENDS_S * turn.rate)
        return np.asarray(moving | next_segment | moving_end)

    def _from_elsewhere(self, turn: Runs) -> Mask:
        return np.asarray(self._any[turn.rows] & (turn.ssrc != self._ssrc[turn.rows]))

    def _carried_over(self, turn: Runs, step: Steps, same_key: Mask) -> Mask:
        """The key that is down when the SSRC changes goes on, under its own timestamp or one of the new source."""
        rows = turn.rows
        recent = self._tick - self._heard_tick[rows] <= LOST_END_TICKS
        grown = turn.duration >= self._duration[rows]
        repeats = turn.end & (turn.duration == self._duration[rows])
        goes_on: Mask = (step == 0) | recent & (self._open[rows] | repeats)
        return same_key & ~begins(turn) & grown & goes_on

    def _left_behind(self, turn: Runs) -> Mask:
        """Packets of the source before, overtaken by those of the one that took its place."""
        recent = self._tick - self._left_tick[turn.rows] <= LOST_END_TICKS
        return np.asarray(recent & (turn.ssrc == self._left[turn.rows]) & ~begins(turn))

    def _sent_later(self, turn: Runs, elsewhere: Mask) -> Mask:
        """Than all that has come: by sequence number, which says nothing of packets from another source."""
        rows = turn.rows
        later = (turn.sequence - self._sequence[rows]).astype(np.int16) > 0
        if elsewhere.any():
            later = np.where(elsewhere, ~self._left_behind(turn), later)
        return np.asarray(~self._any[rows] | later)

    def _note_sources(self, rows: Rows, ssrc: npt.NDArray[np.uint32]) -> None:
        changed = rows[ssrc != self._ssrc[rows]]
        if len(changed):
            self._left[changed], self._left_tick[changed] = self._ssrc[changed], self._tick
            self._ssrc[rows] = ssrc

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
