"""A worker process and a phone over loopback: the sockets, the clock and the control pipe that other tests leave out."""

import asyncio
import contextlib
import os
import re
import socket
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np
import pytest

from ivr.errors import ConfigError, IvrError
from ivr.phone.rtp import (
    CallerStream,
    CallMedia,
    KeyHeard,
    MediaClient,
    MediaError,
    MediaEvent,
    MediaSettings,
    MediaStats,
    MediaUnavailable,
    Phone,
    Played,
    WorkerLost,
)
from ivr.phone.rtp.control import Lines
from ivr.phone.rtp.packets import TICK_S
from ivr.phone.rtp.ports import BUFFER_BYTES, bound
from ivr.phone.rtp.worker import MediaWorker

SETTINGS = MediaSettings(ports=2, calls=3, realtime=False, clip_seconds=30)
CLIP = np.random.default_rng(3).integers(0, 255, 1600, dtype=np.uint8).tobytes()


class Listener:
    """Collects events, and waits for the one that is wanted: no test waits for time to pass."""

    def __init__(self) -> None:
        self.events: list[MediaEvent] = []
        self.faults: list[IvrError] = []
        self._more = asyncio.Event()

    def __call__(self, event: MediaEvent) -> None:
        self.events.append(event)
        self._more.set()

    async def until(self, enough: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not enough():
                self._more.clear()
                await self._more.wait()

    @property
    def keys(self) -> str:
        return "".join(event.key for event in self.events if isinstance(event, KeyHeard))

    def any(self, kind: type[MediaEvent]) -> bool:
        return any(isinstance(event, kind) for event in self.events)


def with_worker(test: Callable[[MediaClient, Listener], Awaitable[None]], settings: MediaSettings = SETTINGS) -> None:
    async def run() -> None:
        listener = Listener()
        async with MediaClient(settings, listener, listener.faults.append) as media:
            await test(media, listener)

    asyncio.run(asyncio.wait_for(run(), 60))


async def call(media: MediaClient, stream: CallerStream | None = None, host: str = "127.0.0.1", **agreed) -> Phone:
    phone = await Phone.at(host, stream)
    events = ((101, 8000),)
    wanted = CallMedia(remote=phone.address, telephone_events=events, law=phone.stream.law, **agreed)
    phone.talk_to(await media.open("call", wanted))
    return phone


@pytest.mark.parametrize("inband", [False, True], ids=["telephone_event", "inband"])
def test_a_call_keys_and_hears_its_prompt(inband):
    async def test(media, listener):
        phone = await call(media)
        clip = await media.load(CLIP)
        await listener.until(lambda: bool(listener.events))
        number = media.play("call", [clip, clip])
        await phone.press("40#", inband=inband)
        await listener.until(lambda: listener.keys == "40#" and listener.any(Played))
        phone.hang_up()
        assert CLIP + CLIP in phone.heard_codes()
        assert Played("call", number, barged_in=False) in listener.events

    with_worker(test)


def test_alaw_on_ipv6_too():
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(("::1", 0))
        except OSError:
            pytest.skip("this machine has no IPv6 loopback")

    async def test(media, listener):
        phone = await call(media, CallerStream("alaw"), "::1", payload_type=8)
        await phone.press("9")
        await listener.until(lambda: listener.keys == "9")
        phone.hang_up()

    with_worker(test, MediaSettings(host="::1", ports=1, calls=1, realtime=False, clip_seconds=1))


def test_a_file_is_loaded_once(tmp_path):
    file = tmp_path / "hello.ulaw"
    file.write_bytes(CLIP)

    async def test(media, listener):
        assert await media.load(file) == await media.load(file) != await media.load(CLIP)
        with pytest.raises(MediaError, match=r"nothing\.ulaw"):
            await media.load(tmp_path / "nothing.ulaw")

    with_worker(test)


def test_a_full_worker_refuses_and_takes_calls_again_when_one_ends():
    async def test(media, listener):
        for n in range(3):
            await media.open(f"{n}", CallMedia())
        with pytest.raises(MediaUnavailable, match="taken"):
            await media.open("3", CallMedia())
        media.close_call("1")
        assert (await media.open("3", CallMedia()))[1] in media.ports

    with_worker(test)


def test_commands_that_cannot_be_carried_out_are_told_and_do_no_harm():
    async def test(media, listener):
        media.stop("nobody")
        media._send({"do": "dance"})
        media._send({"do": "play", "call": 7})
        with pytest.raises(MediaError, match="hosts"):
            await media.open("call", CallMedia(remote=("::1", 5)))
        phone = await call(media)
        await phone.press("3")
        await listener.until(lambda: listener.keys == "3")
        phone.hang_up()
        assert len(listener.faults) == 3

    with_worker(test)


def test_statistics_come_every_second():
    async def test(media, listener):
        await listener.until(lambda: listener.any(MediaStats))
        [stats] = [event for event in listener.events if isinstance(event, MediaStats)]
        assert stats.ticks == 50
        assert set(stats.cpu_us_per_tick) >= {"receive", "decode", "send"}

    with_worker(test)


def test_the_worker_runs_before_other_processes_where_it_may():
    before = os.sched_getscheduler(0)
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    except PermissionError:
        pytest.skip("real-time scheduling is not allowed here (CAP_SYS_NICE)")
    os.sched_setscheduler(0, before, os.sched_param(0))

    async def test(media, listener):
        await listener.until(lambda: listener.any(MediaStats))
        assert os.sched_getscheduler(media.pid) == os.SCHED_RR

    with_worker(test, MediaSettings(ports=1, calls=1, realtime=True, clip_seconds=1))


def test_a_socket_has_room_for_what_comes_while_the_worker_stands_still():
    with bound(socket.AF_INET, "127.0.0.1", 0) as opened:
        most = int(Path("/proc/sys/net/core/rmem_max").read_text())
        assert opened.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) >= 2 * min(BUFFER_BYTES, most)


