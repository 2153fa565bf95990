"""One measurement of bench_trunk: so many calls on one core, by our media plane or by Asterisk, under the same load."""

import asyncio
import contextlib
import json
import os
import statistics
import sys
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil

from benchmarks.trunk_asterisk import Callers, LoadedAsterisk
from ivr.phone.rtp import CallMedia, KeyHeard, MediaClient, MediaEvent, MediaSettings, MediaStats, Played

LOAD = Path(__file__).with_name("trunk_load.py")
MEASURED, LOADING = 0, 1  # cores
TICKS_PER_S = 50
SPOILT_MS = 60.0  # a tick, and the 40 ms with which de-jitter begins
TICK_US = 1e6 / TICKS_PER_S
WARM_UP_S = 2.0
PROMPT_S = 4
LATE_ALLOWED = 0.001  # of all frames; above it someone would say the line crackles
PARTS = ("receive", "parse", "events", "jitter", "decode", "prompts", "send", "other")


@dataclass(frozen=True)
class Conditions:
    """What every measurement of a run has in common."""

    seconds: float
    method: str  # telephone_event or inband
    load_sockets: int = 250
    ports: int = 64


@dataclass(frozen=True)
class Point:
    """What was measured at one number of calls."""

    system: str
    calls: int
    up: int  # calls that were heard
    frames: int
    missing: int
    late: int
    dropped: int  # datagrams the kernel threw away because they were not fetched in time
    core: float  # share of the one core
    parts: dict[str, float] = field(default_factory=dict)  # microseconds a call-tick
    late_ticks: int = 0
    keys_pressed: int = 0
    keys_wrong: int | None = None  # calls whose keys were not heard as pressed; None where the peer does not tell
    stall_ms: float = 0.0  # of the load: the longest time in which it sent nothing
    load_core: float = 0.0

    @property
    def us(self) -> float:
        """CPU per call and 20 ms."""
        return self.core * TICK_US / self.calls

    @property
    def is_spoilt(self) -> bool:
        """What the load did not send cannot be heard."""
        return self.stall_ms > SPOILT_MS

    @property
    def is_clean(self) -> bool:
        nothing_lost = self.up == self.calls and not self.missing and not self.dropped
        return nothing_lost and self.late <= LATE_ALLOWED * self.frames and not self.keys_wrong


@dataclass
class Load:
    """trunk_load.py at work."""

    process: asyncio.subprocess.Process
    ports: list[int]

    @classmethod
    async def begin(cls, calls: int, conditions: Conditions) -> "Load":
        options = ("--calls", str(calls), "--sockets", str(conditions.load_sockets), "--cpu", str(LOADING))
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, str(LOAD), *options),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=1 << 25,
        )
        assert process.stdout is not None
        return cls(process, json.loads(await process.stdout.readline()))

    async def run(self, to: Sequence[tuple[str, int]], conditions: Conditions, cpu: "Spent") -> dict:
        order = {"to": to, "seconds": conditions.seconds, "method": conditions.method, "warm_up": WARM_UP_S}
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(order).encode() + b"\n")
        await asyncio.sleep(WARM_UP_S)
        cpu.begin()
        await asyncio.sleep(conditions.seconds - WARM_UP_S - 0.5)
        cpu.end()
        result: dict = json.loads(await self.process.stdout.readline())
        await self.process.wait()
        return result


class Spent:
    """CPU time of processes over a window, as a share of one core; and what their sockets lost in it."""

    def __init__(self, *processes: psutil.Process) -> None:
        self._processes = processes
        self.core = 0.0
        self.dropped = 0

    def begin(self) -> None:
        self._drops = drops(self._processes)
        self._began, self._used = time.monotonic(), self._total()

    def end(self) -> None:
        self.core = (self._total() - self._used) / (time.monotonic() - self._began)
        self.dropped = drops(self._processes) - self._drops

    def _total(self) -> float:
        times = [process.cpu_times() for process in self._processes]
        return sum(each.user + each.system for each in times)


def drops(processes: Sequence[psutil.Process]) -> int:
    """Datagrams that found a socket's receive buffer full, by the last column of /proc/net/udp."""
    inodes = {inode for process in processes for inode in socket_inodes(process)}
    rows = [line.split() for line in Path("/proc/net/udp").read_text().splitlines()[1:]]
    return sum(int(row[-1]) for row in rows if row[9] in inodes)


