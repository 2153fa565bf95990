"""Stage 2: measures 60 ms round a suspected tone and judges whether a key began or ended; it keeps no state."""

from dataclasses import dataclass, fields
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from dsp.dtmf.keys import FRAME, RATE, TONES_HZ, Floats, Frames
from dsp.dtmf.line import HALF, Line
from dsp.dtmf.screen import matmul_in_tiles

Complexes: TypeAlias = npt.NDArray[np.complex64]
KeyIndices: TypeAlias = npt.NDArray[np.int8]

FRAMES: Final = 3  # judged at once: the frame before the suspected one, that frame, the frame after
SPAN: Final = FRAMES * FRAME
BLOCKS: Final = SPAN // HALF
WINDOWS: Final = BLOCKS - 1  # Hann windows of 160 samples, one every 80
MIDDLE: Final = 2  # samples 160-319: a tone of 40 ms that began in the first frame fills this window
CHUNK: Final = 64  # rows measured at a time: their samples and products are 370 KB of a core's L2 cache

# Purity is the share of a sound that two steady tones explain.  8 dB of S/N leave 0.86 +- 0.01, a dial tone at -9 dB
# 0.89, 15 dB 0.97, and from there on a sound is clean.  A key that noise has soiled is still on frequency and in
# balance, a voice that happens to be near two tones is not: so a clean sound may use all of the tolerances below,
# the least pure one the inner ones only, and in between they grow with purity.
MIN_PURITY: Final = 0.80
CLEAN: Final = 0.97
# Accept +-1.8 %, reject +-3.0 % (ITU-T Q.24, AT&T: 1.5 and 3.5); 15 dB of S/N move the measured frequency of the
# weaker of two tones by 0.15 % (one sigma) at 697 Hz, 8 dB that of equal tones as much.
MAX_OFFSET: Final = (0.010, 0.021)
# Q.24: the high group may be 4 dB stronger or 8 dB weaker than the low group; 1.5 dB for noise on the weaker tone.
MAX_REVERSE_TWIST_DB: Final = (3.0, 5.5)
MAX_NORMAL_TWIST_DB: Final = (5.0, 9.5)
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
# Interruptions of 10 ms (80 samples) are bridged, pauses of 30 ms (240) part two presses; this lies between.
MIN_GAP: Final = 160.0


@dataclass(frozen=True)
class Windows:
    """What the Hann windows show of one low and one high tone (axis -3) in each window (axis -2) of each row."""

    key: KeyIndices
    halves: Complexes  # [2, 2, 5, rows]: by the first and by the second half of each window
    whole: Complexes  # [2, 5, rows]
    amplitude: Floats  # [2, 5, rows]
    energy: Floats  # [6, rows]: of everything, block by block


@dataclass(frozen=True)
class Candidates:
    """Rows that look like a key; two adjacent windows of each, 240 samples, lie within its tone."""

    rows: npt.NDArray[np.intp]  # within what was measured
    key: KeyIndices
    late: npt.NDArray[np.bool_]  # whether the two windows begin at sample 160 of the span, else at 80
    phase: Floats  # [2, n] at the centre of the two, radians
    offset: Floats  # [2, n] Hz from nominal
    shown: Floats  # [2, n] amplitude as the windows show it
    amplitude: Floats  # [2, n] true
    share: Floats  # [n] of the two tones in all energy
    level: Floats  # [5, n] the weaker tone, window by window, over the two windows'

    def only(self, which: npt.NDArray[np.intp]) -> "Candidates":
        return Candidates(*(getattr(self, part.name)[..., which] for part in fields(self)))


