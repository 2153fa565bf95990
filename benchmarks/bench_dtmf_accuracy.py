"""Accuracy of the tone decoder beside spandsp: the Q.24 matrix in both laws, and points beyond what Q.24 asks.

    python benchmarks/bench_dtmf_accuracy.py [--seeds 8101 8102] [--per 12]

Both hear the same signals. A point counts when every trial of it is right: the key once, twice, or not at all.
"""

import argparse
import os
import sys
from pathlib import Path
from typing import Any

os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"  # before numpy is imported
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import dtmf_peer
from benchmarks.peers import spandsp
from benchmarks.q24_matrix import Result, run
from dsp.dtmf import decode_many

BEYOND = {
    "more noise": ["12 dB", "10 dB", "8 dB", "6 dB", "4 dB"],
    "low level": ["-32", "-36", "-40"],
    "dial tone": ["-12 dB", "-9 dB", "-6 dB"],
    "short": ["26 ms", "30 ms", "34 ms", "38 ms"],
}


def ours(signals: list[Any]) -> list[str]:
    return ["".join(key.key for key in keys) for keys in decode_many(signals)]


def percent(results: list[Result], axis: str, point: str) -> float:
    return sum(result.percent(axis, point) for result in results) / len(results)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--seeds", type=int, nargs="*", default=[8101, 8102])
    options.add_argument("--per", type=int, default=12)
    chosen = options.parse_args()
    rows, both = [], {"ours": [], "spandsp": []}
    for law in ("ulaw", "alaw"):
        for seed in chosen.seeds:
            right = []
            for name, decoder in (("ours", ours), ("spandsp", spandsp.decode_many)):
                result = run(decoder, per_key=chosen.per, law=law, seed=seed)
                both[name].append(result)
                right.append(result)
            rows.append([f"{law}, seed {seed}", *(f"{r.perfect_points} of {len(r.required)}" for r in right)])
    per = f"{chosen.per * 16} trials a point"
    dtmf_peer.print_table(f"Q.24 matrix, points without an error ({per})", ["", "ours", "spandsp"], rows)
    beyond = [
        [f"{axis} {point}", *(f"{percent(both[name], axis, point):.1f} %" for name in both)]
        for axis, points in BEYOND.items()
        for point in points
    ]
    wrong = [str(sum(r.wrong_keys for r in both[name])) for name in both]
    beyond.append(["wrong keys in all trials", *wrong])
    seeds = " ".join(map(str, chosen.seeds))
    dtmf_peer.print_table(f"Beyond it, keys right (both laws, seeds {seeds})", ["", "ours", "spandsp"], beyond)


if __name__ == "__main__":
    main()
