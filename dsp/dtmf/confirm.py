"""Stage 2: whether a suspected tone is a key that has begun, by every test ITU-T Q.24 asks for; keeps no state."""

from dataclasses import dataclass, fields
from typing import Final

import numpy as np
import numpy.typing as npt

from dsp.dtmf.edges import weaker
from dsp.dtmf.keys import FRAME, RATE, TONES_HZ, Floats, Frames, Rows
from dsp.dtmf.line import HALF
from dsp.dtmf.windows import MIDDLE, Closeup, Complexes, KeyIndices, Windows, hann

# Purity is the share of a sound that two steady tones explain.  8 dB of S/N leave 0.86 +- 0.01, a dial tone at -9 dB
# 0.89, 15 dB 0.97, and from there on a sound is clean.  A key that noise has soiled is still on frequency and in
# balance, a voice that happens to be near two tones is not: so a clean sound may use all of the tolerances below,
# the least pure one the inner ones only, and in between they grow with purity.
MIN_PURITY: Final = 0.80
CLEAN: Final = 0.97
# Two windows and the energy of their samples give purity at no cost but not well: a sound that swells or glides looks
# purer than it is.  Where they find two tones and nothing else, to this much, that is the answer; else it is measured.
SURELY_CLEAN: Final = 0.02
# The stronger tone, -42.5 dBm0 as a 16-bit amplitude: a key at -40 passes, crosstalk at -45 does not.
MIN_AMPLITUDE: Final = 167.0
# 23 ms (184 samples) must be refused, and reach 196 here at most; 40 ms reach 280 (their ends lie under the
# outermost windows' slopes).
MIN_HELD: Final = 236.0
# A keypad's tone is steady. Difference of two windows over their mean: the weaker tone's at 15 dB of S/N (three
# sigma), and more as noise grows. Largest window over that mean: four sigma at 8 dB.
MAX_STEP: Final = 0.29
MAX_SWELL: Final = 1.35


@dataclass(frozen=True)
class Tolerance:
    """How far a sound may be from the ideal key; numbers, or [rows] of them."""

    offset: float | Floats  # of a tone's frequency, as a fraction
    reverse_twist: float | Floats  # high group over low group, amplitudes
    normal_twist: float | Floats  # low group over high group


def ratio(decibels: float) -> float:
    return float(10 ** (decibels / 20))


# Offset: accept +-1.8 %, reject +-3.0 % (ITU-T Q.24, AT&T: 1.5 and 3.5); 15 dB of S/N move the measured frequency of
# the weaker of two tones by 0.15 % (one sigma) at 697 Hz, 8 dB that of equal tones as much. Twist: Q.24 lets the high
# group be 4 dB stronger or 8 dB weaker than the low group; 1.5 dB for noise on the weaker tone.
OUTER: Final = Tolerance(0.021, ratio(5.5), ratio(9.5))
INNER: Final = Tolerance(0.010, ratio(3.0), ratio(5.0))


@dataclass(frozen=True)
class Candidates:
    """Rows that look like a key; two adjacent windows of each, 240 samples, lie within its tone."""

    rows: Rows  # within what was measured
    key: KeyIndices
    late: npt.NDArray[np.bool_]  # whether the two windows begin at sample 160 of the span, else at 80
    measures: Floats  # [14, n], the rows named below

    @property
    def phase(self) -> Floats:
        """[2, n] turns at the first sample of the first of the two windows, at nominal frequency."""
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
    def level(self) -> Floats:
        """[5, n]: the weaker tone in each window over what the two windows show."""
        return self.measures[8:13]

    @property
    def share(self) -> Floats:
        """[n] of the two tones in all energy, as the windows have it."""
        share: Floats = self.measures[13]
        return share

    def only(self, which: Rows) -> "Candidates":
        return Candidates(self.rows[which], self.key[which], self.late[which], self.measures.take(which, axis=1))


def keys_begun(closeup: Closeup, seen: Windows, frames: Frames, rows: Rows, idle: int) -> Candidates:
    """Of the first `idle` rows of `seen`, taken of these frames, those on which a key has begun."""
    found = candidates(seen, idle)
    doubtful = (np.abs(found.share - 1) > SURELY_CLEAN).nonzero()[0]
    if len(doubtful) == 0:
        return found
    asked = found.only(doubtful)
    purity = explained(asked, closeup.samples(frames, rows[asked.rows]))
    stands = np.ones(len(found.rows), bool)
    stands[doubtful] = within(allowed(purity), asked) & (purity >= MIN_PURITY)
    return found.only(stands.nonzero()[0])


