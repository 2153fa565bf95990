"""Draws what the masker does: keys in a pause, and keys under louder speech, before and after.

    python benchmarks/plot_mask.py docs/img/masking.png

Real speech (Debian's Asterisk prompts); the keys under it are 6 dB weaker than what is spoken over them.
"""

import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import dtmf_peer
from dsp import tones
from dsp.mask import Masked, mask

RATE = 8000
UNDER_DB = 6.0
KEY = round(0.09 * RATE)
Samples = npt.NDArray[np.int16]


def main(out: Path) -> None:
    call = passage().astype(float)
    loud = np.convolve(call**2, np.ones(KEY) / KEY, "same")
    spoken = np.argsort(loud)[-len(loud) // 20 :: len(loud) // 40] - KEY // 2
    for key, at in zip("41", spoken, strict=False):
        lay(call, key, at, float(np.sqrt(np.mean(call[at : at + KEY] ** 2))) * 10 ** (-UNDER_DB / 20))
    for key, at in (("1", len(call) - 4 * KEY), ("1", len(call) - 2 * KEY)):
        lay(call, key, at, 3000)
    before = tones.to_int16(call)
    done = mask(before)
    figure = Figure(figsize=(10, 6))
    upper, lower = figure.subplots(2, sharex=True)
    draw(upper, before, "before: 4 and 1 under speech that is 6 dB louder, 1 and 1 in the clear")
    draw(lower, done.samples, "after: orange is veiled, red is beeped over")
    shade(lower, done)
    lower.set_xlabel("seconds")
    figure.savefig(out, dpi=90, bbox_inches="tight")


def lay(call: npt.NDArray[np.float64], key: str, at: int, rms: float) -> None:
    tone = tones.dtmf(key, tone_ms=90, gap_ms=0).astype(float)
    call[at : at + KEY] += tone / np.sqrt(np.mean(tone**2)) * rms


def passage() -> Samples:
    """Three seconds of somebody speaking, and half a second of a quiet line."""
    names, signals = dtmf_peer.recordings()
    longest = max((s for n, s in zip(names, signals, strict=True) if "/moh/" not in n), key=len)
    quiet = np.random.default_rng(1).normal(0, 20, RATE // 2)
    return np.concatenate([longest[: 3 * RATE], tones.to_int16(quiet)])


def draw(axes: Axes, samples: Samples, title: str) -> None:
    axes.specgram(samples / 32768, NFFT=256, Fs=RATE, noverlap=224, cmap="magma", vmin=-110, vmax=-40)
    axes.set(ylim=(0, 3000), ylabel="Hz", title=title, yticks=(697, 941, 1209, 1633))


def shade(axes: Axes, done: Masked) -> None:
    for spans, colour in ((done.veiled_s, "orange"), (done.spans_s, "red")):
        for start, stop in spans:
            axes.axvspan(start, stop, ymin=0.95, color=colour)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "masking.png"))
