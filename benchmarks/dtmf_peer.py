"""What the decoder's benchmarks listen to and print: real recordings, resampled and put through G.711; times nothing."""

import os
import wave
from collections.abc import Iterator, Sequence
from math import gcd
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.peers.debian import CACHE, PeerMissing, debian, one_at_a_time, unpack
from benchmarks.q24_matrix import RATE, through
from dsp import tones
from dsp.g711 import Law

Signal = npt.NDArray[np.int16]
INSTALLED = Path("/usr/share/asterisk")
# Prompts in five languages and music, about an hour: Debian packages, installed or unpacked without being installed.
PACKAGES = (
    *("asterisk-core-sounds-en-wav", "asterisk-core-sounds-es-wav", "asterisk-core-sounds-fr-wav"),
    *("asterisk-moh-opsound-wav", "asterisk-prompt-fr-armelle", "asterisk-prompt-es-co"),
)
SHORTEST_S = 0.2
QUIET = 0.02  # of the loudest sample: quieter parts are pauses, which say nothing of how loud a voice is


def sounds() -> Path:
    """The folder of recordings: TONETILL_SOUNDS, what is installed, or the packages unpacked once into the cache."""
    if "TONETILL_SOUNDS" in os.environ:
        return Path(os.environ["TONETILL_SOUNDS"])
    if (INSTALLED / "sounds").is_dir():
        return INSTALLED
    folder = CACHE / "sounds"
    try:
        with one_at_a_time(folder):
            unpack(folder, debian(), PACKAGES)
    except PeerMissing as missing:
        raise SystemExit(f"no recordings: {missing}; TONETILL_SOUNDS names any folder of WAV files") from None
    return folder / "root" / "usr" / "share" / "asterisk"


def recordings(
    folders: Sequence[Path] | None = None, law: Law = "ulaw", level: float | None = None
) -> tuple[list[str], list[Signal]]:
    """Names and 8 kHz signals of every WAV file under these folders; `level` in dBm0 of their loud parts, None: as they are."""
    found = dict(_signals([sounds()] if folders is None else folders))
    if not found:
        raise SystemExit("no WAV file there that lasts 0.2 s: name a folder of recordings with --folder")
    scaled = (signal if level is None else at_level(signal, level) for signal in found.values())
    return list(found), [through(tones.to_int16(signal), law) for signal in scaled]


def _signals(folders: Sequence[Path]) -> Iterator[tuple[str, npt.NDArray[np.float64]]]:
    files = {file.resolve() for folder in folders for file in folder.rglob("*.wav")}
    for file in sorted(files):
        signal = read(file)
        if signal is not None and len(signal) >= SHORTEST_S * RATE:
            yield str(file), signal


def read(file: Path) -> npt.NDArray[np.float64] | None:
    """The first channel at 8 kHz; None for what is not 16-bit PCM."""
    from scipy.signal import resample_poly

    try:
        with wave.open(str(file)) as opened:
            if opened.getsampwidth() != 2:
                return None
            rate, channels = opened.getframerate(), opened.getnchannels()
            raw = opened.readframes(opened.getnframes())
    except (wave.Error, EOFError):
        return None
    signal = np.frombuffer(raw[: len(raw) // 2 // channels * 2 * channels], "<i2").reshape(-1, channels)[:, 0]
    if rate == RATE:
        return signal.astype(np.float64)
    common = gcd(rate, RATE)
    return np.asarray(resample_poly(signal.astype(np.float64), RATE // common, rate // common))


def at_level(signal: npt.NDArray[np.float64], dbm0: float) -> npt.NDArray[np.float64]:
    """With the power of its loud parts that of a sine at this level."""
    loud = signal[np.abs(signal) > QUIET * (np.abs(signal).max() + 1)]
    rms = float(np.sqrt(np.mean(loud**2))) if len(loud) else 1.0
    return signal * (tones.amplitude(dbm0) / np.sqrt(2) / max(rms, 1.0))


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title, title_justify="left")
    for number, column in enumerate(columns):
        table.add_column(column, justify="left" if number == 0 else "right")
    for row in rows:
        table.add_row(*row)
    Console(width=150).print(table)
