"""The masker for live channels, tick by tick; recordings are in `offline`."""

import os
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from dsp import g711
from dsp.errors import DspError
from dsp.g711 import Law
from dsp.mask.decision import Decision
from dsp.mask.hearing import FRAME, PAST, Hearing
from dsp.mask.veil import Random, Veil
from dsp.tones import monotone, to_int16

Frames: TypeAlias = npt.NDArray[np.uint8] | npt.NDArray[np.int16] | npt.NDArray[np.float32]
Floats: TypeAlias = npt.NDArray[np.float32]
Flags: TypeAlias = npt.NDArray[np.bool_]

FULL_SCALE: Final = np.float32(32768)
KEPT: Final = PAST + FRAME  # samples before the new ones: the frame due, and what windows before it reach back to


class Masker:
    """Gives back what it is given, one frame (20 ms) later, with every DTMF tone replaced by a steady beep.

    Where speech may hide a tone, it is veiled (`dsp.mask.veil`); veil=False leaves that out: keys under speech as loud
    as they are may then get out. law: what frames carry: G.711 codes (uint8), or with None linear samples (int16, or
    float32 within +-1.0; the first call settles which). What is neither beep nor veiled comes back bit for bit.
    """

    def __init__(
        self, channels: int, law: Law | None = None, *, veil: bool = True, random: Random = os.urandom
    ) -> None:
        if channels < 1:
            raise DspError(f"channels is {channels}; a masker needs at least one")
        self._channels = channels
        self._law = None if law is None else g711.named(law)
        self._silence = g711.SILENCE[law] if law else 0
        self._hearing = Hearing()
        self._kept: Frames | None = None  # the frame that is due next
        self._veil = Veil(random=random) if veil else None
        self.masking: Flags = np.zeros(channels, bool)  # which channels' last frame out is a beep
        self.veiling: Flags = np.zeros(channels, bool)  # and which is veiled
        self._begin()

    def __call__(self, frames: Frames) -> Frames:
        """[channels, 160] (or whole frames more) in, as many out; the first frame out is silence."""
        frames = self._checked(frames)
        heard = self._linear(frames)
        beep, veil = self._decision(self._hearing(heard[:, -PAST - frames.shape[1] :]))
        due = np.concatenate([self._due(frames), frames[:, :-FRAME]], axis=1)
        self._kept = frames[:, -FRAME:].copy()
        out = due.reshape(self._channels, -1, FRAME)
        veil &= ~beep & (self._veil is not None)
        if self._veil:
            self._draw_veil(self._veil, out, heard, beep, veil)
        self._sound(out, beep)
        self.masking, self.veiling = beep[:, -1].copy(), veil[:, -1] & ~beep[:, -1]
        self._clock += due.shape[1]
        return due

    def flush(self) -> Frames:
        """The last frame, still owed; the audio kept is wiped and the next call begins new streams."""
        if self._kept is None:
            raise DspError("flush: nothing has been handed in")
        owed = self(np.full_like(self._kept, self._silence))
        self.wipe(np.arange(self._channels))
        self._kept = None
        self._begin()
        return owed

    def expect_keys(self, rows: npt.ArrayLike) -> None:
        """Looks harder for keys on these channels for the next 6 s, as it does by itself after a certain key.

        For whoever knows that a card is being keyed: call it when the prompt ends, and again while keys are awaited.
        """
        self._decision.expect(self._indices(rows))

    def wipe(self, rows: npt.ArrayLike) -> None:
        """Overwrites all audio of these channels and every trace of a key: when a call leaves, and when one joins.

        Their next frame out is silence.
        """
        at = self._indices(rows)
        self._past[at] = 0
        self._decision.forget(at)
        self.masking[at] = self.veiling[at] = False
        if self._kept is not None:
            self._kept[at] = self._silence

    def _indices(self, rows: npt.ArrayLike) -> npt.NDArray[np.intp]:
        at = np.unique(np.asarray(rows, np.intp))
        if len(at) and not 0 <= at[0] <= at[-1] < self._channels:
            raise DspError(f"rows reach from {at[0]} to {at[-1]}; this masker has channels 0 to {self._channels - 1}")
        return at

    def _begin(self) -> None:
        self._decision = Decision(self._channels)
        self._past: Floats = np.zeros((self._channels, KEPT), np.float32)
        self._clock = 0

    def _checked(self, frames: Frames) -> Frames:
        shape = getattr(frames, "shape", None)
        if shape is None or len(shape) != 2 or shape[0] != self._channels or not shape[1] or shape[1] % FRAME:
            got = type(frames).__name__ if shape is None else shape
            raise DspError(f"frames are {got}; expected an array ({self._channels}, 160), 20 ms at 8 kHz a channel")
        wanted = (np.uint8,) if self._law else (np.int16, np.float32)
        if frames.dtype not in wanted:
            what = "uint8 codes" if self._law else "int16 or float32 samples"
            raise DspError(f"frames are {frames.dtype}; a masker with law={self._law!r} takes {what}")
        if self._kept is not None and frames.dtype != self._kept.dtype:
            raise DspError(f"frames are {frames.dtype}; this stream began as {self._kept.dtype}")
        if frames.dtype == np.float32 and not np.isfinite(frames).all():
            raise DspError("frames hold NaN or infinity; silence is 0.0")
        return frames

    def _linear(self, frames: Frames) -> Floats:
        """The new samples behind the frame due and as much more of the past as windows and veils reach back to."""
        heard = np.concatenate([self._past, linear(frames, self._law)], axis=1)
        self._past = heard[:, -KEPT:].copy()
        return heard

    def _due(self, frames: Frames) -> Frames:
        if self._kept is not None:
            return self._kept
        return np.full((self._channels, FRAME), self._silence, frames.dtype)

    def _draw_veil(self, veil: Veil, out: Frames, heard: Floats, beep: Flags, veiled: Flags) -> None:
        """Replaces what is to be veiled; what that would not cover becomes a beep instead."""
        channel, frame = veiled.nonzero()
        if not len(channel):
            return
        spans = np.lib.stride_tricks.sliding_window_view(heard[:, PAST - veil.reach :], FRAME + 2 * veil.reach, axis=1)
        drawn, bare = veil(spans[channel, frame * FRAME])
        out[channel, frame] = self._line(drawn, out.dtype)
        beep[channel[bare], frame[bare]] = True

    def _sound(self, out: Frames, beep: Flags) -> None:
        channel, frame = beep.nonzero()
        if len(channel):
            tone = monotone(self._clock, out.shape[1] * FRAME).reshape(-1, FRAME).astype(np.float32)
            out[channel, frame] = self._line(tone, out.dtype)[frame]

    def _line(self, samples: Floats, dtype: np.dtype[np.generic]) -> Frames:
        """Samples at 16-bit scale as this masker's line carries them."""
        if dtype == np.float32:
            return samples / FULL_SCALE
        rounded = to_int16(samples)
        return g711.encode(rounded, self._law) if self._law else rounded


def linear(frames: Frames, law: Law | None) -> Floats:
    """What a line or a file carries as float32 at 16-bit scale."""
    if law:
        return g711.decode(frames.astype(np.uint8, copy=False), law).astype(np.float32)
    scale = np.float32(1) if frames.dtype == np.int16 else FULL_SCALE
    return np.asarray(frames, np.float32) * scale
