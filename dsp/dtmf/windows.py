"""Hann windows over 60 ms round a suspected tone, for many rows at once; measures and judges nothing."""

from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from dsp.dtmf.keys import FRAME, RATE, TONES_HZ, Floats, Frames, Rows
from dsp.dtmf.line import HALF, Line
from dsp.dtmf.screen import matmul_in_tiles

Complexes: TypeAlias = npt.NDArray[np.complex64]
KeyIndices: TypeAlias = npt.NDArray[np.int8]

FRAMES: Final = 3  # looked at together: the frame before the suspected one, that frame, the frame after
SPAN: Final = FRAMES * FRAME
BLOCKS: Final = SPAN // HALF
WINDOWS: Final = BLOCKS - 1  # of 160 samples, one every 80
MIDDLE: Final = 2  # samples 160-319: a tone of 40 ms that began in the first frame fills this window
CHUNK: Final = 64  # rows measured at a time: their samples and products are 370 KB of a core's L2 cache


@dataclass(frozen=True)
class Windows:
    """What the windows show of one low and one high tone (axis -3) in each window (axis -2) of each row."""

    key: KeyIndices
    halves: Complexes  # [2, 2, 5, rows]: by the first and by the second half of each window
    whole: Complexes  # [2, 5, rows]
    amplitude: Floats  # [2, 5, rows]
    energy: Floats  # [6, rows]: of everything, block by block of 80 samples


class Closeup:
    """Takes the windows; holds the working memory, which is audio and can be wiped."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._samples = np.zeros((CHUNK * BLOCKS, HALF), np.float32)
        self._tones = np.zeros((CHUNK * BLOCKS, 32), np.float32)

    def __call__(self, frames: Frames, rows: Rows, key: KeyIndices) -> Windows:
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

    def samples(self, frames: Frames, rows: Rows) -> Floats:
        """[rows, 480]: what the windows look at."""
        samples = np.empty((rows.size, FRAME), np.float32)
        self._line.samples(frames.take(rows.ravel(), axis=0), samples)
        return samples.reshape(-1, SPAN)

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


def hann() -> npt.NDArray[np.float64]:
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FRAME) / FRAME)


def window_basis() -> Floats:
    """[80, 32]: eight complex exponentials under the first half of a window, then eight under its second half.

    Scaled so that the two halves together give a tone's amplitude. Phases count from the window's first sample.
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
    """That many windows laid over each other, in units of one window's area."""
    weight = np.zeros((windows + 1) * HALF)
    for window in range(windows):
        weight[window * HALF : window * HALF + FRAME] += hann()
    return np.asarray(weight / hann().sum())


BASIS: Final = window_basis()
PICK: Final = pick()
STRIDE: Final = np.arange(CHUNK) * (BLOCKS * 16)