def candidates(seen: Windows, idle: int) -> Candidates:
    """Of the first `idle` rows those that hold up to every test that costs little."""
    key, amplitude, energy = seen.key[:idle], seen.amplitude[..., :idle], seen.energy[:, :idle]
    # The middle window and one of its neighbours lie within the tone: on the side to which it reaches further.
    strength = amplitude[0] + amplitude[1]
    strength = np.minimum(strength, strength[MIDDLE])
    late = strength[MIDDLE + 1] + strength[MIDDLE + 2] > strength[MIDDLE - 1] + strength[MIDDLE - 2]
    pair = np.where(late, seen.whole[:, 2:4, :idle], seen.whole[:, 1:3, :idle])
    total = energy[2] + energy[3] + np.where(late, energy[4], energy[1])
    found = Candidates(np.arange(idle), key, late, np.empty((14, idle), np.float32))
    tune(found, pair, seen.halves[:, :, MIDDLE, :idle])
    sizes = np.abs(pair)
    shown = np.add(sizes[:, 0], sizes[:, 1], out=found.shown)
    shown *= np.float32(0.5)
    low, high = np.multiply(shown, np.interp(np.abs(found.offset), LOSS_HZ, LOSS), out=found.amplitude)
    np.divide((low * low + high * high) * np.float32(PAIR_ENERGY), total, out=found.share)
    relative: Floats = np.divide(amplitude, shown[:, None])
    weaker(relative, out=found.level)
    steady = np.abs(sizes[:, 0] - sizes[:, 1]) <= MAX_STEP * shown
    accepted = within(OUTER, found)
    accepted &= steady[0] & steady[1]
    accepted &= found.share >= MIN_PURITY
    accepted &= np.maximum(low, high) >= MIN_AMPLITUDE
    accepted &= np.maximum.reduce(relative, axis=(0, 1)) <= MAX_SWELL
    accepted &= np.add.reduce(found.level, axis=0) >= MIN_HELD / HALF
    return found.only(accepted.nonzero()[0])


def within(limits: Tolerance, found: Candidates) -> npt.NDArray[np.bool_]:
    near = np.abs(found.offset) <= TONES_BY_KEY.take(found.key, axis=1) * limits.offset
    low, high = found.amplitude
    accepted: npt.NDArray[np.bool_] = near[0] & near[1]
    accepted &= high <= low * limits.reverse_twist
    accepted &= low <= high * limits.normal_twist
    return accepted


def allowed(purity: Floats) -> Tolerance:
    """From INNER at MIN_PURITY to OUTER at CLEAN."""
    clean = np.clip((purity - MIN_PURITY) / (CLEAN - MIN_PURITY), 0, 1)
    limits = ((getattr(INNER, part.name), getattr(OUTER, part.name)) for part in fields(Tolerance))
    return Tolerance(*(least + clean * (most - least) for least, most in limits))


def explained(found: Candidates, samples: Floats) -> Floats:
    """Share of the middle 200 of those 240 samples that the two tones explain, taken as perfectly steady."""
    heard = np.where(found.late[:, None], samples[:, 180:380], samples[:, 100:300])
    nominal = TONES_BY_KEY.take(found.key, axis=1)
    turning = (nominal + found.offset) * np.float32(2 * np.pi / RATE)
    # A window's middle is a hop after its beginning, where its phase counts from; the middle of the two half a hop more.
    centre = (found.phase + nominal * np.float32(HALF / RATE)) * np.float32(2 * np.pi) + turning * np.float32(HALF / 2)
    low, high = found.amplitude[:, :, None] * np.cos(centre[:, :, None] + turning[:, :, None] * AROUND_CENTRE)
    rest = heard - low - high
    return np.asarray(1 - np.square(rest).sum(axis=1) / np.maximum(np.square(heard).sum(axis=1), 1), np.float32)


def tune(found: Candidates, pair: Complexes, middle: Complexes) -> None:
    """Sets phase and offset, from the phase that each tone gains from one window to the next.

    Windows 80 samples apart (pair: [2 tones, 2 windows, rows]) know it to within multiples of 100 Hz; the two halves
    of one window (middle: [2 halves, 2 tones, rows]), 47.6 samples apart and good to +-84 Hz, choose among those.
    """
    turns = np.empty((3, *middle.shape[1:]), np.complex64)
    np.multiply(pair[:, 1], pair[:, 0].conj(), out=turns[0])
    np.multiply(middle[1], middle[0].conj(), out=turns[1])
    turns[2] = pair[:, 0]
    gained, halfway, found.phase[:] = np.arctan2(turns.imag.copy(), turns.real.copy()) * np.float32(1 / (2 * np.pi))
    nominal = TURNS_PER_HOP.take(found.key, axis=1)
    fine = gained - nominal
    fine -= np.rint(fine)
    fine += np.rint(halfway * np.float32(HALF / HALF_CENTRES_APART) - fine)
    np.multiply(fine, np.float32(RATE / HALF), out=found.offset)


def hann_loss() -> npt.NDArray[np.float64]:
    """By how much a Hann window of 20 ms shrinks an amplitude whose frequency is LOSS_HZ off."""
    bins = LOSS_HZ / 50
    return np.asarray((1 - bins * bins) / np.sinc(bins))


def by_key(per_tone: npt.NDArray[np.float64]) -> Floats:
    """[8] by tone to [2, 16] by tone of a key."""
    keys = np.arange(16)
    return np.asarray([per_tone[keys >> 2], per_tone[(keys & 3) + 4]], np.float32)


PAIR_ENERGY: Final = 3 * HALF / 2  # what two neighbouring windows hold of a tone of amplitude 1
AROUND_CENTRE: Final = np.arange(-100, 100, dtype=np.float32)
LOSS_HZ: Final = np.arange(0.0, 46.0)
LOSS: Final = hann_loss()
TURNS_PER_HOP: Final = by_key(TONES_HZ * HALF / RATE)
TONES_BY_KEY: Final = by_key(TONES_HZ)
HALF_CENTRES_APART: Final = float(FRAME - 2 * (np.arange(HALF) * hann()[:HALF]).sum() / hann()[:HALF].sum())