def test_a_worker_that_dies_is_told_of_and_new_calls_are_refused():
    async def test(media, listener):
        os.kill(media.pid, 9)
        await listener.until(lambda: listener.any(WorkerLost))
        with pytest.raises(MediaUnavailable, match="has ended"):
            await media.open("call", CallMedia())

    with_worker(test)


def test_a_port_that_is_taken_is_named_with_the_cure():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as holder:
        holder.bind(("127.0.0.1", 0))
        port = holder.getsockname()[1] & ~1
        with pytest.raises(ConfigError, match=f"{port}.*ss -ulpn"):
            with_worker(lambda media, listener: asyncio.sleep(0), MediaSettings(first_port=port, ports=1))


@pytest.mark.parametrize("wrong", [{"ports": 0}, {"calls": 0}, {"first_port": 4001}, {"first_port": 65534, "ports": 2}])
def test_settings_that_cannot_be_are_refused(wrong):
    with pytest.raises(ConfigError, match="media worker"):
        MediaSettings(**wrong)


def memory_of(pid: int) -> bytes:
    """All of a process's writable memory, or a skip where that may not be read."""
    found = []
    regions = [line.split() for line in Path(f"/proc/{pid}/maps").read_text().splitlines()]
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for region in (r for r in regions if r[1].startswith("rw")):
            start, end = (int(part, 16) for part in region[0].split("-"))
            memory.seek(start)
            with contextlib.suppress(OSError):
                found.append(memory.read(end - start))
    return b"".join(found)


def test_after_a_wipe_no_key_is_left_in_the_workers_memory():
    async def test(media, listener):
        phone = await call(media)
        for inband in (False, True):
            await phone.press("59", inband=inband)
        await listener.until(lambda: listener.keys.startswith("59"))
        media.wipe("call")
        more = len([e for e in listener.events if isinstance(e, MediaStats)]) + 1
        await listener.until(lambda: len([e for e in listener.events if isinstance(e, MediaStats)]) > more)
        try:
            memory = memory_of(media.pid)
        except PermissionError:
            pytest.skip("the memory of another process may not be read here (needs CAP_SYS_PTRACE)")
        phone.hang_up()
        assert b"telephone_event" in memory
        assert not re.findall(rb'"key":"[0-9]"', memory)
        event = re.escape(bytes([101])) + rb"........" + re.escape(phone.stream.ssrc.to_bytes(4, "big"))
        assert not re.findall(event, memory, re.DOTALL)

    with_worker(test)


def test_the_worker_ends_with_its_client():
    async def test(media, listener):
        test.pid = media.pid

    with_worker(test)
    with pytest.raises(ProcessLookupError):
        os.kill(test.pid, 0)


@pytest.mark.parametrize("inband", [False, True], ids=["telephone_event", "inband"])
@pytest.mark.parametrize("stood_ticks", [8, 30, 75])
def test_a_worker_that_stood_still_hears_every_key_and_speaks_only_once(inband, stood_ticks):
    """In this process and by no clock: datagrams of a second and a half wait in the kernel when the tick is due."""
    ours, theirs = socket.socketpair()
    with ours, theirs, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
        phone.bind(("127.0.0.1", 0))
        worker = MediaWorker(SETTINGS, ours, Lines())
        stream = CallerStream()
        media = CallMedia(remote=phone.getsockname(), telephone_events=((101, 8000),))
        there = ("127.0.0.1", worker.ports.numbers[worker.plane.open("call", media)])
        stream.press("4111" * 2, inband=inband, tone_ms=100, gap_ms=80)
        due, told = time.monotonic() - stood_ticks * TICK_S, []
        worker._tell = told.extend
        due = hear(worker, due - 10 * TICK_S, [stream.tick() for _ in range(10)], phone, there)
        sent = worker._sender.sent
        for datagram in (datagram for _ in range(stood_ticks) for datagram in stream.tick()):
            phone.sendto(datagram, there)
        due += worker._tick_at(due)
        # Up to 200 ms ticks are made up for; of more, only the last one speaks.
        assert worker._sender.sent == sent + 1
        hear(worker, due, [stream.tick() for _ in range(120)], phone, there)
        worker.ports.close()
        assert "".join(event.key for event in told if isinstance(event, KeyHeard)) == "4111" * 2


def hear(worker, due, ticks, phone, there):
    """Tick by tick, each in time."""
    for datagrams in ticks:
        for datagram in datagrams:
            phone.sendto(datagram, there)
        worker._tick(due)
        due += TICK_S
    return due
