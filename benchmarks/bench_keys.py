"""Keys that are exactly those pressed, on a machine with more work than cores: what we hear beside what was on the wire.

Calls with the keys of a payment (42 each) ring at the same time, by events, tones in both laws and INFO, from Asterisk 22
and from telephones of our own, while N busy loops take the cores. A packet socket keeps what came to our ports: a call
that is wrong there too was spoilt before us; one that is wrong only as heard is ours. Needs root (CAP_NET_RAW).
    python benchmarks/bench_keys.py                       # 25 calls a row, without and with 8 loops: two and a half minutes
    python benchmarks/bench_keys.py --calls 100 --loops 0 4 8 16 --at-once 6
    python benchmarks/bench_keys.py --alone --show-wrong  # without Asterisk; each wrong call with its keys
"""

import argparse
import asyncio
import contextlib
import json
import logging
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import structlog
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.keys_callers import WAYS, asterisk_files
from benchmarks.keys_trunk import Answering, Call
from benchmarks.peers import Asterisk, PeerMissing, Tree
from benchmarks.peers.asterisk import PACKAGES, SUITE
from ivr.phone.rtp import MediaClient, MediaSettings, MediaStats
from ivr.phone.sip import ListenAddress, SipEndpoint, SipSettings, SourceLimits

HERE = Path(__file__).parent
OURS, THEIRS = "our telephone", "Asterisk 22"
FIRST_PORT, PORTS = 20000, 100  # below those that the kernel gives away
ASTERISK_RTP = (21000, 24999)
SETTLE_S = 2.0  # what was pressed last is heard
MOST_S = 900  # a round
console = Console(width=150)


@dataclass
class Row:
    """One kind of call at one number of busy loops."""

    loops: int
    source: str
    way: str
    calls: int
    keys: int
    wire_wrong: int
    heard_wrong: int
    ours: int  # heard otherwise than it was on the wire
    lost: int  # calls that never came, or were over before they had keyed
    load: float
    gap_ms: int


# ---- one measurement


def payment(number: int) -> str:
    """42 keys: a language, an account, an amount, a card of its own, expiry, code, postal code, yes, goodbye."""
    rng = random.Random(number)
    account, pan, code = (f"{rng.randrange(10**n):0{n}d}" for n in (8, 15, 3))
    return f"w1w{account}#w1w4{pan}#w1230w{code}w94105w1w#"


@contextlib.contextmanager
def busy(loops: int) -> Iterator[None]:
    spinning = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(loops)]
    try:
        yield
    finally:
        for one in spinning:
            one.kill()
            one.wait()


