"""A lost frame within a key's tone is continued from the frame before it, so that one key stays one; the rest is silence.

Only a decoder listens to what callers send, so nothing but a key's two sine waves is worth continuing.
"""

from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from dsp import g711, tones
from ivr.phone.rtp.packets import FRAME, RATE, Bytes, Rows

Floats: TypeAlias = npt.NDArray[np.float64]

MIN_POWER: Final = 100.0**2 / 2  # mean square at 16-bit scale: below it no decoder hears a key
# Share of a frame's power that two sine waves must explain; a tone at 8 dB of signal to noise has 0.86.
MIN_EXPLAINED: Final = 0.75
HALF: Final = FRAME // 2
STEPS: Final = np.arange(2 * FRAME)
NOMINAL: Final = 2 * np.pi * np.array([tones.LOW_GROUP_HZ, tones.HIGH_GROUP_HZ]) / RATE  # radians a sample


def half_basis() -> npt.NDArray[np.complex128]:
    """[80, 8]: the eight tones under a Hann window of half a frame."""
    window = 0.5 - 0.5 * np.cos(2 * np.pi * (np.arange(HALF) + 0.5) / HALF)
    return np.asarray(np.exp(-1j * np.outer(np.arange(HALF), NOMINAL.ravel())) * window[:, None])


BASIS: Final = half_basis()


def concealed(before: Bytes, after: Bytes, after_unknown: npt.NDArray[np.bool_]) -> Bytes:
    """[n, 160] of mu-law each, before and after the lost frame (or `after_unknown`), to what goes between.

    A key's tone goes on from before, or back from after, if the other side is not silent; anything else is silence, so
    that a pause between two presses is not filled.
    """
    following = np.full(before.shape, g711.SILENCE["ulaw"], np.uint8)
    audio_before, audio_after = decoded(before), decoded(after)
    loud_before, loud_after = is_loud(audio_before), is_loud(audio_after)
    forward = np.flatnonzero(loud_before & (loud_after | after_unknown))
    filled = fill(following, forward, audio_before)
    backward = np.setdiff1d(np.flatnonzero(loud_before & loud_after), filled)
    fill(following[:, ::-1], backward, audio_after[:, ::-1])
    return following


def decoded(frames: Bytes) -> Floats:
    return g711.decode(frames, "ulaw").astype(np.float64)


def is_loud(audio: Floats) -> npt.NDArray[np.bool_]:
    return np.asarray(np.square(audio).mean(axis=1) >= MIN_POWER)


def fill(following: Bytes, rows: Rows, audio: Floats) -> Rows:
    """Writes the continuation of those `rows` that are tones; which ones they were."""
    if not len(rows):
        return rows
    tonal, goes_on = continued(audio[rows])
    following[rows[tonal]] = g711.encode(np.rint(goes_on).clip(-32768, 32767).astype(np.int16), "ulaw")
    return rows[tonal]


def continued(audio: Floats) -> tuple[npt.NDArray[np.bool_], Floats]:
    """Which rows are two sine waves, and the next 160 samples of those."""
    angles = frequencies(audio)
    waves = np.concatenate([np.cos(angles[:, :, None] * STEPS), np.sin(angles[:, :, None] * STEPS)], axis=1)
    known, coming = waves[:, :, :FRAME], waves[:, :, FRAME:]
    weights = np.linalg.solve(known @ known.transpose(0, 2, 1), known @ audio[:, :, None])
    left_over = np.square(audio - (weights * known).sum(axis=1)).sum(axis=1)
    tonal = left_over <= (1 - MIN_EXPLAINED) * np.square(audio).sum(axis=1)
    return tonal, (weights * coming).sum(axis=1)[tonal]


def frequencies(audio: Floats) -> Floats:
    """[n, 2] in radians a sample: the strongest tone of each group, put right by its phase from half to half.

    A half is 80 samples: good to +-50 Hz, and the highest key may be 30 Hz off (1.8 %).
    """
    halves = (audio.reshape(-1, 2, HALF) @ BASIS).reshape(-1, 2, 2, 4)
    strongest = np.abs(halves).sum(axis=1).argmax(axis=2)[:, None, :, None]
    first, second = np.moveaxis(np.take_along_axis(halves, strongest, axis=3)[..., 0], 1, 0)
    nominal = NOMINAL[np.arange(2), strongest[:, 0, :, 0]]
    drift = np.angle(second * first.conj()) - nominal * HALF
    return np.asarray(nominal + (np.mod(drift + np.pi, 2 * np.pi) - np.pi) / HALF)
