"""Cuts linear audio into overlapping windows and gathers their evidence; skips what is too quiet to hold a key."""

from typing import Final, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from dsp.mask.evidence import NO_EVIDENCE_DB, Evidence

Floats: TypeAlias = npt.NDArray[np.float32]

HOP: Final = 40  # samples: 5 ms
HOPS: Final = 4  # in a frame
FRAME: Final = HOP * HOPS
LONG_WINDOW: Final = 160
SHORT_WINDOW: Final = 80
PAST: Final = LONG_WINDOW - HOP  # samples before the first new one that a window reaches back to
BATCH: Final = 1024  # windows scored at a time: 1024 x 320 float32 stays in cache


class HopEvidence(NamedTuple):
    """What the windows that end with each hop show."""

    evidence: Floats  # [channels, hops, (long, short)] dB
    level_db: Floats  # [channels, hops]: energy of the long window


class Hearing:
    """[channels, PAST + new] samples, 16-bit scale at 8 kHz, to what is heard in the new hops."""

    def __init__(self) -> None:
        self._scorers = (Evidence(LONG_WINDOW), Evidence(SHORT_WINDOW))

    def __call__(self, samples: Floats) -> HopEvidence:
        evidence = np.stack([self._score(samples, scorer) for scorer in self._scorers], axis=2)
        return HopEvidence(evidence, decibels(_energy(samples, LONG_WINDOW // HOP)))

    def _score(self, samples: Floats, scorer: Evidence) -> Floats:
        reach = samples[:, LONG_WINDOW - scorer.length :]
        windows = np.lib.stride_tricks.sliding_window_view(reach, scorer.length, axis=1)[:, ::HOP]
        evidence = np.full(windows.shape[:2], NO_EVIDENCE_DB, np.float32)
        channels, hops = np.nonzero(scorer.loud_enough(_energy(reach, scorer.length // HOP)))
        for at in range(0, len(channels), BATCH):
            some = channels[at : at + BATCH], hops[at : at + BATCH]
            evidence[some] = scorer(windows[some])
        return evidence


def _energy(samples: Floats, hops: int) -> Floats:
    """Sum of squares of each window, from those of its hops."""
    each = np.square(samples).reshape(len(samples), -1, HOP).sum(axis=2)
    return np.asarray(np.lib.stride_tricks.sliding_window_view(each, hops, axis=1).sum(axis=2))


def decibels(energy: Floats) -> Floats:
    return np.asarray(10 * np.log10(energy + 1), np.float32)
