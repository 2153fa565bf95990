"""The accuracy of any DTMF decoder along the axes of ITU-T Q.24: level, twist, frequency, noise, duration, gaps.

A trial is one key in a signal of its own: 60 to 80 ms of line, the tone with phases at random, 120 ms of line, through
G.711. It is right when what was heard is exactly what was sent; where the tone must be refused, when nothing was heard.
A point counts when each of its trials is right. 0 dBm0 is `dsp.tones`' own; levels are per tone.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from dsp import g711, tones
from dsp.dtmf import KEYS

RATE = 8000
IDLE_DBM0 = -65.0  # what a line that says nothing hums at
Signal = npt.NDArray[np.int16]
Decoder = Callable[[list[Signal]], list[str]]  # many 8 kHz signals to the keys heard in each
Expected = Literal["once", "twice", "nothing", "reported"]


@dataclass(frozen=True)
class Point:
    """`expected`: "reported" is beyond what Q.24 asks: its share is shown and counts for nothing.

    `gap_ms`: the key is sent twice with this pause; `dropout_ms`: the tone is broken for so long in its middle.
    `dial_tone_dbm0`: each of two tones under everything; `shape`: further arguments of `tones.dtmf`.
    """

    axis: str
    label: str
    expected: Expected = "once"
    tone_ms: float = 50.0
    gap_ms: float | None = None
    dropout_ms: float | None = None
    snr_db: float | None = None
    dial_tone_dbm0: float | None = None
    shape: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Score:
    """`wrong`: trials in which some other key than the one sent was heard."""

    point: Point
    trials: int
    right: int
    wrong: int

    @property
    def percent(self) -> float:
        return 100 * self.right / self.trials

    @property
    def is_perfect(self) -> bool:
        return self.right == self.trials


@dataclass(frozen=True)
class Result:
    scores: Sequence[Score]

    @property
    def required(self) -> Sequence[Score]:
        return [score for score in self.scores if score.point.expected != "reported"]

    @property
    def perfect_points(self) -> int:
        return sum(score.is_perfect for score in self.required)

    @property
    def wrong_keys(self) -> int:
        return sum(score.wrong for score in self.scores)

    def percent(self, axis: str, label: str) -> float:
        return next(s.percent for s in self.scores if (s.point.axis, s.point.label) == (axis, label))

    def __str__(self) -> str:
        """A line an axis; `!` where another key was heard than the one sent."""
        lines = []
        for axis in dict.fromkeys(score.point.axis for score in self.scores):
            of_it = (score for score in self.scores if score.point.axis == axis)
            shown = (f"{s.point.label}:{s.percent:.0f}{'!' if s.wrong else ''}" for s in of_it)
            lines.append(f"{axis:20} {'  '.join(shown)}")
        lines.append(f"{self.perfect_points} of {len(self.required)} points, {self.wrong_keys} wrong keys")
        return "\n".join(lines)


def run(decode_many: Decoder, *, per_key: int = 6, law: g711.Law = "ulaw", seed: int = 8101) -> Result:
    """`per_key` trials of each of the 16 keys at every point."""
    return Result([_score(point, decode_many, per_key, law, seed + at) for at, point in enumerate(points())])


def _score(point: Point, decode_many: Decoder, per_key: int, law: g711.Law, seed: int) -> Score:
    rng = np.random.default_rng([seed, per_key])
    sent = [key for key in KEYS for _ in range(per_key)]
    heard = decode_many([trial(point, key, rng, law) for key in sent])
    right = sum(_wanted(point, key) == keys for key, keys in zip(sent, heard, strict=True))
    wrong = sum(bool(set(keys) - {key}) for key, keys in zip(sent, heard, strict=True))
    return Score(point, len(sent), right, wrong)


def _wanted(point: Point, key: str) -> str:
    return {"once": key, "twice": key * 2, "nothing": "", "reported": key}[point.expected]


def trial(point: Point, key: str, rng: np.random.Generator, law: g711.Law) -> Signal:
    """One signal, with what the line adds to it, as it comes out of G.711."""
    tone = _tone(point, key, rng)
    power = float(np.mean(tone**2))
    if point.dropout_ms is not None:
        middle, half = len(tone) // 2, samples(point.dropout_ms) // 2
        tone[middle - half : middle + half] = 0
    parts = [np.zeros(samples(60) + int(rng.integers(0, samples(20)))), tone]
    if point.gap_ms is not None:
        parts += [np.zeros(samples(point.gap_ms)), _tone(point, key, rng)]
    line = np.concatenate([*parts, np.zeros(samples(120))])
    line += rng.normal(0, tones.amplitude(IDLE_DBM0) / np.sqrt(2), len(line))
    if point.snr_db is not None:
        line += rng.normal(0, np.sqrt(power * 10 ** (-point.snr_db / 10)), len(line))
    if point.dial_tone_dbm0 is not None:
        line += tones.dial_tone(len(line), point.dial_tone_dbm0)
    return through(tones.to_int16(line), law)


def through(signal: Signal, law: g711.Law = "ulaw") -> Signal:
    return g711.decode(g711.encode(signal, law), law)


def _tone(point: Point, key: str, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    made = tones.dtmf(key, tone_ms=point.tone_ms, gap_ms=0, rng=rng, **point.shape)  # type: ignore[arg-type]
    return made.astype(np.float64)


def samples(ms: float) -> int:
    return round(ms * RATE / 1000)


# ---- the points

ROW, COLUMN = "row_offset", "col_offset"


def points() -> Iterator[Point]:
    yield Point("a plain key", "50 ms at -10 dBm0")
    yield from _levels()
    yield from _twists()
    yield from _frequencies()
    yield from _noises()
    yield from _durations()
    yield from _together()


def _levels() -> Iterator[Point]:
    for level in (0, -5, -10, -15, -20, -25, -26, -29):
        yield Point("level", f"{level}", shape={"level_dbm0": level})
    for level in (-32, -34, -36, -40):
        yield Point("low level", f"{level}", "reported", shape={"level_dbm0": level})
    for level in (-45, -55):
        yield Point("too faint", f"{level}", "nothing", shape={"level_dbm0": level})


def _twists() -> Iterator[Point]:
    """Positive: the low group is louder, which is what a line's loss does (Q.24: 8 dB); negative: the high one (4 dB)."""
    for twist in (2, 4, 6, 8, -2, -4):
        yield Point("twist", f"{twist:+}", shape={"level_dbm0": -6, "twist_db": twist})
    for twist in (-12, -10, -8, -6, 10, 12):
        yield Point("more twist", f"{twist:+}", "reported", shape={"level_dbm0": -6, "twist_db": twist})


