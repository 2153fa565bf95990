"""Turns what a line carries (G.711 codes, or linear samples) into float32 at 16-bit scale; detects nothing."""

from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from dsp import g711
from dsp.dtmf.keys import FRAME, Floats, Frames, Rows
from dsp.errors import DspError

HALF: Final = FRAME // 2

# Every tone the decoder accepts swings past this somewhere within 10 ms (two tones of -42.5 and -52 dBm0 together
# peak at 220); an idle line at -60 dBm0 (rms 16) does so nowhere.  16-bit units, the end of mu-law's first segment.
LOUD_PEAK: Final = 128


class Line(Protocol):
    """How frames are kept and read. `halves` is [n, 80]: the first 10 ms of each frame."""

    stored: np.dtype[np.generic]
    silence: int

    def accept(self, frames: Frames) -> Frames: ...
    def loud(self, frames: Frames) -> Rows: ...
    def pair_sums(self, halves: Frames, out: Floats) -> None: ...
    def linear(self, frames: Frames) -> Floats: ...


class Companded:
    """G.711 bytes, kept as they are: two neighbours are one 16-bit index into a table of 65,536 entries."""

    def __init__(self, law: str) -> None:
        table = g711.LINEAR[g711.named(law)]  # type: ignore[arg-type]
        self.stored: np.dtype[np.generic] = np.dtype(np.uint8)
        self.silence = g711.SILENCE[law]  # type: ignore[index]
        pairs = table[np.arange(65536, dtype=np.uint16).view(np.uint8)].astype(np.float32).reshape(-1, 2)
        self._sums = pairs.sum(axis=1)
        # Two float32 travel as one complex64: a look-up then moves eight bytes at once.
        self._pairs = pairs.view(np.complex64)[:, 0].copy()
        # Bits of a code that differ from silence's only when |sample| >= LOUD_PEAK: the segment, and for A-law,
        # whose first segment is twice as long, the top bit of the step too.
        bits = 0x70 if law == "ulaw" else 0x78
        self._silent_word = np.uint64(int.from_bytes(bytes([self.silence & bits]) * 8, "little"))
        self._loud_bits = np.uint64(int.from_bytes(bytes([bits]) * 8, "little"))

    def accept(self, frames: Frames) -> Frames:
        if frames.dtype != np.uint8:
            raise DspError(f"frames are {frames.dtype}; a bank for G.711 takes uint8 codes (law=None takes samples)")
        return frames

    def loud(self, frames: Frames) -> Rows:
        words = frames.view(np.uint64)[:, : HALF // 8]
        found = words[:, 0] ^ self._silent_word
        for column in range(1, HALF // 8):
            found |= words[:, column] ^ self._silent_word
        return np.flatnonzero(found & self._loud_bits)

    def pair_sums(self, halves: Frames, out: Floats) -> None:
        np.take(self._sums, halves.view(np.uint16), out=out, mode="clip")

    def linear(self, frames: Frames) -> Floats:
        codes = np.ascontiguousarray(frames).view(np.uint16)
        pairs = np.empty(codes.shape, np.complex64)
        np.take(self._pairs, codes, out=pairs, mode="clip")
        return pairs.view(np.float32)


class Linear:
    """Samples as int16, or as float32 where +-1.0 is full scale; kept as float32 at 16-bit scale."""

    stored: np.dtype[np.generic] = np.dtype(np.float32)
    silence = 0

    def accept(self, frames: Frames) -> Frames:
        if frames.dtype == np.int16:
            return frames
        if frames.dtype == np.float32:
            return frames * np.float32(32768.0)
        raise DspError(f"frames are {frames.dtype}; a bank for linear audio takes int16, or float32 within +-1.0")

    def loud(self, frames: Frames) -> Rows:
        halves = frames[:, :HALF]
        return np.flatnonzero(np.maximum(halves.max(axis=1), -halves.min(axis=1)) >= LOUD_PEAK)

    def pair_sums(self, halves: Frames, out: Floats) -> None:
        np.add(halves[:, 0::2], halves[:, 1::2], out=out)

    def linear(self, frames: Frames) -> Floats:
        samples: npt.NDArray[np.float32] = np.asarray(frames, np.float32)
        return samples


def line_for(law: str | None) -> Line:
    return Linear() if law is None else Companded(law)
