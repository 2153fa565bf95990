"""The next hop of a message: where it came from and how to send back there. Its sockets, or a test's network, are not here."""

from collections.abc import Callable
from typing import Protocol

from ivr.phone.sip.contract import Address, TransportKind


class Hop(Protocol):
    """One UDP peer, or one TCP or TLS connection."""

    @property
    def transport(self) -> TransportKind: ...
    @property
    def local(self) -> Address:
        """The address peers reach us at through this hop: it goes into Via and Contact."""

    @property
    def remote(self) -> Address: ...
    @property
    def alive(self) -> bool: ...
    def send(self, data: bytes, to: Address | None = None) -> None:
        """Never raises and never waits; `to` redirects a datagram (RFC 3261 18.2.2) and means nothing to a stream."""


Receiver = Callable[[bytes, Hop], None]


class Transport(Protocol):
    """Every socket of an endpoint."""

    async def start(self, receive: Receiver) -> None: ...
    async def open(self, transport: TransportKind, remote: Address, name: str) -> Hop:
        """A hop of our own towards a peer; raises PeerError when it cannot be reached.

        `name` is the host as its URI has it: over TLS the certificate must be for that (RFC 5922 4).
        """

    @property
    def listening(self) -> tuple[tuple[TransportKind, Address], ...]: ...
    async def stop(self) -> None: ...
