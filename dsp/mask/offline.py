"""The masker for whole recordings, of any length, rate and number of channels; reads and writes no files."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
import soxr

from dsp.errors import DspError
from dsp.mask.decision import LONG, SHORT, Decision, Verdict
from dsp.mask.evidence import NO_EVIDENCE_DB, RATE
from dsp.mask.hearing import FRAME, HOP, HOPS, LONG_WINDOW, PAST, SHORT_WINDOW, Hearing, HopEvidence
from dsp.mask.live import FULL_SCALE, linear
from dsp.mask.veil import Random, Veil
from dsp.tones import monotone, to_int16

Samples: TypeAlias = npt.NDArray[np.int16] | npt.NDArray[np.float32]
Floats: TypeAlias = npt.NDArray[np.float32]
Flags: TypeAlias = npt.NDArray[np.bool_]
Places: TypeAlias = npt.NDArray[np.intp]
Spans: TypeAlias = tuple[tuple[float, float], ...]

SLOWEST_RATE: Final = 4000  # samples/s: below it the high group is not in the recording
PIECE_S: Final = 20  # audio handled at a time
VEILED: Final = 256  # frames veiled at a time
# A resampler's filter rings before and after an edge; at 8 kHz soxr's does so audibly for less than this.
RINGING_S: Final = 0.002


@dataclass(frozen=True)
class Masked:
    """A recording without its tones; where beeps and where veils are (start, end) in seconds."""

    samples: Samples
    spans_s: Spans
    veiled_s: Spans = ()


def mask(
    samples: Samples,
    rate: int = RATE,
    heard: Callable[[int], None] | None = None,
    *,
    thorough: bool = False,
    veil: bool = True,
    random: Random = os.urandom,
) -> Masked:
    """[samples] or [channels, samples], int16 or float32 within +-1.0; the result has the same shape, type and rate.

    All channels are masked where any holds a tone: a key heard at one end of a call leaks into the other. A recording
    is listened to forwards and backwards, so a tone whose beginning drowns in speech is caught by its end.
    heard: told how many samples more have been listened to, for a progress bar.
    thorough: keys are looked for throughout as else only after a certain one: beeps where else a veil would do.
    veil: whether speech that may hide a key is veiled; without, keys under speech as loud as they are may stay.
    """
    rows = _rows(samples, rate)
    found = [suspect_frames(_pieces(row, rate, heard), thorough) for row in rows]
    beep, doubt = (np.logical_or.reduce(flags) for flags in zip(*found, strict=True))
    out: Samples = samples.copy()
    if veil:
        beep |= _veiled(rows, out.reshape(rows.shape), doubt & ~beep, rate, random)
    spans = _spans(beep, rows.shape[1], rate)
    for start, stop in spans:
        sound = monotone(start, stop - start, rate)
        out[..., start:stop] = sound if out.dtype == np.int16 else sound / FULL_SCALE
    veils = _spans(doubt & ~beep, rows.shape[1], rate) if veil else []
    return Masked(out, _seconds(spans, rate), _seconds(veils, rate))


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


def suspect_frames(pieces: Iterator[Floats], thorough: bool) -> Verdict:
    """Which 20 ms frames of an 8 kHz signal to mask, heard both ways; the last may be begun only."""
    heard = HopEvidence(*(np.concatenate(parts, axis=1) for parts in zip(*_heard(pieces), strict=True)))
    ways = zip(_forwards(heard, thorough), _forwards(_reversed(heard), thorough), strict=True)
    return Verdict(*(forth | back[::-1] for forth, back in ways))


def _heard(pieces: Iterator[Floats]) -> Iterator[HopEvidence]:
    """Of one channel, piece by piece; behind the end follows a frame of silence for the windows that reach past it."""
    hearing = Hearing()
    kept = np.zeros(PAST, np.float32)
    for piece in pieces:
        kept = np.concatenate([kept, piece])
        whole = (len(kept) - PAST) // FRAME * FRAME
        if whole:
            yield hearing(kept[None, : PAST + whole])
            kept = kept[whole:]
    lacking = -(len(kept) - PAST) % FRAME
    yield hearing(np.pad(kept, (0, lacking + FRAME))[None])


def _forwards(heard: HopEvidence, thorough: bool) -> Verdict:
    """The decision comes one frame late, and the last frame is the silence behind the end."""
    return Verdict(*(flags[0, 1:] for flags in Decision(1, always_alert=thorough)(heard)))


def _reversed(heard: HopEvidence) -> HopEvidence:
    """The same audio played backwards. A window that ended at hop `e` now ends where it began.

    The frame of silence comes first then and is dropped; the windows that reach past the start come last.
    """
    windows = zip((LONG, SHORT), (LONG_WINDOW, SHORT_WINDOW), strict=True)
    evidence = [_turned(heard.evidence[..., kind], length, NO_EVIDENCE_DB) for kind, length in windows]
    return HopEvidence(np.stack(evidence, axis=2), _turned(heard.level_db, LONG_WINDOW, 0.0))


def _turned(shown: Floats, length: int, nothing: float) -> Floats:
    begins = length // HOP - 1
    return np.pad(shown[:, ::-1], ((0, 0), (begins, HOPS - begins)), constant_values=nothing)[:, HOPS:]


def _veiled(rows: Samples, out: Samples, doubt: Flags, rate: int, random: Random) -> Flags:
    """Draws a veil over these frames of all rows of `out`; returns those in which it would not cover a key."""
    bare = np.zeros(len(doubt), bool)
    frames = np.flatnonzero(doubt)
    starts, margin = _starts(frames, rate)
    veil = Veil(rate, -(-FRAME * rate // RATE) + 2 * margin, random)
    for at in range(0, len(frames), VEILED):
        some = slice(at, at + VEILED)
        reach = starts[some, None] - veil.reach + np.arange(veil.frame + 2 * veil.reach)
        for row, drawn_on in zip(rows, out, strict=True):
            heard = np.where((reach >= 0) & (reach < len(row)), linear(row.take(reach, mode="clip"), None), 0)
            drawn, uncovered = veil(heard.astype(np.float32))
            bare[frames[some][uncovered]] = True
            _lay(drawn_on, starts[some], drawn)
    return bare


def _lay(row: Samples, starts: Places, drawn: Floats) -> None:
    """Writes frames to where they begin; the first and the last may reach over the row's ends."""
    places = starts[:, None] + np.arange(drawn.shape[1])
    within = (places >= 0) & (places < len(row))
    row[places[within]] = to_int16(drawn[within]) if row.dtype == np.int16 else drawn[within] / FULL_SCALE


def _starts(frames: Places, rate: int) -> tuple[Places, int]:
    """Where frames begin at the recording's own rate, and by how much to widen them for what resampling has smeared."""
    margin = 0 if rate == RATE else int(np.ceil(RINGING_S * rate))
    return frames * FRAME * rate // RATE - margin, margin


def _spans(frames: Flags, count: int, rate: int) -> list[tuple[int, int]]:
    """Runs of frames as sample ranges at the recording's own rate."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], frames.astype(np.int8), [0]])))
    starts, margin = _starts(edges, rate)
    bounds = np.clip(np.stack([starts[::2], -(-edges[1::2] * FRAME * rate // RATE) + margin]), 0, count)
    return [(int(start), int(stop)) for start, stop in bounds.T if start < stop]


def _seconds(spans: list[tuple[int, int]], rate: int) -> Spans:
    return tuple((start / rate, stop / rate) for start, stop in spans)
