"""UDP, TCP and TLS by asyncio: bytes in, bytes out, connections kept and counted; no SIP header is read here."""

import asyncio
import contextlib
import functools
import ipaddress
import socket
import ssl
from collections import Counter
from collections.abc import Callable
from typing import cast

from ivr.channels.sip.contract import Address, TransportKind
from ivr.channels.sip.flow import Flow, Receiver
from ivr.channels.sip.framing import StreamCutter
from ivr.channels.sip.settings import Limits, Listen, SipSettings, Tls
from ivr.errors import ConfigError, PeerError

RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024
MAX_UNSENT_BYTES = 1024 * 1024
CONNECT_TIMEOUT_S = 10


class Sockets:
    """The real Transport; `admits` tells whether a host may connect at all, `counters` are the endpoint's."""

    def __init__(self, settings: SipSettings, counters: Counter[str], admits: Callable[[str], bool]) -> None:
        self._settings, self.counters, self.admits = settings, counters, admits
        self.limits: Limits = settings.limits
        self._receive: Receiver | None = None
        self._datagrams: list[Datagrams] = []
        self._servers: list[tuple[TransportKind, asyncio.Server]] = []
        self.connections: dict[tuple[TransportKind, Address], Connection] = {}
        self.per_source: Counter[str] = Counter()

    @property
    def listening(self) -> tuple[tuple[TransportKind, Address], ...]:
        streams = [(kind, server.sockets[0].getsockname()[:2]) for kind, server in self._servers]
        return (*(("udp", endpoint.bound) for endpoint in self._datagrams), *streams)

    async def start(self, receive: Receiver) -> None:
        self._receive = receive
        for listen in self._settings.listen:
            try:
                await self._listen(listen)
            except OSError as problem:
                await self.stop()
                place = f"{listen.transport}:{listen.host}:{listen.port}"
                raise ConfigError(f"SIP cannot listen at {place}: {problem.strerror or 'no such address'}") from None

    async def open(self, transport: TransportKind, remote: Address, name: str) -> Flow:
        if transport == "udp":
            return self._datagram_socket(remote).flow(remote)
        known = self.connections.get((transport, remote))
        if known is not None and known.alive:
            return known
        tls = client_context(self._settings.tls) if transport == "tls" else None
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                _, connection = await asyncio.get_running_loop().create_connection(
                    lambda: Connection(self, transport), *remote, ssl=tls, server_hostname=name if tls else None
                )
        except (OSError, TimeoutError, ssl.SSLError):
            raise PeerError(f"SIP peer {remote[0]}:{remote[1]} cannot be reached over {transport}") from None
        return connection

    async def stop(self) -> None:
        for _, server in self._servers:
            server.close()
        for connection in list(self.connections.values()):
            connection.close()
        for endpoint in self._datagrams:
            endpoint.close()
        self._servers.clear()
        self._datagrams.clear()
        await asyncio.sleep(0)

    def received(self, data: bytes, flow: Flow) -> None:
        if self._receive is not None:
            self._receive(data, flow)

    def advertised(self, bound: Address, remote: Address) -> Address:
        """What to call ourselves towards `remote`: as set, or the bound address, or the one the kernel would use."""
        host = self._settings.advertised_host or bound[0]
        if ipaddress.ip_address(bound[0]).is_unspecified and not self._settings.advertised_host:
            host = own_address_towards(remote[0])
        return host, bound[1]

    async def _listen(self, listen: Listen) -> None:
        loop = asyncio.get_running_loop()
        if listen.transport == "udp":
            _, endpoint = await loop.create_datagram_endpoint(
                lambda: Datagrams(self), local_addr=(listen.host, listen.port)
            )
            self._datagrams.append(endpoint)
            return
        context = server_context(self._settings.tls) if listen.transport == "tls" else None
        server = await loop.create_server(
            lambda: Connection(self, listen.transport), listen.host, listen.port, ssl=context
        )
        self._servers.append((listen.transport, server))

    def _datagram_socket(self, remote: Address) -> "Datagrams":
        version = ipaddress.ip_address(remote[0]).version
        for endpoint in self._datagrams:
            if ipaddress.ip_address(endpoint.bound[0]).version == version:
                return endpoint
        raise PeerError(f"SIP peer {remote[0]}: no UDP socket of ours speaks IPv{version}; add one to `listen`")


