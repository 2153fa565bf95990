"""Asterisk's AudioSocket: a PBX that does not want to speak SIP to us opens a TCP connection a call, keys come as data.

The protocol (Asterisk, res_audiosocket): one byte of type, two of length, the payload. 0x01 the call's UUID, 0x03 one
key as ASCII, 0x10 audio as signed 16-bit little-endian at 8 kHz, 0x00 hang-up, 0xff an error. Keys come as type 0x03
and never as tones, so audio from the caller is dropped unread.
"""

import asyncio
import ipaddress
import struct
import uuid
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path

import structlog

from dsp import g711
from ivr.channels.line import CallerGone, Heard, KeyPressed, PersonRang, Silent
from ivr.errors import PeerError
from ivr.phone.sip import Peer
from ivr.voice import read_clip

log = structlog.get_logger()
HANG_UP, IDENTITY, KEY, AUDIO, ERROR = 0x00, 0x01, 0x03, 0x10, 0xFF
FRAME_BYTES, FRAME_S = 320, 0.02
SILENCE = bytes(FRAME_BYTES)
MOST_UNSENT_BYTES = 64 * 1024
KEYS = frozenset("0123456789*#ABCD")
HANDSHAKE_S = 5.0
MOST_CALLS = 500
DRAIN_LOOK_S = 0.1

Answer = Callable[[str, "AudioSocketPort"], Awaitable[Callable[[Heard], None]]]


class AudioSocketPort:
    """One connection's media. `speak` and `listen` run side by side for as long as it is open."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._frames: Iterator[bytes] = iter(())
        self._plays = 0
        self._playing = False
        self._barge_in = False
        self.tell: Callable[[Heard], None] = lambda _heard: None

    async def play(self, clips: Sequence[Path], *, barge_in: bool) -> int:
        self._plays += 1
        self._frames, self._playing, self._barge_in = frames_of(clips), True, barge_in
        return self._plays

    async def wipe(self) -> None:
        """Keys are handed on as they are read: nothing here holds one."""

    async def transfer(self, number: str) -> None:
        """AudioSocket has no word for it; a flow's step does not ask on this line."""
        self.tell(PersonRang(is_connected=False))

    async def hang_up(self) -> None:
        self._send(HANG_UP, b"")
        self._writer.close()

    async def read_identity(self) -> str:
        kind, payload = await self._read()
        if kind != IDENTITY or len(payload) != 16:
            raise PeerError("AudioSocket: the first message must be the call's UUID (type 0x01, 16 bytes)")
        return str(uuid.UUID(bytes=payload))

    async def speak(self) -> None:
        """A frame every 20 ms by the clock, silence between prompts: Asterisk gives up a connection quiet for 2 s."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while not self._writer.is_closing():
            frame = self._next_frame()
            # A PBX that does not read hears gaps; it does not fill our memory.
            if self._writer.transport.get_write_buffer_size() < MOST_UNSENT_BYTES:
                self._send(AUDIO, frame)
            due += FRAME_S
            await asyncio.sleep(due - loop.time())

    async def listen(self) -> None:
        """Until the PBX hangs up or the connection breaks."""
        try:
            while True:
                kind, payload = await self._read()
                if kind == KEY:
                    self._take_key(payload)
                elif kind in (HANG_UP, ERROR):
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        self._writer.close()
        self.tell(CallerGone("caller hung up"))

    def _take_key(self, payload: bytes) -> None:
        key = payload.decode("ascii", "replace")
        if key not in KEYS:
            return
        if self._barge_in and self._playing:
            self._frames = iter(())
            self._prompt_over()
        self.tell(KeyPressed(key))

    def _next_frame(self) -> bytes:
        frame = next(self._frames, None)
        if frame is None and self._playing:
            self._prompt_over()
        return frame or SILENCE

    def _prompt_over(self) -> None:
        self._playing = False
        self.tell(Silent(self._plays))

    async def _read(self) -> tuple[int, bytes]:
        kind, length = struct.unpack("!BH", await self._reader.readexactly(3))
        return kind, await self._reader.readexactly(length)

    def _send(self, kind: int, payload: bytes) -> None:
        self._writer.write(struct.pack("!BH", kind, len(payload)) + payload)


def frames_of(clips: Sequence[Path]) -> Iterator[bytes]:
    for clip in clips:
        audio = g711.decode(read_clip(clip, "ulaw"), "ulaw").astype("<i2").tobytes()
        for start in range(0, len(audio), FRAME_BYTES):
            yield audio[start : start + FRAME_BYTES].ljust(FRAME_BYTES, b"\0")


class AudioSocketServer:
    """`answer(identity, audio_port)` begins a conversation and gives where to tell it what is heard; `peer` may connect."""

    def __init__(self, host: str, port: int, answer: Answer, peer: Peer) -> None:
        self._host, self._port, self._answer, self._peer = host, port, answer, peer
        self._server: asyncio.Server | None = None
        self.calls = 0

    async def start(self) -> int:
        """The port it listens on."""
        self._server = await asyncio.start_server(self._serve, self._host, self._port)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """No new calls; those in progress go on."""
        if self._server is not None:
            self._server.close()

    async def drain(self, patience_s: float) -> None:
        """Until the last call is over, or patience is."""
        due = asyncio.get_running_loop().time() + patience_s
        while self.calls and asyncio.get_running_loop().time() < due:
            await asyncio.sleep(DRAIN_LOOK_S)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host = writer.get_extra_info("peername")[0]
        if self.calls >= MOST_CALLS or not self._is_known(host):
            log.warning("audiosocket refused", source=host, calls=self.calls)
            writer.close()
            return
        self.calls += 1
        audio_port = AudioSocketPort(reader, writer)
        try:
            async with asyncio.timeout(HANDSHAKE_S):
                identity = await audio_port.read_identity()
            audio_port.tell = await self._answer(identity, audio_port)
            speaking = asyncio.create_task(audio_port.speak())
            try:
                await audio_port.listen()
            finally:
                speaking.cancel()
        except (PeerError, TimeoutError, asyncio.IncompleteReadError, ConnectionError) as error:
            log.warning("audiosocket refused", reason=type(error).__name__)
            writer.close()
        finally:
            self.calls -= 1

    def _is_known(self, host: str) -> bool:
        """The protocol has no password: the address is all there is to go by."""
        address = ipaddress.ip_address(host.partition("%")[0])
        return any(address in network for network in self._peer.ranges)
