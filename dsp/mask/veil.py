"""Hides a key that may lie under speech without hiding the speech: the groups' band gives way to noise as loud.

A beep would be surer, but a voice looks a little like a key several times a second, and nobody can listen to that many
beeps. Under a veil words stay words: what lies below 560 Hz and above 1820 Hz is kept, and so is the loudness.

What is left of a tone is what its edges spill beyond the band. So the noise is white and not of the band alone: it has
to cover the spill, from which a matched filter that knows tone, place and spectrum else reads one digit in four.
Nobody can subtract it: which piece of noise it is depends on a secret of the veil's own.
"""

from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
import scipy.signal
import soxr

from dsp.mask.evidence import RATE
from dsp.mask.hearing import FRAME

Floats: TypeAlias = npt.NDArray[np.float32]
Flags: TypeAlias = npt.NDArray[np.bool_]
Numbers: TypeAlias = npt.NDArray[np.uint64]
Places: TypeAlias = npt.NDArray[np.intp]

# Keys up to 3.5 % off lie between 672 and 1691 Hz, where a filter of 20 ms with these edges lets 58 dB less through.
BAND_HZ: Final = (560.0, 1820.0)
REACH_S: Final = 0.01
# A veil covers a key with what else is there. Where that is 10 dB less than what goes, it covers nothing, and what the
# edges spill could be read; in speech that is one veiled frame in a hundred.
COVER: Final = np.float32(10.0)
PARTS: Final = 4  # of a frame: the loudest sets the level of its noise, for a tone may fill one part only
STORE: Final = 1 << 16  # samples of noise


class Veil:
    """Veils frames of `frame` samples at `rate`; a seed makes noise that can be had again, for tests."""

    def __init__(self, rate: int = RATE, frame: int = FRAME, seed: int | None = None) -> None:
        self.frame, self.reach = frame, round(REACH_S * rate)
        self.taps = scipy.signal.firwin(2 * self.reach + 1, BAND_HZ, fs=rate).astype(np.float32)
        self._parts = np.arange(PARTS) * frame // PARTS
        rng = np.random.default_rng(seed)
        self._secret = rng.integers(1 << 63, size=2, dtype=np.uint64)
        noise = soxr.resample(rng.normal(size=STORE).astype(np.float32), RATE, rate)
        self._noise = np.lib.stride_tricks.sliding_window_view(noise, frame)

    def __call__(self, heard: Floats, channel: Places, number: Places) -> tuple[Floats, Flags]:
        """heard: [n, reach + frame + reach] at any scale; channel, number: [n], whose frame it is and which.

        Returns the frames [n, frame], and for which of them there is nothing that could cover a key.
        """
        rest = scipy.signal.oaconvolve(heard, self.taps[None], mode="valid", axes=1)
        gone = np.square(heard[:, self.reach : self.reach + self.frame] - rest)
        loudest = np.add.reduceat(gone, self._parts, axis=1).max(axis=1) * np.float32(PARTS / self.frame)
        bare = gone.sum(axis=1) > COVER * np.square(rest).sum(axis=1)
        return np.asarray(rest + np.sqrt(loudest)[:, None] * self._noise_of(channel, number)), np.asarray(bare)

    def _noise_of(self, channel: Places, number: Places) -> Floats:
        piece = scattered(scattered(number.astype(np.uint64) ^ self._secret[0]) ^ channel.astype(np.uint64))
        return np.asarray(self._noise[(piece ^ self._secret[1]) % np.uint64(len(self._noise))])


def scattered(numbers: Numbers) -> Numbers:
    """Neighbours to numbers that have nothing to do with each other, modulo 2**64: the finaliser of SplitMix64."""
    mixed = (numbers ^ numbers >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ mixed >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
    return np.asarray(mixed ^ mixed >> np.uint64(31))
