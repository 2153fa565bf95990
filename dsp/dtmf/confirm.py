"""Stage 2: measures 60 ms round a suspected tone and judges whether a key began or ended; it keeps no state."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from dsp.dtmf.keys import FRAME, RATE, TONES_HZ, Floats
from dsp.dtmf.line import HALF

SPAN: Final = 3 * FRAME  # samples judged at once: the frame before the suspected one, that frame, the frame after
BLOCKS: Final = SPAN // HALF
WINDOWS: Final = BLOCKS - 1  # Hann windows of 160 samples, one every 80
CENTRE: Final = 2  # samples 160-319: any tone of 40 ms that covers 160-239 and began after 0 fills this window

# ITU-T Q.24, AT&T column: accept up to +-1.5 %, reject from +-3.5 %; the aim is 1.8 and 3.0, and this lies between.
MAX_OFFSET: Final = 0.024
# Q.24: the high group may be 4 dB stronger or 8 dB weaker than the low group; 1.5 dB for noise on the weaker tone.
MAX_REVERSE_TWIST_DB: Final = 5.5
MAX_NORMAL_TWIST_DB: Final = 9.5
# Both tones' share of all power in 30 ms.  8 dB of S/N leave 0.86 +- 0.02; a dial tone at -9 dB leaves 0.89.
MIN_SHARE: Final = 0.75
# The stronger tone, -42.5 dBm0 as a 16-bit amplitude: a key at -40 passes, crosstalk at -45 does not.
MIN_AMPLITUDE: Final = 167.0
# 23 ms (184 samples) must be refused, and reach 196 here at most; 40 ms reach 280 (their ends lie under the
# outermost windows' slopes).
MIN_HELD: Final = 236.0
# A keypad's tone is steady; 8 dB of S/N move a window's amplitude by 8 % (one sigma).
MIN_STEADY: Final = 0.75
MAX_SWELL: Final = 1.35
# Interruptions of 10 ms (80 samples) are bridged, pauses of 30 ms (240) part two presses; this lies between.
MIN_GAP: Final = 160.0


@dataclass(frozen=True)
class Windows:
    """Amplitudes of one low and one high tone (axis 0) in each window (axis 1) of each row (axis 2), Hann-weighted."""

    key: npt.NDArray[np.int8]
    rise: Floats  # [4, 5, rows]: re low, re high, im low, im high; the first half of each window
    fall: Floats  # the second half
    amplitude: Floats  # [2, 5, rows]
    power: Floats  # [5, rows]: of everything, mean square


@dataclass(frozen=True)
class Onset:
    """Which rows began a key, and what that key looks like."""

    accepted: npt.NDArray[np.bool_]
    start: Floats  # sample within the span
    amplitude: Floats  # [2, rows] as the windows show it, the reference for the release
    block_energy: Floats  # what the screen will read while the tone lasts


def measure(blocks: Floats, held: npt.NDArray[np.int8]) -> Windows:
    """blocks: [rows * 6, 80] samples at 16-bit scale; held: the key to follow, or -1 to follow the strongest pair."""
    rows = len(held)
    halves = (blocks @ BASIS).reshape(rows, BLOCKS, 32)
    power = (np.square(blocks) @ POWER_WEIGHTS).reshape(rows, BLOCKS, 2)
    key = np.where(held >= 0, held, strongest(halves[:, CENTRE, :16] + halves[:, CENTRE + 1, 16:]))
    at = tone_columns(key) + WINDOW_OFFSETS + np.arange(rows) * (BLOCKS * 32)
    flat = halves.reshape(-1)
    rise, fall = flat.take(at), flat.take(at + 48)
    both = rise + fall
    both *= both
    amplitude = np.sqrt(both[:2] + both[2:])
    return Windows(key, rise, fall, amplitude, power[:, :-1, 0].T + power[:, 1:, 1].T)


def strongest(window: Floats) -> npt.NDArray[np.int8]:
    """[rows, 16] of one window to the key of its strongest low and its strongest high tone."""
    window = window * window
    power = window[:, :8] + window[:, 8:]
    return np.asarray(power[:, :4].argmax(axis=1) * 4 + power[:, 4:].argmax(axis=1), np.int8)


def judge_onset(seen: Windows) -> Onset:
    tones = np.stack([seen.key >> 2, (seen.key & 3) + 4])
    late = seen.amplitude[:, CENTRE + 1].sum(axis=0) > seen.amplitude[:, CENTRE - 1].sum(axis=0)
    first, second = neighbours(seen, late)
    offset = offsets_hz(seen, first, second, tones)
    gain = hann_gain(offset)
    pair = np.where(late, seen.amplitude[:, 2:4], seen.amplitude[:, 1:3])
    mean = pair.mean(axis=1)
    true = mean / gain
    squares = np.square(pair).sum(axis=1) / np.square(gain)
    share = squares.sum(axis=0) / (2 * np.where(late, seen.power[2:4].sum(axis=0), seen.power[1:3].sum(axis=0)))
    relative = seen.amplitude / mean[:, None]
    low, high = true
    accepted = (
        (np.abs(offset) <= MAX_OFFSET * TONES_HZ[tones]).all(axis=0)
        & (share >= MIN_SHARE)
        & (np.maximum(low, high) >= MIN_AMPLITUDE)
        & (high <= low * 10 ** (MAX_REVERSE_TWIST_DB / 20))
        & (low <= high * 10 ** (MAX_NORMAL_TWIST_DB / 20))
        & (pair.min(axis=1) >= MIN_STEADY * pair.max(axis=1)).all(axis=0)
        & (relative.max(axis=(0, 1)) <= MAX_SWELL)
        & (HALF * np.minimum(relative, 1).min(axis=0).sum(axis=0) >= MIN_HELD)
    )
    return Onset(accepted, start_of(relative), mean, screen_energy(true, offset, tones))


def neighbours(seen: Windows, late: npt.NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """The two adjacent windows, the middle one among them, that lie within the tone: [4, rows] each."""
    both = seen.rise + seen.fall
    return np.where(late, both[:, 2], both[:, 1]), np.where(late, both[:, 3], both[:, 2])


def offsets_hz(seen: Windows, first: Floats, second: Floats, tones: npt.NDArray[np.int8]) -> Floats:
    """Frequency minus nominal, [2, rows], from the phase a tone gains between two windows.

    Windows 80 samples apart know it to within multiples of 100 Hz; the two halves of the middle window,
    47.6 samples apart and so good to +-84 Hz, choose among those.
    """
    turned = turns(first, second) - TURNS_PER_HOP[tones]
    fine = 100 * (turned - np.rint(turned))
    coarse = turns(seen.rise[:, CENTRE], seen.fall[:, CENTRE]) * np.float32(RATE / HALF_CENTRES_APART)
    return np.asarray(fine + 100 * np.rint((coarse - fine) / 100), np.float32)


def turns(earlier: Floats, later: Floats) -> Floats:
    """Phase gained, in turns within +-0.5: [4, rows] each to [2, rows]."""
    re = earlier[:2] * later[:2] + earlier[2:] * later[2:]
    im = earlier[:2] * later[2:] - earlier[2:] * later[:2]
    return np.asarray(np.arctan2(im, re) / np.float32(2 * np.pi), np.float32)


def hann_gain(offset_hz: Floats) -> Floats:
    """What a Hann window of 20 ms leaves of an amplitude that far from its bin."""
    bins = np.clip(offset_hz / 50, -0.9, 0.9)
    return np.asarray(np.sinc(bins) / (1 - bins * bins), np.float32)


def start_of(relative: Floats) -> Floats:
    """Where the tone begins: [2, 5, rows] of amplitudes over the plateau's to a sample within the span."""
    level = np.minimum(relative, 1).min(axis=0)
    level = np.minimum.accumulate(level[CENTRE::-1], axis=0).sum(axis=0)
    return np.asarray(np.interp(level, COVERAGE[::-1], np.arange(len(COVERAGE))[::-1]), np.float32)


