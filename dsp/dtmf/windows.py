"""Hann windows over 60 ms round a suspected tone, for many rows at once; measures and judges nothing."""

from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from dsp.dtmf.keys import FRAME, RATE, TONES_HZ, Floats, Frames, Rows
from dsp.dtmf.line import HALF, FrameReader

Complexes: TypeAlias = npt.NDArray[np.complex64]
KeyIndices: TypeAlias = npt.NDArray[np.int8]

FRAMES: Final = 3  # looked at together: the frame before the suspected one, that frame, the frame after
SPAN: Final = FRAMES * FRAME
BLOCKS: Final = SPAN // HALF
WINDOWS: Final = BLOCKS - 1  # of 160 samples, one every 80
MIDDLE: Final = 2  # samples 160-319: a tone of 40 ms that began in the first frame fills this window
CHUNK: Final = 96  # rows measured at a time: their samples and exponentials are 430 KB of a core's L2 cache


@dataclass(frozen=True)
class Windows:
    """What the windows show of one low and one high tone of each row."""

    key: KeyIndices
    first_half: Complexes  # [2 tones, rows]: by the first half of the middle window alone
    second_half: Complexes
    whole: Complexes  # [5 windows, 2 tones, rows]
    amplitude: Floats  # [5, 2, rows]
    energy: Floats  # [4, rows]: of everything in samples 80-399, block by block of 80


class Closeup:
    """Takes the windows; holds the working memory, which is audio and can be wiped."""

    def __init__(self, line: FrameReader) -> None:
        self._line = line
        self._samples = np.zeros((CHUNK, BLOCKS, HALF), np.float32)
        self._products = np.zeros((CHUNK, BLOCKS, 8), np.float32)

    def __call__(self, frames: Frames, rows: Rows, key: KeyIndices, idle: int) -> tuple[Windows, Floats]:
        """What is seen of the first `idle` rows, and amplitudes [5, 2, rows] of the others.

        frames: [n, 160] as the line stores them; rows: [rows, 3], which frames to read, oldest first;
        key: whose tones to look for, row by row.
        """
        halves = np.empty((2, BLOCKS, 2, len(rows)), np.complex64)  # half of a window, block, tone
        energy = np.empty((idle, BLOCKS - 2), np.float32)
        for at in range(0, len(rows), CHUNK):
            part = slice(at, at + CHUNK)
            self._measure(frames.take(rows[part], axis=0), key[part], halves[..., part], energy[part])
        first, second = halves[0, :-1], halves[1, 1:]  # a window's second half lies in the block after its first
        # Apart from each other, so that either is one piece of memory: calls on it take a third of the time.
        whole, others = first[..., :idle] + second[..., :idle], first[..., idle:] + second[..., idle:]
        middle = first[MIDDLE, :, :idle], second[MIDDLE, :, :idle]
        return Windows(key[:idle], *middle, whole, np.abs(whole), energy.T), np.abs(others)

    def samples(self, frames: Frames, rows: Rows) -> Floats:
        """[rows, 480]: what the windows look at."""
        samples = np.empty((len(rows), FRAMES, FRAME), np.float32)
        self._line.samples(frames.take(rows, axis=0), samples)
        return samples.reshape(-1, SPAN)

    def wipe(self) -> None:
        self._samples.fill(0)
        self._products.fill(0)

    def _measure(self, frames: Frames, key: KeyIndices, halves: Complexes, energy: Floats) -> None:
        """frames: [rows, 3, 160]."""
        samples, products = self._samples[: len(key)], self._products[: len(key)]
        self._line.samples(frames, samples.reshape(frames.shape))
        # One product a row, for its own two tones: all products have one shape, so to BLAS every row is the same.
        np.matmul(samples, BASIS.take(key, axis=0), out=products)
        np.copyto(halves, products.view(np.complex64).reshape(-1, BLOCKS, 2, 2).transpose(2, 1, 3, 0))
        inner = samples[: len(energy), 1:-1]
        np.vecdot(inner, inner, out=energy)


def hann() -> npt.NDArray[np.float64]:
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FRAME) / FRAME)


def window_basis() -> Floats:
    """[16, 80, 8]: by key, the complex exponentials of its two tones under the first half of a window, then under its
    second half.

    Scaled so that the two halves together give a tone's amplitude. Phases count from the window's first sample.
    """
    turn = np.outer(np.arange(FRAME), TONES_HZ) / RATE
    whole = np.exp(-2j * np.pi * turn) * hann()[:, None] * (2 / hann().sum())
    halves = whole.reshape(2, HALF, 8)
    tones = np.stack([halves[:, :, np.arange(16) >> 2], halves[:, :, (np.arange(16) & 3) + 4]], axis=1)  # half, tone
    return np.ascontiguousarray(tones.transpose(3, 2, 0, 1).reshape(16, HALF, 4).astype(np.complex64)).view(np.float32)


def overlapped(windows: int) -> npt.NDArray[np.float64]:
    """That many windows laid over each other, in units of one window's area."""
    weight = np.zeros((windows + 1) * HALF)
    for window in range(windows):
        weight[window * HALF : window * HALF + FRAME] += hann()
    return np.asarray(weight / hann().sum())


BASIS: Final = window_basis()
