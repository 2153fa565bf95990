"""A network in memory with loss, delay and copies, under an event loop whose time jumps to the next thing to happen."""

import asyncio
import random
import selectors
from collections.abc import Coroutine
from typing import Any

from ivr.phone.sip.contract import Address, TransportKind
from ivr.phone.sip.hop import Hop, Receiver


class JumpingSelector(selectors.SelectSelector):
    """Waiting takes no time: the clock moves by as much as would have been waited."""

    now = 0.0

    def select(self, timeout=None):
        ready = super().select(0)
        if ready:
            return ready
        if timeout is None:
            raise RuntimeError("nothing is left to happen, and someone still waits")
        self.now += timeout
        return []


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._jumping = JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now


def run_virtually(work: Coroutine[Any, Any, Any]) -> Any:
    loop = VirtualTimeLoop()
    try:
        return loop.run_until_complete(work)
    finally:
        loop.close()


class MemoryNetwork:
    def __init__(self, *, loss: float = 0.0, copies: float = 0.0, delay_s: float = 0.02, seed: int = 1) -> None:
        self._random = random.Random(seed)
        self.loss, self._copies, self._delay_s = loss, copies, delay_s
        self._receivers: dict[Address, tuple[MemoryTransport, Receiver]] = {}
        self.sent = self.lost = 0

    def join(self, address: Address, transport: "MemoryTransport", receive: Receiver) -> None:
        self._receivers[address] = (transport, receive)

    def leave(self, address: Address) -> None:
        self._receivers.pop(address, None)

    def carry(self, data: bytes, source: Address, target: Address) -> None:
        self.sent += 1
        if self._random.random() < self.loss:
            self.lost += 1
            return
        for _ in range(2 if self._random.random() < self._copies else 1):
            delay = self._delay_s * self._random.uniform(0.5, 2)
            asyncio.get_running_loop().call_later(delay, self._arrive, data, source, target)

    def _arrive(self, data: bytes, source: Address, target: Address) -> None:
        if target in self._receivers:
            transport, receive = self._receivers[target]
            receive(data, MemoryHop(transport, source))


class MemoryHop:
    alive = True

    def __init__(self, transport: "MemoryTransport", remote: Address) -> None:
        self._transport, self.remote = transport, remote

    @property
    def transport(self) -> TransportKind:
        return self._transport.kind

    @property
    def local(self) -> Address:
        return self._transport.address

    def send(self, data: bytes, to: Address | None = None) -> None:
        self._transport.network.carry(data, self.local, to or self.remote)


class MemoryTransport:
    """One host; `kind` may claim TLS, which is how keys in SDP are tested without sockets."""

    def __init__(self, network: MemoryNetwork, address: Address, kind: TransportKind = "udp") -> None:
        self.network, self.address, self.kind = network, address, kind

    @property
    def listening(self) -> tuple[tuple[TransportKind, Address], ...]:
        return ((self.kind, self.address),)

    async def start(self, receive: Receiver) -> None:
        self.network.join(self.address, self, receive)

    async def open(self, transport: TransportKind, remote: Address, name: str) -> Hop:
        return MemoryHop(self, remote)

    async def stop(self) -> None:
        self.network.leave(self.address)
