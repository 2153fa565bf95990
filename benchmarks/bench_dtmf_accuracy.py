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
from dsp.dtmf import decode_many

BEYOND = {
    "snr_ext(free)": ["12dB", "10dB", "8dB", "6dB", "4dB"],
    "level_low(free)": ["-32", "-36", "-40"],
    "dial_tone": ["-12dB", "-9dB", "-6dB"],
    "duration(free)": ["26ms", "30ms", "34ms", "38ms"],
}
Results = dict[str, Any]


def ours(signals: list[Any]) -> list[str]:
    """As q24_matrix.py and talkoff.py want it: `--many bench_dtmf_accuracy:ours`."""
    return ["".join(key.key for key in keys) for keys in decode_many(signals)]


def percent(results: list[Results], axis: str, point: str) -> float:
    rates = [row["pct"] for result in results for row in result[axis] if row["point"] == point]
    return sum(rates) / len(rates)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--seeds", type=int, nargs="*", default=[8101, 8102])
    options.add_argument("--per", type=int, default=12)
    chosen = options.parse_args()
    matrix, peer = dtmf_peer.shared_module("q24_matrix"), dtmf_peer.spandsp()
    rows, both = [], {"ours": [], "spandsp": []}
    for law in ("ulaw", "alaw"):
        for seed in chosen.seeds:
            right = []
            for name, decoder in (("ours", ours), ("spandsp", peer.decode_many)):
                result = matrix.run(decode_many=decoder, per=chosen.per, codec=law, seed=seed)
                both[name].append(result)
                right.append(result["summary"])
            rows.append([f"{law}, seed {seed}", *(f"{r['points_100pct']} of {r['required_points']}" for r in right)])
    per = f"{chosen.per * 16} trials a point"
    dtmf_peer.print_table(f"Q.24 matrix, points without an error ({per})", ["", "ours", "spandsp"], rows)
    beyond = [
        [f"{axis.split('(')[0]} {point}", *(f"{percent(both[name], axis, point):.1f} %" for name in both)]
        for axis, points in BEYOND.items()
        for point in points
    ]
    wrong = [str(sum(r["summary"]["wrong_digits"] for r in both[name])) for name in both]
    beyond.append(["wrong keys in all trials", *wrong])
    seeds = " ".join(map(str, chosen.seeds))
    dtmf_peer.print_table(f"Beyond it, keys right (both laws, seeds {seeds})", ["", "ours", "spandsp"], beyond)


if __name__ == "__main__":
    main()