def _frequencies() -> Iterator[Point]:
    for name, group in ((ROW, "row"), (COLUMN, "column")):
        for percent in (-1.5, -1.0, 1.0, 1.5, -1.8, 1.8):
            yield Point(f"{group} near", f"{percent:+}%", shape={name: percent / 100})
        for percent in (-3.0, 3.0, -4.0, -3.5, 3.5, 4.0):
            yield Point(f"{group} too far", f"{percent:+}%", "nothing", shape={name: percent / 100})
    for row in (-1.8, 1.8):
        for column in (-1.8, 1.8):
            yield Point("both near", f"{row:+}/{column:+}%", shape={ROW: row / 100, COLUMN: column / 100})


def _noises() -> Iterator[Point]:
    for snr in (30, 20, 15):
        yield Point("noise", f"{snr} dB", snr_db=snr)
    for snr in (12, 10, 8, 6, 4, 0):
        yield Point("more noise", f"{snr} dB", "reported", snr_db=snr)
    for below in (-18, -12, -9, -6, 0):
        yield Point("dial tone", f"{below:+} dB", "reported", dial_tone_dbm0=-10 + below)


def _durations() -> Iterator[Point]:
    for ms in (40, 45, 50, 70, 100, 500):
        yield Point("duration", f"{ms} ms", tone_ms=ms)
    for ms in (26, 28, 30, 32, 34, 36, 38):
        yield Point("short", f"{ms} ms", "reported", tone_ms=ms)
    for ms in (10, 15, 20, 23):
        yield Point("too short", f"{ms} ms", "nothing", tone_ms=ms)
    for ms in (30, 40, 50, 100):
        yield Point("pause", f"{ms} ms", "twice", gap_ms=ms)
    for ms in (5, 10):
        yield Point("dropout", f"{ms} ms", tone_ms=120, dropout_ms=ms)


def _together() -> Iterator[Point]:
    """Short, noisy, faint, twisted and off frequency at once."""
    for row, column in ((1.5, 1.5), (-1.5, -1.5), (1.5, -1.5)):
        for twist in (6, -4):
            shape = {"level_dbm0": -20, "twist_db": twist, ROW: row / 100, COLUMN: column / 100}
            yield Point("together", f"{row:+}/{column:+}% {twist:+}", tone_ms=40, snr_db=15, shape=shape)
