"""Stage 2: whether a suspected tone is a key that has begun, by every test ITU-T Q.24 asks for; keeps no state."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from dsp.dtmf.edges import weaker
from dsp.dtmf.keys import FRAME, RATE, TONES_HZ, Floats, Frames, Rows, constant
from dsp.dtmf.line import HALF
from dsp.dtmf.windows import MIDDLE, Closeup, Complexes, KeyIndices, Windows, hann

# Purity is the share of a sound that two steady tones explain.  8 dB of S/N leave 0.86 +- 0.01, a dial tone at -9 dB
# 0.89, 15 dB 0.97, and from there on a sound is clean.  A key that noise has soiled is still on frequency and in
# balance, a voice that happens to be near two tones is not: so a clean sound may use all of the tolerances below,
# the least pure one the inner ones only, and in between they grow with purity.
MIN_PURITY: Final = constant(0.80)
CLEAN: Final = constant(0.97)
# Two windows and the energy of their samples give purity at no cost but not well: a sound that swells or glides looks
# purer than it is.  Where they find two tones and nothing else, to this much, that is the answer; else it is measured.
SURELY_CLEAN: Final = constant(0.02)
# The stronger tone, -42.5 dBm0 as a 16-bit amplitude: a key at -40 passes, crosstalk at -45 does not.
MIN_AMPLITUDE: Final = constant(167.0)
# 23 ms (184 samples) must be refused, and reach 196 here at most; 40 ms reach 280 (their ends lie under the
# outermost windows' slopes).
MIN_HELD: Final = constant(236.0)
# A keypad's tone is steady. Difference of two windows over their mean: the weaker tone's at 15 dB of S/N (three
# sigma), and more as noise grows. Largest window over that mean: four sigma at 8 dB.
MAX_STEP: Final = constant(0.29)
MAX_SWELL: Final = constant(1.35)


def ratio(decibels: float) -> float:
    return float(10 ** (decibels / 20))


# Offset: accept +-1.8 %, reject +-3.0 % (ITU-T Q.24, AT&T: 1.5 and 3.5); 15 dB of S/N move the measured frequency of
# the weaker of two tones by 0.15 % (one sigma) at 697 Hz, 8 dB that of equal tones as much. Twist: Q.24 lets the high
# group be 4 dB stronger or 8 dB weaker than the low group; 1.5 dB for noise on the weaker tone.
# Rows: offset of the low tone and of the high one, as fractions; amplitude of high over low, and of low over high.
OUTER: Final = np.array([[0.021], [0.021], [ratio(5.5)], [ratio(9.5)]], np.float32)
INNER: Final = np.array([[0.010], [0.010], [ratio(3.0)], [ratio(5.0)]], np.float32)


@dataclass(frozen=True)
class Candidates:
    """Rows that may be a key; two adjacent windows of each, 240 samples, lie within its tone if it is one."""

    rows: Rows  # within what was measured
    key: KeyIndices
    late: npt.NDArray[np.bool_]  # whether the two windows begin at sample 160 of the span, else at 80
    measures: Floats  # [21, n], the rows named below

    @property
    def phase(self) -> Floats:
        """[2, n] radians at the first sample of the first of the two windows, at nominal frequency."""
        return self.measures[0:2]

    @property
    def offset(self) -> Floats:
        """[2, n] Hz from nominal."""
        return self.measures[2:4]

    @property
    def shown(self) -> Floats:
        """[2, n]: amplitude as the windows show it."""
        return self.measures[4:6]

    @property
    def amplitude(self) -> Floats:
        """[2, n]: amplitude with what a window takes from a tone off its bin given back."""
        return self.measures[6:8]

    @property
    def step(self) -> Floats:
        """[2, n]: how much larger the first of the two windows shows the amplitude than the second."""
        return self.measures[8:10]

    @property
    def swell(self) -> Floats:
        """[2, n]: the largest of all windows over what the two windows show."""
        return self.measures[10:12]

    @property
    def level(self) -> Floats:
        """[5, n]: the weaker tone in each window over what the two windows show."""
        return self.measures[12:17]

    @property
    def share(self) -> Floats:
        """[n] of the two tones in all energy, as the windows have it."""
        share: Floats = self.measures[17]
        return share

    @property
    def enough(self) -> Floats:
        """[3, n]: that share, the stronger tone's amplitude, and the sum of the levels, to be held against LEAST."""
        return self.measures[17:20]

    @property
    def demand(self) -> Floats:
        """[n]: the purity that a sound must have to be allowed this offset and twist; above CLEAN, it never is."""
        demand: Floats = self.measures[20]
        return demand

    def only(self, which: Rows) -> "Candidates":
        """which: in rising order, each once."""
        if len(which) == len(self.rows):
            return self
        return Candidates(self.rows[which], self.key[which], self.late[which], self.measures.take(which, axis=1))


