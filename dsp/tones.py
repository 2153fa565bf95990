"""Makes tones: DTMF with every impairment Q.24 tests, prompt tones (earcons), the masker's beep; reads none.

Samples are int16 on the full 16-bit scale; 0 dBm0 is a sine 3.17 dB under full scale (G.711 table 2, mu-law).
"""

from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from dsp.errors import DspError

Samples: TypeAlias = npt.NDArray[np.int16]
Floats: TypeAlias = npt.NDArray[np.float64]

# ITU-T Q.23: one frequency of each group a key, rows of the keypad by columns.
LOW_GROUP_HZ: Final = (697.0, 770.0, 852.0, 941.0)
HIGH_GROUP_HZ: Final = (1209.0, 1336.0, 1477.0, 1633.0)
KEYPAD: Final = "123A456B789C*0#D"
DIAL_TONE_HZ: Final = (350.0, 440.0)
ZERO_DBM0_AMPLITUDE: Final = 22300.0

# ITU-T O.6's test frequency, which is no divisor of 8 kHz; it lies 8 % from the nearest DTMF frequency, its harmonics
# (2040, 3060 Hz) above the high group, and no harmonic or sum of dial tone falls on it.
MONOTONE_HZ: Final = 1020.0
MONOTONE_DBM0: Final = -20.0


def dtmf(
    keys: str,
    *,
    rate: int = 8000,
    tone_ms: float = 80.0,
    gap_ms: float = 80.0,
    level_dbm0: float = -10.0,
    twist_db: float = 0.0,
    row_offset: float = 0.0,
    col_offset: float = 0.0,
    snr_db: float | None = None,
    dial_tone_dbm0: float | None = None,
    phase: tuple[float, float] | None = None,
    rng: np.random.Generator | None = None,
) -> Samples:
    """Each key for `tone_ms`, then `gap_ms` of line; one argument for each thing Q.24 varies.

    twist_db > 0: low group louder (what line loss does); < 0: high group louder. The louder one is at `level_dbm0`.
    row_offset, col_offset: fractions (0.015 is +1.5 %). snr_db: white noise against the two tones' power, under tones
    and gaps alike. dial_tone_dbm0: level of each of 350 and 440 Hz underneath. phase: start of row and column in
    radians; left out, random when `rng` is given and zero otherwise. Noise without `rng` uses seed 0.
    """
    low, high = level_dbm0 + min(twist_db, 0.0), level_dbm0 - max(twist_db, 0.0)
    count, pause = round(tone_ms * rate / 1000), round(gap_ms * rate / 1000)
    line = np.zeros((len(keys), count + pause))
    for at, (row_hz, col_hz) in enumerate(frequencies(keys)):
        start = phase or ((0.0, 0.0) if rng is None else tuple(rng.uniform(0, 2 * np.pi, 2)))
        line[at, :count] = sine(row_hz * (1 + row_offset), low, count, rate, start[0])
        line[at, :count] += sine(col_hz * (1 + col_offset), high, count, rate, start[1])
    mixed = line.ravel()
    if dial_tone_dbm0 is not None:
        mixed = mixed + dial_tone(len(mixed), dial_tone_dbm0, rate)
    if snr_db is not None:
        power = (amplitude(low) ** 2 + amplitude(high) ** 2) / 2
        mixed = mixed + (rng or np.random.default_rng(0)).normal(0, np.sqrt(power * 10 ** (-snr_db / 10)), len(mixed))
    return to_int16(mixed)


def frequencies(keys: str) -> list[tuple[float, float]]:
    """(row, column) of each key in Hz; an error names the place and never the key, which may be a card's."""
    places = [KEYPAD.find(key.upper()) for key in keys]
    if -1 in places:
        raise DspError(f"keys: character {places.index(-1) + 1} is no DTMF key; use 0-9, *, #, A-D")
    return [(LOW_GROUP_HZ[place >> 2], HIGH_GROUP_HZ[place & 3]) for place in places]


def amplitude(level_dbm0: float) -> float:
    return ZERO_DBM0_AMPLITUDE * float(10 ** (level_dbm0 / 20))


def sine(hz: float, level_dbm0: float, count: int, rate: int = 8000, phase: float = 0.0) -> Floats:
    angle = 2 * np.pi * hz / rate * np.arange(count) + phase
    return np.asarray(amplitude(level_dbm0) * np.sin(angle))


def dial_tone(count: int, level_dbm0: float, rate: int = 8000) -> Floats:
    """350 + 440 Hz, each at the level (ITU-T E.180 supplement 2, North America)."""
    first, second = DIAL_TONE_HZ
    return sine(first, level_dbm0, count, rate) + sine(second, level_dbm0, count, rate, 1.0)


def to_int16(samples: npt.NDArray[np.floating]) -> Samples:
    """Rounds and clips, as a line does with what is too loud for it."""
    return np.asarray(np.clip(np.rint(samples), -32768, 32767), np.int16)


def monotone(start: int, count: int, rate: int = 8000) -> Samples:
    """The masker's beep by the clock: sample `n` of a stream is always the same, wherever a mask begins."""
    angle = 2 * np.pi * MONOTONE_HZ / rate * np.arange(start, start + count)
    return to_int16(amplitude(MONOTONE_DBM0) * np.sin(angle))


@dataclass(frozen=True)
class Note:
    hz: float  # 0 is a rest
    duration_ms: int


# Prompts as tones, for flows without speech. Every note keeps 15 % under the low group, so no decoder
# can take one for half a key, and notes sound one at a time, so there is no pair at all.
_D4, _G4, _C5, _D5 = 293.66, 392.0, 523.25, 587.33
EARCONS: Final[dict[str, tuple[Note, ...]]] = {
    "ready": (Note(_G4, 90), Note(_C5, 140)),
    "accepted": (Note(_D4, 80), Note(_G4, 80), Note(_D5, 160)),
    "wrong": (Note(_D4, 180), Note(0, 40), Note(_D4, 280)),
    "confirm": (Note(_D5, 90), Note(0, 60), Note(_D5, 90)),
    "hold": (Note(_D5, 60), Note(0, 1940)),
    "goodbye": (Note(_D5, 120), Note(_G4, 120), Note(_D4, 240)),
}
EARCON_DBM0: Final = -16.0
RAMP_MS: Final = 5


def earcon(name: str, rate: int = 8000) -> Samples:
    """A prompt tone by name; `hold` is meant to be repeated."""
    if name not in EARCONS:
        raise DspError(f"earcon {name!r} is unknown; there are {', '.join(sorted(EARCONS))}")
    return to_int16(np.concatenate([_rendered(note, rate) for note in EARCONS[name]]))


def _rendered(note: Note, rate: int) -> Floats:
    count = round(note.duration_ms * rate / 1000)
    if not note.hz:
        return np.zeros(count)
    # Raised-cosine edges: a hard edge is a click, and clicks are what decoders and ears stumble over.
    edge = np.minimum(np.arange(count), np.arange(count)[::-1]) / (RAMP_MS * rate / 1000)
    return sine(note.hz, EARCON_DBM0, count, rate) * (0.5 - 0.5 * np.cos(np.pi * np.minimum(edge, 1.0)))