def end_of(level: Floats) -> Floats:
    """Where the tone ends: [5, rows] of amplitudes over the reference to a sample within the span."""
    total = np.minimum.accumulate(level, axis=0).sum(axis=0)
    return np.asarray(np.interp(total, END_COVERAGE, np.arange(len(END_COVERAGE))), np.float32)


def screen_energy(amplitude: Floats, offset_hz: Floats, tones: npt.NDArray[np.int8]) -> Floats:
    """What stage 1 reads in a block of a tone like this one: [2, rows] each to [rows]."""
    seen = amplitude * SUM_GAIN[tones] * np.sinc(offset_hz / 100)
    return np.asarray(np.square(seen).sum(axis=0) * (HALF / 4), np.float32)


def hann() -> npt.NDArray[np.float64]:
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FRAME) / FRAME)


def window_basis() -> Floats:
    """[80, 32]: first half of a window (16 columns: eight cosines, eight sines), then its second half.

    Scaled so that the two halves together give a tone's amplitude.
    """
    time = np.arange(FRAME)
    angle = 2 * np.pi * np.outer(time, TONES_HZ) / RATE
    whole = np.hstack([np.cos(angle), -np.sin(angle)]) * hann()[:, None] * (2 / hann().sum())
    return np.asarray(np.hstack([whole[:HALF], whole[HALF:]]), np.float32)


