"""The masker for whole recordings, of any length, rate and number of channels; reads and writes no files."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
import soxr

from dsp.errors import DspError
from dsp.mask.decision import HOPS, LONG, SHORT, Decision
from dsp.mask.evidence import NO_EVIDENCE_DB, RATE
from dsp.mask.hearing import FRAME, HOP, LONG_WINDOW, PAST, SHORT_WINDOW, Hearing
from dsp.mask.live import FULL_SCALE, linear
from dsp.tones import monotone

Samples: TypeAlias = npt.NDArray[np.int16] | npt.NDArray[np.float32]
Floats: TypeAlias = npt.NDArray[np.float32]
Flags: TypeAlias = npt.NDArray[np.bool_]

SLOWEST_RATE: Final = 4000  # samples/s: below it the high group is not in the recording
PIECE_S: Final = 20  # audio handled at a time
# A resampler's filter rings before and after an edge; at 8 kHz soxr's does so audibly for less than this.
RINGING_S: Final = 0.002


@dataclass(frozen=True)
class Masked:
    """A recording without its tones, and where they were (start, end) in seconds."""

    samples: Samples
    spans_s: tuple[tuple[float, float], ...]


def mask(
    samples: Samples, rate: int = RATE, heard: Callable[[int], None] | None = None, *, thorough: bool = False
) -> Masked:
    """[samples] or [channels, samples], int16 or float32 within +-1.0; the result has the same shape, type and rate.

    All channels are masked where any holds a tone: a key heard at one end of a call leaks into the other. A recording
    is listened to forwards and backwards, so a tone whose beginning drowns in speech is caught by its end.
    heard: told how many samples more have been listened to, for a progress bar.
    thorough: keys are looked for throughout as else only after a certain one: beeps over several times as much speech,
    and keys under speech as loud as they are do not get out either.
    """
    rows = _rows(samples, rate)
    frames = np.zeros(0, bool)
    for row in rows:
        flags = suspect_frames(_pieces(row, rate, heard), thorough)
        frames = flags if not len(frames) else frames | flags
    spans = _spans(frames, rows.shape[1], rate)
    out: Samples = samples.copy()
    for start, stop in spans:
        beep = monotone(start, stop - start, rate)
        out[..., start:stop] = beep if out.dtype == np.int16 else beep / FULL_SCALE
    return Masked(out, tuple((start / rate, stop / rate) for start, stop in spans))


def _rows(samples: Samples, rate: int) -> Samples:
    if not isinstance(samples, np.ndarray) or samples.dtype not in (np.int16, np.float32):
        got = getattr(samples, "dtype", type(samples).__name__)
        raise DspError(f"samples are {got}; expected an array of int16, or of float32 within +-1.0")
    if samples.ndim not in (1, 2) or samples.size == 0:
        raise DspError(f"samples have shape {samples.shape}; expected [samples] or [channels, samples], not empty")
    if rate < SLOWEST_RATE:
        raise DspError(f"rate is {rate}; below {SLOWEST_RATE} samples/s a key's tones are not in a recording")
    if not np.isfinite(samples).all():
        raise DspError("samples hold NaN or infinity; a recording has neither")
    return samples if samples.ndim == 2 else samples[None]


def _pieces(row: Samples, rate: int, heard: Callable[[int], None] | None) -> Iterator[Floats]:
    """One channel at 8 kHz and 16-bit scale, some seconds at a time."""
    resampler = soxr.ResampleStream(rate, RATE, 1, dtype="float32") if rate != RATE else None
    step = PIECE_S * rate
    for at in range(0, len(row), step):
        piece = linear(row[at : at + step], None)
        last = at + step >= len(row)
        yield piece if resampler is None else resampler.resample_chunk(piece, last=last)
        if heard:
            heard(len(piece))


def suspect_frames(pieces: Iterator[Floats], thorough: bool) -> Flags:
    """Which 20 ms frames of an 8 kHz signal to mask, heard both ways; the last may be begun only."""
    evidence = np.concatenate(list(_evidence(pieces)), axis=0)
    return _forwards(evidence, thorough) | _forwards(_reversed(evidence), thorough)[::-1]


def _evidence(pieces: Iterator[Floats]) -> Iterator[Floats]:
    """[hops, 2] a piece; behind the end follows a frame of silence for the windows that reach past it."""
    hearing = Hearing()
    kept = np.zeros(PAST, np.float32)
    for piece in pieces:
        kept = np.concatenate([kept, piece])
        whole = (len(kept) - PAST) // FRAME * FRAME
        if whole:
            yield hearing(kept[None, : PAST + whole])[0]
            kept = kept[whole:]
    lacking = -(len(kept) - PAST) % FRAME
    yield hearing(np.pad(kept, (0, lacking + FRAME))[None])[0]


def _forwards(evidence: Floats, thorough: bool) -> Flags:
    """The decision comes one frame late, and the last frame is the silence behind the end."""
    return Decision(1, always_alert=thorough)(evidence[None])[0, 1:]


def _reversed(evidence: Floats) -> Floats:
    """The evidence of the same audio played backwards. A window that ended at hop `e` now ends where it began."""
    turned = np.full((len(evidence) + HOPS, 2), NO_EVIDENCE_DB, np.float32)
    for kind, length in ((LONG, LONG_WINDOW), (SHORT, SHORT_WINDOW)):
        begins = length // HOP - 1
        turned[begins : begins + len(evidence), kind] = evidence[::-1, kind]
    # Backwards the frame of silence comes first and is dropped; the windows that reach past the start come last.
    return turned[HOPS:]


def _spans(frames: Flags, count: int, rate: int) -> list[tuple[int, int]]:
    """Runs of frames as sample ranges at the recording's own rate, widened by what resampling may have smeared."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], frames.astype(np.int8), [0]]))).reshape(-1, 2)
    margin = 0.0 if rate == RATE else RINGING_S
    scaled = [
        (int((a * FRAME / RATE - margin) * rate), int(np.ceil((b * FRAME / RATE + margin) * rate))) for a, b in edges
    ]
    return [(max(a, 0), min(b, count)) for a, b in scaled if a < count]
