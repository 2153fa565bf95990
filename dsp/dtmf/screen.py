"""Stage 1: asks of every channel, from half of each frame, whether a key could be sounding; it decides nothing."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from dsp.dtmf.keys import RATE, TONES_HZ, Floats, Frames, Rows, constant
from dsp.dtmf.line import HALF, FrameReader

PAIRS: Final = HALF // 2  # neighbours are summed: DTMF ends at 1633 Hz, so 4 kHz is rate enough to ask the question
TILE: Final = 8
CHUNK: Final = 1024  # rows at a time: what one chunk touches stays in a core's L2 cache

# Low and high tones take turns, so that halving the list twice leaves the strongest of each group.
SCREEN_ORDER: Final = np.array([0, 4, 1, 5, 2, 6, 3, 7])
# A key's number is 4 * its low tone + its high tone: what each tone in that order has of it.
PARTS_OF_KEY: Final = np.array([0, 0, 4, 1, 8, 2, 12, 3], np.int8)[:, None]

# Share of the block's energy in the strongest low and the strongest high tone.  A clean tone 1.8 % off has 0.75
# (10 ms lose 25 % of 1633 Hz there), 8 dB S/N at nominal frequency 0.85 +- 0.05, and both may come together with twist.
MIN_SHARE: Final = constant(0.55)
# Weaker tone over both, in energy: 9.5 dB of twist and 3 dB of leakage and frequency loss.
MIN_BALANCE: Final = constant(0.05)
# Energy of both tones in the block: -42.5 dBm0 (amplitude 167) on one of them, 3 dB off for frequency and edges.
# Summing neighbours makes 1.6 (1633 Hz) to 1.93 (697 Hz) of an amplitude.
MIN_ENERGY: Final = constant(0.5 * PAIRS * (1.6 * 167.0) ** 2 / 2)


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

    def __init__(self, line: FrameReader) -> None:
        self._line = line
        self._basis = screen_basis()
        self._sums = np.zeros((CHUNK, PAIRS), np.float32)
        self._products = np.zeros((CHUNK, 16), np.float32)
        self._tones = np.zeros(CHUNK * 16, np.float32)

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
        self._products.fill(0)
        self._tones.fill(0)

    def _suspects(self, halves: Frames, rows: Rows) -> Suspects:
        sums, products = self._sums[: len(rows)], self._products[: len(rows)]
        tones = self._tones[: 16 * len(rows)].reshape(16, len(rows))
        self._line.pair_sums(halves.take(rows * 2, axis=0), sums)
        matmul_in_tiles(self._sums, self._basis, self._products, len(rows))
        np.copyto(tones, products.T)  # one strided pass, so that all that follow are contiguous
        tones *= tones
        power = tones[:8] + tones[8:]
        top = np.maximum(power[:4], power[4:])
        pair = np.maximum(top[:2], top[2:])
        low, high = pair[0], pair[1]  # 0.3 us less than taking an array apart
        energy = low + high
        likely = energy >= np.maximum(MIN_SHARE * np.vecdot(sums, sums), MIN_ENERGY)
        likely &= np.minimum(low, high) >= MIN_BALANCE * energy
        here = likely.nonzero()[0]
        # Each group's strongest tone equals the maximum: 4 us for 400 suspects, two argmax take 27. (Two that tie name a
        # third; tones that lie between two of a group are no key anyway.)
        strongest = (power.reshape(4, 2, len(rows)) == pair).reshape(8, len(rows))
        key = np.bitwise_or.reduce(strongest.view(np.int8) * PARTS_OF_KEY, axis=0)
        return Suspects(rows[here], key[here], energy[here])


def matmul_in_tiles(left: Floats, right: Floats, out: Floats, rows: int) -> None:
    """out[:rows] = left[:rows] @ right, to the same last bit whatever else stands in `left`.

    BLAS picks its kernel by the number of rows and by a row's place among them; multiplied eight by eight, every row
    meets the same one (and the detour costs nothing: 17 ns a row for 40 x 16, 13 in one piece). Both arrays have
    rows to spare up to a multiple of eight.
    """
    tiles = -(-rows // TILE)
    np.matmul(
        left[: tiles * TILE].reshape(tiles, TILE, left.shape[1]),
        right,
        out=out[: tiles * TILE].reshape(tiles, TILE, out.shape[1]),
    )


NOBODY: Final = Suspects(np.empty(0, np.intp), np.empty(0, np.int8), np.empty(0, np.float32))


def screen_basis() -> Floats:
    """[40, 16]: cosines, then sines of the tones in SCREEN_ORDER, scaled so that squares are energy in the block."""
    angle = 2 * np.pi * np.outer(np.arange(PAIRS), TONES_HZ[SCREEN_ORDER]) / (RATE / 2)
    return np.asarray(np.hstack([np.cos(angle), np.sin(angle)]) * np.sqrt(2 / PAIRS), np.float32)
