"""A picture of a recording: its spectrogram with the keys marked; needs matplotlib, the optional extra `plot`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy.signal import ShortTimeFFT

from dsp.dtmf import Key
from dsp.errors import DspError
from dsp.recording import written_whole
from dsp.tones import HIGH_GROUP_HZ, LOW_GROUP_HZ

WINDOW_S: Final = 0.020  # resolves two rows of the keypad (73 Hz apart) and shows a key of 40 ms as a block
MAX_COLUMNS: Final = 2400  # more than a picture shows
TOP_HZ: Final = 2000
RANGE_DB: Final = 55
FORMATS: Final = (".png", ".svg", ".pdf")


def draw(
    samples: npt.NDArray[np.floating], rate: int, keys: Sequence[Key], out: Path, *, title: str = "", names: bool = True
) -> None:
    """samples: [samples] within +-1.0. names: write each key over its mark; the mark alone says no secret."""
    if out.suffix.lower() not in FORMATS:
        raise DspError(f"a plot is written as {', '.join(FORMATS)}, not as {out.name!r}")
    axes, figure = _figure()
    hop = max(round(WINDOW_S * rate / 4), len(samples) // MAX_COLUMNS)
    level = _spectrogram(samples, rate, hop)
    seconds = len(samples) / rate
    axes.imshow(
        level, origin="lower", aspect="auto", cmap="magma", vmin=level.max() - RANGE_DB, vmax=level.max(),
        extent=(0, seconds, 0, rate / 2), interpolation="nearest",
    )  # fmt: skip
    for hz in (*LOW_GROUP_HZ, *HIGH_GROUP_HZ):
        axes.axhline(hz, color="white", linewidth=0.4, alpha=0.35)
    for key in keys:
        _mark(axes, key, names)
    axes.set(xlim=(0, seconds), ylim=(0, TOP_HZ), xlabel="seconds", ylabel="Hz", yticks=(*LOW_GROUP_HZ, *HIGH_GROUP_HZ))
    axes.tick_params(axis="y", labelsize=7)
    axes.set_title(title, pad=22, fontsize=10)
    with written_whole(out) as part:
        figure.savefig(part, dpi=90, bbox_inches="tight", format=out.suffix[1:].lower())


def _figure() -> tuple[Any, Any]:
    try:
        from matplotlib.figure import Figure  # an optional extra
    except ImportError as missing:
        raise DspError("a plot needs matplotlib: pip install 'tonetill[plot]'") from missing
    figure = Figure(figsize=(9, 4.2))
    return figure.add_subplot(), figure


def _spectrogram(samples: npt.NDArray[np.float32], rate: int, hop: int) -> npt.NDArray[np.float64]:
    window = np.hanning(round(WINDOW_S * rate))
    transform = ShortTimeFFT(window, hop, rate, mfft=4 * len(window), scale_to="magnitude")
    padded = np.pad(samples, (0, max(len(window) - len(samples), 0)))
    first, last = 0, max(len(samples) // hop, 1)
    return np.asarray(20 * np.log10(np.abs(transform.stft(padded, p0=first, p1=last)) + 1e-6))


def _mark(axes: Any, key: Key, names: bool) -> None:
    axes.axvspan(key.start_s, key.start_s + key.duration_s, ymax=0.985, fill=False, edgecolor="cyan", linewidth=1.0)
    if names:
        middle = key.start_s + key.duration_s / 2
        above = axes.get_xaxis_transform()  # seconds across, fractions of the picture upwards
        axes.text(middle, 1.015, key.key, transform=above, ha="center", va="bottom", fontsize=9, fontweight="bold")
