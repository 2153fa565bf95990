"""Makes any recording or synthetic speech fit for a telephone line: 8 kHz, 300-3400 Hz, trimmed, evenly loud; no files."""

from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt
import soxr

from dsp import tones

Samples = npt.NDArray[np.int16]
Floats = npt.NDArray[np.float64]

LINE_RATE: Final = 8000
FRAME: Final = 160  # 20 ms
# Active speech level. ITU-T P.56 measures it; about -16 dBm0 is what announcements commonly have, 12 dB under clipping.
ACTIVE_DBM0: Final = -16.0
PEAK: Final = 26_000.0  # 2 dB under full scale; above it samples are bent, not cut
ACTIVE_MARGIN_DB: Final = 25.0  # frames this far under the loudest are pauses
EDGE_MARGIN_DB: Final = 38.0  # what is quieter than that at either end is trimmed; soft consonants are not
EDGE_KEEP: Final = 160  # 20 ms left at either end
FADE: Final = 40  # 5 ms: clips are played one after another, and a step between them is a click
MOST_GAIN_DB: Final = 30.0  # a recording of silence is not blown up to noise
TELEPHONE_BAND_HZ: Final = (300.0, 3400.0)


def for_the_line(samples: Samples, rate: int) -> Samples:
    """Samples of one channel at any rate to what goes into the codec. Silence stays silence."""
    resampled = samples.astype(np.float64)
    if rate != LINE_RATE:
        resampled = soxr.resample(resampled, rate, LINE_RATE, quality="HQ")
    if len(resampled) <= 3 * FRAME:
        resampled = np.pad(resampled, (0, 3 * FRAME - len(resampled) + 1))
    trimmed = _trim(_telephone_band(resampled))
    return tones.to_int16(_limit(trimmed * _gain(trimmed)))


def _telephone_band(samples: Floats) -> Floats:
    # Imported here: the web process needs this package for its tones only, and an installation without SIP has no scipy.
    from scipy.signal import sosfiltfilt

    return np.asarray(sosfiltfilt(_band_pass(), samples))


@cache
def _band_pass() -> Floats:
    from scipy.signal import butter

    return np.asarray(butter(4, TELEPHONE_BAND_HZ, btype="bandpass", fs=LINE_RATE, output="sos"))


def active_level_dbm0(samples: npt.NDArray[np.generic]) -> float:
    """The level of the frames that hold speech; -inf for silence."""
    levels = _frame_levels(samples.astype(np.float64))
    if not len(levels) or levels.max() <= 0:
        return float("-inf")
    active = levels[levels > levels.max() * 10 ** (-ACTIVE_MARGIN_DB / 10)]
    return float(10 * np.log10(active.mean() / (tones.ZERO_DBM0_AMPLITUDE**2 / 2)))


def _frame_levels(samples: Floats) -> Floats:
    """Mean power of each 20 ms; the last, shorter one is left out."""
    whole = len(samples) // FRAME * FRAME
    return np.asarray((samples[:whole].reshape(-1, FRAME) ** 2).mean(axis=1))


def _gain(samples: Floats) -> float:
    level = active_level_dbm0(samples)
    if not np.isfinite(level):
        return 1.0
    return float(10 ** (min(ACTIVE_DBM0 - level, MOST_GAIN_DB) / 20))


def _trim(samples: Floats) -> Floats:
    levels = _frame_levels(samples)
    loud = np.flatnonzero(levels > levels.max() * 10 ** (-EDGE_MARGIN_DB / 10)) if len(levels) else np.zeros(0, int)
    if not len(loud):
        return samples[:FRAME]
    start, end = loud[0] * FRAME - EDGE_KEEP, (loud[-1] + 1) * FRAME + EDGE_KEEP
    kept = samples[max(0, start) : end].copy()
    ramp = np.linspace(0.0, 1.0, FADE)
    kept[:FADE] *= ramp
    kept[-FADE:] *= ramp[::-1]
    return kept


def _limit(samples: Floats) -> Floats:
    """Straight up to 80 % of the peak, bent above it: no hard edge, so no click and no spectrum of one."""
    knee = 0.8 * PEAK
    over = np.maximum(np.abs(samples) - knee, 0.0)
    room = PEAK - knee
    return np.asarray(np.sign(samples) * (np.minimum(np.abs(samples), knee) + room * np.tanh(over / room)))
