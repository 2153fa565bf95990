"""Speed of the tone decoder beside spandsp: live channels per core, on the same audio, interleaved in one run.

    python benchmarks/bench_dsp.py [--repeat 3] [--quick]

Ours is handed mu-law bytes and decodes them within the measured time; spandsp is handed linear samples. Both in CPU
time of one thread. A pool of audio is laid out in frames; channel c plays it from frame 977 * c on.
"""

import os

os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"  # before numpy is imported

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import dtmf_peer
from benchmarks.peers import spandsp
from dsp import g711, tones
from dsp.dtmf import KEYS, DtmfBank

SEED = 7321
POOL_S = 120
TICK_S = 0.02
WARM_UP = 25  # ticks: every path has run, every page of memory has been touched
FULL_SCALE = 22300.0  # amplitude of a sine at 0 dBm0
Pool = npt.NDArray[np.int16]


def noise(rng: np.random.Generator, seconds: float, dbm0: float) -> Pool:
    n = int(seconds * 8000) // 160 * 160
    return rng.normal(0, FULL_SCALE / np.sqrt(2) * 10 ** (dbm0 / 20), n).astype(np.int16)


def keys(rng: np.random.Generator, seconds: float, on_ms: float, off_ms: float) -> Pool:
    """Random keys one after another, level, twist and phase drawn anew for each."""
    count = int(seconds * 1000 / (on_ms + off_ms)) + 1
    parts = []
    for _ in range(count):
        shape = {"level_dbm0": rng.uniform(-25, -3), "twist_db": rng.uniform(-4, 8)}
        parts.append(tones.dtmf(KEYS[rng.integers(16)], tone_ms=on_ms, gap_ms=off_ms, rng=rng, **shape))
    flat = np.concatenate(parts)[: int(seconds * 8000) // 160 * 160]
    return (flat + rng.normal(0, 9, len(flat))).astype(np.int16)


def speech(rng: np.random.Generator, seconds: float) -> Pool:
    _, signals = dtmf_peer.recordings()
    order = rng.permutation(len(signals))
    return np.concatenate([signals[i] for i in order])[: int(seconds * 8000) // 160 * 160]


def pools(rng: np.random.Generator) -> dict[str, Pool]:
    return {
        "idle (-65 dBm0)": noise(rng, POOL_S, -65),
        "hiss (-50 dBm0)": noise(rng, POOL_S, -50),
        "speech": speech(rng, POOL_S),
        "mix 50/40/10": np.concatenate(
            [noise(rng, 0.5 * POOL_S, -65), speech(rng, 0.4 * POOL_S), keys(rng, 0.1 * POOL_S, 50, 50)]
        ),
        "all keying 50/50 ms": keys(rng, POOL_S, 50, 50),
        "all keying 100/100 ms": keys(rng, POOL_S, 100, 100),
        "all held 2 s": keys(rng, POOL_S, 2000, 50),
    }


def our_speed(pool: Pool, channels: int, ticks: int) -> tuple[float, float]:
    """Channels per core and the worst tick in ms (of wall time), after WARM_UP ticks."""
    frames = g711.encode(pool, "ulaw").reshape(-1, 160)
    bank = DtmfBank(channels)
    offsets = np.arange(channels) * 977
    cpu, worst = 0.0, 0.0
    for tick in range(ticks + WARM_UP):
        heard = frames[(offsets + tick) % len(frames)]
        began, wall = time.process_time_ns(), time.perf_counter_ns()
        bank(heard)
        wall, spent = time.perf_counter_ns() - wall, time.process_time_ns() - began
        if tick >= WARM_UP:
            cpu, worst = cpu + spent * 1e-9, max(worst, wall * 1e-6)
    return channels * ticks * TICK_S / cpu, worst


def row(name: str, pool: Pool, channels: int, repeat: int, quick: bool) -> list[str]:
    seconds = max(2, (500 if quick else 2000) // channels)
    ticks = min(max(100, (200_000 if quick else 500_000) // channels), 2000)
    peer, ours, worst = [], [], []
    for _ in range(repeat):
        peer.append(spandsp.channels_a_core(pool, channels, min(seconds, 600)))
        speed, slowest = our_speed(pool, channels, ticks)
        ours.append(speed)
        worst.append(slowest)
    a, b = float(np.median(ours)), float(np.median(peer))
    return [name, f"{channels:,}", f"{a:,.0f}", f"{b:,.0f}", f"{a / b:.2f}x", f"{float(np.median(worst)):.2f}"]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--repeat", type=int, default=3)
    options.add_argument("--quick", action="store_true")
    options.add_argument("--channels", type=int, nargs="*", default=[1, 100, 1000, 10000])
    options.add_argument("--only", default="")
    chosen = options.parse_args()
    rows = [
        row(name, pool, channels, chosen.repeat, chosen.quick)
        for name, pool in pools(np.random.default_rng(SEED)).items()
        if chosen.only in name
        for channels in chosen.channels
    ]
    columns = ["audio", "channels", "ours ch/core", "spandsp ch/core", "ratio", "worst tick ms"]
    dtmf_peer.print_table(f"Tone decoder, channels per core (seed {SEED}, median of {chosen.repeat})", columns, rows)


if __name__ == "__main__":
    main()