def keys_begun(closeup: Closeup, seen: Windows, frames: Frames, rows: Rows) -> Candidates:
    """Those rows of `seen`, taken of these frames, on which a key has begun."""
    found = measured(seen)
    stands = passes(found)
    doubtful = (stands & (np.abs(found.share - ONE) > SURELY_CLEAN)).nonzero()[0]
    if len(doubtful):
        purity = explained(found.only(doubtful), closeup.samples(frames, rows[doubtful]))
        stands[doubtful] = purity >= np.maximum(found.demand[doubtful], MIN_PURITY)
    return found.only(stands.nonzero()[0])


def measured(seen: Windows) -> Candidates:
    """All rows of `seen` with what costs little to know of them."""
    amplitude, energy = seen.amplitude, seen.energy
    # The middle window and one of its neighbours lie within the tone: on the side to which it reaches further.
    strength = amplitude[:, 0] + amplitude[:, 1]
    strength = np.minimum(strength, strength[MIDDLE])
    late = strength[MIDDLE + 1] + strength[MIDDLE + 2] > strength[MIDDLE - 1] + strength[MIDDLE - 2]
    pair = np.where(late, seen.whole[2:4], seen.whole[1:3])
    total = energy[1] + energy[2] + np.where(late, energy[3], energy[0])
    found = Candidates(np.arange(len(late)), seen.key, late, np.empty((21, len(late)), np.float32))
    tune(found, pair, seen)
    sizes = np.abs(pair)
    np.subtract(sizes[0], sizes[1], out=found.step)
    shown = np.add(sizes[0], sizes[1], out=found.shown)
    shown *= ONE_HALF
    away = np.abs(found.offset)
    loss = np.interp(away, LOSS_HZ, LOSS).astype(np.float32)
    tones = np.multiply(shown, loss, out=found.amplitude)
    low, high = tones[0], tones[1]
    share, strongest, held = found.enough
    np.divide((low * low + high * high) * PAIR_ENERGY, total, out=share)
    np.maximum(low, high, out=strongest)
    relative = amplitude / shown
    np.maximum.reduce(relative, axis=0, out=found.swell)
    np.add.reduce(weaker(relative, out=found.level), axis=0, out=held)
    stray = np.empty((4, len(late)), np.float32)
    np.divide(away, TONES_BY_KEY.take(found.key, axis=1), out=stray[:2])
    np.divide(high, low, out=stray[2])
    np.divide(low, high, out=stray[3])
    np.maximum.reduce((stray - INNER) * PURITY_PER_STRAY + MIN_PURITY, axis=0, out=found.demand)
    return found


def passes(found: Candidates) -> npt.NDArray[np.bool_]:
    """Every test that needs no more than these measures, with the tolerances of a clean sound."""
    steady = np.abs(found.step) <= MAX_STEP * found.shown
    steady &= found.swell <= MAX_SWELL
    share, strongest, held = found.enough >= LEAST
    return np.asarray(steady[0] & steady[1] & share & strongest & held & (found.demand <= CLEAN))


