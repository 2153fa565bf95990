"""Recordings and streams cut anywhere: keys with their times, by the bank's own verdicts; no files."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
import soxr

from dsp.dtmf.bank import PATIENCE_TICKS, DtmfBank
from dsp.dtmf.keys import FRAME, KEYS, RATE, Key, Rows, Up
from dsp.dtmf.line import Linear
from dsp.dtmf.screen import Screen
from dsp.errors import DspError

Samples: TypeAlias = npt.NDArray[np.int16] | npt.NDArray[np.float32]
Ticks: TypeAlias = npt.NDArray[np.int64]

PIECE: Final = 8192  # ticks screened at a time: 5 MB of float32
BATCH: Final = 512  # passages followed at a time, each as one channel of a bank
SLOWEST_RATE: Final = 4000  # samples/s: below it the high group is not in the recording


def decode(samples: npt.ArrayLike, rate: int = RATE) -> list[Key]:
    """Keys of one recording in order: int16, or floats within +-1.0, mono, at any rate."""
    return decode_many([samples], rate)[0]


def decode_many(recordings: Sequence[npt.ArrayLike], rate: int = RATE) -> list[list[Key]]:
    """As `decode`, for many recordings at once; faster than one after the other when they are short."""
    keys: list[list[Key]] = []
    for at in range(0, len(recordings), BATCH):
        keys += decode_together([at_8_khz(one, rate) for one in recordings[at : at + BATCH]])
    return keys


class StreamDecoder:
    """One channel of linear audio that arrives in pieces of any length; where it is cut changes nothing."""

    def __init__(self) -> None:
        self._bank = DtmfBank(1, None)
        self._rest = np.empty(0, np.float32)

    def feed(self, samples: npt.ArrayLike) -> list[Key]:
        """Keys that came up again within these samples (8 kHz)."""
        self._rest = np.concatenate([self._rest, as_float(mono(samples))])
        whole = len(self._rest) // FRAME
        frames = self._rest[: whole * FRAME].reshape(whole, 1, FRAME)
        self._rest = self._rest[whole * FRAME :].copy()
        return [key for frame in frames for key in keys_of(self._bank(frame).up)]

    def close(self) -> list[Key]:
        """Keys still open at the end. Wipes the audio; the next piece begins a new stream."""
        lacking = -len(self._rest) % FRAME + (PATIENCE_TICKS + 2) * FRAME
        keys = self.feed(np.zeros(lacking, np.float32))
        self._bank.join([0])
        return keys


@dataclass(frozen=True)
class Passages:
    """Stretches of the frames of several recordings in which a tone may sound, each alone in mattering for its keys.

    An idle bank remembers nothing, and PATIENCE_TICKS after the last likeness of a tone every channel is idle;
    so a passage may be followed by itself and gives what the whole recording would have given.
    """

    first: Ticks  # its first tick among all frames
    stop: Ticks  # one past its last
    opening: Ticks  # first and last tick (exclusive) of its recording
    ending: Ticks


def decode_together(recordings: list[Samples]) -> list[list[Key]]:
    keys: list[list[Key]] = [[] for _ in recordings]
    frames, opening = in_frames(recordings)
    passages = find_passages(frames, opening)
    order = np.argsort(passages.first - passages.stop, kind="stable")  # longest first
    for at in range(0, len(order), BATCH):
        which = order[at : at + BATCH]
        for passage, key, start, duration in follow(frames, passages, which):
            recording = int(np.searchsorted(opening, passages.first[passage] + 1, side="right")) - 1
            keys[recording].append(Key(KEYS[key], start / RATE, duration / RATE))
    for found in keys:
        found.sort(key=lambda key: key.start_s)
    return keys


def in_frames(recordings: list[Samples]) -> tuple[Samples, Ticks]:
    """All recordings as one [ticks + 1, 160], padded with silence, the last frame silent; and where each begins."""
    ticks = [-(-len(one) // FRAME) for one in recordings]
    opening = np.concatenate([[0], np.cumsum(ticks)]).astype(np.int64)
    kind = np.int16 if all(one.dtype == np.int16 for one in recordings) else np.float32
    flat = np.zeros((opening[-1] + 1) * FRAME, kind)
    for one, first in zip(recordings, opening, strict=False):
        flat[first * FRAME : first * FRAME + len(one)] = one if one.dtype == kind else as_float(one)
    return flat.reshape(-1, FRAME), opening


def find_passages(frames: Samples, opening: Ticks) -> Passages:
    line = Linear()
    screen = Screen(line)
    pieces = [
        screen(np.asarray(line.accept(frames[at : at + PIECE]), np.float32), None).rows + at
        for at in range(0, len(frames), PIECE)
    ]
    ticks = np.concatenate(pieces)
    recording = np.searchsorted(opening, ticks, side="right") - 1
    apart = (np.diff(ticks) > PATIENCE_TICKS) | (np.diff(recording) > 0)
    begins = np.flatnonzero(np.concatenate([[True], apart])[: len(ticks)])
    ends = np.append(begins[1:], len(ticks))[: len(begins)] - 1
    owner = recording[begins]
    # One frame before the first likeness, and after the last one time enough for the bank to give the key up.
    return Passages(ticks[begins] - 1, ticks[ends] + PATIENCE_TICKS + 2, opening[owner], opening[owner + 1])


def follow(frames: Samples, passages: Passages, which: Rows) -> Iterator[tuple[int, int, int, int]]:
    """Passage, key, start and duration of every key in these passages (longest first)."""
    first, length = passages.first[which], (passages.stop - passages.first)[which]
    bank = DtmfBank(len(which), None)
    for tick in range(int(length[0]) if len(which) else 0):
        if tick and (over := np.flatnonzero(length == tick)).size:
            bank.leave(over)
        now = first + tick
        inside = (now >= passages.opening[which]) & (now < passages.ending[which])
        up = bank(frames[np.where(inside, now, len(frames) - 1)]).up
        for row, key, start, duration in zip(up.channel, up.key, up.start, up.duration, strict=True):
            begun = int(start + (first[row] - passages.opening[which[row]]) * FRAME)
            # A passage may begin a frame before its recording; no key does.
            yield int(which[row]), int(key), max(begun, 0), int(duration) + min(begun, 0)


def keys_of(up: Up) -> list[Key]:
    return [
        Key(KEYS[key], start / RATE, duration / RATE)
        for key, start, duration in zip(up.key, up.start, up.duration, strict=True)
    ]


def at_8_khz(samples: npt.ArrayLike, rate: int) -> Samples:
    audio = mono(samples)
    if rate == RATE or len(audio) == 0:
        return audio
    if not rate >= SLOWEST_RATE:
        raise DspError(f"rate is {rate} samples/s; keys need at least {SLOWEST_RATE}, and the line has {RATE}")
    resampled: Samples = soxr.resample(as_float(audio), rate, RATE)
    return resampled


def mono(samples: npt.ArrayLike) -> Samples:
    audio = np.asarray(samples)
    if audio.ndim != 1:
        raise DspError(f"a recording is [samples], this one is {audio.shape}; pick one of its channels")
    if audio.dtype == np.int16:
        return audio
    if audio.dtype.kind == "f":
        return audio.astype(np.float32, copy=False)
    raise DspError(f"a recording is int16, or floats within +-1.0, not {audio.dtype}; decode G.711 with dsp.g711 first")


def as_float(audio: Samples) -> npt.NDArray[np.float32]:
    scale = 32768 if audio.dtype == np.int16 else 1
    return np.asarray(audio, np.float32) / np.float32(scale)
