"""Talk-off of the tone decoder beside spandsp: keys heard in speech and music where nobody pressed one.

    python benchmarks/bench_talkoff.py [--folder DIR ...] [--rates 10/9 9/10 ...] [--synthetic HOURS] [--quick]

The recordings are Debian's Asterisk prompts and music, unpacked without being installed (TONETILL_SOUNDS or --folder:
any folder of WAV files). Played
faster and slower they stand for other voices: every pitch and formant moves across the eight frequencies. Synthetic
speech (24 languages, 14 voices, pitch and pace at random) is added where the `voice` extra is installed.
"""

import argparse
import importlib.util
import os
import subprocess
import sys
import tempfile
from fractions import Fraction
from pathlib import Path

os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"  # before numpy is imported
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

from benchmarks import dtmf_peer
from benchmarks.peers import spandsp
from benchmarks.q24_matrix import through
from dsp import tones
from dsp.dtmf import decode_many

RATES = ["20/19", "19/20", "10/9", "9/10", "7/6", "6/7", "5/4", "4/5", "4/3", "3/4"]
SEED = 6203
LEVELS = [-26, -13]  # dBm0 of the loud parts, after Q.24's and a caller's who shouts


def main() -> None:
    from scipy.signal import resample_poly

    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--folder", type=Path, nargs="*", help="of WAV files; Debian's prompts without it")
    options.add_argument("--rates", nargs="*", default=RATES)
    options.add_argument("--synthetic", type=float, default=6.0, help="hours of synthetic speech")
    options.add_argument("--quick", action="store_true", help="as recorded only")
    chosen = options.parse_args()
    rows, total = [], [0.0, 0, 0]

    def count(name: str, signals: list) -> None:  # type: ignore[type-arg]
        hours = sum(map(len, signals)) / 8000 / 3600
        mine, theirs = sum(map(len, decode_many(signals))), sum(map(len, spandsp.decode_many(signals)))
        total[:] = total[0] + hours, total[1] + mine, total[2] + theirs
        rows.append([name, f"{hours:.2f}", f"{mine}", f"{theirs}"])

    _, signals = dtmf_peer.recordings(chosen.folder)
    for law in ("ulaw", "alaw"):
        count(f"as recorded, {law}", [through(one, law) for one in signals])
    for level in LEVELS:
        count(f"at {level} dBm0", dtmf_peer.recordings(chosen.folder, level=level)[1])
    for rate in [] if chosen.quick else chosen.rates:
        speed = Fraction(rate)
        played = [resample_poly(one.astype(float), speed.denominator, speed.numerator) for one in signals]
        count(f"played at {rate}", [through(tones.to_int16(one)) for one in played])
    if chosen.synthetic and not chosen.quick:
        count(f"synthetic speech, seed {SEED}", [through(one) for one in synthetic(chosen.synthetic)])
    hours, mine, theirs = total
    rows.append(["all", f"{hours:.2f}", f"{mine} ({mine / hours:.3f}/h)", f"{theirs} ({theirs / hours:.3f}/h)"])
    title = f"False keys in {len(signals)} recordings"
    dtmf_peer.print_table(title, ["", "hours", "ours", "spandsp"], rows)


def synthetic(hours: float) -> list:  # type: ignore[type-arg]
    """Pieces of about ten minutes; none where espeak-ng is not installed."""
    if importlib.util.find_spec("espeakng_loader") is None:
        print("no synthetic speech: the `voice` extra is not installed")
        return []
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "speech.npy"
        script = Path(__file__).with_name("synthetic_speech.py")
        subprocess.run([sys.executable, str(script), str(hours), str(SEED), str(out)], check=True, timeout=900)
        speech = np.load(out)
    return np.array_split(speech, max(1, len(speech) // (600 * 8000)))


if __name__ == "__main__":
    main()