def power_weights() -> Floats:
    """[80, 2]: a window's halves weight squares so that they add up to the mean square under the window."""
    weight = hann() ** 2 / (hann() ** 2).sum()
    return np.asarray(np.stack([weight[:HALF], weight[HALF:]], axis=1), np.float32)


def coverage() -> npt.NDArray[np.float64]:
    """What windows 0 to 2 together show of a tone that begins at sample n and outlasts them, for n from 0 to 319."""
    weight = np.zeros(SPAN)
    for window in range(CENTRE + 1):
        weight[window * HALF : window * HALF + FRAME] += hann()
    return np.asarray(weight[: CENTRE * HALF + FRAME][::-1].cumsum()[::-1] / hann().sum())


def end_coverage() -> npt.NDArray[np.float64]:
    """What all windows together show of a tone that has always been there and ends at sample n, 0 to 480."""
    weight = np.zeros(SPAN)
    for window in range(WINDOWS):
        weight[window * HALF : window * HALF + FRAME] += hann()
    return np.concatenate([[0.0], weight.cumsum() / hann().sum()])


def tone_columns(key: npt.NDArray[np.int8]) -> npt.NDArray[np.intp]:
    """[4, 1, rows]: re low, re high, im low, im high of a key among the first sixteen columns of the basis."""
    low, high = (key >> 2).astype(np.intp), (key & 3).astype(np.intp) + 4
    return np.stack([low, high, low + 8, high + 8])[:, None]


BASIS: Final = window_basis()
POWER_WEIGHTS: Final = power_weights()
COVERAGE: Final = coverage()
END_COVERAGE: Final = end_coverage()
WINDOW_OFFSETS: Final = np.arange(WINDOWS)[None, :, None] * 32
TURNS_PER_HOP: Final = np.asarray(TONES_HZ * HALF / RATE, np.float32)
SUM_GAIN: Final = np.asarray(2 * np.cos(np.pi * TONES_HZ / RATE), np.float32)
HALF_CENTRES_APART: Final = float(
    (np.arange(HALF, FRAME) * hann()[HALF:]).sum() / hann()[HALF:].sum()
    - (np.arange(HALF) * hann()[:HALF]).sum() / hann()[:HALF].sum()
)