async def process(name: str, order: dict) -> asyncio.subprocess.Process:
    started = await asyncio.create_subprocess_exec(
        *(sys.executable, str(HERE / name)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=1 << 30,
    )
    assert started.stdin is not None
    started.stdin.write(json.dumps(order).encode() + b"\n")
    return started


async def line_of(started: asyncio.subprocess.Process) -> str:
    assert started.stdout is not None
    return (await started.stdout.readline()).decode().strip()


@dataclass
class Contest:
    chosen: argparse.Namespace
    asterisk: Asterisk | None
    answering: Answering
    port: int
    doubled: int = 0  # sequence numbers that were on the wire twice: two threads of a sender at once

    async def run(self, loops: int) -> list[Row]:
        """All kinds of calls at once: whatever else the machine does meets all alike."""
        self.answering.over.clear()
        wire = await process("keys_wire.py", {"first": FIRST_PORT, "last": FIRST_PORT + 2 * PORTS, "sip": self.port})
        if (answer := await line_of(wire)) != "listening":
            raise SystemExit(answer)
        number, calls = self.chosen.calls, {}
        for source, first in ((OURS, 5), (THEIRS, 1)):
            if source == OURS or self.asterisk is not None:
                for place, way in enumerate(WAYS):
                    calls |= {f"{first + place}{n:05d}": (source, way, payment(n)) for n in range(number)}
        with busy(loops):
            async with asyncio.timeout(MOST_S):
                await asyncio.gather(self._ours(calls), self._theirs(calls))
            await asyncio.sleep(SETTLE_S)
            load = os.getloadavg()[0]
        assert wire.stdin is not None
        wire.stdin.write(b"\n")
        told = json.loads(await line_of(wire))
        await wire.wait()
        return self._rows(loops, calls, told, load)

    async def _ours(self, calls: dict) -> None:
        order = [
            {"caller": caller, "way": way, "keys": keys}
            for caller, (source, way, keys) in calls.items()
            if source == OURS
        ]
        uri = f"sip:pay@127.0.0.1:{self.port}"
        phones = await process("keys_callers.py", {"uri": uri, "at_once": self.chosen.at_once, "calls": order})
        await line_of(phones)
        await phones.wait()

    async def _theirs(self, calls: dict) -> None:
        turns = {way: asyncio.Semaphore(self.chosen.at_once) for way in WAYS}

        async def one(caller: str, way: str, keys: str) -> None:
            async with turns[way]:
                assert self.asterisk is not None
                order = f"channel originate Local/{caller}@phones/n extension keys{keys}@robot"
                await asyncio.to_thread(self.asterisk.cli, order)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(60):
                        while caller not in self.answering.over:
                            await asyncio.sleep(0.1)

        await asyncio.gather(
            *(one(caller, way, keys) for caller, (source, way, keys) in calls.items() if source == THEIRS)
        )

    # ---- what came of it

    def _rows(self, loops: int, calls: dict, wire: dict, load: float) -> list[Row]:
        if wire["dropped"]:
            console.print(f"the packet socket missed {wire['dropped']} packets: the wire's column is not whole")
        self.doubled += sum(stream["doubled"] for stream in wire["streams"])
        rows = []
        for source in (OURS, THEIRS):
            for way in WAYS:
                here = {c: keys.replace("w", "") for c, (s, w, keys) in calls.items() if (s, w) == (source, way)}
                if here:
                    rows.append(self._row(loops, source, way, here, wire, load))
        return rows

    def _row(self, loops: int, source: str, way: str, here: dict[str, str], wire: dict, load: float) -> Row:
        row = Row(loops, source, way, 0, 0, 0, 0, 0, 0, load, 0)
        for caller, pressed in here.items():
            call = self.answering.over.get(caller)
            if call is None:
                row.lost += 1
                continue
            sent, gap_ms = on_wire(caller, call, way, wire, pressed)
            row.calls += 1
            row.keys += len(pressed)
            row.wire_wrong += sent != pressed
            row.heard_wrong += call.keys != pressed
            row.ours += call.keys != sent
            row.gap_ms = max(row.gap_ms, gap_ms)
            if self.chosen.show_wrong and {call.keys, sent} != {pressed}:
                console.print(
                    f"{source}, {way}, {caller}\n  pressed {pressed}\n  on wire {sent}\n  heard   {call.keys}"
                )
        return row


def on_wire(caller: str, call: Call, way: str, wire: dict, pressed: str) -> tuple[str, int]:
    """The stream from this call's port; ports are used again, so of several the one that is nearest to its keys."""
    if way == "INFO":
        return wire["info"].get(caller, ""), 0
    name = "events" if way == "events" else "tones"
    streams = [each for each in wire["streams"] if each["source"] == call.source]
    if not streams:
        return "", 0
    best = max(streams, key=lambda each: alike(each[name], pressed))
    return best[name], best["longest_gap_ms"]


def alike(one: str, other: str) -> int:
    """How many keys agree from either end."""
    same = [a == b for a, b in zip(one, other, strict=False)]
    back = [a == b for a, b in zip(one[::-1], other[::-1], strict=False)]
    return sum(same) + sum(back)


# ---- what is shown


def show(rows: list[Row], stats: MediaStats, doubled: int) -> None:
    table = Table(title="calls of 42 keys; wrong: not exactly the keys that were pressed")
    for name in ("busy loops", "keys from", "by"):
        table.add_column(name)
    for name in (
        "calls",
        "keys",
        "wrong on the wire",
        "wrong as heard",
        "heard unlike wire",
        "no call",
        "load",
        "gap ms",
    ):
        table.add_column(name, justify="right")
    for row in rows:
        counted = (row.calls, row.keys, row.wire_wrong, row.heard_wrong, row.ours, row.lost)
        table.add_row(f"{row.loops}", row.source, row.way, *map(str, counted), f"{row.load:.0f}", f"{row.gap_ms}")
    console.print(table)
    console.print(
        f"numbers twice on the wire: {doubled}; worker: {stats.ticks} ticks, {stats.late_ticks} late, {stats.skipped_ticks} left out; packets lost {stats.lost}, "
        f"doubled {stats.doubled}, late {stats.late}, refused {stats.refused}, dropped by the kernel {stats.socket_drops}"
    )


async def contest(
    chosen: argparse.Namespace, start: Callable[[int], Asterisk] | None
) -> tuple[list[Row], MediaStats, int]:
    answering = Answering()
    settings = MediaSettings(
        first_port=FIRST_PORT,
        ports=PORTS,
        calls=8 * chosen.at_once + 16,
        clip_seconds=1,
        realtime=not chosen.no_realtime,
    )
    sip = SipSettings(
        listen=(ListenAddress("udp", "127.0.0.1", FIRST_PORT + 2 * PORTS),), limits=SourceLimits(calls=10_000)
    )
    endpoint = SipEndpoint(sip, answering)
    async with MediaClient(settings, answering.heard) as answering.media:
        await endpoint.start()
        port = endpoint.listening[0][1][1]
        running = start(port).started() if start else None
        asterisk = await asyncio.to_thread(running.__enter__) if running else None
        rows = []
        try:
            measured = Contest(chosen, asterisk, answering, port)
            for loops in chosen.loops:
                rows += await measured.run(loops)
        finally:
            if running is not None:
                await asyncio.to_thread(running.__exit__, None, None, None)
            await endpoint.stop()
    return rows, answering.stats[-1], measured.doubled


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=25, help="in each row")
    parser.add_argument("--at-once", type=int, default=5, help="of each row; eight rows ring at the same time")
    parser.add_argument("--loops", type=int, nargs="+", default=[0, 8], help="busy loops beside it, one round each")
    parser.add_argument("--alone", action="store_true", help="without Asterisk")
    parser.add_argument("--no-realtime", action="store_true", help="our media worker without real-time priority")
    parser.add_argument("--show-wrong", action="store_true", help="keys of wrong calls (none is a card's)")
    return parser.parse_args()


def unpacked() -> Tree | None:
    try:
        return Tree("asterisk", SUITE, PACKAGES)
    except PeerMissing as reason:
        console.print(f"without Asterisk: {reason}")
        return None


def main() -> None:
    chosen = options()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with tempfile.TemporaryDirectory(prefix="bench-keys-") as name:
        folder = Path(name)

        tree = None if chosen.alone else unpacked()

        def start(port: int) -> Asterisk:
            assert tree is not None
            return Asterisk(folder, tree, asterisk_files(port, ASTERISK_RTP))

        show(*asyncio.run(contest(chosen, start if tree else None)))


if __name__ == "__main__":
    main()
