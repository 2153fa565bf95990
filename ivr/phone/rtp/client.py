"""Runs a media worker and speaks with it from asyncio; whoever runs the calls gets their events here. No RTP passes.

Commands that must succeed before the call goes on (`open`, `update`, `load`) are awaited; the others are only sent, in
order, and what the worker cannot do with them comes as an exception to `on_fault`.
"""

import asyncio
import base64
import os
import socket
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final

from ivr.errors import ConfigError, IvrError
from ivr.phone.rtp.addresses import Address
from ivr.phone.rtp.contract import CallMedia, MediaError, MediaEvent, MediaUnavailable, WorkerLost
from ivr.phone.rtp.control import Lines, Message, event_of, line, media_message, settings_message
from ivr.phone.rtp.settings import MediaSettings

START_S: Final = 30.0
STOP_S: Final = 15.0  # its recorder has ten of them to finish the files
READ_BYTES: Final = 65536
ERRORS: Final[dict[str, type[IvrError]]] = {
    "MediaUnavailable": MediaUnavailable,
    "ConfigError": ConfigError,
    "MediaError": MediaError,
}
# One thread does it all: BLAS would take the cores that signalling and payments need. Freed memory is overwritten,
# because it may have held a key; glibc leaves that out for what its per-thread cache takes, so there is none.
ENVIRONMENT: Final = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "PYTHONMALLOC": "malloc",
    "GLIBC_TUNABLES": "glibc.malloc.perturb=165:glibc.malloc.tcache_count=0",
}


@dataclass(frozen=True)
class Clip:
    """A prompt the worker holds."""

    number: int


class MediaClient:
    """`async with MediaClient(settings, on_event) as media`; one worker process lives as long."""

    def __init__(
        self,
        settings: MediaSettings,
        on_event: Callable[[MediaEvent], None],
        on_fault: Callable[[IvrError], None] | None = None,
    ) -> None:
        self.settings = settings
        self.ports: list[int] = []
        self._on_event = on_event
        self._on_fault = on_fault
        self._lines = Lines()
        self._awaited: dict[int, asyncio.Future[Message]] = {}
        self._number = 0
        self._play = 0
        self._clips: dict[Path, Clip] = {}
        self._clip = 0
        self._lost = ""
        self._closing = False

    async def __aenter__(self) -> "MediaClient":
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def start(self) -> None:
        ours, theirs = socket.socketpair()
        search = os.pathsep.join(filter(None, sys.path))  # the worker finds modules where we do, in any folder
        try:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "ivr.phone.rtp.worker",
                str(theirs.fileno()),
                pass_fds=[theirs.fileno()],
                stdin=asyncio.subprocess.DEVNULL,
                env={**os.environ, **ENVIRONMENT, "PYTHONPATH": search},
            )
        finally:
            theirs.close()
        self._reader, self._writer = await asyncio.open_connection(sock=ours)
        self._reading = asyncio.create_task(self._read())
        begun = self._expect(0)
        self._writer.write(line(settings_message(self.settings)))
        try:
            self.ports = (await asyncio.wait_for(begun, START_S))["ports"]
        except BaseException:
            await self.aclose()
            raise

    async def aclose(self) -> None:
        """Ends the worker; its calls fall silent."""
        self._closing = True
        self._writer.close()
        self._reading.cancel()
        try:
            await asyncio.wait_for(self._process.wait(), STOP_S)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()

    @property
    def pid(self) -> int:
        return self._process.pid

    async def open(self, call: str, media: CallMedia) -> Address:
        """Reserves a port, before the answer; MediaUnavailable when the worker is full. Address and port for our SDP."""
        answer = await self._ask({"do": "open", "call": call, "media": media_message(media)})
        return self.settings.host, answer["port"]

    async def update(self, call: str, media: CallMedia) -> None:
        """The whole of what is agreed now: after the answer, the ACK of a late offer, a re-INVITE, hold."""
        await self._ask({"do": "update", "call": call, "media": media_message(media)})

    async def load(self, clip: Path | bytes) -> Clip:
        """Raw mu-law of a file (once: the same path is the same clip) or in memory."""
        known = self._clips.get(clip) if isinstance(clip, Path) else None
        if known is not None:
            return known
        self._clip += 1
        found = Clip(self._clip)
        where = {"path": str(clip)} if isinstance(clip, Path) else {"codes": base64.b64encode(clip).decode()}
        await self._ask({"do": "load", "clip": found.number, **where})
        if isinstance(clip, Path):
            self._clips[clip] = found
        return found

    def unload(self, clip: Clip) -> None:
        self._clips = {path: known for path, known in self._clips.items() if known != clip}
        self._send({"do": "unload", "clip": clip.number})

    def play(self, call: str, clips: Sequence[Clip], *, barge_in: bool = False) -> int:
        """In place of what is playing; the number that `Played` will carry. A key stops it at once if `barge_in`."""
        self._play += 1
        numbers = [clip.number for clip in clips]
        self._send({"do": "play", "call": call, "play": self._play, "clips": numbers, "barge_in": barge_in})
        return self._play

    def stop(self, call: str) -> None:
        """Silence; no `Played` follows."""
        self._send({"do": "stop", "call": call})

    def wipe(self, call: str) -> None:
        """A card field is complete: every buffer that could hold its keys is overwritten within a tick."""
        self._send({"do": "wipe", "call": call})

    def info_key(self, call: str, key: str, at_s: float) -> None:
        """A key by SIP INFO, which went down at `at_s`: merged with those of media, where it stops a prompt as they do."""
        self._send({"do": "info_key", "call": call, "key": key, "at_s": at_s})

    def still_alive(self, call: str) -> None:
        """The call has shown itself in signalling (an INFO, a session refresh): the RTP timeout begins anew."""
        self._send({"do": "alive", "call": call})

    def close_call(self, call: str) -> None:
        self._send({"do": "close", "call": call})

    async def _ask(self, message: Message) -> Message:
        if self._lost:
            raise MediaUnavailable(self._lost)
        self._number += 1
        future = self._expect(self._number)
        self._writer.write(line({**message, "re": self._number}))
        return await future

    def _expect(self, number: int) -> asyncio.Future[Message]:
        self._awaited[number] = asyncio.get_running_loop().create_future()
        return self._awaited[number]

    def _send(self, message: Message) -> None:
        if not self._lost:
            self._number += 1
            self._writer.write(line({**message, "re": self._number}))

    async def _read(self) -> None:
        while piece := await self._receive():
            for message in self._lines.feed(piece):
                self._take(message)
        if not self._closing:
            self._fail(f"the media worker (pid {self._process.pid}) has ended")

    async def _receive(self) -> bytes:
        try:
            return await self._reader.read(READ_BYTES)
        except ConnectionError:
            return b""

    def _take(self, message: Message) -> None:
        if "event" in message:
            self._on_event(event_of(message))
            return
        future = self._awaited.pop(message["re"], None)
        if "error" not in message:
            if future is not None and not future.done():
                future.set_result(message)
            return
        error = ERRORS.get(message["error"], MediaError)(message["why"])
        if future is not None:
            if not future.done():
                future.set_exception(error)
        elif self._on_fault is not None:
            self._on_fault(error)

    def _fail(self, reason: str) -> None:
        self._lost = reason
        for future in self._awaited.values():
            if not future.done():
                future.set_exception(MediaUnavailable(reason))
        self._awaited.clear()
        self._on_event(WorkerLost(reason))