def explained(found: Candidates, samples: Floats) -> Floats:
    """Share of the middle 200 of those 240 samples that the two tones explain, taken as perfectly steady."""
    heard = np.where(found.late[:, None], samples[:, 180:380], samples[:, 100:300])
    nominal = TONES_BY_KEY.take(found.key, axis=1)
    turning = (nominal + found.offset) * RADIANS_PER_SAMPLE
    # A window's middle is a hop after its beginning, where its phase counts from.
    middle = found.phase + nominal * RADIANS_PER_HOP
    low, high = found.amplitude[:, :, None] * np.cos(middle[:, :, None] + turning[:, :, None] * FROM_MIDDLE)
    rest = heard - low - high
    return np.asarray(ONE - np.vecdot(rest, rest) / np.maximum(np.vecdot(heard, heard), ONE))


def tune(found: Candidates, pair: Complexes, seen: Windows) -> None:
    """Sets phase and offset, from the phase that each tone gains from one window to the next.

    Windows 80 samples apart (pair: [2 windows, 2 tones, rows]) know it to within multiples of 100 Hz; the two halves
    of one window, 47.6 samples apart and good to +-84 Hz, choose among those.
    """
    turns = np.empty((3, 2, len(found.rows)), np.complex64)
    np.multiply(pair[1], pair[0].conj(), out=turns[0])
    np.multiply(seen.second_half, seen.first_half.conj(), out=turns[1])
    turns[2] = pair[0]
    angles = np.arctan2(turns.imag.copy(), turns.real.copy())
    found.phase[:] = angles[2]
    fine = angles[0] * TURNS_PER_RADIAN - TURNS_PER_HOP.take(found.key, axis=1)
    fine += np.rint(angles[1] * TURNS_PER_HOP_BY_HALVES - fine)
    np.multiply(fine, HOPS_PER_SECOND, out=found.offset)


def hann_loss() -> npt.NDArray[np.float64]:
    """By how much a Hann window of 20 ms shrinks an amplitude whose frequency is LOSS_HZ off."""
    bins = LOSS_HZ / 50
    return np.asarray((1 - bins * bins) / np.sinc(bins))


def by_key(per_tone: npt.NDArray[np.float64]) -> Floats:
    """[8] by tone to [2, 16] by tone of a key."""
    keys = np.arange(16)
    return np.asarray([per_tone[keys >> 2], per_tone[(keys & 3) + 4]], np.float32)


PAIR_ENERGY: Final = constant(3 * HALF / 2)  # what two neighbouring windows hold of a tone of amplitude 1
# The middle 200 of 240 samples, counted from the middle of the first of their two windows.
FROM_MIDDLE: Final = np.arange(-60, 140, dtype=np.float32)
LOSS_HZ: Final = np.arange(0.0, 46.0)
LOSS: Final = hann_loss()
TURNS_PER_HOP: Final = by_key(TONES_HZ * HALF / RATE)
TONES_BY_KEY: Final = by_key(TONES_HZ)
HALF_CENTRES_APART: Final = float(FRAME - 2 * (np.arange(HALF) * hann()[:HALF]).sum() / hann()[:HALF].sum())
TURNS_PER_RADIAN: Final = constant(1 / (2 * np.pi))
TURNS_PER_HOP_BY_HALVES: Final = constant(HALF / HALF_CENTRES_APART / (2 * np.pi))
HOPS_PER_SECOND: Final = constant(RATE / HALF)
RADIANS_PER_SAMPLE: Final = constant(2 * np.pi / RATE)  # of 1 Hz
RADIANS_PER_HOP: Final = constant(2 * np.pi * HALF / RATE)
LEAST: Final = np.array([[MIN_PURITY], [MIN_AMPLITUDE], [MIN_HELD / HALF]], np.float32)  # for `Candidates.enough`
ONE_HALF, ONE = constant(0.5), constant(1)
# From MIN_PURITY at INNER to CLEAN at OUTER.
PURITY_PER_STRAY: Final = (CLEAN - MIN_PURITY) / (OUTER - INNER)
