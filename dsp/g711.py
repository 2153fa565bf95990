"""Mu-law and A-law companding of 16-bit samples by table, exact to ITU-T G.191; no files, no resampling."""

from typing import Final, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from dsp.errors import DspError

Law: TypeAlias = Literal["ulaw", "alaw"]
Codes: TypeAlias = npt.NDArray[np.uint8]
Samples: TypeAlias = npt.NDArray[np.int16]

# What an idle line carries: the smallest positive level of each law.
SILENCE: Final[dict[Law, int]] = {"ulaw": 0xFF, "alaw": 0xD5}


def decode(codes: Codes, law: Law) -> Samples:
    """Codes of any shape to int16 at full 16-bit scale (mu-law peaks at 32124, A-law at 32256)."""
    if codes.dtype != np.uint8:
        raise DspError(f"g711.decode: codes are {codes.dtype}, expected uint8 (one byte a sample)")
    return LINEAR[named(law)].take(codes)


def encode(samples: Samples, law: Law) -> Codes:
    """Int16 of any shape to codes, rounding as G.191 does (one's complement below zero)."""
    if samples.dtype != np.int16:
        raise DspError(f"g711.encode: samples are {samples.dtype}, expected int16; round and clip them first")
    return _CODES[named(law)].take(samples.view(np.uint16))


def named(law: Law) -> Law:
    """Refuses a law that arrives unchecked from a file or a socket."""
    if law not in SILENCE:
        raise DspError(f"law {law!r} is unknown; it is 'ulaw' (G.711 mu-law) or 'alaw'")
    return law


def _ulaw_to_linear() -> Samples:
    # G.711 table 2: all bits inverted on the line; sign, 3 bits of segment, 4 of step, a bias of 33 (14-bit scale).
    codes = ~np.arange(256) & 0xFF
    magnitude = (((codes & 0x0F) << 3) + 132 << (codes >> 4 & 7)) - 132
    return np.where(codes & 0x80, -magnitude, magnitude).astype(np.int16)


def _alaw_to_linear() -> Samples:
    # G.711 table 1: even bits inverted on the line; segments 0 and 1 share a step size.
    codes = np.arange(256) ^ 0x55
    segment, step = codes >> 4 & 7, codes & 0x0F
    magnitude = np.where(segment == 0, (step << 4) + 8, (step << 4) + 264 << np.maximum(segment - 1, 0))
    return np.where(codes & 0x80, magnitude, -magnitude).astype(np.int16)


def _ulaw_codes() -> Codes:
    linear = np.arange(65536, dtype=np.uint16).view(np.int16).astype(np.int32)
    magnitude = np.minimum((np.where(linear < 0, ~linear, linear) >> 2) + 33, 0x1FFF)
    segment = np.floor(np.log2(magnitude)).astype(np.int32) - 5
    code = ~(segment << 4 | magnitude >> segment + 1 & 0x0F) & 0x7F
    return np.asarray(code | np.where(linear < 0, 0, 0x80), np.uint8)


def _alaw_codes() -> Codes:
    linear = np.arange(65536, dtype=np.uint16).view(np.int16).astype(np.int32)
    magnitude = np.where(linear < 0, ~linear, linear) >> 4
    segment = np.maximum(np.floor(np.log2(np.maximum(magnitude, 1))).astype(np.int32) - 3, 0)
    step = magnitude >> np.maximum(segment - 1, 0) & 0x0F
    return np.asarray((segment << 4 | step | np.where(linear < 0, 0, 0x80)) ^ 0x55, np.uint8)


ULAW_TO_LINEAR: Final = _ulaw_to_linear()
ALAW_TO_LINEAR: Final = _alaw_to_linear()
LINEAR: Final[dict[Law, Samples]] = {"ulaw": ULAW_TO_LINEAR, "alaw": ALAW_TO_LINEAR}
_CODES: Final[dict[Law, Codes]] = {"ulaw": _ulaw_codes(), "alaw": _alaw_codes()}
ULAW_TO_LINEAR.flags.writeable = ALAW_TO_LINEAR.flags.writeable = False
