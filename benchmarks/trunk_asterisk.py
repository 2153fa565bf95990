"""Asterisk as bench_trunk's peer: on one core, rung by SIP; what it plays is in its dial plan."""

import asyncio
import contextlib
import os
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import psutil

from benchmarks.peers import Asterisk, Tree
from benchmarks.peers.asterisk import PACKAGES, SUITE
from ivr.phone.sip import (
    Answer,
    CallerHandler,
    ListenAddress,
    LocalSession,
    OutgoingCall,
    SipCaller,
    SipEndpoint,
    SipSettings,
    SourceLimits,
)
from tests.ports import free_port

RTP_PORTS = (10000, 15999)
AT_ONCE = 20  # calls being set up
EVENT_TYPE = " 101"
PJSIP = """
[global]
type=global
endpoint_identifier_order=ip,username,anonymous
[udp]
type=transport
protocol=udp
bind=127.0.0.1:{port}
[callers]
type=endpoint
context=callers
disallow=all
allow=ulaw,alaw
direct_media=no
rtp_symmetric=yes
force_rport=yes
dtmf_mode=auto
[callers]
type=identify
endpoint=callers
match=127.0.0.0/8
"""
# `ivr` is what a payment line does: a prompt, then sixteen keys awaited under another, again and again.
# `play` plays one long recording for ever.
EXTENSIONS = """
[callers]
exten => ivr,1,Answer()
 same => n(again),Playback(vm-password)
 same => n,Read(CARD,vm-password,16,,1,8)
 same => n,Set(ROUND=$[0${ROUND} + 1])
 same => n,GotoIf($[${ROUND} < 50]?again)
 same => n,Hangup()
exten => play,1,Answer()
 same => n(again),Playback(demo-congrats)
 same => n,Goto(again)
"""


class TonesOnly(LocalSession):
    """Offers no telephone-event: the far end then has to listen for tones."""

    def offer(self, *, secure: bool = False) -> Answer:
        offered = super().offer(secure=secure)
        lines = [line for line in offered.sdp.split("\r\n") if not line.startswith(("a=rtpmap:101", "a=fmtp:101"))]
        lines = [line.removesuffix(EVENT_TYPE) if line.startswith("m=audio") else line for line in lines]
        return replace(offered, sdp="\r\n".join(lines), telephone_event=None)


class LoadedAsterisk:
    """`with LoadedAsterisk(core) as peer`: on one core, and before other processes where ours may be too."""

    def __init__(self, core: int) -> None:
        self._core = core
        self._running = contextlib.ExitStack()
        self.port = free_port()
        self.process: psutil.Process
        self._asterisk: Asterisk

    def __enter__(self) -> "LoadedAsterisk":
        folder = self._running.enter_context(tempfile.TemporaryDirectory(prefix="bench-trunk-"))
        self._asterisk = Asterisk(Path(folder), Tree("asterisk", SUITE, PACKAGES), configuration(self.port))
        self.process = psutil.Process(self._running.enter_context(self._asterisk.started()).pid)
        for thread in self.process.threads():
            os.sched_setaffinity(thread.id, {self._core})
            with contextlib.suppress(PermissionError, ProcessLookupError):
                os.sched_setscheduler(thread.id, os.SCHED_RR, os.sched_param(1))
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()

    def version(self) -> str:
        return self._asterisk.cli("core show version").partition(" built")[0].strip()

    def calls(self) -> int:
        shown = self._asterisk.cli("core show channels count")
        return int(next((line.split()[0] for line in shown.splitlines() if "active call" in line), "0"))


def configuration(port: int) -> dict[str, str]:
    return {
        "pjsip.conf": PJSIP.format(port=port),
        "extensions.conf": EXTENSIONS,
        "rtp.conf": f"[general]\nrtpstart={RTP_PORTS[0]}\nrtpend={RTP_PORTS[1]}\nicesupport=no\nstrictrtp=yes\n",
    }


class Callers:
    """SIP's side of the load: rings an extension from each of the load's ports."""

    def __init__(self, uri: str, *, tones_only: bool) -> None:
        settings = SipSettings(listen=(ListenAddress("udp", "127.0.0.1", 0),), limits=SourceLimits(calls=10_000))
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
