"""How much a short window looks like one DTMF key, in dB under a pure pair; decides nothing.

A window of a clean key holds two sinusoids and nothing else. Three ratios fall as something is mixed in, each for its
own reason, and their weighted sum in dB is the evidence:
    whole   the pair against all from 100 Hz up to the end of the high group: falls with speech most of all; noise and
            hiss above the groups say nothing about a key and stay out
    upper   the pair against what lies above 600 Hz: deaf to dial tone, hum and the first harmonics of a voice
    column  the column's peak against its own group: a voice has two or three harmonics between 1.1 and 1.8 kHz
            (or one, and then weak), a key exactly one; rows tell less, a high voice often has one harmonic there
"""

from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
import scipy.fft

from dsp.tones import HIGH_GROUP_HZ, LOW_GROUP_HZ, ZERO_DBM0_AMPLITUDE

Floats: TypeAlias = npt.NDArray[np.float32]

RATE: Final = 8000
NO_EVIDENCE_DB: Final = -99.0

# Two sinusoids below this are not looked for: a key at -36 dBm0 passes by 8 dB, most line noise does not.
FLOOR_DBM0: Final = -44.0
# Q.24 lets a receiver accept 1.8 % and bids it reject 3.5 %; a masker fines what lies between and does not look beyond:
# a voice's stronger harmonic there must not hide a key that lies next to it.
FREE_OFFSET: Final = 0.02
MAX_OFFSET: Final = 0.045
ROW_FINE_DB: Final = (250.0, 2.0)  # dB a unit beyond the free offset, and at most
COLUMN_FINE_DB: Final = (400.0, 3.0)
FREE_TWIST_DB: Final = 8.0
TWIST_FINE_DB: Final = (1.0, 4.0)
MAX_TWIST_DB: Final = 18.0  # beyond, it is one tone and what the window's edges make of it
MOST_FINES_DB: Final = 5.0  # so that a clean key passes however far off it is

# Weights of the three ratios, about what a linear discriminant between voices and keys under voices or noise gives;
# anything from 1:0.5:0.5 to 1:0.5:2 does nearly as well.
WHOLE: Final = np.float32(1.25)
UPPER: Final = np.float32(0.75)
COLUMN: Final = np.float32(1.0)


@dataclass(frozen=True)
class _Group:
    """Where one group of keys shows in a spectrum: bins in which its peak may lie, bins that count as its band."""

    nominal_hz: npt.NDArray[np.float32]
    near: npt.NDArray[np.intp]
    band: slice


class Evidence:
    """Scores windows of `length` samples; spectra at half the natural bin spacing, so a peak is found to a few Hz."""

    def __init__(self, length: int) -> None:
        self.length = length
        self._size = 2 * length
        self._window = np.hanning(length + 2)[1:-1].astype(np.float32)
        # A sinusoid's peak power over this is its share of the windowed energy.
        self._peak_gain = np.float32(self._window.sum() ** 2 / (self._window**2).sum() / 2)
        self._floor = np.float32((self._window**2).sum() * (ZERO_DBM0_AMPLITUDE * 10 ** (FLOOR_DBM0 / 20)) ** 2 / 2)
        self._rows = self._group(LOW_GROUP_HZ, self._bins(610, 1060))
        self._columns = self._group(HIGH_GROUP_HZ, self._bins(1090, 1780))
        self._whole = self._bins(100, 1800)
        self._upper = self._bins(600, 1800)

    def __call__(self, windows: Floats) -> Floats:
        """[n, length] at 16-bit scale to [n] dB: 0 is a pure pair, NO_EVIDENCE_DB what cannot be a key."""
        power = np.abs(scipy.fft.rfft(windows * self._window, self._size, axis=1)) ** 2
        row, row_offset = self._peak(power, self._rows)
        column, column_offset = self._peak(power, self._columns)
        pair = row + column
        score = WHOLE * _decibels(pair, self._energy(power, self._whole))
        score += UPPER * _decibels(pair, self._energy(power, self._upper))
        score += COLUMN * _decibels(column, self._energy(power, self._columns.band))
        fines = _fine(row_offset - FREE_OFFSET, *ROW_FINE_DB) + _fine(column_offset - FREE_OFFSET, *COLUMN_FINE_DB)
        twist = np.abs(_decibels(row, column))
        fines += _fine(twist - np.float32(FREE_TWIST_DB), *TWIST_FINE_DB)
        score -= np.minimum(fines, MOST_FINES_DB)
        possible = (pair > self._floor) & (twist < MAX_TWIST_DB)
        return np.asarray(np.where(possible, score, np.float32(NO_EVIDENCE_DB)))

    def loud_enough(self, energy: Floats) -> npt.NDArray[np.bool_]:
        """Which windows can reach the floor at all, by their plain sum of squares."""
        return energy > self._floor

    def _peak(self, power: Floats, group: _Group) -> tuple[Floats, Floats]:
        """Energy of the strongest sinusoid near the group's frequencies and its fractional offset from the nearest."""
        at = group.near[power.take(group.near, axis=1).argmax(axis=1)]
        left, mid, right = (np.log(np.take_along_axis(power, (at + k)[:, None], 1)[:, 0] + 1) for k in (-1, 0, 1))
        # A Hann window's main lobe is close to a parabola in log power.
        bend = np.minimum(left - 2 * mid + right, np.float32(-1e-6))
        shift = np.clip(0.5 * (left - right) / bend, -0.5, 0.5)
        hz = (at + shift) * np.float32(RATE / self._size)
        energy = np.exp(mid - 0.25 * (left - right) * shift) / self._peak_gain
        return energy, np.abs(hz[:, None] / group.nominal_hz - 1).min(axis=1)

    def _energy(self, power: Floats, bins: slice) -> Floats:
        return np.asarray(power[:, bins].sum(axis=1) * np.float32(2 / self._size))

    def _group(self, nominal_hz: tuple[float, ...], band: slice) -> _Group:
        nominal = np.array(nominal_hz, np.float32)
        hz = np.arange(self._size // 2 + 1)[:, None] * (RATE / self._size)
        return _Group(nominal, np.flatnonzero(np.abs(hz / nominal - 1).min(axis=1) < MAX_OFFSET), band)

    def _bins(self, low_hz: float, high_hz: float) -> slice:
        return slice(round(low_hz * self._size / RATE), round(high_hz * self._size / RATE) + 1)


def _decibels(part: Floats, whole: Floats) -> Floats:
    return np.asarray(10 * np.log10((part + 1) / (whole + 1)), np.float32)


def _fine(excess: Floats, per_unit: float, at_most: float) -> Floats:
    return np.asarray(np.clip(excess * np.float32(per_unit), 0, at_most))
