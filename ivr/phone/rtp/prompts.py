"""What each call hears: clips of G.711 kept in both laws, a list of them a call, and the frame of this tick for all calls."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from dsp import g711
from ivr.errors import IvrError
from ivr.phone.rtp.packets import FRAME, Bytes, Rows

LAWS: Final[tuple[g711.Law, ...]] = ("ulaw", "alaw")
ALAW_TO_ULAW: Final = g711.encode(g711.LINEAR["alaw"], "ulaw")
# A place of its own for silence in each law, at the beginning of the store.
SILENT_FRAME: Final = np.array([0, 1])
MAX_CLIPS: Final = 128  # in one list
NO_PLAY: Final = 0


class ClipsFull(IvrError):
    """The clip store has no room; unload clips that are no longer wanted or raise `clip_seconds`."""


@dataclass(frozen=True)
class StoredClip:
    start: int  # first frame of the mu-law copy; the A-law copy follows it
    frames: int


class ClipStore:
    """Clips are padded with silence to whole frames: at most 20 ms between two pieces of a sentence."""

    def __init__(self, capacity: int, clip_seconds: float) -> None:
        frames = 2 + round(clip_seconds * 50) * 2
        # Reserved once: pages are taken by the kernel when they are first written, and nothing is ever copied to grow.
        self.audio: Bytes = np.empty((frames, FRAME), np.uint8)
        for law, silent in zip(LAWS, SILENT_FRAME, strict=True):
            self.audio[silent] = g711.SILENCE[law]
        self._free = [(len(SILENT_FRAME), frames - len(SILENT_FRAME))]  # (start, frames), by start
        self._clips: dict[int, StoredClip] = {}
        self._law = np.zeros(capacity, np.int64)
        self._frame = np.zeros(capacity, np.int64)
        self._left = np.zeros(capacity, np.int64)  # frames of the present clip
        self._starts = np.zeros((capacity, MAX_CLIPS), np.int64)
        self._lengths = np.zeros((capacity, MAX_CLIPS), np.int64)
        self._place = np.zeros(capacity, np.int64)  # in the list
        self._count = np.zeros(capacity, np.int64)
        self.play_id = np.zeros(capacity, np.int64)  # NO_PLAY: nothing is playing
        self.barge_in = np.zeros(capacity, bool)

    def load(self, clip: int, codes: Bytes) -> None:
        """codes: mu-law of any length. An id that is taken keeps what it has: clips never change."""
        if clip in self._clips:
            return
        frames = max(1, -(-len(codes) // FRAME))
        start = self._reserve(2 * frames)
        self._clips[clip] = StoredClip(start, frames)
        ulaw = self.audio[start : start + frames].reshape(-1)
        ulaw[: len(codes)] = codes
        ulaw[len(codes) :] = g711.SILENCE["ulaw"]
        self.audio[start + frames : start + 2 * frames].reshape(-1)[:] = g711.encode(g711.decode(ulaw, "ulaw"), "alaw")

    def unload(self, clip: int) -> None:
        """Who still hears it hears it to the end only if nothing is loaded over it: stop such calls first."""
        gone = self._clips.pop(clip, None)
        if gone is None:
            return
        spaces = sorted([*self._free, (gone.start, 2 * gone.frames)])
        self._free = [spaces[0]]
        for start, frames in spaces[1:]:
            last_start, last_frames = self._free[-1]
            if last_start + last_frames == start:
                self._free[-1] = (last_start, last_frames + frames)
            else:
                self._free.append((start, frames))

    def _reserve(self, frames: int) -> int:
        for place, (start, room) in enumerate(self._free):
            if room >= frames:
                self._free[place : place + 1] = [(start + frames, room - frames)] if room > frames else []
                return start
        raise ClipsFull(f"clips: no room for {frames // 100} s more; unload some or raise clip_seconds")

    def open(self, row: int, law: g711.Law) -> None:
        self._law[row] = LAWS.index(law)
        self.stop(row)

    def change_law(self, row: int, law: g711.Law) -> None:
        """In mid-prompt too: the list is of mu-law places, and the other copy is one clip's length further."""
        at, new = self._place[row], LAWS.index(law)
        if self.play_id[row] != NO_PLAY:
            self._frame[row] += (new - self._law[row]) * self._lengths[row, at]
        else:
            self._frame[row] = SILENT_FRAME[new]
        self._law[row] = new

    def play(self, row: int, play_id: int, clips: list[int], barge_in: bool) -> None:
        """Replaces what is playing. Unknown clips are an error and change nothing."""
        unknown = [clip for clip in clips if clip not in self._clips]
        if unknown or not 0 < len(clips) <= MAX_CLIPS:
            raise IvrError(f"play: clips {unknown} are not loaded" if unknown else f"play: 1 to {MAX_CLIPS} clips")
        found = [self._clips[clip] for clip in clips]
        self._starts[row, : len(found)] = [clip.start for clip in found]
        self._lengths[row, : len(found)] = [clip.frames for clip in found]
        self._count[row], self._place[row] = len(found), 0
        self.play_id[row], self.barge_in[row] = play_id, barge_in
        self._begin(np.array([row], np.intp))

    def stop(self, row: int) -> int:
        """Silence from the next packet on; the id of what was cut off, or NO_PLAY."""
        cut, self.play_id[row] = int(self.play_id[row]), NO_PLAY
        self._left[row] = 0
        self._frame[row] = SILENT_FRAME[self._law[row]]
        return cut

    def step(self, rows: int) -> tuple[Rows, Rows]:
        """The frame of each of the first `rows` rows for this tick, and which of them have just sent their last one."""
        frames = self._frame[:rows].copy()
        left = self._left[:rows]
        playing = left > 0
        self._frame[:rows] += playing
        left -= playing
        over = np.flatnonzero(playing & (left == 0))
        if not len(over):
            return frames, over
        self._place[over] += 1
        more = self._place[over] < self._count[over]
        self._begin(over[more])
        done = over[~more]
        self._frame[done] = SILENT_FRAME[self._law[done]]
        return frames, done

    def silence(self, rows: int) -> Rows:
        """As `step`, of a tick in which nothing is sent."""
        return np.asarray(SILENT_FRAME[self._law[:rows]], np.intp)

    def in_ulaw(self, rows: Rows, frames: Rows) -> Bytes:
        """[rows, 160]: these frames of these calls, as somebody hears them who knows mu-law only."""
        codes: Bytes = self.audio[frames]
        alaw = self._law[rows] == LAWS.index("alaw")
        codes[alaw] = ALAW_TO_ULAW[codes[alaw]]
        return codes

    def _begin(self, rows: Rows) -> None:
        at = self._place[rows]
        self._left[rows] = self._lengths[rows, at]
        self._frame[rows] = self._starts[rows, at] + self._law[rows] * self._lengths[rows, at]
