"""De-jitter: audio packets to one frame of 160 codes a call and tick, 40 ms after they came; no decoding of tones.

Clock-driven: a tick plays whatever is there, and silence where nothing is, because real peers send nothing between
tones. But where nothing is in the middle of a sound, the caller has not paused, the line stands still: no time passes
for that row (`standing`) until it is known which. A frame is overwritten with silence one tick after it was played.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from dsp import g711
from ivr.phone.rtp.conceal import concealed, decoded, is_loud
from ivr.phone.rtp.packets import FRAME, HEADER_BYTES, MAX_PAYLOAD, Arrivals, Bytes, Mask, Rows
from ivr.phone.rtp.prompts import ALAW_TO_ULAW
from ivr.phone.rtp.sequence import Sequences

SLOTS: Final = 128  # 2.56 s, 20 KB a call: what a line or a worker that stood still may deliver at once
DELAY: Final = 2 * FRAME  # samples
MAX_AHEAD: Final = (SLOTS - 4) * FRAME
NO_GAP: Final = -SLOTS * FRAME
SILENCE: Final = g711.SILENCE["ulaw"]
# Lost frames in one piece that are filled from their neighbours; 40 ms of delay know of no more in time.
MAX_FILLED: Final = 2
Distances = npt.NDArray[np.int32]
# How long a row that has run dry in the middle of a sound waits before that counts as a pause. A peer that sends nothing
# between tones makes a key too short to have been told yet wait as long.
PATIENCE_TICKS: Final = 25
KEY_PATIENCE_TICKS: Final = 100  # a key has been told and is down: nothing waits for its end
# A row this far behind has been held up: it is caught up, some frames a tick, or its keys would come late for good.
LEEWAY: Final = 10 * FRAME
MOST_MORE: Final = 4  # frames of a row in one tick beside its own
MOST_ROWS: Final = 100  # caught up in one tick: 2 MB to move
AUDIO_KIND: Final = np.dtype((np.void, FRAME))


@dataclass(frozen=True)
class Audio:
    """The audio packets of one tick; `at` is where they lie among the arrivals."""

    rows: Rows
    at: Rows
    sequence: npt.NDArray[np.uint16]
    timestamp: npt.NDArray[np.uint32]
    begin: npt.NDArray[np.int32]
    length: npt.NDArray[np.int32]
    alaw: Mask
    newer: Mask  # by sequence number, than all before
    marker: Mask

    def only(self, keep: Mask) -> "Audio":
        if keep.all():
            return self
        return Audio(*(getattr(self, name)[keep] for name in self.__dataclass_fields__))


class Jitter:
    def __init__(self, capacity: int, sequences: Sequences) -> None:
        self.late = 0
        self.odd = 0  # of a size that is no frame: taken, at a higher price
        self.filled = 0
        self._rows = rows = capacity
        self._sequences = sequences
        self.ring: Bytes = np.full((SLOTS, rows, FRAME), SILENCE, np.uint8)
        self._frames = self.ring.reshape(-1).view(AUDIO_KIND)  # one element a frame: copied as one
        self._filled = np.zeros((SLOTS, rows), bool)
        self._lost = np.zeros((SLOTS, rows), bool)
        self._any_lost = np.zeros(SLOTS, bool)
        self._next = np.zeros(rows, np.uint32)  # timestamp that the coming tick plays
        self._end = np.zeros(rows, np.uint32)  # timestamp after the newest audio kept
        self._synced = np.zeros(rows, bool)
        self._dry = np.zeros(rows, bool)
        self._patience = np.zeros(rows, np.int64)  # ticks that a dry row still waits
        self._cut = np.zeros(rows, bool)  # it ran dry in the middle of a sound
        self._resuming = np.zeros(rows, np.int64)  # ticks until a row that was held up goes on
        self.key_down = np.zeros(rows, bool)  # as the decoder has told
        self.standing = np.zeros(rows, bool)  # rows for which the tick just played was none
        self.any_standing = False
        self.stood = np.zeros(rows, np.int64)  # ticks, all together, less those that a row was caught up by
        self.seams = np.zeros(rows, bool)  # rows whose frame just played does not go on where the one before ended
        self._skipped = np.zeros(rows, bool)
        self._slot = 0
        self._played = 0  # ticks
        # The last stretch of silence that was no pause but a stream held up, in samples decoded of its row.
        self.gap_from, self.gap_to = np.full(rows, NO_GAP, np.int64), np.full(rows, NO_GAP, np.int64)

    def begin(self, row: int) -> None:
        """A new source: its timestamps have nothing to do with those before."""
        self.wipe([row])
        self._synced[row] = self._dry[row] = self.standing[row] = False
        self._patience[row] = self._resuming[row] = 0
        self.gap_from[row] = self.gap_to[row] = NO_GAP

    def wipe(self, rows: list[int]) -> None:
        self.ring[:, rows] = SILENCE
        self._filled[:, rows] = False
        self._lost[:, rows] = False

    def store(self, arrivals: Arrivals, audio: Audio) -> None:
        if not len(audio.rows):
            return
        ahead = self._anchored(audio)
        on_time = (ahead >= 0) & (ahead <= MAX_AHEAD)
        self.late += int(np.count_nonzero(~on_time))
        on_time &= (audio.length > 0) & (audio.length <= MAX_PAYLOAD)
        self._write(arrivals, audio.only(on_time), ahead if on_time.all() else ahead[on_time])

    def play(self) -> Bytes:
        """[capacity, 160] of mu-law for the coming 20 ms; valid until the next call."""
        slot, before = self._slot, (self._slot - 1) % SLOTS
        waits = self._who_stands(before)
        if self._any_lost[slot]:
            self._fill_lost(slot, before)
        self.seams = (self._filled[slot] != self._filled[before]) | self._skipped
        self._skipped[:] = False
        self.ring[before] = SILENCE
        self._filled[before] = False
        self._slot = (slot + 1) % SLOTS
        self._played += 1
        self._next += np.uint32(FRAME)
        if len(waits):
            self._next[waits] -= np.uint32(FRAME)
        playing: Bytes = self.ring[slot]
        return playing

    def more(self) -> tuple[Rows, list[Bytes]]:
        """Rows that are caught up in this tick, and their next frames: [capacity, 160] each, in which only they count."""
        behind = np.where(self._synced & ~self.standing, distance(self._end, self._next), 0)
        rows = np.flatnonzero(behind > LEEWAY)[:MOST_ROWS]
        if not len(rows):
            return rows, []
        count = min(MOST_MORE, int(behind[rows].min() - LEEWAY) // FRAME + 1)
        frames = [self._next_of(rows, (self._slot + n) % SLOTS) for n in range(count)]
        self._move_up(rows, count)
        self._skipped[rows] = True
        return rows, frames

    def _next_of(self, rows: Rows, place: int) -> Bytes:
        before = (place - 1) % SLOTS
        lost = self._lost[place, rows] & ~self._filled[place, rows] & self._filled[before, rows]
        if lost.any():
            self._conceal(rows[lost], place, before)
        frames = np.full(self.ring.shape[1:], SILENCE, np.uint8)
        frames[rows] = self.ring[place, rows]
        return frames

    def _move_up(self, rows: Rows, count: int) -> None:
        """As if these rows had been played `count` times more."""
        places = (self._slot - 1 + np.arange(SLOTS)) % SLOTS
        to, start, over = places[:-count, None], places[count:, None], places[-count:, None]
        for kept, nothing in ((self.ring, SILENCE), (self._filled, False), (self._lost, False)):
            kept[to, rows] = kept[start, rows]
            kept[over, rows] = nothing
        self._any_lost |= self._lost[:, rows].any(axis=1)
        self._next[rows] += np.uint32(count * FRAME)
        self.stood[rows] -= count

    def last_played(self, rows: Rows) -> Bytes:
        frames: Bytes = self.ring[(self._slot - 1) % SLOTS, rows]
        return frames

    def _who_stands(self, before: int) -> Rows:
        """Sets `standing`; which of those rows wait for what comes next. The others have got it, and let it gather."""
        dry = self._synced & (distance(self._end, self._next) <= 0)
        begun = np.flatnonzero(dry & ~self._dry)
        self._dry = dry
        if len(begun):
            loud = is_loud(decoded(self.ring[before, begun]))
            patience = np.where(self.key_down[begun], KEY_PATIENCE_TICKS, PATIENCE_TICKS)
            self._patience[begun] = np.where(loud, patience, 0)
            self._cut[begun] = loud
        waits = dry & (self._patience > 0)
        resuming = self._resuming > 0
        self.standing = waits | resuming
        self.any_standing = bool(self.standing.any())
        if not self.any_standing:
            return NONE
        self._patience[waits] -= 1
        self._resuming[resuming] -= 1
        self.stood += self.standing
        return np.flatnonzero(waits)

    def _anchored(self, audio: Audio) -> npt.NDArray[np.int32]:
        """Samples from what is played next to each packet; a call whose buffer has run dry begins a new stretch."""
        rows = audio.rows
        ahead = distance(audio.timestamp, self._next[rows])
        dry = distance(self._end[rows], self._next[rows]) <= 0
        # A late packet that is newer than all before cannot be one of the past: the stream was held up, or its
        # clock stands still in silence. Nothing is lost if it begins anew after the delay, and from then on a stream
        # that was held up waits longer by as much as it was late. A leap ahead likewise.
        restarts = (ahead > MAX_AHEAD) | (ahead < -RESTARTED)
        dried = dry & ((ahead < 0) | (ahead > DELAY) | (self.standing[rows] & (ahead == 0)))
        anew = ~self._synced[rows] | ((restarts | dried) & audio.newer)
        if not anew.any():
            return ahead
        anew &= restarts | first_of_each(rows, anew, audio.newer)
        which = np.flatnonzero(anew)
        chosen, first = np.unique(rows[which], return_index=True)
        first = which[first]
        self._note_gap(chosen, ahead[first], audio.timestamp[first], audio.marker[first])
        self._next[chosen] = audio.timestamp[first] - np.uint32(DELAY)
        self._end[chosen] = self._next[chosen]
        self._synced[chosen] = True
        self.wipe(list(chosen))
        # A marker begins a talkspurt (RFC 3551 4.1): there has been a pause, though its clock stood still in it.
        held_up = (ahead[first] == 0) & self.standing[chosen] & ~audio.marker[first]
        self._resuming[chosen] = np.where(held_up, DELAY // FRAME, 0)
        return distance(audio.timestamp, self._next[rows])

    def _note_gap(self, rows: Rows, ahead: Distances, timestamp: npt.NDArray[np.uint32], marker: Mask) -> None:
        """Where a stream was held up beyond all patience, the silence played meanwhile was none of the caller's.

        It comes late, and goes on where it stopped in the middle of a sound.
        """
        held_up = self._synced[rows] & self._cut[rows] & (ahead < 0) & (timestamp == self._end[rows]) & ~marker
        rows = rows[held_up]
        now = (self._played - self.stood[rows]) * FRAME
        self.gap_from[rows] = now + distance(self._end[rows], self._next[rows])
        self.gap_to[rows] = now + DELAY

    def _write(self, arrivals: Arrivals, audio: Audio, ahead: npt.NDArray[np.int32]) -> None:
        whole = (audio.length == FRAME) & (ahead % FRAME == 0) & (audio.begin == HEADER_BYTES)
        if not whole.all():
            self._write_odd(arrivals, audio.only(~whole), ahead[~whole])
            audio, ahead = audio.only(whole), ahead[whole]
        if not len(audio.rows):
            return
        self._mark_lost(audio, ahead)
        self._extend(audio.rows, ahead + FRAME)
        slots = (self._slot + ahead // FRAME) % SLOTS
        where = slots * self._rows + audio.rows
        payloads = payload_view(arrivals.bytes)
        self._frames[where] = payloads[audio.at]
        self._filled.reshape(-1)[where] = True
        self._lost.reshape(-1)[where] = False
        if audio.alaw.any():
            where = where[audio.alaw]
            frames = self.ring.reshape(-1, FRAME)
            frames[where] = ALAW_TO_ULAW[frames[where]]

    def _mark_lost(self, audio: Audio, ahead: npt.NDArray[np.int32]) -> None:
        """Frames between the newest one and this are lost, not silent, where sequence and timestamp leapt alike."""
        missing = distance(audio.timestamp, self._end[audio.rows]) // FRAME
        leapt = (missing > 0) & (missing <= MAX_FILLED)
        if not leapt.any():
            return
        rows, missing, slot = audio.rows[leapt], missing[leapt], self._slot + ahead[leapt] // FRAME
        sequence = audio.sequence[leapt].astype(np.int64)
        for back in range(1, MAX_FILLED + 1):
            # A number that has come, as an event among the audio, is no loss of audio.
            absent = ~self._sequences.has_come(rows, sequence - back)
            gone = (missing >= back) & absent & (ahead[leapt] >= back * FRAME)
            self._lost[(slot[gone] - back) % SLOTS, rows[gone]] = True
            self._any_lost[(slot[gone] - back) % SLOTS] = True

    def _write_odd(self, arrivals: Arrivals, audio: Audio, ahead: npt.NDArray[np.int32]) -> None:
        """Frames of 10 or 30 ms, header extensions, odd timestamps: sample by sample."""
        self.odd += len(audio.rows)
        samples = np.arange(int(audio.length.max()))
        inside = samples < audio.length[:, None]
        codes = arrivals.bytes[
            audio.at[:, None], np.minimum(audio.begin[:, None] + samples, arrivals.bytes.shape[1] - 1)
        ]
        codes = np.where(audio.alaw[:, None], ALAW_TO_ULAW[codes], codes)
        position = self._slot * FRAME + ahead[:, None] + samples
        slots = position // FRAME % SLOTS
        rows = np.broadcast_to(audio.rows[:, None], slots.shape)
        self.ring[slots[inside], rows[inside], (position % FRAME)[inside]] = codes[inside]
        self._filled[slots[inside], rows[inside]] = True
        self._lost[slots[inside], rows[inside]] = False
        self._extend(audio.rows, ahead + audio.length)

    def _extend(self, rows: Rows, ahead: Distances) -> None:
        """A row may come more than once, in any order: an overtaken packet that comes last does not end the stream."""
        reach = distance(self._end, self._next)
        np.maximum.at(reach, rows, ahead)
        self._end = self._next + reach.astype(np.uint32)

    def _fill_lost(self, slot: int, before: int) -> None:
        lost = self._lost[slot]
        rows = np.flatnonzero(lost & ~self._filled[slot] & self._filled[before])
        if len(rows):
            self._conceal(rows, slot, before)
        lost[:] = False
        self._any_lost[slot] = False

    def _conceal(self, rows: Rows, slot: int, before: int) -> None:
        after = (slot + 1) % SLOTS
        self.ring[slot, rows] = concealed(self.ring[before, rows], self.ring[after, rows], self._lost[after, rows])
        self._filled[slot, rows] = True  # so that a second one in a row is filled from this one
        self.filled += len(rows)


NONE: Final = np.zeros(0, np.intp)


def first_of_each(rows: Rows, asked: Mask, newer: Mask) -> Mask:
    """The first new packet of each row that `asked` has one of: in a burst it speaks for those behind it."""
    mine = np.zeros(int(rows.max()) + 1, bool)
    mine[rows[asked]] = True
    candidates = np.flatnonzero(mine[rows] & (newer | asked))
    found = np.zeros(len(rows), bool)
    found[candidates[np.unique(rows[candidates], return_index=True)[1]]] = True
    return found


RESTARTED: Final = 8000  # samples into the past: no late packet, but timestamps that began anew


def distance(to: npt.NDArray[np.uint32], start: npt.NDArray[np.uint32]) -> npt.NDArray[np.int32]:
    """Signed, across the wrap of timestamps."""
    return (to - start).astype(np.int32)


def payload_view(block: Bytes) -> npt.NDArray[np.void]:
    """The 160 bytes after a plain header of each row, as one element each."""
    return np.ndarray(len(block), AUDIO_KIND, block, HEADER_BYTES, block.strides[:1])
