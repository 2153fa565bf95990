"""When a key's tone began, whether it has ended and when, from its amplitudes window by window; no audio."""

from typing import Final

import numpy as np
import numpy.typing as npt

from dsp.dtmf.keys import Floats, constant
from dsp.dtmf.line import HALF
from dsp.dtmf.windows import MIDDLE, WINDOWS, overlapped

# Interruptions of 10 ms (80 samples) are bridged, pauses of 30 ms (240) part two presses; this lies between.
MIN_GAP: Final = 160.0

# What windows 0 to 2 show of a tone in their last n + 1 samples (the very first weighs nothing), what all show of one
# in their first n + 1. A search in these says what interpolating and rounding down would, in half the time.
COVERAGE: Final = overlapped(MIDDLE + 1)[:0:-1].cumsum()
END_COVERAGE: Final = overlapped(WINDOWS).cumsum()
FULL: Final = constant(1)
MAX_LEFT: Final = constant(WINDOWS - MIN_GAP / HALF)


def weaker(relative: Floats, out: Floats | None = None) -> Floats:
    """[5, 2, rows] of amplitudes over a reference to [5, rows]: the weaker tone's, 1 where both are there."""
    level: Floats = np.minimum(np.minimum(relative[:, 0], relative[:, 1]), FULL, out=out)
    return level


def has_ended(level: Floats) -> npt.NDArray[np.bool_]:
    """Overlapping windows add up to 1 everywhere, so what they lack, together, is how long the tone was away."""
    return np.asarray(np.add.reduce(level, axis=0) <= MAX_LEFT)


def start_of(level: Floats) -> npt.NDArray[np.int64]:
    """Where a tone begins: [5, rows] of amplitudes over the plateau's to a sample within the span."""
    return np.asarray(len(COVERAGE) - COVERAGE.searchsorted(without_return(level[MIDDLE::-1])), np.int64)


def end_of(level: Floats) -> npt.NDArray[np.int64]:
    """Where a tone ends: [5, rows] of amplitudes over the reference to a sample within the span."""
    return np.asarray(END_COVERAGE.searchsorted(without_return(level), side="right"), np.int64)


def without_return(level: Floats) -> Floats:
    """[rows]: all that windows show of a tone, one after another, where none may show more than the one before it."""
    seen: Floats = level[0]
    shown = seen
    for after in level[1:]:  # window by window: `minimum.accumulate` and a sum take twice as long
        shown = np.minimum(shown, after)
        seen = seen + shown
    return seen