class Closeup:
    """Takes the windows; holds the working memory, which is audio and can be wiped."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._samples = np.zeros((CHUNK * BLOCKS, HALF), np.float32)
        self._tones = np.zeros((CHUNK * BLOCKS, 32), np.float32)

    def __call__(self, frames: Frames, rows: npt.NDArray[np.intp], key: KeyIndices) -> Windows:
        """frames: [n, 160] as the line stores them; rows: [rows, 3], which frames to read, oldest first;
        key: whose tones to look for, row by row."""
        picked = np.empty((len(PICK), len(rows)), np.complex64)
        energy = np.empty((len(rows), BLOCKS), np.float32)
        for at in range(0, len(rows), CHUNK):
            part = slice(at, at + CHUNK)
            self._measure(frames.take(rows[part].ravel(), axis=0), key[part], picked[:, part], energy[part])
        halves = picked.reshape(2, 2, WINDOWS, len(rows))
        whole = halves[0] + halves[1]
        return Windows(key, halves, whole, np.abs(whole), energy.T)

    def keys(self, frames: Frames, rows: npt.NDArray[np.intp], seen: Windows, idle: int) -> Candidates:
        """Which of the first `idle` rows hold a key that has begun."""
        found = candidates(seen, idle)
        doubtful = (np.abs(found.share - 1) > SURELY_CLEAN).nonzero()[0]
        if len(doubtful) == 0:
            return found
        samples = np.empty((len(doubtful) * FRAMES, FRAME), np.float32)
        self._line.samples(frames.take(rows[found.rows[doubtful]].ravel(), axis=0), samples)
        stands = np.ones(len(found.rows), bool)
        stands[doubtful] = pure(found.only(doubtful), samples.reshape(-1, SPAN))
        return found.only(stands.nonzero()[0])

    def wipe(self) -> None:
        self._samples.fill(0)
        self._tones.fill(0)

    def _measure(self, frames: Frames, key: KeyIndices, picked: Complexes, energy: Floats) -> None:
        self._line.samples(frames, self._samples.reshape(-1, FRAME)[: len(frames)])
        matmul_in_tiles(self._samples, BASIS, self._tones, energy.size)
        at = PICK.take(key, axis=1)
        at += STRIDE[: len(key)]
        picked[:] = self._tones.reshape(-1).view(np.complex64).take(at)
        blocks = self._samples[: energy.size]
        np.einsum("ij,ij->i", blocks, blocks, out=energy.reshape(-1))


def candidates(seen: Windows, idle: int) -> Candidates:
    """Of the first `idle` rows those that hold up to every test that costs little; see `pure` for the last one."""
    key, amplitude, energy = seen.key[:idle], seen.amplitude[..., :idle], seen.energy[:, :idle]
    # The middle window and one of its neighbours lie within the tone: the stronger one.
    strength = amplitude[0] + amplitude[1]
    late = strength[MIDDLE + 1] > strength[MIDDLE - 1]
    pair = np.where(late, seen.whole[:, 2:4, :idle], seen.whole[:, 1:3, :idle])
    total = energy[2] + energy[3] + np.where(late, energy[4], energy[1])
    phase, offset = tuned(pair, seen.halves[:, :, MIDDLE, :idle], key)
    sizes = np.abs(pair)
    shown = np.float32(0.5) * (sizes[:, 0] + sizes[:, 1])
    true = restored(shown, np.abs(offset))
    share = (true[0] * true[0] + true[1] * true[1]) * np.float32(PAIR_ENERGY) / np.maximum(total, 1)
    relative = amplitude / shown[:, None]
    level = np.minimum(np.minimum(relative[0], relative[1]), 1)
    steady = np.abs(sizes[:, 0] - sizes[:, 1]) <= MAX_STEP * shown
    accepted = steady[0] & steady[1] & (share >= MIN_PURITY)
    accepted &= np.maximum(true[0], true[1]) >= MIN_AMPLITUDE
    accepted &= np.maximum.reduce(relative, axis=(0, 1)) <= MAX_SWELL
    accepted &= np.add.reduce(level, axis=0) >= MIN_HELD / HALF
    accepted &= within_tolerance(key, offset, true, np.ones(1, np.float32))
    rows = accepted.nonzero()[0]
    return Candidates(np.arange(idle), key, late, phase, offset, shown, true, share, level).only(rows)


def within_tolerance(key: KeyIndices, offset: Floats, amplitude: Floats, purity: Floats) -> npt.NDArray[np.bool_]:
    """Frequency and twist, both [2, rows], against limits that grow with purity."""
    clean = np.minimum((purity - np.float32(MIN_PURITY)) * np.float32(1 / (CLEAN - MIN_PURITY)), 1)
    near = np.abs(offset) <= between(MAX_OFFSET, clean) * TONES_BY_KEY.take(key, axis=1)
    low, high = amplitude
    accepted: npt.NDArray[np.bool_] = near[0] & near[1] & (clean >= 0)
    accepted &= high <= low * between(MAX_REVERSE_TWIST, clean)
    accepted &= low <= high * between(MAX_NORMAL_TWIST, clean)
    return accepted


def pure(found: Candidates, samples: Floats) -> npt.NDArray[np.bool_]:
    """Which candidates stand when purity is measured on their samples, [n, 480]: the last test."""
    purity = explained(found, samples)
    return within_tolerance(found.key, found.offset, found.amplitude, purity)


def explained(found: Candidates, samples: Floats) -> Floats:
    """Share of the middle 200 of those 240 samples that the two tones explain, taken as perfectly steady."""
    heard = np.where(found.late[:, None], samples[:, 180:380], samples[:, 100:300])
    turning = (found.offset + TONES_BY_KEY.take(found.key, axis=1)) * np.float32(2 * np.pi / RATE)
    low, high = found.amplitude[:, :, None] * np.cos(found.phase[:, :, None] + turning[:, :, None] * AROUND_CENTRE)
    rest = heard - low - high
    return np.asarray(1 - np.square(rest).sum(axis=1) / np.maximum(np.square(heard).sum(axis=1), 1), np.float32)


def between(limits: tuple[float, float], clean: Floats) -> Floats:
    least, most = limits
    return clean * np.float32(most - least) + np.float32(least)


def tuned(pair: Complexes, middle: Complexes, key: KeyIndices) -> tuple[Floats, Floats]:
    """Phase at the centre of two adjacent windows and Hz from nominal, [2, rows], from the phase gained between them.

    Windows 80 samples apart (pair: [2 tones, 2 windows, rows]) know it to within multiples of 100 Hz; the two halves
    of one window (middle: [2 halves, 2 tones, rows]), 47.6 samples apart and good to +-84 Hz, choose among those.
    """
    turns = np.empty((3, *middle.shape[1:]), np.complex64)
    np.multiply(pair[:, 1], pair[:, 0].conj(), out=turns[0])
    np.multiply(middle[1], middle[0].conj(), out=turns[1])
    turns[2] = pair[:, 0]
    gained, halfway, first = np.arctan2(turns.imag.copy(), turns.real.copy()) * np.float32(1 / (2 * np.pi))
    nominal = TURNS_PER_HOP.take(key, axis=1)
    fine = gained - nominal
    fine -= np.rint(fine)
    fine += np.rint(halfway * np.float32(HALF / HALF_CENTRES_APART) - fine)
    # A window's phase counts from its first sample at nominal frequency; its centre is a hop further, and theirs half.
    centre = first + nominal + np.float32(0.5) * (nominal + fine)
    return centre * np.float32(2 * np.pi), fine * np.float32(RATE / HALF)


def start_of(level: Floats) -> npt.NDArray[np.int64]:
    """Where a tone begins: [5, rows] of amplitudes over the plateau's to a sample within the span."""
    seen = np.minimum.accumulate(level[MIDDLE::-1], axis=0).sum(axis=0)
    return np.asarray(np.interp(seen, COVERAGE[::-1], np.arange(len(COVERAGE))[::-1]), np.int64)


