"""The caller's side of one call's media in asyncio, for `ivr ring` and the tests: speaks, keys and remembers what it hears.

One packet at a time and by the real clock: a telephone, not a trunk. Signalling is not done here.
"""

import asyncio
import socket
import time
from dataclasses import dataclass
from typing import cast

import numpy as np

from dsp import g711
from ivr.phone.rtp.addresses import Address
from ivr.phone.rtp.packets import HEADER_BYTES, TICK_S
from ivr.phone.rtp.ports import open_pair
from ivr.phone.rtp.softphone.caller import CallerStream

LAWS: dict[int, g711.Law] = {0: "ulaw", 8: "alaw"}


@dataclass(frozen=True)
class HeardPacket:
    """One packet of audio; `at_s` by time.monotonic()."""

    at_s: float
    law: g711.Law
    codes: bytes


class Phone(asyncio.DatagramProtocol):
    """`phone = await Phone.at("127.0.0.1")`; tell signalling `phone.address`; `phone.talk_to(theirs)`."""

    def __init__(self, stream: CallerStream) -> None:
        self.stream = stream
        self.heard: list[HeardPacket] = []
        self._transport: asyncio.DatagramTransport
        self._remote: Address | None = None
        self._talking: asyncio.Task[None] | None = None
        self._silent = asyncio.Event()
        self._silent.set()
        self._rtcp: socket.socket

    @classmethod
    async def at(cls, host: str, stream: CallerStream | None = None) -> "Phone":
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        rtp, rtcp = open_pair(family, host, 0)
        phone = cls(stream or CallerStream())
        await asyncio.get_running_loop().create_datagram_endpoint(lambda: phone, sock=rtp)
        phone._rtcp = rtcp
        return phone

    @property
    def address(self) -> Address:
        host, port, *_ = self._transport.get_extra_info("sockname")
        return host, port

    def talk_to(self, remote: Address, stream: CallerStream | None = None) -> None:
        """Begins to send, or goes on to another place; with `stream` where the codec or the payload types changed."""
        self.aim(remote, stream)
        if self._talking is None:
            self._talking = asyncio.create_task(self._talk())

    def aim(self, remote: Address, stream: CallerStream | None = None) -> None:
        """As `talk_to`, for whoever calls `tick` every 20 ms: many telephones by one clock."""
        self._remote = remote
        self.stream = stream or self.stream

    def tick(self) -> None:
        """Sends the next 20 ms."""
        for datagram in self.stream.tick():
            self._transport.sendto(datagram, self._remote)
        if self.stream.idle:
            self._silent.set()

    async def press(self, keys: str, *, inband: bool = False, tone_ms: int = 100, gap_ms: int = 80) -> None:
        """Returns when the last key is up again."""
        self.stream.press(keys, inband=inband, tone_ms=tone_ms, gap_ms=gap_ms)
        self._silent.clear()
        await self._silent.wait()

    def heard_codes(self, law: g711.Law = "ulaw") -> bytes:
        """All that came so far, in one law."""
        parts = [in_law(one, law) for one in self.heard]
        return b"".join(parts)

    def hang_up(self) -> None:
        if self._talking is not None:
            self._talking.cancel()
        self._transport.close()
        self._rtcp.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, _addr: object) -> None:
        law = LAWS.get(data[1] & 0x7F) if len(data) > HEADER_BYTES else None
        if law is not None:
            self.heard.append(HeardPacket(time.monotonic(), law, data[HEADER_BYTES:]))

    async def _talk(self) -> None:
        due = time.monotonic()
        while True:
            self.tick()
            due += TICK_S
            await asyncio.sleep(max(0.0, due - time.monotonic()))


def in_law(heard: HeardPacket, law: g711.Law) -> bytes:
    if heard.law == law:
        return heard.codes
    return g711.encode(g711.decode(np.frombuffer(heard.codes, np.uint8), heard.law), law).tobytes()
