"""A media plane without sockets or clock: callers' packets are handed in tick by tick, and time is counted, not waited for."""

import socket
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from ivr.phone.rtp import CallerStream, CallMedia, KeyHeard, MediaEvent, MediaSettings
from ivr.phone.rtp.addresses import Address, socket_name
from ivr.phone.rtp.packets import FRAME, HEADER_BYTES, TICK_S, Arrivals
from ivr.phone.rtp.plane import MediaPlane, outgoing_packets

EVENTS = ((101, 8000),)


@dataclass
class Caller:
    name: str
    stream: CallerStream
    socket: int
    source: Address
    media: CallMedia
    heard: list[bytes] = field(default_factory=list)
    went_to: set[bytes] = field(default_factory=set)


class Line:
    """Calls on one plane. `through` decides each datagram's fate: how many copies of it arrive."""

    def __init__(self, calls: int = 4, sockets: int = 4, rtp_timeout_s: float = 60.0) -> None:
        self.settings = MediaSettings(calls=calls, ports=sockets, rtp_timeout_s=rtp_timeout_s, clip_seconds=20)
        self.plane = MediaPlane(self.settings, socket.AF_INET, sockets)
        self.arrivals = Arrivals(64 * calls + 256)
        self.callers: dict[str, Caller] = {}
        self.events: list[MediaEvent] = []
        self.now_s = 100.0
        self.through: Callable[[bytes], int] = lambda datagram: 1

    def ring(self, name: str = "call", stream: CallerStream | None = None, **agreed: object) -> Caller:
        source = ("192.0.2.7", 20000 + 2 * len(self.callers))
        stream = stream or CallerStream()
        media = CallMedia(law=stream.law, payload_type=stream.payload_type, telephone_events=EVENTS, remote=source)
        media = replace(media, **agreed)  # type: ignore[arg-type]
        self.callers[name] = Caller(name, stream, self.plane.open(name, media), source, media)
        return self.callers[name]

    def agree(self, caller: Caller, **changed: object) -> None:
        caller.media = replace(caller.media, **changed)  # type: ignore[arg-type]
        self.plane.update(caller.name, caller.media)

    def deliver(self, caller: Caller, datagram: bytes, source: Address | None = None) -> None:
        self.arrivals.add(datagram, caller.socket, socket_name(source or caller.source, socket.AF_INET))

    def tick(self, *extra: bytes) -> None:
        """20 ms for everyone; `extra` comes from the only caller."""
        for caller in self.callers.values():
            for datagram in caller.stream.tick():
                for _ in range(self.through(datagram)):
                    self.deliver(caller, datagram)
        for datagram in extra:
            self.deliver(next(iter(self.callers.values())), datagram)
        self.quiet_tick()

    def quiet_tick(self) -> None:
        """20 ms in which callers send nothing but what has been delivered."""
        self.events += self.plane.tick(self.now_s, self.arrivals)
        for name, destination, datagram in outgoing_packets(self.plane):
            self.callers[name].heard.append(datagram)
            self.callers[name].went_to.add(destination)
        self.now_s += TICK_S

    def run(self, ticks: int) -> None:
        for _ in range(ticks):
            self.tick()

    def talk(self, extra_ticks: int = 15) -> None:
        """Until every caller has said and keyed all, and it has been heard."""
        while not all(caller.stream.idle for caller in self.callers.values()):
            self.tick()
        self.run(extra_ticks)

    def keys(self, name: str = "call", method: str | None = None) -> str:
        heard = [e for e in self.events if isinstance(e, KeyHeard) and e.call == name]
        return "".join(e.key for e in heard if method in (None, e.method))

    def of(self, kind: type[MediaEvent]) -> list[MediaEvent]:
        return [event for event in self.events if isinstance(event, kind)]

    def audio(self, caller: Caller) -> np.ndarray:
        """What the caller was sent, as one row of codes a tick."""
        return np.array([np.frombuffer(d, np.uint8)[HEADER_BYTES : HEADER_BYTES + FRAME] for d in caller.heard])


@pytest.fixture
def line() -> Line:
    return Line()


@pytest.fixture
def make_line() -> type[Line]:
    return Line
