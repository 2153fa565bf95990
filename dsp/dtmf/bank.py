"""Live channels: the state between ticks, who is looked at closely, and the events; no arithmetic on audio."""

from typing import Final

import numpy as np
import numpy.typing as npt

from dsp.dtmf.confirm import Candidates, keys_begun
from dsp.dtmf.edges import end_of, has_ended, start_of, weaker
from dsp.dtmf.keys import FRAME, Down, Events, Floats, Frames, Rows, Up, constant
from dsp.dtmf.line import line_for
from dsp.dtmf.screen import Screen, Suspects
from dsp.dtmf.windows import Closeup
from dsp.errors import DspError

KEPT: Final = 3  # frames kept of each channel: a verdict on one needs its two neighbours
IDLE: Final = -1
JUDGED: Final = 1024  # rows judged at a time
# While a key is down, the screen's energy stays within these bounds from tick to tick: a pause of 3 ms within the
# block moves it out, white noise at 8 dB S/N and the tones' own beat seldom do (and then a close look settles it).
MIN_STEADY_ENERGY: Final = constant(0.7)
MAX_STEADY_ENERGY: Final = constant(1.5)
# Ticks without any likeness of a tone after which a key is up whatever its amplitude says (speech over the tone).
PATIENCE_TICKS: Final = 10


