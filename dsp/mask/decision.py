"""Turns evidence into which frames to beep over and which to veil: triggers, holds, alertness; hears no audio itself.

Time runs in hops of 5 ms, four to a frame. Hop `e` carries the evidence of the windows that end with it. Everything is
done in whole-array steps with what is needed of the past kept, so where a stream is cut changes nothing.
"""

from typing import Final, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from dsp.mask.hearing import HOPS, HopEvidence

Floats: TypeAlias = npt.NDArray[np.float32]
Flags: TypeAlias = npt.NDArray[np.bool_]
Places: TypeAlias = npt.NDArray[np.int64]
Rows: TypeAlias = npt.NDArray[np.intp]

LONG, SHORT = 0, 1  # windows of 20 ms, strong under speech, and of 10 ms, for tones shorter than that

# Evidence that beeps by itself. A key with speech 6 dB under it, or noise 3 dB, always gets there in one of the windows
# that see its beginning; a voice does in one window of 1,000, which costs it a beep of some 60 ms (bench_mask).
TRIGGER_DB: Final = (-6.3, -3.0)
# Evidence that keeps a beep going once keys triggered several times in a row.
KEEP_DB: Final = (-12.0, -8.0)
# Evidence that beeps while alert: keys come in runs, so after a certain one the next is looked for harder.
ALERT_DB: Final = (-12.0, -6.0)
# Evidence that veils: a key 6 dB under speech gets there, but for one in 500; so does a fifth of all speech.
DOUBT_DB: Final = (-18.0, -10.0)
# Noise gets there all the time, so a veil needs something above the line's own background: its quietest 20 ms in 1.5 s.
# Steady noise stays within 4 dB of that. A key of its level is 5 dB above, and without speech on top it beeps by itself.
ABOVE_DB: Final = 5.0
BACKGROUND: Final = 75  # frames
# A key is certain after so many hops in a row at this evidence (35 ms); a voice does that less than once an hour.
CERTAIN_DB: Final = -4.0
CERTAIN_HOPS: Final = 4
ALERT_HOPS: Final = 1200  # 6 s: the longest pause that flows allow between two keys
HELD_AFTER: Final = 3  # triggers in a row that start a hold
HOLD_HOPS: Final = 6  # 30 ms without any evidence end it
TAIL_HOPS: Final = 2  # a window half filled by the tone's end may show nothing

LONG_AGO: Final = -(10**9)


class Verdict(NamedTuple):
    """[channels, frames] each; a frame may be both, and then it is a beep."""

    beep: Flags
    veil: Flags


class Decision:
    """What to do with each frame of each channel. It answers one frame late: the look-ahead of the whole masker.

    always_alert: keys are looked for as hard throughout as else after a certain one.
    """

    def __init__(self, channels: int, *, always_alert: bool = False) -> None:
        self._always_alert = always_alert
        self._now = 0
        self._clean = np.zeros((channels, CERTAIN_HOPS - 1), bool)
        self._triggers = np.zeros((channels, HELD_AFTER - 1), bool)
        self._keeps = np.zeros((channels, HOLD_HOPS - 1), bool)
        # By beep and veil: the frame to answer for, and the one before.
        self._suspected = np.zeros((2, channels, 2 * HOPS), bool)
        self._levels = np.zeros((channels, BACKGROUND), np.float32)  # what is not known yet was silent
        self._certain_at = np.full(channels, LONG_AGO)
        self._held_at = np.full(channels, LONG_AGO)
        self._lost_at = np.full(channels, LONG_AGO)

    def __call__(self, heard: HopEvidence) -> Verdict:
        """The hops of whole new frames; verdicts on as many frames, from one before them on.

        A frame is suspect whole when it or the next one (its look-ahead) is, or the end of the one before: a tone
        that begins with a frame's last sample is seen in full in the next.
        """
        doubt = (heard.evidence > DOUBT_DB).any(axis=2) & self._stands_out(heard.level_db)
        hops = np.concatenate([self._suspected, np.stack([self._suspect(heard.evidence), doubt])], axis=2)
        self._suspected = hops[:, :, -2 * HOPS :]
        frames = hops.reshape(2, len(doubt), -1, HOPS)
        somewhere = np.asarray(frames.any(axis=3))
        at_its_end = np.asarray(frames[..., HOPS - TAIL_HOPS :].any(axis=3))
        return Verdict(*(somewhere[..., 1:-1] | somewhere[..., 2:] | at_its_end[..., :-2]))

    def expect(self, rows: Rows) -> None:
        """These channels are alert from now on, as after a certain key."""
        self._certain_at[rows] = self._now

    def forget(self, rows: Rows) -> None:
        """These channels begin anew."""
        for flags in (self._clean, self._triggers, self._keeps):
            flags[rows] = False
        self._suspected[:, rows] = False
        self._levels[rows] = 0
        for when in (self._certain_at, self._held_at, self._lost_at):
            when[rows] = LONG_AGO

    def _stands_out(self, level_db: Floats) -> Flags:
        """[channels, hops]: louder than the line's background was up to the frame before."""
        levels = np.concatenate([self._levels, level_db[:, HOPS - 1 :: HOPS]], axis=1)
        self._levels = levels[:, -BACKGROUND:]
        background = np.lib.stride_tricks.sliding_window_view(levels[:, :-1], BACKGROUND, axis=1).min(axis=2)
        return np.asarray(level_db > np.repeat(background, HOPS, axis=1) + ABOVE_DB)

    def _suspect(self, evidence: Floats) -> Flags:
        hops = self._now + np.arange(evidence.shape[1])
        self._now += len(hops)
        clean = np.concatenate([self._clean, evidence[..., LONG] > CERTAIN_DB], axis=1)
        certain_at = last(run(clean, CERTAIN_HOPS), hops, self._certain_at)
        alert = (hops - certain_at < ALERT_HOPS) | self._always_alert
        trigger = (evidence > TRIGGER_DB).any(axis=2) | (evidence > ALERT_DB).any(axis=2) & alert
        triggers = np.concatenate([self._triggers, trigger], axis=1)
        keeps = np.concatenate([self._keeps, (evidence > KEEP_DB).any(axis=2)], axis=1)
        held_at = last(run(triggers, HELD_AFTER), hops, self._held_at)
        lost_at = last(run(~keeps, HOLD_HOPS), hops, self._lost_at)
        self._clean, self._triggers, self._keeps = (seen[:, len(hops) :] for seen in (clean, triggers, keeps))
        self._certain_at, self._held_at, self._lost_at = (when[:, -1] for when in (certain_at, held_at, lost_at))
        return np.asarray(trigger | (held_at > lost_at))


def run(flags: Flags, length: int) -> Flags:
    """True where the last `length` flags are all set; the first `length - 1` only feed the others."""
    return np.asarray(np.lib.stride_tricks.sliding_window_view(flags, length, axis=1).all(axis=2))


def last(flags: Flags, hops: Places, before: Places) -> Places:
    """[channels, hops]: when the flag was last set."""
    when = np.maximum.accumulate(np.where(flags, hops, LONG_AGO), axis=1)
    return np.asarray(np.maximum(when, before[:, None]))