def end_of(level: Floats) -> npt.NDArray[np.int64]:
    """Where a tone ends: [5, rows] of amplitudes over the reference to a sample within the span."""
    seen = np.minimum.accumulate(level, axis=0).sum(axis=0)
    return np.asarray(np.interp(seen, END_COVERAGE, np.arange(len(END_COVERAGE))), np.int64)


def restored(amplitude: Floats, offset: Floats) -> Floats:
    """Undoes what a Hann window takes from a tone `offset` Hz (not negative) beside its bin."""
    return np.multiply(amplitude, np.interp(offset, LOSS_HZ, LOSS), dtype=np.float32, casting="same_kind")


def hann() -> npt.NDArray[np.float64]:
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FRAME) / FRAME)


def window_basis() -> Floats:
    """[80, 32]: eight complex exponentials under the first half of a window, then eight under its second half.

    Scaled so that the two halves together give a tone's amplitude.
    """
    turn = np.outer(np.arange(FRAME), TONES_HZ) / RATE
    whole = np.exp(-2j * np.pi * turn) * hann()[:, None] * (2 / hann().sum())
    return np.ascontiguousarray(np.hstack([whole[:HALF], whole[HALF:]]).astype(np.complex64)).view(np.float32)


def pick() -> npt.NDArray[np.intp]:
    """[20, 16]: by half, tone and window, and by key, where `Closeup` finds a row's number among its 6 x 16."""
    half, tone, window, key = np.ix_(range(2), range(2), range(WINDOWS), range(16))
    which = np.where(tone == 0, key >> 2, (key & 3) + 4)
    return np.asarray((window + half) * 16 + half * 8 + which, np.intp).reshape(-1, 16)