class DatagramFlow:
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
        self.sockets.received(data, self.flow((addr[0], addr[1])))

    def error_received(self, exc: Exception) -> None:
        # An ICMP "port unreachable" of an earlier packet; the transaction's timer finds out by itself.
        self.sockets.counters["socket_errors"] += 1

    def flow(self, remote: Address) -> DatagramFlow:
        return DatagramFlow(self, remote)

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


class Connection(asyncio.Protocol):
    """One TCP or TLS connection, whoever opened it; it is its own Flow."""

    def __init__(self, sockets: Sockets, transport: TransportKind) -> None:
        self.transport: TransportKind = transport
        self.remote: Address = ("", 0)
        self.local: Address = ("", 0)
        self._sockets, self._cutter = sockets, StreamCutter()
        self._stream: asyncio.Transport | None = None
        self._idle: asyncio.TimerHandle | None = None

    @property
    def alive(self) -> bool:
        return self._stream is not None and not self._stream.is_closing()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._stream = stream = cast(asyncio.Transport, transport)
        self.remote = transport.get_extra_info("peername")[:2]
        self.local = self._sockets.advertised(self._listening_as(stream), self.remote)
        self._sockets.connections[self.transport, self.remote] = self
        self._sockets.per_source[self.remote[0]] += 1
        if self._too_many() or not self._sockets.admits(self.remote[0]):
            self._sockets.counters["connections_refused"] += 1
            stream.abort()
        self._stay_awake()

    def data_received(self, data: bytes) -> None:
        try:
            cut = self._cutter.feed(data)
        except PeerError:
            self._sockets.counters["malformed"] += 1
            self.close()
            return
        if cut.pings:
            self.send(b"\r\n" * cut.pings)
        if cut.messages or cut.pings:
            # Only whole messages count: a sender that drips single bytes is idle.
            self._stay_awake()
        for message in cut.messages:
            self._sockets.received(message, self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._cutter.wipe()
        if self._idle is not None:
            self._idle.cancel()
        if self._sockets.connections.get((self.transport, self.remote)) is self:
            del self._sockets.connections[self.transport, self.remote]
        self._sockets.per_source[self.remote[0]] -= 1
        self._sockets.per_source += Counter()  # drops the zeros

    def send(self, data: bytes, to: Address | None = None) -> None:  # a stream has one far end
        if self._stream is None or self._stream.is_closing():
            self._sockets.counters["socket_errors"] += 1
        elif self._stream.get_write_buffer_size() > MAX_UNSENT_BYTES:
            self._stream.abort()  # a peer that does not read
        else:
            self._stream.write(data)

    def close(self) -> None:
        if self._stream is not None:
            self._stream.close()

    def _listening_as(self, transport: asyncio.Transport) -> Address:
        """A peer must be able to ring back: our listening port of this kind, not the port a connection of ours got."""
        bound: Address = transport.get_extra_info("sockname")[:2]
        ports = [address[1] for kind, address in self._sockets.listening if kind == self.transport]
        return bound[0], ports[0] if ports and bound[1] not in ports else bound[1]

    def _too_many(self) -> bool:
        limits = self._sockets.limits
        here = self._sockets.per_source[self.remote[0]]
        return len(self._sockets.connections) > limits.connections or here > limits.connections_per_source

    def _stay_awake(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
        loop = asyncio.get_running_loop()
        self._idle = loop.call_later(self._sockets.limits.connection_idle_s, self.close)


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
        context.load_verify_locations(tls.client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def client_context(tls: Tls | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=tls.server_ca if tls else None)
    if tls is not None:
        load_chain(context, tls)
    return context


def load_chain(context: ssl.SSLContext, tls: Tls) -> None:
    try:
        context.load_cert_chain(tls.certificate, tls.key)
    except (OSError, ssl.SSLError):
        raise ConfigError(f"SIP over TLS: {tls.certificate} and {tls.key} are not a certificate and its key") from None