def socket_inodes(process: psutil.Process) -> set[str]:
    found = set()
    for descriptor in Path(f"/proc/{process.pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            found.add(str(descriptor.readlink()).removeprefix("socket:[").removesuffix("]"))
    return found


class KeyLog:
    """What the media worker tells us meanwhile."""

    def __init__(self) -> None:
        self.keys: dict[str, str] = {}
        self.stats: list[MediaStats] = []
        self.over: asyncio.Queue[str] = asyncio.Queue()

    def hear(self, event: MediaEvent) -> None:
        match event:
            case KeyHeard():
                self.keys[event.call] = self.keys.get(event.call, "") + event.key
            case MediaStats():
                self.stats.append(event)
            case Played():
                self.over.put_nowait(event.call)


@contextlib.asynccontextmanager
async def on_core(core: int) -> AsyncIterator[None]:
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


async def measure_ours(calls: int, conditions: Conditions) -> Point:
    """The worker and the process that runs its calls, both on the measured core."""
    key_log = KeyLog()
    settings = MediaSettings(ports=conditions.ports, calls=calls, clip_seconds=60)
    async with on_core(MEASURED), MediaClient(settings, key_log.hear) as media:
        prompt = await media.load(murmur())
        load = await Load.begin(calls, conditions)
        events = ((101, 8000),) if conditions.method == "telephone_event" else ()
        there = []
        for call, port in enumerate(load.ports):
            wanted = CallMedia(telephone_events=events, remote=("127.0.0.1", port))
            there.append(await media.open(str(call), wanted))
            media.play(str(call), [prompt])

        async def play_on() -> None:
            while True:
                media.play(await key_log.over.get(), [prompt])

        playing = asyncio.create_task(play_on())
        cpu = Spent(psutil.Process(media.pid), psutil.Process())
        told = await load.run(there, conditions, cpu)
        await media.load(b"\xff")  # its answer stands behind every key that the worker has told
        playing.cancel()
    return our_point(calls, told, key_log, cpu, conditions)


def our_point(calls: int, told: dict, key_log: KeyLog, cpu: Spent, conditions: Conditions) -> Point:
    wrong = sum(key_log.keys.get(str(call), "") != keys for call, keys in enumerate(told["pressed"]))
    steady = [each for each in key_log.stats if each.calls == calls][int(WARM_UP_S) :] or key_log.stats[-1:]
    parts = {part: statistics.median(each.cpu_us_per_tick[part] for each in steady) / calls for part in PARTS}
    heard = told["heard"]
    return Point(
        "Tonetill",
        calls,
        heard["streams"],
        heard["frames"],
        heard["missing"] + steady[-1].unsent,
        heard["late"],
        cpu.dropped,
        cpu.core,
        parts,
        late_ticks=steady[-1].late_ticks - steady[0].late_ticks,
        keys_pressed=sum(map(len, told["pressed"])),
        keys_wrong=wrong,
        stall_ms=1000 * told["stall_s"],
        load_core=told["cpu_s"] / conditions.seconds,
    )


async def measure_asterisk(peer: LoadedAsterisk, extension: str, calls: int, conditions: Conditions) -> Point:
    async with on_core(LOADING):
        uri = f"sip:{extension}@127.0.0.1:{peer.port}"
        callers = Callers(uri, tones_only=conditions.method == "inband")
        load = await Load.begin(calls, conditions)
        try:
            there = await callers.ring(load.ports)
            cpu = Spent(peer.process)
            told = await load.run(there, conditions, cpu)
            still_up = await asyncio.to_thread(peer.calls)
        finally:
            if load.process.returncode is None:
                load.process.kill()
                await load.process.wait()
            await callers.hang_up()
    heard = told["heard"]
    return Point(
        f"Asterisk {extension}",
        calls,
        # Where silence is kept most of the time, who was not heard may still be there.
        heard["streams"] if extension == "play" else min(still_up, calls),
        heard["frames"],
        heard["missing"],
        heard["late"],
        cpu.dropped,
        cpu.core,
        keys_pressed=sum(map(len, told["pressed"])),
        stall_ms=1000 * told["stall_s"],
        load_core=told["cpu_s"] / conditions.seconds,
    )


def murmur() -> bytes:
    rng = np.random.default_rng(3)
    return rng.integers(0, 255, PROMPT_S * 8000, dtype=np.uint8).tobytes()
