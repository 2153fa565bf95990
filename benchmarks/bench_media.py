"""The media plane alone: CPU per call and tick by part, late ticks, frames and keys lost, at rising numbers of calls.

Load comes over loopback from a process of its own (rtp_load.py): every call sends audio and a key every 1.5 s, and
hears a prompt. The kernel's work of sending over loopback includes delivering, which on a network card it does not.
    python benchmarks/bench_media.py --calls 500 1000 2000
"""

import argparse
import asyncio
import json
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1]))

from ivr.phone.rtp import CallMedia, KeyHeard, MediaClient, MediaEvent, MediaSettings, MediaStats, Played

LOAD = Path(__file__).with_name("rtp_load.py")
PROMPT_S = 4
WARM_UP = 2  # seconds of statistics left out: calls begin, memory is touched for the first time
PARTS = ("receive", "parse", "events", "jitter", "decode", "prompts", "send", "other")


@dataclass
class Run:
    calls: int
    keys: dict[str, str] = field(default_factory=dict)
    stats: list[MediaStats] = field(default_factory=list)
    finished: list[str] = field(default_factory=list)

    def hear(self, event: MediaEvent) -> None:
        if isinstance(event, KeyHeard):
            self.keys[event.call] = self.keys.get(event.call, "") + event.key
        elif isinstance(event, MediaStats):
            self.stats.append(event)
        elif isinstance(event, Played):
            self.finished.append(event.call)


async def measure(calls: int, seconds: float, method: str, sockets: int, ports: int) -> dict:
    run = Run(calls)
    settings = MediaSettings(ports=ports, calls=calls, realtime=True)
    async with MediaClient(settings, run.hear, lambda error: print(error, file=sys.stderr)) as media:
        if os.cpu_count() and (os.cpu_count() or 1) > 1:
            os.sched_setaffinity(media.pid, {0})
        prompt = await media.load(murmur())
        load = await asyncio.create_subprocess_exec(
            *(sys.executable, str(LOAD), "--calls", str(calls), "--sockets", str(sockets), "--cpu", "1"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=1 << 24,
        )
        assert load.stdin is not None
        assert load.stdout is not None
        here = json.loads(await load.stdout.readline())
        there = []
        for call, port in enumerate(here):
            events = ((101, 8000),) if method == "telephone_event" else ()
            wanted = CallMedia(telephone_events=events, remote=("127.0.0.1", port))
            there.append(await media.open(f"{call}", wanted))
            media.play(f"{call}", [prompt])
        order = {"to": there, "seconds": seconds, "method": method}
        load.stdin.write(json.dumps(order).encode() + b"\n")
        counted = asyncio.create_task(load.stdout.readline())
        while not counted.done():
            await asyncio.sleep(0.05)
            while run.finished:
                media.play(run.finished.pop(), [prompt])
        result = json.loads(counted.result())
        # On a busy machine this process reads what it was told long after; a second without anything new is the end.
        heard = -1
        while heard < (heard := sum(map(len, run.keys.values()))):
            await asyncio.sleep(1)
        await load.wait()
    return summary(run, result)


def summary(run: Run, load: dict) -> dict:
    steady = run.stats[WARM_UP:-1] or run.stats[-1:]
    parts = {part: float(np.mean([s.cpu_us_per_tick[part] for s in steady])) for part in PARTS}
    pressed = {str(call): keys for call, keys in enumerate(load["pressed"])}
    wrong = sum(run.keys.get(call, "") != keys for call, keys in pressed.items())
    last = run.stats[-1]
    return {
        "calls": run.calls,
        "core": sum(parts.values()) / 20000,
        "total": sum(parts.values()) / run.calls,
        "parts": {part: spent / run.calls for part, spent in parts.items()},
        "late": last.late_ticks - (steady[0].late_ticks if steady else 0),
        "skipped": last.skipped_ticks,
        "worst": max(s.worst_tick_ms for s in steady),
        "lost": load["sent"] - last.packets_in if load["sent"] > last.packets_in else 0,
        "lost_in": last.lost,
        "unsent": last.unsent,
        "late_packets": last.late,
        "drops": last.socket_drops,
        "keys": sum(len(keys) for keys in pressed.values()),
        "wrong": wrong,
        "load_late": load["late_ticks"],
    }


def murmur() -> bytes:
    rng = np.random.default_rng(3)
    return rng.integers(0, 255, PROMPT_S * 8000, dtype=np.uint8).tobytes()


def show(rows: list[dict], method: str) -> None:
    table = Table(title=f"media plane, keys by {method}: microseconds of CPU per call and tick")
    for heading in (
        "calls",
        *PARTS,
        "all",
        "core",
        "late ticks",
        "worst ms",
        "lost",
        "late",
        "keys",
        "calls wrong",
        "load late",
    ):
        table.add_column(heading, justify="right")
    for row in rows:
        parts = [f"{row['parts'][part]:.2f}" for part in PARTS]
        table.add_row(
            *(str(row["calls"]), *parts, f"{row['total']:.2f}", f"{row['core']:.0%}", f"{row['late']}"),
            *(
                f"{row['worst']:.1f}",
                str(row["lost_in"]),
                str(row["late_packets"]),
                str(row["keys"]),
                str(row["wrong"]),
                str(row["load_late"]),
            ),
        )
    Console(width=170).print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, nargs="+", default=[500, 1000, 2000])
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--method", choices=["telephone_event", "inband"], default="telephone_event")
    parser.add_argument("--sockets", type=int, default=250, help="the load's; Linux sends from each with its own call")
    parser.add_argument("--ports", type=int, default=64)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    rows = [
        asyncio.run(measure(calls, chosen.seconds, chosen.method, chosen.sockets, chosen.ports))
        for calls in chosen.calls
    ]
    if chosen.json:
        print(json.dumps(rows))
    else:
        show(rows, chosen.method)


if __name__ == "__main__":
    main()
