"""Asterisk 22 as bench_trunk's peer: unpacked and run by the shared peer script, rung by SIP; what it plays is in its dial plan."""

import asyncio
import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import psutil

from ivr.channels.sip import (
    Answer,
    CallerHandler,
    Limits,
    Listen,
    LocalSession,
    OutgoingCall,
    SipCaller,
    SipEndpoint,
    SipSettings,
)

ROOT = Path(__file__).parents[1]
SHARED = Path(os.environ.get("TONETILL_SHARED", ROOT.parent / "shared"))
CACHE = Path(os.environ.get("TONETILL_PEERS", Path(tempfile.gettempdir()) / "tonetill-peers"))
SCRIPT = SHARED / "peers" / "asterisk_peer.sh"
RTP_PORTS = ("10000", "15999")
AT_ONCE = 20  # calls being set up
EVENT_TYPE = " 101"


class NoAsterisk(Exception):
    """Why there is nothing to compare with."""


class TonesOnly(LocalSession):
    """Offers no telephone-event: the far end then has to listen for tones."""

    def offer(self, *, secure: bool = False) -> Answer:
        offered = super().offer(secure=secure)
        lines = [line for line in offered.sdp.split("\r\n") if not line.startswith(("a=rtpmap:101", "a=fmtp:101"))]
        lines = [line.removesuffix(EVENT_TYPE) if line.startswith("m=audio") else line for line in lines]
        return replace(offered, sdp="\r\n".join(lines), telephone_event=None)


class Asterisk:
    """`with Asterisk(core) as peer`: on one core, and before other processes where ours may be too."""

    def __init__(self, core: int) -> None:
        self._core = core
        self._folder = tempfile.TemporaryDirectory(prefix="bench-trunk-")
        self._home = Path(self._folder.name) / "asterisk"
        self.port = free_port(socket.SOCK_DGRAM)
        self._environment = {
            **os.environ,
            "SIP_PORT": str(self.port),
            "HTTP_PORT": str(free_port(socket.SOCK_STREAM)),
            "RTP_START": RTP_PORTS[0],
            "RTP_END": RTP_PORTS[1],
        }
        self.process: psutil.Process

    def __enter__(self) -> "Asterisk":
        if not SCRIPT.is_file():
            raise NoAsterisk(f"no {SCRIPT}; TONETILL_SHARED names the folder that has peers/asterisk_peer.sh")
        if shutil.which("apt-get") is None:
            raise NoAsterisk("it is unpacked with apt, which is not here")
        self._unpack()
        started = self._run("start", self._home)
        if started.returncode:
            raise NoAsterisk(f"it did not start: {last_line(started)}")
        self.process = psutil.Process(int((self._home / "run" / "pid").read_text()))
        for thread in self.process.threads():
            os.sched_setaffinity(thread.id, {self._core})
            with contextlib.suppress(PermissionError, ProcessLookupError):
                os.sched_setscheduler(thread.id, os.SCHED_RR, os.sched_param(1))
        return self

    def __exit__(self, *_: object) -> None:
        self._run("stop", self._home)
        self._folder.cleanup()

    def version(self) -> str:
        return self._run("cli", self._home, "core show version").stdout.partition(" built")[0].strip()

    def calls(self) -> int:
        shown = self._run("cli", self._home, "core show channels count").stdout
        return int(next((line.split()[0] for line in shown.splitlines() if "active call" in line), "0"))

    def _unpack(self) -> None:
        """Once for all runs; each run has a folder of its own beside."""
        cache = CACHE / "asterisk"
        cache.mkdir(parents=True, exist_ok=True)
        unpacked = self._run("stop", cache)
        if not (cache / "root").is_dir():
            raise NoAsterisk(f"it could not be unpacked: {last_line(unpacked)}")
        self._home.mkdir()
        (self._home / "root").symlink_to(cache / "root")
        for stamp in cache.glob(".unpacked-*"):
            (self._home / stamp.name).touch()

    def _run(self, act: str, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
        command = ["sh", str(SCRIPT), str(folder), act, *words]
        return subprocess.run(
            command, env=self._environment, capture_output=True, text=True, timeout=300, check=False, errors="replace"
        )


class Callers:
    """SIP's side of the load: rings an extension from each of the load's ports."""

    def __init__(self, uri: str, *, tones_only: bool) -> None:
        settings = SipSettings(listen=(Listen("udp", "127.0.0.1", 0),), limits=Limits(calls=10_000))
        self._endpoint = SipEndpoint(settings, CallerHandler())
        self._uri = uri
        self._session = TonesOnly if tones_only else LocalSession
        self.calls: list[OutgoingCall] = []

    async def ring(self, ports: Sequence[int]) -> list[tuple[str, int]]:
        """Where each call's audio goes to."""
        await self._endpoint.start()
        caller, turn = SipCaller(self._endpoint), asyncio.Semaphore(AT_ONCE)

        async def one(port: int) -> OutgoingCall:
            async with turn:
                return await caller.call(self._uri, self._session("127.0.0.1", port), patience_s=20)

        self.calls = list(await asyncio.gather(*(one(port) for port in ports)))
        return [(call.remote.address, call.remote.port) for call in self.calls]

    async def hang_up(self) -> None:
        turn = asyncio.Semaphore(AT_ONCE)

        async def one(call: OutgoingCall) -> None:
            async with turn:
                await call.hang_up()

        await asyncio.gather(*(one(call) for call in self.calls), return_exceptions=True)
        await self._endpoint.stop()


def free_port(kind: int) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def last_line(done: subprocess.CompletedProcess[str]) -> str:
    return ((done.stderr or done.stdout).strip().splitlines() or ["no reason given"])[-1][:200]