class DtmfBank:
    """Reads keys on many channels; one call is one tick of 20 ms for all of them.

    All channels are joined at first (`joined=False`: none). A key is reported down 35 to 57 ms after its tone
    began and up 25 to 53 ms after it ended. Nothing is allocated per channel later on.
    """

    def __init__(self, channels: int, law: str | None = "ulaw", *, joined: bool = True) -> None:
        if channels < 1:
            raise DspError(f"channels is {channels}; a bank needs at least one")
        self._channels = channels
        self._line = line_for(law)
        self._screen = Screen(self._line)
        self._closeup = Closeup(self._line)
        self._heard: Frames = np.full((KEPT, channels, FRAME), self._line.silence, self._line.stored)
        self._oldest_first = [
            np.array([(newest - back) % KEPT for back in (2, 1, 0)]) * channels for newest in range(KEPT)
        ]
        self._key = np.full(channels, IDLE, np.int8)
        self._likely = np.zeros(channels, np.int8)  # what the screen last took an idle channel's sound for
        self._start = np.zeros(channels, np.int64)
        self._amplitude = np.zeros((2, channels), np.float32)
        self._energy = np.zeros(channels, np.float32)  # of the pair, as the screen last saw it
        self._due = np.zeros(channels, bool)  # to be looked at closely in the channel's next tick
        self._unlike = np.zeros(channels, np.int8)  # ticks since a held key last looked like a tone
        self._tick = 0
        self._origin = np.zeros(channels, np.int64)  # the bank's sample from which a channel counts its own
        self._joined = np.full(channels, joined)
        self._rows: Rows | None = None
        self._count_joined()

    def __call__(self, frames: Frames, rows: npt.ArrayLike | None = None) -> Events:
        """frames: [channels, 160]. rows: the channels that have audio in this tick (None: every joined one);
        for the others no time passes, and what stands in their row is not read. Channels that left are skipped."""
        frames = self._checked(frames)
        live = self._live(rows)
        self._keep(frames, live)
        suspects = self._screen(self._heard[self._tick % KEPT], live)
        events = self._look_closely(self._due_now(live))
        self._watch(suspects, live)
        self._tick += 1
        return events

    def join(self, rows: npt.ArrayLike) -> None:
        """Begins these channels anew, whether they had joined before or not; their samples count from 0."""
        at = self._indices(rows)
        self.wipe(at)
        self._origin[at] = self._tick * FRAME
        self._joined[at] = True
        self._count_joined()

    def leave(self, rows: npt.ArrayLike) -> None:
        """Takes these channels out and wipes them; a key still down gets no `up`."""
        at = self._indices(rows)
        self.wipe(at)
        self._joined[at] = False
        self._count_joined()

    def wipe(self, rows: npt.ArrayLike) -> None:
        """Overwrites all audio and every trace of a key of these channels; a key that is down is forgotten."""
        at = self._indices(rows)
        self._heard[:, at] = self._line.silence
        self._key[at] = IDLE
        self._likely[at] = 0
        self._start[at] = 0
        self._amplitude[:, at] = 0
        self._energy[at] = 0
        self._due[at] = False
        self._unlike[at] = 0
        self._screen.wipe()
        self._closeup.wipe()

    def _checked(self, frames: Frames) -> Frames:
        wanted = (self._channels, FRAME)
        if not isinstance(frames, np.ndarray) or frames.shape != wanted:
            shape = getattr(frames, "shape", type(frames).__name__)
            raise DspError(f"frames are {shape}; expected an array [channels, samples] of {wanted}, 20 ms at 8 kHz")
        return self._line.accept(frames)

    def _indices(self, rows: npt.ArrayLike) -> Rows:
        """Row numbers, rising and each once, from numbers in any order or from a mask [channels]."""
        given = np.asarray(rows)
        if given.dtype == bool and given.shape == (self._channels,):
            return given.nonzero()[0]
        if given.size and given.dtype.kind not in "iu":
            raise DspError(f"rows are {given.dtype} {given.shape}; expected row numbers, or a mask [{self._channels}]")
        at = np.unique(given).astype(np.intp)
        if len(at) and not 0 <= at[0] <= at[-1] < self._channels:
            raise DspError(f"rows reach from {at[0]} to {at[-1]}; this bank has channels 0 to {self._channels - 1}")
        return at

    def _count_joined(self) -> None:
        self._rows = None if self._joined.all() else np.flatnonzero(self._joined)

    def _live(self, rows: npt.ArrayLike | None) -> Rows | None:
        if rows is None:
            return self._rows
        at = self._indices(rows)
        joined: Rows = at[self._joined[at]]
        return joined

    def _keep(self, frames: Frames, live: Rows | None) -> None:
        newest = self._heard[self._tick % KEPT]
        if live is None:
            np.copyto(newest, frames)
            return
        newest[live] = frames[live]
        if live is not self._rows:
            self._stand_still(live)

    def _stand_still(self, live: Rows) -> None:
        """The ring of frames turns for all channels, so those without audio in this tick carry theirs along."""
        still = self._joined.copy()
        still[live] = False
        at = np.flatnonzero(still)
        newest, oldest, middle = (self._heard[(self._tick - back) % KEPT] for back in (0, 2, 1))
        newest[at] = middle[at]
        middle[at] = oldest[at]
        self._origin[at] += FRAME

    def _due_now(self, live: Rows | None) -> Rows:
        return self._due.nonzero()[0] if live is None else live[self._due[live]]

    def _look_closely(self, rows: Rows) -> Events:
        """rows in rising order; idle ones are judged first, so that each kind is one slice."""
        if len(rows) == 0:
            return QUIET
        held = self._key[rows] >= 0
        rows, idle_rows = rows[held.argsort(kind="stable")], len(rows) - int(np.count_nonzero(held))
        found = [self._verdicts(rows[at : at + JUDGED], max(idle_rows - at, 0)) for at in range(0, len(rows), JUDGED)]
        return found[0] if len(found) == 1 else joined_events(found)

    def _verdicts(self, rows: Rows, idle: int) -> Events:
        idle = min(idle, len(rows))
        key = np.concatenate([self._likely[rows[:idle]], self._key[rows[idle:]]])
        frames, recent = self._heard.reshape(-1, FRAME), self._recent(rows)
        seen, amplitude = self._closeup(frames, recent, key, idle)
        up = self._release(rows[idle:], amplitude) if idle < len(rows) else NO_UP
        down = self._press(rows[:idle], keys_begun(self._closeup, seen, frames, recent)) if idle else NO_DOWN
        return QUIET if up is NO_UP and down is NO_DOWN else Events(down, up)

    def _recent(self, rows: Rows) -> Rows:
        """[rows, 3]: where the last three frames of each row stand in the ring, oldest first."""
        return np.asarray(rows[:, None] + self._oldest_first[self._tick % KEPT])

    def _release(self, at: Rows, amplitude: Floats) -> Up:
        level = weaker(amplitude / self._amplitude.take(at, axis=1))
        over = has_ended(level)
        over |= self._unlike[at] >= PATIENCE_TICKS
        ended = over.nonzero()[0]
        if len(ended) < len(at):
            still = (~over).nonzero()[0]
            self._refer(at[still], np.maximum.reduce(amplitude.take(still, axis=2), axis=0))
        if len(ended) == 0:
            return NO_UP
        gone = at[ended]
        end = self._sample(gone) + end_of(level.take(ended, axis=1))
        start = self._start[gone]
        key = self._key[gone].astype(np.uint8)
        self._key[gone] = IDLE
        return Up(gone.astype(np.int32), key, start, np.maximum(end - start, 1))

    def _press(self, rows: Rows, begun: Candidates) -> Down:
        at = rows[begun.rows]
        if len(at) == 0:
            return NO_DOWN
        start = np.maximum(self._sample(at) + start_of(begun.level), 0)
        self._key[at] = begun.key
        self._refer(at, begun.shown)
        self._unlike[at] = 0
        self._start[at] = start
        return Down(at.astype(np.int32), begun.key.astype(np.uint8), start)

    def _refer(self, at: Rows, amplitude: Floats) -> None:
        """Sets the reference for later windows: what a key began with, then, as it may grow or fade slowly, the loudest
        of the last windows."""
        self._amplitude[0][at] = amplitude[0]  # one tone at a time: 0.8 us, both in one index 2.8
        self._amplitude[1][at] = amplitude[1]

    def _sample(self, at: Rows) -> npt.NDArray[np.int64]:
        """The number, counted since the channel joined, of the first sample in the span just judged."""
        return np.asarray((self._tick - 2) * FRAME - self._origin[at], np.int64)

    def _watch(self, suspects: Suspects, live: Rows | None) -> None:
        """Next tick's close looks: what may be a tone on an idle channel, and any change on one with a key down."""
        at = suspects.rows
        before = self._energy[at]
        steady = (self._key[at] == suspects.key) & (suspects.energy >= MIN_STEADY_ENERGY * before)
        steady &= suspects.energy <= MAX_STEADY_ENERGY * before
        self._energy[at] = suspects.energy
        if live is None:
            np.greater_equal(self._key, 0, out=self._due)
            self._unlike += self._due.view(np.int8)  # as numbers, so that nothing is cast
        else:
            down = self._key[live] >= 0
            self._due[live] = down
            self._unlike[live] += down
        self._unlike[at] = 0
        self._likely[at] = suspects.key
        self._due[at] = ~steady


NO_DOWN: Final = Down()
NO_UP: Final = Up()
QUIET: Final = Events(NO_DOWN, NO_UP)


def joined_events(parts: list[Events]) -> Events:
    downs, ups = [part.down for part in parts], [part.up for part in parts]
    return Events(
        Down(*(np.concatenate([getattr(d, f) for d in downs]) for f in ("channel", "key", "start"))),
        Up(*(np.concatenate([getattr(u, f) for u in ups]) for f in ("channel", "key", "start", "duration"))),
    )
