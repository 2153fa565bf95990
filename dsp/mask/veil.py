"""Hides a key that may lie under speech without hiding the speech: the groups' band gives way to noise as loud.

A beep would be surer, but a voice looks a little like a key several times a second, and nobody can listen to that many
beeps. Under a veil words stay words: what lies below 560 Hz and above 1820 Hz is kept, and so is the loudness.

What is left of a tone is what its edges spill beyond the band. So the noise is white and not of the band alone: it has
to cover the spill, from which a matched filter that knows tone, place and spectrum else reads one digit in four.
Noise that is used twice can be found out and subtracted; so it comes from the system's random numbers, for each frame.
"""

import os
from collections.abc import Callable
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
import scipy.signal
import soxr

from dsp.mask.evidence import RATE
from dsp.mask.hearing import FRAME

Floats: TypeAlias = npt.NDArray[np.float32]
Flags: TypeAlias = npt.NDArray[np.bool_]
Random: TypeAlias = Callable[[int], bytes]

# Keys up to 3.5 % off lie between 672 and 1691 Hz, where a filter of 20 ms with these edges lets 58 dB less through.
BAND_HZ: Final = (560.0, 1820.0)
REACH_S: Final = 0.01
# A veil covers a key with what else is there. Where that is 10 dB less than what goes, it covers nothing, and what the
# edges spill could be read; in speech that is one veiled frame in a hundred.
COVER: Final = np.float32(10.0)
PARTS: Final = 4  # of a frame: the loudest sets the level of its noise, for a tone may fill one part only
MEAN_BYTE: Final = np.float32(127.5)
SPREAD_OF_BYTES: Final = np.float32(np.sqrt((256**2 - 1) / 12))


class Veil:
    """Veils frames of `frame` samples at `rate`; random: where the noise comes from, `bytes` in tests."""

    def __init__(self, rate: int = RATE, frame: int = FRAME, random: Random = os.urandom) -> None:
        self.frame, self.reach = frame, round(REACH_S * rate)
        self.taps = scipy.signal.firwin(2 * self.reach + 1, BAND_HZ, fs=rate).astype(np.float32)
        self._parts = np.arange(PARTS) * frame // PARTS
        self._rate, self._random = rate, random

    def __call__(self, heard: Floats) -> tuple[Floats, Flags]:
        """heard: [n, reach + frame + reach] at any scale.

        Returns the frames [n, frame], and for which of them there is nothing that could cover a key.
        """
        rest = scipy.signal.oaconvolve(heard, self.taps[None], mode="valid", axes=1)
        gone = np.square(heard[:, self.reach : self.reach + self.frame] - rest)
        loudest = np.add.reduceat(gone, self._parts, axis=1).max(axis=1) * np.float32(PARTS / self.frame)
        bare = gone.sum(axis=1) > COVER * np.square(rest).sum(axis=1)
        return np.asarray(rest + np.sqrt(loudest)[:, None] * self._noise(len(heard))), np.asarray(bare)

    def _noise(self, frames: int) -> Floats:
        """[frames, frame] of unit power, white up to 4 kHz whatever the rate: above, there is nothing to cover."""
        wanted = frames * self.frame
        count = wanted if self._rate == RATE else -(-wanted * RATE // self._rate) + 1
        noise = (np.frombuffer(self._random(count), np.uint8) - MEAN_BYTE) / SPREAD_OF_BYTES
        if self._rate != RATE:
            noise = np.resize(soxr.resample(noise, RATE, self._rate), wanted)
        return noise.reshape(frames, self.frame)
