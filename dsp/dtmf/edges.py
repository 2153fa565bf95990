"""When a key's tone began, whether it has ended and when, from its amplitudes window by window; no audio."""

from typing import Final

import numpy as np
import numpy.typing as npt

from dsp.dtmf.keys import Floats
from dsp.dtmf.line import HALF
from dsp.dtmf.windows import MIDDLE, WINDOWS, overlapped

# Interruptions of 10 ms (80 samples) are bridged, pauses of 30 ms (240) part two presses; this lies between.
MIN_GAP: Final = 160.0

# What windows 0 to 2 show of a tone that begins at sample n and outlasts them; what all show of one that ends at n.
COVERAGE: Final = overlapped(MIDDLE + 1)[::-1].cumsum()[::-1]
END_COVERAGE: Final = np.concatenate([[0.0], overlapped(WINDOWS).cumsum()])


def weaker(relative: Floats, out: Floats | None = None) -> Floats:
    """[2, 5, rows] of amplitudes over a reference to [5, rows]: the weaker tone's, 1 where both are there."""
    level: Floats = np.minimum(np.minimum(relative[0], relative[1]), np.float32(1), out=out)
    return level


def has_ended(level: Floats) -> npt.NDArray[np.bool_]:
    """Overlapping windows add up to 1 everywhere, so what they lack, together, is how long the tone was away."""
    return np.asarray(np.add.reduce(level, axis=0) <= WINDOWS - MIN_GAP / HALF)


def start_of(level: Floats) -> npt.NDArray[np.int64]:
    """Where a tone begins: [5, rows] of amplitudes over the plateau's to a sample within the span."""
    seen = np.minimum.accumulate(level[MIDDLE::-1], axis=0).sum(axis=0)
    return np.asarray(np.interp(seen, COVERAGE[::-1], np.arange(len(COVERAGE))[::-1]), np.int64)


def end_of(level: Floats) -> npt.NDArray[np.int64]:
    """Where a tone ends: [5, rows] of amplitudes over the reference to a sample within the span."""
    seen = np.minimum.accumulate(level, axis=0).sum(axis=0)
    return np.asarray(np.interp(seen, END_COVERAGE, np.arange(len(END_COVERAGE))), np.int64)
