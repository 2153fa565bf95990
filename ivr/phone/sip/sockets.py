"""Every socket of an endpoint: UDP here, TCP and TLS in streams.py; bytes in, bytes out, no SIP header is read."""

import asyncio
import contextlib
import functools
import ipaddress
import socket
import ssl
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import cast

from ivr.errors import ConfigError, PeerError
from ivr.phone.sip.contract import Address, TransportKind
from ivr.phone.sip.hop import Hop, Receiver
from ivr.phone.sip.settings import ListenAddress, SipSettings, Tls
from ivr.phone.sip.streams import Streams

RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024


class Sockets:
    """The real Transport; `admits` tells whether a host may connect at all, `counters` are the endpoint's.

    `lost` hears of each connection that has gone.
    """

    def __init__(
        self,
        settings: SipSettings,
        counters: Counter[str],
        admits: Callable[[str], bool],
        lost: Callable[[Hop], None] = lambda _hop: None,
    ) -> None:
        self._settings, self.counters = settings, counters
        self._receive: Receiver | None = None
        self._datagrams: list[Datagrams] = []
        self._streams = Streams(settings.limits, counters, admits, self.advertised, self.received, lost)

    @property
    def listening(self) -> tuple[tuple[TransportKind, Address], ...]:
        return (*(("udp", endpoint.bound) for endpoint in self._datagrams), *self._streams.listening)

    async def start(self, receive: Receiver) -> None:
        self._receive = receive
        for listen in self._settings.listen:
            try:
                await self._listen(listen)
            except OSError as problem:
                await self.stop()
                place = f"{listen.transport}:{listen.host}:{listen.port}"
                raise ConfigError(f"SIP cannot listen at {place}: {problem.strerror or 'no such address'}") from None

    async def open(self, transport: TransportKind, remote: Address, name: str) -> Hop:
        if transport == "udp":
            return self._datagram_socket(remote).hop(remote)
        tls = client_context(self._settings.tls) if transport == "tls" else None
        return await self._streams.open(transport, remote, tls, name)

    async def stop(self) -> None:
        self._streams.stop()
        for endpoint in self._datagrams:
            endpoint.close()
        self._datagrams.clear()
        await asyncio.sleep(0)

    def received(self, data: bytes, hop: Hop) -> None:
        if self._receive is not None:
            self._receive(data, hop)

    def advertised(self, bound: Address, remote: Address) -> Address:
        """What to call ourselves towards `remote`: as set, or the bound address, or the one the kernel would use."""
        host = self._settings.advertised_host or bound[0]
        if ipaddress.ip_address(bound[0]).is_unspecified and not self._settings.advertised_host:
            host = own_address_towards(remote[0])
        return host, bound[1]

    async def _listen(self, listen: ListenAddress) -> None:
        loop = asyncio.get_running_loop()
        if listen.transport == "udp":
            _, endpoint = await loop.create_datagram_endpoint(
                lambda: Datagrams(self), local_addr=(listen.host, listen.port)
            )
            self._datagrams.append(endpoint)
            return
        context = server_context(self._settings.tls) if listen.transport == "tls" else None
        self._streams.listen(listen.transport, (listen.host, listen.port), context)

    def _datagram_socket(self, remote: Address) -> "Datagrams":
        version = ipaddress.ip_address(remote[0]).version
        for endpoint in self._datagrams:
            if ipaddress.ip_address(endpoint.bound[0]).version == version:
                return endpoint
        raise PeerError(f"SIP peer {remote[0]}: no UDP socket of ours speaks IPv{version}; add one to `listen`")


class DatagramHop:
    """One UDP peer at one socket of ours."""

    transport: TransportKind = "udp"
    alive = True

    def __init__(self, endpoint: "Datagrams", remote: Address) -> None:
        self._endpoint, self.remote = endpoint, remote

    @property
    def local(self) -> Address:
        return self._endpoint.sockets.advertised(self._endpoint.bound, self.remote)

    def send(self, data: bytes, to: Address | None = None) -> None:
        self._endpoint.send(data, to or self.remote)


class Datagrams(asyncio.DatagramProtocol):
    """One UDP socket."""

    def __init__(self, sockets: Sockets) -> None:
        self.sockets = sockets
        self.bound: Address = ("", 0)
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # asyncio's own class for it is no DatagramTransport before Python 3.12.
        self._transport = cast(asyncio.DatagramTransport, transport)
        self.bound = transport.get_extra_info("sockname")[:2]
        with contextlib.suppress(OSError):
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)

    def datagram_received(self, data: bytes, addr: Address) -> None:
        self.sockets.received(data, self.hop((addr[0], addr[1])))

    def error_received(self, exc: Exception) -> None:
        # An ICMP "port unreachable" of an earlier packet; the transaction's timer finds out by itself.
        self.sockets.counters["socket_errors"] += 1

    def hop(self, remote: Address) -> DatagramHop:
        return DatagramHop(self, remote)

    def send(self, data: bytes, remote: Address) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        try:
            self._transport.sendto(data, remote)
        except (OSError, ValueError):
            self.sockets.counters["socket_errors"] += 1

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


@functools.lru_cache(maxsize=1024)
def own_address_towards(host: str) -> str:
    """Asks the kernel's routing table; connecting a datagram socket sends nothing."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((host, 5060))
        except OSError:
            return "127.0.0.1"
        address: str = probe.getsockname()[0]
        return address


def server_context(tls: Tls | None) -> ssl.SSLContext:
    if tls is None:
        raise ConfigError("SIP: a `tls` socket is listed, but no certificate; set `tls.certificate` and `tls.key`")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    load_chain(context, tls)
    if tls.client_ca is not None:
        load_client_ca(context, tls.client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def client_context(tls: Tls | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=tls.server_ca if tls else None)
    if tls is not None:
        load_chain(context, tls)
    return context


def load_client_ca(context: ssl.SSLContext, authority: Path) -> None:
    try:
        context.load_verify_locations(authority)
    except (OSError, ssl.SSLError):
        raise ConfigError(f"SIP over TLS: {authority} holds no certificate of an authority (PEM)") from None


def load_chain(context: ssl.SSLContext, tls: Tls) -> None:
    try:
        context.load_cert_chain(tls.certificate, tls.key)
    except (OSError, ssl.SSLError):
        raise ConfigError(f"SIP over TLS: {tls.certificate} and {tls.key} are not a certificate and its key") from None
