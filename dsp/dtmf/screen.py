"""Stage 1: asks of every channel, from half of each frame, whether a key could be sounding; it decides nothing."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from dsp.dtmf.keys import RATE, TONES_HZ, Floats, Frames, Rows
from dsp.dtmf.line import HALF, Line

PAIRS: Final = HALF // 2  # neighbours are summed: DTMF ends at 1633 Hz, so 4 kHz is rate enough to ask the question
CHUNK: Final = 1024  # rows at a time: what one chunk touches stays in a core's L2 cache

# Share of the block's energy in the strongest low and the strongest high tone.  A clean tone 1.8 % off has 0.75
# (10 ms lose 25 % of 1633 Hz there), 8 dB S/N at nominal frequency 0.85 +- 0.05, and both may come together with twist.
MIN_SHARE: Final = 0.55
# Weaker tone over stronger tone, in energy: 9.5 dB of twist and 3 dB of leakage and frequency loss.
MIN_BALANCE: Final = 0.05
# Energy of both tones in the block: -42.5 dBm0 (amplitude 167) on one of them, 3 dB off for frequency and edges.
# Summing neighbours makes 1.6 (1633 Hz) to 1.93 (697 Hz) of an amplitude.
MIN_ENERGY: Final = 0.5 * PAIRS * (1.6 * 167.0) ** 2 / 2


@dataclass(frozen=True)
class Suspects:
    """Channels that may carry a tone, in rising order; `energy` of the pair, that a steady tone keeps."""

    rows: Rows
    key: npt.NDArray[np.int8]
    energy: Floats


class Screen:
    """Strongest low tone plus strongest high tone against everything in samples 0-79 of each frame.

    A tone of 30 ms covers one such block completely, wherever it starts: 240 samples >= 159 + 80.
    """

    def __init__(self, line: Line) -> None:
        self._line = line
        self._basis = screen_basis()
        self._sums = np.empty((CHUNK, PAIRS), np.float32)
        self._tones = np.empty((CHUNK, 16), np.float32)

    def __call__(self, frames: Frames, rows: Rows | None) -> Suspects:
        """frames: [channels, 160] as the line stores them; rows: which of them to look at, None for all."""
        loud = self._line.loud(frames if rows is None else frames[rows])
        if rows is not None:
            loud = rows[loud]
        if len(loud) == 0:
            return NOBODY
        halves = frames.reshape(-1, HALF)
        found = [self._suspects(halves, loud[at : at + CHUNK]) for at in range(0, len(loud), CHUNK)]
        if len(found) == 1:
            return found[0]
        return Suspects(
            *(np.concatenate(part) for part in zip(*((s.rows, s.key, s.energy) for s in found), strict=True))
        )

    def wipe(self) -> None:
        self._sums.fill(0)
        self._tones.fill(0)

    def _suspects(self, halves: Frames, rows: Rows) -> Suspects:
        sums, tones = self._sums[: len(rows)], self._tones[: len(rows)]
        self._line.pair_sums(halves.take(rows * 2, axis=0), sums)
        np.matmul(sums, self._basis, out=tones)
        tones *= tones
        power = np.add(tones[:, :8].T, tones[:, 8:].T)
        low = np.maximum(np.maximum(power[0], power[1]), np.maximum(power[2], power[3]))
        high = np.maximum(np.maximum(power[4], power[5]), np.maximum(power[6], power[7]))
        energy = low + high
        total = np.einsum("ij,ij->i", sums, sums)
        likely = energy >= np.maximum(MIN_SHARE * total, MIN_ENERGY)
        likely &= np.minimum(low, high) >= MIN_BALANCE * np.maximum(low, high)
        here = np.flatnonzero(likely)
        power = power[:, here]
        key = (power[:4].argmax(axis=0) * 4 + power[4:].argmax(axis=0)).astype(np.int8)
        return Suspects(rows[here], key, energy[here])


NOBODY: Final = Suspects(np.empty(0, np.intp), np.empty(0, np.int8), np.empty(0, np.float32))


def screen_basis() -> Floats:
    """[40, 16]: cosines, then sines of the eight tones, scaled so that a tone's square is its energy in the block."""
    angle = 2 * np.pi * np.outer(np.arange(PAIRS), TONES_HZ) / (RATE / 2)
    return np.asarray(np.hstack([np.cos(angle), np.sin(angle)]) * np.sqrt(2 / PAIRS), np.float32)