def overlapped(windows: int) -> npt.NDArray[np.float64]:
    """That many Hann windows laid over each other, in units of one window's area."""
    weight = np.zeros((windows + 1) * HALF)
    for window in range(windows):
        weight[window * HALF : window * HALF + FRAME] += hann()
    return np.asarray(weight / hann().sum())


def hann_loss() -> npt.NDArray[np.float64]:
    """By how much a Hann window of 20 ms shrinks an amplitude whose frequency is LOSS_HZ off."""
    bins = LOSS_HZ / 50
    return np.asarray((1 - bins * bins) / np.sinc(bins))


def by_key(per_tone: npt.NDArray[np.float64]) -> Floats:
    """[8] by tone to [2, 16] by tone of a key."""
    keys = np.arange(16)
    return np.asarray([per_tone[keys >> 2], per_tone[(keys & 3) + 4]], np.float32)


def as_ratios(decibels: tuple[float, float]) -> tuple[float, float]:
    """Twist in dB to amplitudes."""
    least, most = decibels
    return 10 ** (least / 20), 10 ** (most / 20)


BASIS: Final = window_basis()
PICK: Final = pick()
STRIDE: Final = np.arange(CHUNK) * (BLOCKS * 16)
PAIR_ENERGY: Final = 3 * HALF / 2  # what two neighbouring windows hold of a tone of amplitude 1
# What windows 0 to 2 show of a tone that begins at sample n and outlasts them; what all show of one that ends at n.
COVERAGE: Final = overlapped(MIDDLE + 1)[::-1].cumsum()[::-1]
END_COVERAGE: Final = np.concatenate([[0.0], overlapped(WINDOWS).cumsum()])
AROUND_CENTRE: Final = np.arange(-100, 100, dtype=np.float32)
LOSS_HZ: Final = np.arange(0.0, 46.0)
LOSS: Final = hann_loss()
TURNS_PER_HOP: Final = by_key(TONES_HZ * HALF / RATE)
TONES_BY_KEY: Final = by_key(TONES_HZ)
MAX_REVERSE_TWIST: Final = as_ratios(MAX_REVERSE_TWIST_DB)
MAX_NORMAL_TWIST: Final = as_ratios(MAX_NORMAL_TWIST_DB)
HALF_CENTRES_APART: Final = float(FRAME - 2 * (np.arange(HALF) * hann()[:HALF]).sum() / hann()[:HALF].sum())
